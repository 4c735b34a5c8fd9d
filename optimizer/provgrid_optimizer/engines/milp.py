"""The indivisible problem, exact, on HiGHS: for small problems, and to hold other engines against."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from provgrid_optimizer.engine import EngineResult, Status
from provgrid_optimizer.engines.clash import infeasible
from provgrid_optimizer.engines.lp import STATUS, Clock, method, no_plan
from provgrid_optimizer.highs import Ending, minimise
from provgrid_optimizer.matrix import assemble, multipliers, unpack

if TYPE_CHECKING:
    from provgrid_models.problem import Floats, Problem
    from provgrid_optimizer.highs import Answer
    from provgrid_optimizer.matrix import LinearProgram
    from provgrid_optimizer.options import OnProgress, SolveOptions


def milp(problem: Problem, options: SolveOptions, on_progress: OnProgress) -> EngineResult:
    """Solve with whole placements and starts, to the gap asked for or to the end.

    The prices are those of the relaxation: no others prove a better bound by prices alone. The tree's own bound goes
    beside them. Raises as `lp.lp` does.
    """
    clock = Clock(options)
    relaxed_program = assemble(problem, divisible=True)
    relaxed = minimise(
        relaxed_program,
        options,
        on_progress,
        stage="relaxation",
        time_limit_s=clock.left_s(),
        settings=method(problem, relaxed_program),
    )
    if relaxed.ending is Ending.INFEASIBLE:
        raise infeasible(problem, options, divisible=True)
    if relaxed.row_duals is None:
        raise no_plan(relaxed, options)
    program = assemble(problem, divisible=False)
    answer = _solve_whole(program, options, on_progress, clock)
    if answer.ending is Ending.INFEASIBLE:
        raise infeasible(problem, options, divisible=False)
    if answer.x is None:
        raise no_plan(answer, options)
    x = _made_whole(program, answer.x, options, on_progress)
    return EngineResult(
        status=_status(answer, options),
        allocation=unpack(problem, program, x, divisible=False),
        multipliers=multipliers(problem, relaxed_program, relaxed.row_duals, "lp"),
        bound_yuan=max(answer.bound_yuan, relaxed.bound_yuan),
        log=relaxed.log + answer.log,
        history=answer.history,
    )


def _solve_whole(program: LinearProgram, options: SolveOptions, on_progress: OnProgress, clock: Clock) -> Answer:
    gap = 0.0 if options.gap is None else options.gap
    settings = {"mip_rel_gap": gap, "mip_abs_gap": 0.0}
    return minimise(program, options, on_progress, stage="milp", time_limit_s=clock.left_s(), settings=settings)


def _made_whole(program: LinearProgram, x: Floats, options: SolveOptions, on_progress: OnProgress) -> Floats:
    """Solve again with the whole numbers rounded and fixed: HiGHS lets them be off by 1e-6, a plan does not.

    Where the rounded numbers leave no room (by less than that tolerance), the point stands as it is.
    """
    whole = np.round(x)
    fixed = replace(
        program,
        column_lower=np.where(program.integer, whole, program.column_lower),
        column_upper=np.where(program.integer, whole, program.column_upper),
        integer=np.zeros(program.n_columns, dtype=np.bool_),
    )
    answer = minimise(fixed, options, on_progress, stage="whole numbers fixed")
    return x if answer.x is None else answer.x


def _status(answer: Answer, options: SolveOptions) -> Status:
    """Optimal within a gap that was asked for counts as that gap reached."""
    left = answer.objective_yuan - answer.bound_yuan
    if answer.ending is Ending.OPTIMAL and options.gap and left > 1e-9 * max(1.0, abs(answer.objective_yuan)):
        return Status.GAP_REACHED
    return STATUS[answer.ending]
