"""The relaxation at several amounts of something, each solved from the vertex of the one before, each proven anew."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

from provgrid_models.errors import InfeasibleError
from provgrid_optimizer.answers.fixed import solved
from provgrid_optimizer.answers.worth import Worth
from provgrid_optimizer.matrix import assemble
from provgrid_optimizer.matrix.selection import everything

if TYPE_CHECKING:
    from collections.abc import Iterable

    from provgrid_models.problem import Problem
    from provgrid_optimizer.answers.changes import Change
    from provgrid_optimizer.answers.fixed import Remaining
    from provgrid_optimizer.options import OnProgress, SolveOptions

_PROVEN = 1e-6  # relative to the cost: a bound that is further off is no proof, and the start is not trusted


@dataclass(frozen=True, kw_only=True)
class Relaxed:
    """A relaxation solved: all that it pays, constants too, between a proven bound and its cost [yuan]."""

    left: Remaining
    bound_yuan: float
    cost_yuan: float


def relaxed(problem: Problem, options: SolveOptions, on_progress: OnProgress, near: Remaining | None = None) -> Relaxed:
    """Solve a relaxation from the vertex of another of the same size, where there is one.

    Weak duality proves the bound from the row duals alone. Where they prove less than the cost, it is solved again from
    nothing: a solver that starts in the middle is not to be trusted blindly.

    Raises `InfeasibleError` where hard work cannot be served.
    """
    program = assemble(problem, divisible=True)
    vertex = None
    if near is not None:
        then = near.program
        if (then.n_columns, then.n_rows) == (program.n_columns, program.n_rows):
            vertex = near.vertex
    found = _proven(problem, solved(problem, program, everything(problem), "lp", options, on_progress, vertex))
    if vertex is not None and found.cost_yuan - found.bound_yuan > _PROVEN * max(1.0, abs(found.cost_yuan)):
        found = _proven(problem, solved(problem, program, everything(problem), "lp", options, on_progress))
    return found


def savings(
    before: Relaxed, change: Change, amounts: Iterable[float], options: SolveOptions, on_progress: OnProgress
) -> list[Worth]:
    """Say what each amount more saves; -inf where it leaves hard work without a plan."""
    near, saved = before, []
    for more in amounts:
        try:
            near = relaxed(change.problem_at(more), options, on_progress, near.left)
        except InfeasibleError:
            saved.append(Worth(low_yuan=-math.inf, found_yuan=-math.inf, high_yuan=-math.inf))
            continue
        saved.append(
            Worth(
                low_yuan=before.bound_yuan - near.cost_yuan,
                found_yuan=before.cost_yuan - near.cost_yuan,
                high_yuan=before.cost_yuan - near.bound_yuan,
            )
        )
    return saved


def _proven(problem: Problem, left: Remaining) -> Relaxed:
    """Add the constants, and the bound that the duals prove."""
    bound_yuan = min(left.program.dual_bound(left.row_duals), left.objective_yuan)
    constants = problem.constants_yuan
    return Relaxed(left=left, bound_yuan=bound_yuan + constants, cost_yuan=left.objective_yuan + constants)
