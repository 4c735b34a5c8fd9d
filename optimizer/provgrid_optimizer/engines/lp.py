"""The relaxation, exact, on HiGHS: a bound, an ideal and the prices, not a plan to run."""

from __future__ import annotations

import logging
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from provgrid_models.errors import InterruptedBeforePlanError, NoPlanError
from provgrid_optimizer import hot
from provgrid_optimizer.engine import EngineResult, Status
from provgrid_optimizer.engines.clash import infeasible
from provgrid_optimizer.engines.clock import Clock
from provgrid_optimizer.engines.method import method
from provgrid_optimizer.highs import Ending, minimise
from provgrid_optimizer.matrix import assemble, multipliers, unpack
from provgrid_optimizer.matrix.pairs import open_pairs

if TYPE_CHECKING:
    from provgrid_models.problem import Problem
    from provgrid_optimizer.highs import Answer
    from provgrid_optimizer.options import OnProgress, SolveOptions

log = logging.getLogger(__name__)
MANY_COLUMNS = 40_000  # of hours, starts and services, beyond which the program is solved by columns
STATUS = {
    Ending.OPTIMAL: Status.OPTIMAL,
    Ending.TIME_LIMIT: Status.TIME_LIMIT,
    Ending.INTERRUPTED: Status.INTERRUPTED,
}


def lp(problem: Problem, options: SolveOptions, on_progress: OnProgress) -> EngineResult:
    """Solve the relaxation, rigid jobs in start form: whole where it is small, else by columns; the log says which.

    It has no passes. Whole, its gap is 0 or it has no plan; by columns it may stop early, with a plan and its gap.

    Raises
    ------
    InfeasibleError : hard work cannot be served; the message names it and what it clashes with.
    NoPlanError : the time limit came, or Ctrl-C, before there was a feasible point.
    SolverError : HiGHS failed, or its point did not pass the check.
    """
    size = n_columns(problem)
    if size > MANY_COLUMNS:
        from provgrid_optimizer.columns.engine import by_columns

        return said(by_columns(problem, options, on_progress), f"lp by columns: {size:,} columns in all")
    return said(whole(problem, options, on_progress), f"lp as one program: {size:,} columns")


def said(result: EngineResult, way: str) -> EngineResult:
    """Return the result with the way that it was found on top of its log."""
    log.info(way)
    return replace(result, log=f"{way}\n{result.log}")


def n_columns(problem: Problem) -> int:
    """Hours of elastic jobs, starts of rigid ones and services, by pool: what makes the program large."""
    pairs = open_pairs(problem)
    choices = problem.deadline[pairs.job] - pairs.first_period - np.where(pairs.rigid, pairs.duration - 1, 0)
    pools = ((problem.service_rate > 0) & np.isfinite(problem.service_yuan)).sum(axis=1)
    return int(choices.clip(0).sum() + pools @ (problem.demand > 0).sum(axis=1))


def whole(problem: Problem, options: SolveOptions, on_progress: OnProgress) -> EngineResult:
    """Solve the relaxation as one program. Raises as `lp` does."""
    clock = Clock(options)
    program = assemble(problem, divisible=True)
    handed = hot.current()
    basis = None if handed is None else handed.basis(program)
    answer = minimise(
        program,
        options,
        on_progress,
        stage="lp",
        time_limit_s=clock.left_s(),
        settings=method(problem, program) if basis is None else {},  # only the simplex method goes on from a basis
        basis=basis,
    )
    if handed is not None:
        handed.leave(program, answer.basis)
    if answer.ending is Ending.INFEASIBLE:
        raise infeasible(problem, options, divisible=True)
    x = answer.x
    if x is None:
        raise no_plan(answer, options)
    duals = answer.row_duals
    return EngineResult(
        status=STATUS[answer.ending],
        allocation=unpack(problem, program, x, divisible=True),
        multipliers=None if duals is None else multipliers(problem, program, duals, "lp"),
        bound_yuan=-np.inf if duals is None else min(program.dual_bound(duals), answer.objective_yuan),
        bound_method="lp",
        log=answer.log,
        history=answer.history,
    )


def no_plan(answer: Answer, options: SolveOptions) -> NoPlanError:
    """Say why a run that was stopped has no plan."""
    if answer.ending is Ending.INTERRUPTED:
        return InterruptedBeforePlanError("interrupted before there was a feasible plan; give it longer")
    return NoPlanError(
        f"no feasible plan within the time limit of {options.time_limit_s:g} s; "
        "give more time or take engine 'heuristic'"
    )
