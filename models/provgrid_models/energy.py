"""The energy-cost model: what accelerators draw, which blocks supply it, and what the cheapest supply costs.

A busy accelerator draws (busy - idle) * server overhead * PUE above the idle floor of its cluster. Each cluster and
period has supply blocks (grid, contracted renewables) with a limit, a price and a carbon intensity; they are used
cheapest first. A demand charge on the grid peak D[c] couples the periods of a cluster: with a cap D on grid power the
cost of every period is convex and piecewise linear in D, so the best D lies on one of finitely many known breakpoints.
Source of the formulas: design §2, energy-cost model; two-part tariffs bill the month's highest demand in kW.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from provgrid_models.errors import InfeasibleError

if TYPE_CHECKING:
    from provgrid_models.problem import Bools, Floats, Ints, Problem

HOURS_PER_MONTH = 730.0
EXCESS_TOLERANCE = 1e-9  # load above all limits that rounding may explain, relative


@dataclass(frozen=True, eq=False)
class Supply:
    """How a load is supplied and what that costs over the horizon, yuan and kg weighted by real hours."""

    block_kw: Floats  # (B, T) power drawn from each block
    peak_kw: Floats  # (C,) highest grid power of each cluster
    energy_yuan: float
    carbon_yuan: float
    demand_charge_yuan: float
    kg: float  # CO2 of all blocks

    @property
    def total_yuan(self) -> float:
        """Energy, carbon price and demand charge together."""
        return self.energy_yuan + self.carbon_yuan + self.demand_charge_yuan


# What accelerators draw ----------------------------------------------------------------------------------------


def busy_kw_per_accelerator(busy_kw: Floats, idle_kw: Floats, server_overhead: Floats, pue: Floats) -> Floats:
    """Power of one busy accelerator above the idle floor, at the meter [kW]; arguments broadcast.

    kw = (busy - idle) * server overhead * PUE. A busy figure below the idle one counts as equal to it.
    """
    return np.asarray(np.maximum(np.subtract(busy_kw, idle_kw), 0.0) * server_overhead * pue, dtype=np.float64)


def idle_floor_kw(
    accelerators: Floats, idle_kw: Floats, server_overhead: Floats, pue: Floats, pool_cluster: Ints, n_clusters: int
) -> Floats:
    """Power that each cluster draws with no work [kW]: every installed accelerator of every pool idles.

    The arguments have shape (P,), `accelerators` (P,) or (P, T), and so has the result, by cluster; `pue` is that of
    each pool's cluster.
    """
    per_accelerator = np.asarray(idle_kw) * server_overhead * pue
    pool_kw = (np.asarray(accelerators, dtype=np.float64).T * per_accelerator).T
    floor = np.zeros((n_clusters, *pool_kw.shape[1:]))
    np.add.at(floor, pool_cluster, pool_kw)
    return floor


# What supplies it ----------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class SupplyBlocks:
    """Supply blocks of all clusters, grid blocks 0..C-1 first, then one per contract."""

    block_cluster: Ints  # (B,)
    block_limit_kw: Floats  # (B, T)
    block_yuan_per_kwh: Floats  # (B, T) marginal price
    block_kg_per_kwh: Floats  # (B, T)
    block_is_grid: Bools  # (B,)
    take_or_pay_yuan: float  # paid whatever the plan


def supply_blocks(
    *,
    grid_limit_kw: Floats,
    grid_yuan_per_kwh: Floats,
    grid_kg_per_kwh: Floats,
    contract_cluster: Ints,
    contract_kw: Floats,
    capacity_factor: Floats,
    contract_yuan_per_kwh: Floats,
    contract_kg_per_kwh: Floats,
    take_or_pay: Bools,
    hours: Floats,
) -> SupplyBlocks:
    """Blocks from grid tariffs (C, T), grid limits (C,) and contracts (N,) with capacity factors (N, T).

    A contract yields up to capacity * factor in each period. Take-or-pay power is paid in full, used or not: its
    cost sum_t h[t] * price * capacity * factor is a constant and its marginal price is 0.
    """
    clusters, periods = grid_yuan_per_kwh.shape
    contracts = len(contract_cluster)
    offered_kw = np.asarray(contract_kw)[:, None] * capacity_factor
    marginal = np.where(take_or_pay, 0.0, contract_yuan_per_kwh)
    constant = np.where(take_or_pay, contract_yuan_per_kwh, 0.0)

    def over_time(values: Floats) -> Floats:
        return np.broadcast_to(np.asarray(values, dtype=np.float64)[:, None], (len(values), periods))

    return SupplyBlocks(
        block_cluster=np.concatenate([np.arange(clusters), np.asarray(contract_cluster, dtype=np.int64)]),
        block_limit_kw=np.concatenate([over_time(grid_limit_kw), offered_kw]),
        block_yuan_per_kwh=np.concatenate([grid_yuan_per_kwh, over_time(marginal)]),
        block_kg_per_kwh=np.concatenate([grid_kg_per_kwh, over_time(contract_kg_per_kwh)]),
        block_is_grid=np.arange(clusters + contracts) < clusters,
        take_or_pay_yuan=float(constant @ (offered_kw @ hours)),
    )


def scaled_demand_charge(yuan_per_kw_month: Floats, horizon_hours: float) -> Floats:
    """Demand charge of the whole horizon [yuan per kW of peak]: monthly charge * horizon hours / 730."""
    return np.asarray(yuan_per_kw_month, dtype=np.float64) * (horizon_hours / HOURS_PER_MONTH)


# The cheapest supply of a load ---------------------------------------------------------------------------------


def least_cost_supply(problem: Problem, load_kw: Floats, carbon_extra_yuan_per_kg: float = 0.0) -> Supply:
    """Cheapest supply of a load (C, T) [kW] that already holds the idle floor; exact, demand charge included.

    `carbon_extra_yuan_per_kg` (say, the price of a carbon budget) steers the choice; the reported yuan leave it out.
    Raises `InfeasibleError` (cluster, period, kW asked, kW there) where the limits cannot carry the load.
    """
    if problem.block_cluster.size == 0:
        _check_limits(problem, load_kw, np.zeros(load_kw.shape))
        return Supply(np.zeros(problem.block_limit_kw.shape), np.zeros(load_kw.shape[0]), 0.0, 0.0, 0.0, 0.0)
    carbon_yuan_per_kg = problem.carbon_yuan_per_kg + carbon_extra_yuan_per_kg
    stack = _MeritOrder.of(problem, carbon_yuan_per_kg, load_kw.shape[0])
    _check_limits(problem, load_kw, stack.limit_kw.sum(axis=1))
    used_kw = stack.fill(load_kw)
    grid_kw = np.where(stack.is_grid, used_kw, 0.0).sum(axis=1)
    charged = np.flatnonzero((problem.demand_charge_yuan_per_kw > 0) & (grid_kw.max(axis=1, initial=0.0) > 0))
    if charged.size:
        part = stack.of_clusters(charged)
        cap_kw = _best_grid_cap(
            part, load_kw[charged], grid_kw[charged], problem.demand_charge_yuan_per_kw[charged], problem.hours
        )
        used_kw[charged] = part.fill(load_kw[charged], np.minimum(grid_kw[charged], cap_kw[:, None]))
    return _priced(problem, stack.to_blocks(used_kw, problem.block_limit_kw.shape))


def _priced(problem: Problem, block_kw: Floats) -> Supply:
    kwh = block_kw * problem.hours
    kg = float((kwh * problem.block_kg_per_kwh).sum())
    grid_kw = np.zeros(problem.floor_kw.shape)
    grid = problem.block_is_grid
    np.add.at(grid_kw, problem.block_cluster[grid], block_kw[grid])
    peak_kw = grid_kw.max(axis=1, initial=0.0)
    return Supply(
        block_kw=block_kw,
        peak_kw=peak_kw,
        energy_yuan=float((kwh * problem.block_yuan_per_kwh).sum()),
        carbon_yuan=problem.carbon_yuan_per_kg * kg,
        demand_charge_yuan=float(problem.demand_charge_yuan_per_kw @ peak_kw),
        kg=kg,
    )


def _check_limits(problem: Problem, load_kw: Floats, there_kw: Floats) -> None:
    """Raise `InfeasibleError` at the cluster and period with the largest excess of load over all limits."""
    excess = load_kw - there_kw
    if not (excess > EXCESS_TOLERANCE * np.maximum(load_kw, 1.0)).any():
        return
    c, t = (int(i) for i in np.unravel_index(excess.argmax(), excess.shape))
    cluster = problem.labels.clusters[c] if problem.labels.clusters is not None else c
    period = t if problem.labels.periods is None else f"{t} ({problem.labels.periods[t]:%Y-%m-%d %H:%M})"
    raise InfeasibleError(
        f"cluster {cluster}, period {period}: {load_kw[c, t]:,.6g} kW asked, {there_kw[c, t]:,.6g} kW there; "
        "raise its grid limit, add a contract, or lower its load"
    )


@dataclass(frozen=True)
class _MeritOrder:
    """Blocks of each cluster, cheapest first in every period; shape (C, slots, T), empty slots have limit 0."""

    block: Ints  # block id, -1 = empty slot
    limit_kw: Floats
    price: Floats  # yuan/kWh, carbon included
    is_grid: Bools

    @classmethod
    def of(cls, problem: Problem, carbon_yuan_per_kg: float, n_clusters: int) -> _MeritOrder:
        by_cluster = np.argsort(problem.block_cluster, kind="stable")
        count = np.bincount(problem.block_cluster, minlength=n_clusters)
        slot = np.arange(by_cluster.size) - np.repeat(np.cumsum(count) - count, count)
        shape = (n_clusters, int(count.max()), problem.block_limit_kw.shape[1])

        def stacked(values: Floats, empty: float) -> Floats:
            whole = np.full(shape, empty)
            whole[problem.block_cluster[by_cluster], slot] = values[by_cluster]
            return whole

        price = stacked(problem.block_yuan_per_kwh + carbon_yuan_per_kg * problem.block_kg_per_kwh, np.inf)
        grid = stacked(np.broadcast_to(problem.block_is_grid[:, None], problem.block_limit_kw.shape), 0.0)
        block = stacked(np.broadcast_to(np.arange(by_cluster.size)[:, None], problem.block_limit_kw.shape), -1.0)
        # At equal prices the grid comes last, which keeps its peak low.
        order = np.lexsort((grid, price), axis=1)
        return cls(
            block=np.take_along_axis(block, order, axis=1).astype(np.int64),
            limit_kw=np.take_along_axis(stacked(problem.block_limit_kw, 0.0), order, axis=1),
            price=np.take_along_axis(price, order, axis=1),
            is_grid=np.take_along_axis(grid, order, axis=1) > 0,
        )

    def of_clusters(self, clusters: Ints) -> _MeritOrder:
        return _MeritOrder(self.block[clusters], self.limit_kw[clusters], self.price[clusters], self.is_grid[clusters])

    def fill(self, load_kw: Floats, grid_kw: Floats | None = None) -> Floats:
        """Power from each slot, cheapest first; with `grid_kw` (C, T), exactly that much of it from the grid."""
        if grid_kw is None:
            return _fill(self.limit_kw, load_kw, self.block >= 0)
        from_grid = _fill(np.where(self.is_grid, self.limit_kw, 0.0), grid_kw, self.is_grid)
        others = ~self.is_grid & (self.block >= 0)
        return from_grid + _fill(np.where(others, self.limit_kw, 0.0), load_kw - grid_kw, others)

    def to_blocks(self, used_kw: Floats, shape: tuple[int, ...]) -> Floats:
        """Power of each block, shape (B, T)."""
        block_kw = np.zeros(shape)
        cluster, slot, period = np.nonzero(self.block >= 0)
        block_kw[self.block[cluster, slot, period], period] = used_kw[cluster, slot, period]
        return block_kw


def _below(limit_kw: Floats) -> Floats:
    """Sum of the limits of all slots before each slot, shape (C, slots, T)."""
    below = np.zeros(limit_kw.shape)
    np.cumsum(limit_kw[:, :-1], axis=1, out=below[:, 1:])
    return below


def _fill(limit_kw: Floats, load_kw: Floats, usable: Bools) -> Floats:
    """Fill slots in order up to their limits; what rounding leaves over goes to the last usable slot."""
    used = np.clip(load_kw[:, None, :] - _below(limit_kw), 0.0, limit_kw)
    left = np.maximum(load_kw - used.sum(axis=1), 0.0)
    cluster, period = np.nonzero((left > 0) & usable.any(axis=1))
    last = usable.shape[1] - 1 - np.argmax(usable[cluster, ::-1, period], axis=1)
    used[cluster, last, period] += left[cluster, period]
    return used


def _best_grid_cap(
    stack: _MeritOrder, load_kw: Floats, free_grid_kw: Floats, charge_yuan_per_kw: Floats, hours: Floats
) -> Floats:
    """Cap D on grid power that minimises charge * D + cost of supply under the cap, shape (C,) [kW].

    `free_grid_kw` is the grid power of plain merit order. The sum is convex in D, with kinks only where a grid slot
    fills up, where a slot of the others fills up, or where the cap stops binding: a bisection over all kinks, by the
    slope between neighbours, finds the lowest D from which it no longer falls.
    """
    grid_limit = np.where(stack.is_grid, stack.limit_kw, 0.0)
    other_limit = np.where(stack.is_grid, 0.0, stack.limit_kw)
    grid_below, other_below = _below(grid_limit), _below(other_limit)
    least = np.maximum(load_kw - other_limit.sum(axis=1), 0.0).max(axis=1)
    most = np.maximum(free_grid_kw.max(axis=1), least)
    kinks = np.concatenate(
        [grid_below, load_kw[:, None, :] - other_below, free_grid_kw[:, None, :], np.zeros_like(load_kw)[:, None, :]],
        axis=1,
    ).reshape(load_kw.shape[0], -1)
    kinks = np.sort(np.clip(kinks, least[:, None], most[:, None]), axis=1)

    def slope(cap_kw: Floats) -> Floats:
        cap = cap_kw[:, None, None]
        opened = (grid_limit > 0) & (grid_below <= cap)
        dearest_grid = np.where(opened, stack.price, -np.inf).max(axis=1)
        needed = (other_limit > 0) & (other_below < load_kw[:, None, :] - cap)
        dearest_other = np.where(needed, stack.price, -np.inf).max(axis=1)
        binding = cap_kw[:, None] < free_grid_kw
        saved = np.where(binding, np.where(binding, dearest_other, 0.0) - np.where(binding, dearest_grid, 0.0), 0.0)
        return charge_yuan_per_kw - saved @ hours

    rows = np.arange(kinks.shape[0])
    low = np.zeros(kinks.shape[0], dtype=np.int64)
    high = np.full(kinks.shape[0], kinks.shape[1] - 1)
    while (low < high).any():
        middle = (low + high) // 2
        following = np.minimum(middle + 1, kinks.shape[1] - 1)
        falls = slope(0.5 * (kinks[rows, middle] + kinks[rows, following])) < 0
        searching = low < high
        low = np.where(searching & falls, middle + 1, low)
        high = np.where(searching & ~falls, middle, high)
    return kinks[rows, low]
