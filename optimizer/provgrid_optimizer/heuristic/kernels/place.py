"""Placing and removing work in a `State`, every limit respected."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from provgrid_optimizer.heuristic.kernels.compiled import allocating, inlined, inner, inner_inlined, kernel
from provgrid_optimizer.heuristic.kernels.windows import TOLERANCE, duration, full_periods, grow

if TYPE_CHECKING:
    from provgrid_models.problem import Floats, Ints
    from provgrid_optimizer.heuristic.arrays import Arrays, Supply
    from provgrid_optimizer.heuristic.state import State

SLACK = 1e-9  # overload that rounding may explain, relative to a limit


@inlined
def room(laid_out: Arrays, state: State, p: int, t: int) -> float:
    """Accelerators that pool p can still take in period t, by its capacity and its cluster's supply."""
    supply = laid_out.supply
    stretch = 1.0 + state.stretch[0]
    left = supply.capacity[p, t] * stretch - state.used[p, t]
    kw = supply.kw[p, t]
    if kw > 0.0:
        c = laid_out.network.pool_cluster[p]
        left = min(left, (supply.limit_kw[c, t] * stretch - state.load_kw[c, t]) / kw)
    return max(left, 0.0)


@kernel
def greenest_kg(supply: Supply, c: int, t: int, load_kw: float) -> float:
    """Carbon per hour of the greenest supply of `load_kw` [kg/h]: cleanest blocks first."""
    kg = 0.0
    left = load_kw
    cleanest = -np.inf
    while left > 0.0:
        following = np.inf
        for k in range(supply.block_start[c], supply.block_start[c + 1]):
            intensity = supply.block_kg[supply.block_list[k], t]
            if intensity > cleanest and intensity < following:
                following = intensity
        if following == np.inf:
            break
        limit = 0.0
        for k in range(supply.block_start[c], supply.block_start[c + 1]):
            if supply.block_kg[supply.block_list[k], t] == following:
                limit += supply.block_limit_kw[supply.block_list[k], t]
        kg += following * min(left, limit)
        left -= limit
        cleanest = following
    return kg


@inner
def change_used(laid_out: Arrays, state: State, p: int, t: int, accelerators: float) -> None:
    """Add accelerators (or take them away) in one pool and period: used, load and carbon."""
    supply = laid_out.supply
    c = laid_out.network.pool_cluster[p]
    state.used[p, t] += accelerators
    load = state.load_kw[c, t] + supply.kw[p, t] * accelerators
    if supply.carbon_budget_kg < np.inf:
        before = greenest_kg(supply, c, t, state.load_kw[c, t])
        state.greenest_kg[0] += supply.hours[t] * (greenest_kg(supply, c, t, load) - before)
    state.load_kw[c, t] = load


@inner_inlined
def within_budget(laid_out: Arrays, state: State) -> bool:
    """Whether the greenest supply of the load keeps the carbon budget."""
    return state.greenest_kg[0] <= laid_out.supply.carbon_budget_kg * (1.0 + 0.1 * SLACK)


@inner_inlined
def moves(laid_out: Arrays, j: int, p: int) -> int:
    """Periods that job j's data loads links on its way to pool p."""
    jobs = laid_out.jobs
    return jobs.move_periods[j] if jobs.remote[jobs.origin[j], p] else 0


@inner_inlined
def window(laid_out: Arrays, state: State, j: int, p: int) -> tuple[int, int]:
    """Periods [first, last) in which job j may run in pool p, given where its base and verticals are placed.

    Empty (0, 0) where the pool is closed, or the base is unserved.
    """
    jobs = laid_out.jobs
    chain = laid_out.chain
    if full_periods(jobs, j, p) == np.inf:
        return 0, 0
    first = jobs.release[j] + moves(laid_out, j, p)
    base = chain.after[j]
    if base >= 0:
        if state.pool[base] < 0:
            return 0, 0
        first = max(first, state.last[base] + 1 + chain.lag[j])
    last = jobs.deadline[j]
    if chain.leave[j] - first >= full_periods(jobs, j, p):
        last = min(last, chain.leave[j])
    for k in range(chain.start[j], chain.start[j + 1]):
        vertical = chain.vertical[k]
        if state.pool[vertical] >= 0:
            last = min(last, state.first[vertical] - chain.lag[vertical])
    return first, last


@inner
def change_traffic(laid_out: Arrays, state: State, j: int, p: int, sign: float) -> None:
    """Put job j's move to pool p on its links (sign 1), or take it off (-1)."""
    jobs = laid_out.jobs
    network = laid_out.network
    route = jobs.origin[j] * network.clusters + network.pool_cluster[p]
    for k in range(network.route_start[route], network.route_start[route + 1]):
        for t in range(jobs.release[j], jobs.release[j] + moves(laid_out, j, p)):
            state.traffic[network.route_link[k], t] += sign * jobs.move_gbps[j]


@inner
def links_free(laid_out: Arrays, state: State, j: int, p: int) -> bool:
    """Whether the links on the way to pool p can carry job j's move."""
    jobs = laid_out.jobs
    network = laid_out.network
    route = jobs.origin[j] * network.clusters + network.pool_cluster[p]
    for k in range(network.route_start[route], network.route_start[route + 1]):
        link = network.route_link[k]
        limit = network.link_gbps[link] * (1.0 + SLACK)
        for t in range(jobs.release[j], jobs.release[j] + moves(laid_out, j, p)):
            if state.traffic[link, t] + jobs.move_gbps[j] > limit:
                return False
    return True


@kernel
def remove(laid_out: Arrays, state: State, j: int) -> None:
    """Take job j out of the plan."""
    p = state.pool[j]
    if p < 0:
        return
    start = state.offset[j] - laid_out.jobs.release[j]
    for t in range(state.first[j], state.last[j] + 1):
        amount = state.run[start + t]
        if amount > 0.0:
            state.run[start + t] = 0.0
            change_used(laid_out, state, p, t, -amount)
    if laid_out.network.link_gbps.size > 0:
        change_traffic(laid_out, state, j, p, -1.0)
    state.pool[j] = -1


@inner
def commit(laid_out: Arrays, state: State, j: int, p: int, first: int, last: int) -> bool:
    """Book job j into pool p with what stands in `state.run` for periods [first, last); undone over the budget."""
    start = state.offset[j] - laid_out.jobs.release[j]
    state.pool[j] = p
    state.first[j] = last
    for t in range(first, last):
        amount = state.run[start + t]
        if amount > 0.0:
            change_used(laid_out, state, p, t, amount)
            state.first[j] = min(state.first[j], t)
            state.last[j] = t
    if laid_out.network.link_gbps.size > 0:
        change_traffic(laid_out, state, j, p, 1.0)
    if not within_budget(laid_out, state):
        remove(laid_out, state, j)
        return False
    return True


@inner
def fill_in_order(laid_out: Arrays, state: State, j: int, p: int, order: Ints, count: int) -> bool:
    """Run elastic job j in the `count` periods of `order` up to its limit, one after the other; False if short."""
    jobs = laid_out.jobs
    need = full_periods(jobs, j, p)
    left = need
    start = state.offset[j] - jobs.release[j]
    first = jobs.deadline[j]
    last = jobs.release[j]
    for i in range(count):
        t = order[i]
        share = min(left, 1.0, room(laid_out, state, p, t) / jobs.limit[j])
        if share <= 0.0:
            continue
        state.run[start + t] = share * jobs.limit[j]
        first = min(first, t)
        last = max(last, t + 1)
        left -= share
        if left <= 0.0:
            break
    if left > need * 2.0 * TOLERANCE:
        for t in range(first, last):
            state.run[start + t] = 0.0
        return False
    return commit(laid_out, state, j, p, first, last)


@inner
def hold(laid_out: Arrays, state: State, j: int, p: int, start: int, periods: int) -> bool:
    """Hold job j's gang for `periods` periods from `start`."""
    at = state.offset[j] - laid_out.jobs.release[j]
    for t in range(start, start + periods):
        state.run[at + t] = laid_out.jobs.limit[j]
    return commit(laid_out, state, j, p, start, start + periods)


@inner
def best_gang_start(laid_out: Arrays, state: State, price: Floats, j: int, p: int, first: int, last: int) -> int:
    """Cheapest start, at `price` (P, T), at which job j's gang fits pool p; -1 if there is none. Ties: earliest."""
    jobs = laid_out.jobs
    periods = int(duration(full_periods(jobs, j, p)))
    gang = jobs.limit[j] * (1.0 - SLACK)
    best = np.inf
    start = -1
    free_since = first
    total = 0.0
    for t in range(first, last):
        if room(laid_out, state, p, t) < gang:
            free_since = t + 1
            total = 0.0
            continue
        total += price[p, t]
        if t - free_since >= periods:
            total -= price[p, free_since]
            free_since += 1
        if t + 1 - free_since == periods and total < best - 1e-12 * abs(total):
            best = total
            start = free_since
    return start


@allocating
def place_cheapest(laid_out: Arrays, state: State, price: Floats, j: int, p: int) -> bool:
    """Place job j in pool p at the cheapest hours (or start) that `price` (P, T) shows and limits leave."""
    first, last = window(laid_out, state, j, p)
    if last <= first or not links_free(laid_out, state, j, p):
        return False
    if laid_out.jobs.rigid[j]:
        start = best_gang_start(laid_out, state, price, j, p, first, last)
        periods = int(duration(full_periods(laid_out.jobs, j, p)))
        return start >= 0 and hold(laid_out, state, j, p, start, periods)
    values = np.empty(last - first)
    order = np.empty(last - first, np.int32)
    count = grow(price[p], first, last, values, order, 0)
    return fill_in_order(laid_out, state, j, p, order, count)


@allocating
def place_earliest(laid_out: Arrays, state: State, j: int, p: int) -> bool:
    """Place job j in pool p as early as limits leave room; a gang at its earliest start."""
    first, last = window(laid_out, state, j, p)
    if last <= first or not links_free(laid_out, state, j, p):
        return False
    if laid_out.jobs.rigid[j]:
        periods = int(duration(full_periods(laid_out.jobs, j, p)))
        gang = laid_out.jobs.limit[j] * (1.0 - SLACK)
        held = 0
        for t in range(first, last):
            held = held + 1 if room(laid_out, state, p, t) >= gang else 0
            if held == periods:
                return hold(laid_out, state, j, p, t + 1 - periods, periods)
        return False
    return fill_in_order(laid_out, state, j, p, np.arange(first, last).astype(np.int32), last - first)


@inner
def serve_more(laid_out: Arrays, state: State, s: int, pair: int, t: int, units: float) -> float:
    """Serve up to `units` more of service s from one of its pairs in period t; return what was served."""
    services = laid_out.services
    network = laid_out.network
    p = state.pair_pool[pair]
    amount = min(units, room(laid_out, state, p, t) / services.per_unit[s, p])
    route = services.origin[s] * network.clusters + network.pool_cluster[p]
    if services.gbps[s] > 0.0:
        for k in range(network.route_start[route], network.route_start[route + 1]):
            link = network.route_link[k]
            left = max(network.link_gbps[link] - state.traffic[link, t], 0.0)
            amount = min(amount, left / services.gbps[s])
    if amount <= 0.0:
        return 0.0
    change_served(laid_out, state, s, pair, t, amount)
    if not within_budget(laid_out, state):
        change_served(laid_out, state, s, pair, t, -amount)
        return 0.0
    return amount


@inner
def change_served(laid_out: Arrays, state: State, s: int, pair: int, t: int, units: float) -> None:
    """Add units of a service pair (or take them away): pool, supply and links follow."""
    network = laid_out.network
    services = laid_out.services
    p = state.pair_pool[pair]
    state.serve[pair, t] += units
    change_used(laid_out, state, p, t, units * services.per_unit[s, p])
    route = services.origin[s] * network.clusters + network.pool_cluster[p]
    for k in range(network.route_start[route], network.route_start[route + 1]):
        state.traffic[network.route_link[k], t] += units * services.gbps[s]


@kernel
def serve_in_order(laid_out: Arrays, state: State, s: int, order: Ints) -> None:
    """Serve what service s still asks, period by period, from pools in the order given (pool ids; closed skipped)."""
    n_periods = laid_out.services.demand.shape[1]
    first, last = state.pair_start[s], state.pair_start[s + 1]
    for t in range(n_periods):
        left = laid_out.services.demand[s, t]
        for pair in range(first, last):
            left -= state.serve[pair, t]
        for p in order:
            if left <= 0.0:
                break
            for pair in range(first, last):
                if state.pair_pool[pair] == p:
                    left -= serve_more(laid_out, state, s, pair, t, left)


@kernel
def unserve(laid_out: Arrays, state: State, s: int) -> None:
    """Take service s out of the plan."""
    for pair in range(state.pair_start[s], state.pair_start[s + 1]):
        for t in range(state.serve.shape[1]):
            if state.serve[pair, t] > 0.0:
                change_served(laid_out, state, s, pair, t, -state.serve[pair, t])
                state.serve[pair, t] = 0.0
