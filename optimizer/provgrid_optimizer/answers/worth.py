"""What a change is worth: the difference of two best costs, in the interval that plans and bounds leave open."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from provgrid_models.compile import compile_scenario
from provgrid_optimizer.options import SolveOptions, ignore_progress
from provgrid_optimizer.solve import solve_to_its_end

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from provgrid_models.problem import Floats
    from provgrid_models.scenario import Scenario
    from provgrid_optimizer.options import OnProgress
    from provgrid_optimizer.plan import Plan

YUAN_PER_MTOKEN = 1e6 / 3600.0  # of a yuan for a token/s and hour, which is 3600 tokens


@dataclass(frozen=True, kw_only=True)
class Worth:
    """Yuan that a change saves over the horizon: surely at least `low_yuan` and at most `high_yuan`.

    `found_yuan` is the difference of the two plans that were found. All that the plans pay counts, constants too.
    """

    low_yuan: float
    found_yuan: float
    high_yuan: float

    def less(self, yuan: float) -> Worth:
        """Return the same worth after a cost of its own is taken off."""
        return Worth(low_yuan=self.low_yuan - yuan, found_yuan=self.found_yuan - yuan, high_yuan=self.high_yuan - yuan)


def worth(before: Plan, after: Plan) -> Worth:
    """Worth of the change between two plans: [bound before - cost after, cost before - bound after].

    The best cost of each side lies between its bound and its plan, so the difference of the best costs lies in between.
    """
    cost = [one.objective_yuan + one.problem.constants_yuan for one in (before, after)]
    least = [one.certificate.bound_yuan + one.problem.constants_yuan for one in (before, after)]
    return Worth(low_yuan=least[0] - cost[1], found_yuan=cost[0] - cost[1], high_yuan=cost[0] - least[1])


@dataclass(frozen=True, kw_only=True)
class Bench:
    """How the two sides of a comparison are solved: the same for both."""

    engine: str = "heuristic"
    options: SolveOptions = SolveOptions()
    on_progress: OnProgress = ignore_progress

    def plan(self, scenario: Scenario) -> Plan:
        """Solve and audit one side."""
        problem = compile_scenario(scenario)
        return solve_to_its_end(
            problem, self.engine, self.options, self.on_progress, scenario=scenario, with_policies=False
        )


def with_fixed_values(scenario: Scenario) -> Scenario:
    """Write into a scenario what unserved work costs in it by rule, so that a change cannot move it.

    The rule prices unserved work by the cheapest accelerators that could do it. A change that makes those cheaper would
    make leaving the work cheaper too, and that is no saving.
    """
    problem = compile_scenario(scenario)
    never = {name: yuan for name, _, yuan in problem.never_served}
    jobs, services, demand = scenario.jobs.copy(), scenario.services.copy(), scenario.demand
    release = np.ceil(jobs["release_h"] / problem.period_h - 1e-9).astype(int).clip(upper=problem.n_periods - 1)
    lost = _looked_up(jobs["id"], never) / problem.weight[release]
    known = _known(problem.labels.jobs, problem.unserved_yuan)
    jobs["unserved_yuan"] = jobs["unserved_yuan"].fillna(_looked_up(jobs["id"], known)).fillna(lost)

    asked = demand[demand["period"] < problem.n_periods]
    units = (asked["tokens_per_s"] * problem.hours[asked["period"]]).groupby(asked["service"]).sum().to_dict()
    known = _known(problem.labels.services, problem.service_unserved_yuan)
    lost = _looked_up(services["id"], never) / _looked_up(services["id"], units).replace(0.0, np.nan)
    by_unit = _looked_up(services["id"], known).fillna(lost)
    column = "unserved_yuan_per_mtoken"
    services[column] = services[column].fillna(by_unit * YUAN_PER_MTOKEN)
    return replace(scenario, jobs=jobs, services=services)


def _known(labels: Sequence[str] | None, values: Floats) -> dict[str, float]:
    """Value by id; hard work has none."""
    return {name: value for name, value in zip(labels or (), values.tolist(), strict=True) if math.isfinite(value)}


def _looked_up(ids: pd.Series, values: Mapping[Any, float]) -> pd.Series:
    """Value of each id, NaN where there is none."""
    return pd.Series([values.get(name, math.nan) for name in ids], index=ids.index, dtype=np.float64)
