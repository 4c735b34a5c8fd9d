"""Where the names on a map go, so that they cover neither marks nor each other."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from provgrid.report.figures.canvas import text_columns

if TYPE_CHECKING:
    from collections.abc import Sequence

    from provgrid_models.problem import Floats

Box = tuple[float, float, float, float]  # left, bottom, right, top [px]
# Sides of a mark in the order in which they are tried: plotly's word, and where the text lies, in widths and heights.
SIDES = {
    "middle right": (0.5, 0.0),
    "bottom center": (0.0, -0.5),
    "top center": (0.0, 0.5),
    "middle left": (-0.5, 0.0),
    "bottom right": (0.5, -0.5),
    "top right": (0.5, 0.5),
    "bottom left": (-0.5, -0.5),
    "top left": (-0.5, 0.5),
}
PX_PER_COLUMN, LINE_PX = 0.56, 1.2  # of the font's size
TOLERATED = 0.12  # part of a text that others may cover before it is left out


@dataclass(frozen=True)
class Mark:
    """A mark with a name: place and size [px], the name, its font's size, and whether it may be left out."""

    x: float
    y: float
    size: float
    name: str
    font_px: float
    optional: bool = False


def sides(marks: Sequence[Mark], width_px: float, height_px: float) -> list[str | None]:
    """Choose a side for each name, in the order given; None where an optional one finds no room."""
    taken = np.array([_mark_box(mark) for mark in marks]).reshape(-1, 4)
    found: list[str | None] = []
    for mark in marks:
        others = taken[(taken != _mark_box(mark)).any(axis=1)]
        costs = {side: _cost(_text_box(mark, side), others, width_px, height_px) for side in SIDES}
        best = min(costs, key=costs.__getitem__)
        box = _text_box(mark, best)
        if mark.optional and costs[best] > TOLERATED * _area(box):
            found.append(None)
        else:
            found.append(best)
            taken = np.vstack([taken, box])
    return found


def _mark_box(mark: Mark) -> Box:
    half = mark.size / 2
    return mark.x - half, mark.y - half, mark.x + half, mark.y + half


def _text_box(mark: Mark, side: str) -> Box:
    """Rectangle that a name covers on a side of its mark."""
    width, height = text_columns(mark.name) * PX_PER_COLUMN * mark.font_px, LINE_PX * mark.font_px
    right, up = SIDES[side]
    gap = mark.size / 2 + 3
    x = mark.x + right * (width + 2 * gap)
    y = mark.y + up * (height + 2 * gap * (0.6 if right else 1.0))
    return x - width / 2, y - height / 2, x + width / 2, y + height / 2


def _cost(box: Box, others: Floats, width_px: float, height_px: float) -> float:
    """Area that a name would share with others, (n, 4), what is beyond the picture's edges counted three times."""
    inside = float(_common(box, np.array([[0.0, 0.0, width_px, height_px]])).sum())
    return 3.0 * (_area(box) - inside) + float(_common(box, others).sum())


def _common(one: Box, others: Floats) -> Floats:
    width = np.minimum(one[2], others[:, 2]) - np.maximum(one[0], others[:, 0])
    height = np.minimum(one[3], others[:, 3]) - np.maximum(one[1], others[:, 1])
    return np.asarray(width.clip(0.0) * height.clip(0.0))


def _area(box: Box) -> float:
    return (box[2] - box[0]) * (box[3] - box[1])
