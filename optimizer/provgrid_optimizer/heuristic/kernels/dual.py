"""One pass of the Lagrangian: every job picks its cheapest pool and hours, every service its cheapest pool."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from provgrid_optimizer.heuristic.kernels.compiled import allocating, inlined, inner, inner_inlined, kernel
from provgrid_optimizer.heuristic.kernels.windows import (
    cheapest,
    cheapest_start,
    duration,
    full_periods,
    grow,
    least_run_price,
    one_off,
    sums,
)

if TYPE_CHECKING:
    from provgrid_models.problem import Bools, Floats, Ints
    from provgrid_optimizer.heuristic.arrays import Jobs, Network, Services
    from provgrid_optimizer.lagrangian import Hints, Workspace

NEAR = 1e-9  # a bound this close to the best, relative, rules nothing out: it was summed in any order


@inlined
def add_exactly(total: float, lost: float, value: float) -> tuple[float, float]:
    """Neumaier's compensated sum: return the new (total, lost)."""
    new = total + value
    lost += (total - new) + value if abs(total) >= abs(value) else (value - new) + total
    return new, lost


@inner_inlined
def move_price(jobs: Jobs, network: Network, link_running: Floats, j: int, p: int) -> float:
    """Price that the links on the way charge for moving job j's data to pool p; `link_running` (L, T + 1)."""
    periods = jobs.move_periods[j]
    if periods == 0 or link_running.shape[0] == 0:
        return 0.0
    route = jobs.origin[j] * network.clusters + network.pool_cluster[p]
    first = jobs.release[j]
    price = 0.0
    for k in range(network.route_start[route], network.route_start[route + 1]):
        link = network.route_link[k]
        price += link_running[link, first + periods] - link_running[link, first]
    return jobs.move_gbps[j] * price


@inner
def flush(marks: Bools, whole: Floats, part: Floats, periods: Ints, counts: Ints, usage: Floats) -> None:
    """Add what a group's elastic jobs use, kept by rank of hour, to `usage` (P, T), and clear it."""
    for kind in range(2):
        for p in range(usage.shape[0]):
            if not marks[kind, p]:
                continue
            marks[kind, p] = False
            running = 0.0
            for i in range(counts[kind, p], -1, -1):
                if i < counts[kind, p]:
                    usage[p, periods[kind, p, i]] += running + part[kind, p, i]
                running += whole[kind, p, i]
                whole[kind, p, i] = 0.0
                part[kind, p, i] = 0.0


@kernel
def least_of_ranges(price: Floats, least: Floats) -> None:
    """Sparse table of range minima: least[k, p, t] is the minimum of price[p, t : t + 2**k]."""
    levels, n_pools, n_periods = least.shape
    for p in range(n_pools):
        for t in range(n_periods):
            least[0, p, t] = price[p, t]
        for k in range(1, levels):
            half = 1 << (k - 1)
            for t in range(n_periods - 2 * half + 1):
                least[k, p, t] = min(least[k - 1, p, t], least[k - 1, p, t + half])


@inner_inlined
def least_in(least: Floats, levels: Ints, p: int, first: int, last: int) -> float:
    """Minimum over [first, last), not empty; `levels` (T + 1,) holds the floor of log2."""
    k = levels[last - first]
    return min(least[k, p, first], least[k, p, last - (1 << k)])


@inner
def group_leasts(jobs: Jobs, work: Workspace, head: int) -> None:
    """Cheapest hour of every pool in the windows of a group, per accelerator-hour; `head` is one of its jobs."""
    for kind in range(2 if jobs.move_periods[head] > 0 else 1):
        first = jobs.release[head] + kind * jobs.move_periods[head]
        for p in range(work.group_least.shape[1]):
            work.group_least[kind, p] = np.inf
            if first < jobs.deadline[head]:
                work.group_least[kind, p] = (
                    least_in(work.least, work.levels, p, first, jobs.deadline[head]) / jobs.period_h
                )


@inner_inlined
def sorted_until(work: Workspace, price: Floats, kind: int, p: int, first: int, deadline: int, window: int) -> None:
    """Bring the sorted hours of pool p up to `deadline`; `window` numbers the (release, move) they belong to."""
    if work.window[kind, p] != window:
        work.window[kind, p] = window
        work.grown[kind, p] = first
        work.counts[kind, p] = 0
    grown = work.grown[kind, p]
    if grown < deadline:
        count = grow(price[p], grown, deadline, work.values[kind, p], work.periods[kind, p], work.counts[kind, p])
        sums(work.values[kind, p], count, work.totals[kind, p])
        work.counts[kind, p] = count
        work.grown[kind, p] = deadline


@inner_inlined
def gang_price(
    jobs: Jobs, work: Workspace, running: Floats, j: int, p: int, kind: int, need: float, group: int
) -> float:
    """Price of the cheapest start of job j's gang in pool p, found once for all jobs of the group as long as it."""
    d = int(duration(need))
    if work.block_group[kind, p, d] != group:
        work.block_group[kind, p, d] = group
        first = jobs.release[j] + kind * jobs.move_periods[j]
        work.block_price[kind, p, d], work.block_start[kind, p, d] = cheapest_start(
            running[p], first, jobs.deadline[j], d
        )
    return jobs.limit[j] * work.block_price[kind, p, d]


@inner_inlined
def pair_price(
    jobs: Jobs,
    network: Network,
    work: Workspace,
    hints: Hints,
    price: Floats,
    running: Floats,
    link_running: Floats,
    j: int,
    p: int,
    best: float,
    group: int,
    window: int,
) -> float:
    """Price of job j in pool p, or inf where it is closed or cannot be below `best`."""
    origin = jobs.origin[j]
    kind = 1 if jobs.move_periods[j] > 0 and jobs.remote[origin, p] else 0
    base = one_off(jobs, j, p)
    hours = jobs.work[j] * jobs.hours_per_work[jobs.job_class[j], p]
    if base + hours * work.group_least[kind, p] >= best + 1e-12 * abs(best):
        return np.inf
    need = full_periods(jobs, j, p)
    if need == np.inf:
        return np.inf
    if kind == 1:
        base += move_price(jobs, network, link_running, j, p)
    if jobs.rigid[j]:
        return base + gang_price(jobs, work, running, j, p, kind, need, group)
    first, deadline = jobs.release[j] + kind * jobs.move_periods[j], jobs.deadline[j]
    if work.window[kind, p] != window or work.grown[kind, p] < deadline:
        least = least_run_price(price[p], first, deadline, need, hints.marginal[j, p])
        if base + jobs.limit[j] * least >= best + NEAR * abs(best):
            return np.inf
        sorted_until(work, price, kind, p, first, deadline, window)
    count = work.counts[kind, p]
    hints.marginal[j, p] = work.values[kind, p, min(int(need), count - 1)]
    return base + jobs.limit[j] * cheapest(need, work.values[kind, p], work.totals[kind, p], count)


@inner_inlined
def add_load(jobs: Jobs, network: Network, work: Workspace, j: int, p: int, usage: Floats, traffic: Floats) -> int:
    """Book job j's load in pool p: a gang at its start, elastic hours by rank for `flush`; returns the start."""
    need = full_periods(jobs, j, p)
    move = jobs.move_periods[j]
    kind = 1 if move > 0 and jobs.remote[jobs.origin[j], p] else 0
    if kind == 1 and traffic.shape[0] > 0:
        route = jobs.origin[j] * network.clusters + network.pool_cluster[p]
        for k in range(network.route_start[route], network.route_start[route + 1]):
            for t in range(jobs.release[j], jobs.release[j] + move):
                traffic[network.route_link[k], t] += jobs.move_gbps[j]
    if jobs.rigid[j]:
        d = int(duration(need))
        start = work.block_start[kind, p, d]
        for t in range(start, start + d):
            usage[p, t] += jobs.limit[j]
        return start
    k = min(int(need), work.counts[kind, p])
    work.whole[kind, p, k] += jobs.limit[j]
    work.part[kind, p, k] += (need - k) * jobs.limit[j]
    work.marks[kind, p] = True
    return -1


@kernel
def chunk_pass(
    jobs: Jobs,
    network: Network,
    work: Workspace,
    hints: Hints,
    price: Floats,
    running: Floats,
    link_running: Floats,
    first_group: int,
    last_group: int,
    usage: Floats,
    traffic: Floats,
    pools: Ints,
    starts: Ints,
    yuan: Floats,
) -> tuple[float, float, float]:
    """Let the jobs of some groups choose at `price` (P, T) yuan per accelerator held for the period.

    Adds to `usage` (P, T) and `traffic` (L, T), writes each job's pool (-1 = unserved), rigid start and yuan, and
    returns (value, lost digits, magnitude of what was summed). `hints` decide what is tried first and what can be left
    out; they change the time, never the result. `work` is a `lagrangian.Workspace` of its own.
    """
    n_pools, n_periods = price.shape
    value, lost, magnitude = 0.0, 0.0, 0.0
    last_release, last_move = -1, -1
    window = -1
    for g in range(first_group, last_group):
        head = jobs.order[jobs.group_start[g]]
        if jobs.release[head] != last_release or jobs.move_periods[head] != last_move:
            last_release, last_move = jobs.release[head], jobs.move_periods[head]
            window += 1
        group_leasts(jobs, work, head)
        for i in range(jobs.group_start[g], jobs.group_start[g + 1]):
            j = jobs.order[i]
            best = jobs.unserved_yuan[j]
            best_pool = -1
            guess = hints.pool[j]
            for turn in range(-1, n_pools):
                p = guess if turn < 0 else turn
                if p < 0 or turn == guess:
                    continue
                cost = pair_price(jobs, network, work, hints, price, running, link_running, j, p, best, g, window)
                if cost < best or (cost == best and best_pool > p):
                    best = cost
                    best_pool = p
            value, lost = add_exactly(value, lost, best)
            magnitude += abs(best)
            yuan[j] = best
            pools[j] = hints.pool[j] = best_pool
            if best_pool >= 0:
                starts[j] = add_load(jobs, network, work, j, best_pool, usage, traffic)
                if jobs.rigid[j]:
                    magnitude += jobs.limit[j] * running[best_pool, n_periods]
        flush(work.marks, work.whole, work.part, work.periods, work.counts, usage)
    return value, lost, magnitude


@allocating
def services_pass(
    services: Services,
    network: Network,
    hours: Floats,
    price: Floats,
    link_price: Floats,
    usage: Floats,
    traffic: Floats,
    choice: Ints,
) -> tuple[float, float, float]:
    """Every service takes its cheapest pool in every period; `price` (P, T) is yuan per accelerator-hour.

    Adds accelerators to `usage` (P, T) and Gbit/s to `traffic` (L, T), writes `choice` (S, T), -1 = unserved, and
    returns (value, lost digits, magnitude).
    """
    n_services, n_periods = services.demand.shape
    n_pools = price.shape[0]
    best = np.empty(n_periods)
    route_price = np.zeros(n_periods)
    value = 0.0
    lost = 0.0
    magnitude = 0.0
    for s in range(n_services):
        best[:] = services.unserved_yuan[s]
        choice[s] = -1
        for p in range(n_pools):
            per_unit = services.per_unit[s, p]
            if per_unit == np.inf:
                continue
            route_price[:] = 0.0
            route = services.origin[s] * network.clusters + network.pool_cluster[p]
            for k in range(network.route_start[route], network.route_start[route + 1]):
                route_price += services.gbps[s] * link_price[network.route_link[k]]
            for t in range(n_periods):
                cost = services.yuan[s, p] + price[p, t] * per_unit + route_price[t]
                if cost < best[t]:
                    best[t] = cost
                    choice[s, t] = p
        for t in range(n_periods):
            asked = services.demand[s, t]
            if asked <= 0.0:
                continue
            value, lost = add_exactly(value, lost, hours[t] * asked * best[t])
            magnitude += hours[t] * asked * abs(best[t])
            p = choice[s, t]
            if p < 0:
                continue
            usage[p, t] += asked * services.per_unit[s, p]
            route = services.origin[s] * network.clusters + network.pool_cluster[p]
            for k in range(network.route_start[route], network.route_start[route + 1]):
                traffic[network.route_link[k], t] += asked * services.gbps[s]
    return value, lost, magnitude
