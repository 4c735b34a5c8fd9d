"""What one more accelerator would be worth at the prices that prove the bound, pool by pool and hour by hour.

The bound's supply term lets each cluster and hour choose the load that its prices pay for: accelerators in the order of
what they pay for a kilowatt-hour, pi / kw, against supply blocks in the order of what they ask. Where the two orders
meet stands the price of power, sigma, and one more accelerator adds max(pi - kw sigma, 0) an hour to what the plan may
save: the derivative of the bound by the pool's capacity, its sign turned.

One more *installed* accelerator is there for its availability a, and draws its idle power i in every hour. So it is
worth the sum over the hours of a max(pi - kw sigma, 0) - i sigma, which is what `provgrid value` counts too, at prices
of its own: those of the plan, which it solves for. A price alone says nothing about how far it holds.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from provgrid_models.problem import Floats, Problem
    from provgrid_models.scenario import Scenario
    from provgrid_optimizer.multipliers import Multipliers

TINY_KW = 1e-9


@dataclass(frozen=True)
class Scarcity:
    """What is scarce at the prices of a bound."""

    yuan_per_h: Floats  # (P, T) worth of one more accelerator that draws power only while it works
    power_yuan_per_kwh: Floats  # (C, T) price at which each cluster's power clears


def scarcity(problem: Problem, multipliers: Multipliers) -> Scarcity:
    """Find what one more accelerator, and one more kilowatt-hour, would be worth in each period."""
    ask = block_ask_yuan_per_kwh(problem, multipliers)
    worth = np.zeros(problem.capacity.shape)
    power = np.zeros(problem.floor_kw.shape)
    for cluster in range(problem.n_clusters):
        pools = np.flatnonzero(problem.pool_cluster == cluster)
        blocks = np.flatnonzero(problem.block_cluster == cluster)
        for period in range(problem.n_periods):
            pays, kw = multipliers.accelerator[pools, period], problem.kw_per_accelerator[pools, period]
            price = power_price_yuan_per_kwh(
                ask[blocks, period],
                problem.block_limit_kw[blocks, period],
                float(problem.floor_kw[cluster, period]),
                pays,
                kw,
                problem.capacity[pools, period],
            )
            power[cluster, period] = price
            worth[pools, period] = np.maximum(pays - np.where(kw > TINY_KW, kw * price, 0.0), 0.0)
    return Scarcity(yuan_per_h=worth, power_yuan_per_kwh=power)


def one_more_yuan(found: Scarcity, problem: Problem, scenario: Scenario | None) -> Floats:
    """Worth of one more installed accelerator of each pool over the horizon, its idle power taken off, shape (P,).

    Of a problem that came as arrays, an accelerator is always available and draws nothing idle.
    """
    working = found.yuan_per_h @ problem.hours
    if scenario is None:
        return np.asarray(working)
    chips = {chip.id: chip for chip in scenario.chips}
    pue = {cluster.id: cluster.pue for cluster in scenario.clusters}
    available = np.array([pool.availability for pool in scenario.pools])
    idle_kw = np.array(
        [chips[pool.chip].idle_kw * chips[pool.chip].server_overhead * pue[pool.cluster] for pool in scenario.pools]
    )
    power_yuan_per_kw = (found.power_yuan_per_kwh @ problem.hours)[problem.pool_cluster]
    return np.asarray(available * working - np.where(idle_kw > 0.0, idle_kw * power_yuan_per_kw, 0.0))


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
