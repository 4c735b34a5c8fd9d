"""Checks of one column or one row at a time: missing columns, blank cells, ranges, choices, duplicate keys."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from provgrid_models.findings import MOST_PER_KIND, did_you_mean
from provgrid_models.grids import KEYS, TABLE_NAMES, key_text, required_columns
from provgrid_models.tables import LONG_TABLES

if TYPE_CHECKING:
    from provgrid_models.checks.tables import Tables
    from provgrid_models.grids import Grid
    from provgrid_models.tables import Column


MOST_WORDS = 5000  # known words that a did-you-mean is looked for among


def check_columns(tables: Tables) -> None:
    """Check every table's columns and keys."""
    for name in TABLE_NAMES:
        grid = tables.grids.get(name)
        if grid is None:
            continue
        if grid.data:
            _check_missing(tables, grid)
        if name in LONG_TABLES:
            for column in LONG_TABLES[name].columns:
                if column.name in grid.data and column.name not in grid.broken:
                    _check_cells(tables, grid, column)
        _check_duplicates(tables, grid)


def _check_missing(tables: Tables, grid: Grid) -> None:
    """Every required column must be there; one finding each, not one per row."""
    for column in required_columns(grid.name):
        if column not in grid.data and column not in grid.broken:
            file = grid.places.files[0]
            hint = f"{grid.name} needs {', '.join(required_columns(grid.name))}."
            tables.findings.error("missing-column", "the column is missing", file=file, row=1, column=column, hint=hint)
            grid.broken.add(column)


def _check_cells(tables: Tables, grid: Grid, column: Column) -> None:
    """Blank cells, numbers out of range or not finite, texts outside the choices of a long table's column."""
    values, blank = grid.column(column.name)
    # A blank cell of a file holds the default already; one of a table made in memory may not.
    empty = blank if column.default is None else blank & (values != column.default).to_numpy(dtype=np.bool_)
    if not column.blank and empty.any():
        default = "" if column.default is None else f"The default is {column.default}; write it or drop the column."
        tables.report(grid.name, column.name, empty, "blank-cell", "the cell is empty", hint=default, show=False)
    if column.kind in ("number", "integer"):
        numbers = values.to_numpy()
        finite = np.isfinite(numbers)
        message = "a finite number is needed"
        tables.report(grid.name, column.name, ~finite & ~blank, "not-finite", message, hint="Leave no NaN or inf.")
        below = numbers <= column.low if column.low_open else numbers < column.low
        message = f"it must be {'above' if column.low_open else 'at least'} {column.low:g}"
        tables.report(grid.name, column.name, finite & below & ~blank, "out-of-range", message)
        message = f"it must be at most {column.high:g}"
        tables.report(grid.name, column.name, finite & (numbers > column.high) & ~blank, "out-of-range", message)
    elif column.choices:
        report_unknown(tables, grid, column.name, pd.Index(column.choices), "unknown-word", "no such word")


def report_unknown(
    tables: Tables, grid: Grid, column: str, known: pd.Index[str], code: str, message: str, hint: str = ""
) -> None:
    """Report each distinct text of a column that is not known, once, at its first row, with the number of its rows."""
    values, blank = grid.column(column)
    codes, distinct = pd.factorize(values)
    known = known.unique()
    wrong = np.flatnonzero(known.get_indexer(pd.Index(distinct)) < 0)  # isin is slow on long lists of texts
    if not len(wrong):
        return
    counts = np.bincount(codes[~blank], minlength=len(distinct))
    wrong = wrong[counts[wrong] > 0]
    first = pd.Series(np.arange(len(codes))).groupby(codes).first()
    words = known[:MOST_WORDS].tolist()
    for i in wrong[:MOST_PER_KIND].tolist():
        also = f" (in {counts[i]:,} rows)" if counts[i] > 1 else ""
        found = str(distinct[i])
        tables.findings.error(
            code,
            message + also,
            column=column,
            found=found,
            hint=did_you_mean(found, words) or hint,
            **grid.places.at(int(first.loc[i])),
        )
    if len(wrong) > MOST_PER_KIND:
        place = grid.places.at(int(first.loc[wrong[0]]))
        left_out = len(wrong) - MOST_PER_KIND
        message = f"{left_out:,} more unknown words"
        tables.findings.error(code, message, file=place["file"], column=column, count=left_out)


def _check_duplicates(tables: Tables, grid: Grid) -> None:
    """No key may be there twice; the finding names the first row that has it."""
    key = KEYS[grid.name]
    if not grid.broken.isdisjoint(key) or not grid.rows:
        return
    columns = pd.DataFrame({name: grid.column(name)[0] for name in key})
    twice = columns.duplicated().to_numpy()
    filled = ~grid.column(key[0])[1]
    rows = np.flatnonzero(twice & filled)
    for row in rows[:MOST_PER_KIND].tolist():
        same = (columns == columns.iloc[row]).all(axis=1).to_numpy()
        at = grid.places.at(int(np.argmax(same)))
        tables.findings.error(
            "duplicate-key",
            f"the {'id' if key == ('id',) else 'key'} is already at {at['file']}:{at['row']}",
            column=", ".join(key),
            found=key_text(grid, row),
            hint="Keep one of the two.",
            **grid.places.at(row),
        )
    if len(rows) > MOST_PER_KIND:
        left_out = len(rows) - MOST_PER_KIND
        file, message = grid.places.at(int(rows[0]))["file"], f"{left_out:,} more keys are there twice"
        tables.findings.error("duplicate-key", message, file=file, column=", ".join(key), count=left_out)
