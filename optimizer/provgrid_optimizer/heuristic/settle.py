"""The last step of a search: the linear program that remains of its choices, solved exactly.

Sweeps place one job or service at a time, so that the hours of elastic jobs, the shares of services and the supply are
each best against the others, and not together. With the pools, the starts and what is unserved fixed, together is one
linear program (`answers.fixed`).
"""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

import numpy as np

from provgrid_models.errors import NoPlanError, SolverError
from provgrid_optimizer.evaluate import costs
from provgrid_optimizer.options import SolveOptions

if TYPE_CHECKING:
    from provgrid_models.problem import Problem
    from provgrid_optimizer.allocation import Allocation
    from provgrid_optimizer.options import OnProgress

log = logging.getLogger(__name__)
MOST_COLUMNS = 30_000  # about a second; beyond, the program takes longer than the search did, and gains less


def settle(
    problem: Problem, allocation: Allocation, options: SolveOptions, on_progress: OnProgress
) -> tuple[Allocation, float] | None:
    """Return the best plan with the choices of this one, and its cost in yuan; None where that is no gain.

    Too many columns, no time left in `options`, and a failing solver are no gain: the plan that is there stands.
    """
    if _columns(problem, allocation) > MOST_COLUMNS:
        return None
    from provgrid_optimizer.answers.fixed import remaining  # HiGHS is slow to load, and large problems do without

    try:
        settled = remaining(problem, allocation, options, on_progress, stage="hours and supply").allocation
    except (NoPlanError, SolverError) as error:
        log.info("the plan's hours stand as the search left them: %s", error)
        return None
    before_yuan, yuan = (costs(problem, plan).objective_yuan for plan in (allocation, settled))
    return (settled, yuan) if yuan < before_yuan else None


def _columns(problem: Problem, allocation: Allocation) -> int:
    """Hours of the placed elastic jobs, of services by pool, and of supply: about what the program has."""
    elastic = allocation.job[~problem.rigid[allocation.job]]
    hours = int((problem.deadline[elastic] - problem.release[elastic]).sum())
    pools = ((problem.service_rate > 0) & np.isfinite(problem.service_yuan)).sum(axis=1)
    return hours + int(pools @ (problem.demand > 0).sum(axis=1)) + allocation.block_kw.size
