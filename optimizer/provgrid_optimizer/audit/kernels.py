"""Compiled loops of the audit: gangs taken apart into starts, and the two minimisations behind the bound.

Each takes plain arrays and trusts them. None of it is shared with an engine: the audit proves bounds on its own.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import njit
from numpy.typing import NDArray

from provgrid_optimizer.audit.case import ROUNDING

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]


# Gangs ---------------------------------------------------------------------------------------------------------


@njit(cache=True, nogil=True)
def start_shares(period: Ints, running: Floats, duration: int, n_periods: int) -> Floats:
    """Share that starts in each period, shape (T + 1,), from the share `running` in the rows' periods.

    x[t] = r[t] - r[t - 1] + x[t - d]. A profile that is no sum of whole gangs shows as a negative x.
    """
    x = np.zeros(n_periods + 1)
    for k in range(period.size):
        x[period[k]] += running[k]
        x[period[k] + 1] -= running[k]
    for t in range(duration, n_periods + 1):
        x[t] += x[t - duration]
    return x


@njit(cache=True, nogil=True)
def gang_faults(
    judged: Ints,
    run_start: Ints,
    run_period: Ints,
    run_accelerators: Floats,
    gang: Floats,
    duration: Ints,
    n_periods: int,
) -> tuple[Floats, Floats, Floats]:
    """Lowest start share, sum of the positive ones, and the highest, of each judged pair.

    Only the periods from a pair's first run to the one after its last are looked at: a gang that is cut short
    shows there.
    """
    lowest, total, highest = np.zeros(judged.size), np.zeros(judged.size), np.zeros(judged.size)
    x = np.zeros(n_periods + 2)
    for i in range(judged.size):
        pair = judged[i]
        rows_from, rows_to = run_start[pair], run_start[pair + 1]
        if rows_from == rows_to:
            continue
        first, last = run_period[rows_from], run_period[rows_to - 1]
        x[first : last + 2] = 0.0
        for k in range(rows_from, rows_to):
            running = run_accelerators[k] / gang[pair]
            x[run_period[k]] += running
            x[run_period[k] + 1] -= running
        for t in range(first, last + 2):
            if t - duration[pair] >= first:
                x[t] += x[t - duration[pair]]
            lowest[i] = min(lowest[i], x[t])
            highest[i] = max(highest[i], x[t])
            total[i] += max(x[t], 0.0)
    return lowest, total, highest


# Jobs of the bound ---------------------------------------------------------------------------------------------


@njit(cache=True, nogil=True)
def lowest_in_window(lowest: Floats, pool: int, first: int, end: int) -> float:
    """Lowest price of a pool in [first, end), from `lowest[k, p, t]` = minimum over 2**k periods from t."""
    level = 0
    while (2 << level) <= end - first:
        level += 1
    return float(min(lowest[level, pool, first], lowest[level, pool, end - (1 << level)]))


@njit(cache=True, nogil=True)
def cheapest_hours(price: Floats, first: int, end: int, hours: float, per_period: float, scratch: Floats) -> float:
    """Least cost of `hours` accelerator-hours, at most `per_period` in each period of [first, end)."""
    window = scratch[: end - first]
    window[:] = price[first:end]
    window.sort()
    cost, left = 0.0, hours
    for k in range(window.size):
        taken = min(left, per_period)
        cost += taken * window[k]
        left -= taken
        if left <= 0.0:
            break
    return cost


@njit(cache=True, nogil=True)
def cheapest_start(price_sum: Floats, first: int, end: int, duration: int, per_period: float) -> float:
    """Least cost of `per_period` accelerator-hours in each of `duration` periods in one piece inside [first, end)."""
    best = np.inf
    for start in range(first, end - duration + 1):
        best = min(best, price_sum[start + duration] - price_sum[start])
    return best * per_period


@njit(cache=True, nogil=True)
def jobs_least_cost(
    job_kind: Ints,
    job_origin: Ints,
    work: Floats,
    release: Ints,
    deadline: Ints,
    maximum: Floats,
    rigid: Bools,
    move_periods: Ints,
    move_gbps: Floats,
    gigabytes: Floats,
    unserved: Floats,
    pinned: Ints,
    kind_rate: Floats,
    gb_yuan: Floats,
    all_work: Floats,
    tenant: Ints,
    held_yuan: Floats,
    has_links: Bools,
    transit_sum: Floats,
    pool_cluster: Ints,
    pool_most: Floats,
    period_h: float,
    price: Floats,
    price_sum: Floats,
    lowest: Floats,
) -> Floats:
    """Least cost of each job on its own at given prices, shape (J,).

    `all_work` counts all copies of a job, and an accelerator-hour of tenant n costs `held_yuan[n, p]` beside power.
    `price[p, t]` is yuan per accelerator-hour delivered in period t (its weight included), `price_sum` its sums from
    0, `lowest` its minima over windows, `transit_sum[r, c, t]` yuan per Gbit/s on the route through period t - 1.
    Pools are tried by a lower bound (all hours at the window's lowest price), so that most are never priced in full.
    """
    n_pools, n_periods = price.shape
    best_of = np.empty(work.size)
    scratch = np.empty(n_periods)
    at_least = np.empty(n_pools)
    fixed = np.empty(n_pools)
    first = np.empty(n_pools, np.int64)
    hours = np.empty(n_pools)
    duration = np.empty(n_pools, np.int64)
    for j in range(work.size):
        best = unserved[j]
        per_period = maximum[j] * period_h
        for p in range(n_pools):
            at_least[p] = np.inf
            rate, gb_price = kind_rate[job_kind[j], p], gb_yuan[job_origin[j], p]
            if rate <= 0.0 or np.isinf(gb_price) or (pinned[j] >= 0 and pinned[j] != p):
                continue
            if rigid[j] and maximum[j] > pool_most[p] * (1.0 + ROUNDING):
                continue
            cluster = pool_cluster[p]
            fixed[p], first[p] = gigabytes[j] * gb_price, release[j]
            if has_links[job_origin[j], cluster]:
                first[p] += move_periods[j]
                if move_periods[j] > 0 and first[p] <= n_periods:
                    on_the_way = transit_sum[job_origin[j], cluster]
                    fixed[p] += move_gbps[j] * (on_the_way[first[p]] - on_the_way[release[j]])
            hours[p] = work[j] / rate
            fixed[p] += all_work[j] / rate * held_yuan[tenant[j], p]
            periods = hours[p] / per_period
            if rigid[j]:
                periods = max(np.ceil(periods - ROUNDING * max(1.0, periods)), 1.0)
            if periods * (1.0 - ROUNDING) > deadline[j] - first[p]:
                continue
            if rigid[j]:
                duration[p] = int(periods)
                hours[p] = periods * per_period
            at_least[p] = fixed[p] + hours[p] * lowest_in_window(lowest, p, first[p], deadline[j])
        while True:
            p = int(np.argmin(at_least))
            if not at_least[p] < best:
                break
            if rigid[j]:
                cost = cheapest_start(price_sum[p], first[p], deadline[j], duration[p], per_period)
            else:
                cost = cheapest_hours(price[p], first[p], deadline[j], hours[p], per_period, scratch)
            best = min(best, fixed[p] + cost)
            at_least[p] = np.inf
        best_of[j] = best
    return best_of


@njit(cache=True, nogil=True)
def ordered_least_cost(
    row: Ints,
    pool: Ints,
    first: Ints,
    end: Ints,
    hours: Floats,
    duration: Ints,
    per_period: Floats,
    price: Floats,
    begun: Floats,
    done: Floats,
) -> Floats:
    """Least cost of each pair's run in [first, end), where shares of the job have prices on top, shape (pairs,).

    `begun[row, t]` is paid for the share that starts in t, `done[row, t]` for the share that is done in t. A gang of
    `duration` periods starts and ends as a whole; with `duration` 0 the job does part of itself in every hour.
    """
    least = np.empty(row.size)
    own, scratch = np.empty(price.shape[1]), np.empty(price.shape[1])
    for i in range(row.size):
        if duration[i] == 0:
            for t in range(first[i], end[i]):
                own[t] = price[pool[i], t] + done[row[i], t] / hours[i]
            least[i] = cheapest_hours(own, first[i], end[i], hours[i], per_period[i], scratch)
            continue
        least[i] = np.inf
        for start in range(first[i], end[i] - duration[i] + 1):
            last = start + duration[i] - 1
            held = 0.0
            for t in range(start, last + 1):
                held += price[pool[i], t]
            least[i] = min(least[i], held * per_period[i] + begun[row[i], start] + done[row[i], last])
    return least


# Clusters of the bound -----------------------------------------------------------------------------------------


@njit(cache=True, nogil=True)
def supply_least_cost(
    floor_kw: Floats,
    block_cluster: Ints,
    block_limit_kw: Floats,
    block_price: Floats,
    pool_cluster: Ints,
    capacity: Floats,
    kw_per_accelerator: Floats,
    accelerator_price: Floats,
) -> Floats:
    """Least of supply cost minus what the load is worth, shape (C, T), yuan per hour.

    Each cluster and period chooses its supply and its load, worth `accelerator_price`: the cheapest blocks carry the
    floor, then the load that is worth most per kW, for as long as it is worth more than its power costs. Both lists
    are sorted, so the greedy choice is the best one. inf where the blocks cannot carry the floor.
    """
    n_clusters, n_periods = floor_kw.shape
    cost = np.zeros((n_clusters, n_periods))
    for c in range(n_clusters):
        blocks = np.flatnonzero(block_cluster == c)
        pools = np.flatnonzero(pool_cluster == c)
        worth = np.empty(pools.size)
        load = np.empty(pools.size)
        for t in range(n_periods):
            for i in range(pools.size):
                p = pools[i]
                load[i] = kw_per_accelerator[p, t] * capacity[p, t]
                worth[i] = -np.inf
                if load[i] > 0.0:
                    worth[i] = accelerator_price[p, t] / kw_per_accelerator[p, t]
                else:  # load that draws nothing is taken whenever it is worth anything
                    cost[c, t] -= accelerator_price[p, t] * capacity[p, t]
            dearest_first = np.argsort(-worth)
            cheapest_first = np.argsort(block_price[blocks, t])
            cost[c, t] += _merge(
                floor_kw[c, t],
                worth[dearest_first],
                load[dearest_first],
                block_price[blocks, t][cheapest_first],
                block_limit_kw[blocks, t][cheapest_first],
            )
    return cost


@njit(cache=True, nogil=True)
def _merge(floor_kw: float, worth: Floats, load: Floats, price: Floats, limit: Floats) -> float:
    """Cost of the floor from the cheapest blocks, and of the load as far as it is worth its power."""
    cost, need, pool = 0.0, floor_kw, -1
    block, left = 0, limit[0] if limit.size else 0.0
    while True:
        while need <= 0.0:
            pool += 1
            if pool == worth.size:
                return cost
            need = load[pool]
        while left <= 0.0:
            block += 1
            if block >= limit.size:
                # Rounding may leave a trace of the floor that no block carries.
                return np.inf if pool < 0 and need > ROUNDING * max(1.0, floor_kw) else cost
            left = limit[block]
        value = 0.0 if pool < 0 else worth[pool]
        if pool >= 0 and value <= price[block]:
            return cost
        step = min(need, left)
        cost += (price[block] - value) * step
        need -= step
        left -= step


def window_minima(price: Floats) -> Floats:
    """Minimum of each pool's price over the 2**k periods from t, shape (levels, P, T); inf past the end."""
    n_periods = price.shape[1]
    levels: list[Any] = [price]
    while (2 << (len(levels) - 1)) <= n_periods:
        half = 1 << (len(levels) - 1)
        longer = np.full(price.shape, np.inf)
        longer[:, :-half] = np.minimum(levels[-1][:, :-half], levels[-1][:, half:])
        levels.append(longer)
    return np.array(levels)
