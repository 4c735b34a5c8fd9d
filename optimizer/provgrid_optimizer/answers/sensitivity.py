"""How the least cost of a linear program moves with its limits: exact one-sided slopes, and how far each holds.

The least cost c(theta) is convex and piecewise linear in a parameter that moves limits. At an optimum x its two slopes
are the values of two small programs: of all small changes dx that keep to the limits that bind at x, the cheapest when
the parameter moves by +1, and by -1. They are the ends of the optimal dual face, so that every solver's dual lies
between them, whatever its basis: ranging of one basis says less where the vertex is degenerate.

How far a slope holds is one program too: the parameter becomes a column whose cost is minus the slope, so that the
optimum moves it to the end of the piece.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from provgrid_models.errors import SolverError
from provgrid_optimizer.highs import (
    AT_LOWER,
    AT_UPPER,
    BASIC,
    LIMIT_TOLERANCE,
    Answer,
    Basis,
    Ending,
    settled,
)
from provgrid_optimizer.highs_again import Again, dual_ray
from provgrid_optimizer.matrix import Block, LinearProgram
from provgrid_optimizer.options import SolveOptions

if TYPE_CHECKING:
    from collections.abc import Iterable

    from provgrid_models.problem import Bools, Floats, Ints
    from provgrid_optimizer.answers.fixed import Remaining

SAME_PRICE = 1e-6  # relative, or yuan: slopes as near as that are one piece
_RAY_ZERO = 1e-9


@dataclass(frozen=True, kw_only=True)
class Direction:
    """What a parameter moves, for each unit of it: upper limits of columns, and both limits of rows."""

    column: Ints
    column_by: Floats
    row: Ints
    row_by: Floats

    def reversed(self) -> Direction:
        """Return the same parameter, counted downwards."""
        return replace(self, column_by=-self.column_by, row_by=-self.row_by)

    def of_loads(self, left: Remaining) -> Direction:
        """Only what it adds to the load of clusters: the power of idle accelerators."""
        block = left.program.rows["balance"]
        loads = (self.row >= block.first) & (self.row < block.first + block.size)
        nothing = np.zeros(0, dtype=np.int64)
        return Direction(
            column=nothing, column_by=nothing.astype(np.float64), row=self.row[loads], row_by=self.row_by[loads]
        )


def price(left: Remaining, direction: Direction) -> float:
    """Yuan of cost for each unit of the parameter, by the duals of this solution; between the two slopes."""
    binding = np.minimum(left.reduced_costs[direction.column], 0.0)
    return float(binding @ direction.column_by + left.row_duals[direction.row] @ direction.row_by)


def may_differ(left: Remaining, options: SolveOptions | None = None) -> tuple[Bools, Bools] | None:
    """Columns whose reduced cost, and rows whose dual, may differ between optimal dual solutions, (n,) and (m,).

    What is not marked has one value in all of them. A dual may move along the row of the basis inverse of each basic
    variable that stands at a limit, and along nothing else; a random mixture of these rows is 0 where all of them are.
    So one solve with the basis marks everything, and marks too much where signs forbid a move. None without a vertex.
    """
    if left.vertex is None:
        return None
    random = np.random.default_rng(0)
    weights = random.uniform(1.0, 2.0, left.program.n_rows) * random.choice([-1.0, 1.0], left.program.n_rows)
    ray = dual_ray(left.program, left.vertex, left.x, weights, options or SolveOptions(threads=1))
    return np.abs(left.program.transposed(ray)) > _RAY_ZERO, np.abs(ray) > _RAY_ZERO


def slope(left: Remaining, direction: Direction, options: SolveOptions | None = None) -> float:
    """Right-hand derivative of the least cost along a direction [yuan per unit]; inf where no step is feasible."""
    cone = small_changes(left)
    upper, row_lower, row_upper = cone.column_upper.copy(), cone.row_lower.copy(), cone.row_upper.copy()
    upper[direction.column] += direction.column_by
    row_lower[direction.row] += direction.row_by
    row_upper[direction.row] += direction.row_by
    if (upper < cone.column_lower).any():
        return math.inf
    moved = replace(cone, column_upper=upper, row_lower=row_lower, row_upper=row_upper)
    answer = _optimum(moved, options, left.vertex)
    return math.inf if answer.ending is Ending.INFEASIBLE else answer.objective_yuan


def slopes(
    left: Remaining, columns: Iterable[int], rows: Iterable[int], options: SolveOptions | None = None
) -> tuple[dict[int, tuple[float, float]], dict[int, tuple[float, float]]]:
    """Left and right slope of the least cost in the upper limit of each column, and in the limits of each row."""
    if left.vertex is None:
        raise SolverError(
            "this program was solved without a vertex, so its slopes are not known; ask for prices without ranges"
        )
    cone = small_changes(left)
    again = Again(cone, options or SolveOptions(threads=1), left.vertex)
    of_columns, of_rows = {}, {}
    for column in columns:
        lower, upper = float(cone.column_lower[column]), float(cone.column_upper[column])
        found = []
        for step in (-1.0, 1.0):
            if upper + step < lower:
                found.append(-math.inf)
                continue
            again.limit_column(column, lower, upper + step)
            found.append(step * again.cost_yuan())
        again.limit_column(column, lower, upper)
        of_columns[column] = (found[0], found[1])
    for row in rows:
        lower, upper = float(cone.row_lower[row]), float(cone.row_upper[row])
        found = []
        for step in (-1.0, 1.0):
            again.limit_row(row, lower + step, upper + step)
            found.append(step * again.cost_yuan())
        again.limit_row(row, lower, upper)
        of_rows[row] = (found[0], found[1])
    return of_columns, of_rows


def reach(
    left: Remaining, direction: Direction, slope_yuan: float, farthest: float, options: SolveOptions | None = None
) -> float:
    """How far the parameter may move, up to `farthest`, while the least cost keeps its slope along the direction."""
    program, vertex = _with_parameter(left, direction, slope_yuan, farthest)
    answer = _optimum(program, options, vertex)
    return 0.0 if answer.x is None else float(answer.x[-1])


def _optimum(program: LinearProgram, options: SolveOptions | None, vertex: Basis | None) -> Answer:
    """Solve to the end, or to infeasibility."""
    return settled(program, options or SolveOptions(threads=1), stage="prices", basis=vertex)


def small_changes(left: Remaining) -> LinearProgram:
    """Program of all small changes dx that keep to what binds at the optimum, at the same costs."""
    program, x = left.program, left.x
    lower, upper = _cone(x, program.column_lower, program.column_upper)
    row_lower, row_upper = _cone(program.activity(x), program.row_lower, program.row_upper)
    return replace(
        program, column_lower=lower, column_upper=upper, row_lower=row_lower, row_upper=row_upper, offset=0.0
    )


def _cone(at: Floats, lower: Floats, upper: Floats) -> tuple[Floats, Floats]:
    """Limits of a small change: 0 on the side of a limit that binds, none on the others."""
    room = LIMIT_TOLERANCE * np.maximum(1.0, np.abs(at))
    return np.where(at - lower <= room, 0.0, -np.inf), np.where(upper - at <= room, 0.0, np.inf)


def _with_parameter(
    left: Remaining, direction: Direction, slope_yuan: float, farthest: float
) -> tuple[LinearProgram, Basis | None]:
    """Add the parameter as the last column, between 0 and `farthest`; limits of columns that it moves become rows."""
    program = left.program
    limited = np.isfinite(program.column_upper[direction.column]) & (direction.column_by != 0)
    column, column_by = direction.column[limited], direction.column_by[limited]
    rows = program.n_rows + np.arange(column.size)
    owner = np.repeat(np.arange(program.n_columns), np.diff(program.start))
    entry_column = np.concatenate([owner, column, np.full(column.size + direction.row.size, program.n_columns)])
    entry_row = np.concatenate([program.index, rows, rows, direction.row])
    value = np.concatenate([program.value, np.ones(column.size), -column_by, -direction.row_by])
    order = np.lexsort((entry_row, entry_column))
    upper = program.column_upper.copy()
    upper[column] = np.inf
    counts = np.bincount(entry_column, minlength=program.n_columns + 1)
    with_it = replace(
        program,
        cost=np.append(program.cost, -slope_yuan - SAME_PRICE * max(1.0, abs(slope_yuan))),
        column_lower=np.append(program.column_lower, 0.0),
        column_upper=np.append(upper, farthest),
        integer=np.append(program.integer, False),
        row_lower=np.concatenate([program.row_lower, np.full(column.size, -np.inf)]),
        row_upper=np.concatenate([program.row_upper, program.column_upper[column]]),
        start=np.concatenate([[0], np.cumsum(counts)]).astype(np.int64),
        index=entry_row[order],
        value=value[order],
        columns=program.columns
        | {"parameter": Block("parameter", program.n_columns, 1, {"parameter": np.zeros(1, dtype=np.int64)})},
        rows=program.rows | {"moved": Block("moved", program.n_rows, column.size, {"column": column})},
    )
    return with_it, _carried(left.vertex, column)


def _carried(vertex: Basis | None, column: Ints) -> Basis | None:
    """Carry a vertex over: a column at the limit that is a row now is basic in its place, the parameter stays at 0."""
    if vertex is None:
        return None
    at_limit = vertex.columns[column] == AT_UPPER
    columns = np.append(vertex.columns, AT_LOWER).astype(np.int8)
    columns[column[at_limit]] = BASIC
    rows = np.concatenate([vertex.rows, np.where(at_limit, AT_UPPER, BASIC)]).astype(np.int8)
    return Basis(columns=columns, rows=rows)
