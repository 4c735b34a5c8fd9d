"""The report's tables: rows of plain values, each column with a name that carries its unit, and a kind of its own."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

import pandas as pd

if TYPE_CHECKING:
    from collections.abc import Sequence

    from provgrid.report.wording import Wording

Kind = Literal["text", "id", "name", "number", "yuan", "share", "time"]
SHARES = ("share", "gap", "captured", "saving", "utilisation")


@dataclass(frozen=True)
class Cell:
    """One cell: what is shown, and what is sorted by and downloaded."""

    shown: str
    value: str


@dataclass(frozen=True)
class Column:
    """One column: its name in the downloaded file, and its heading."""

    name: str
    kind: Kind
    heading: str

    @property
    def numeric(self) -> bool:
        """Whether its cells are compared as numbers."""
        return self.kind in ("number", "yuan", "share")


@dataclass(frozen=True, kw_only=True)
class Table:
    """A table, ready to be shown. `left_out` rows are in the plan's own tables and not here; `note` says where."""

    key: str
    title: str
    note: str
    columns: tuple[Column, ...]
    rows: tuple[tuple[Cell, ...], ...]


def kind_of(name: str) -> Kind:
    """Kind of a column by its name."""
    if name.endswith("_yuan"):
        return "yuan"
    if name.rpartition("_")[2] in SHARES:
        return "share"
    if name.endswith("_time"):
        return "time"
    if name in ("id", "job", "service", "pool", "link", "path", "run", "file"):
        return "id"
    return "number"


def table(
    key: str,
    frame: pd.DataFrame,
    wording: Wording,
    *,
    names: dict[str, str] | None = None,
    terms: dict[str, str] | None = None,
    note: str = "",
) -> Table:
    """Make a table of a frame.

    Parameters
    ----------
    frame : columns in order; text columns are shown as they are, numbers by the kind that their name says.
    names : what places are called in the report's language, by id; a cell shows the name and keeps the id.
    terms : group of the texts that words of a column are looked up in, by column.
    note : what is left out, and where it is.
    """
    say = wording.say
    columns = []
    for name in map(str, frame.columns):
        text = not pd.api.types.is_numeric_dtype(frame[name]) and kind_of(name) not in ("id", "time")
        columns.append(Column(name, "text" if text else kind_of(name), say(f"columns.{name}")))
    rows = []
    for values in frame.itertuples(index=False, name=None):
        cells = [
            _cell(column, value, wording, names or {}, (terms or {}).get(column.name))
            for column, value in zip(columns, values, strict=True)
        ]
        rows.append(tuple(cells))
    return Table(key=key, title=say(f"tables.{key}"), note=note, columns=tuple(columns), rows=tuple(rows))


def _cell(column: Column, value: Any, wording: Wording, names: dict[str, str], terms: str | None) -> Cell:
    """Make one cell of a value; what is not there is empty."""
    if value is None or value is pd.NaT or (isinstance(value, float) and math.isnan(value)):
        return Cell("", "")
    if column.kind == "time":
        return Cell(f"{value:%m-%d %H:%M}", f"{value:%Y-%m-%d %H:%M}")
    if not column.numeric:
        text = str(value)
        if terms is not None:
            return Cell(wording.term(terms, text), text)
        return Cell(names.get(text, text) if column.kind == "text" else text, text)
    number = float(value)
    shown = wording.numbers.percent(number) if column.kind == "share" else wording.numbers.number(number)
    # Whole numbers are written as such; the others with all their digits.
    return Cell(shown, str(int(number)) if number.is_integer() and abs(number) < 1e15 else repr(number))


def largest(frame: pd.DataFrame, by: str, most: int, first: pd.Series | None = None) -> pd.DataFrame:
    """Keep the rows with the largest values, and before them all that `first` marks, up to the same number."""
    ordered = frame.assign(_first=False if first is None else first).sort_values(
        ["_first", by], ascending=False, kind="stable"
    )
    return ordered.head(most).drop(columns="_first")


def runs_together(frames: Sequence[tuple[str, pd.DataFrame]]) -> pd.DataFrame:
    """Put the tables of several runs below each other, with a column that says whose rows they are."""
    if len(frames) == 1:
        return frames[0][1]
    marked = []
    for name, frame in frames:
        frame = frame.copy()
        frame.insert(0, "run", name)
        marked.append(frame)
    return pd.concat(marked, ignore_index=True)
