"""The best grid cap of a cluster at given prices, and the peak prices that follow: exact, by sorting slopes."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from provgrid_optimizer.heuristic.kernels.compiled import allocating, inner
from provgrid_optimizer.heuristic.kernels.supply import best_load, sort_by

if TYPE_CHECKING:
    from provgrid_models.problem import Floats, Ints
    from provgrid_optimizer.heuristic.arrays import Supply

AT_FLOOR = 1e-12  # of the least cap: periods this close to it cannot do with less


@inner
def grid_by_price(supply: Supply, c: int, t: int, carbon: float, keys: Floats, blocks: Ints) -> int:
    """Write the grid blocks of a cluster to `keys` (yuan/kWh, ascending) and `blocks`; return their count."""
    count = 0
    for k in range(supply.block_start[c], supply.block_start[c + 1]):
        b = supply.block_list[k]
        if supply.block_is_grid[b]:
            keys[count] = supply.block_yuan[b, t] + carbon * supply.block_kg[b, t]
            blocks[count] = b
            count += 1
    sort_by(keys, blocks, count)
    return count


@inner
def needs_by_worth(
    supply: Supply, c: int, t: int, accelerator: Floats, carbon: float, worth: Floats, size: Floats, order: Ints
) -> tuple[int, float]:
    """Write who would take grid power to `worth` (-yuan/kWh, ascending) and `size[order]` (kW).

    Pools would at what their accelerators earn, other blocks at what they would save. Returns (count, kW of grid that
    the floor needs when all other blocks give what they have; negative where they hold more).
    """
    count = 0
    most_kw = supply.floor_kw[c, t]
    for k in range(supply.pool_start[c], supply.pool_start[c + 1]):
        p = supply.pool_list[k]
        if supply.kw[p, t] > 0.0:
            worth[count] = -accelerator[p, t] / supply.kw[p, t]
            size[count] = supply.kw[p, t] * supply.capacity[p, t]
            most_kw += size[count]
            order[count] = count
            count += 1
    floor_kw = supply.floor_kw[c, t]
    for k in range(supply.block_start[c], supply.block_start[c + 1]):
        b = supply.block_list[k]
        if not supply.block_is_grid[b]:
            worth[count] = -(supply.block_yuan[b, t] + carbon * supply.block_kg[b, t])
            size[count] = min(supply.block_limit_kw[b, t], most_kw)
            floor_kw -= size[count]
            order[count] = count
            count += 1
    sort_by(worth, order, count)
    return count, floor_kw


@inner
def savings(
    supply: Supply,
    t: int,
    keys: Floats,
    blocks: Ints,
    grids: int,
    worth: Floats,
    size: Floats,
    order: Ints,
    needs: int,
    level_kw: float,
    values: Floats,
    ends_kw: Floats,
) -> int:
    """Write what one more kW of cap saves in period t, yuan/h, descending, and where each value ends; their count."""
    count = 0
    i = 0
    grid_kw = supply.block_limit_kw[blocks[0], t] if grids > 0 else 0.0
    while i + 1 < grids and grid_kw <= level_kw:
        i += 1
        grid_kw += supply.block_limit_kw[blocks[i], t]
    for k in range(needs):
        level_kw += size[order[k]]
        while i < grids:
            value = -worth[k] - keys[i]
            if value <= 0.0:
                return count
            if min(level_kw, grid_kw) > 0.0:
                values[count] = value
                ends_kw[count] = min(level_kw, grid_kw)
                count += 1
            if grid_kw > level_kw:
                break
            i += 1
            if i < grids:
                grid_kw += supply.block_limit_kw[blocks[i], t]
    return count


@allocating
def best_peaks(supply: Supply, accelerator: Floats, carbon: float, peak: Floats, used: Floats, caps_kw: Floats) -> None:
    """Peak prices (C, T) that are best for given accelerator prices (P, T), and the load of the best cap.

    Per cluster: minimise charge * D + supply under the cap D, which is convex and piecewise linear in D. What one more
    kW saves falls in steps; the best cap is where the sum over all hours falls below the charge, and each period's
    peak price is what it would save there. `caps_kw` (C,) takes the best caps and `used` (P, T) the load under them,
    for clusters with a charge.
    """
    n_clusters, n_periods = peak.shape
    most = supply.block_list.size + supply.pool_list.size + 1
    keys, blocks = np.empty(most), np.empty(most, np.int64)
    worth, size, order = np.empty(most), np.empty(most), np.empty(most, np.int64)
    values, ends_kw = np.empty(2 * most), np.empty(2 * most)
    at_kw, fall, period = np.empty(0), np.empty(0), np.empty(0, np.int64)
    level_kw = np.empty(n_periods)
    for c in range(n_clusters):
        charge = supply.demand_charge[c]
        peak[c] = 0.0
        if charge <= 0.0:
            continue
        own = supply.block_start[c + 1] - supply.block_start[c] + supply.pool_start[c + 1] - supply.pool_start[c]
        if at_kw.size < n_periods * 2 * own:
            at_kw, fall = np.empty(n_periods * 2 * own), np.empty(n_periods * 2 * own)
            period = np.empty(n_periods * 2 * own, np.int64)
        falls, least_kw, slope = 0, 0.0, 0.0
        for t in range(n_periods):
            grids = grid_by_price(supply, c, t, carbon, keys, blocks)
            needs, level_kw[t] = needs_by_worth(supply, c, t, accelerator, carbon, worth, size, order)
            least_kw = max(least_kw, level_kw[t])
            count = savings(supply, t, keys, blocks, grids, worth, size, order, needs, level_kw[t], values, ends_kw)
            for k in range(count):
                at_kw[falls] = ends_kw[k]
                fall[falls] = values[k] - (values[k + 1] if k + 1 < count else 0.0)
                period[falls] = t
                falls += 1
            if count > 0:
                peak[c, t] = values[0]
                slope += supply.hours[t] * values[0]
        caps_kw[c] = least_kw
        for e in np.argsort(at_kw[:falls]):
            inside = at_kw[e] > least_kw
            if inside and slope <= charge:
                break
            t = period[e]
            caps_kw[c] = max(at_kw[e], least_kw)
            if inside and slope - supply.hours[t] * fall[e] <= charge:
                peak[c, t] -= (slope - charge) / supply.hours[t]
                slope = charge
                break
            peak[c, t] -= fall[e]
            slope -= supply.hours[t] * fall[e]
        if slope < charge and least_kw > 0.0:  # the floor alone needs this much: those periods bear what is left
            stuck_hours = 0.0
            for t in range(n_periods):
                if level_kw[t] >= least_kw * (1.0 - AT_FLOOR):
                    stuck_hours += supply.hours[t]
            for t in range(n_periods):
                if level_kw[t] >= least_kw * (1.0 - AT_FLOOR):
                    peak[c, t] += (charge - slope) / stuck_hours
        for t in range(n_periods):
            peak[c, t] = max(peak[c, t], 0.0)
            best_load(supply, c, t, accelerator, 0.0, carbon, caps_kw[c], keys, blocks, worth, order, used)
