"""What one more accelerator would be worth at the prices that prove the bound, pool by pool and hour by hour.

The bound's supply term lets each cluster and hour choose the load that its prices pay for: accelerators in the order of
what they pay for a kilowatt-hour, pi / kw, against supply blocks in the order of what they ask. Where the two orders
meet stands the price of power, sigma, and one more accelerator adds max(pi - kw sigma, 0) an hour to what the plan may
save: the derivative of the bound by the pool's capacity, its sign turned. A price alone says nothing about how far it
holds; `provgrid value` solves again.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from provgrid_models.problem import Floats, Problem
    from provgrid_optimizer.multipliers import Multipliers

TINY_KW = 1e-9


def scarcity_yuan_per_h(problem: Problem, multipliers: Multipliers) -> Floats:
    """Worth of one more accelerator in each pool and period, yuan per accelerator-hour, shape (P, T)."""
    ask = block_ask_yuan_per_kwh(problem, multipliers)
    worth = np.zeros(problem.capacity.shape)
    for cluster in range(problem.n_clusters):
        pools = np.flatnonzero(problem.pool_cluster == cluster)
        blocks = np.flatnonzero(problem.block_cluster == cluster)
        for period in range(problem.n_periods):
            pays, kw = multipliers.accelerator[pools, period], problem.kw_per_accelerator[pools, period]
            power = power_price_yuan_per_kwh(
                ask[blocks, period],
                problem.block_limit_kw[blocks, period],
                float(problem.floor_kw[cluster, period]),
                pays,
                kw,
                problem.capacity[pools, period],
            )
            worth[pools, period] = np.maximum(pays - np.where(kw > TINY_KW, kw * power, 0.0), 0.0)
    return worth


def block_ask_yuan_per_kwh(problem: Problem, multipliers: Multipliers) -> Floats:
    """Price of a kilowatt-hour of each supply block: energy, carbon, and the demand charge's share, shape (B, T)."""
    carbon = (problem.carbon_yuan_per_kg + multipliers.carbon) * problem.block_kg_per_kwh
    peak = multipliers.peak[problem.block_cluster] * problem.block_is_grid[:, None]
    return np.asarray(problem.block_yuan_per_kwh + carbon + peak)


def power_price_yuan_per_kwh(
    ask: Floats, limit_kw: Floats, floor_kw: float, pays: Floats, kw: Floats, capacity: Floats
) -> float:
    """Price at which one cluster's power clears in one hour; inf where supply ends before all that pay are served.

    `ask`, `limit_kw` belong to blocks, `pays` (yuan per accelerator-hour), `kw` and `capacity` to pools.
    """
    takes = kw > TINY_KW
    bids = pays[takes] / kw[takes]
    wants_kw = (kw * capacity)[takes]
    order = np.argsort(ask, kind="stable")
    offered_kw = np.cumsum(limit_kw[order])
    load_kw, price = floor_kw, _asked(ask[order], offered_kw, floor_kw)
    for pool in np.argsort(-bids, kind="stable"):
        wanted_kw = load_kw + wants_kw[pool]
        after = _asked(ask[order], offered_kw, wanted_kw)
        if after >= bids[pool]:
            # Power becomes as dear as this pool pays before all of it runs: it sets the price, or has no use for more.
            return max(price, float(bids[pool])) if after > price else price
        load_kw, price = wanted_kw, after
    return price


def _asked(ask: Floats, offered_kw: Floats, load_kw: float) -> float:
    """Price of the block that carries the last kilowatt of a load; inf beyond all blocks."""
    at = int(np.searchsorted(offered_kw, load_kw * (1.0 - 1e-12) - TINY_KW, side="left"))
    return float(ask[at]) if at < ask.size else np.inf
