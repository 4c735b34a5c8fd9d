"""The solve: prices, search passes in two lanes, task prices for the bound, and an exact finish for small problems."""

from __future__ import annotations

import math
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import cache
from typing import TYPE_CHECKING

import numpy as np

from provgrid_models.errors import InfeasibleError, NoPlanError
from provgrid_optimizer.assignment.audit import Multipliers, capacity_bound
from provgrid_optimizer.assignment.exact import finish
from provgrid_optimizer.assignment.instance import Prices, Search, kernel_view, lay_out
from provgrid_optimizer.assignment.kernels.anneal import anneal
from provgrid_optimizer.assignment.kernels.dual import capacity_prices, task_prices
from provgrid_optimizer.assignment.kernels.search import run_pass
from provgrid_optimizer.certificate import gap
from provgrid_optimizer.engine import Status
from provgrid_optimizer.options import SolveOptions

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from provgrid_models.problem import Bools, Ints
    from provgrid_optimizer.assignment.instance import Instance

STEP_WORK = 300_000_000  # knapsack cells that one call of the ascent may fill
HARD = 20.0  # times the usual price of an overload, where chains have to remove it
LANES = 2  # always two, whatever the threads, so that the result does not depend on them
WIDTH = 6  # agents per task among which the search draws
SETTLE = 15_000  # proposals per task of a lane's first annealing
RETRY = 75  # proposals per task of each later round
ROUNDS = 40  # rounds of a pass, fewer where chains are dear
FINISH = 0.25  # share of the time left that the exact finish may take
TINY = 700  # open pairs up to which the exact finish comes after one short pass and may take all the time
SMALL = 1_200  # open pairs up to which the exact finish takes part
ASCENT = 100  # steps on the task prices before the first pass; fewer after each later one


@dataclass
class Lane:
    """One searcher: where it is, the best it found, and its random numbers."""

    current: Ints
    best: Ints
    state: NDArray[np.uint64]
    best_cost: float = math.inf


@dataclass
class Run:
    """A solve under way. Costs are minimised here."""

    instance: Instance
    options: SolveOptions
    started: float = field(default_factory=time.perf_counter)
    assignment: Ints | None = None
    objective: float = math.inf
    bound: float = -math.inf
    tree_bound: float = -math.inf
    task_bound: float = -math.inf
    passes: int = 0
    status: Status | None = None

    def __post_init__(self) -> None:
        instance = self.instance
        spread = np.where(instance.open, instance.cost, -np.inf).max(axis=1) - instance.cost.min(axis=1)
        mean_usage = max(float(instance.usage[instance.open].mean()), 1e-12)
        unit = max(float(spread.mean()), 1e-9) / mean_usage
        self.capacity_price, _ = capacity_prices(instance.cost, instance.usage, instance.capacity, 0.1 * unit, 600)
        self.lp_bound = capacity_bound(instance.cost.T, instance.usage.T, instance.capacity, self.capacity_price)
        priced = instance.cost + self.capacity_price * instance.usage
        self.task_price = priced.min(axis=1)
        self.reduced = priced - self.task_price[:, None]
        self.theta = 1.0
        self.raise_bound(self.lp_bound)
        self.prepare(unit, mean_usage)

    def prepare(self, unit: float, mean_usage: float) -> None:
        """Choose temperatures from the data: the second-best agents say what a wrong agent costs."""
        instance = self.instance
        n, m = instance.cost.shape
        step = 1e-6 if instance.whole else 1e-12 * max(1.0, float(np.abs(self.task_price).sum()))
        price = self.capacity_price
        over = 3.0 * np.maximum(price, 0.1 * unit)
        regret = np.sort(self.reduced, axis=1)[:, 1] if m > 1 else np.ones(n)
        mean_regret = max(float(regret[np.isfinite(regret)].mean()) if np.isfinite(regret).any() else 1.0, 1e-3 * unit)
        strain_of_a_task = mean_usage * max(float(over.mean()) / 3.0, 1e-12)
        self.prices = Prices(price, over, self.reduced, step)
        self.hard = self.prices._replace(over=HARD * over)
        temperature = 0.25 * mean_regret
        self.search = Search(
            temperature=temperature,
            soft=min(0.5, 2.5 * temperature / strain_of_a_task),
            accept=2.0 * temperature,
            slack=0.035 * strain_of_a_task,
            step=step,
            depth=min(8 if n <= 400 else 4, m),
            proposals=RETRY * n,
        )
        self.task = kernel_view(instance, self.reduced, WIDTH)
        base = self.reduced.argmin(axis=1).astype(np.int64)
        self.lanes = [
            Lane(base.copy(), base.copy(), np.array([_scramble(self.options.seed * LANES + k)], dtype=np.uint64))
            for k in range(LANES)
        ]

    def raise_bound(self, bound: float) -> None:
        """Take a proven bound; with whole costs the next whole number is one too."""
        if self.instance.whole and math.isfinite(bound):
            bound = math.ceil(bound - 1e-6)
        self.bound = max(self.bound, bound)

    def take(self, assignment: Ints, cost: float) -> None:
        """Keep an assignment if it is the best."""
        if cost < self.objective:
            self.assignment, self.objective = assignment.copy(), cost

    @property
    def tiny(self) -> bool:
        """Whether an exact finish is sure to be quick."""
        return bool(self.instance.open.sum() <= TINY)

    def left_s(self) -> float:
        """Seconds until the time limit."""
        limit = self.options.time_limit_s
        return math.inf if limit is None else limit - (time.perf_counter() - self.started)

    def stop(self) -> Status | None:
        """Return why to stop now, or None."""
        bound = max(self.bound, self.tree_bound)
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


def solve(instance: Instance, options: SolveOptions) -> tuple[Run, Multipliers]:
    """Search until a stop of `options`, optimality, or Ctrl-C.

    Raises
    ------
    InfeasibleError : proven that no assignment keeps every capacity.
    NoPlanError : stopped before there was one.
    """
    run = Run(instance, options)
    try:
        _search(run)
    except KeyboardInterrupt:
        run.status = Status.INTERRUPTED
    if run.assignment is None:
        raise NoPlanError(
            f"no assignment that keeps every capacity was found in {run.passes} passes, and none is proven impossible; "
            "raise the time limit or the capacities"
        )
    return run, Multipliers(run.capacity_price, run.task_price)


def _search(run: Run) -> None:
    with ThreadPoolExecutor(max_workers=min(LANES, run.options.threads)) as pool:
        list(pool.map(lambda lane: _settle(run, lane), run.lanes))
        _collect(run)
        _ascend(run, ASCENT)
        run.status = run.stop()
        finished = False
        while run.status is None:
            list(pool.map(lambda lane: _pass(run, lane), run.lanes))
            run.passes += 1
            _collect(run)
            _ascend(run, ASCENT // 4)
            run.status = run.stop()
            if run.status is None and not finished and run.passes >= (1 if run.tiny else 2):
                finished = True
                _finish_exactly(run)
                run.status = run.stop()
    if run.assignment is None and not finished:
        _finish_exactly(run)


def _settle(run: Run, lane: Lane) -> None:
    """Anneal a lane from the relaxed optimum, shorter where a time limit asks for it."""
    n = lane.current.size
    speed = 1.2e7  # proposals per second that any machine does
    proposals = SETTLE * n if run.options.time_limit_s is None else min(SETTLE * n, int(0.2 * run.left_s() * speed))
    lane.best_cost = anneal(
        run.task, run.prices, run.search, lane.current, lane.best, lane.best_cost, lane.state,
        run.search.soft, 100, max(proposals, 100 * n),
    )  # fmt: skip


def _pass(run: Run, lane: Lane) -> None:
    rounds = max(1, min(ROUNDS, int(ROUNDS * (200 / lane.current.size) ** 2)))
    if run.tiny:
        rounds = ROUNDS // 4
    lane.best_cost = run_pass(
        run.task, run.prices, run.hard, run.search, lane.current, lane.best, lane.best_cost, lane.state, rounds
    )


def _collect(run: Run) -> None:
    for lane in run.lanes:
        if lane.best_cost < run.objective:
            run.take(lane.best, float(run.instance.cost[np.arange(lane.best.size), lane.best].sum()))


def _ascend(run: Run, steps: int) -> None:
    """Raise the task prices towards the best cost known."""
    if run.theta < 1e-3 or not math.isfinite(run.objective):
        return
    # On large instances a step is dear: no call may keep the search, or a time limit, waiting.
    work = run.task_price.size * int(run.instance.cells.sum())
    steps = max(1, min(steps, STEP_WORK // max(work, 1)))
    found, bound, run.theta = task_prices(
        run.instance.cost, run.instance.size, run.instance.cells, run.task_price, run.objective, steps, run.theta
    )
    if bound > run.task_bound:
        run.task_bound, run.task_price = bound, found
    run.raise_bound(bound)


def _useful(run: Run) -> Bools:
    """Pairs that an assignment cheaper than the best known could use."""
    target = run.objective - (1 - 1e-6 if run.instance.whole else 0.0)
    useful: Bools = run.instance.open & (run.lp_bound + run.reduced <= target)
    return useful


def _finish_exactly(run: Run) -> None:
    """Let HiGHS decide where few pairs are left, and wherever nothing has been found."""
    kept = _useful(run) if run.assignment is not None else run.instance.open
    if run.assignment is not None and kept.sum() > SMALL:
        return
    whole_time = run.assignment is None or run.tiny
    limit = run.left_s() if whole_time else FINISH * run.left_s()
    found, bound = finish(run.instance, kept, run.options, None if math.isinf(limit) else max(limit, 0.1))
    if found is not None and (found >= 0).all():
        load = np.bincount(found, run.instance.usage[np.arange(found.size), found], run.instance.capacity.size)
        if (load <= run.instance.capacity).all():
            run.take(found, float(run.instance.cost[np.arange(found.size), found].sum()))
    if math.isinf(bound) and bound > 0 and run.assignment is None:
        raise InfeasibleError("no assignment keeps every capacity; raise a capacity or leave tasks out")
    # A dropped pair costs at least the best known: the bound holds for everything up to there.
    proven = min(bound, run.objective)
    if run.instance.whole and math.isfinite(proven):
        proven = math.ceil(proven - 1e-6)
    run.tree_bound = max(run.tree_bound, proven)


def _scramble(seed: int) -> int:
    """Spread small seeds over 64 bits, never 0 (a xorshift generator would stay there)."""
    mixed = (seed + 1) * 0x9E3779B97F4A7C15 % 2**64
    return (mixed ^ (mixed >> 31)) or 1


@cache
def compile_kernels() -> float:
    """Compile, or load from the cache, every kernel on a tiny instance; returns the seconds that it took."""
    started = time.perf_counter()
    cost = np.array([[1.0, 2.0, 3.0], [3.0, 2.0, 1.0]])
    run = Run(lay_out(cost, np.ones((2, 3)), np.array([2.0, 2.0])), SolveOptions(passes=1, threads=1))
    for lane in run.lanes:
        _settle(run, lane)
        _pass(run, lane)
    _collect(run)
    _ascend(run, 2)
    return time.perf_counter() - started
