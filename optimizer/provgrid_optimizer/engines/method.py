"""Which of HiGHS's methods solves a program."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from provgrid_models.problem import Problem
    from provgrid_optimizer.matrix import LinearProgram

MANY_STARTS = 2_000
FEW_COLUMNS = 5_000  # any method is quick
FEW_PERIODS = 48  # hours that tie within two days leave the simplex little to crawl over
MOSTLY = 0.5


def method(problem: Problem, program: LinearProgram) -> dict[str, str]:
    """Choose HiGHS's method: interior point where the dual simplex would crawl over ties.

    Measured in processor seconds, simplex against interior point with crossover: a province's week under time-of-use
    tariffs, 32,000 columns, 50 against 8 to 13; the reference instance, whose prices differ from hour to hour, 64,000
    columns, 8 against 26; rigid jobs with thousands of starts, not finished after 14 against 13. Two typical days in
    periods of two or three hours, 39,000 or 26,000 columns, 4 or 1.4 against 14 or 5, ties or not.
    """
    long = program.n_columns > FEW_COLUMNS and problem.n_periods > FEW_PERIODS
    tied = long and tied_hours(problem) > MOSTLY
    return {"solver": "ipm"} if tied or program.columns["s"].size > MANY_STARTS else {}


def tied_hours(problem: Problem) -> float:
    """Share of the hours, over all grid blocks, whose price another hour of the same block has too."""
    prices = problem.block_yuan_per_kwh[problem.block_is_grid]
    if prices.size == 0:
        return 0.0
    distinct = 1 + (np.diff(np.sort(prices, axis=1), axis=1) > 0).sum(axis=1)
    return float(1.0 - (distinct / prices.shape[1]).mean())
