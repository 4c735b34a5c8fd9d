"""A linear program in column-wise sparse form, the builder that fills it, and the check of a point."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from provgrid_models.problem import Bools, Floats, Ints


@dataclass(frozen=True)
class Block:
    """Consecutive columns, or rows, of one kind. `ids` says what each stands for, e.g. job, pool and period."""

    kind: str
    first: int
    size: int
    ids: dict[str, Ints]

    @property
    def slice(self) -> slice:
        """Where the block lies."""
        return slice(self.first, self.first + self.size)

    @property
    def at(self) -> Ints:
        """The number of each column, or row, of the block."""
        return np.arange(self.first, self.first + self.size)


@dataclass(frozen=True, kw_only=True)
class LinearProgram:
    """min cost x + offset  s.t.  row_lower <= A x <= row_upper,  column_lower <= x <= column_upper.

    A is column-wise: column i holds `value[k]` in row `index[k]` for k in start[i] : start[i+1], rows ascending.
    `integer` marks the columns that must be whole numbers. No row has two different finite limits.
    """

    cost: Floats  # (n,)
    column_lower: Floats  # (n,)
    column_upper: Floats  # (n,)
    integer: Bools  # (n,)
    row_lower: Floats  # (m,)
    row_upper: Floats  # (m,)
    start: Ints  # (n + 1,)
    index: Ints  # (entries,)
    value: Floats  # (entries,)
    offset: float
    columns: dict[str, Block]
    rows: dict[str, Block]

    @property
    def n_columns(self) -> int:
        """Number of columns."""
        return int(self.cost.size)

    @property
    def n_rows(self) -> int:
        """Number of rows."""
        return int(self.row_lower.size)

    def activity(self, x: Floats) -> Floats:
        """Return A x, shape (m,)."""
        weights = self.value * np.repeat(x, np.diff(self.start))
        return np.bincount(self.index, weights=weights, minlength=self.n_rows).astype(np.float64)

    def objective(self, x: Floats) -> float:
        """Cost of a point, offset included."""
        return float(self.cost @ x) + self.offset

    def violation(self, x: Floats) -> float:
        """How far a point is from feasible: the worst excess over a limit, relative to its size or to 1.

        A row's size is the largest of its limits and of the terms that it adds up, so that rounding in a sum of
        large terms is not mistaken for a broken rule. A point with a NaN is infinitely far.
        """
        if not np.isfinite(x).all():
            return float("inf")
        terms = np.abs(self.value * np.repeat(x, np.diff(self.start)))
        size = np.ones(self.n_rows)
        np.maximum.at(size, self.index, terms)
        rows = _excess(self.activity(x), self.row_lower, self.row_upper) / size
        columns = _excess(x, self.column_lower, self.column_upper) / np.maximum(1.0, np.abs(x))
        whole = np.abs(x - np.round(x))[self.integer]
        return float(max(part.max(initial=0.0) for part in (rows, columns, whole)))

    def dual_bound(self, row_duals: Floats, tolerance: float = 1e-7) -> float:
        """Lower bound that row duals (d cost / d right-hand side) prove for the relaxation, by weak duality.

        Reduced costs and duals of the wrong sign count as 0 within `tolerance` (relative to the costs' scale);
        beyond it the bound is -inf.
        """
        reduced = self.cost - self.transposed(row_duals)
        slack = tolerance * max(1.0, float(np.abs(self.cost).max(initial=0.0)))
        rows = _least(row_duals, self.row_lower, self.row_upper, slack)
        columns = _least(reduced, self.column_lower, self.column_upper, slack)
        return float(rows + columns + self.offset)

    def transposed(self, y: Floats) -> Floats:
        """Return A' y, shape (n,)."""
        column = np.repeat(np.arange(self.n_columns), np.diff(self.start))
        return np.bincount(column, weights=self.value * y[self.index], minlength=self.n_columns).astype(np.float64)


def _excess(at: Floats, lower: Floats, upper: Floats) -> Floats:
    return np.maximum(np.maximum(lower - at, at - upper), 0.0)


def _least(price: Floats, lower: Floats, upper: Floats, slack: float) -> float:
    """Least of price * x over lower <= x <= upper, summed; prices within `slack` of 0 are 0 where x is unlimited."""
    limit = np.where(price > 0, lower, upper)
    free = np.isinf(limit)
    if (np.abs(price[free]) > slack).any():
        return -np.inf
    return float((price[~free] * limit[~free]).sum())


@dataclass
class Builder:
    """Collects columns, rows and entries, block by block, and sorts them once at the end."""

    columns: dict[str, Block] = field(default_factory=dict)
    rows: dict[str, Block] = field(default_factory=dict)
    n_columns: int = 0
    n_rows: int = 0
    _columns: list[tuple[Floats, Floats, Floats]] = field(default_factory=list)
    _integer: list[Bools] = field(default_factory=list)
    _rows: list[tuple[Floats, Floats]] = field(default_factory=list)
    _entries: list[tuple[Ints, Ints, Floats]] = field(default_factory=list)

    def add_columns(
        self,
        kind: str,
        ids: dict[str, Ints],
        *,
        cost: Floats | float = 0.0,
        upper: Floats | float = np.inf,
        integer: bool = False,
    ) -> Block:
        """Add columns x >= 0, one for each row of `ids`."""
        size = next(iter(ids.values())).size
        block = Block(kind, self.n_columns, size, ids)
        self.columns[kind] = block
        self.n_columns += size
        self._columns.append((_full(cost, size), np.zeros(size), _full(upper, size)))
        self._integer.append(np.full(size, integer))
        return block

    def add_rows(
        self,
        kind: str,
        ids: dict[str, Ints],
        *,
        equal: Floats | float | None = None,
        at_most: Floats | float | None = None,
    ) -> Block:
        """Add rows `A x = equal` or `A x <= at_most`, one for each row of `ids`."""
        size = next(iter(ids.values())).size
        block = Block(kind, self.n_rows, size, ids)
        self.rows[kind] = block
        self.n_rows += size
        upper = _full(at_most if equal is None else equal, size)
        self._rows.append((np.full(size, -np.inf) if equal is None else upper, upper))
        return block

    def add_entries(self, rows: Ints, columns: Ints, values: Floats | float) -> None:
        """Put values into the matrix; what lands on the same place is added up."""
        self._entries.append((rows, columns, _full(values, rows.size)))

    def program(self, offset: float) -> LinearProgram:
        """Sort everything into a `LinearProgram`."""
        cost, lower, upper = (np.concatenate(parts) for parts in zip(*self._columns, strict=True))
        row_lower, row_upper = (np.concatenate(parts) for parts in zip(*self._rows, strict=True))
        start, index, value = self._sorted_entries()
        return LinearProgram(
            cost=cost,
            column_lower=lower,
            column_upper=upper,
            integer=np.concatenate(self._integer),
            row_lower=row_lower,
            row_upper=row_upper,
            start=start,
            index=index,
            value=value,
            offset=offset,
            columns=self.columns,
            rows=self.rows,
        )

    def _sorted_entries(self) -> tuple[Ints, Ints, Floats]:
        """Entries by column, then row, with doubles added up and zeros left out."""
        rows, columns, values = (np.concatenate(parts) for parts in zip(*self._entries, strict=True))
        kept = values != 0
        place = columns[kept] * np.int64(max(self.n_rows, 1)) + rows[kept]
        place, inverse = np.unique(place, return_inverse=True)
        value = np.bincount(inverse, weights=values[kept], minlength=place.size).astype(np.float64)
        column, index = np.divmod(place, max(self.n_rows, 1))
        start = np.concatenate([[0], np.cumsum(np.bincount(column, minlength=self.n_columns))])
        return start.astype(np.int64), index, value


def _full(value: Floats | float | None, size: int) -> Floats:
    return np.broadcast_to(np.asarray(value, dtype=np.float64), (size,)).copy()
