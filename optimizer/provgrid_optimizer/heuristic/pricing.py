"""The prices that best response works at: dual prices turned into curves that rise where a limit comes near."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from provgrid_models.problem import Bools, Floats, Ints, Problem
    from provgrid_optimizer.heuristic.arrays import Arrays, Supply
    from provgrid_optimizer.multipliers import Multipliers

LEAST_SCARCITY = 0.02  # of a pool's energy price: what a full hour costs at least, so that nobody fills it lightly
AT_KINK = 1e-9  # a load this close to the end of a block, relative, has the price of either side


class Pricing(NamedTuple):
    """Supply curves per cluster and period, scarcity per pool and period, and how steeply both rise.

    A limit's price is reached half a ramp before the limit; `ramp` is a share of the capacity, `ramp_kw` of the load.
    """

    block_kw: Floats  # (C, T, B') limits, cheapest first; 0 = no block
    block_price: Floats  # (C, T, B' + 1) yuan/kWh; the last one holds beyond every limit
    anchor: Floats  # (C, T) yuan/kWh, the dual price of energy
    scarcity: Floats  # (P, T) yuan per accelerator-hour, the dual price of the capacity
    least_scarcity: Floats  # (P,)
    ramp: Floats  # (1,)
    early: Floats  # (1,) how far before the limit, as a share of the ramp, its price is reached
    ramp_kw: Floats  # (C,)
    link_price: Floats  # (L, T) yuan per Gbit/s-hour
    link_running: Floats  # (L, T + 1) its running sum over hours
    links_cost: Bools  # (1,) whether any link has a price
    now: Floats  # (P, T) yuan per accelerator held for the period, one more than now


class Scratch(NamedTuple):
    """Room for one job's plan, so that the loops allocate nothing."""

    price: Floats  # (T,)
    first_part: Floats  # (T,) price of the first part of each period
    order: Ints  # (T,)
    amount: Floats  # (T,)
    room: Floats  # (T,)
    kept: Floats  # (T,)
    optimistic: Floats  # (P,)
    pool: Ints  # (P,)
    base: Floats  # (P,)
    marginal: NDArray[np.float32]  # (J, P) price of the last hour used when the pair was last looked at


def scratch(problem: Problem) -> Scratch:
    """Working space for kernels, nothing known yet."""
    periods, pools = problem.n_periods, problem.n_pools
    return Scratch(
        price=np.zeros(periods),
        first_part=np.zeros(periods),
        order=np.zeros(periods, dtype=np.int64),
        amount=np.zeros(periods),
        room=np.zeros(periods),
        kept=np.zeros(periods),
        optimistic=np.zeros(pools),
        pool=np.zeros(pools, dtype=np.int64),
        base=np.zeros(pools),
        marginal=np.zeros((problem.n_jobs, pools), dtype=np.float32),
    )


def pricing(problem: Problem, laid_out: Arrays, prices: Multipliers, offered: Floats) -> Pricing:
    """Curves around the dual prices; `offered` (P, T) is the load that supply would carry at them."""
    clusters, periods = problem.floor_kw.shape
    kw = np.maximum(problem.kw_per_accelerator, 1e-12)
    anchor = np.full((clusters, periods), np.inf)
    np.minimum.at(anchor, problem.pool_cluster, prices.accelerator / kw)
    anchor = np.where(np.isfinite(anchor), anchor, 0.0)
    load = problem.floor_kw.copy()
    np.add.at(load, problem.pool_cluster, problem.kw_per_accelerator * offered)
    block_kw, block_price = _curves(problem, laid_out.supply, prices, load)
    low = _step_price(block_kw, block_price, load * (1.0 - AT_KINK))
    high = _step_price(block_kw, block_price, load * (1.0 + AT_KINK))
    reached = np.clip(anchor, low, high)
    scarcity = prices.accelerator - problem.kw_per_accelerator * reached[problem.pool_cluster]
    typical = prices.accelerator.mean(axis=1, keepdims=True)
    installed = np.zeros((clusters, periods))
    np.add.at(installed, problem.pool_cluster, problem.kw_per_accelerator * problem.capacity)
    link_running = np.zeros((problem.n_links, periods + 1))
    np.cumsum(prices.link * problem.hours, axis=1, out=link_running[:, 1:])
    return Pricing(
        block_kw=block_kw,
        block_price=block_price,
        anchor=anchor,
        scarcity=np.maximum(scarcity, LEAST_SCARCITY * typical),
        least_scarcity=LEAST_SCARCITY * typical[:, 0],
        ramp=np.ones(1),
        early=np.full(1, 0.5),
        ramp_kw=installed.mean(axis=1),
        link_price=prices.link,
        link_running=link_running,
        links_cost=np.array([bool(prices.link.any())]),
        now=np.zeros((problem.n_pools, periods)),
    )


def _curves(problem: Problem, supply: Supply, prices: Multipliers, load_kw: Floats) -> tuple[Floats, Floats]:
    """Supply curves, limits (C, T, B') and prices (C, T, B' + 1), cheapest first.

    Under a demand charge the grid has a kink at its highest power of the dual's load: beyond it, a kW costs the whole
    charge.
    """
    clusters, periods = problem.floor_kw.shape
    slots = 2 * int(np.diff(supply.block_start).max(initial=1))
    block_kw = np.zeros((clusters, periods, slots))
    block_price = np.full((clusters, periods, slots + 1), np.inf)
    for c in range(clusters):
        own = supply.block_list[supply.block_start[c] : supply.block_start[c + 1]]
        limit = supply.block_limit_kw[own]
        price = supply.block_yuan[own] + prices.carbon * supply.block_kg[own]
        is_grid = np.broadcast_to(supply.block_is_grid[own, None], limit.shape)
        charge = supply.demand_charge[c]
        if charge > 0.0:
            rank = np.argsort(price, axis=0, kind="stable")
            limit, price = np.take_along_axis(limit, rank, axis=0), np.take_along_axis(price, rank, axis=0)
            is_grid = np.take_along_axis(is_grid, rank, axis=0)
            used = _fill(limit, load_kw[c])
            cap_kw = np.where(is_grid, used, 0.0).sum(axis=0).max()
            grid = np.where(is_grid, limit, 0.0)
            before = np.cumsum(np.vstack([np.zeros((1, periods)), grid[:-1]]), axis=0)
            below = np.where(is_grid, np.clip(cap_kw - before, 0.0, limit), limit)
            limit = np.vstack([below, np.where(is_grid, grid - below, 0.0)])
            price = np.vstack([price, np.where(is_grid, price + charge / problem.hours, np.inf)])
        rank = np.argsort(price, axis=0, kind="stable")
        block_price[c, :, : len(price)] = np.take_along_axis(price, rank, axis=0).T
        block_kw[c, :, : len(price)] = np.take_along_axis(limit, rank, axis=0).T
    return block_kw, block_price


def _fill(limit_kw: Floats, load_kw: Floats) -> Floats:
    """Power of each block, in the order given, that carries a load (T,); shapes (B, T)."""
    before = np.cumsum(np.vstack([np.zeros((1, load_kw.size)), limit_kw[:-1]]), axis=0)
    return np.asarray(np.clip(load_kw - before, 0.0, limit_kw))


def _step_price(block_kw: Floats, block_price: Floats, load: Floats) -> Floats:
    """Price of the block that a load ends in, shape (C, T)."""
    below = np.cumsum(block_kw, axis=2)
    slot = (below < load[:, :, None]).sum(axis=2)
    last = np.isfinite(block_price).sum(axis=2) - 1
    price = np.take_along_axis(block_price, np.minimum(slot, np.maximum(last, 0))[:, :, None], axis=2)[:, :, 0]
    return np.where(np.isfinite(price), price, 0.0)
