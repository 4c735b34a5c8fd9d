"""A table on its way from files to a scenario: values, blank cells, and the place that every row came from.

Long tables hold typed columns (see `cells`), short tables texts; both are patched and overridden in the same way.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import pyarrow as pa

from provgrid_models import cells
from provgrid_models.findings import MOST_PER_KIND, did_you_mean
from provgrid_models.scenario import SHORT_TABLES
from provgrid_models.tables import LONG_TABLES, Column

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from provgrid_models.findings import Findings, Severity
    from provgrid_models.overlay import Override
    from provgrid_models.readers import RawTable

TABLE_NAMES = (*SHORT_TABLES, *LONG_TABLES)
KEYS: dict[str, tuple[str, ...]] = {
    **dict.fromkeys(SHORT_TABLES, ("id",)),
    "routes": ("region", "cluster"),
    "bindings": ("family", "chip"),
    "expansions": ("pool", "start"),
    **{name: table.key for name, table in LONG_TABLES.items()},
}


FROM_START = "Hours count from the start of the horizon: write 26.5 for 2:30 on its second day."
TIMES = {
    "release_h": FROM_START,
    "deadline_h": FROM_START,
    "hour": "Write the hour of the day alone, 0 to 23.",
    "period": "Periods count from 0, the start of the horizon.",
}
DATE_OR_TIME = re.compile(r"\d{1,4}[-/年月]\d{1,2}|\d{1,4}\.\d{1,2}\.|\d{1,2}[:点时]")


def columns_of(table: str) -> tuple[str, ...]:
    """Names of the columns that a table may have."""
    return tuple(SHORT_TABLES[table].model_fields if table in SHORT_TABLES else LONG_TABLES[table].column)


def required_columns(table: str) -> tuple[str, ...]:
    """Names of the columns that a table must have."""
    if table in SHORT_TABLES:
        return tuple(name for name, info in SHORT_TABLES[table].model_fields.items() if info.is_required())
    return tuple(column.name for column in LONG_TABLES[table].columns if column.required)


@dataclass(frozen=True)
class Places:
    """Where each row of a table came from: `files[file_of[i]]` and `lines[i]`."""

    files: tuple[str, ...]
    file_of: NDArray[np.int64]
    lines: NDArray[np.int64]

    @classmethod
    def of_rows(cls, file: str, rows: int) -> Places:
        """Places of rows that stand, in order, in one CSV file."""
        return cls((file,), np.zeros(rows, dtype=np.int64), np.arange(2, rows + 2, dtype=np.int64))

    def at(self, row: int) -> dict[str, Any]:
        """File and line of a row, as keywords of a finding."""
        return {"file": self.files[self.file_of[row]], "row": int(self.lines[row])}

    def joined(self, other: Places) -> Places:
        """Rows of this table followed by rows of the other."""
        return Places(
            self.files + other.files,
            np.concatenate([self.file_of, other.file_of + len(self.files)]),
            np.concatenate([self.lines, other.lines]),
        )

    def taken(self, rows: NDArray[np.int64]) -> Places:
        """Only these rows."""
        return Places(self.files, self.file_of[rows], self.lines[rows])


@dataclass
class Grid:
    """Values and blank cells by column, one row per row of the table; `broken` columns were reported already.

    `ragged` says that the file has more rows, which could not be read and were reported.
    """

    name: str
    data: dict[str, pd.Series[Any]]
    blank: dict[str, NDArray[np.bool_]]
    places: Places
    broken: set[str] = field(default_factory=set)
    ragged: bool = False

    @property
    def rows(self) -> int:
        """Number of rows."""
        return len(self.places.lines)

    @property
    def key(self) -> pd.Index[Any]:
        """Key of every row, as text; a multi-index where several columns make the key."""
        columns = [self.column(name)[0].astype(str) for name in KEYS[self.name]]
        return pd.Index(columns[0]) if len(columns) == 1 else pd.MultiIndex.from_arrays(columns)

    def column(self, name: str) -> tuple[pd.Series[Any], NDArray[np.bool_]]:
        """Values and blank cells of a column; defaults where the files do not have it, blank where there are none."""
        if name in self.data:
            return self.data[name], self.blank[name]
        spec = column_spec(self.name, name)
        return cells.default_cells(spec, self.rows), np.full(self.rows, spec.blank or spec.required)


def column_spec(table: str, name: str) -> Column:
    """Return the column of a long table; a short table's column is text until its rows are made."""
    return LONG_TABLES[table].column[name] if table in LONG_TABLES else Column(name, "text", "", blank=True)


def grid_of(raw: RawTable, table: str, findings: Findings) -> Grid | None:
    """Read a file's columns as those of `table`; what cannot be read is reported and marked broken.

    None where the first line names no column of the table: it is no header.
    """
    places = Places((raw.file,), np.zeros(len(raw.lines), dtype=np.int64), raw.lines)
    grid = Grid(table, {}, {}, places, ragged=raw.ragged)
    known = columns_of(table)
    if raw.columns and not {name.lower() for name in raw.columns} & set(known):
        _report_no_header(raw, table, findings)
        return None
    for name, array in raw.columns.items():
        if name not in known:
            hint = did_you_mean(name, known) or f"Columns of {table}: {', '.join(known)}."
            findings.error("unknown-column", "no such column", file=raw.file, row=1, column=name, hint=hint)
            continue
        spec = column_spec(table, name)
        read = cells.from_texts(array, spec) if array.type == pa.string() else cells.from_typed(array, spec)
        if read is None or (array.type == pa.string() and raw.file.endswith(".parquet") and spec.kind != "text"):
            message = f"the column holds {cells.type_words(array.type)}, {cells.KIND_NEEDED[spec.kind]} is needed"
            findings.error("wrong-type", message, file=raw.file, column=name, hint="Write it with the right type.")
            grid.broken.add(name)
            continue
        grid.data[name], grid.blank[name], bad = read
        if bad.any():
            _report_unreadable(grid, array, bad, spec, findings)
            grid.broken.add(name)
    return grid


def _report_no_header(raw: RawTable, table: str, findings: Findings) -> None:
    """Report a first line that is none of a table's, in place of all that is wrong with its names one by one."""
    of_header = ("unnamed-column", "duplicate-column")
    findings[:] = [one for one in findings if one.file != raw.file or one.code not in of_header]
    found = next(iter(raw.columns))
    message = f"the first line names no column of {table}"
    hint = f"Begin the file with a line of column names; {table} needs {', '.join(required_columns(table))}."
    findings.error("no-header", message, file=raw.file, row=1, found=found, hint=hint)


def _report_unreadable(grid: Grid, array: Any, bad: NDArray[np.bool_], spec: Column, findings: Findings) -> None:
    rows = np.flatnonzero(bad)
    for row in rows[:MOST_PER_KIND].tolist():
        found = str(array[row].as_py())
        message, hint = f"{cells.KIND_NEEDED[spec.kind]} is needed", number_hint(found, spec.name)
        findings.error("unreadable-cell", message, column=spec.name, found=found, hint=hint, **grid.places.at(row))
    report_rest(findings, "unreadable-cell", len(rows) - MOST_PER_KIND, grid.places.at(int(rows[0])), spec.name)


def report_rest(
    findings: Findings, code: str, left_out: int, place: dict[str, Any], column: str, severity: Severity = "error"
) -> None:
    """Say how many findings of a kind were left out."""
    if left_out > 0:
        message = f"{left_out:,} more rows like those above"
        findings.add(severity, code, message, file=place["file"], column=column, count=left_out)


def number_hint(found: str, column: str = "") -> str:
    """Say how to write a number with full-width signs, a decimal comma, thousands separators, a % or a unit.

    Of a column of times, also what it counts, where a date or a time of the day stands in its place.
    """
    half_width = unicodedata.normalize("NFKC", found)
    if column in TIMES and DATE_OR_TIME.match(half_width):
        return TIMES[column]
    if half_width != found and _is_number(half_width):
        return f"Write {half_width}, in half-width digits."
    with_point = found.replace("，", ",").replace(",", ".")
    if found.count(",") + found.count("，") == 1 and len(with_point.partition(".")[2]) != 3 and _is_number(with_point):
        return f"Write {with_point}, with a decimal point."
    plain = found.replace(",", "").replace("_", "").replace("，", "").replace(" ", "")
    if plain.endswith("%") and _is_number(plain[:-1]):
        return f"Write {float(plain[:-1]) / 100:.12g}."
    if plain != found and _is_number(plain):
        return f"Write {plain}, without thousands separators."
    if found[:1].isdigit() and not _is_number(found):
        return "The unit stands in the column's name; write the number alone."
    return ""


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True


def patched(base: Grid, patch: Grid, findings: Findings) -> Grid:
    """Put the patch's rows into the base: a known key is updated in every filled cell, a new key is added."""
    file = patch.places.files[0]
    missing = [name for name in KEYS[base.name] if name not in patch.data and name in required_columns(base.name)]
    if missing:
        hint = f"A patch finds its rows by {', '.join(KEYS[base.name])}."
        findings.error("missing-column", "the column is missing", file=file, row=1, column=missing[0], hint=hint)
        return base
    first = np.flatnonzero(~base.key.duplicated())
    found = base.key[first].get_indexer(patch.key)
    known, new = np.flatnonzero(found >= 0), np.flatnonzero(found < 0)
    target = first[found[known]] if len(first) else known
    repeated = np.flatnonzero(patch.key.duplicated())
    if len(repeated):
        message = "the key is there twice"
        findings.error(
            "duplicate-key", message, found=key_text(patch, int(repeated[0])), **patch.places.at(repeated[0])
        )
    merged = Grid(base.name, {}, {}, base.places.joined(patch.places.taken(new)), base.broken | patch.broken)
    merged.ragged = base.ragged or patch.ragged
    merged.places.file_of[target] = patch.places.file_of[known] + len(base.places.files)
    merged.places.lines[target] = patch.places.lines[known]
    for name in dict.fromkeys([*base.data, *patch.data]):
        values, blank = base.column(name)
        values, blank = values.copy(), blank.copy()
        if name in patch.data and name not in KEYS[base.name]:
            filled = ~patch.blank[name][known]
            values.iloc[target[filled]] = patch.data[name].iloc[known[filled]].to_numpy()
            blank[target[filled]] = False
        added, added_blank = patch.column(name)
        merged.data[name] = pd.concat([values, added.iloc[new]], ignore_index=True)
        merged.blank[name] = np.concatenate([blank, added_blank[new]])
    return merged


def key_text(grid: Grid, row: int) -> str:
    """Key of a row as a person writes it: the parts that are not blank, joined by colons."""
    parts = (grid.column(name) for name in KEYS[grid.name])
    return ":".join(str(values.iloc[row]) for values, blank in parts if not blank[row])


def override_cells(grid: Grid, override: Override, findings: Findings) -> list[int]:
    """Set or scale one column in every row whose key starts with the override's; returns those rows.

    Parts of a key are joined by colons, and each may be a pattern: `*` stands for anything.
    """
    column, argument = override.column, override.argument
    known = columns_of(grid.name)
    if column not in known or column in KEYS[grid.name]:
        is_key = column in known
        message = "the key cannot be changed" if is_key else f"{grid.name} has no such column"
        hint = "" if is_key else did_you_mean(column, [name for name in known if name not in KEYS[grid.name]])
        findings.error("unknown-path", message, file="--set", row=argument, found=column, hint=hint)
        return []
    rows = _matching_rows(grid, override.key.split(":"))
    if not len(rows):
        depth = override.key.count(":") + 1
        ids = dict.fromkeys(":".join(k[:depth]) if isinstance(k, tuple) else str(k) for k in grid.key)
        hint, found = did_you_mean(override.key, ids), override.key
        findings.error(
            "unknown-path", f"{grid.name} has no such row", file="--set", row=argument, found=found, hint=hint
        )
        return []
    spec = column_spec(grid.name, column)
    values, blanks = grid.column(column)
    old = [str(cell).strip() for cell in values.iloc[rows]]
    if override.scales and not all(_is_number(text) for text in old if text):
        found, message = next(text for text in old if text and not _is_number(text)), "there is no number to multiply"
        findings.error("unknown-path", message, file="--set", row=argument, found=found)
        return []
    new = [_times(text, override.value) for text in old] if override.scales else [override.cell_text] * len(rows)
    value, blank, bad = cells.from_texts(pa.array(new, pa.string()), spec)
    if bad.any():
        found = new[int(np.argmax(bad))]
        message, hint = f"{cells.KIND_NEEDED[spec.kind]} is needed", number_hint(found, column)
        findings.error("unreadable-cell", message, file="--set", row=argument, found=found, hint=hint)
        return []
    grid.data[column], grid.blank[column] = values.copy(), blanks.copy()
    grid.data[column].iloc[rows] = value.to_numpy()
    grid.blank[column][rows] = blank
    return [int(row) for row in rows]


def _matching_rows(grid: Grid, parts: list[str]) -> NDArray[np.int64]:
    """Rows whose key starts with these parts; none where there are more parts than the key has."""
    if len(parts) > len(KEYS[grid.name]):
        return np.zeros(0, dtype=np.int64)
    match = np.ones(grid.rows, dtype=np.bool_)
    for name, part in zip(KEYS[grid.name], parts, strict=False):
        texts = grid.column(name)[0].astype(str)
        if "*" in part:
            pattern = ".*".join(re.escape(piece) for piece in part.split("*"))
            match &= texts.str.fullmatch(pattern).to_numpy(dtype=np.bool_)
        else:
            match &= (texts == part).to_numpy()
    return np.flatnonzero(match)


def _times(text: str, factor: float) -> str:
    """Multiply a number that stands as a text; a blank cell stays blank."""
    if text in ("", "nan"):
        return ""
    product = float(text) * factor
    return str(int(product)) if product.is_integer() else repr(product)
