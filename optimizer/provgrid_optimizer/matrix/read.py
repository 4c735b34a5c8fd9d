"""From a point and its row duals back to an allocation and prices."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from provgrid_optimizer.allocation import Allocation
from provgrid_optimizer.matrix.selection import everything
from provgrid_optimizer.multipliers import Multipliers, verticals
from provgrid_optimizer.ranges import expand

if TYPE_CHECKING:
    from provgrid_models.problem import Bools, Floats, Ints, Problem
    from provgrid_optimizer.matrix.pairs import Pairs
    from provgrid_optimizer.matrix.program import LinearProgram
    from provgrid_optimizer.matrix.selection import Selection
    from provgrid_optimizer.multipliers import Basis

LEAST_SHARE = 1e-9  # smaller shares of a job, of a gang or of a demand are a solver's rounding


def unpack(
    problem: Problem, program: LinearProgram, x: Floats, *, divisible: bool, selection: Selection | None = None
) -> Allocation:
    """Read a point of the program, assembled with this `selection`, as an allocation.

    Rounding of the solver is taken out: shares below `LEAST_SHARE` are dropped, indivisible shares and starts are
    made whole, and each placement's accelerators are scaled to do exactly its share of the work.
    """
    selection = selection or everything(problem)
    pairs = selection.pairs
    share = x[program.columns["z"].slice].clip(0.0, 1.0)
    share = share if divisible else np.round(share)
    kept = share > LEAST_SHARE
    pair, period, accelerators = _runs(problem, program, selection, x, share, kept)
    kept &= np.bincount(pair, minlength=kept.size) > 0  # of a share that is rounding, no hour may be left
    placement = np.cumsum(kept) - 1
    runs = np.bincount(placement[pair], minlength=int(kept.sum()))
    service, pool, at, units = _served(problem, program, x)
    block_kw = x[program.columns["g"].slice].reshape(problem.block_limit_kw.shape).clip(0.0, problem.block_limit_kw)
    return Allocation(
        divisible=divisible,
        job=pairs.job[kept],
        pool=pairs.pool[kept],
        share=share[kept],
        run_start=np.concatenate([[0], np.cumsum(runs)]).astype(np.int64),
        run_period=period.astype(np.int32),
        run_accelerators=accelerators,
        serve_service=service,
        serve_pool=pool,
        serve_period=at,
        serve_units=units,
        block_kw=block_kw,
        peak_kw=_grid_peak(problem, block_kw),
    )


def _runs(
    problem: Problem, program: LinearProgram, selection: Selection, x: Floats, share: Floats, kept: Bools
) -> tuple[Ints, Ints, Floats]:
    """Pair, period and accelerators of everything that runs, by pair, then period."""
    elastic = _elastic_runs(problem, program, selection, x, share, kept)
    rigid = _rigid_runs(problem, program, selection.pairs, x, share, kept)
    pair, period, accelerators = (np.concatenate(parts) for parts in zip(elastic, rigid, strict=True))
    order = np.lexsort((period, pair))
    return pair[order], period[order], accelerators[order]


def _elastic_runs(
    problem: Problem, program: LinearProgram, selection: Selection, x: Floats, share: Floats, kept: Bools
) -> tuple[Ints, Ints, Floats]:
    """Free hours and those at the limit, scaled to do exactly the share of the work."""
    block, pairs, full = program.columns["n"], selection.pairs, selection.full_pair
    pair = np.concatenate([block.ids["pair"], full])
    period = np.concatenate([block.ids["period"], selection.full_period])
    limit = problem.max_accelerators[pairs.job[pair]]
    accelerators = np.concatenate([x[block.slice], limit[block.size :] * share[full]])
    running = kept[pair] & (accelerators > LEAST_SHARE * limit * share[pair])
    pair, period, accelerators = pair[running], period[running], accelerators[running]
    done_h = problem.period_h * np.bincount(pair, weights=accelerators, minlength=kept.size)
    asked_h = share * pairs.accelerator_hours
    return pair, period, accelerators * (asked_h[pair] / done_h[pair])


def _rigid_runs(
    problem: Problem, program: LinearProgram, pairs: Pairs, x: Floats, share: Floats, kept: Bools
) -> tuple[Ints, Ints, Floats]:
    """Gangs of all starts, added up where those of a divided job overlap."""
    block = program.columns["s"]
    started = x[block.slice].clip(0.0, 1.0)
    # What is whole stays whole; a divided job's starts are scaled to its share.
    counted = kept[block.ids["pair"]] & (started > LEAST_SHARE)
    pair, period, started = block.ids["pair"][counted], block.ids["period"][counted], started[counted]
    total = np.bincount(pair, weights=started, minlength=kept.size)
    gang = problem.max_accelerators[pairs.job[pair]] * started * (share[pair] / total[pair])
    start, step = expand(pairs.duration[pair])
    place = pair[start] * problem.n_periods + period[start] + step
    at, inverse = np.unique(place, return_inverse=True)
    accelerators = np.bincount(inverse, weights=gang[start], minlength=at.size)
    running, when = np.divmod(at, problem.n_periods)
    return running, when, accelerators.astype(np.float64)


def _served(problem: Problem, program: LinearProgram, x: Floats) -> tuple[Ints, Ints, Ints, Floats]:
    """Service, pool, period and units of everything that is served, by service, pool, period."""
    block = program.columns["y"]
    service, pool, period = block.ids["service"], block.ids["pool"], block.ids["period"]
    units = x[block.slice]
    kept = np.flatnonzero(units > LEAST_SHARE * problem.demand[service, period])
    order = kept[np.lexsort((period[kept], pool[kept], service[kept]))]
    return service[order], pool[order], period[order], units[order]


def _grid_peak(problem: Problem, block_kw: Floats) -> Floats:
    """Highest grid power of each cluster, shape (C,)."""
    grid_kw = np.zeros(problem.floor_kw.shape)
    grid = problem.block_is_grid
    np.add.at(grid_kw, problem.block_cluster[grid], block_kw[grid])
    return np.asarray(grid_kw.max(axis=1, initial=0.0))


def multipliers(
    problem: Problem, program: LinearProgram, row_duals: Floats, basis: Basis, *, signed: bool = False
) -> Multipliers:
    """Prices from row duals (d cost / d right-hand side), per real hour; what is below 0 is cut off.

    The dual of a capacity row is the whole price of an accelerator, its power included (see `assemble._hold`).
    Where power is worth less than nothing that price may be negative: cut off, it still proves a bound, a lower one.
    With `signed` it stays as it is.
    """
    accelerator = row_duals[program.rows["capacity"].slice].reshape(problem.capacity.shape) / problem.hours
    peak = np.zeros(problem.floor_kw.shape)
    _put(peak, program, "peak", "cluster", -row_duals, problem)
    paid = peak @ problem.hours
    charge = problem.demand_charge_yuan_per_kw
    peak *= np.where(paid > charge, charge / np.where(paid > charge, paid, 1.0), 1.0)[:, None]
    link = np.zeros((problem.n_links, problem.n_periods))
    _put(link, program, "link", "link", -row_duals, problem)
    budget = -row_duals[program.rows["carbon"].slice]
    vertical = verticals(problem)
    after = -row_duals[program.rows["after"].slice].reshape(vertical.size, problem.n_periods)
    return Multipliers(
        accelerator=accelerator if signed else np.maximum(accelerator, 0.0),
        peak=peak,
        link=link,
        carbon=float(np.maximum(budget, 0.0).sum()),
        after=np.maximum(after, 0.0),
        vertical=vertical,
        basis=basis,
    )


def _put(into: Floats, program: LinearProgram, kind: str, item: str, prices: Floats, problem: Problem) -> None:
    """Write prices of a block of rows, per real hour, to their places. `into` is modified in place."""
    rows = program.rows[kind]
    per_hour = prices[rows.slice] / problem.hours[rows.ids["period"]]
    into[rows.ids[item], rows.ids["period"]] = np.maximum(per_hour, 0.0)
