"""The heuristic engine: prices, a plan built and improved at those prices, and the bound that they prove."""

from __future__ import annotations

import math
import time
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from provgrid_models.errors import ASK_WHY, InfeasibleError, NoPlanError
from provgrid_models.reasons import REASON_TEXT, Reason
from provgrid_optimizer.certificate import gap
from provgrid_optimizer.engine import EngineResult, Status
from provgrid_optimizer.engines.policies import place_by_rule
from provgrid_optimizer.heuristic.arrays import Arrays, arrays
from provgrid_optimizer.heuristic.construct import construct, missing
from provgrid_optimizer.heuristic.cost import objective_yuan
from provgrid_optimizer.heuristic.improve import Improvement
from provgrid_optimizer.heuristic.prices import Ascent, energy_prices, find_prices
from provgrid_optimizer.heuristic.settle import settle
from provgrid_optimizer.heuristic.state import State, to_allocation
from provgrid_optimizer.options import Progress

if TYPE_CHECKING:
    from provgrid_models.problem import Problem
    from provgrid_optimizer.allocation import Allocation
    from provgrid_optimizer.multipliers import Multipliers
    from provgrid_optimizer.options import OnProgress, SolveOptions

REPORT_EVERY_S = 0.5
FIRST_RULES = ("cheapest", "overflow")  # whose plans are there before any price is known
ONE_RULE = 100_000  # more jobs than this make do with the first of them
PRICE_SHARE = 0.35  # of the time that those plans leave, at most, goes into prices
JOBS_AT_ONCE = 4096


def heuristic(problem: Problem, options: SolveOptions, on_progress: OnProgress) -> EngineResult:
    """Indivisible plan with prices that prove how good it is.

    Raises
    ------
    NoPlanError : stopped before there was a plan, or hard work that found no place though each could have one.
    InfeasibleError : hard work that no pool is open to, or a floor above its supply.
    """
    if options.time_limit_s == 0.0:
        raise NoPlanError("the time limit of 0 s leaves no time for a plan; give at least a second")
    compile_s = _compile()
    return _Run(problem, options, on_progress, compile_s).solve()


def _compile() -> float:
    """Compile (or load from the cache) every kernel on a tiny problem; returns seconds."""
    from provgrid_optimizer.heuristic.warm import warm_up

    started = time.perf_counter()
    warm_up()
    return time.perf_counter() - started


class _Run:
    """One solve: its clock, its best plan and its best bound."""

    def __init__(self, problem: Problem, options: SolveOptions, on_progress: OnProgress, compile_s: float) -> None:
        self.problem = problem
        self.options = options
        self.on_progress = on_progress
        self.compile_s = compile_s
        self.started = self.reported = time.perf_counter()
        self.plan: State | None = None
        self.objective = math.nan
        self.ascent: Ascent | None = None
        self.passes = 0
        self.history: list[tuple[float, float, float]] = []

    @property
    def elapsed(self) -> float:
        return time.perf_counter() - self.started

    @property
    def bound(self) -> float:
        return -math.inf if self.ascent is None else self.ascent.bound_yuan

    def report(self, stage: str, improved: bool = False) -> None:
        if improved:
            self.history.append((self.elapsed, self.objective, self.bound))
        now = time.perf_counter()
        if now - self.reported >= REPORT_EVERY_S:
            self.reported = now
            self.on_progress(Progress(self.elapsed, stage, self.objective, self.bound, self.passes))

    def out_of_time(self) -> bool:
        limit = self.options.time_limit_s
        return limit is not None and self.elapsed >= limit

    def close_enough(self) -> bool:
        return (
            self.options.gap is not None
            and self.plan is not None
            and gap(self.objective, self.bound) <= self.options.gap
        )

    def solve(self) -> EngineResult:
        try:
            status = self._solve()
        except KeyboardInterrupt:
            if self.plan is None:
                raise
            status = Status.INTERRUPTED
        if self.plan is None:
            raise NoPlanError("stopped before there was a plan; give more time")
        allocation = to_allocation(self.problem, self.plan)
        prices = energy_prices(self.problem) if self.ascent is None else self.ascent.prices
        if status is Status.FINISHED:
            try:
                allocation = self._settled(allocation, prices)
            except KeyboardInterrupt:
                status = Status.INTERRUPTED
        return EngineResult(
            status=status,
            allocation=allocation,
            multipliers=prices,
            passes=self.passes,
            compile_s=self.compile_s,
            log="",
            history=tuple(self.history),
        )

    def _solve(self) -> Status:
        _check_hard(self.problem)
        laid_out = arrays(self.problem)
        self._start_by_rule(laid_out)
        self._find_prices(laid_out)
        return self._find_plan(laid_out)

    def _start_by_rule(self, laid_out: Arrays) -> None:
        """Take the best plan of simple rules: there early, and never undercut by what comes later."""
        for name in FIRST_RULES[: 1 if self.problem.n_jobs > ONE_RULE else None]:
            state = place_by_rule(name, self.problem, laid_out)
            if not missing(self.problem, state):
                self._offer(state, objective_yuan(self.problem, state))

    def _offer(self, state: State, yuan: float) -> None:
        """Keep a plan if it is the best so far."""
        if math.isfinite(yuan) and (self.plan is None or yuan < self.objective):
            self.plan, self.objective = state, yuan
            self.report("plan", improved=True)

    def _find_prices(self, laid_out: Arrays) -> None:
        before_s, limit_s = self.elapsed, self.options.time_limit_s
        share_s = math.inf if limit_s is None else PRICE_SHARE * (limit_s - before_s)

        def stop(ascent: Ascent, whole: bool) -> bool:
            if whole:
                self.ascent = ascent
                known = self.history[-1][2] if self.history else -math.inf
                self.report("prices", improved=ascent.bound_yuan > known)
            else:
                self.report("prices of a sample")
            return self.elapsed - before_s >= (share_s if whole else 0.5 * share_s)

        self.ascent = find_prices(self.problem, laid_out, self.options.threads, stop)

    def _find_plan(self, laid_out: Arrays) -> Status:
        assert self.ascent is not None
        start = self.plan
        if start is None:  # the rules left hard work out
            start = construct(self.problem, laid_out, self.ascent.prices, self.ascent.best, self.options.seed)
        improvement = Improvement(
            self.problem, laid_out, self.ascent.prices, self.ascent.best, start, self.options.seed, self.options.passes
        )
        self._take(improvement)
        while True:
            if self.close_enough():
                return Status.GAP_REACHED
            if self.options.passes is not None and self.passes >= self.options.passes:
                return Status.PASSES_REACHED
            if self.out_of_time():
                return Status.TIME_LIMIT
            if improvement.ended:  # with fewer sweeps than it would have taken, the clock has ended it
                return Status.TIME_LIMIT if improvement.hurried else Status.FINISHED
            if self.options.time_limit_s is not None:
                improvement.hurry(self.options.time_limit_s - self.elapsed)
            improvement.sweep(self._look_up)
            self.passes += 1
            self._take(improvement)

    def _settled(self, allocation: Allocation, prices: Multipliers) -> Allocation:
        limit_s = self.options.time_limit_s
        left_s = None if limit_s is None else limit_s - self.elapsed
        options = replace(self.options, time_limit_s=left_s)
        found = settle(self.problem, allocation, prices, options, self.on_progress)
        if found is None:
            return allocation
        self.objective = found[1]
        self.report("plan", improved=True)
        return found[0]

    def _look_up(self) -> bool:
        """Report in the middle of a sweep, and say whether to stop."""
        self.report("plan")
        return self.out_of_time()

    def _take(self, improvement: Improvement) -> None:
        self._offer(improvement.best, improvement.best_yuan)
        self.report("plan")


def _check_hard(problem: Problem) -> None:
    """Raise `InfeasibleError` naming the first hard job or service that no pool is open to."""
    hard = np.flatnonzero(np.isinf(problem.unserved_yuan))
    for at in range(0, hard.size, JOBS_AT_ONCE):
        jobs = hard[at : at + JOBS_AT_ONCE]
        reasons = problem.reasons(jobs)
        closed = (reasons != 0).all(axis=1)
        if closed.any():
            j = int(np.argmax(closed))
            names = problem.labels.jobs
            why = REASON_TEXT[Reason(int(np.bincount(reasons[j]).argmax()))]
            raise InfeasibleError(
                f"hard job {names[jobs[j]] if names is not None else jobs[j]} has no open pool (mostly: {why}); "
                f"widen its window, open a pool, or let it be unserved{ASK_WHY}"
            )
    open_pair = (problem.service_rate > 0) & np.isfinite(problem.service_yuan)
    closed = np.isinf(problem.service_unserved_yuan) & ~open_pair.any(axis=1) & (problem.demand > 0).any(axis=1)
    if closed.any():
        s, names = int(np.argmax(closed)), problem.labels.services
        raise InfeasibleError(
            f"hard service {s if names is None else names[s]} has no open pool; loosen its SLO, open a pool, "
            f"or let it be unserved{ASK_WHY}"
        )
