"""Improvement: best response at prices whose ramps are wide at first and tighten towards the hard limits.

While the ramps are wide, limits may be exceeded by as much, at a price that passes through the dual price at the
limit: jobs can trade places that a hard wall would keep them from. After each sweep the prices at the limits move to
what the load makes of them (`reanchor`), so that the excess fades while the ramps are still wide; then they close, and
what is left of the excess is relieved. This is a method of multipliers, one job at a time.
"""

from __future__ import annotations

import math
import time
from typing import TYPE_CHECKING

import numpy as np

from provgrid_optimizer.heuristic.construct import SERVICE_STEPS, job_order, missing, with_value
from provgrid_optimizer.heuristic.kernels.respond import (
    enter_jobs,
    overloaded,
    reanchor,
    refresh_all,
    relieve,
    respond_jobs,
    respond_services,
    shift_services,
)
from provgrid_optimizer.heuristic.pricing import Pricing, pricing, scratch
from provgrid_optimizer.heuristic.state import State, copy_state, empty_state, load_of, supply_within_budget

if TYPE_CHECKING:
    from collections.abc import Callable

    from provgrid_models.problem import Floats, Ints, Problem
    from provgrid_optimizer.heuristic.arrays import Arrays
    from provgrid_optimizer.lagrangian import Pass
    from provgrid_optimizer.multipliers import Multipliers

WIDEST, WIDE, TIGHTEST = 1.5, 0.25, 0.001  # shares of a limit
INSIDE = 0.01  # ramps this tight end at the limit instead of passing it
ANCHOR_WEIGHT = 0.5  # of the way that prices at the limits move after each sweep
SHIFTS = 3  # of each service and period, at a time
JOBS_PER_SHIFT = 8_000  # services look again after so many jobs
MOST_SWEEPS, LEAST_SWEEPS = 40, 12
SWEEPS_TIMES_JOBS = 1_600_000  # more jobs need fewer sweeps: each is smaller against the limits
SWEEPS_TIMES_PAIRS, LEAST_FOR_PAIRS = 39_000_000, 8  # services times pools times periods: they are a sweep's other work
HARD_SWEEPS = 3
GANG_RAMP = 12.0  # how much wider ramps are for rigid jobs, up to WIDE
MOST_SQUEEZED = 40  # jobs that others make room for after a hard sweep
SQUEEZES_TIMES_SIZE = 50_000_000  # hours of jobs and services in the state, copied for each
MOST_STRETCH = 1.0  # by how much a squeezed job may exceed limits before others leave


def objective_yuan(problem: Problem, state: State) -> float:
    """Cost of a plan, in yuan above the plan with no work; inf where hard work is missing."""
    jobs = np.flatnonzero(state.pool >= 0)
    gigabytes = problem.job_weight[jobs] * (problem.data_gb[jobs] + problem.checkpoint_gb[jobs])
    moved = float((gigabytes * problem.gb_yuan[problem.job_origin[jobs], state.pool[jobs]]).sum())
    missed = state.pool < 0
    unserved = float((problem.job_weight[missed] * problem.unserved_yuan[missed]).sum())
    service = np.repeat(np.arange(problem.n_services), np.diff(state.pair_start))
    served = np.zeros(problem.demand.shape)
    np.add.at(served, service, state.serve)
    network = float((problem.service_yuan[service, state.pair_pool] * (state.serve @ problem.hours)).sum())
    left = np.maximum(problem.demand - served, 0.0)
    lost = left > problem.demand * 1e-9
    rate = np.broadcast_to(problem.service_unserved_yuan[:, None], left.shape)
    unserved += float((left * problem.hours)[lost] @ rate[lost])
    supply = supply_within_budget(problem, load_of(problem, state))
    return supply.total_yuan - problem.floor_yuan + moved + network + unserved


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
        self._dual, self._made = prices, made
        self._by_size = np.argsort(problem.work_pflop_h, kind="stable").astype(np.int64)
        self.best = start
        self.best_yuan = objective_yuan(problem, start)
        self.sweeps = 0
        self._arrays = with_value(problem, laid_out, of_verticals=False)
        self._worth = with_value(problem, laid_out, of_verticals=True)
        self._curves: Pricing = pricing(problem, laid_out, prices, made.offered)
        self._full_kw = self._curves.ramp_kw.copy()
        self._random = np.random.default_rng(seed)
        self._space = scratch(problem)
        self._state = empty_state(problem)
        count = int(np.clip(SWEEPS_TIMES_JOBS // max(problem.n_jobs, 1), LEAST_SWEEPS, MOST_SWEEPS))
        pairs = problem.service_rate.size * problem.n_periods
        count = min(count, max(SWEEPS_TIMES_PAIRS // max(pairs, 1), LEAST_FOR_PAIRS))
        self._ramps = ramps(count if passes is None else min(count, max(passes - HARD_SWEEPS, 1)))
        self._sweep_s = 0.0
        self._set_ramp(WIDEST, soft=True)
        order = job_order(problem, -problem.work_pflop_h)
        enter_jobs(self._worth, self._state, self._curves, order, made.job_pool, self._space)
        respond_services(self._arrays, self._state, self._curves, SERVICE_STEPS, np.arange(problem.n_services))

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
            chosen = np.linspace(self._ramps.size - 1, self.sweeps, max(fitting, 1)).round().astype(np.int64)[::-1]
            self._ramps = np.concatenate([self._ramps[: self.sweeps], self._ramps[chosen]])

    def sweep(self, stop: Callable[[], bool]) -> None:
        """One pass of best responses; `stop` is asked now and then, and ends the annealing at once."""
        started = time.perf_counter()
        soft = self.sweeps < self._ramps.size
        self._set_ramp(self._ramps[self.sweeps] if soft else TIGHTEST, soft=soft)
        if self.sweeps > 0 and self._state.stretch[0] > 0.0:
            reanchor(self._arrays, self._state, self._curves, ANCHOR_WEIGHT)
            refresh_all(self._arrays, self._state, self._curves)
        if self.sweeps == self._ramps.size:
            self._harden()
        arrays = self._worth if self.sweeps == 0 else self._arrays
        stopped = self._respond(arrays, stop)
        self.sweeps += 1
        self._sweep_s = time.perf_counter() - started
        if stopped and soft:
            self._set_ramp(TIGHTEST, soft=False)
            self._harden()
            self.sweeps = self._ramps.size + HARD_SWEEPS
        if stopped or not soft:
            self._compare()
        if not stopped and self._ramps.size < self.sweeps < self._ramps.size + HARD_SWEEPS:
            self._squeeze_in(stop)

    def _respond(self, arrays: Arrays, stop: Callable[[], bool]) -> bool:
        order = job_order(self.problem, self._random.random(self.problem.n_jobs))
        gangs, order = order[self.problem.rigid[order]], order[~self.problem.rigid[order]]
        self._respond_gangs(arrays, gangs)
        for at in range(0, max(order.size, 1), JOBS_PER_SHIFT):
            services = self._random.permutation(self.problem.n_services)
            shift_services(arrays, self._state, self._curves, SHIFTS, services, 0, self.problem.n_periods)
            respond_jobs(arrays, self._state, self._curves, order[at : at + JOBS_PER_SHIFT], self._space)
            if stop():
                return True
        return False

    def _respond_gangs(self, arrays: Arrays, order: Ints) -> None:
        """Rigid jobs feel limits later than the others: they can't be split, so the others have to make way."""
        soft = self.sweeps < self._ramps.size
        ramp = self._ramps[self.sweeps] if soft else TIGHTEST
        if soft:
            self._set_ramp(max(ramp, min(GANG_RAMP * ramp, WIDE)), soft=True)
        respond_jobs(arrays, self._state, self._curves, order, self._space)
        self._set_ramp(ramp, soft=soft)

    def _set_ramp(self, ramp: float, *, soft: bool) -> None:
        self._curves.ramp[0] = ramp
        self._curves.ramp_kw[:] = self._full_kw * ramp
        inside = not soft or ramp <= INSIDE
        self._curves.early[0] = 0.5 if inside else 0.0
        self._state.stretch[0] = 0.0 if inside else ramp
        refresh_all(self._arrays, self._state, self._curves)

    def _harden(self) -> None:
        """Take all work out of overloaded periods; what then finds no room stays unserved."""
        services: Ints = np.arange(self.problem.n_services)
        shift_services(self._arrays, self._state, self._curves, SHIFTS, services, 0, self.problem.n_periods)
        relieve(self._arrays, self._state, self._curves, self._by_size, self._space)
        if self._overloaded():
            respond_services(self._arrays, self._state, self._curves, SERVICE_STEPS, services)

    def _squeeze_in(self, stop: Callable[[], bool]) -> None:
        """Give unserved jobs, and those that are dearest against the dual, a place that others must leave."""
        most = min(SQUEEZES_TIMES_SIZE // (self._state.run.size + self._state.serve.size + 1), MOST_SQUEEZED)
        if most == 0 or self._overloaded():
            return
        yuan = objective_yuan(self.problem, self._state)
        loss = self._losses()
        for j in np.argsort(-loss, kind="stable")[:most]:
            if stop() or loss[j] <= 0.0:
                break
            before = copy_state(self._state)
            if self._make_room(j, before):
                after = math.inf if self._overloaded() else objective_yuan(self.problem, self._state)
                if after < yuan and not missing(self.problem, self._state):
                    yuan = after
                    continue
            self._state = before
            refresh_all(self._arrays, self._state, self._curves)
        self._compare()

    def _make_room(self, j: int, before: State) -> bool:
        """Let job j choose as if limits were soft, and whoever is in its way leave; False where it stays."""
        self._set_ramp(WIDE, soft=True)
        self._state.stretch[0] = MOST_STRETCH
        respond_jobs(self._arrays, self._state, self._curves, np.array([j]), self._space)
        self._set_ramp(TIGHTEST, soft=False)
        state = self._state
        p, first, last = state.pool[j], state.first[j], state.last[j] + 1
        if p < 0 or (p == before.pool[j] and first == before.first[j] and last == before.last[j] + 1):
            return False
        near = self.problem.pool_cluster[state.pair_pool] == self.problem.pool_cluster[p]
        pairs = np.flatnonzero(near & (state.serve[:, first:last] > 0.0).any(axis=1))
        services = np.unique(np.searchsorted(state.pair_start, pairs, side="right") - 1)
        shift_services(self._arrays, state, self._curves, SHIFTS, services, first, last)
        relieve(self._arrays, state, self._curves, self._by_size[self._by_size != j], self._space)
        respond_jobs(self._arrays, state, self._curves, np.flatnonzero(state.pool < 0), self._space)
        return True

    def _losses(self) -> Floats:
        """Yuan by which each job is dearer at the dual prices, or unserved, than where it would be cheapest."""
        problem, state = self.problem, self._state
        price = self._dual.accelerator * problem.hours
        owner = np.repeat(np.arange(problem.n_jobs), np.diff(state.offset))
        period = np.arange(owner.size) - state.offset[owner] + problem.release[owner]
        running = np.bincount(owner, weights=state.run * price[state.pool[owner], period], minlength=problem.n_jobs)
        gigabytes = problem.job_weight * (problem.data_gb + problem.checkpoint_gb)
        placed = state.pool >= 0
        moving = np.where(placed, gigabytes * problem.gb_yuan[problem.job_origin, state.pool], 0.0)
        yuan = np.where(placed, running + moving, self._arrays.jobs.unserved_yuan)
        return np.asarray(yuan - self._made.job_yuan)

    def _overloaded(self) -> bool:
        pools, periods = self.problem.n_pools, self.problem.n_periods
        return any(overloaded(self._arrays, self._state, p, 0, periods) for p in range(pools))

    def _compare(self) -> None:
        """Keep the plan if it is feasible and better."""
        if self._overloaded() or missing(self.problem, self._state):
            return
        yuan = objective_yuan(self.problem, self._state)
        if math.isfinite(yuan) and yuan < self.best_yuan:
            self.best_yuan = yuan
            self.best = copy_state(self._state)
