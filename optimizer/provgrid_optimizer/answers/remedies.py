"""What would let work be served that a plan leaves: single changes, each tried by a solve of its own."""

from __future__ import annotations

import math
import time
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from provgrid_models.compile import compile_scenario
from provgrid_models.eligibility import exclusions_of_job, exclusions_of_service
from provgrid_optimizer.answers.asked import fits, least_cost
from provgrid_optimizer.answers.conflict import Conflict, Limit, Work
from provgrid_optimizer.answers.fixes import working_changes
from provgrid_optimizer.answers.infeasible import MANY_WHOLE
from provgrid_optimizer.answers.moved import AsInPlan
from provgrid_optimizer.answers.worth import with_fixed_values
from provgrid_optimizer.engines.lp import n_columns

if TYPE_CHECKING:
    from provgrid_models.problem import Problem
    from provgrid_models.scenario import Scenario
    from provgrid_optimizer.answers.asked import Asked
    from provgrid_optimizer.answers.edits import Edit
    from provgrid_optimizer.matrix import LinearProgram
    from provgrid_optimizer.options import SolveOptions
    from provgrid_optimizer.plan import Plan

SEARCH_S, SEARCHES_S = 30.0, 120.0  # for each search among whole jobs, all of which may move, and for all of them


@dataclass(frozen=True, kw_only=True)
class Remedy:
    """A change after which the work is served and nothing else is lost; `change` is None where there is room already.

    `extra_yuan`: by how much all that is paid grows, by a solve, idle power and ports included and the value of the
    unserved work taken off; what it costs to make the change is not in it otherwise. `others_move`: it serves the work
    only where jobs of an indivisible plan move for it.
    """

    change: Edit | None
    extra_yuan: float
    others_move: bool = False

    @property
    def text(self) -> str:
        """Say the change in words."""
        said = "it would fit as things are" if self.change is None else self.change.text
        return f"{said}, if other work moves" if self.others_move else said

    def to_dict(self) -> dict[str, Any]:
        """Plain values, ready for JSON."""
        change = None if self.change is None else self.change.to_dict()
        return {
            "text": self.text,
            "change": change,
            "extra_yuan": self.extra_yuan,
            "others_move": self.others_move,
        }


@dataclass(frozen=True, kw_only=True)
class _Until:
    """What is asked, and until when it is looked for; after that, no way of serving it is known."""

    asked: Asked
    end_s: float  # of `time.monotonic`

    def program(self, scenario: Scenario) -> tuple[Problem, LinearProgram] | None:
        """Assemble the program, while there is time."""
        return self.asked.program(scenario) if time.monotonic() < self.end_s else None


def remedies(
    plan: Plan, scenario: Scenario, kind: str, name: str, paid_yuan: float, options: SolveOptions
) -> tuple[Remedy, ...]:
    """Single changes that serve all of a workload beside all that the plan serves, the cheapest first.

    Those that do so with other jobs moved are looked for where there are no others, and the problem is small.
    `paid_yuan` is what the plan pays now, constants included. What unserved work is worth stays as it is.
    """
    fixed, in_the_way = with_fixed_values(scenario), _in_the_way(plan.problem, scenario, kind, name)
    asked = AsInPlan(plan=plan, kind=kind, id=name)
    found = _single_changes(fixed, in_the_way, asked, paid_yuan, options)
    if found or plan.allocation.divisible or n_columns(plan.problem) > MANY_WHOLE:
        return found
    limited = replace(options, time_limit_s=SEARCH_S)
    return _single_changes(fixed, in_the_way, replace(asked, others_move=True), paid_yuan, limited)


def _single_changes(
    scenario: Scenario, in_the_way: Conflict, asked: AsInPlan, paid_yuan: float, options: SolveOptions
) -> tuple[Remedy, ...]:
    """Find what serves what is asked, the cheapest first; where it fits as things are, that alone."""
    changes: list[Edit | None] = [None]
    tried = _Until(asked=asked, end_s=time.monotonic() + SEARCHES_S) if asked.others_move else asked
    if not fits(scenario, tried, options):
        changes = [*working_changes(scenario, in_the_way, tried, options)]
    found = []
    for change in changes:
        cost = _paid(scenario if change is None else change.applied(scenario), asked, options)
        if cost is not None:
            found.append(Remedy(change=change, extra_yuan=cost - paid_yuan, others_move=asked.others_move))
    return tuple(sorted(found, key=lambda one: (one.extra_yuan, _size(one.change))))


def _paid(scenario: Scenario, asked: AsInPlan, options: SolveOptions) -> float | None:
    cost = least_cost(scenario, asked, options)
    return None if cost is None else cost + compile_scenario(scenario).constants_yuan


def _size(change: Edit | None) -> float:
    return math.inf if change is None or change.share is None else change.share


def _in_the_way(problem: Problem, scenario: Scenario, kind: str, name: str) -> Conflict:
    """All that could stand in the work's way: the limits of every pool that is open to it, and closed pools."""
    frame = scenario.jobs if kind == "job" else scenario.services
    region = str(frame.loc[frame["id"] == name, "region"].iloc[0])
    shut = exclusions_of_job(scenario, name) if kind == "job" else exclusions_of_service(scenario, name)
    work = Work(kind=kind, id=name, region=region, periods=(), text=name, exclusions=tuple(shut.values()))
    limits = []
    origin = [one.id for one in scenario.regions].index(region)
    for p, pool in enumerate(scenario.pools):
        if pool.id not in shut:
            limits += [("capacity", pool.id), ("power", pool.cluster)]
            links = problem.route(origin, p)
            limits += [("link", scenario.links[int(link)].id) for link in links if np.isfinite(problem.link_gbps[link])]
    if scenario.settings.limits.carbon_budget_t is not None:
        limits.append(("carbon", ""))
    made = tuple(Limit(kind=what, id=whose, periods=(), text="") for what, whose in dict.fromkeys(limits))
    return Conflict(work=(work,), limits=made, divisible=True)
