"""How far limits have to move together before a program has a point: the least amount as a column of its own."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from provgrid_models.problem import Floats
    from provgrid_optimizer.matrix.program import LinearProgram


def least_amount(program: LinearProgram, column_room: Floats, row_room: Floats) -> LinearProgram:
    """Return the program: min k >= 0 with  x <= column_upper + column_room k,  A x <= (or =) row limits + row_room k.

    `column_room` (n,) and `row_room` (m,) say how limits move with the amount; k is the last column. The upper limits
    of columns that move become rows at the end, so that the blocks of the program keep their places.
    """
    moving = np.flatnonzero(column_room != 0)
    column = np.repeat(np.arange(program.n_columns), np.diff(program.start))
    below = program.n_rows + np.arange(moving.size)
    shifted = np.flatnonzero(row_room != 0)
    k = program.n_columns
    columns = np.concatenate([column, moving, np.full(shifted.size + moving.size, k)])
    rows = np.concatenate([program.index, below, shifted, below])
    values = np.concatenate([program.value, np.ones(moving.size), -row_room[shifted], -column_room[moving]])
    order = np.lexsort((rows, columns))
    upper = program.column_upper.copy()
    upper[moving] = np.inf
    return replace(
        program,
        cost=np.append(np.zeros(k), 1.0),
        column_lower=np.append(program.column_lower, 0.0),
        column_upper=np.append(upper, np.inf),
        integer=np.append(program.integer, False),
        row_lower=np.append(program.row_lower, np.full(moving.size, -np.inf)),
        row_upper=np.append(program.row_upper, program.column_upper[moving]),
        start=np.concatenate([[0], np.cumsum(np.bincount(columns, minlength=k + 1))]).astype(np.int64),
        index=rows[order],
        value=values[order],
        offset=0.0,
    )
