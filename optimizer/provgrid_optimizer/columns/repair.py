"""A plan from a point of the program whose rows n <= max z were left out.

Where a job runs above max z in some hour, its share in that pool is cut to the most that its hours can do below it. All
loads only shrink, so every limit still holds. What is cut is work of its own: the heuristic places it beside the rest.
"""

from __future__ import annotations

from dataclasses import fields, replace
from typing import TYPE_CHECKING

import numpy as np

from provgrid_optimizer.allocation import Allocation
from provgrid_optimizer.columns.choice import in_full
from provgrid_optimizer.evaluate import usage
from provgrid_optimizer.heuristic.engine import heuristic
from provgrid_optimizer.heuristic.state import supply_within_budget
from provgrid_optimizer.matrix import unpack

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from provgrid_models.problem import Floats, Ints, Problem
    from provgrid_optimizer.matrix.program import LinearProgram
    from provgrid_optimizer.matrix.selection import Selection
    from provgrid_optimizer.options import OnProgress, SolveOptions

HALVINGS = 60
ROUNDING = 1e-9  # shares below it are none; a share cut by no more of itself is as it was
LEAST_LEFT = 1e-6  # share of a job that is worth placing
OF_WORK = ("work_pflop_h", "max_accelerators", "data_gb", "move_gbps", "unserved_yuan")  # in proportion to a share


def repaired(problem: Problem, program: LinearProgram, selection: Selection, x: Floats) -> Allocation:
    """Return the plan of a point, its shares cut to what their hours, or starts, can do."""
    z, n, s = (program.columns[kind].slice for kind in ("z", "n", "s"))
    share, rigid = x[z].clip(0.0), selection.pairs.rigid
    kept = feasible_share(problem, selection, x[n], share)
    begun = _sum_by(selection.start_pair, x[s], share.size)
    kept[rigid] = np.minimum(share, begun)[rigid]
    if (kept >= (1.0 - ROUNDING) * share).all():
        return unpack(problem, program, x, divisible=True, selection=selection)
    kept[kept < ROUNDING] = 0.0
    cut, pair = x.copy(), selection.run_pair
    limit = problem.max_accelerators[selection.pairs.job]
    cut[z] = kept
    cut[n] = np.minimum(x[n].clip(0.0), (limit * kept)[pair])
    full = np.bincount(selection.full_pair, minlength=share.size) * limit * problem.period_h
    done = _sum_by(pair, cut[n], share.size) * problem.period_h
    cut[n] *= _ratio((selection.pairs.accelerator_hours - full) * kept, done)[pair]
    cut[s] *= _ratio(kept, begun)[selection.start_pair]
    allocation = unpack(problem, program, cut, divisible=True, selection=selection)
    return _supplied(problem, allocation)


def feasible_share(problem: Problem, selection: Selection, run: Floats, share: Floats) -> Floats:
    """Largest share of each elastic pair, up to `share`, whose work its hours do: sum_t min(n, max z) >= a z.

    The difference of both sides is concave in z and 0 at z = 0, so bisection finds where it falls below 0.
    """
    pairs, pair = selection.pairs, selection.run_pair
    limit = problem.max_accelerators[pairs.job]
    full = np.bincount(selection.full_pair, minlength=share.size) * limit * problem.period_h
    low, high = np.zeros(share.size), share.copy()
    middle = share
    for _ in range(HALVINGS):
        hours = np.minimum(run, (limit * middle)[pair]) * problem.period_h
        enough = _sum_by(pair, hours, share.size) + full * middle >= pairs.accelerator_hours * middle
        low, high = np.where(enough, middle, low), np.where(enough, high, middle)
        middle = 0.5 * (low + high)
    return np.where(pairs.rigid, share, low)


def filled(problem: Problem, plan: Allocation, options: SolveOptions, on_progress: OnProgress) -> Allocation:
    """Return the plan with what it leaves unserved placed beside it by the heuristic, each part in one piece.

    Raises as the heuristic does.
    """
    rest, job, left = _rest(problem, plan)
    if job.size == 0:
        return plan
    found = heuristic(rest, options, on_progress).allocation
    return _supplied(problem, _joined(problem, plan, replace(found, job=job[found.job], share=left[found.job])))


def _rest(problem: Problem, plan: Allocation) -> tuple[Problem, Ints, Floats]:
    """Return what is left of the jobs as a problem of its own beside the plan, their numbers, and the share left.

    The plan's load is its floor. Jobs in an order and hard ones stay as they are.
    """
    left = 1.0 - plan.served_share(problem)
    left[in_full(problem)] = 0.0
    job = np.flatnonzero(left > LEAST_LEFT)
    used = usage(problem, plan)
    held = used.job_accelerators + used.service_accelerators
    of_jobs = {
        field.name: getattr(problem, field.name)[job] * (left[job] if field.name in OF_WORK else 1)
        for field in fields(problem)
        if field.metadata.get("shape") == ("J",)
    }
    rest = replace(
        problem,
        capacity=np.maximum(problem.capacity - held, 0.0),
        floor_kw=used.load_kw,
        link_gbps=np.maximum(problem.link_gbps - used.traffic_gbps.max(axis=1, initial=0.0), 0.0),
        demand=plan.unserved_units(problem),
        labels=replace(problem.labels, jobs=None),
        **of_jobs,
    )
    return rest, job, left[job]


def _joined(problem: Problem, first: Allocation, second: Allocation) -> Allocation:
    """Return both plans as one; what both have in a pool and period adds up."""
    periods = problem.n_periods
    code = [one.job * problem.n_pools + one.pool for one in (first, second)]
    placed, at = np.unique(np.concatenate(code), return_inverse=True)
    place = np.split(at, [first.job.size])
    runs = [
        where[one.run_placement] * periods + one.run_period for where, one in zip(place, (first, second), strict=True)
    ]
    run, accelerators = _added(runs, [first.run_accelerators, second.run_accelerators])
    serves = [
        (one.serve_service * problem.n_pools + one.serve_pool) * periods + one.serve_period for one in (first, second)
    ]
    serve, units = _added(serves, [first.serve_units, second.serve_units])
    return replace(
        first,
        job=placed // problem.n_pools,
        pool=placed % problem.n_pools,
        share=_sum_by(at, np.concatenate([first.share, second.share]), placed.size),
        run_start=np.searchsorted(run, np.arange(placed.size + 1) * periods).astype(np.int64),
        run_period=(run % periods).astype(np.int32),
        run_accelerators=accelerators,
        serve_service=serve // (problem.n_pools * periods),
        serve_pool=serve // periods % problem.n_pools,
        serve_period=serve % periods,
        serve_units=units,
    )


def _added(codes: list[Ints], values: list[Floats]) -> tuple[Ints, Floats]:
    """Return the codes, ascending, and the sum of the values of each."""
    unique, at = np.unique(np.concatenate(codes), return_inverse=True)
    return unique, _sum_by(at, np.concatenate(values), unique.size)


def _supplied(problem: Problem, plan: Allocation) -> Allocation:
    """Return the plan with the best supply of its load."""
    supply = supply_within_budget(problem, usage(problem, plan).load_kw)
    return replace(plan, block_kw=supply.block_kw, peak_kw=supply.peak_kw)


def _ratio(wanted: Floats, there: Floats) -> Floats:
    """Return the factors by which what is there becomes what is wanted; 0 where nothing is there."""
    factors = np.zeros(there.size)
    np.divide(wanted.clip(0.0), there, out=factors, where=there > 0.0)
    return factors


def _sum_by(place: Ints | NDArray[np.intp], weights: Floats, size: int) -> Floats:
    return np.bincount(place, weights=weights, minlength=size).astype(np.float64)
