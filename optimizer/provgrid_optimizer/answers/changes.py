"""What a planner may have more of: a pool's accelerators, a link's Gbit/s, a cluster's MW, hours, milliseconds.

A change knows the problem at any amount of it. Of a plan with a scenario that is the changed scenario, compiled, with
the values of unserved work held (`worth.with_fixed_values`): one more installed accelerator comes at the pool's
availability and with its idle power. Of arrays, it is as much more in every period.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from fnmatch import fnmatchcase
from functools import cached_property
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from provgrid_models.compile import compile_scenario
from provgrid_models.errors import OptionError
from provgrid_models.findings import words_with
from provgrid_optimizer.answers.sensitivity import Direction
from provgrid_optimizer.answers.worth import with_fixed_values

if TYPE_CHECKING:
    from collections.abc import Sequence

    import pandas as pd

    from provgrid_models.problem import Bools, Floats, Problem
    from provgrid_models.scenario import Scenario
    from provgrid_optimizer.answers.fixed import Remaining
    from provgrid_optimizer.plan import Plan

Kind = Literal["pool", "link", "cluster", "deadline", "slo"]
UNITS: dict[Kind, str] = {
    "pool": "accelerators",
    "link": "Gbit/s",
    "cluster": "MW of grid",
    "deadline": "hours",
    "slo": "ms",
}
KW_PER_MW = 1000.0
_ROUNDING = 1e-9


@dataclass(frozen=True, kw_only=True, eq=False)
class Change:
    """An amount that may be moved, and the problem and scenario at each amount of it.

    `index` is the place of the pool, link or cluster; -1 for a class of jobs or services, `members` of which it has.
    `present` is how much there is now, at the most; NaN for a class.
    """

    kind: Kind
    id: str
    index: int
    present: float
    members: int
    problem: Problem
    scenario: Scenario | None

    @property
    def unit(self) -> str:
        """Unit of the amount."""
        return UNITS[self.kind]

    @cached_property
    def fixed(self) -> Scenario | None:
        """The scenario with the values of unserved work written into it."""
        return None if self.scenario is None else with_fixed_values(self.scenario)

    def scenario_at(self, more: float) -> Scenario | None:
        """Return the scenario with so much more; None where the problem came from arrays."""
        if self.fixed is None or more == 0:
            return self.fixed
        if self.kind in ("deadline", "slo"):
            return _relaxed(self.fixed, self.kind, self.id, more)
        table, column = {
            "pool": ("pools", "accelerators"),
            "link": ("links", "bandwidth_gbps"),
            "cluster": ("clusters", "grid_limit_mw"),
        }[self.kind]
        rows = list(getattr(self.fixed, table))
        row = rows[self.index]
        rows[self.index] = row.model_copy(update={column: self._checked(getattr(row, column), more)})
        changed: dict[str, Any] = {table: tuple(rows)}
        return replace(self.fixed, **changed)

    def problem_at(self, more: float) -> Problem:
        """Return the problem with so much more."""
        if more == 0:
            return self.problem
        scenario = self.scenario_at(more)
        if scenario is not None:
            return compile_scenario(scenario)
        problem = self.problem
        if self.kind == "pool":
            return replace(problem, capacity=self._raised(problem.capacity, np.array([self.index]), more))
        if self.kind == "link":
            return replace(problem, link_gbps=self._raised(problem.link_gbps, np.array([self.index]), more))
        grid = np.flatnonzero(problem.block_is_grid & (problem.block_cluster == self.index))
        return replace(problem, block_limit_kw=self._raised(problem.block_limit_kw, grid, more * KW_PER_MW))

    def direction(self, left: Remaining) -> Direction:
        """Return which limits of a plan's program one unit more moves, and by how much."""
        now, then, rows, columns = self.problem, self.problem_at(1.0), left.program.rows, left.program.columns
        held, drawn, balance, traffic = columns["used"], columns["g"], rows["balance"], rows["link"]
        capacity = (then.capacity - now.capacity).ravel()
        limited = np.isfinite(now.block_limit_kw)
        supply = np.where(limited, then.block_limit_kw, 0.0) - np.where(limited, now.block_limit_kw, 0.0)
        floor = (then.floor_kw - now.floor_kw).ravel()
        link = traffic.ids["link"]
        by_column, by_row = np.zeros(left.program.n_columns), np.zeros(left.program.n_rows)
        by_column[held.slice], by_column[drawn.slice] = capacity, supply.ravel()
        by_row[balance.slice], by_row[traffic.slice] = floor, then.link_gbps[link] - now.link_gbps[link]
        column, row = np.flatnonzero(by_column), np.flatnonzero(by_row)
        return Direction(column=column, column_by=by_column[column], row=row, row_by=by_row[row])

    def _raised(self, limits: Floats, rows: np.ndarray, more: float) -> Floats:
        self._checked(float(limits[rows].min()) / self._per_unit, more / self._per_unit)
        raised = limits.copy()
        raised[rows] = np.maximum(raised[rows] + more, 0.0)
        return raised

    @property
    def _per_unit(self) -> float:
        """Units of the problem's arrays in one of the amount."""
        return KW_PER_MW if self.kind == "cluster" else 1.0

    def _checked(self, now: float, more: float) -> float:
        if now + more < -_ROUNDING * max(1.0, now):
            raise OptionError(f"{self.kind} {self.id} has {now:,.6g} {self.unit}; it cannot have {-more:,.6g} fewer")
        return max(now + more, 0.0)


def change_of(plan: Plan, name: str) -> Change:
    """Find a pool, link or cluster by its name, or by "pool:name" and the like where names are shared.

    Raises `OptionError` at a name that nothing has, or several have, and at a link or cluster without a limit.
    """
    problem, labels = plan.problem, plan.problem.labels
    known: dict[Kind, Sequence[str]] = {
        "pool": labels.pools or [str(p) for p in range(problem.n_pools)],
        "link": labels.links or [str(link) for link in range(problem.n_links)],
        "cluster": labels.clusters or [str(c) for c in range(problem.n_clusters)],
    }
    prefix, _, rest = name.partition(":")
    if prefix in known and rest:
        asked, wanted = {kind: names for kind, names in known.items() if kind == prefix}, rest
    else:
        asked, wanted = known, name
    found = [(kind, list(names).index(wanted)) for kind, names in asked.items() if wanted in names]
    if not found:
        raise OptionError(f"{name!r} is no pool, link or cluster of this plan; {_suggestion(wanted, asked)}")
    if len(found) > 1:
        raise OptionError(f"{name!r} is the name of {len(found)} things; say which, such as {found[0][0]}:{wanted}")
    kind, index = found[0]
    present = _present(plan, kind, index)
    if math.isinf(present):
        raise OptionError(f"{kind} {wanted} has no limit, so that more of it is worth nothing; ask for one that has")
    return Change(
        kind=kind, id=wanted, index=index, present=present, members=1, problem=problem, scenario=plan.scenario
    )


def change_of_class(plan: Plan, kind: Literal["deadline", "slo"], selector: str) -> Change:
    """Take the jobs (deadline) or services (slo) that a selector names; see `chosen`. Raises `OptionError` at none."""
    scenario = plan.scenario
    if scenario is None:
        raise OptionError(
            f"this plan came from arrays, which have no classes of work to move a {kind} of; load a scenario"
        )
    table = scenario.jobs if kind == "deadline" else scenario.services
    members = int(chosen(table, selector).sum())
    if members == 0:
        what = "job" if kind == "deadline" else "service"
        raise OptionError(f"no {what} matches {selector!r}; give an id such as 'qwen-*', or column=value")
    return Change(
        kind=kind,
        id=selector,
        index=-1,
        present=math.nan,
        members=members,
        problem=plan.problem,
        scenario=scenario,
    )


def chosen(table: pd.DataFrame, selector: str) -> Bools:
    """Rows whose columns match: "family=llm*,tenant=hz" wants both; a pattern without a column is of the id."""
    rows = np.ones(len(table), dtype=np.bool_)
    for part in selector.split(","):
        column, equals, pattern = part.strip().rpartition("=")
        column = column if equals else "id"
        if column not in table.columns:
            raise OptionError(f"{column!r} is no column to choose by; it has {', '.join(map(str, table.columns))}")
        rows &= np.array([fnmatchcase(str(value), pattern) for value in table[column]], dtype=np.bool_)
    return rows


def _relaxed(scenario: Scenario, kind: Kind, selector: str, more: float) -> Scenario:
    """Move the deadlines of a class of jobs, or the SLOs of a class of services.

    A deadline moves no further than the horizon's end: a window that crosses it counts only the part of its work that
    lies inside, so that a later deadline would make work vanish, and that is no saving.
    """
    if kind == "slo":
        services = scenario.services.copy()
        rows = chosen(services, selector)
        services.loc[rows, "slo_ms"] = services.loc[rows, "slo_ms"] + more
        if (services["slo_ms"] <= 0).any():
            raise OptionError(f"an SLO of {selector} would be 0 ms or less; take fewer ms off")
        return replace(scenario, services=services)
    jobs, horizon = scenario.jobs.copy(), scenario.settings.horizon
    rows = chosen(jobs, selector)
    end_h = horizon.periods * horizon.period_h
    now = jobs.loc[rows, "deadline_h"]
    moved = (now + more).clip(lower=jobs.loc[rows, "release_h"])
    jobs.loc[rows, "deadline_h"] = np.where(now < end_h, np.minimum(moved, end_h), np.minimum(now, moved))
    return replace(scenario, jobs=jobs)


def _present(plan: Plan, kind: Kind, index: int) -> float:
    """How much there is now: as the scenario says it, else at the most of the horizon."""
    problem, scenario = plan.problem, plan.scenario
    if kind == "pool":
        return float(problem.capacity[index].max()) if scenario is None else scenario.pools[index].accelerators
    if kind == "link":
        return float(problem.link_gbps[index])
    grid = problem.block_is_grid & (problem.block_cluster == index)
    return float(problem.block_limit_kw[grid].max(initial=0.0)) / KW_PER_MW


def _suggestion(wanted: str, known: dict[Kind, Sequence[str]]) -> str:
    """Name what comes nearest, or the first of each kind."""
    from difflib import get_close_matches

    names = [str(name) for part in known.values() for name in part]
    if near := get_close_matches(wanted, names, n=3, cutoff=0.6) or words_with(wanted, names):
        return f"did you mean {' or '.join(near)}?"
    first = [f"{kind} {', '.join(map(str, part[:2]))}" for kind, part in known.items() if len(part)]
    return f"it has {len(names):,} of them, such as {'; '.join(first)}"
