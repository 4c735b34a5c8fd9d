"""Improvement: best response at prices whose ramps are wide at first and tighten towards the hard limits.

While the ramps are wide, limits may be exceeded by as much, at a price that passes through the dual price at the
limit: jobs can trade places that a hard wall would keep them from. After each sweep the prices at the limits move to
what the load makes of them, so that the excess fades while the ramps are still wide; then they close, and what is left
of the excess is relieved. This is a method of multipliers, one job at a time. Rigid jobs keep wider ramps than the
others: they can't be split, so the others have to make way.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import numpy as np

from provgrid_optimizer.heuristic.board import TIGHTEST, Board
from provgrid_optimizer.heuristic.construct import SERVICE_STEPS, job_order, with_value
from provgrid_optimizer.heuristic.cost import objective_yuan
from provgrid_optimizer.heuristic.kernels.respond import enter_jobs
from provgrid_optimizer.heuristic.kernels.shift import respond_services
from provgrid_optimizer.heuristic.pricing import pricing
from provgrid_optimizer.heuristic.squeeze import squeeze_in
from provgrid_optimizer.heuristic.state import State, copy_state, empty_state

if TYPE_CHECKING:
    from collections.abc import Callable

    from provgrid_models.problem import Floats, Ints, Problem
    from provgrid_optimizer.heuristic.arrays import Arrays
    from provgrid_optimizer.lagrangian import Pass
    from provgrid_optimizer.multipliers import Multipliers

WIDEST, WIDE = 1.5, 0.25  # shares of a limit
GANG_RAMP = 12.0  # how much wider ramps are for rigid jobs, up to WIDE
JOBS_PER_SHIFT = 8_000  # services look again after so many jobs
MOST_SWEEPS, LEAST_SWEEPS = 40, 8
SWEEPS_TIMES_JOBS = 250_000  # more jobs need fewer sweeps: each is smaller against the limits
SWEEPS_TIMES_PAIRS, LEAST_FOR_PAIRS = 25_000_000, 8  # services times pools times periods: they are a sweep's other work
HARD_SWEEPS = 3


def ramps(count: int) -> Floats:
    """How wide the ramps are in each soft sweep, shape (count,): open, stay wide, close."""
    opening, closing = max(count // 5, 1), max(2 * count // 5, 1)
    wide = np.full(max(count - opening - closing, 0), WIDE)
    closed = np.geomspace(WIDE, TIGHTEST, closing + 1)[1:]
    return np.concatenate([np.geomspace(WIDEST, WIDE, opening), wide, closed])[-count:]


class Improvement:
    """Anneals a plan in sweeps over all jobs and services. `best` is the best feasible plan so far."""

    def __init__(
        self,
        problem: Problem,
        laid_out: Arrays,
        prices: Multipliers,
        made: Pass,
        start: State,
        seed: int,
        passes: int | None = None,
    ) -> None:
        self.problem = problem
        self.best = start
        self.best_yuan = objective_yuan(problem, start)
        self.sweeps = 0
        self.hurried = False  # sweeps were left out, for want of time
        self._prices, self._made = prices, made
        self._arrays = with_value(problem, laid_out, of_verticals=False)
        worth = with_value(problem, laid_out, of_verticals=True)
        self._random = np.random.default_rng(seed)
        count = int(np.clip(SWEEPS_TIMES_JOBS // max(problem.n_jobs, 1), LEAST_SWEEPS, MOST_SWEEPS))
        pairs = problem.service_rate.size * problem.n_periods
        count = min(count, max(SWEEPS_TIMES_PAIRS // max(pairs, 1), LEAST_FOR_PAIRS))
        self._ramps = ramps(count if passes is None else min(count, max(passes - HARD_SWEEPS, 1)))
        self._sweep_s = 0.0
        board = Board(problem, worth, pricing(problem, laid_out, prices, made.offered), empty_state(problem))
        board.set_ramp(WIDEST, soft=True)
        order = job_order(problem, -problem.work_pflop_h)
        enter_jobs(worth, board.state, board.curves, order, made.job_pool, board.space)
        services: Ints = np.arange(problem.n_services)
        respond_services(self._arrays, board.state, board.curves, SERVICE_STEPS, services)
        self._board = board

    @property
    def ended(self) -> bool:
        """Whether all sweeps are done."""
        return self.sweeps >= self._ramps.size + HARD_SWEEPS

    def hurry(self, left_s: float) -> None:
        """Leave sweeps out, evenly, so that those that remain fit the time."""
        remaining = self._ramps.size - self.sweeps
        if self._sweep_s <= 0.0 or remaining <= 1:
            return
        fitting = int(left_s / self._sweep_s) - 2
        if fitting < remaining:
            self.hurried = True
            chosen = np.linspace(self._ramps.size - 1, self.sweeps, max(fitting, 1)).round().astype(np.int64)[::-1]
            self._ramps = np.concatenate([self._ramps[: self.sweeps], self._ramps[chosen]])

    def sweep(self, stop: Callable[[], bool]) -> None:
        """One pass of best responses; `stop` is asked now and then, and ends the annealing at once."""
        started = time.perf_counter()
        board, soft = self._board, self.sweeps < self._ramps.size
        board.set_ramp(self._ramps[self.sweeps] if soft else TIGHTEST, soft=soft)
        if self.sweeps > 0 and board.state.stretch[0] > 0.0:
            board.reanchor()
        if self.sweeps == self._ramps.size:
            board.harden()
        stopped = self._respond(stop)
        board.arrays = self._arrays
        self.sweeps += 1
        self._sweep_s = time.perf_counter() - started
        if stopped and soft:
            board.set_ramp(TIGHTEST, soft=False)
            board.harden()
            self.sweeps = self._ramps.size + HARD_SWEEPS
        elif not (stopped or soft or self.ended):
            squeeze_in(board, self._prices, self._made, stop)
        if stopped or not soft:
            self._compare()

    def _respond(self, stop: Callable[[], bool]) -> bool:
        """Let gangs, then services and divisible jobs in turn, move to where they are cheapest; whether stopped."""
        order = job_order(self.problem, self._random.random(self.problem.n_jobs))
        gangs, order = order[self.problem.rigid[order]], order[~self.problem.rigid[order]]
        self._respond_gangs(gangs)
        for at in range(0, max(order.size, 1), JOBS_PER_SHIFT):
            self._board.shift(self._random.permutation(self.problem.n_services))
            self._board.respond(order[at : at + JOBS_PER_SHIFT])
            if stop():
                return True
        return False

    def _respond_gangs(self, order: Ints) -> None:
        soft = self.sweeps < self._ramps.size
        ramp = self._ramps[self.sweeps] if soft else TIGHTEST
        if soft:
            self._board.set_ramp(max(ramp, min(GANG_RAMP * ramp, WIDE)), soft=True)
        self._board.respond(order)
        self._board.set_ramp(ramp, soft=soft)

    def _compare(self) -> None:
        """Keep the plan if it is feasible and better."""
        yuan = self._board.yuan()
        if yuan < self.best_yuan:
            self.best_yuan = yuan
            self.best = copy_state(self._board.state)
