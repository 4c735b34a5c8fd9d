"""An irreducible set of terms that clash: without any one of them, the others can hold together.

The simplex method proves a contradiction by weights of rows (a Farkas ray); terms without a weight are no part of it.
Then one term after the other is left out for good, if the rest still contradict: the deletion filter of Chinneck and
Dravnieks (1991), with the rays of its own answers to shrink what is left. HiGHS's IIS (`iis_strategy=6`) is one of
rows and bounds of the matrix, most of which only say what words mean; this one is of what a planner can change.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from provgrid_models.errors import NoPlanError
from provgrid_optimizer.highs import Ending, settled
from provgrid_optimizer.highs_again import Feasibility

if TYPE_CHECKING:
    from collections.abc import Callable

    from provgrid_models.problem import Bools, Floats
    from provgrid_optimizer.answers.terms import Terms
    from provgrid_optimizer.matrix import LinearProgram
    from provgrid_optimizer.options import SolveOptions

    # From terms to those of them that contradict each other already, or None where they do not.
    Clashing = Callable[[Bools], Bools | None]

NO_WEIGHT = 1e-9  # of the largest weight of a ray


def divided_clash(program: LinearProgram, terms: Terms, options: SolveOptions) -> Clashing:
    """Ask whether terms clash when work may be divided over pools."""
    oracle = Feasibility(program, options)

    def ask(kept: Bools) -> Bools | None:
        limits = terms.limits(program, kept)
        ray = oracle.proof_of_none(*limits)
        if ray is None:
            return None
        fewer = kept & _with_weight(program, terms, ray, *limits)
        smaller = fewer.sum() < kept.sum() and oracle.proof_of_none(*terms.limits(program, fewer)) is not None
        return fewer if smaller else kept

    return ask


def whole_clash(program: LinearProgram, terms: Terms, options: SolveOptions) -> Clashing:
    """Ask whether terms clash when work is indivisible; `program` has whole numbers.

    Asking raises `NoPlanError` where the time limit comes first.
    """
    free = replace(program, cost=np.zeros(program.n_columns), offset=0.0)

    def ask(kept: Bools) -> Bools | None:
        upper, row_lower, row_upper = terms.limits(program, kept)
        trial = replace(free, column_upper=upper, row_lower=row_lower, row_upper=row_upper)
        answer = settled(trial, options, stage="conflict", time_limit_s=options.time_limit_s)
        if answer.x is not None:
            return None
        if answer.ending is Ending.INFEASIBLE:
            return kept
        raise NoPlanError("whether whole jobs fit was not known within the time limit; give more with --time-limit")

    return ask


def irreducible(terms: Terms, clashing: Clashing) -> Bools | None:
    """Terms that clash and of which none can be left out, shape (K,); None where all hold together.

    Work is tried first, the last of it before the first, so that the fewest workloads are named.
    """
    left = clashing(np.ones(terms.size, dtype=np.bool_))
    if left is None:
        return None
    for k in np.lexsort((-np.arange(terms.size), terms.kind)).tolist():
        if left[k]:
            trial = left.copy()
            trial[k] = False
            fewer = clashing(trial)
            left = left if fewer is None else fewer
    return left


def _with_weight(
    program: LinearProgram, terms: Terms, ray: Floats, column_upper: Floats, row_lower: Floats, row_upper: Floats
) -> Bools:
    """Terms that a proof uses, shape (K,)."""
    weight = ray / max(float(np.abs(ray).max(initial=0.0)), 1e-300)
    # HiGHS does not say which side the ray is on: it is the one on which it proves something.
    if not _proves(program, weight, column_upper, row_lower, row_upper):
        weight = -weight
    used = np.zeros(terms.size + 1, dtype=np.bool_)
    used[terms.of_row[np.abs(weight) > NO_WEIGHT]] = True
    used[terms.of_column[program.transposed(weight) > NO_WEIGHT]] = True
    return used[:-1]


def _proves(program: LinearProgram, weight: Floats, column_upper: Floats, row_lower: Floats, row_upper: Floats) -> bool:
    """Whether the weighted rows are above what the columns can reach."""
    weight = np.where(np.abs(weight) > NO_WEIGHT, weight, 0.0)
    reduced = program.transposed(weight)
    reduced = np.where(np.abs(reduced) > NO_WEIGHT, reduced, 0.0)
    with np.errstate(invalid="ignore"):
        least = np.where(weight == 0, 0.0, np.where(weight > 0, row_lower, row_upper) * weight).sum()
        most = np.where(reduced == 0, 0.0, np.where(reduced > 0, column_upper, program.column_lower) * reduced).sum()
    return bool(least > most)
