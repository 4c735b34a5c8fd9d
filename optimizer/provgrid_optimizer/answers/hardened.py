"""Only the work that must be served, made hard: the problem on which conflicts are found and changes are tried."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from provgrid_models.compile import compile_scenario
from provgrid_optimizer.answers.terms import hard_work, only_work
from provgrid_optimizer.matrix import assemble

if TYPE_CHECKING:
    from collections.abc import Mapping

    from provgrid_models.problem import Problem
    from provgrid_models.scenario import Scenario
    from provgrid_optimizer.matrix import LinearProgram


@dataclass(frozen=True, kw_only=True)
class Must:
    """The work that must be served: job ids, and the periods of each service by its id; all else may be left.

    `divisible`: its jobs may be divided over pools and starts, as in the relaxation.
    """

    jobs: frozenset[str]
    services: Mapping[str, frozenset[int]]
    divisible: bool = True

    @classmethod
    def of(cls, scenario: Scenario, *, divisible: bool = True) -> Must:
        """All that the scenario calls hard."""
        jobs, services = scenario.jobs, scenario.services
        every = frozenset(range(scenario.settings.horizon.periods))
        return cls(
            jobs=frozenset(jobs.loc[jobs["hard"], "id"]),
            services=dict.fromkeys(services.loc[services["hard"], "id"], every),
            divisible=divisible,
        )

    def program(self, scenario: Scenario) -> tuple[Problem, LinearProgram] | None:
        """Problem and program of this work alone; None where no pool could ever serve some of it."""
        found = hardened(scenario, self)
        if found.closed:
            return None
        return found.problem, assemble(found.problem, divisible=self.divisible)


@dataclass(frozen=True, kw_only=True)
class Hardened:
    """A problem of nothing but work that must be served; `closed` names what of it no pool could ever serve."""

    problem: Problem
    closed: tuple[tuple[str, str], ...]  # "job" or "service", and its id


def hardened(scenario: Scenario, must: Must) -> Hardened:
    """Compile the scenario with only this work hard, and leave out all else."""
    jobs, services = scenario.jobs, scenario.services
    soft = replace(scenario, jobs=jobs.assign(hard=False), services=services.assign(hard=False))
    problem = compile_scenario(soft)
    job_names, service_names = list(problem.labels.jobs or ()), list(problem.labels.services or ())
    never = {name for name, _, _ in problem.never_served}
    asked = set(scenario.demand.loc[scenario.demand["tokens_per_s"] > 0, "service"])
    closed = [("job", name) for name in jobs["id"] if name in must.jobs & never and name not in job_names]
    closed += [
        ("service", name)
        for name in services["id"]
        if name in must.services and name in never & asked and name not in service_names
    ]
    demand = problem.demand.copy()
    for s, name in enumerate(service_names):
        asks = np.isin(np.arange(problem.n_periods), list(must.services.get(name, ())))
        demand[s] *= asks
    is_hard = np.array([name in must.jobs for name in job_names], dtype=np.bool_)
    serves_hard = np.array([name in must.services for name in service_names], dtype=np.bool_)
    hard = replace(
        problem,
        unserved_yuan=np.where(is_hard, np.inf, 0.0),
        service_unserved_yuan=np.where(serves_hard, np.inf, 0.0),
        demand=demand,
    )
    return Hardened(problem=only_work(hard, *hard_work(hard)), closed=tuple(closed))
