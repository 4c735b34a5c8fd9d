"""Light, typed access to the tables of public figures, the assumptions and the built-in scenarios.

Only the standard library is imported: the command line lists scenarios without loading pandas.
"""

from __future__ import annotations

import csv
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from types import MappingProxyType
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from importlib.resources.abc import Traversable

Cell = str | float | None
TableRow = Mapping[str, Cell]

QUALITIES = ("measured", "published", "secondary", "assumed")  # from the surest to the least sure


@dataclass(frozen=True)
class Assumption:
    """A named assumption: a value that no retrieved source confirms, its plausible range, and why it was chosen."""

    id: str
    statement: str
    value: float
    unit: str
    low: float
    high: float
    why: str


def table_names() -> tuple[str, ...]:
    """Names of all tables, in alphabetical order."""
    return tuple(sorted(entry.name.removesuffix(".csv") for entry in _folder("tables") if entry.name.endswith(".csv")))


@cache
def table(name: str) -> tuple[TableRow, ...]:
    """Rows of a table in file order; numbers are floats, blank cells None, everything else text.

    Raises
    ------
    KeyError
        There is no such table.
    """
    if name not in table_names():
        raise KeyError(f"no table is called {name!r}; there are {', '.join(table_names())}")
    text = files(__package__).joinpath("tables", f"{name}.csv").read_text(encoding="utf-8")
    rows = csv.DictReader(text.splitlines())
    return tuple(MappingProxyType({column: _cell(value) for column, value in row.items()}) for row in rows)


@cache
def _by_id(name: str) -> Mapping[str, TableRow]:
    return {str(row["id"]): row for row in table(name)}


def table_row(name: str, row_id: str) -> TableRow:
    """Return one row of a table by its id; raises KeyError where there is none."""
    try:
        return _by_id(name)[row_id]
    except KeyError:
        raise KeyError(f"table {name} has no row {row_id!r}") from None


def figure(name: str, row_id: str, column: str) -> float:
    """Return one number of a table; raises KeyError where it is missing or not a number."""
    value = table_row(name, row_id).get(column)
    if not isinstance(value, float):
        raise KeyError(f"table {name}, row {row_id}, column {column} holds {value!r}; a number is needed")
    return value


@cache
def assumption(assumption_id: str) -> Assumption:
    """Return a named assumption; raises KeyError where there is none."""
    row = table_row("assumptions", assumption_id)
    return Assumption(
        id=assumption_id,
        statement=str(row["statement"]),
        value=figure("assumptions", assumption_id, "value"),
        unit=str(row["unit"]),
        low=figure("assumptions", assumption_id, "low"),
        high=figure("assumptions", assumption_id, "high"),
        why=str(row["why"]),
    )


def resolve(source: str) -> tuple[tuple[str, TableRow], ...]:
    """Return the (table, row) pairs behind a scenario's `source`: `table/row` tokens separated by semicolons.

    `assumptions/<id>` names an assumption. Raises KeyError at the first token that names nothing.
    """
    found = []
    for token in source.split(";"):
        name, slash, row_id = token.strip().partition("/")
        if not slash:
            raise KeyError(f"source {token!r} is not of the form table/row")
        found.append((name, table_row(name, row_id)))
    return tuple(found)


def weakest_quality(source: str) -> str:
    """Return the least sure quality among the rows behind a `source`."""
    return max((str(row["quality"]) for _, row in resolve(source)), key=QUALITIES.index)


def scenario_names() -> tuple[str, ...]:
    """Names of the built-in scenarios, smallest first."""
    return ("toy", "zhejiang", "national")


def scenario_folder(name: str) -> Traversable:
    """Return the folder of a built-in scenario; raises KeyError where there is none."""
    if name not in scenario_names():
        raise KeyError(f"no built-in scenario is called {name!r}; there are {', '.join(scenario_names())}")
    return files(__package__).joinpath("scenarios", name)


def _folder(name: str) -> list[Traversable]:
    return list(files(__package__).joinpath(name).iterdir())


def _cell(text: str | None) -> Cell:
    if text is None or not text.strip():
        return None
    try:
        return float(text)
    except ValueError:
        return text
