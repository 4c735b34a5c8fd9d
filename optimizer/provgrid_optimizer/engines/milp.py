"""The indivisible problem, exact, on HiGHS: for small problems, and to hold other engines against."""

from __future__ import annotations

import logging
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from provgrid_models.errors import InfeasibleError, NoPlanError
from provgrid_optimizer.engine import EngineResult, Status
from provgrid_optimizer.engines.clash import infeasible
from provgrid_optimizer.engines.clock import Clock
from provgrid_optimizer.engines.lp import STATUS, n_columns, no_plan
from provgrid_optimizer.engines.method import method
from provgrid_optimizer.evaluate import costs
from provgrid_optimizer.heuristic.engine import heuristic
from provgrid_optimizer.highs import Answer, Ending, minimise
from provgrid_optimizer.matrix import assemble, multipliers, point, unpack

if TYPE_CHECKING:
    from collections.abc import Mapping

    from provgrid_models.problem import Floats, Problem
    from provgrid_optimizer.allocation import Allocation
    from provgrid_optimizer.matrix import LinearProgram
    from provgrid_optimizer.multipliers import Multipliers
    from provgrid_optimizer.options import OnProgress, SolveOptions


log = logging.getLogger(__name__)
START_FROM = 2_000  # columns, from which on the heuristic's plan is worth its time
START_SHARE = 0.3  # of the time limit that the heuristic may take


def milp(problem: Problem, options: SolveOptions, on_progress: OnProgress) -> EngineResult:
    """Solve with whole placements and starts, to the gap asked for or to the end.

    A larger problem starts with the heuristic's plan: the end, where that is within the gap asked for; a first plan and
    cut-off for the tree; and what is returned where the tree finds nothing better in time. The prices are those of the
    relaxation: no others prove a better bound by prices alone. The tree's own bound goes beside them.

    Raises as `lp.lp` does, and `NoPlanError` only where the heuristic has no plan either.
    """
    clock = Clock(options)
    start = _start(problem, options, on_progress, clock)
    if start is not None and start.status in (Status.GAP_REACHED, Status.INTERRUPTED):
        return start
    try:
        return _solve(problem, options, on_progress, clock, start)
    except _StoppedError as stopped:
        if start is None:
            raise no_plan(stopped.answer, options) from None
        return replace(
            start,
            status=STATUS[stopped.answer.ending],
            multipliers=stopped.multipliers or start.multipliers,
            bound_yuan=stopped.bound_yuan,
            log=start.log + stopped.answer.log,
        )


class _StoppedError(Exception):
    """HiGHS was stopped before it had a plan; `multipliers` and `bound_yuan` are what was proven by then."""

    def __init__(self, answer: Answer, multipliers: Multipliers | None = None, bound_yuan: float = -np.inf) -> None:
        super().__init__(answer.ending)
        self.answer = answer
        self.multipliers = multipliers
        self.bound_yuan = bound_yuan


def _start(problem: Problem, options: SolveOptions, on_progress: OnProgress, clock: Clock) -> EngineResult | None:
    """Return the heuristic's plan, or None where it has none or the problem is small."""
    left_s = clock.left_s()
    if n_columns(problem) < START_FROM:
        return None
    limit_s = None if left_s is None else START_SHARE * left_s
    try:
        return heuristic(problem, replace(options, time_limit_s=limit_s, passes=None), on_progress)
    except (NoPlanError, InfeasibleError) as error:
        log.info("the heuristic has no plan to start from: %s", error)
        return None


def _solve(
    problem: Problem, options: SolveOptions, on_progress: OnProgress, clock: Clock, start: EngineResult | None
) -> EngineResult:
    """Relaxation, then tree. Raises `_StoppedError` where the tree has no plan in time."""
    relaxed_program = assemble(problem, divisible=True)
    chosen = method(problem, relaxed_program)
    relaxed = _limited(relaxed_program, options, on_progress, clock, stage="relaxation", settings=chosen)
    if relaxed.ending is Ending.INFEASIBLE:
        raise infeasible(problem, options, divisible=True)
    if relaxed.row_duals is None:
        raise _StoppedError(relaxed)
    prices = multipliers(problem, relaxed_program, relaxed.row_duals, "lp")
    if relaxed.ending is Ending.INTERRUPTED:
        raise _StoppedError(relaxed, prices, relaxed.bound_yuan)
    program = assemble(problem, divisible=False)
    first = None if start is None else point(problem, program, start.allocation)
    settings = {"mip_rel_gap": options.gap or 0.0, "mip_abs_gap": 0.0}
    answer = _limited(program, options, on_progress, clock, stage="milp", settings=settings, start=first)
    if answer.ending is Ending.INFEASIBLE:
        raise infeasible(problem, options, divisible=False)
    if answer.x is None:
        raise _StoppedError(answer, prices, max(answer.bound_yuan, relaxed.bound_yuan))
    made_whole = _made_whole(program, answer.x, options, on_progress)
    x = answer.x if made_whole.x is None else made_whole.x
    found = unpack(problem, program, x, divisible=False)
    return EngineResult(
        status=Status.INTERRUPTED if made_whole.ending is Ending.INTERRUPTED else _status(answer, options),
        allocation=found if start is None else _cheaper(problem, found, start.allocation),
        multipliers=prices,
        bound_yuan=max(answer.bound_yuan, relaxed.bound_yuan),
        compile_s=0.0 if start is None else start.compile_s,
        log=relaxed.log + answer.log,
        history=answer.history,
    )


def _limited(
    program: LinearProgram,
    options: SolveOptions,
    on_progress: OnProgress,
    clock: Clock,
    *,
    stage: str,
    settings: Mapping[str, float | str],
    start: Floats | None = None,
) -> Answer:
    """Solve in the time that is left; without any, the answer is that time is over."""
    try:
        left_s = clock.left_s()
    except NoPlanError:
        return Answer(ending=Ending.TIME_LIMIT)
    return minimise(program, options, on_progress, stage=stage, time_limit_s=left_s, settings=settings, start=start)


def _cheaper(problem: Problem, one: Allocation, other: Allocation) -> Allocation:
    return min(one, other, key=lambda plan: costs(problem, plan).objective_yuan)


def _made_whole(program: LinearProgram, x: Floats, options: SolveOptions, on_progress: OnProgress) -> Answer:
    """Solve again with the whole numbers rounded and fixed: HiGHS lets them be off by 1e-6, a plan does not.

    Where the rounded numbers leave no room (by less than that tolerance), there is no point: the first one stands.
    """
    whole = np.round(x)
    fixed = replace(
        program,
        column_lower=np.where(program.integer, whole, program.column_lower),
        column_upper=np.where(program.integer, whole, program.column_upper),
        integer=np.zeros(program.n_columns, dtype=np.bool_),
    )
    return minimise(fixed, options, on_progress, stage="whole numbers fixed")


def _status(answer: Answer, options: SolveOptions) -> Status:
    """Optimal within a gap that was asked for counts as that gap reached."""
    left = answer.objective_yuan - answer.bound_yuan
    if answer.ending is Ending.OPTIMAL and options.gap and left > 1e-9 * max(1.0, abs(answer.objective_yuan)):
        return Status.GAP_REACHED
    return STATUS[answer.ending]
