"""The solve: prices of capacity and of tasks for the bound, and beams for the assignment.

Up to `WHOLE` tasks, beams over all agents in ever new orders; beyond, beams over parts of an annealed assignment.
"""

from __future__ import annotations

import math
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import cache
from typing import TYPE_CHECKING

import numpy as np

from provgrid_models.errors import InfeasibleError, NoPlanError
from provgrid_optimizer.assignment.audit import Multipliers, capacity_bound
from provgrid_optimizer.assignment.instance import lay_out
from provgrid_optimizer.assignment.kernels.beam import beam
from provgrid_optimizer.assignment.kernels.dual import capacity_prices, task_prices
from provgrid_optimizer.assignment.ordering import affinities, draw_order
from provgrid_optimizer.assignment.parts import Parts
from provgrid_optimizer.certificate import gap
from provgrid_optimizer.engine import Status
from provgrid_optimizer.options import SolveOptions

if TYPE_CHECKING:
    from provgrid_models.problem import Bools, Ints
    from provgrid_optimizer.assignment.instance import Instance

LANES = 2  # beams per pass, whatever the threads, so that the result does not depend on them
WHOLE = 250  # tasks up to which beams are over all agents
SETTLE = 15_000  # proposals per task of the annealing that a larger instance starts from
NARROW = 100  # states of a beam at least
SHORT = 20_000  # states times tasks of a beam at least
MEMORY = 1 << 28  # bytes that the states of a beam may take
ASCENT = 100  # steps on the task prices per pass
START_WORK = 1e9  # knapsack cells that the ascent may fill before the search has done any work
STATE_WORK = 100.0  # cells that it may fill later on for every task given away in a state
CHUNK = 10  # steps on the task prices at least
PATIENCE = 0.1  # share of a time limit that one beam may take


@dataclass
class Run:
    """A solve under way. Costs are minimised here."""

    instance: Instance
    options: SolveOptions
    started: float = field(default_factory=time.perf_counter)
    assignment: Ints | None = None
    objective: float = math.inf
    bound: float = -math.inf
    search_bound: float = -math.inf
    task_bound: float = -math.inf
    theta: float = 1.0
    credit: float = START_WORK
    state_s: float = 1e-6
    passes: int = 0
    halted: Bools = field(default_factory=lambda: np.zeros(1, dtype=np.bool_))
    status: Status | None = None

    def __post_init__(self) -> None:
        instance = self.instance
        cost = instance.cost
        is_open = np.isfinite(cost)
        spread = np.where(is_open, cost, -np.inf).max(axis=1) - cost.min(axis=1)
        unit = max(float(spread.mean()), 1e-9) / max(float(instance.usage[is_open].mean()), 1e-12)
        self.capacity_price, _ = capacity_prices(cost, instance.usage, instance.capacity, 0.1 * unit, 600)
        self.bound = self.rounded(capacity_bound(cost.T, instance.usage.T, instance.capacity, self.capacity_price))
        priced = cost + self.capacity_price * instance.usage
        self.task_price = priced.min(axis=1)
        self.home = priced.argmin(axis=1)
        reduced = priced - self.task_price[:, None]
        self.bond = affinities(reduced)
        self.parts = Parts.empty(instance, reduced, self.bond)
        self.draws = [np.random.default_rng([self.options.seed, lane]) for lane in range(LANES)]
        # Where nothing has been found, the ascent aims at a cost that would be no surprise.
        self.surprise = float(spread.mean()) * math.sqrt(cost.shape[0])
        self.largest = float(np.abs(cost[is_open]).max())

    def rounded(self, bound: float) -> float:
        """Return a proven bound, with whole costs the next whole number."""
        return float(math.ceil(bound - 1e-6)) if self.instance.whole and math.isfinite(bound) else bound

    def left_s(self) -> float:
        """Seconds until the time limit."""
        limit: float | None = self.options.time_limit_s
        return math.inf if limit is None else limit - (time.perf_counter() - self.started)

    def stop(self) -> Status | None:
        """Return why to stop now, or None."""
        bound = max(self.bound, self.search_bound)
        if self.assignment is not None:
            reached = gap(self.objective, bound)
            if self.objective <= bound + 1e-9 * max(1.0, abs(bound)):
                return Status.OPTIMAL
            if self.options.gap is not None and reached <= self.options.gap:
                return Status.GAP_REACHED
        if self.options.passes is not None and self.passes >= self.options.passes:
            return Status.PASSES_REACHED
        if self.left_s() <= 0:
            return Status.TIME_LIMIT
        return None

    def step(self) -> float:
        """Least improvement of the objective that counts."""
        return 1.0 if self.instance.whole else 5e-10 * max(1.0, abs(float(self.objective)))

    def rounding(self) -> float:
        """By how much rounding may raise the value of a state."""
        n = self.task_price.size
        size: float = n * self.largest + 2.0 * float(np.abs(self.task_price).sum())
        rounding: float = 1e-15 * n * size
        return rounding

    def halt(self) -> None:
        """Make the beams under way give up."""
        self.halted[0] = True

    def width(self) -> int:
        """States of the next beams: widths double ever more rarely, each getting the same time (Luby's sequence)."""
        n, m = self.instance.cost.shape
        width: int = max(NARROW, SHORT // n) * luby(self.passes + 1)
        width = min(width, max(1, MEMORY // (32 * m + 8 * n)))
        if self.options.time_limit_s is not None:
            seconds = min(PATIENCE * self.options.time_limit_s, max(self.left_s(), 0.0))
            width = max(1, min(width, int(seconds / (n * self.state_s))))
        return width


def solve(instance: Instance, options: SolveOptions) -> tuple[Run, Multipliers]:
    """Search until a stop of `options`, optimality, or Ctrl-C.

    Raises
    ------
    InfeasibleError : proven that no assignment keeps every capacity.
    NoPlanError : stopped before there was one.
    """
    run = Run(instance, options)
    # Set by the timer or by Ctrl-C, it makes beams under way give up.
    timer = threading.Timer(min(max(run.left_s(), 0.0), threading.TIMEOUT_MAX), run.halt)
    try:
        timer.start()
        with ThreadPoolExecutor(max_workers=min(LANES, options.threads)) as pool:
            _search(run, pool)
    except KeyboardInterrupt:
        run.status = Status.INTERRUPTED
    finally:
        timer.cancel()
    if run.assignment is None:
        raise NoPlanError(
            f"no assignment that keeps every capacity was found in {run.passes} passes, and none is proven impossible; "
            "raise the time limit or the capacities"
        )
    return run, Multipliers(run.capacity_price, run.task_price)


def _search(run: Run, pool: ThreadPoolExecutor) -> None:
    try:
        while run.status is None:
            whole = run.task_price.size <= WHOLE
            if whole:
                _pass(run, pool)
            if not whole or (run.assignment is None and run.passes > 2):
                _sweep(run, pool)
            run.passes += 1
            run.status = run.stop()
            if run.status is None:
                _ascend(run)
                run.status = run.stop()
    finally:
        run.halt()


def _pass(run: Run, pool: ThreadPoolExecutor) -> None:
    """One beam per lane, over an order of its own."""
    width, rounding, n = run.width(), run.rounding(), run.task_price.size
    # Whatever costs more than this is no improvement.
    target = math.inf if run.assignment is None else run.objective - run.step()

    def search(draw: np.random.Generator) -> tuple[Ints, float, float, float]:
        started = time.perf_counter()
        agent = np.zeros(n, dtype=np.int64)
        order = draw_order(run.home, run.bond, draw)
        cost, dropped = beam(run.instance.units, run.task_price, order, width, target + rounding, run.halted, agent)
        return agent, cost, dropped, time.perf_counter() - started

    answers = list(pool.map(search, run.draws))
    for agent, cost, _, _ in answers:
        if cost < run.objective:
            run.assignment, run.objective = agent, cost
    run.state_s = max(0.9 * run.state_s, *(seconds / (n * width) for *_, seconds in answers))
    run.credit += STATE_WORK * width * n
    dropped = max(least for _, _, least, _ in answers)
    if run.assignment is None and dropped == math.inf:
        raise InfeasibleError("no assignment keeps every capacity; raise a capacity or leave tasks out")
    # No assignment costs less than the cheapest found, the target, and all that was dropped.
    proven = min(run.objective - (0.0 if run.instance.whole else run.step()), dropped - rounding)
    run.search_bound = max(run.search_bound, run.rounded(proven))


def _sweep(run: Run, pool: ThreadPoolExecutor) -> None:
    """Beams over parts of the agents, from an annealed start or from what the last sweep left."""
    parts = run.parts
    if not parts.started:
        proposals = SETTLE * run.task_price.size
        if run.options.time_limit_s is not None:
            proposals = min(proposals, int(0.2 * run.left_s() * 1.2e7))
        parts.start(run.capacity_price, proposals, run.halted, run.options.seed)
    # Parts may change at the same cost: plateaus are wide where costs are whole.
    step = -1e-6 if run.instance.whole or run.assignment is None else run.step()
    run.credit += STATE_WORK * parts.sweep(run.task_price, step, run.halted, run.draws[0], pool)
    found = parts.filled()
    if found is not None:
        cost = float(run.instance.cost[np.arange(found.size), found].sum())
        if cost < run.objective:
            run.assignment, run.objective = found, cost


def _ascend(run: Run) -> None:
    """Raise the task prices towards the best cost known."""
    if run.theta < 1e-3:
        return
    instance = run.instance
    step_work = run.task_price.size * float(instance.cells.sum())
    steps = min(ASCENT, int(run.credit / max(step_work, 1.0)))
    if steps < CHUNK:
        return
    run.credit -= steps * step_work
    target = run.bound + run.surprise
    if run.assignment is not None:
        target = run.objective
    elif run.parts.started:
        target = max(run.bound, run.parts.cost(run.task_price))
    found, bound, run.theta = task_prices(
        instance.cost, instance.size, instance.cells, run.task_price, target, steps, run.theta, run.halted
    )
    if bound > run.task_bound:
        run.task_bound, run.task_price = bound, found
    else:
        run.theta *= 0.5
    run.bound = max(run.bound, run.rounded(bound))


def luby(i: int) -> int:
    """Element i >= 1 of 1 1 2 1 1 2 4 1 1 2 1 1 2 4 8 ... (Luby, Sinclair and Zuckerman 1993)."""
    power = i.bit_length()
    if i == (1 << power) - 1:
        return 1 << (power - 1)
    return luby(i - (1 << (power - 1)) + 1)


@cache
def compile_kernels() -> float:
    """Compile, or load from the cache, every kernel on a tiny instance; returns the seconds that it took."""
    started = time.perf_counter()
    cost = np.array([[1.0, 2.0, 3.0], [3.0, 2.0, 1.0]])
    run = Run(lay_out(cost, np.ones((2, 3)), np.array([2.0, 2.0])), SolveOptions(passes=1, threads=1))
    with ThreadPoolExecutor(max_workers=1) as pool:
        _pass(run, pool)
        _sweep(run, pool)
    _ascend(run)
    return time.perf_counter() - started
