"""Prices by dual ascent: a scaled subgradient with momentum and Polyak steps towards a level that moves.

Each pass evaluates the Lagrangian (`lagrangian.evaluate`). The step aims at `best + delta`; delta shrinks whenever
several passes bring too little, and grows when a pass comes near its level: where work is scarce, prices end far above
those of energy, which they start from. Momentum smooths the zigzag of a piecewise linear function; where a pass falls
far below the best, the ascent returns there and forgets its momentum. Now and then the running average of all prices
is tried too: it often lies higher than any of them. The peak prices follow from the others: for given accelerator
prices the best grid cap of a cluster is a one-dimensional convex problem, solved exactly in each pass; the load under
that cap makes the subgradient.

Many jobs: prices are learnt on every k-th job of each window first, each standing for k, then on as many jobs as
there is time for; all jobs make the bound.
"""

from __future__ import annotations

import dataclasses
import math
import time
from typing import TYPE_CHECKING

import numpy as np

from provgrid_optimizer.heuristic.arrays import Arrays, arrays
from provgrid_optimizer.heuristic.kernels.peaks import best_peaks
from provgrid_optimizer.heuristic.orders import find_orders
from provgrid_optimizer.lagrangian import Hints, Pass, evaluate
from provgrid_optimizer.multipliers import Multipliers
from provgrid_optimizer.options import Progress

if TYPE_CHECKING:
    from collections.abc import Callable

    from provgrid_models.problem import Floats, Problem
    from provgrid_optimizer.options import OnProgress, SolveOptions

MOMENTUM = 0.9
AVERAGING = 0.95  # weight of the past in the running average
AVERAGE_EVERY = 5  # passes between two looks at it
FIRST_RISE = 0.05  # of the first bound: how far above the best the first level lies
PATIENCE = 7  # passes without enough progress before the level comes down
ENOUGH = 0.05  # progress that counts, as a share of delta
SHRINK = 0.9
FALL = 3.0  # deltas below the best at which the ascent returns to it
REACHED = 0.2  # of delta: a pass that gains as much lifts the level
RAISE = 3.0  # growth of delta where a pass reaches its level
MAX_PASSES = 1200
JOBS_WORK, LEAST_FOR_JOBS = 7_000_000, 500  # jobs times passes, beyond which passes are left out
PAIRS_WORK = 470_000_000  # services times pools times periods times passes, beyond which passes are left out
LEAST_PASSES = 130
SAMPLE_JOBS = 10_000  # prices of more jobs than this are learnt on about as many first
LEAST_SAMPLING = 3  # jobs that one of the sample must stand for, so that a sample is worth its time
MOST_SAMPLING = 33
FINER_JOBS = 200_000  # up to this many the second sample is all jobs
SAMPLE_PASSES = 300  # on the first sample: more make its prices fit itself, and the bound of all lower
FINER_PASSES, WHOLE_PASSES = 500, 350  # on the second one, and where that is all jobs
FINER_RISE = 0.04  # FIRST_RISE once prices are known from the first sample
BY_JOB = (
    "job_class",
    "origin",
    "work",
    "limit",
    "rigid",
    "release",
    "deadline",
    "move_periods",
    "move_gbps",
    "gigabytes",
    "account",
    "weighted_work",
    "unserved_yuan",
    "pinned",
)
EXTENSIVE = ("work", "limit", "move_gbps", "gigabytes", "weighted_work", "unserved_yuan")
ORDER_SCALE = 20.0  # of a vertical's run cost, spread over the periods: prices of its order that are worth a try
CLOSE = 1e-5  # of the bound: where delta is below it, the ascent has ended


class Ascent:
    """Dual ascent that can be stepped, stopped and resumed. `best` holds the best pass, `prices` its multipliers."""

    def __init__(
        self,
        problem: Problem,
        laid_out: Arrays,
        threads: int = 1,
        start: Multipliers | None = None,
        rise: float = FIRST_RISE,
    ) -> None:
        self.problem = problem
        pairs = problem.n_services * problem.n_pools * problem.n_periods
        most = int(np.clip(JOBS_WORK // max(laid_out.jobs.work.size, 1), LEAST_FOR_JOBS, MAX_PASSES))
        self.most = int(np.clip(PAIRS_WORK // max(pairs, 1), LEAST_PASSES, most))
        self.laid_out = laid_out
        self._orders = find_orders(laid_out)
        self.threads = threads
        self.prices = self.at = energy_prices(problem)
        self._scale_at = self.at.accelerator
        if start is not None:
            self.at = start
        self._budget = bool(np.isfinite(problem.carbon_budget_kg))
        self._linked = np.isfinite(problem.link_gbps)
        self._scale = self._scales()
        self._momentum = [np.zeros_like(values) for values in self._values()]
        self._average = [values.copy() for values in self._values()]
        self._stale = 0
        self._charged = bool((problem.demand_charge_yuan_per_kw > 0.0).any())
        self._caps = np.zeros(problem.n_clusters)
        self._hints = Hints.none(laid_out.jobs.work.size, problem.n_pools)
        self.passes = 1
        self.best: Pass = self._made()
        self._last = self.best
        self._delta = rise * max(abs(self.bound_yuan), 1.0)
        self.prices = self.at

    @property
    def bound_yuan(self) -> float:
        """Best bound so far."""
        return self.best.bound.total_yuan

    @property
    def ended(self) -> bool:
        """Whether further passes are not worth their time."""
        return self._delta <= CLOSE * max(abs(self.bound_yuan), 1.0)

    def _scales(self) -> list[Floats]:
        """Diagonal preconditioner: a typical price over a typical load, per coordinate."""
        problem = self.problem
        hours = problem.hours
        typical = np.maximum(self._scale_at.mean(axis=1, keepdims=True), 1e-6)
        spent = float((hours * typical * problem.capacity).sum())
        gbps = np.where(self._linked, problem.link_gbps, 1.0)[:, None]
        link_hours = float((hours * np.where(self._linked, problem.link_gbps, 0.0)[:, None]).sum())
        budget = problem.carbon_budget_kg if self._budget else 1.0
        return [
            typical / (hours * np.maximum(problem.capacity, 1e-3 * problem.largest_capacity.max() + 1e-9)),
            np.where(
                self._linked[:, None], 0.1 * spent / max(link_hours, 1e-9) / (hours * np.maximum(gbps, 1e-9)), 0.0
            ),
            np.array([0.3 * spent / max(budget, 1e-9) ** 2 if self._budget else 0.0]),
            self._order_scale(typical),
        ]

    def _order_scale(self, typical: Floats) -> Floats:
        """Scale of the order's prices, shape (V, 1): what a vertical's run costs at `typical` (P, 1), per period."""
        problem, vertical = self.problem, self.at.vertical
        hours = np.where(problem.reasons(vertical) == 0, problem.accelerator_hours(vertical), np.inf)
        cheapest = (hours * typical[:, 0]).min(axis=1, initial=np.inf, keepdims=True)
        return ORDER_SCALE * np.where(np.isfinite(cheapest), cheapest, 0.0) / problem.n_periods

    def _values(self) -> list[Floats]:
        """Return the prices that the ascent moves: accelerators, links, carbon budget, order of jobs."""
        return [self.at.accelerator, self.at.link, np.array([self.at.carbon]), self.at.after]

    def _go_to(self, values: list[Floats]) -> None:
        """Stand at these prices."""
        self.at = dataclasses.replace(
            self.at, accelerator=values[0], link=values[1], carbon=float(values[2][0]), after=values[3]
        )

    def _evaluate(self) -> Pass:
        self.passes += 1
        self._last = self._made()
        return self._last

    def _made(self) -> Pass:
        """Evaluate where the ascent stands, with the peak prices and the load that are best there."""
        if not self._charged:
            return evaluate(self.problem, self.laid_out, self.at, self.threads, self._hints, self._orders)
        peak, load = np.zeros(self.problem.floor_kw.shape), np.zeros(self.problem.capacity.shape)
        best_peaks(self.laid_out.supply, self.at.accelerator, self.at.carbon, peak, load, self._caps)
        total = peak @ self.problem.hours
        charge = self.problem.demand_charge_yuan_per_kw
        peak *= np.where(total > charge, charge / np.where(total > 0.0, total, 1.0), 1.0)[:, None] * (1.0 - 1e-13)
        self.at = dataclasses.replace(self.at, peak=peak)
        made = evaluate(self.problem, self.laid_out, self.at, self.threads, self._hints, self._orders)
        capped = (charge > 0.0)[self.problem.pool_cluster, None]
        return dataclasses.replace(made, offered=np.where(capped, load, made.offered))

    def step(self) -> bool:
        """Make one pass; return whether the bound rose."""
        made, hours = self._last, self.problem.hours
        slopes = [
            (made.asked - made.offered) * hours,
            (made.traffic - np.where(self._linked, self.problem.link_gbps, 0.0)[:, None]) * hours,
            np.array([made.kg - self.problem.carbon_budget_kg if self._budget else 0.0]),
            made.ahead,
        ]
        values = self._values()
        size = 0.0
        directions = []
        for slope, value, memory, scale in zip(slopes, values, self._momentum, self._scale, strict=True):
            memory *= MOMENTUM
            memory += slope
            direction = np.where((value <= 0.0) & (memory < 0.0), 0.0, memory) * scale
            size += float((direction * memory).sum())
            directions.append(direction)
        if size <= 0.0:
            self._delta = 0.0
            return False
        step = (self.bound_yuan + self._delta - made.bound.total_yuan) / size
        moved = [np.maximum(value + step * way, 0.0) for value, way in zip(values, directions, strict=True)]
        self._go_to(moved)
        rose = self._judge(self._evaluate())
        for average, value in zip(self._average, moved, strict=True):
            average *= AVERAGING
            average += (1.0 - AVERAGING) * value
        if self.passes % AVERAGE_EVERY == 0:
            rose |= self._try_average()
        return rose

    def _try_average(self) -> bool:
        """Evaluate the running average; keep it as the best where it is, but go on from where the ascent stands."""
        here, made = self.at, self._last
        self._go_to([values.copy() for values in self._average])
        tried = self._evaluate()
        better = tried.bound.total_yuan > self.bound_yuan
        if better:
            self.best, self.prices = tried, self.at
        self.at, self._last = here, made
        return better

    def _judge(self, made: Pass) -> bool:
        total, best = made.bound.total_yuan, self.bound_yuan
        self._stale = 0 if total > best + ENOUGH * self._delta else self._stale + 1
        if total > best + REACHED * self._delta:
            self._delta *= RAISE
        if self._stale >= PATIENCE:
            self._delta *= SHRINK
            self._stale = 0
        if total > best:
            self.best, self.prices = made, self.at
            return True
        if total < best - FALL * self._delta:
            self.at, self._last = self.prices, self.best
            self._delta *= SHRINK
            for memory in self._momentum:
                memory[...] = 0.0
        return False


def sample(laid_out: Arrays, every: int) -> Arrays:
    """Every k-th job in the order of windows, scaled to stand for k jobs: windows, costs and the coupling stay."""
    jobs = laid_out.jobs
    chosen = jobs.order[every // 2 :: every]
    counts = np.searchsorted(np.arange(every // 2, jobs.order.size, every), jobs.group_start)
    keep = np.append(np.diff(counts) > 0, True)
    start = counts[keep].astype(np.int64)
    start[-1] = chosen.size
    ideal = np.linspace(0, chosen.size, jobs.group_chunk.size)
    chunk = np.searchsorted(start, ideal).astype(np.int64)
    chunk[0], chunk[-1] = 0, start.size - 1
    by_job = {name: getattr(jobs, name)[chosen] for name in BY_JOB}
    scaled = {name: by_job[name] * float(every) for name in EXTENSIVE}
    few = jobs._replace(
        **{**by_job, **scaled},
        largest=np.full_like(jobs.largest, np.inf),
        order=np.arange(chosen.size, dtype=np.int64),
        group_start=start,
        group_chunk=chunk,
    )
    # Base and vertical are seldom both in the sample: the order of jobs is priced on the whole alone.
    alone = np.full(chosen.size, -1)
    start = np.zeros(chosen.size + 1, dtype=np.int64)
    chain = laid_out.chain._replace(after=alone, lag=alone, start=start, vertical=start[:0], leave=few.deadline)
    return laid_out._replace(jobs=few, chain=chain)


def energy_prices(problem: Problem) -> Multipliers:
    """Prices of energy alone: each pool's accelerator-hour at the dearest block of its cluster."""
    dearest = np.zeros(problem.floor_kw.shape)
    price = problem.block_yuan_per_kwh + problem.carbon_yuan_per_kg * problem.block_kg_per_kwh
    np.maximum.at(dearest, problem.block_cluster, price)
    zero = Multipliers.zero(problem)
    return dataclasses.replace(zero, accelerator=problem.kw_per_accelerator * dearest[problem.pool_cluster])


def find_prices(problem: Problem, laid_out: Arrays, threads: int, stop: Callable[[Ascent, bool], bool]) -> Ascent:
    """Run the ascent to its end; `stop(ascent, whole)` is asked before each pass, `whole` is False on a sample."""
    every = min(problem.n_jobs // SAMPLE_JOBS, MOST_SAMPLING)
    if every < LEAST_SAMPLING:
        return _climb(Ascent(problem, laid_out, threads), lambda ascent: stop(ascent, True))
    learnt = Ascent(problem, sample(laid_out, every), threads)
    learnt.most = SAMPLE_PASSES
    _climb(learnt, lambda ascent: stop(ascent, False))
    every = math.ceil(problem.n_jobs / FINER_JOBS)
    finer = Ascent(problem, sample(laid_out, every) if every > 1 else laid_out, threads, learnt.prices, FINER_RISE)
    finer.most = FINER_PASSES if every > 1 else WHOLE_PASSES
    _climb(finer, lambda ascent: stop(ascent, every == 1))
    if every == 1:
        return finer
    whole = Ascent(problem, laid_out, threads, finer.prices)  # further passes over all jobs gain next to nothing
    stop(whole, True)
    return whole


def _climb(ascent: Ascent, stop: Callable[[Ascent], bool]) -> Ascent:
    while not (ascent.ended or ascent.passes >= ascent.most or stop(ascent)):
        ascent.step()
    return ascent


def dual_prices(problem: Problem, options: SolveOptions, on_progress: OnProgress) -> Multipliers:
    """Prices that prove a bound, for an engine that has none of its own; stops at the time limit or when it ends."""
    started = time.perf_counter()

    def stop(ascent: Ascent, whole: bool) -> bool:
        elapsed = time.perf_counter() - started
        if whole and ascent.prices is ascent.at:
            on_progress(Progress(elapsed, "prices", bound_yuan=ascent.bound_yuan, passes=ascent.passes))
        limit = options.time_limit_s
        return limit is not None and elapsed >= (limit if whole else 0.5 * limit)

    return find_prices(problem, arrays(problem), options.threads, stop).prices
