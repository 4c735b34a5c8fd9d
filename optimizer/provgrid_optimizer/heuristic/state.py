"""The plan while it is built: what is placed where, what is left of every limit.

Call order of anyone who places work:

    laid_out = arrays(problem)               # heuristic.arrays: the problem as the kernels read it
    state = empty_state(problem)
    place_earliest(laid_out, state, j, p)    # kernels.place; True, or False and nothing has changed
    place_cheapest(laid_out, state, price, j, p)      # price (P, T): yuan per accelerator held for the period
    remove(laid_out, state, j)
    serve_in_order(laid_out, state, s, order) # fills every period of service s from pools in this order
    unserve(laid_out, state, s)
    allocation = to_allocation(problem, state)

Each respects capacity, cluster supply with its floor, link bandwidth, the carbon budget (by the greenest supply there
is), windows, moves, gangs, pinned pools and `after`: place bases before their verticals (`arrays.by_depth(problem)`),
and never remove a base whose vertical is placed. `room(laid_out, state, p, t)` says how many accelerators are left.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from provgrid_models.energy import least_cost_supply
from provgrid_optimizer.allocation import Allocation

if TYPE_CHECKING:
    from provgrid_models.energy import Supply as SupplyPlan
    from provgrid_models.problem import Floats, Ints, Problem


WORTH_BISECTING = 60  # halvings of the carbon price: below float64's resolution


class State(NamedTuple):
    """A plan in the making; kernels change it in place.

    Job j runs on `run[offset[j] + t - release[j]]` accelerators in period t of its window; service pair k, of
    service s with `pair_start[s] <= k < pair_start[s + 1]`, serves `serve[k, t]` units from `pair_pool[k]`.
    """

    stretch: Floats  # (1,) share by which capacity and supply may be exceeded while a plan takes shape; 0 in a plan
    used: Floats  # (P, T) accelerators
    load_kw: Floats  # (C, T) floor included
    traffic: Floats  # (L, T) Gbit/s
    greenest_kg: Floats  # (1,) carbon of the greenest supply of this load
    pool: Ints  # (J,) -1 = unserved
    first: Ints  # (J,) first and last period with work, where placed
    last: Ints  # (J,)
    offset: Ints  # (J + 1,)
    run: Floats  # (sum of windows,)
    pair_start: Ints  # (S + 1,)
    pair_pool: Ints
    serve: Floats  # (pairs, T)


def empty_state(problem: Problem) -> State:
    """Nothing placed: only the floor draws power."""
    window = problem.deadline - problem.release
    offset = np.zeros(problem.n_jobs + 1, dtype=np.int64)
    np.cumsum(window, out=offset[1:])
    open_pair = (problem.service_rate > 0) & np.isfinite(problem.service_yuan)
    pair_start = np.zeros(problem.n_services + 1, dtype=np.int64)
    np.cumsum(open_pair.sum(axis=1), out=pair_start[1:])
    pair_pool = np.nonzero(open_pair)[1].astype(np.int64)
    greenest = least_cost_supply(problem, problem.floor_kw, 1e6).kg if np.isfinite(problem.carbon_budget_kg) else 0.0
    return State(
        stretch=np.zeros(1),
        used=np.zeros(problem.capacity.shape),
        load_kw=problem.floor_kw.copy(),
        traffic=np.zeros((problem.n_links, problem.n_periods)),
        greenest_kg=np.array([greenest]),
        pool=np.full(problem.n_jobs, -1, dtype=np.int64),
        first=np.zeros(problem.n_jobs, dtype=np.int64),
        last=np.zeros(problem.n_jobs, dtype=np.int64),
        offset=offset,
        run=np.zeros(int(offset[-1])),
        pair_start=pair_start,
        pair_pool=pair_pool,
        serve=np.zeros((pair_pool.size, problem.n_periods)),
    )


def copy_state(state: State) -> State:
    """Copy a state: one of its own with the same content."""
    return State._make(array.copy() for array in state)


def to_allocation(problem: Problem, state: State) -> Allocation:
    """Sparse decisions, sorted, with the cheapest supply that keeps the carbon budget."""
    job = np.flatnonzero(state.pool >= 0)
    length = np.diff(state.offset)
    placed = np.repeat(state.pool >= 0, length)
    rows = np.flatnonzero(placed & (state.run > 0.0))
    owner = np.searchsorted(state.offset, rows, side="right") - 1
    period = rows - state.offset[owner] + problem.release[owner]
    run_start = np.zeros(job.size + 1, dtype=np.int64)
    np.cumsum(np.bincount(owner, minlength=problem.n_jobs)[job], out=run_start[1:])
    pair, serve_period = np.nonzero(state.serve > 0.0)
    supply = supply_within_budget(problem, load_of(problem, state))
    return Allocation(
        divisible=False,
        job=job,
        pool=state.pool[job],
        share=np.ones(job.size),
        run_start=run_start,
        run_period=period.astype(np.int32),
        run_accelerators=state.run[rows],
        serve_service=(np.searchsorted(state.pair_start, pair, side="right") - 1).astype(np.int64),
        serve_pool=state.pair_pool[pair],
        serve_period=serve_period.astype(np.int64),
        serve_units=state.serve[pair, serve_period],
        block_kw=supply.block_kw,
        peak_kw=supply.peak_kw,
    )


def served_units(state: State) -> Floats:
    """Units of each service that are served, over all its pools, shape (S, T)."""
    starts = state.pair_start[:-1]
    served = np.zeros((starts.size, state.serve.shape[1]))
    some = np.diff(state.pair_start) > 0
    if some.any():
        served[some] = np.add.reduceat(state.serve, starts[some], axis=0)
    return served


def load_of(problem: Problem, state: State) -> Floats:
    """Power of each cluster, summed anew from the accelerators in use, shape (C, T) [kW]."""
    load = problem.floor_kw.copy()
    np.add.at(load, problem.pool_cluster, problem.kw_per_accelerator * np.maximum(state.used, 0.0))
    return load


def supply_within_budget(problem: Problem, load_kw: Floats) -> SupplyPlan:
    """Cheapest supply of a load; where the carbon budget binds, the mix of two dispatches that meets it exactly.

    The cost of the best supply is convex in its carbon, so the best mix lies between the dispatches on both sides
    of the carbon price at which the budget is met.
    """
    cheapest = least_cost_supply(problem, load_kw)
    budget = problem.carbon_budget_kg
    if cheapest.kg <= budget:
        return cheapest
    low, high = 0.0, 1.0
    greener = least_cost_supply(problem, load_kw, high)
    while greener.kg > budget and high < 1e9:
        low, cheapest = high, greener
        high *= 4.0
        greener = least_cost_supply(problem, load_kw, high)
    for _ in range(WORTH_BISECTING):
        middle = 0.5 * (low + high)
        between = least_cost_supply(problem, load_kw, middle)
        if between.kg > budget:
            low, cheapest = middle, between
        else:
            high, greener = middle, between
    return _mix(problem, cheapest, greener)


def _mix(problem: Problem, dirty: SupplyPlan, clean: SupplyPlan) -> SupplyPlan:
    """Take the share of each that meets the budget exactly; limits hold for any mix, and so does the balance."""
    share = (problem.carbon_budget_kg - clean.kg) / max(dirty.kg - clean.kg, 1e-300)
    share = min(max(share, 0.0), 1.0)
    block_kw = share * dirty.block_kw + (1.0 - share) * clean.block_kw
    kwh = block_kw * problem.hours
    grid_kw = np.zeros(problem.floor_kw.shape)
    grid = problem.block_is_grid
    np.add.at(grid_kw, problem.block_cluster[grid], block_kw[grid])
    peak_kw = grid_kw.max(axis=1, initial=0.0)
    kg = float((kwh * problem.block_kg_per_kwh).sum())
    return type(dirty)(
        block_kw=block_kw,
        peak_kw=peak_kw,
        energy_yuan=float((kwh * problem.block_yuan_per_kwh).sum()),
        carbon_yuan=problem.carbon_yuan_per_kg * kg,
        demand_charge_yuan=float(problem.demand_charge_yuan_per_kw @ peak_kw),
        kg=kg,
    )
