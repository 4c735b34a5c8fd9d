"""Draw the flow map of a run as an SVG, trace by trace from the picture that `plan.plot.flows()` returns.

python docs/draw_flows.py RUN docs/flows.svg
"""

from __future__ import annotations

import math
import sys
from dataclasses import dataclass
from html import escape
from pathlib import Path
from typing import TYPE_CHECKING, Any

import provgrid as pg
from provgrid.report.figures.theme import THEMES

if TYPE_CHECKING:
    from collections.abc import Iterator

    import plotly.graph_objects as go

WIDTH, HEIGHT, TOP, BOTTOM, LEFT, RIGHT = 1140, 720, 66, 84, 52, 18
LIGHT, NIGHT = THEMES["light"], THEMES["dark"]
PAPER, INK, MUTED, GRID = LIGHT.paper, LIGHT.ink, LIGHT.muted, LIGHT.grid
# What is drawn in the colours of the light theme takes those of the dark one in a dark page.
DARK = " ".join(
    f'[{what}="{getattr(LIGHT, name)}"] {{ {what}: {getattr(NIGHT, name)} }}'
    for what, name in (("fill", "paper"), ("fill", "ink"), ("fill", "muted"), ("stroke", "muted"), ("stroke", "grid"))
)
SHIFT = {"right": (1, "start"), "left": (-1, "end"), "center": (0, "middle")}


@dataclass(frozen=True)
class Frame:
    """Where a panel's longitudes and latitudes lie in the picture [px]."""

    left: float
    bottom: float
    scale_x: float
    scale_y: float
    west: float
    south: float
    east: float
    north: float

    def at(self, x: float, y: float) -> tuple[float, float]:
        """Place of a longitude and latitude."""
        return self.left + (x - self.west) * self.scale_x, self.bottom - (y - self.south) * self.scale_y


def frame(figure: go.Figure, which: str) -> Frame:
    """Fit a panel into its part of the picture, with the lengths of a degree that its axes ask for."""
    across, up = figure.layout[f"xaxis{which}"], figure.layout[f"yaxis{which}"]
    (west, east), (south, north) = across.range, up.range
    inside = WIDTH - LEFT - RIGHT
    first, last = (across.domain or (0.0, 1.0))[0] * inside, (across.domain or (0.0, 1.0))[1] * inside
    height = HEIGHT - TOP - BOTTOM
    scale = min((last - first) / (east - west), height / ((north - south) * up.scaleratio))
    left = LEFT + (first + last) / 2 - scale * (east - west) / 2
    bottom = TOP + height / 2 + scale * up.scaleratio * (north - south) / 2
    return Frame(left, bottom, scale, scale * up.scaleratio, west, south, east, north)


def picture(figure: go.Figure, name: str) -> str:
    """Write a flow map as SVG text, with the name of what it shows."""
    title = f"{name}. {figure.layout.meta['title']}"
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" font-family="sans-serif" '
        f'font-size="11" role="img"><title>{escape(title)}</title>',
        f"<style>@media (prefers-color-scheme: dark) {{ {DARK} }}</style>",
        f'<rect width="100%" height="100%" fill="{PAPER}"/>',
        f'<text x="14" y="25" font-size="18" fill="{INK}">{escape(title)}</text>',
        f'<text x="14" y="46" font-size="12" fill="{MUTED}">{escape(figure.layout.meta["answer"])}</text>',
    ]
    frames = {which: frame(figure, which) for which in {(trace.xaxis or "x")[1:] for trace in figure.data}}
    for one in frames.values():
        parts += grid(one)
    for shape in figure.layout.shapes:
        parts.append(_rectangle(shape, frames[""]))
    for trace in figure.data:
        place = frames[(trace.xaxis or "x")[1:]]
        drawn = {"lines": outlines, "markers": marks, "text": names, "markers+text": marks_and_names}[trace.mode]
        parts += drawn(trace, place)
    return "\n".join([*parts, *legend(figure), "</svg>", ""])


def grid(place: Frame) -> Iterator[str]:
    """Lines of equal longitude and latitude, with their degrees."""
    for low, high, along in ((place.west, place.east, True), (place.south, place.north, False)):
        step = next(step for step in (0.5, 1, 2, 5, 10, 20) if (high - low) / step <= 8)
        for k in range(math.ceil(low / step), math.floor(high / step) + 1):
            value = k * step
            (x0, y0), (x1, y1) = (
                (place.at(value, place.south), place.at(value, place.north))
                if along
                else (place.at(place.west, value), place.at(place.east, value))
            )
            yield f'<path d="M{x0:.1f} {y0:.1f}L{x1:.1f} {y1:.1f}" stroke="{GRID}"/>'
            x, y, anchor = (x0, y0 + 15, "middle") if along else (x0 - 5, y0 + 4, "end")
            sign = "E" if along else "N"
            yield f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}" fill="{MUTED}">{value:g}°{sign}</text>'


def _rectangle(shape: Any, place: Frame) -> str:
    (x0, y0), (x1, y1) = place.at(shape.x0, shape.y1), place.at(shape.x1, shape.y0)
    return (
        f'<rect x="{x0:.1f}" y="{y0:.1f}" width="{x1 - x0:.1f}" height="{y1 - y0:.1f}" fill="none" '
        f'stroke="{MUTED}" stroke-dasharray="3 3"/>'
    )


def outlines(trace: Any, place: Frame) -> Iterator[str]:
    """Draw filled outlines, which end at each gap."""
    pieces: list[list[str]] = [[]]
    for x, y in zip(trace.x, trace.y, strict=True):
        if math.isnan(x):
            pieces.append([])
        else:
            pieces[-1].append("{:.1f} {:.1f}".format(*place.at(x, y)))
    path = "".join(f"M{'L'.join(piece)}Z" for piece in pieces if piece)
    if path:
        yield f'<path d="{path}" fill="{trace.fillcolor}" stroke="{trace.line.color}" stroke-width="0.6"/>'


def marks(trace: Any, place: Frame) -> Iterator[str]:
    """Draw squares, dots, and the signs of busy links; what only the mouse finds is left out."""
    if trace.marker.opacity == 0:
        return
    sizes = trace.marker.size
    outline = f'stroke="{trace.marker.line.color or "none"}" stroke-width="{trace.marker.line.width or 0}"'
    for k, (x, y) in enumerate(zip(trace.x, trace.y, strict=True)):
        half = (sizes if isinstance(sizes, int | float) else sizes[k]) / 2
        at_x, at_y = place.at(x, y)
        corners = {
            "square": ((-1, -1), (1, -1), (1, 1), (-1, 1)),
            "triangle-up": ((0, -1.1), (1, 0.7), (-1, 0.7)),
            "diamond": ((0, -1.2), (1.2, 0), (0, 1.2), (-1.2, 0)),
        }.get(trace.marker.symbol)
        if corners is None:
            yield f'<circle cx="{at_x:.1f}" cy="{at_y:.1f}" r="{half:.1f}" fill="{trace.marker.color}" {outline}/>'
        else:
            points = " ".join(f"{at_x + half * a:.1f},{at_y + half * b:.1f}" for a, b in corners)
            yield f'<polygon points="{points}" fill="{trace.marker.color}" {outline}/>'


def names(trace: Any, place: Frame) -> Iterator[str]:
    """Write texts, each on its side of its mark."""
    count = len(trace.text)
    sizes = trace.marker.size if trace.mode == "markers+text" else (0,) * count
    where = trace.textposition if isinstance(trace.textposition, tuple | list) else ("middle center",) * count
    for x, y, text, side, size in zip(trace.x, trace.y, trace.text, where, sizes, strict=True):
        if text:
            up, across = side.split()
            at_x, at_y = place.at(x, y)
            shift, anchor = SHIFT[across]
            gap = size / 2 + 3
            at_y += {"top": -gap, "middle": 4.0, "bottom": gap + 8}[up]
            yield (
                f'<text x="{at_x + shift * gap:.1f}" y="{at_y:.1f}" text-anchor="{anchor}" fill="{INK}" '
                f'font-size="{trace.textfont.size}">{escape(text)}</text>'
            )


def marks_and_names(trace: Any, place: Frame) -> Iterator[str]:
    """Draw marks, and their names above them."""
    yield from marks(trace, place)
    yield from names(trace, place)


def legend(figure: go.Figure) -> Iterator[str]:
    """Say what the colours stand for."""
    y, x = HEIGHT - 22, 16.0
    yield f'<text x="{x}" y="{y}" fill="{MUTED}">{escape(figure.layout.legend.title.text)}</text>'
    x += 6.2 * len(figure.layout.legend.title.text)
    for trace in figure.data:
        if trace.showlegend:
            yield f'<rect x="{x:.0f}" y="{y - 9}" width="24" height="10" fill="{trace.fillcolor}"/>'
            yield f'<text x="{x + 30:.0f}" y="{y}" fill="{INK}">{escape(trace.name)}</text>'
            x += 48 + 6.2 * len(trace.name)


if __name__ == "__main__":
    run, target = sys.argv[1:3]
    plan = pg.open(run)
    map_of_flows = plan.plot.flows()  # says so where the plan knows no places
    known = plan.scenario.settings.title or plan.scenario.name
    Path(target).write_text(picture(map_of_flows, known), encoding="utf-8")
