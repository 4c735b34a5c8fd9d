"""Whether a plan that is far from proven is small enough to be asked for exactly."""

from __future__ import annotations

from typing import TYPE_CHECKING

from provgrid_optimizer.answers.infeasible import MANY_WHOLE
from provgrid_optimizer.certificate import FAR
from provgrid_optimizer.engines.lp import n_columns

if TYPE_CHECKING:
    from provgrid_optimizer.plan import Plan

EXACT = "--engine milp --time-limit 600"  # as `solve` takes it; it has a plan at that time, too


def worth_solving_exactly(plan: Plan) -> bool:
    """Whether the heuristic left a wide gap on a problem whose whole jobs a solver can try, by its columns."""
    problem = plan.problem
    if plan.engine != "heuristic" or plan.certificate.gap <= FAR:
        return False
    return problem.n_jobs <= MANY_WHOLE and n_columns(problem) <= MANY_WHOLE  # a job has a column at least
