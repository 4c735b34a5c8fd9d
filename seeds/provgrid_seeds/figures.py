"""Which figure of the tables stands behind which number of a scenario: `columns.toml`, read and applied.

A token `table/row` names a row; the figure is one of its cells, with a range and a quality of its own where the table
gives them (`clusters` has `pue_quality` beside `quality`). Only the standard library is imported.
"""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from fnmatch import fnmatchcase
from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING, Any

from provgrid_seeds import facts, loader

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

NOT_COPIED = ("facts", "cluster_facts")


@dataclass(frozen=True, kw_only=True)
class Figure:
    """One cell of a table, or one fact, behind a number; `value` is None where the whole row is meant."""

    table: str
    row: str
    column: str
    value: float | None
    quality: str
    low: float | None = None
    high: float | None = None

    @property
    def token(self) -> str:
        """The row, as a `source` names it."""
        return f"{self.table}/{self.row}"

    @property
    def name(self) -> str:
        """The cell: table/row.column; a fact is one as a whole."""
        return f"{self.token}.{self.column}" if self.column and self.table != "facts" else self.token

    @property
    def facts(self) -> tuple[str, ...]:
        """Facts of the documents that are this figure, or bear on it."""
        return (self.row,) if self.table == "facts" else facts.facts_by_cell().get(self.name, ())


def figure_of(table: str, row: loader.TableRow, column: str = "") -> Figure:
    """Return a cell with its range and quality; without a column, the table's main one, or else the whole row."""
    of_table = _rules()["figures"].get(table, {})
    column = column or of_table.get("main", "")
    companions = of_table.get(column, {}) if column else {}
    quality = row.get(companions.get("quality", "")) or row["quality"]
    return Figure(
        table=table,
        row=str(row["id"]),
        column=column,
        value=_number(row.get(column)),
        quality=str(quality),
        low=_number(row.get(companions.get("low", ""))),
        high=_number(row.get(companions.get("high", ""))),
    )


def figures_of_source(source: str) -> tuple[Figure, ...]:
    """Figures behind a `source` that belongs to one number. Raises KeyError at a token that names nothing."""
    return tuple(figure_of(table, row) for table, row in loader.resolve(source))


def figures_of_cell(table: str, column: str, source: str) -> tuple[tuple[Figure, ...], bool]:
    """Figures behind one column of a row whose `source` covers the whole row, and whether a rule has picked them.

    Where no rule picks any, all figures of the row. Raises KeyError at a token that names nothing.
    """
    named = loader.resolve(source)
    picked = [
        figure_of(name, row, pattern.partition("/")[2].partition(".")[2])
        for pattern in _rules()["tables"].get(table, {}).get(column, ())
        for name, row in named
        if fnmatchcase(f"{name}/{row['id']}", pattern.partition(".")[0])
    ]
    return tuple(picked) or tuple(figure_of(name, row) for name, row in named), bool(picked)


def copied_figure(table: str, column: str, keys: Mapping[str, Any]) -> Figure | None:
    """Return the cell that a row of a long table is a copy of, by its keys; None where there is none."""
    pattern = _rules()["copies"].get(f"{table}.{column}", "")
    place, _, kind = str(keys.get("profile", "")).rpartition("_")
    token, _, source_column = pattern.format(**keys, profile_place=place, profile_kind=kind).partition(".")
    name, _, row_id = token.partition("/")
    try:
        found = figure_of(name, loader.table_row(name, row_id), source_column)
    except KeyError:
        return None
    return found if found.value is not None else None


def stated_value(path: str, behind: tuple[Figure, ...]) -> float | None:
    """Value that a number has while it still is what its only figure states; None where it follows by a formula.

    `path` is a setting, or the table and column of a row. Facts are sentences: their value may be another quantity.
    """
    if len(behind) != 1 or behind[0].value is None or behind[0].table in NOT_COPIED:
        return None
    patterns = (tokens for of, tokens in _rules()["derived"].items() if fnmatchcase(path, of))
    if any(fnmatchcase(behind[0].token, token) for tokens in patterns for token in tokens):
        return None
    return behind[0].value * float(_rules()["scaled"].get(path, 1.0))


def drawn_rules(table: str, column: str) -> tuple[str, ...]:
    """Patterns of the settings, and tokens of the rows, that a column of drawn work follows from."""
    return tuple(_rules()["drawn"].get(table, {}).get(column, ()))


def default_source(path: str) -> str | None:
    """Source of a number that is the default of its setting or column; None where no source is known."""
    source = _rules()["defaults"].get(path)
    return None if source is None else str(source)


def is_choice(token: str) -> bool:
    """Whether an assumption is a choice of a scenario, and no figure of the world that may be off."""
    return any(fnmatchcase(token, pattern) for pattern in _rules()["choices"]["held"])


def weakest(qualities: Iterable[str]) -> str:
    """Return the least sure of some qualities."""
    return max(qualities, key=loader.QUALITIES.index)


def _number(cell: object) -> float | None:
    return cell if isinstance(cell, float) else None


@cache
def _rules() -> dict[str, Any]:
    return tomllib.loads(files(__package__).joinpath("columns.toml").read_text(encoding="utf-8"))
