"""What a plan in the making costs."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from provgrid_optimizer.heuristic.state import State, load_of, served_units, supply_within_budget

if TYPE_CHECKING:
    from provgrid_models.problem import Problem


def objective_yuan(problem: Problem, state: State) -> float:
    """Cost of a plan, in yuan above the plan with no work; inf where hard work is missing."""
    jobs = np.flatnonzero(state.pool >= 0)
    one_off = float(problem.one_off_yuan(jobs, state.pool[jobs]).sum())
    missed = state.pool < 0
    unserved = float((problem.job_weight[missed] * problem.unserved_yuan[missed]).sum())
    service = np.repeat(np.arange(problem.n_services), np.diff(state.pair_start))
    by_unit = float((problem.unit_yuan[service, state.pair_pool] * (state.serve @ problem.hours)).sum())
    left = np.maximum(problem.demand - served_units(state), 0.0)
    lost = left > problem.demand * 1e-9
    rate = np.broadcast_to(problem.service_unserved_yuan[:, None], left.shape)
    unserved += float((left * problem.hours)[lost] @ rate[lost])
    supply = supply_within_budget(problem, load_of(problem, state))
    return supply.total_yuan - problem.floor_yuan + one_off + by_unit + unserved
