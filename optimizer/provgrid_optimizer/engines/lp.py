"""The relaxation, exact, on HiGHS: a bound, an ideal and the prices, not a plan to run."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import numpy as np

from provgrid_models.errors import NoPlanError
from provgrid_optimizer.engine import EngineResult, Status
from provgrid_optimizer.engines.clash import infeasible
from provgrid_optimizer.highs import Ending, minimise
from provgrid_optimizer.matrix import assemble, multipliers, unpack

if TYPE_CHECKING:
    from provgrid_models.problem import Problem
    from provgrid_optimizer.highs import Answer
    from provgrid_optimizer.matrix import LinearProgram
    from provgrid_optimizer.options import OnProgress, SolveOptions

MANY_STARTS = 2_000
FEW_COLUMNS = 5_000  # any method is quick
FEW_PERIODS = 48  # hours that tie within two days leave the simplex little to crawl over
MOSTLY = 0.5
STATUS = {
    Ending.OPTIMAL: Status.OPTIMAL,
    Ending.TIME_LIMIT: Status.TIME_LIMIT,
    Ending.INTERRUPTED: Status.INTERRUPTED,
}


def lp(problem: Problem, options: SolveOptions, on_progress: OnProgress) -> EngineResult:
    """Solve the relaxation, rigid jobs in start form. It has no passes, and its gap is 0 or it has no plan.

    Raises
    ------
    InfeasibleError : hard work cannot be served; the message names it and what it clashes with.
    NoPlanError : the time limit came, or Ctrl-C, before there was a feasible point.
    SolverError : HiGHS failed, or its point did not pass the check.
    """
    clock = Clock(options)
    program = assemble(problem, divisible=True)
    answer = minimise(
        program, options, on_progress, stage="lp", time_limit_s=clock.left_s(), settings=method(problem, program)
    )
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


def method(problem: Problem, program: LinearProgram) -> dict[str, str]:
    """Choose HiGHS's method: interior point where the dual simplex would crawl over ties.

    Measured in processor seconds, simplex against interior point with crossover: a province's week under time-of-use
    tariffs, 32,000 columns, 50 against 8 to 13; the reference instance, whose prices differ from hour to hour, 64,000
    columns, 8 against 26; rigid jobs with thousands of starts, not finished after 14 against 13. Two typical days in
    periods of two or three hours, 39,000 or 26,000 columns, 4 or 1.4 against 14 or 5, ties or not.
    """
    long = program.n_columns > FEW_COLUMNS and problem.n_periods > FEW_PERIODS
    tied = long and _tied_hours(problem) > MOSTLY
    return {"solver": "ipm"} if tied or program.columns["s"].size > MANY_STARTS else {}


def _tied_hours(problem: Problem) -> float:
    """Share of the hours, over all grid blocks, whose price another hour of the same block has too."""
    prices = problem.block_yuan_per_kwh[problem.block_is_grid]
    if prices.size == 0:
        return 0.0
    distinct = 1 + (np.diff(np.sort(prices, axis=1), axis=1) > 0).sum(axis=1)
    return float(1.0 - (distinct / prices.shape[1]).mean())


class Clock:
    """What is left of a time limit; a limit of 0 leaves no plan."""

    def __init__(self, options: SolveOptions) -> None:
        self._limit_s = options.time_limit_s
        self._started = time.perf_counter()

    def left_s(self) -> float | None:
        """Seconds left, None without a limit; raises `NoPlanError` when there are none."""
        if self._limit_s is None:
            return None
        left = self._limit_s - (time.perf_counter() - self._started)
        if left <= 0:
            raise NoPlanError(f"the time limit of {self._limit_s:g} s passed before the solver had started; give more")
        return left


def no_plan(answer: Answer, options: SolveOptions) -> NoPlanError:
    """Say why a run that was stopped has no plan."""
    if answer.ending is Ending.INTERRUPTED:
        return NoPlanError("interrupted before there was a feasible plan")
    return NoPlanError(
        f"no feasible plan within the time limit of {options.time_limit_s:g} s; "
        "give more time or take engine 'heuristic'"
    )
