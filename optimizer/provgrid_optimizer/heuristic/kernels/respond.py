"""Sequential best response: one job or service at a time, at prices that feel what it adds itself."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from provgrid_optimizer.heuristic.kernels.compiled import inner, inner_inlined, kernel
from provgrid_optimizer.heuristic.kernels.dual import move_price
from provgrid_optimizer.heuristic.kernels.place import (
    SLACK,
    change_served,
    commit,
    hold,
    links_free,
    moves,
    remove,
    room,
    serve_more,
    window,
)
from provgrid_optimizer.heuristic.kernels.windows import TOLERANCE, duration, full_periods, least_run_price

if TYPE_CHECKING:
    from provgrid_models.problem import Floats, Ints
    from provgrid_optimizer.heuristic.arrays import Arrays
    from provgrid_optimizer.heuristic.pricing import Pricing, Scratch
    from provgrid_optimizer.heuristic.state import State

PARTS = 4  # steps in which an elastic job fills an hour, so that it feels its own price


@inner_inlined
def energy_price(pricing: Pricing, c: int, t: int, load_kw: float) -> float:
    """Marginal yuan per kWh at a load: the blocks' steps, with ramps through the dual price at each kink."""
    below = 0.0
    kink = 0.0
    blocks = pricing.block_kw.shape[2]
    ramp = pricing.ramp_kw[c]
    for k in range(blocks):
        limit = pricing.block_kw[c, t, k]
        if limit <= 0.0:
            continue
        price = pricing.block_price[c, t, k]
        following = pricing.block_price[c, t, k + 1]
        middle = min(max(pricing.anchor[c, t], price), following)
        width = min(ramp, 0.5 * limit)
        if load_kw <= below + limit or k == blocks - 1:
            if below > 0.0 and load_kw < below + width:
                start = min(max(pricing.anchor[c, t], kink), price)
                return start + (price - start) * max(load_kw - below, 0.0) / width
            if load_kw > below + limit - width:
                return price + (middle - price) * min((load_kw - below - limit) / width + 1.0, 1.0)
            return price
        below += limit
        kink = price
    return kink


@inner_inlined
def scarcity_price(pricing: Pricing, capacity: float, p: int, t: int, used: float) -> float:
    """Marginal yuan per accelerator-hour on top of energy, near the pool's capacity; `pricing.ramp` of it wide."""
    width = pricing.ramp[0] * capacity
    over = (used - capacity + width) / (width * (1.0 - pricing.early[0]) + 1e-300)
    if over <= 0.0:
        return 0.0
    return pricing.scarcity[p, t] * over * over


@inner_inlined
def marginal(laid_out: Arrays, state: State, pricing: Pricing, p: int, t: int, extra: float) -> float:
    """Yuan per accelerator held for period t in pool p, once `extra` more are in use."""
    supply = laid_out.supply
    c = laid_out.network.pool_cluster[p]
    kw = supply.kw[p, t]
    price = kw * energy_price(pricing, c, t, state.load_kw[c, t] + kw * extra)
    price += scarcity_price(pricing, supply.capacity[p, t], p, t, state.used[p, t] + extra)
    return supply.hours[t] * price


@inner_inlined
def average(laid_out: Arrays, state: State, pricing: Pricing, p: int, t: int, low: float, high: float) -> float:
    """Mean marginal price between `low` and `high` more accelerators, by two Gauss points."""
    middle = 0.5 * (low + high)
    reach = 0.28867513459481287 * (high - low)
    return 0.5 * (
        marginal(laid_out, state, pricing, p, t, middle - reach)
        + marginal(laid_out, state, pricing, p, t, middle + reach)
    )


@inner_inlined
def refresh(laid_out: Arrays, state: State, pricing: Pricing, p: int, first: int, last: int) -> None:
    """Bring `pricing.now` (P, T), the price of one accelerator more, up to date in some periods."""
    for t in range(first, last):
        pricing.now[p, t] = marginal(laid_out, state, pricing, p, t, 0.0)


@inner
def refresh_cluster(laid_out: Arrays, state: State, pricing: Pricing, p: int, first: int, last: int) -> None:
    """`refresh` for every pool of pool p's cluster: they share its supply."""
    c = laid_out.network.pool_cluster[p]
    for k in range(laid_out.supply.pool_start[c], laid_out.supply.pool_start[c + 1]):
        refresh(laid_out, state, pricing, laid_out.supply.pool_list[k], first, last)


@kernel
def refresh_all(laid_out: Arrays, state: State, pricing: Pricing) -> None:
    """`refresh` everything."""
    for p in range(pricing.now.shape[0]):
        refresh(laid_out, state, pricing, p, 0, pricing.now.shape[1])


@kernel
def reanchor(laid_out: Arrays, state: State, pricing: Pricing, weight: float) -> None:
    """Move each limit's price towards what it is at the current load, as a method of multipliers does.

    `weight` is the share of the way (geometric for scarcity). With the price of the optimum at the limit, the ramps
    pull nothing away from it, however wide they are.
    """
    supply = laid_out.supply
    n_pools, n_periods = pricing.scarcity.shape
    for p in range(n_pools):
        for t in range(n_periods):
            price = scarcity_price(pricing, supply.capacity[p, t], p, t, state.used[p, t])
            least = pricing.least_scarcity[p]
            pricing.scarcity[p, t] = max(pricing.scarcity[p, t] ** (1.0 - weight) * max(price, least) ** weight, least)
    for c in range(pricing.anchor.shape[0]):
        for t in range(n_periods):
            price = energy_price(pricing, c, t, state.load_kw[c, t])
            pricing.anchor[c, t] += weight * (price - pricing.anchor[c, t])


@inner_inlined
def put_in_order(price: Floats, order: Ints, count: int, t: int, value: float) -> None:
    """Insert period t into lists that descend in price, the cheapest at their end."""
    i = count
    while i > 0 and price[i - 1] < value:
        price[i] = price[i - 1]
        order[i] = order[i - 1]
        i -= 1
    price[i] = value
    order[i] = t


@inner
def plan_elastic(
    laid_out: Arrays,
    state: State,
    pricing: Pricing,
    j: int,
    p: int,
    first: int,
    last: int,
    enough: float,
    scratch: Scratch,
) -> float:
    """Fill the cheapest parts of hours, dearer as they fill; returns yuan and leaves accelerators in scratch.amount.

    inf where there is too little room, or as soon as it is clear that `enough` yuan would not do.
    """
    limit = laid_out.jobs.limit[j]
    need = full_periods(laid_out.jobs, j, p)
    left = need * limit
    step = limit / PARTS
    guess = scratch.marginal[j, p]
    least = left * guess
    for t in range(first, last):
        scratch.amount[t] = 0.0
        scratch.room[t] = min(limit, room(laid_out, state, p, t))
        if scratch.room[t] > 0.0:
            scratch.first_part[t] = average(laid_out, state, pricing, p, t, 0.0, min(step, scratch.room[t]))
            least -= max(guess - scratch.first_part[t], 0.0) * scratch.room[t]
    if least >= enough:
        return np.inf
    price = scratch.price
    order = scratch.order
    count = 0
    for t in range(first, last):
        if scratch.room[t] > 0.0:
            put_in_order(price, order, count, t, scratch.first_part[t])
            count += 1
    yuan = 0.0
    value = 0.0
    while left > 0.0 and count > 0:
        t = order[count - 1]
        value = price[count - 1]
        if yuan + left * value >= enough:
            return np.inf
        taken = min(left, step, scratch.room[t] - scratch.amount[t])
        scratch.amount[t] += taken
        yuan += taken * value
        left -= taken
        count -= 1
        free = scratch.room[t] - scratch.amount[t]
        if free > 1e-12 * limit:
            low = scratch.amount[t]
            dearer = average(laid_out, state, pricing, p, t, low, low + min(step, free))
            put_in_order(price, order, count, t, dearer)
            count += 1
    if left > need * limit * 2.0 * TOLERANCE:
        return np.inf
    scratch.marginal[j, p] = value
    return yuan


@inner
def plan_gang(
    laid_out: Arrays, state: State, pricing: Pricing, j: int, p: int, first: int, last: int, scratch: Scratch
) -> tuple[float, int]:
    """Cheapest start at which job j's gang fits, its own price included: (yuan, start)."""
    gang = laid_out.jobs.limit[j]
    periods = int(duration(full_periods(laid_out.jobs, j, p)))
    enough = gang * (1.0 - SLACK)
    best = np.inf
    start = -1
    since = first
    total = 0.0
    recent = scratch.price
    for t in range(first, last):
        if room(laid_out, state, p, t) < enough:
            since = t + 1
            total = 0.0
            continue
        half = 0.5 * gang
        recent[t] = half * (
            average(laid_out, state, pricing, p, t, 0.0, half) + average(laid_out, state, pricing, p, t, half, gang)
        )
        total += recent[t]
        if t - since >= periods:
            total -= recent[since]
            since += 1
        if t + 1 - since == periods and total < best:
            best = total
            start = since
    return best, start


@inner_inlined
def least_price(pricing: Pricing, p: int, first: int, last: int) -> float:
    """Cheapest period of a window at current prices."""
    least = np.inf
    for t in range(first, last):
        least = min(least, pricing.now[p, t])
    return least


@inner
def best_place(laid_out: Arrays, state: State, pricing: Pricing, j: int, scratch: Scratch) -> tuple[float, int]:
    """Best pool for job j (not in the plan), its own price included: (yuan, pool); pool -1 = better unserved.

    Pools are tried from the lowest optimistic price up, and left out once that alone is above the best.
    """
    jobs = laid_out.jobs
    n_pools = laid_out.supply.capacity.shape[0]
    count = 0
    for p in range(n_pools):
        first, last = window(laid_out, state, j, p)
        if last <= first:
            continue
        need = full_periods(jobs, j, p)
        base = jobs.gigabytes[j] * jobs.gb_yuan[jobs.origin[j], p]
        if moves(laid_out, j, p) > 0:
            base += move_price(jobs, laid_out.network, pricing.link_running, j, p)
        if jobs.rigid[j]:
            need = duration(need)
        least = need * least_price(pricing, p, first, last)
        if not jobs.rigid[j]:
            marginal_price = scratch.marginal[j, p]
            least = max(least, least_run_price(pricing.now[p], first, last, need, marginal_price))
        value = base + jobs.limit[j] * least
        i = count
        while i > 0 and scratch.optimistic[i - 1] > value:
            scratch.optimistic[i] = scratch.optimistic[i - 1]
            scratch.pool[i] = scratch.pool[i - 1]
            scratch.base[i] = scratch.base[i - 1]
            i -= 1
        scratch.optimistic[i] = value
        scratch.pool[i] = p
        scratch.base[i] = base
        count += 1
    best = jobs.unserved_yuan[j]
    best_pool = -1
    for i in range(count):
        if scratch.optimistic[i] >= best:
            break
        p = scratch.pool[i]
        if not links_free(laid_out, state, j, p):
            continue
        first, last = window(laid_out, state, j, p)
        if jobs.rigid[j]:
            yuan, _ = plan_gang(laid_out, state, pricing, j, p, first, last, scratch)
        else:
            enough = best - scratch.base[i]
            yuan = plan_elastic(laid_out, state, pricing, j, p, first, last, enough, scratch)
        if scratch.base[i] + yuan < best:
            best = scratch.base[i] + yuan
            best_pool = p
    return best, best_pool


@inner
def enter(laid_out: Arrays, state: State, pricing: Pricing, j: int, p: int, scratch: Scratch) -> bool:
    """Place job j in pool p at its best hours, its own price included; False and unchanged where it does not fit."""
    first, last = window(laid_out, state, j, p)
    if last <= first or not links_free(laid_out, state, j, p):
        return False
    if laid_out.jobs.rigid[j]:
        yuan, start = plan_gang(laid_out, state, pricing, j, p, first, last, scratch)
        if start < 0:
            return False
        done = hold(laid_out, state, j, p, start, int(duration(full_periods(laid_out.jobs, j, p))))
    else:
        yuan = plan_elastic(laid_out, state, pricing, j, p, first, last, np.inf, scratch)
        if yuan == np.inf:
            return False
        at = state.offset[j] - laid_out.jobs.release[j]
        for t in range(first, last):
            state.run[at + t] = scratch.amount[t]
        done = commit(laid_out, state, j, p, first, last)
    refresh_cluster(laid_out, state, pricing, p, first, last)
    return done


@inner
def leave(laid_out: Arrays, state: State, pricing: Pricing, j: int) -> None:
    """Take job j out and bring prices up to date."""
    p = state.pool[j]
    first, last = state.first[j], state.last[j] + 1
    remove(laid_out, state, j)
    refresh_cluster(laid_out, state, pricing, p, first, last)


@inner
def keep(laid_out: Arrays, state: State, j: int, scratch: Scratch) -> tuple[int, int, int]:
    """Write down where job j runs, so that `put_back` can restore it: (pool, first, last)."""
    first, last = state.first[j], state.last[j] + 1
    at = state.offset[j] - laid_out.jobs.release[j]
    for t in range(first, last):
        scratch.kept[t] = state.run[at + t]
    return state.pool[j], first, last


@inner
def put_back(
    laid_out: Arrays, state: State, pricing: Pricing, j: int, p: int, first: int, last: int, scratch: Scratch
) -> None:
    """Undo `leave`."""
    at = state.offset[j] - laid_out.jobs.release[j]
    for t in range(first, last):
        state.run[at + t] = scratch.kept[t]
    commit(laid_out, state, j, p, first, last)
    refresh_cluster(laid_out, state, pricing, p, first, last)


@inner_inlined
def has_placed_vertical(laid_out: Arrays, state: State, j: int) -> bool:
    """Whether a job that waits for j is in the plan."""
    for k in range(laid_out.chain.start[j], laid_out.chain.start[j + 1]):
        if state.pool[laid_out.chain.vertical[k]] >= 0:
            return True
    return False


@kernel
def enter_jobs(laid_out: Arrays, state: State, pricing: Pricing, order: Ints, pools: Ints, scratch: Scratch) -> int:
    """Place the jobs of `order` in given pools (J,), -1 = leave out; returns how many found no room there."""
    failed = 0
    for j in order:
        if pools[j] >= 0 and not enter(laid_out, state, pricing, j, pools[j], scratch):
            failed += 1
    return failed


@kernel
def respond_jobs(laid_out: Arrays, state: State, pricing: Pricing, order: Ints, scratch: Scratch) -> int:
    """Let every job of `order` leave and come back where it is cheapest now; returns how many changed pool.

    A job that cannot come back at all is put back where it was: no hard job and no base with a vertical is lost, and
    while limits are hard no job at all.
    """
    changed = 0
    for j in order:
        was, first, last = -1, 0, 0
        if state.pool[j] >= 0:
            was, first, last = keep(laid_out, state, j, scratch)
            leave(laid_out, state, pricing, j)
        _, p = best_place(laid_out, state, pricing, j, scratch)
        done = p >= 0 and enter(laid_out, state, pricing, j, p, scratch)
        if not done and was >= 0:
            dropped = p < 0 and state.stretch[0] > 0.0 and laid_out.jobs.unserved_yuan[j] < np.inf
            if dropped and not has_placed_vertical(laid_out, state, j):
                changed += 1
                continue
            put_back(laid_out, state, pricing, j, was, first, last, scratch)
        changed += state.pool[j] != was
    return changed


@kernel
def overloaded(laid_out: Arrays, state: State, p: int, first: int, last: int) -> bool:
    """Whether pool p or its cluster carries more than it may in one of the periods [first, last)."""
    supply = laid_out.supply
    c = laid_out.network.pool_cluster[p]
    for t in range(first, last):
        if state.used[p, t] > supply.capacity[p, t] * (1.0 + SLACK) + SLACK:
            return True
        if state.load_kw[c, t] > supply.limit_kw[c, t] * (1.0 + SLACK) + SLACK:
            return True
    return False


@kernel
def relieve(laid_out: Arrays, state: State, pricing: Pricing, order: Ints, scratch: Scratch) -> None:
    """Let jobs leave overloaded periods for wherever there is room; a base with a placed vertical may stay."""
    for j in order:
        p = state.pool[j]
        if p < 0 or not overloaded(laid_out, state, p, state.first[j], state.last[j] + 1):
            continue
        was, first, last = keep(laid_out, state, j, scratch)
        leave(laid_out, state, pricing, j)
        _, p = best_place(laid_out, state, pricing, j, scratch)
        done = p >= 0 and enter(laid_out, state, pricing, j, p, scratch)
        if not done and has_placed_vertical(laid_out, state, j):
            put_back(laid_out, state, pricing, j, was, first, last, scratch)


@kernel
def respond_services(laid_out: Arrays, state: State, pricing: Pricing, steps: int, order: Ints) -> None:
    """Let every service and period of `order` (n,) serve anew, in `steps` parts, each where it is cheapest then."""
    services = laid_out.services
    network = laid_out.network
    n_periods = services.demand.shape[1]
    for s in order:
        low, high = state.pair_start[s], state.pair_start[s + 1]
        for t in range(n_periods):
            asked = services.demand[s, t]
            if asked <= 0.0:
                continue
            for pair in range(low, high):
                if state.serve[pair, t] > 0.0:
                    change_served(laid_out, state, s, pair, t, -state.serve[pair, t])
                    state.serve[pair, t] = 0.0
                    refresh_cluster(laid_out, state, pricing, state.pair_pool[pair], t, t + 1)
            left = asked
            tries = 0
            while left > asked * 1e-12 and tries < 4 * steps + high - low:
                best = services.unserved_yuan[s]
                best_pair = -1
                for pair in range(low, high):
                    p = state.pair_pool[pair]
                    if room(laid_out, state, p, t) <= 1e-9 * asked * services.per_unit[s, p]:
                        continue
                    price = services.yuan[s, p]
                    route = services.origin[s] * network.clusters + network.pool_cluster[p]
                    blocked = False
                    for k in range(network.route_start[route], network.route_start[route + 1]):
                        link = network.route_link[k]
                        price += services.gbps[s] * pricing.link_price[link, t]
                        if state.traffic[link, t] >= network.link_gbps[link] and services.gbps[s] > 0.0:
                            blocked = True
                    if blocked:
                        continue
                    extra = min(asked / steps, left) * services.per_unit[s, p]
                    price += (
                        services.per_unit[s, p]
                        * average(laid_out, state, pricing, p, t, 0.0, extra)
                        / (laid_out.supply.hours[t])
                    )
                    if price < best:
                        best = price
                        best_pair = pair
                if best_pair < 0:
                    break
                served = serve_more(laid_out, state, s, best_pair, t, min(asked / steps, left))
                refresh_cluster(laid_out, state, pricing, state.pair_pool[best_pair], t, t + 1)
                left -= served
                tries += 1


@inner
def service_price(
    laid_out: Arrays, state: State, pricing: Pricing, s: int, pair: int, t: int, low: float, high: float
) -> float:
    """Yuan per unit-hour of service s from one of its pairs, when it changes by `low` to `high` units there.

    inf where a link on the way is full and more would be asked of it.
    """
    services = laid_out.services
    network = laid_out.network
    p = state.pair_pool[pair]
    price = services.yuan[s, p]
    if services.gbps[s] > 0.0:
        route = services.origin[s] * network.clusters + network.pool_cluster[p]
        for k in range(network.route_start[route], network.route_start[route + 1]):
            link = network.route_link[k]
            price += services.gbps[s] * pricing.link_price[link, t]
            if high > 0.0 and state.traffic[link, t] >= network.link_gbps[link]:
                return np.inf
    per_unit = services.per_unit[s, p]
    if low == high == 0.0:
        return price + per_unit * pricing.now[p, t] / laid_out.supply.hours[t]
    around = average(laid_out, state, pricing, p, t, low * per_unit, high * per_unit)
    return price + per_unit * around / laid_out.supply.hours[t]


@kernel
def shift_services(
    laid_out: Arrays, state: State, pricing: Pricing, rounds: int, order: Ints, first: int, last: int
) -> None:
    """Shift each service, in each period of [first, last), from its dearest pool to its cheapest until both cost the same.

    `rounds` shifts per service and period; each is as large as keeps the target cheaper than the source. Unserved
    units count as a source at their penalty, and as a target, so that what costs more than its penalty is dropped.
    """
    services = laid_out.services
    for s in order:
        low, high = state.pair_start[s], state.pair_start[s + 1]
        for t in range(first, last):
            asked = services.demand[s, t]
            if asked <= 0.0:
                continue
            least = 1e-9 * asked
            for _ in range(rounds):
                served = 0.0
                source, dearest = -2, -np.inf
                target, cheapest_price = -1, services.unserved_yuan[s]
                for pair in range(low, high):
                    amount = state.serve[pair, t]
                    served += amount
                    price = service_price(laid_out, state, pricing, s, pair, t, 0.0, 0.0)
                    if amount > least and price > dearest:
                        source, dearest = pair, price
                    p = state.pair_pool[pair]
                    if price < cheapest_price and room(laid_out, state, p, t) > least * services.per_unit[s, p]:
                        target, cheapest_price = pair, price
                if asked - served > least and services.unserved_yuan[s] > dearest:
                    source, dearest = -1, services.unserved_yuan[s]
                if source == -2 or source == target or dearest <= cheapest_price * (1.0 + 1e-9):
                    break
                amount = state.serve[source, t] if source >= 0 else asked - served
                amount = balanced(laid_out, state, pricing, s, source, target, t, amount)
                if amount <= least:
                    break
                if not shift(laid_out, state, pricing, s, source, target, t, amount):
                    break


@inner
def balanced(
    laid_out: Arrays, state: State, pricing: Pricing, s: int, source: int, target: int, t: int, amount: float
) -> float:
    """Largest amount, by halving, whose last part is still worth shifting; pair -1 stands for unserved."""
    penalty = laid_out.services.unserved_yuan[s]
    for _ in range(12):
        tail = 0.9 * amount
        gain = penalty if source < 0 else service_price(laid_out, state, pricing, s, source, t, -amount, -tail)
        cost = penalty if target < 0 else service_price(laid_out, state, pricing, s, target, t, tail, amount)
        if cost <= gain:
            return amount
        amount *= 0.5
    return 0.0


@inner
def shift(
    laid_out: Arrays, state: State, pricing: Pricing, s: int, source: int, target: int, t: int, amount: float
) -> bool:
    """Move units of a service from one pair to another, as far as limits let it; False where nothing moved."""
    if source >= 0:
        change_served(laid_out, state, s, source, t, -amount)
        refresh_cluster(laid_out, state, pricing, state.pair_pool[source], t, t + 1)
    if target < 0:
        return True
    moved = serve_more(laid_out, state, s, target, t, amount)
    refresh_cluster(laid_out, state, pricing, state.pair_pool[target], t, t + 1)
    if source >= 0 and moved < amount:
        change_served(laid_out, state, s, source, t, amount - moved)
        refresh_cluster(laid_out, state, pricing, state.pair_pool[source], t, t + 1)
    return moved > 0.0
