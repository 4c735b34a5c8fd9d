"""What more of something is worth, as a record: price, range, points, and their table."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pandas as pd

from provgrid_optimizer.answers.sensitivity import SAME_PRICE

if TYPE_CHECKING:
    from provgrid_optimizer.answers.fixed import Remains
    from provgrid_optimizer.answers.worth import Worth


@dataclass(frozen=True, kw_only=True)
class Price:
    """Marginal worth at the amount that is there [yuan per unit over the horizon], on its basis.

    `one_more_yuan` is saved by each unit more below `holds_to` more, `one_less_yuan` lost by each unit less until
    `holds_from` (at most 0), both in the program of that basis; inf where one less is not feasible. Where they differ
    the price is degenerate: `price_yuan`, the solver's own, lies between, and only these two say what a step does.
    All four are NaN where the program is so large that it was solved without a vertex (`fixed.MANY_COLUMNS`).
    """

    basis: Remains
    price_yuan: float
    one_more_yuan: float
    one_less_yuan: float
    holds_from: float
    holds_to: float
    idle_yuan: float  # taken off for the power that one more draws idle, at the solver's own energy prices

    @property
    def degenerate(self) -> bool | None:
        """Whether one more is worth less than one less costs; None where that is not known."""
        if math.isnan(self.one_more_yuan):
            return None
        size = max(1.0, abs(self.price_yuan))
        return not self.one_less_yuan - self.one_more_yuan <= 2 * SAME_PRICE * size

    def predicts(self, more: float) -> float:
        """Yuan saved by so much more, as long as the price holds."""
        if more == 0 or self.degenerate is None:
            return more * self.price_yuan
        return more * (self.one_more_yuan if more > 0 else self.one_less_yuan)


@dataclass(frozen=True, kw_only=True)
class Point:
    """Yuan saved by so much more, planned again: surely at least `low_yuan` and at most `high_yuan`.

    All three are the same where the engine is exact, and -inf where so much less leaves hard work without a plan.
    """

    more: float
    low_yuan: float
    found_yuan: float
    high_yuan: float

    @classmethod
    def of(cls, more: float, saved: Worth) -> Point:
        """Return the point of an amount and its worth."""
        return cls(more=more, low_yuan=saved.low_yuan, found_yuan=saved.found_yuan, high_yuan=saved.high_yuan)


@dataclass(frozen=True, kw_only=True)
class Value:
    """What more of something is worth. `price` is None for deadlines and SLOs, which move in steps.

    So it is for a relaxation that is too large to be one program.
    """

    kind: str
    id: str
    unit: str
    present: float  # how much is there; NaN for a class of jobs or services
    members: int  # how many jobs or services move together; else 1
    price: Price | None
    engine: str  # what planned the points of the curve
    points: tuple[Point, ...]

    @property
    def table(self) -> pd.DataFrame:
        """The curve: more, unit, amount, predicted_yuan (by the price), low_yuan, found_yuan, high_yuan."""
        rows = [
            {
                "more": point.more,
                "unit": self.unit,
                "amount": self.present + point.more,
                "predicted_yuan": math.nan if self.price is None else self.price.predicts(point.more),
                "low_yuan": point.low_yuan,
                "found_yuan": point.found_yuan,
                "high_yuan": point.high_yuan,
            }
            for point in self.points
        ]
        columns = ["more", "unit", "amount", "predicted_yuan", "low_yuan", "found_yuan", "high_yuan"]
        return pd.DataFrame(rows, columns=columns)

    def to_dict(self) -> dict[str, Any]:
        """Plain values, ready for JSON; what is infinite or unknown is null."""
        price = self.price
        return {
            "kind": self.kind,
            "id": self.id,
            "unit": self.unit,
            "present": _finite(self.present),
            "members": self.members,
            "price": None
            if price is None
            else {
                "basis": price.basis,
                "degenerate": price.degenerate,
                **{name: _finite(value) for name, value in vars(price).items() if name != "basis"},
            },
            "engine": self.engine,
            "points": [{name: _finite(number) for name, number in vars(point).items()} for point in self.points],
        }


def _finite(number: float) -> float | None:
    return number if math.isfinite(number) else None
