"""From intervals to verdicts. Nothing here knows what is compared."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from provgrid_models.errors import OptionError

if TYPE_CHECKING:
    from provgrid.experiments.declared import Kind

Verdict = Literal["holds", "holds only if", "does not hold", "undecided at this gap", "cannot be tested"]
Answer = Literal["yes", "no", "open"]


@dataclass(frozen=True)
class Interval:
    """A figure that is known to lie between two others."""

    low: float
    high: float

    def __post_init__(self) -> None:
        if not self.low <= self.high:
            raise OptionError(f"an interval from {self.low} to {self.high} is none; exchange its ends")

    @property
    def middle(self) -> float:
        """Half way between the ends."""
        return (self.low + self.high) / 2.0


def difference(a: Interval, b: Interval) -> Interval:
    """Return what A has more than B: [bound A - objective B, objective A - bound B] where the two are costs."""
    return Interval(a.low - b.high, a.high - b.low)


def shifted(one: Interval, by: float) -> Interval:
    """Return an interval moved as a whole."""
    return Interval(one.low + by, one.high + by)


def value(kind: Kind, a: Interval | None, b: Interval) -> Interval:
    """Value of a test: 1 - B/A, B/A - 1, or B itself.

    Raises
    ------
    OptionError : the first plan's figure may be 0 or less, so that nothing can be a share of it.
    """
    if kind in ("level", "multiple"):
        return b
    if a is None or a.low <= 0:
        found = "no figure" if a is None else f"{a.low:g}"
        raise OptionError(f"the plan that is compared with has {found}; a share needs one above 0")
    ends = sorted(end / of for end in (b.low, b.high) for of in (a.low, a.high))
    ratio = Interval(ends[0], ends[-1])
    return Interval(1.0 - ratio.high, 1.0 - ratio.low) if kind == "saving" else Interval(ratio.low - 1, ratio.high - 1)


def answer(found: Interval, low: float, high: float) -> Answer:
    """Whether a value lies within the limits: surely, surely not, or one cannot say."""
    if found.low >= low and found.high <= high:
        return "yes"
    return "no" if found.high < low or found.low > high else "open"


def crossing(inside: tuple[float, float], outside: tuple[float, float], low: float, high: float) -> float:
    """Where the straight line through two points (input, value) meets the limit that the second one breaks."""
    limit = low if outside[1] < low else high
    (x0, v0), (x1, v1) = inside, outside
    return x0 if v1 == v0 else x0 + (limit - v0) / (v1 - v0) * (x1 - x0)
