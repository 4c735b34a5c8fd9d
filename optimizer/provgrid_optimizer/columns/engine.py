"""The relaxation by columns: solve it on those that prices let matter, price the others at its duals, repeat.

The first prices are those of the heuristic's ascent, which are within a few hundredths of a per cent of the optimum,
so the first choice holds nearly all that the optimum uses. An hour far below a job's marginal price is part of its
column z and one far above it is left out: only hours near that price have columns of their own. The rows n <= max z
come where they are broken. When nothing is broken and the bound at the program's own duals meets its cost, both are
the optimum of the whole. Each program is a relaxation of the whole in its rows and a restriction of it in its columns.
"""

from __future__ import annotations

import logging
import math
import time
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from provgrid_models.errors import InfeasibleError, InterruptedBeforePlanError, NoPlanError
from provgrid_optimizer.certificate import gap
from provgrid_optimizer.columns.carry import Carried
from provgrid_optimizer.columns.choice import Choice, broken_limits
from provgrid_optimizer.columns.pricing import Pricing
from provgrid_optimizer.columns.repair import filled, repaired
from provgrid_optimizer.engine import EngineResult, Status
from provgrid_optimizer.engines.clash import infeasible
from provgrid_optimizer.engines.clock import Clock
from provgrid_optimizer.engines.method import FEW_COLUMNS, MANY_STARTS, tied_hours
from provgrid_optimizer.engines.policies import place_by_rule
from provgrid_optimizer.evaluate import costs
from provgrid_optimizer.heuristic.arrays import arrays
from provgrid_optimizer.heuristic.construct import missing
from provgrid_optimizer.heuristic.engine import heuristic
from provgrid_optimizer.heuristic.prices import dual_prices
from provgrid_optimizer.heuristic.state import to_allocation
from provgrid_optimizer.highs import Ending, minimise
from provgrid_optimizer.lagrangian import bound
from provgrid_optimizer.matrix import assemble, multipliers
from provgrid_optimizer.options import Progress, ignore_progress

if TYPE_CHECKING:
    from collections.abc import Mapping

    from provgrid_models.problem import Floats, Ints, Problem
    from provgrid_optimizer.allocation import Allocation
    from provgrid_optimizer.columns.pricing import Priced
    from provgrid_optimizer.highs import Answer, Basis
    from provgrid_optimizer.matrix import LinearProgram
    from provgrid_optimizer.matrix.selection import Selection
    from provgrid_optimizer.multipliers import Multipliers
    from provgrid_optimizer.options import OnProgress, SolveOptions

log = logging.getLogger(__name__)
FIRST_WIDTH, WIDTH = 0.02, 0.01  # how much dearer than the best, at the first prices and later, a column may be
NARROW = 0.005  # the same where there are many jobs: each errs by as much, together by far less
LIMIT_SLACK = 1e-7  # share of max by which n may exceed max z: the solver's own tolerance
KNOWN = 0.02  # how far below the best price so far that of a program still says something
EXACT = 1e-9  # gap at which the optimum counts as proven
NEARLY = 1e-6  # gap that counts as the optimum where nothing is left to add
MOSTLY_TIED = 0.8  # share of hours whose tariff another hour has too, above which simplex steps go nowhere
LARGE = 150_000  # columns, beyond which no simplex method ends in good time
MOST_STEPS = 10  # simplex steps a row, after which the interior point has a go
ALMOST, SPLIT = 1e-5, 1e-6  # that gap near the end; share of a job that is a part of it
LOOSEST, TIGHTEST = 1e-5, 1e-8  # relative, of an interior point that is not the last
TIGHTER = 1e-3  # of the gap between the last program's cost and the bound
FILL_NEAR = 5e-4  # gap between a program's cost and the bound from which on what was cut of its plan is placed again
FILL_FAR, FILL_FACTOR = 1e-4, 3.0  # gap of the best plan above which that pays, by itself and against the former
HURRY = 2.5  # solves like the last one that must fit into the time that is left, or it is placed now
FIRST_RULES = ("cheapest", "overflow")
PRICE_SHARE = 0.35  # of the time limit, at most, goes into the first prices and plan
MANY_JOB_PERIODS = 500_000  # jobs times periods, beyond which the heuristic's plan comes first


def by_columns(problem: Problem, options: SolveOptions, on_progress: OnProgress) -> EngineResult:
    """Solve the relaxation by columns. Stopped early it returns its best plan, divisible, and its best bound.

    Raises
    ------
    InfeasibleError : hard work cannot be served.
    NoPlanError : stopped before there was a plan.
    SolverError : HiGHS failed, or its point did not pass the check.
    """
    from provgrid_optimizer.columns.warm import warm_up

    Clock(options).left_s()
    started = time.perf_counter()
    warm_up()
    return _Run(problem, options, on_progress, time.perf_counter() - started).solve()


class _Run:
    """One solve: its clock, its best plan and its best bound."""

    def __init__(self, problem: Problem, options: SolveOptions, on_progress: OnProgress, compile_s: float) -> None:
        self.problem = problem
        self.options = options
        self.on_progress = on_progress
        self.compile_s = compile_s
        self.started = time.perf_counter()
        self.plan: Allocation | None = None
        self.objective = math.inf
        self.prices: Multipliers | None = None
        self.bound = -math.inf  # that `prices` prove
        self.signed_bound = -math.inf  # that prices below 0 prove with them, where power is worth less than nothing
        self.many_jobs = problem.n_jobs * problem.n_periods > MANY_JOB_PERIODS
        self.rounds = 0
        self.tolerance = LOOSEST  # of the interior point
        self.last_s = 0.0  # that HiGHS took the last time
        self.lines: list[str] = []
        self.history: list[tuple[float, float, float]] = []

    @property
    def elapsed(self) -> float:
        return time.perf_counter() - self.started

    @property
    def best_bound(self) -> float:
        return max(self.bound, self.signed_bound)

    def left_s(self) -> float | None:
        limit = self.options.time_limit_s
        return None if limit is None else limit - self.elapsed

    def say(self, text: str) -> None:
        self.lines.append(f"{self.elapsed:8.2f} s  {text}\n")
        log.info(text)

    def report(self, stage: str) -> None:
        objective = self.objective if math.isfinite(self.objective) else math.nan
        bound = self.best_bound if math.isfinite(self.best_bound) else math.nan
        if not self.history or self.history[-1][1:] != (objective, bound):
            self.history.append((self.elapsed, objective, bound))
        self.on_progress(Progress(self.elapsed, stage, objective, bound, self.rounds))

    def solve(self) -> EngineResult:
        try:
            status = self._solve()
        except KeyboardInterrupt:
            status = Status.INTERRUPTED
        if self.plan is None:
            if status is Status.INTERRUPTED:
                raise InterruptedBeforePlanError("interrupted before there was a feasible plan; give it longer")
            raise NoPlanError(
                f"no feasible plan within the time limit of {self.options.time_limit_s:g} s; "
                "give more time or take engine 'heuristic'"
            )
        return EngineResult(
            status=status,
            allocation=self.plan,
            multipliers=self.prices,
            bound_yuan=self.best_bound,
            bound_method="lp",
            compile_s=self.compile_s,
            log="".join(self.lines),
            history=tuple(self.history),
        )

    def _solve(self) -> Status:
        prices = self._start()
        if prices is None:
            return Status.INTERRUPTED
        choice = Choice(self.problem)
        pricing = Pricing(self.problem, arrays(self.problem), choice.served, self.options.threads)
        first, later = (NARROW, NARROW) if self.many_jobs else (FIRST_WIDTH, WIDTH)
        priced = pricing.at(prices, first)
        self._offer_bound(prices, priced)
        choice.admit(priced, first)
        carried, status = None, None
        while status is None:
            left_s = self.left_s()
            if left_s is not None and left_s <= 0:
                return Status.TIME_LIMIT
            selection = choice.selection()
            program = assemble(self.problem, divisible=True, selection=selection)
            answer = self._minimise(program, "lp by columns", None if carried is None else carried.to(choice, program))
            if answer.ending is Ending.INFEASIBLE:
                raise infeasible(self.problem, self.options, divisible=True)
            if answer.row_duals is None or answer.x is None:
                return Status.INTERRUPTED if answer.ending is Ending.INTERRUPTED else Status.TIME_LIMIT
            carried = None if answer.basis is None else Carried.of(choice, program, answer.basis)
            plan, broken = self._offer_plan(program, selection, answer.x)
            prices = _program_prices(self.problem, program, answer.row_duals)
            priced = pricing.at(prices, later)
            self._offer_bound(prices, priced)
            if answer.ending is Ending.INTERRUPTED:
                return Status.INTERRUPTED
            added = choice.admit(priced, later)
            near = gap(answer.objective_yuan, self.best_bound)
            choice.limit(self._rows_to_add(plan, broken, near))
            self.tolerance = min(max(TIGHTER * near, TIGHTEST), LOOSEST)
            self._say_round(program, answer.objective_yuan, added, broken.size)
            if carried is None and broken.size and self._filling_pays(near):
                self._fill(plan)
            status = self._ended(added, broken.size)
        if status is Status.OPTIMAL:
            # The program's own where they prove as much: a vertex's, and of either sign before they are cut off.
            proven = prices if self.signed_bound >= self.bound else self.prices
            self.prices = replace(_cut_off(proven or prices), basis="lp")
        self.report("lp by columns")
        return status

    def _minimise(self, program: LinearProgram, stage: str, basis: Basis | None = None) -> Answer:
        """Solve a program in the time that is left; an interior point proves as much as a vertex: no crossover."""
        started = time.perf_counter()
        answer: Answer | None = None
        if not _prefers_interior(self.problem, program):
            answer = self._run(program, stage, {"simplex_iteration_limit": MOST_STEPS * program.n_rows}, basis)
        if answer is None or answer.ending is Ending.ITERATION_LIMIT:
            interior = {"solver": "ipm", "run_crossover": "off", "ipm_optimality_tolerance": self.tolerance}
            answer = self._run(program, stage, interior)
            answer = replace(answer, basis=None)  # HiGHS has one, and it is no vertex
        self.last_s = time.perf_counter() - started
        return answer

    def _run(
        self, program: LinearProgram, stage: str, settings: Mapping[str, Any], basis: Basis | None = None
    ) -> Answer:
        left_s = self.left_s()
        answer = minimise(
            program,
            self.options,
            self._listen,
            stage=stage,
            time_limit_s=None if left_s is None else max(left_s, 0.0),
            settings=settings,
            basis=basis,
        )
        self.lines.append(answer.log)
        return answer

    def _say_round(self, program: LinearProgram, cost_yuan: float, added: int, broken: int) -> None:
        self.rounds += 1
        self.say(
            f"round {self.rounds}: {program.n_columns:,} columns, {program.n_rows:,} rows, cost {cost_yuan:.9g}, "
            f"bound {self.best_bound:.9g}, best plan {self.objective:.9g} yuan, {added:,} columns to add, "
            f"{broken:,} jobs above their share"
        )

    def _listen(self, progress: Progress) -> None:
        """Pass on that HiGHS is at work: what it knows of objective and bound is of one program only."""
        self.report(progress.stage)

    def _start(self) -> Multipliers | None:
        """Return the first prices, None if Ctrl-C came; a first plan is offered on the way.

        A small problem makes do with the plans of simple rules, which stand in until a program is solved. In a large
        one that may take minutes: the heuristic's plan and prices come first.
        """
        problem, limit_s = self.problem, self.options.time_limit_s
        options = replace(self.options, time_limit_s=None if limit_s is None else PRICE_SHARE * limit_s, gap=None)
        if self.many_jobs:
            try:
                found = heuristic(problem, options, self.on_progress)
            except NoPlanError:
                self.say("the heuristic has no plan to start from")
            else:
                self._offer(replace(found.allocation, divisible=True))
                self.prices = found.multipliers
                return None if found.status is Status.INTERRUPTED else found.multipliers
        laid_out = arrays(problem)
        for name in FIRST_RULES:
            state = place_by_rule(name, problem, laid_out)
            if not missing(problem, state):
                self._offer(replace(to_allocation(problem, state), divisible=True))
        return dual_prices(problem, options, self.on_progress)

    def _offer(self, plan: Allocation) -> None:
        """Keep a plan if it is the best so far."""
        yuan = costs(self.problem, plan).objective_yuan
        if yuan < self.objective:
            self.plan, self.objective = plan, yuan
            self.report("plan")

    def _offer_plan(self, program: LinearProgram, selection: Selection, x: Floats) -> tuple[Allocation, Ints]:
        """Offer what a program's point says; return it, and the jobs that run above their share."""
        share, run = x[program.columns["z"].slice], x[program.columns["n"].slice]
        broken = broken_limits(self.problem, selection, share, run, LIMIT_SLACK)
        plan = repaired(self.problem, program, selection, x)
        self._offer(plan)
        return plan, np.unique(selection.pairs.job[broken])

    def _rows_to_add(self, plan: Allocation, broken: Ints, near: float) -> Ints:
        """Jobs whose rows n <= max z come in: those that broke one, and near the end all that could: the split ones."""
        if near > ALMOST or broken.size == 0:
            return broken
        split = (plan.share > SPLIT) & (plan.share < 1.0 - SPLIT)
        return np.union1d(broken, plan.job[split])

    def _filling_pays(self, near: float) -> bool:
        """Whether the best plan is far from the bound, and the program is near it or time is running out."""
        left_s = self.left_s()
        hurried = left_s is not None and left_s < HURRY * self.last_s
        return gap(self.objective, self.best_bound) > max(FILL_FAR, FILL_FACTOR * near) and (
            hurried or near <= FILL_NEAR
        )

    def _fill(self, plan: Allocation) -> None:
        """Offer the plan with what was cut of it placed again."""
        left_s = self.left_s()
        options = replace(self.options, time_limit_s=None if left_s is None else max(left_s, 0.0), gap=None)
        try:
            whole = filled(self.problem, plan, options, ignore_progress)
        except (InfeasibleError, NoPlanError) as error:
            self.say(f"what was cut finds no place: {error}")
        else:
            self._offer(whole)
            self.say(f"what was cut is placed again: best plan {self.objective:.9g} yuan")

    def _offer_bound(self, prices: Multipliers, priced: Priced) -> None:
        """Keep prices if they prove the best bound so far."""
        total = priced.made.bound.total_yuan
        self.signed_bound = max(self.signed_bound, total)
        cut_off = _cut_off(prices)
        if self.prices is None or total > self.bound:
            self._offer_prices(cut_off, None if (prices.accelerator < 0.0).any() else total)
        elif total < self.bound:
            # Far below the best prices, a program's are those of hours that it knows too few columns for.
            known = self.prices.accelerator
            unknown = cut_off.accelerator < (1.0 - KNOWN) * known
            self._offer_prices(replace(cut_off, accelerator=np.where(unknown, known, cut_off.accelerator)))

    def _offer_prices(self, prices: Multipliers, total: float | None = None) -> None:
        """Keep prices of at least 0 if they prove the best bound so far, `total` where it is known."""
        total = bound(self.problem, prices, self.options.threads).total_yuan if total is None else total
        if self.prices is None or total > self.bound:
            self.prices, self.bound = prices, total

    def _ended(self, added: int, broken: int) -> Status | None:
        """Why to stop, or None."""
        left = gap(self.objective, self.best_bound)
        if not broken and left <= (NEARLY if added == 0 else EXACT):
            return Status.OPTIMAL
        if self.options.gap is not None and left <= self.options.gap:
            return Status.GAP_REACHED
        return Status.FINISHED if not broken and added == 0 else None


def _prefers_interior(problem: Problem, program: LinearProgram) -> bool:
    """Whether an interior point is better than simplex steps from the last basis: where prices tie, or many choose."""
    tied = tied_hours(problem) > MOSTLY_TIED and program.n_columns > FEW_COLUMNS
    return tied or program.n_columns > LARGE or program.columns["s"].size > MANY_STARTS


def _program_prices(problem: Problem, program: LinearProgram, row_duals: Floats) -> Multipliers:
    """Prices at the duals of a program, each accelerator's raised as far as the program's own bound allows.

    Where a pool is idle, its price may be anything up to what its power costs; where it is shut, anything at all. The
    duals say the least of it, because the program knows too few columns there: the highest price keeps others out.
    """
    prices = multipliers(problem, program, row_duals, "dual", signed=True)
    power = row_duals[program.rows["balance"].slice].reshape(problem.floor_kw.shape) / problem.hours
    raised = np.maximum(prices.accelerator, problem.kw_per_accelerator * power[problem.pool_cluster])
    dearest = np.broadcast_to(raised.max(axis=1, keepdims=True), raised.shape)
    return replace(prices, accelerator=np.where(problem.capacity > 0.0, raised, dearest))


def _cut_off(prices: Multipliers) -> Multipliers:
    """Prices below 0 at 0: what is saved with a plan proves a bound by prices of at least 0."""
    return replace(prices, accelerator=np.maximum(prices.accelerator, 0.0))
