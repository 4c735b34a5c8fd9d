"""Improvement: sweeps of sequential best response at prices whose ramps tighten towards the hard limits."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import TYPE_CHECKING

import numpy as np

from provgrid_optimizer.heuristic.construct import SERVICE_STEPS, job_order, with_value
from provgrid_optimizer.heuristic.kernels.respond import refresh_all, respond_jobs, respond_services
from provgrid_optimizer.heuristic.pricing import Pricing, pricing, scratch
from provgrid_optimizer.heuristic.state import State, copy_state, load_of, supply_within_budget

if TYPE_CHECKING:
    from provgrid_models.problem import Problem

    from provgrid_optimizer.heuristic.arrays import Arrays
    from provgrid_optimizer.lagrangian import Pass
    from provgrid_optimizer.multipliers import Multipliers

RAMPS = (0.06, 0.05, 0.04, 0.03, 0.025, 0.02, 0.015, 0.01, 0.007, 0.005, 0.003, 0.002, 0.001, 0.0005)
JOBS_AT_ONCE = 20_000  # between two looks at the clock


def objective_yuan(problem: Problem, state: State) -> float:
    """What a plan costs, in yuan above the plan with no work."""
    jobs = np.flatnonzero(state.pool >= 0)
    gigabytes = problem.job_weight[jobs] * (problem.data_gb[jobs] + problem.checkpoint_gb[jobs])
    moved = float((gigabytes * problem.gb_yuan[problem.job_origin[jobs], state.pool[jobs]]).sum())
    missed = state.pool < 0
    unserved = float((problem.job_weight[missed] * problem.unserved_yuan[missed]).sum())
    service = np.repeat(np.arange(problem.n_services), np.diff(state.pair_start))
    served = np.zeros(problem.demand.shape)
    np.add.at(served, service, state.serve)
    network = float((problem.service_yuan[service, state.pair_pool] * (state.serve @ problem.hours)).sum())
    left = np.maximum(problem.demand - served, 0.0) @ problem.hours
    lost = left > 1e-9
    unserved += float((left[lost] * problem.service_unserved_yuan[lost]).sum())
    supply = supply_within_budget(problem, load_of(problem, state))
    return supply.total_yuan - problem.floor_yuan + moved + network + unserved


class Improvement:
    """Sweeps over all jobs and services; `best` is the best plan so far."""

    def __init__(
        self, problem: Problem, laid_out: Arrays, prices: Multipliers, made: Pass, start: State, seed: int
    ) -> None:
        self.problem = problem
        self.arrays = with_value(problem, laid_out, of_verticals=False)
        self.curves: Pricing = pricing(problem, laid_out, prices, made.offered)
        self._widths = self.curves.ramp_kw.copy()
        self.state = start
        self.random = np.random.default_rng(seed)
        self.space = scratch(problem)
        self.sweeps = 0
        self.best = copy_state(start)
        self.best_yuan = objective_yuan(problem, start)

    @property
    def ended(self) -> bool:
        """Whether the ramps are as tight as they get."""
        return self.sweeps >= len(RAMPS)

    def sweep(self, stop: Callable[[], bool]) -> None:
        """One pass of best responses; `stop` is asked now and then and ends it early."""
        ramp = RAMPS[min(self.sweeps, len(RAMPS) - 1)]
        self.curves.ramp[0] = ramp
        self.curves.ramp_kw[:] = self._widths * ramp
        refresh_all(self.arrays, self.state, self.curves)
        respond_services(
            self.arrays, self.state, self.curves, SERVICE_STEPS, self.random.permutation(self.problem.n_services)
        )
        order = job_order(self.problem, self.random.random(self.problem.n_jobs))
        for at in range(0, order.size, JOBS_AT_ONCE):
            respond_jobs(self.arrays, self.state, self.curves, order[at : at + JOBS_AT_ONCE], self.space)
            if stop():
                break
        self.sweeps += 1
        yuan = objective_yuan(self.problem, self.state)
        if yuan < self.best_yuan and math.isfinite(yuan):
            self.best_yuan = yuan
            self.best = copy_state(self.state)
