"""Prices that rise with the load: energy along a cluster's supply curve, scarcity near a pool's capacity."""

from __future__ import annotations

from typing import TYPE_CHECKING

from provgrid_optimizer.heuristic.kernels.compiled import inner, inner_inlined, kernel
from provgrid_optimizer.heuristic.kernels.place import SLACK

if TYPE_CHECKING:
    from provgrid_optimizer.heuristic.arrays import Arrays
    from provgrid_optimizer.heuristic.pricing import Pricing
    from provgrid_optimizer.heuristic.state import State


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
