"""Curved arrows as outlines [px], so that any number of them is one filled trace."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from provgrid_models.problem import Floats

BEND = 0.16  # of the distance, to the left of the way, so that there and back are two arrows
STEPS = 14  # pieces of a curve
HEAD, LEAST_HEAD_PX = 2.1, 7.0  # width of the head over that of the shaft, and at the least


def curve(start: Floats, end: Floats, gap_start: float, gap_end: float) -> Floats:
    """Points of the bent way from `start` to `end`, shape (STEPS + 1, 2), with a gap at either end."""
    along = end - start
    length = float(np.hypot(along[0], along[1]))
    control = (start + end) / 2 + BEND * np.array([-along[1], along[0]])
    t = np.linspace(min(gap_start / length, 0.3), 1.0 - min(gap_end / length, 0.3), STEPS + 1)[:, None]
    return np.asarray((1 - t) ** 2 * start + 2 * t * (1 - t) * control + t**2 * end)


def outline(points: Floats, width: float) -> Floats:
    """Outline of an arrow of a width along a curve, shape (n, 2)."""
    step = np.gradient(points, axis=0)
    across = np.stack([-step[:, 1], step[:, 0]], axis=1) / np.hypot(step[:, 0], step[:, 1])[:, None]
    head = max(HEAD * width, LEAST_HEAD_PX)
    left_to_go = np.hypot(points[:, 0] - points[-1, 0], points[:, 1] - points[-1, 1])
    neck = int(np.flatnonzero(left_to_go >= min(0.9 * head, 0.5 * left_to_go[0]))[-1])
    shaft, half = points[: neck + 1], across[: neck + 1] * width / 2
    barbs = np.stack([points[neck] + across[neck] * head / 2, points[-1], points[neck] - across[neck] * head / 2])
    return np.concatenate([shaft + half, barbs, (shaft - half)[::-1]])


def joined(outlines: list[Floats]) -> tuple[Floats, Floats]:
    """Chain outlines into x and y of one trace, each closed and with a break after it."""
    if not outlines:
        return np.zeros(0), np.zeros(0)
    gap = np.full((1, 2), np.nan)
    points = np.concatenate([part for one in outlines for part in (one, one[:1], gap)])
    return points[:, 0], points[:, 1]
