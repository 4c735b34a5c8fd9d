"""One pass of the Lagrangian: every job picks its cheapest pool and hours, every service its cheapest pool."""

from __future__ import annotations

import numpy as np
from provgrid_optimizer.heuristic.kernels.compiled import allocating, kernel

from provgrid_optimizer.heuristic.kernels.windows import (
    cheapest,
    cheapest_start,
    duration,
    full_periods,
    grow,
    sums,
)


@kernel
def add_exactly(total, lost, value):
    """Neumaier's compensated sum: return the new (total, lost)."""
    new = total + value
    lost += (total - new) + value if abs(total) >= abs(value) else (value - new) + total
    return new, lost


@kernel
def move_price(jobs, network, link_running, j, p):
    """What the links on the way charge for moving job j's data to pool p; `link_running` (L, T + 1)."""
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


@kernel
def flush(marks, whole, part, periods, counts, usage):
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


@allocating
def chunk_pass(jobs, network, price, running, link_running, first_group, last_group, usage, traffic, pools, starts):
    """Let the jobs of some groups choose at `price` (P, T) yuan per accelerator held for the period.

    Adds to `usage` (P, T) and `traffic` (L, T), writes each job's pool (-1 = unserved) and rigid start, and returns
    (value, lost digits, magnitude of what was summed).
    """
    n_pools, n_periods = price.shape
    values = np.empty((2, n_pools, n_periods))
    periods = np.empty((2, n_pools, n_periods), np.int32)
    totals = np.zeros((2, n_pools, n_periods + 1))
    counts = np.zeros((2, n_pools), np.int64)
    marks = np.zeros((2, n_pools), np.bool_)
    whole = np.zeros((2, n_pools, n_periods + 1))
    part = np.zeros((2, n_pools, n_periods + 1))
    block_price = np.empty((2, n_pools, n_periods + 1))
    block_start = np.empty((2, n_pools, n_periods + 1), np.int64)
    block_group = np.full((2, n_pools, n_periods + 1), -1)
    value = 0.0
    lost = 0.0
    magnitude = 0.0
    last_release = -1
    last_move = -1
    last_deadline = -1
    for g in range(first_group, last_group):
        head = jobs.order[jobs.group_start[g]]
        release = jobs.release[head]
        move = jobs.move_periods[head]
        deadline = jobs.deadline[head]
        same = release == last_release and move == last_move
        for kind in range(2 if move > 0 else 1):
            first = min(release + kind * move, deadline)
            for p in range(n_pools):
                start = max(last_deadline, first) if same else first
                if not same:
                    counts[kind, p] = 0
                counts[kind, p] = grow(price[p], start, deadline, values[kind, p], periods[kind, p], counts[kind, p])
                sums(values[kind, p], counts[kind, p], totals[kind, p])
        last_release = release
        last_move = move
        last_deadline = deadline
        for i in range(jobs.group_start[g], jobs.group_start[g + 1]):
            j = jobs.order[i]
            best = jobs.unserved_yuan[j]
            best_pool = -1
            best_kind = 0
            for p in range(n_pools):
                need = full_periods(jobs, j, p)
                if need == np.inf:
                    continue
                base = jobs.gigabytes[j] * jobs.gb_yuan[jobs.origin[j], p]
                if base >= best:
                    continue
                kind = 1 if move > 0 and jobs.remote[jobs.origin[j], p] else 0
                if kind == 1:
                    base += move_price(jobs, network, link_running, j, p)
                if jobs.rigid[j]:
                    d = int(duration(need))
                    if block_group[kind, p, d] != g:
                        block_group[kind, p, d] = g
                        block_price[kind, p, d], block_start[kind, p, d] = cheapest_start(
                            running[p], release + kind * move, deadline, d
                        )
                    cost = base + jobs.limit[j] * block_price[kind, p, d]
                else:
                    cost = base + jobs.limit[j] * cheapest(need, values[kind, p], totals[kind, p], counts[kind, p])
                if cost < best:
                    best = cost
                    best_pool = p
                    best_kind = kind
            value, lost = add_exactly(value, lost, best)
            magnitude += abs(best)
            pools[j] = best_pool
            if best_pool < 0:
                continue
            p = best_pool
            need = full_periods(jobs, j, p)
            if best_kind == 1 and traffic.shape[0] > 0:
                route = jobs.origin[j] * network.clusters + network.pool_cluster[p]
                for k in range(network.route_start[route], network.route_start[route + 1]):
                    for t in range(release, release + move):
                        traffic[network.route_link[k], t] += jobs.move_gbps[j]
            if jobs.rigid[j]:
                d = int(duration(need))
                magnitude += jobs.limit[j] * running[p, n_periods]
                starts[j] = block_start[best_kind, p, d]
                for t in range(starts[j], starts[j] + d):
                    usage[p, t] += jobs.limit[j]
            else:
                k = min(int(need), counts[best_kind, p])
                whole[best_kind, p, k] += jobs.limit[j]
                part[best_kind, p, k] += (need - k) * jobs.limit[j]
                marks[best_kind, p] = True
        flush(marks, whole, part, periods, counts, usage)
    return value, lost, magnitude


@allocating
def services_pass(services, network, hours, price, link_price, usage, traffic, choice):
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
