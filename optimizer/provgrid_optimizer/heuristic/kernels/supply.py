"""The best load and supply of a cluster at given prices, by merging its sorted blocks and pools."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from provgrid_optimizer.heuristic.kernels.compiled import allocating, inner

if TYPE_CHECKING:
    from provgrid_models.problem import Floats, Ints
    from provgrid_optimizer.heuristic.arrays import Supply


@inner
def sort_by(keys: Floats, items: Ints, count: int) -> None:
    """Sort `items` by `keys`, ascending, both in place, by insertion."""
    for i in range(1, count):
        key = keys[i]
        item = items[i]
        k = i
        while k > 0 and keys[k - 1] > key:
            keys[k] = keys[k - 1]
            items[k] = items[k - 1]
            k -= 1
        keys[k] = key
        items[k] = item


@inner
def best_load(
    supply: Supply,
    c: int,
    t: int,
    accelerator: Floats,
    peak: float,
    carbon: float,
    grid_limit: float,
    keys: Floats,
    items: Ints,
    worth: Floats,
    pools: Ints,
    used: Floats,
) -> tuple[float, float, float, float]:
    """Cheapest supply minus what its accelerators earn, for cluster c in period t.

    `accelerator` (P, T) is what a pool's accelerator-hour earns, `peak` the price of a grid kWh on top, `carbon` of
    a kg, `grid_limit` a limit on all grid power (inf where the peak is priced). Writes accelerators to `used` (P, T).
    Returns (yuan per hour, magnitude, grid kW, kg per hour); yuan is inf where supply cannot carry the floor.
    """
    blocks = 0
    for k in range(supply.block_start[c], supply.block_start[c + 1]):
        b = supply.block_list[k]
        extra = peak if supply.block_is_grid[b] else 0.0
        keys[blocks] = supply.block_yuan[b, t] + carbon * supply.block_kg[b, t] + extra
        items[blocks] = b
        blocks += 1
    sort_by(keys, items, blocks)
    count = 0
    yuan = 0.0
    magnitude = 0.0
    for k in range(supply.pool_start[c], supply.pool_start[c + 1]):
        p = supply.pool_list[k]
        used[p, t] = 0.0
        if supply.kw[p, t] > 0.0:
            worth[count] = -accelerator[p, t] / supply.kw[p, t]
            pools[count] = p
            count += 1
        elif accelerator[p, t] > 0.0:
            used[p, t] = supply.capacity[p, t]
            yuan -= accelerator[p, t] * supply.capacity[p, t]
            magnitude += accelerator[p, t] * supply.capacity[p, t]
    sort_by(worth, pools, count)
    floor = supply.floor_kw[c, t]
    grid = 0.0
    kg = 0.0
    at = 0
    pool_left = supply.kw[pools[0], t] * supply.capacity[pools[0], t] if count > 0 else 0.0
    for i in range(blocks):
        b = items[i]
        left = supply.block_limit_kw[b, t]
        if supply.block_is_grid[b]:
            left = max(min(left, grid_limit - grid), 0.0)
        taken = 0.0
        if floor > 0.0:
            part = min(floor, left)
            floor -= part
            left -= part
            taken += part
        while floor <= 0.0 and at < count and left > 0.0:
            if -worth[at] <= keys[i]:
                at = count
                break
            part = min(pool_left, left)
            p = pools[at]
            used[p, t] += part / supply.kw[p, t]
            yuan += worth[at] * part
            magnitude += abs(worth[at]) * part
            left -= part
            pool_left -= part
            taken += part
            if pool_left <= 0.0:
                at += 1
                if at < count:
                    pool_left = supply.kw[pools[at], t] * supply.capacity[pools[at], t]
        yuan += keys[i] * taken
        magnitude += abs(keys[i]) * taken
        kg += supply.block_kg[b, t] * taken
        if supply.block_is_grid[b]:
            grid += taken
    if floor > 1e-9 * max(1.0, supply.floor_kw[c, t]):
        return np.inf, np.inf, grid, kg
    return yuan, magnitude, grid, kg


@allocating
def supply_pass(
    supply: Supply, accelerator: Floats, peak: Floats, carbon: float, used: Floats, grid: Floats
) -> tuple[float, float, float, float]:
    """Every cluster and period picks its best load; `peak` (C, T), writes `used` (P, T), `grid` (C, T).

    Returns (value, lost digits, magnitude, kg); value is inf where a floor exceeds its supply.
    """
    n_clusters, n_periods = grid.shape
    keys = np.empty(supply.block_list.size + 1)
    items = np.empty(supply.block_list.size + 1, np.int64)
    worth = np.empty(supply.pool_list.size + 1)
    pools = np.empty(supply.pool_list.size + 1, np.int64)
    value = 0.0
    lost = 0.0
    magnitude = 0.0
    kg = 0.0
    for c in range(n_clusters):
        for t in range(n_periods):
            yuan, size, grid[c, t], period_kg = best_load(
                supply, c, t, accelerator, peak[c, t], carbon, np.inf, keys, items, worth, pools, used
            )
            yuan *= supply.hours[t]
            new = value + yuan
            lost += (value - new) + yuan if abs(value) >= abs(yuan) else (yuan - new) + value
            value = new
            magnitude += supply.hours[t] * size
            kg += supply.hours[t] * period_kg
    return value, lost, magnitude, kg
