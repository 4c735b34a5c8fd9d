"""A plan from a point of the program whose rows n <= max z were left out.

Where a job runs above max z in some hour, its share in that pool is cut to the most that its hours can do below it;
the rest of the share is left unserved. All loads only shrink, so every limit still holds.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from provgrid_optimizer.evaluate import usage
from provgrid_optimizer.heuristic.state import supply_within_budget
from provgrid_optimizer.matrix import unpack

if TYPE_CHECKING:
    from provgrid_models.problem import Floats, Ints, Problem
    from provgrid_optimizer.allocation import Allocation
    from provgrid_optimizer.matrix.program import LinearProgram
    from provgrid_optimizer.matrix.selection import Selection

HALVINGS = 60
LEAST_KEPT = 1e-6  # smaller shares are rounding
ROUNDING = 5e-7  # relative, of a solver's point


def repaired(problem: Problem, program: LinearProgram, selection: Selection, x: Floats, share: Floats) -> Allocation:
    """Allocation of a point with its shares cut to `share`, as `feasible_share` gives them."""
    cut = x.copy()
    placed, run = cut[program.columns["z"].slice], cut[program.columns["n"].slice]
    if (share >= placed).all():
        return unpack(problem, program, x, divisible=True, selection=selection)
    limit = problem.max_accelerators[selection.pairs.job[selection.run_pair]]
    lowered = (share < placed)[selection.run_pair]
    run[lowered] = np.minimum(run, limit * share[selection.run_pair])[lowered]
    placed[:] = np.minimum(placed, share)
    allocation = unpack(problem, program, cut, divisible=True, selection=selection)
    supply = supply_within_budget(problem, usage(problem, allocation).load_kw)
    return replace(allocation, block_kw=supply.block_kw, peak_kw=supply.peak_kw)


def settled(problem: Problem, program: LinearProgram, selection: Selection, x: Floats) -> LinearProgram:
    """Bound a program so that every point of it is a plan, near its point x.

    Placements without the row n <= max z keep at least the share that their hours in x can do, and every hour stays
    below max times that share. Shares are brought down by what rounding leaves of them.
    """
    share, run = x[program.columns["z"].slice].clip(0.0), x[program.columns["n"].slice]
    bounded = np.unique(selection.run_pair[~selection.run_limited])
    kept = feasible_share(problem, selection, run, share, bounded) * (1.0 - ROUNDING)
    kept[kept < LEAST_KEPT] = 0.0
    lower, upper = program.column_lower.copy(), program.column_upper.copy()
    lower[program.columns["z"].first + bounded] = (kept * (1.0 - ROUNDING))[bounded]
    limit = problem.max_accelerators[selection.pairs.job[selection.run_pair]] * kept[selection.run_pair]
    hours = upper[program.columns["n"].slice]
    hours[~selection.run_limited] = limit[~selection.run_limited]
    return replace(program, column_lower=lower, column_upper=upper)


def feasible_share(problem: Problem, selection: Selection, run: Floats, share: Floats, broken: Ints) -> Floats:
    """Share of each pair; of those `broken` the largest below it whose work their hours do: sum_t min(n, max z) >= a z.

    The difference of both sides is concave in z and 0 at z = 0, so bisection finds where it falls below 0.
    """
    pairs, pair = selection.pairs, selection.run_pair
    limit = problem.max_accelerators[pairs.job]
    full = np.bincount(selection.full_pair, minlength=share.size) * limit * problem.period_h
    low, high = np.zeros(share.size), share.copy()
    for _ in range(HALVINGS):
        middle = 0.5 * (low + high)
        hours = np.minimum(run, (limit * middle)[pair]) * problem.period_h
        done = np.bincount(pair, weights=hours, minlength=share.size) + full * middle
        enough = done >= pairs.accelerator_hours * middle
        low, high = np.where(enough, middle, low), np.where(enough, high, middle)
    kept = share.copy()
    kept[broken] = low[broken]
    return kept
