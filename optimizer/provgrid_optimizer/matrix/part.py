"""A part of a program: some of its columns, while all the others stay where a point has them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from provgrid_optimizer.matrix.program import LinearProgram
from provgrid_optimizer.ranges import expand

if TYPE_CHECKING:
    from provgrid_models.problem import Bools, Floats, Ints


def part(whole: LinearProgram, x: Floats, activity: Floats, columns: Ints, shared: Bools) -> LinearProgram:
    """Cut out the columns, given as numbers; what the others add to a row (`activity` is A x) comes off its limits.

    Of a `shared` row (m,) a part may use no more than it does at x, so that parts solved side by side never break it
    together. Limits that x breaks, by rounding, are where it has them: x is a point of every part. The cost is that of
    the columns alone.
    """
    entries = whole.start[columns + 1] - whole.start[columns]
    owner, place = expand(entries)
    entry = whole.start[columns][owner] + place
    rows, index = np.unique(whole.index[entry], return_inverse=True)
    value = whole.value[entry]
    own = np.bincount(index, weights=value * x[columns][owner], minlength=rows.size)
    others = activity[rows] - own
    upper = np.maximum(whole.row_upper[rows] - others, own)
    return LinearProgram(
        cost=whole.cost[columns],
        column_lower=np.minimum(whole.column_lower[columns], x[columns]),
        column_upper=np.maximum(whole.column_upper[columns], x[columns]),
        integer=whole.integer[columns],
        row_lower=np.minimum(whole.row_lower[rows] - others, own),
        row_upper=np.where(shared[rows], own, upper),
        start=np.concatenate([[0], np.cumsum(entries)]),
        index=index.astype(np.int64),
        value=value,
        offset=0.0,
        columns={},
        rows={},
    )
