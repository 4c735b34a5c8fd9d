"""Best response of services: units shift between pools, hour by hour, until their prices match."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from provgrid_optimizer.heuristic.kernels.compiled import inner, kernel
from provgrid_optimizer.heuristic.kernels.curves import average, refresh_cluster
from provgrid_optimizer.heuristic.kernels.place import change_served, room, serve_more

if TYPE_CHECKING:
    from provgrid_models.problem import Ints
    from provgrid_optimizer.heuristic.arrays import Arrays
    from provgrid_optimizer.heuristic.pricing import Pricing
    from provgrid_optimizer.heuristic.state import State


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
    if services.gbps[s] > 0.0 and (high > 0.0 or pricing.links_cost[0]):
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
    """Shift each service, in periods [first, last), from its dearest pool to its cheapest until both cost the same.

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
