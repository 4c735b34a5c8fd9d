"""Time against size as a small SVG, both axes logarithmic."""

from __future__ import annotations

import math
from dataclasses import dataclass
from html import escape

WIDTH, HEIGHT = 760, 440
LEFT, RIGHT, TOP, BOTTOM = 62, 216, 24, 50
NAME_HEIGHT = 18
# Okabe and Ito: told apart by most eyes.
COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#000000", "#7A5195")
Point = tuple[float, float]


@dataclass(frozen=True)
class Line:
    """A name and its points (size, seconds), sizes ascending."""

    name: str
    points: tuple[Point, ...]
    bold: bool = False


@dataclass(frozen=True)
class _Axis:
    """Powers of ten on a stretch of the picture."""

    first: int
    last: int
    start: float
    end: float

    @classmethod
    def over(cls, values: list[float], start: float, end: float) -> _Axis:
        first, last = math.floor(math.log10(min(values))), math.ceil(math.log10(max(values)))
        return cls(first, max(last, first + 1), start, end)

    def at(self, value: float) -> float:
        """Position of a value."""
        share = (math.log10(value) - self.first) / (self.last - self.first)
        return self.start + share * (self.end - self.start)


def draw(lines: list[Line], limit_s: float, x_title: str, y_title: str) -> str:
    """Draw the lines and the time limit. Lines without points are left out."""
    lines = [line for line in lines if line.points]
    sizes = [size for line in lines for size, _ in line.points] or [1.0]
    seconds = [max(second, 1e-3) for line in lines for _, second in line.points] + [limit_s]
    x = _Axis.over(sizes, LEFT, WIDTH - RIGHT)
    y = _Axis.over(seconds, HEIGHT - BOTTOM, TOP)
    parts = [*_frame(x, y, x_title, y_title), *_limit(x, y, limit_s)]
    for rank, line in enumerate(lines):
        places = [(x.at(size), y.at(max(second, 1e-3))) for size, second in line.points]
        parts += _line(places, _colour(rank), line.bold)
    parts += _names(lines)
    body = "\n".join(parts)
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" font-family="sans-serif" '
        f'font-size="11" fill="#333">\n<rect width="{WIDTH}" height="{HEIGHT}" fill="#fff"/>\n{body}\n</svg>\n'
    )


def _frame(x: _Axis, y: _Axis, x_title: str, y_title: str) -> list[str]:
    """Draw grid lines at powers of ten, their numbers and the titles."""
    parts = []
    for power in range(x.first, x.last + 1):
        at = x.at(10.0**power)
        parts.append(f'<path d="M{at:.1f} {y.end:.1f}V{y.start:.1f}" stroke="#ddd"/>')
        parts.append(f'<text x="{at:.1f}" y="{y.start + 16:.1f}" text-anchor="middle">{10**power:,}</text>')
    for power in range(y.first, y.last + 1):
        at = y.at(10.0**power)
        parts.append(f'<path d="M{x.start:.1f} {at:.1f}H{x.end:.1f}" stroke="#ddd"/>')
        parts.append(f'<text x="{x.start - 6:.1f}" y="{at + 4:.1f}" text-anchor="end">{10.0**power:g}</text>')
    middle = (y.start + y.end) / 2
    parts.append(
        f'<text x="{(x.start + x.end) / 2:.1f}" y="{HEIGHT - 12}" text-anchor="middle">{escape(x_title)}</text>'
    )
    parts.append(
        f'<text x="16" y="{middle:.1f}" text-anchor="middle" transform="rotate(-90 16 {middle:.1f})">'
        f"{escape(y_title)}</text>"
    )
    return parts


def _limit(x: _Axis, y: _Axis, limit_s: float) -> list[str]:
    at = y.at(limit_s)
    return [
        f'<path d="M{x.start:.1f} {at:.1f}H{x.end:.1f}" stroke="#999" stroke-dasharray="5 4"/>',
        f'<text x="{x.start + 4:.1f}" y="{at - 4:.1f}" fill="#777">limit {limit_s:g} s</text>',
    ]


def _line(places: list[Point], colour: str, bold: bool) -> list[str]:
    joined = " ".join(f"{px:.1f},{py:.1f}" for px, py in places)
    parts = [f'<polyline points="{joined}" fill="none" stroke="{colour}" stroke-width="{2.6 if bold else 1.4}"/>']
    return parts + [
        f'<circle cx="{px:.1f}" cy="{py:.1f}" r="{3.2 if bold else 2.4}" fill="{colour}"/>' for px, py in places
    ]


def _colour(rank: int) -> str:
    return COLOURS[rank % len(COLOURS)]


def _names(lines: list[Line]) -> list[str]:
    """Name the lines in a column on the right, each with a stroke of its colour."""
    parts = []
    left = WIDTH - RIGHT + 16
    for rank, line in enumerate(lines):
        at = TOP + 6 + rank * NAME_HEIGHT
        width, weight = (2.6, ' font-weight="bold"') if line.bold else (1.4, "")
        parts.append(f'<path d="M{left} {at}h18" stroke="{_colour(rank)}" stroke-width="{width}"/>')
        parts.append(f'<text x="{left + 24}" y="{at + 4}"{weight}>{escape(line.name)}</text>')
    return parts
