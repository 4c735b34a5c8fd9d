"""The relaxation, exact, on HiGHS: a bound, an ideal and the prices, not a plan to run."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

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
    answer = minimise(program, options, on_progress, stage="lp", time_limit_s=clock.left_s(), settings=method(program))
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
        log=answer.log,
        history=answer.history,
    )


def method(program: LinearProgram) -> dict[str, str]:
    """Choose HiGHS's method: interior point where rigid jobs have thousands of possible starts.

    Measured: on a province's week with 56 jobs the interior point and its crossover took 13 s of processor time, and
    the dual simplex had not finished after 14; on 200 elastic jobs the simplex took 9 s.
    """
    return {"solver": "ipm"} if program.columns["s"].size > MANY_STARTS else {}


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
