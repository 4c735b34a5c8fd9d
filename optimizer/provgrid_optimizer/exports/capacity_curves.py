"""Hour by hour, what each pool gives to whom: the shape of a cluster scheduler's quota file."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from provgrid_optimizer.plan_tables import named, when

if TYPE_CHECKING:
    from provgrid_optimizer.plan import Plan


def capacity_curves(plan: Plan) -> pd.DataFrame:
    """Return a row for each pool and period: accelerators usable, held by training and by inference, and free.

    `work_power_kw` is what that work draws at the meter, the idle floor not counted. The price is that of the bound
    (`plan.prices`), or of the relaxation where that was solved: what one accelerator-hour more is worth there.
    """
    problem, allocation = plan.problem, plan.allocation
    shape = (problem.n_pools, problem.n_periods)
    training, inference = np.zeros(shape), np.zeros(shape)
    np.add.at(training, (allocation.pool[allocation.run_placement], allocation.run_period), allocation.run_accelerators)
    service, pool = allocation.serve_service, allocation.serve_pool
    held = allocation.serve_units / problem.service_rate[service, pool]
    np.add.at(inference, (pool, allocation.serve_period), held)
    used = training + inference
    row = np.repeat(np.arange(problem.n_pools), problem.n_periods)
    return pd.DataFrame(
        {
            "cluster": named(problem.labels.clusters, problem.pool_cluster[row]),
            "pool": named(problem.labels.pools, row),
            **when(problem, np.tile(np.arange(problem.n_periods), problem.n_pools)),
            "usable_accelerators": problem.capacity.ravel(),
            "training_accelerators": training.ravel(),
            "inference_accelerators": inference.ravel(),
            "free_accelerators": np.maximum(problem.capacity - used, 0.0).ravel(),
            "work_power_kw": (problem.kw_per_accelerator * used).ravel(),
            "price_yuan_per_accelerator_h": plan.multipliers.accelerator.ravel(),
        }
    )
