"""A planner that is obviously right and not at all good: jobs in order, the first pool and hours that are free.

It makes feasible indivisible plans, so that the audit can be tried without any engine. `claimed(problem, allocation,
multipliers)` turns an allocation into the plan that the audit reads, with the claims an engine would make.
"""

from __future__ import annotations

from typing import Any

import numpy as np

import naive
from provgrid_models.energy import least_cost_supply
from provgrid_models.problem import Problem
from provgrid_optimizer.allocation import Allocation
from provgrid_optimizer.audit import AuditedPlan
from provgrid_optimizer.evaluate import costs, usage
from provgrid_optimizer.lagrangian import bound
from provgrid_optimizer.multipliers import Multipliers, verticals


class _Room:
    """Accelerators, power and bandwidth that are still free."""

    def __init__(self, problem: Problem) -> None:
        self.problem = problem
        self.accelerators = problem.capacity.copy()
        self.kw = -problem.floor_kw.copy()
        np.add.at(self.kw, problem.block_cluster, problem.block_limit_kw)
        self.gbps = np.repeat(problem.link_gbps[:, None], problem.n_periods, axis=1)

    def free(self, pool: int, period: int) -> float:
        """Accelerators that a pool can still hold in a period, power included."""
        by_power = self.kw[self.problem.pool_cluster[pool], period] / self.problem.kw_per_accelerator[pool, period]
        return max(0.0, min(self.accelerators[pool, period], by_power))

    def take(self, pool: int, period: int, accelerators: float) -> None:
        """Hold accelerators."""
        self.accelerators[pool, period] -= accelerators
        kw = accelerators * self.problem.kw_per_accelerator[pool, period]
        self.kw[self.problem.pool_cluster[pool], period] -= kw


def naive_allocation(problem: Problem, seed: int = 0, spare: float = 0.0) -> Allocation:
    """Place what fits, job by job and service by service; `spare` is the share of room that is left alone."""
    random = np.random.default_rng(seed)
    room = _Room(problem)
    for array in (room.accelerators, room.kw, room.gbps):
        array *= 1.0 - spare
    placed: dict[int, tuple[int, dict[int, float]]] = {}
    for job in _bases_first(problem):
        earliest = 0
        base = int(problem.after[job])
        if base >= 0:
            if base not in placed:
                continue
            earliest = max(placed[base][1]) + 1 + int(problem.after_lag[job])
        open_pools = np.flatnonzero(problem.reasons(np.array([job]))[0] == 0)
        for pool in random.permutation(open_pools):
            runs = _runs(problem, room, job, int(pool), earliest)
            if runs:
                _move(problem, room, job, int(pool))
                for period, accelerators in runs.items():
                    room.take(int(pool), period, accelerators)
                placed[job] = int(pool), runs
                break
    served = _served(problem, room, random)
    return _allocation(problem, placed, served)


def _bases_first(problem: Problem) -> list[int]:
    depth = np.zeros(problem.n_jobs, dtype=int)
    for job in range(problem.n_jobs):
        at = int(problem.after[job])
        while at >= 0:
            depth[job] += 1
            at = int(problem.after[at])
    return np.argsort(depth, kind="stable").tolist()


def _moving(problem: Problem, job: int, pool: int) -> tuple[Any, range]:
    links = problem.route(int(problem.job_origin[job]), pool)
    periods = int(problem.move_periods[job]) if links.size else 0
    return links, range(int(problem.release[job]), int(problem.release[job]) + periods)


def _move(problem: Problem, room: _Room, job: int, pool: int) -> None:
    links, periods = _moving(problem, job, pool)
    for period in periods:
        room.gbps[links, period] -= problem.move_gbps[job]


def _runs(problem: Problem, room: _Room, job: int, pool: int, earliest: int) -> dict[int, float]:
    """Find accelerators by period of a job in a pool; empty where it does not fit."""
    links, periods = _moving(problem, job, pool)
    if any((room.gbps[links, period] < problem.move_gbps[job]).any() for period in periods):
        return {}
    start = max(int(problem.start_periods(np.array([job]))[0, pool]), earliest)
    deadline, most = int(problem.deadline[job]), float(problem.max_accelerators[job])
    if problem.rigid[job]:
        duration = int(problem.durations(np.array([job]))[0, pool])
        for first in range(start, deadline - duration + 1):
            if all(room.free(pool, period) >= most for period in range(first, first + duration)):
                return dict.fromkeys(range(first, first + duration), most)
        return {}
    left = float(problem.accelerator_hours(np.array([job]))[0, pool])
    runs = {}
    for period in range(start, deadline):
        held = min(most, room.free(pool, period), left / problem.period_h)
        if held > 1e-9:
            runs[period] = held
            left -= held * problem.period_h
        if left <= 1e-9:
            return runs
    return {}


def _served(problem: Problem, room: _Room, random: np.random.Generator) -> list[tuple[int, int, int, float]]:
    rows = []
    for service, period in np.argwhere(problem.demand > 0):
        left = float(problem.demand[service, period])
        for pool in random.permutation(np.flatnonzero(problem.service_rate[service] > 0)):
            if np.isinf(problem.service_yuan[service, pool]):
                continue
            rate, gbps = float(problem.service_rate[service, pool]), float(problem.service_gbps[service])
            links = problem.route(int(problem.service_origin[service]), int(pool))
            by_links = room.gbps[links, period].min(initial=np.inf) / gbps if gbps > 0 else np.inf
            units = min(left, room.free(int(pool), int(period)) * rate, by_links)
            if units > 1e-6:
                room.take(int(pool), int(period), units / rate)
                room.gbps[links, period] -= units * gbps
                rows.append((int(service), int(pool), int(period), units))
                left -= units
    return sorted(rows)


def _allocation(
    problem: Problem,
    placed: dict[int, tuple[int, dict[int, float]]],
    served: list[tuple[int, int, int, float]],
) -> Allocation:
    jobs = sorted(placed)
    runs = [(period, held) for job in jobs for period, held in sorted(placed[job][1].items())]
    counts = [len(placed[job][1]) for job in jobs]
    rows = np.array(served, dtype=np.float64).reshape(-1, 4)
    load_kw = problem.floor_kw.copy()
    pool_of_run = np.repeat([placed[job][0] for job in jobs], counts).astype(np.int64)
    period = np.array([p for p, _ in runs], dtype=np.int32)
    held = np.array([n for _, n in runs], dtype=np.float64)
    np.add.at(
        load_kw, (problem.pool_cluster[pool_of_run], period), held * problem.kw_per_accelerator[pool_of_run, period]
    )
    service, pool, at = (rows[:, i].astype(np.int64) for i in range(3))
    kw = rows[:, 3] / problem.service_rate[service, pool] * problem.kw_per_accelerator[pool, at]
    np.add.at(load_kw, (problem.pool_cluster[pool], at), kw)
    supply = least_cost_supply(problem, load_kw)
    return Allocation(
        divisible=False,
        job=np.array(jobs, dtype=np.int64),
        pool=np.array([placed[job][0] for job in jobs], dtype=np.int64),
        share=np.ones(len(jobs)),
        run_start=np.concatenate([[0], np.cumsum(counts)]).astype(np.int64),
        run_period=period,
        run_accelerators=held,
        serve_service=service,
        serve_pool=pool,
        serve_period=at,
        serve_units=rows[:, 3],
        block_kw=supply.block_kw,
        peak_kw=supply.peak_kw,
    )


def random_multipliers(problem: Problem, seed: int) -> Multipliers:
    """Draw prices that may prove a bound: >= 0, the peak's within the demand charge, none on what has no limit."""
    random = np.random.default_rng(seed)
    periods = problem.n_periods
    peak = random.random((problem.n_clusters, periods))
    peak *= (problem.demand_charge_yuan_per_kw / (peak @ problem.hours) * 0.999)[:, None]
    link = random.random((problem.n_links, periods)) * 0.1
    link[np.isinf(problem.link_gbps)] = 0.0
    return Multipliers(
        accelerator=random.random((problem.n_pools, periods)) * 2.0,
        peak=peak,
        link=link,
        carbon=float(random.random() * 0.1) if np.isfinite(problem.carbon_budget_kg) else 0.0,
        after=naive.random_order_prices(problem, random),
        vertical=verticals(problem),
        basis="dual",
    )


def claimed(problem: Problem, allocation: Allocation, multipliers: Multipliers | None) -> AuditedPlan:
    """Return the plan with the claims that an engine makes about it."""
    used = usage(problem, allocation)
    component_costs = costs(problem, allocation, used)
    never_yuan = sum(yuan for _, _, yuan in problem.never_served)
    proven = np.nan if multipliers is None else bound(problem, multipliers).total_yuan
    return AuditedPlan.from_allocation(
        problem.labels,
        allocation,
        block_cluster=problem.block_cluster,
        traffic_gbps=used.traffic_gbps,
        costs=component_costs.by_component(),
        objective_yuan=component_costs.objective_yuan,
        constants_yuan=problem.floor_yuan + problem.take_or_pay_yuan + never_yuan,
        bound_yuan=proven,
        bound_prices_yuan=proven,
        multipliers=multipliers,
    )
