"""Why a scenario's hard work cannot be served: each conflict, irreducible, and the smallest change that ends it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import StrEnum
from typing import TYPE_CHECKING, Any

import pandas as pd

from provgrid_models.compile import compile_scenario
from provgrid_models.energy import least_cost_supply
from provgrid_models.errors import InfeasibleError, NoPlanError
from provgrid_optimizer.answers.conflict import Conflict, find_conflict
from provgrid_optimizer.answers.fixes import working_changes
from provgrid_optimizer.answers.hardened import Must, hardened
from provgrid_optimizer.engines.lp import n_columns
from provgrid_optimizer.options import SolveOptions

if TYPE_CHECKING:
    from provgrid_models.scenario import Scenario
    from provgrid_optimizer.answers.edits import Edit

MOST_CONFLICTS = 20
MANY_WHOLE = 20_000  # columns beyond which whole jobs are not tried


class Whole(StrEnum):
    """Whether jobs were also tried whole, as an indivisible plan has them."""

    AS_WHOLE = "tried"
    NO_JOBS = "no hard jobs"
    TOO_MANY = "too many to try"
    NO_TIME = "not known within the time limit"


@dataclass(frozen=True, kw_only=True)
class Step:
    """A conflict and the single changes that end it, the smallest first; none where none was found."""

    conflict: Conflict
    changes: tuple[Edit, ...]

    def to_dict(self) -> dict[str, Any]:
        """Plain values, ready for JSON."""
        return {"conflict": self.conflict.to_dict(), "changes": [change.to_dict() for change in self.changes]}


@dataclass(frozen=True, kw_only=True)
class Infeasibility:
    """The conflicts of a scenario, one after the other, each found once the smallest change has ended those before.

    `fixed`: after the first change of every step all hard work was served in a solve. Without steps it is feasible.
    `whole` says whether jobs were tried whole as well, `hard_jobs` and `hard_services` say how much was asked about.
    `without_work` says which limit the idle accelerators break by themselves, with no work at all; "" where none.
    """

    scenario: str
    steps: tuple[Step, ...]
    fixed: bool
    whole: Whole
    hard_jobs: int
    hard_services: int
    without_work: str = ""

    @property
    def feasible(self) -> bool:
        """Whether all hard work can be served as the scenario stands."""
        return not self.steps and not self.without_work

    @property
    def fix(self) -> tuple[Edit, ...]:
        """The changes that together make the scenario feasible; empty where it is, or where none were found."""
        return tuple(step.changes[0] for step in self.steps) if self.fixed else ()

    @property
    def conflicts(self) -> pd.DataFrame:
        """Members of all conflicts: conflict, member, kind, id, periods, text."""
        frames = [step.conflict.table.assign(conflict=i + 1) for i, step in enumerate(self.steps)]
        columns = ["conflict", "member", "kind", "id", "periods", "text"]
        return pd.concat(frames, ignore_index=True)[columns] if frames else pd.DataFrame(columns=columns)

    @property
    def changes(self) -> pd.DataFrame:
        """All single changes that end a conflict: conflict, text, set, share (a fraction), the smallest first."""
        rows = [
            (i + 1, change.text, change.override, change.share)
            for i, step in enumerate(self.steps)
            for change in step.changes
        ]
        return pd.DataFrame(rows, columns=["conflict", "text", "set", "share"])

    def to_dict(self) -> dict[str, Any]:
        """Plain values, ready for JSON."""
        return {
            "scenario": self.scenario,
            "feasible": self.feasible,
            "without_work": self.without_work or None,
            "fixed": self.fixed,
            "whole_jobs": self.whole.value,
            "hard_jobs": self.hard_jobs,
            "hard_services": self.hard_services,
            "steps": [step.to_dict() for step in self.steps],
            "fix": [change.to_dict() for change in self.fix],
        }


def explain_infeasible(scenario: Scenario, options: SolveOptions | None = None) -> Infeasibility:
    """Name the conflicts of a scenario's hard work and the smallest changes that end them.

    Work is divided over pools first; only what fits so is tried whole. Where the idle accelerators alone break a limit,
    no change of the work can help: then that is the answer, and there are no steps.
    """
    options = options or SolveOptions()
    now, steps, fixed = scenario, list[Step](), True
    must = Must.of(scenario)
    whole = Whole.AS_WHOLE if must.jobs else Whole.NO_JOBS
    if broken := _broken_without_work(scenario):
        return Infeasibility(
            scenario=scenario.name,
            steps=(),
            fixed=False,
            whole=whole,
            hard_jobs=len(must.jobs),
            hard_services=len(must.services),
            without_work=broken,
        )
    while fixed and len(steps) < MOST_CONFLICTS:
        conflict, whole = _next_conflict(now, must, whole, options)
        if conflict is None:
            break
        changes = _changes(now, conflict, replace(must, divisible=whole is not Whole.AS_WHOLE), options)
        steps.append(Step(conflict=conflict, changes=tuple(changes)))
        fixed = bool(changes)
        if changes:
            now = changes[0].applied(now)
    return Infeasibility(
        scenario=scenario.name,
        steps=tuple(steps),
        fixed=bool(steps) and fixed and _next_conflict(now, must, whole, options)[0] is None,
        whole=whole,
        hard_jobs=len(must.jobs),
        hard_services=len(must.services),
    )


def _broken_without_work(scenario: Scenario) -> str:
    """Say which limit the idle accelerators break by themselves; "" where they break none."""
    nothing = {name: getattr(scenario, name).iloc[:0] for name in ("jobs", "services", "demand")}
    try:
        idle = compile_scenario(replace(scenario, **nothing))
        least_cost_supply(idle, idle.floor_kw)
    except InfeasibleError as error:
        return str(error)
    return ""


def _next_conflict(
    scenario: Scenario, must: Must, whole: Whole, options: SolveOptions
) -> tuple[Conflict | None, Whole]:
    """Find a conflict when work may be divided, or else among whole jobs, and whether those could be tried."""
    found = hardened(scenario, must)
    whole = Whole.TOO_MANY if whole is Whole.AS_WHOLE and n_columns(found.problem) > MANY_WHOLE else whole
    divided = find_conflict(scenario, found, options, divisible=True)
    if divided is not None or whole is not Whole.AS_WHOLE:
        return divided, whole
    try:
        return find_conflict(scenario, found, options, divisible=False), whole
    except NoPlanError:
        return None, Whole.NO_TIME


def _changes(scenario: Scenario, conflict: Conflict, must: Must, options: SolveOptions) -> list[Edit]:
    """Single changes after which everything fits, or else those after which the work of this conflict does."""
    for all_of_it in (must, _of_conflict(scenario, conflict, must.divisible)):
        changes = working_changes(scenario, conflict, all_of_it, options)
        if changes:
            return changes
    return []


def _of_conflict(scenario: Scenario, conflict: Conflict, divisible: bool) -> Must:
    every = frozenset(range(scenario.settings.horizon.periods))
    return Must(
        jobs=frozenset(one.id for one in conflict.work if one.kind == "job"),
        services={one.id: frozenset(one.periods) or every for one in conflict.work if one.kind == "service"},
        divisible=divisible,
    )
