"""Light, typed access to the tables of public figures, the assumptions and the built-in scenarios.

`redrawn` puts other numbers in place of some, for whoever reads the tables inside of it.

Only the standard library is imported: the command line lists scenarios without loading pandas.
"""

from __future__ import annotations

import csv
from collections.abc import Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from functools import cache
from importlib.resources import files
from types import MappingProxyType
from typing import TYPE_CHECKING

from provgrid_seeds import facts

if TYPE_CHECKING:
    from collections.abc import Iterator
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


@cache
def table_names() -> tuple[str, ...]:
    """Names of all tables, in alphabetical order."""
    return tuple(sorted(entry.name.removesuffix(".csv") for entry in _folder("tables") if entry.name.endswith(".csv")))


def table(name: str) -> tuple[TableRow, ...]:
    """Rows of a table in file order; numbers are floats, blank cells None, everything else text.

    Raises
    ------
    KeyError
        There is no such table.
    """
    return tuple(_tables.get().rows(name).values())


def table_row(name: str, row_id: str) -> TableRow:
    """Return one row of a table by its id; raises KeyError where there is none."""
    rows = _tables.get().rows(name)
    if row_id not in rows:
        raise KeyError(f"table {name} has no row {row_id!r}")
    return rows[row_id]


@contextmanager
def redrawn(numbers: Mapping[tuple[str, str, str], float]) -> Iterator[None]:
    """Put other numbers in place of some: (table, row, column) to number, for all who read tables inside.

    Raises
    ------
    KeyError
        One of the cells holds no number.
    """
    changed: dict[str, dict[str, dict[str, float]]] = {}
    for (name, row_id, column), number in numbers.items():
        figure(name, row_id, column)
        changed.setdefault(name, {}).setdefault(row_id, {})[column] = float(number)
    token = _tables.set(_Tables(changed))
    try:
        yield
    finally:
        _tables.reset(token)


@dataclass(frozen=True)
class _Tables:
    """The tables as they are read just now: those of the files, with some numbers changed."""

    changed: Mapping[str, Mapping[str, Mapping[str, float]]]
    known: dict[str, Mapping[str, TableRow]] = field(default_factory=dict)

    def rows(self, name: str) -> Mapping[str, TableRow]:
        """Rows of a table by id."""
        if name not in self.known:
            changed = self.changed.get(name, {})
            self.known[name] = {
                row_id: MappingProxyType({**row, **changed[row_id]}) if row_id in changed else row
                for row_id, row in _read(name).items()
            }
        return self.known[name]


AS_FILED = _Tables({})
_tables: ContextVar[_Tables] = ContextVar("tables", default=AS_FILED)


@cache
def _read(name: str) -> Mapping[str, TableRow]:
    """Read a table from its file."""
    if name not in table_names():
        raise KeyError(f"no table is called {name!r}; there are {', '.join(table_names())}")
    text = files(__package__).joinpath("tables", f"{name}.csv").read_text(encoding="utf-8")
    rows = csv.DictReader(text.splitlines())
    return {str(row["id"]): MappingProxyType({column: _cell(value) for column, value in row.items()}) for row in rows}


def figure(name: str, row_id: str, column: str) -> float:
    """Return one number of a table; raises KeyError where it is missing or not a number."""
    value = table_row(name, row_id).get(column)
    if not isinstance(value, float):
        raise KeyError(f"table {name}, row {row_id}, column {column} holds {value!r}; a number is needed")
    return value


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
    """Return the (table, row) pairs behind a `source`: `table/row` tokens separated by semicolons.

    `assumptions/<id>` names an assumption, `facts/<id>` a fact of the documents. A `*` at the end of a token stands
    for all rows whose id begins like that. Raises KeyError at the first token that names nothing.
    """
    found = []
    for token in source.split(";"):
        name, slash, row_id = token.strip().partition("/")
        if not slash:
            raise KeyError(f"source {token!r} is not of the form table/row")
        found += [(name, row) for row in _rows_of(name, row_id)]
    return tuple(found)


def _rows_of(name: str, row_id: str) -> list[TableRow]:
    """Rows that one token names; at least one."""
    if name == "facts":
        return [_fact_row(facts.fact(row_id))]
    if not row_id.endswith("*"):
        return [table_row(name, row_id)]
    rows = [row for row in table(name) if str(row["id"]).startswith(row_id[:-1])]
    if not rows:
        raise KeyError(f"table {name} has no row that begins with {row_id[:-1]!r}")
    return rows


def _fact_row(one: facts.Fact) -> TableRow:
    """Return a fact as a row of a table; its quality is that of its document."""
    document = facts.document(one.document)
    return MappingProxyType(
        {
            "id": one.id,
            "statement": one.statement,
            "value": one.value,
            "unit": one.unit,
            "source": f"document {document.id}: {document.title}",
            "quality": document.quality,
        }
    )


def weakest_quality(source: str) -> str:
    """Return the least sure quality among the rows behind a `source`."""
    return max((str(row["quality"]) for _, row in resolve(source)), key=QUALITIES.index)


def scenario_names() -> tuple[str, ...]:
    """Names of the built-in scenarios, smallest first."""
    return ("toy", "zhejiang", "national-lite", "national")


def system_names() -> tuple[str, ...]:
    """Names of the scenarios of the documents' systems: thin layers over the others."""
    return (
        "ports",
        "verticals",
        "liangzhu",
        "export-controls",
        "xinjiang",
        "xinjiang-2028",
        "guangdong",
        "shanghai",
        "people",
    )


def scenario_folder(name: str) -> Traversable:
    """Return the folder of a built-in scenario; raises KeyError where there is none."""
    known = (*scenario_names(), *system_names())
    if name not in known:
        raise KeyError(f"no built-in scenario is called {name!r}; there are {', '.join(known)}")
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
