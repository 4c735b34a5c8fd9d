"""From an allocation to a point of the program: what `read.unpack` undoes."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from provgrid_optimizer.evaluate import usage
from provgrid_optimizer.matrix.selection import everything

if TYPE_CHECKING:
    from provgrid_models.problem import Floats, Ints, Problem
    from provgrid_optimizer.allocation import Allocation
    from provgrid_optimizer.matrix.program import Block, LinearProgram
    from provgrid_optimizer.matrix.selection import Selection


def point(
    problem: Problem, program: LinearProgram, allocation: Allocation, selection: Selection | None = None
) -> Floats:
    """Return the point that an indivisible plan is of a program, assembled with this `selection`, shape (n,)."""
    x, columns, pairs = np.zeros(program.n_columns), program.columns, (selection or everything(problem)).pairs
    pair = _places((pairs.job, pairs.pool), (allocation.job, allocation.pool), (problem.n_jobs, problem.n_pools))
    x[columns["z"].first + pair] = 1.0
    x[columns["u"].slice] = 1.0 - allocation.served_share(problem)[columns["u"].ids["job"]]
    used = usage(problem, allocation)
    x[columns["used"].slice] = (used.job_accelerators + used.service_accelerators).ravel()
    x[columns["g"].slice] = allocation.block_kw.ravel()
    x[columns["D"].slice] = allocation.peak_kw[columns["D"].ids["cluster"]]
    _put_runs(problem, program, allocation, pair, pairs.job.size, x)
    served, left = columns["y"], columns["v"]
    shape = (problem.n_services, problem.n_pools, problem.n_periods)
    theirs = allocation.serve_service, allocation.serve_pool, allocation.serve_period
    at = _places((served.ids["service"], served.ids["pool"], served.ids["period"]), theirs, shape)
    x[served.first + at] = allocation.serve_units
    x[left.slice] = allocation.unserved_units(problem)[left.ids["service"], left.ids["period"]]
    return x


def _put_runs(
    problem: Problem, program: LinearProgram, allocation: Allocation, pair: Ints, pairs: int, x: Floats
) -> None:
    """Write hours, starts, and what is done, begun and finished of the jobs in an order."""
    columns, periods = program.columns, problem.n_periods
    owner = allocation.run_placement
    job, run_pair, period = allocation.job[owner], pair[owner], allocation.run_period.astype(np.int64)
    elastic = ~problem.rigid[job]
    hours, starts = columns["n"], columns["s"]
    at = _places((hours.ids["pair"], hours.ids["period"]), (run_pair[elastic], period[elastic]), (pairs, periods))
    x[hours.first + at] = allocation.run_accelerators[elastic]
    rigid = np.flatnonzero(problem.rigid[allocation.job])
    first, last = allocation.run_start[rigid], allocation.run_start[rigid + 1] - 1
    at = _places((starts.ids["pair"], starts.ids["period"]), (pair[rigid], period[first]), (pairs, periods))
    x[starts.first + at] = 1.0
    did = np.zeros((problem.n_jobs, periods))
    work_h = np.bincount(job[elastic], weights=allocation.run_accelerators[elastic], minlength=problem.n_jobs)
    did[job[elastic], period[elastic]] = allocation.run_accelerators[elastic] / work_h[job[elastic]]
    began = np.zeros((problem.n_jobs, periods))
    did[allocation.job[rigid], period[last]] = began[allocation.job[rigid], period[first]] = 1.0
    for kind, share in (("done", did), ("begun", began), ("finished", did)):
        _put_running(columns[kind], np.cumsum(share, axis=1).clip(max=1.0), kind == "finished", x)


def _put_running(block: Block, total: Floats, whole: bool, x: Floats) -> None:
    share = total[block.ids["job"], block.ids["period"]]
    x[block.slice] = (share >= 1.0 - 1e-9) if whole else share


def _places(known: tuple[Ints, ...], wanted: tuple[Ints, ...], shape: tuple[int, ...]) -> Ints:
    """Where each wanted entry stands in the list of known ones, each an index into an array of this shape."""
    codes, sought = (np.ravel_multi_index(tuple(part.astype(np.int64) for part in of), shape) for of in (known, wanted))
    order = np.argsort(codes)
    return np.asarray(order[np.searchsorted(codes, sought, sorter=order)], dtype=np.int64)
