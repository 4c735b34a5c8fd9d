"""The last step of a search: the linear program that remains of its choices, solved.

Sweeps place one job or service at a time, so that the hours of elastic jobs, the shares of services and the supply are
each best against the others, and not together. With the pools, the starts and what is unserved fixed, together is one
linear program (`answers.fixed`). A large one is solved part by part (`parts`), which finds most of its gain.
"""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

import numpy as np

from provgrid_models.errors import NoPlanError, SolverError
from provgrid_optimizer.evaluate import costs

if TYPE_CHECKING:
    from provgrid_models.problem import Problem
    from provgrid_optimizer.allocation import Allocation
    from provgrid_optimizer.multipliers import Multipliers
    from provgrid_optimizer.options import OnProgress, SolveOptions

log = logging.getLogger(__name__)
MOST_COLUMNS = 30_000  # solved as one program, in about a second
MOST_IN_PARTS = 1_000_000  # beyond, even its parts take long against what they gain


def settle(
    problem: Problem, allocation: Allocation, prices: Multipliers, options: SolveOptions, on_progress: OnProgress
) -> tuple[Allocation, float] | None:
    """Return a better plan with the choices of this one, and its cost in yuan; None where that is no gain.

    `prices` say which pools may matter to a service. Too many columns, no time left in `options`, and a failing solver
    are no gain: the plan that is there stands.
    """
    try:
        settled = _settled(problem, allocation, prices, options, on_progress)
    except (NoPlanError, SolverError) as error:
        log.info("the plan's hours stand as the search left them: %s", error)
        return None
    if settled is None:
        return None
    before_yuan, yuan = (costs(problem, plan).objective_yuan for plan in (allocation, settled))
    return (settled, yuan) if yuan < before_yuan else None


def _settled(
    problem: Problem, allocation: Allocation, prices: Multipliers, options: SolveOptions, on_progress: OnProgress
) -> Allocation | None:
    # HiGHS is slow to load, and problems too large for it do without.
    hours = _hours(problem, allocation)
    if hours > MOST_IN_PARTS:
        return None
    from provgrid_optimizer.answers.fixed import remaining
    from provgrid_optimizer.heuristic.parts import STAGE, near_columns, settle_parts

    pools = ((problem.service_rate > 0) & np.isfinite(problem.service_yuan)).sum(axis=1)
    if hours + int(pools @ (problem.demand > 0).sum(axis=1)) <= MOST_COLUMNS:
        return remaining(problem, allocation, options, on_progress, stage=STAGE).allocation
    served = near_columns(problem, allocation, prices)
    if hours + served.service.size > MOST_IN_PARTS:
        return None
    return settle_parts(problem, allocation, served, options, on_progress)


def _hours(problem: Problem, allocation: Allocation) -> int:
    """Columns of the placed elastic jobs and of supply, about: one an hour."""
    elastic = allocation.job[~problem.rigid[allocation.job]]
    return int((problem.deadline[elastic] - problem.release[elastic]).sum()) + allocation.block_kw.size
