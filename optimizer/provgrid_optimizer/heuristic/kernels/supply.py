"""The best load and supply of a cluster at given prices, by merging its sorted blocks and pools."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from provgrid_optimizer.heuristic.kernels.compiled import allocating, inner

if TYPE_CHECKING:
    from provgrid_models.problem import Floats, Ints
    from provgrid_optimizer.heuristic.arrays import Supply

GOLDEN = 0.3819660112501051  # (3 - sqrt(5)) / 2
NEARBY = 0.02  # of the largest grid power: how far from its last value a best cap is looked for first


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


@inner
def capped_yuan(
    supply: Supply,
    c: int,
    accelerator: Floats,
    carbon: float,
    cap: float,
    keys: Floats,
    items: Ints,
    worth: Floats,
    pools: Ints,
    used: Floats,
    each: Floats,
) -> float:
    """Cost of cluster c over all periods with grid power up to `cap`; per-period yuan/h go to `each` (T,)."""
    total = 0.0
    for t in range(each.size):
        each[t] = best_load(supply, c, t, accelerator, 0.0, carbon, cap, keys, items, worth, pools, used)[0]
        total += supply.hours[t] * each[t]
    return total


@allocating
def best_peaks(supply: Supply, accelerator: Floats, carbon: float, peak: Floats, used: Floats, caps: Floats) -> None:
    """Peak prices (C, T) that are best for given accelerator prices, and the load `used` (P, T) of the best cap.

    Per cluster: minimise charge * D + supply under the cap D, convex in D, by golden section; the prices are the
    slopes of each period's cost in D, mixed between both sides of a kink so that they sum to the charge.
    `caps` (C,) holds the best caps of prices close to these, NaN where none are known, and takes the new ones.
    `used` is written for the pools of clusters with a charge.
    """
    n_clusters, n_periods = peak.shape
    keys = np.empty(supply.block_list.size + 1)
    items = np.empty(supply.block_list.size + 1, np.int64)
    worth = np.empty(supply.pool_list.size + 1)
    pools = np.empty(supply.pool_list.size + 1, np.int64)
    here, left_yuan, right_yuan = np.zeros(n_periods), np.zeros(n_periods), np.zeros(n_periods)
    for c in range(n_clusters):
        charge = supply.demand_charge[c]
        peak[c] = 0.0
        if charge <= 0.0:
            continue
        low, high = 0.0, 0.0
        for t in range(n_periods):
            grid = best_load(supply, c, t, accelerator, 0.0, carbon, np.inf, keys, items, worth, pools, used)[2]
            high = max(high, grid)
            other = 0.0
            for k in range(supply.block_start[c], supply.block_start[c + 1]):
                b = supply.block_list[k]
                if not supply.block_is_grid[b]:
                    other += supply.block_limit_kw[b, t]
            low = max(low, supply.floor_kw[c, t] - other)
        if high <= low:
            high = low
        most = high
        if caps[c] >= 0.0:
            reach = NEARBY * most
            near, far = min(max(caps[c] - reach, low), high), max(min(caps[c] + reach, high), low)
            at_near = charge * near + capped_yuan(
                supply, c, accelerator, carbon, near, keys, items, worth, pools, used, here
            )
            middle = 0.5 * (near + far)
            at_middle = charge * middle + capped_yuan(
                supply, c, accelerator, carbon, middle, keys, items, worth, pools, used, here
            )
            at_far = charge * far + capped_yuan(
                supply, c, accelerator, carbon, far, keys, items, worth, pools, used, here
            )
            if at_near >= at_middle:
                low = near
            if at_far >= at_middle:
                high = far
        one = low + GOLDEN * (high - low)
        two = high - GOLDEN * (high - low)
        yuan_one = charge * one + capped_yuan(
            supply, c, accelerator, carbon, one, keys, items, worth, pools, used, here
        )
        yuan_two = charge * two + capped_yuan(
            supply, c, accelerator, carbon, two, keys, items, worth, pools, used, here
        )
        while high - low > 1e-6 * max(most, 1e-9):
            if yuan_one <= yuan_two:
                high, two, yuan_two = two, one, yuan_one
                one = low + GOLDEN * (high - low)
                yuan_one = charge * one + capped_yuan(
                    supply, c, accelerator, carbon, one, keys, items, worth, pools, used, here
                )
            else:
                low, one, yuan_one = one, two, yuan_two
                two = high - GOLDEN * (high - low)
                yuan_two = charge * two + capped_yuan(
                    supply, c, accelerator, carbon, two, keys, items, worth, pools, used, here
                )
        cap = 0.5 * (low + high)
        caps[c] = cap
        reach = max(1e-5 * most, 2.0 * (high - low), 1e-9)
        capped_yuan(supply, c, accelerator, carbon, cap + reach, keys, items, worth, pools, used, right_yuan)
        below = max(cap - reach, 0.0)
        capped_yuan(supply, c, accelerator, carbon, below, keys, items, worth, pools, used, left_yuan)
        capped_yuan(supply, c, accelerator, carbon, cap, keys, items, worth, pools, used, here)
        right_sum, left_sum, stuck_hours = 0.0, 0.0, 0.0
        for t in range(n_periods):
            right_yuan[t] = max((here[t] - right_yuan[t]) / reach, 0.0)
            right_sum += supply.hours[t] * right_yuan[t]
            if left_yuan[t] == np.inf:
                stuck_hours += supply.hours[t]
            elif cap > below:
                left_yuan[t] = max((left_yuan[t] - here[t]) / (cap - below), 0.0)
                left_sum += supply.hours[t] * left_yuan[t]
        if stuck_hours > 0.0:  # the idle floor alone needs this much grid: those periods bear what is left
            for t in range(n_periods):
                peak[c, t] = right_yuan[t]
                if left_yuan[t] == np.inf:
                    peak[c, t] += max(charge - right_sum, 0.0) / stuck_hours
            continue
        share = 0.0
        if left_sum > right_sum:
            share = min(max((charge - right_sum) / (left_sum - right_sum), 0.0), 1.0)
        for t in range(n_periods):
            peak[c, t] = right_yuan[t] + share * (left_yuan[t] - right_yuan[t])
