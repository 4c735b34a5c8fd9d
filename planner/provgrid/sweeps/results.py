"""What came of a sweep or of a front: one row for each point, as a table, and as files."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from provgrid import exits
from provgrid_models.errors import AuditError, InfeasibleError, NoPlanError, OptionError, SolverError
from provgrid_models.words import counted
from provgrid_optimizer.plan_tables import records

if TYPE_CHECKING:
    from collections.abc import Sequence

    from provgrid.sweeps.point import Row

SAME = 1e-6  # relative difference of two objectives that are the same


@dataclass(frozen=True)
class ColdCheck:
    """A point that was solved again from nothing: both objectives, and how far they differ, relative."""

    point: int
    hot_yuan: float
    cold_yuan: float
    difference: float


@dataclass(frozen=True, kw_only=True)
class Sweep:
    """Every combination of the varied values, in order, the last one varying fastest.

    `checks` are the points whose solve went on from a neighbour's basis and that were solved again without. `made`
    counts what was solved in this call, the rest was there before.
    """

    scenario: str
    engine: str
    keys: tuple[str, ...]
    values: tuple[tuple[Any, ...], ...]
    rows: tuple[Row, ...]
    checks: tuple[ColdCheck, ...] = ()
    made: int = 0
    asked_gap: float | None = None

    @cached_property
    def table(self) -> pd.DataFrame:
        """One row for each point: the varied values, status, figures, seconds, reason where there is no plan."""
        return pd.DataFrame(
            [
                {**dict(zip(self.keys, values, strict=True)), **row.figures()}
                for values, row in zip(self.values, self.rows, strict=True)
            ]
        )

    @property
    def exit_code(self) -> int:
        """Exit code of the command line."""
        return exit_code(self.rows, self.asked_gap)

    def to_dict(self) -> dict[str, Any]:
        """Plain values, ready for JSON."""
        return {
            "scenario": self.scenario,
            "engine": self.engine,
            "varied": list(self.keys),
            "made": self.made,
            "rows": records(self.table),
            "cold_checks": [vars(one) for one in self.checks],
        }

    def save(self, path: str | Path) -> Path:
        """Write the table as Parquet or CSV, by the ending of the name."""
        return save(self.table, path)


@dataclass(frozen=True, kw_only=True)
class Front:
    """Points between two objectives, from the cheapest plan to the best in the other objective.

    `limits` are the values that the other objective was held to, `other` its column in `table`. `efficient` says which
    points no other one beats in one objective without being worse in the other; of points that are the same in both it
    marks the first.
    """

    scenario: str
    engine: str
    objectives: tuple[str, str]
    other: str
    limits: tuple[float, ...]
    rows: tuple[Row, ...]
    efficient: tuple[bool, ...]
    made: int = 0
    asked_gap: float | None = None

    @cached_property
    def table(self) -> pd.DataFrame:
        """One row for each point, the cheapest first: limit, whether it is efficient, both objectives, figures."""
        return pd.DataFrame(
            [
                {"limit": limit, "efficient": efficient, "total_yuan": _finite(row.total_yuan), **row.figures()}
                for limit, efficient, row in zip(self.limits, self.efficient, self.rows, strict=True)
            ]
        )

    @property
    def marks(self) -> tuple[str, ...]:
        """Say of each point that is not efficient why: "as above" where an efficient one before it is the same."""
        found: list[str] = []
        above: list[Row] = []
        for row, good in zip(self.rows, self.efficient, strict=True):
            if good or not row.has_plan:
                found.append("")
            else:
                found.append("as above" if any(self._same(one, row) for one in above) else "dominated")
            above += [row] if good else []
        return tuple(found)

    def _same(self, one: Row, other: Row) -> bool:
        """Whether two points that have a plan are the same in both objectives."""
        pairs = [(getattr(one, name), getattr(other, name)) for name in ("total_yuan", self.other)]
        return all(abs(a - b) <= SAME * max(abs(b), 1e-9) for a, b in pairs)

    @property
    def exit_code(self) -> int:
        """Exit code of the command line."""
        return exit_code(self.rows, self.asked_gap)

    def to_dict(self) -> dict[str, Any]:
        """Plain values, ready for JSON."""
        return {
            "scenario": self.scenario,
            "engine": self.engine,
            "objectives": list(self.objectives),
            "other": self.other,
            "made": self.made,
            "rows": records(self.table),
        }

    def save(self, path: str | Path) -> Path:
        """Write the table as Parquet or CSV, by the ending of the name."""
        return save(self.table, path)


def exit_code(rows: Sequence[Row], asked_gap: float | None) -> int:
    """Exit code of many plans: the worst that went wrong; infeasible points are answers, as long as one is not."""
    found = {row.status for row in rows}
    for status, error in (("audit_failed", AuditError), ("solver_failed", SolverError)):
        if status in found:
            return error.exit_code
    if not any(row.has_plan for row in rows):
        return NoPlanError.exit_code if "no_plan" in found else InfeasibleError.exit_code
    if "no_plan" in found:
        return exits.STOPPED
    above = (row for row in rows if row.has_plan and row.status != "optimal")
    if asked_gap is not None:
        wide = any(row.gap is None or row.gap > asked_gap + exits.ROUNDING for row in above)
        return exits.STOPPED if wide else exits.SOLVED
    return exits.STOPPED if found & {"time_limit", "passes_reached"} else exits.SOLVED


def advice(rows: Sequence[Row], code: int) -> str:
    """Say what to do where a sweep did not end well; "" where it did."""
    without = [row for row in rows if not row.has_plan]
    lost = f"{len(without)} of {counted(len(rows), 'point has', 'points have')} no plan"
    say = lost if without else "every point has a plan"
    first = f"; the first: {without[0].reason}" if without else ""
    if code == exits.STOPPED:
        return f"stopped at a limit or above the asked gap; {say}; give more --time-limit, or --passes{first}"
    if code == NoPlanError.exit_code:
        return f"stopped before any point had a plan; give more --time-limit{first}"
    if code == InfeasibleError.exit_code:
        return f"no point has a plan; look at the scenario with provgrid check{first}"
    return f"{say}; try another --engine or seed for those{first}" if code != exits.SOLVED else ""


def check_output(path: Path) -> None:
    """Raise `OptionError` where a table could not be written under that name."""
    if path.suffix.lower() not in (".csv", ".parquet"):
        raise OptionError(f"{path} is no table's name; give one that ends in .csv or .parquet")
    if path.is_dir() or not path.absolute().parent.is_dir():
        raise OptionError(f"{path} cannot be written; give a file in a folder that is there")


def save(table: pd.DataFrame, path: str | Path) -> Path:
    """Write a table, whole or not at all."""
    path = Path(path)
    check_output(path)
    partial = path.with_name(f".{path.name}.partial")
    if path.suffix.lower() == ".csv":
        table.to_csv(partial, index=False, lineterminator="\n")
    else:
        table.to_parquet(partial, index=False)
    return partial.replace(path)


def _finite(value: float) -> float | None:
    return value if np.isfinite(value) else None
