"""A program in units of its own size, for HiGHS's interior point.

A job's hours are counted in accelerators, its shares in parts of 1, and a pool holds thousands: with rows n <= max z
that the interior point sees as they are, it stops without progress, far from feasible. In units of what each column can
be, and each row by its largest term, the same program is solved.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from provgrid_models.problem import Floats, Ints
    from provgrid_optimizer.matrix.program import LinearProgram

BY_LIMIT = ("z", "n", "s", "u", "used")  # columns whose upper limits say how large they get; a block's may be anything
ROUNDS = 3  # of scaling rows and columns in turn


@dataclass(frozen=True)
class Scaled:
    """min c' x' with x = column x', and duals row y'; powers of 2, so that no figure is rounded."""

    program: LinearProgram
    column: Floats  # (n,)
    row: Floats  # (m,)

    def point(self, original: LinearProgram, x: Floats) -> Floats:
        """Return a point of the original; where it passes a column's limit by the solver's tolerance, at the limit."""
        return np.clip(x * self.column, original.column_lower, original.column_upper)

    def row_duals(self, duals: Floats) -> Floats:
        """Return the duals of the original's rows."""
        return duals * self.row


def scaled(program: LinearProgram) -> Scaled:
    """Scale columns by their upper limit or by their largest entry, rows by their largest term."""
    owner = np.repeat(np.arange(program.n_columns), np.diff(program.start))
    limited = np.zeros(program.n_columns, dtype=np.bool_)
    for kind in BY_LIMIT:
        limited[program.columns[kind].slice] = True
    limited &= np.isfinite(program.column_upper) & (program.column_upper > 0.0)
    column = np.where(limited, program.column_upper, 1.0)
    row = np.ones(program.n_rows)
    size = np.abs(program.value)
    for _ in range(ROUNDS):
        row /= _largest(size * column[owner] * row[program.index], program.index, program.n_rows)
        free = _largest(size * column[owner] * row[program.index], owner, program.n_columns)
        column /= np.where(limited, 1.0, free)
    row, column = _power_of_2(row), _power_of_2(column)
    inner = replace(
        program,
        cost=program.cost * column,
        column_lower=program.column_lower / column,
        column_upper=program.column_upper / column,
        row_lower=program.row_lower * row,
        row_upper=program.row_upper * row,
        value=program.value * column[owner] * row[program.index],
    )
    return Scaled(inner, column, row)


def _largest(values: Floats, place: Ints, size: int) -> Floats:
    """Return the largest value of each place, 1 where there is none."""
    largest = np.zeros(size)
    np.maximum.at(largest, place, values)
    return np.where(largest > 0.0, largest, 1.0)


def _power_of_2(values: Floats) -> Floats:
    return np.exp2(np.round(np.log2(values)))
