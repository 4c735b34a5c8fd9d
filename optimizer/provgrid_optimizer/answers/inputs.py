"""What differs in what two plans were asked: settings, rows of tables, options."""

from __future__ import annotations

import json
import math
from dataclasses import asdict, fields
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from provgrid_models.files import settings_document
from provgrid_models.grids import KEYS
from provgrid_models.problem import Problem
from provgrid_models.scenario import SHORT_TABLES
from provgrid_models.tables import LONG_TABLES

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from provgrid_models.scenario import Scenario
    from provgrid_optimizer.plan import Plan

MOST_ROWS = 12  # of a table and column that are listed one by one
NAMED_ROWS = 3  # of the others, that are named
COLUMNS = ("kind", "where", "row", "column", "before", "after")
WORDS = ("title", "description", "assumptions", "sources", "uncertain")  # about the figures, no figures themselves
ABOUT_ROWS = ("source", "quality", "name", "name_zh")
BLANK = ("", "-1")  # part of a key that a row leaves out
OPTIONS = ("gap", "time_limit_s", "passes", "seed")

Difference = tuple[str, str, str, str, Any, Any]


def input_differences(before: Plan, after: Plan) -> pd.DataFrame:
    """Return a row for each difference: kind (setting, added, removed, changed, option), where, row, column, values.

    Where more than a dozen rows of a table differ in a column, one row stands for them: `row` says how many, and the
    values are means. What only describes figures (titles, names, sources) is left out.
    """
    found = [("option", "engine", "", "", before.engine, after.engine)] if before.engine != after.engine else []
    options = asdict(before.options), asdict(after.options)
    found += [("option", n, "", "", options[0][n], options[1][n]) for n in OPTIONS if options[0][n] != options[1][n]]
    if before.scenario is not None and after.scenario is not None:
        found += scenario_differences(before.scenario, after.scenario)
    else:
        found += _array_differences(before.problem, after.problem)
    return pd.DataFrame(found, columns=list(COLUMNS)).astype({"before": object, "after": object})


def scenario_differences(before: Scenario, after: Scenario) -> list[Difference]:
    """List what differs in settings and tables."""
    old, new = (dict(_flat(settings_document(one.settings))) for one in (before, after))
    keys = [key for key in {**old, **new} if key.partition(".")[0] not in WORDS and old.get(key) != new.get(key)]
    found: list[Difference] = [("setting", key, "", "", old.get(key), new.get(key)) for key in sorted(keys)]
    for table in (*SHORT_TABLES, *LONG_TABLES):
        found += _table_differences(table, _frame(before, table), _frame(after, table))
    return found


def _flat(settings: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, Any]]:
    """Yield settings under their dotted paths; lists are texts."""
    for key, value in settings.items():
        if isinstance(value, dict):
            yield from _flat(value, f"{prefix}{key}.")
        else:
            plain = isinstance(value, bool | int | float | str)
            yield prefix + key, value if plain else json.dumps(value, default=str, ensure_ascii=False)


def _frame(scenario: Scenario, table: str) -> pd.DataFrame:
    """Return a table under the key of its rows, as text, with the columns that count."""
    rows: Any = getattr(scenario, table)
    if table in SHORT_TABLES:
        columns = [name for name in SHORT_TABLES[table].model_fields if name not in ABOUT_ROWS]
        rows = pd.DataFrame([{name: getattr(row, name) for name in columns} for row in rows], columns=columns)
    keys = list(KEYS[table])
    names = [" ".join(part for part in row if part not in BLANK) for row in rows[keys].astype(str).to_numpy().tolist()]
    return pd.DataFrame(rows.drop(columns=keys)).set_axis(pd.Index(names, dtype=object), axis=0)


def _table_differences(table: str, old: pd.DataFrame, new: pd.DataFrame) -> list[Difference]:
    found: list[Difference] = []
    for kind, names in (("removed", old.index.difference(new.index)), ("added", new.index.difference(old.index))):
        if len(names) > MOST_ROWS:
            found.append((kind, table, _many(names), "", None, None))
        else:
            found += [(kind, table, str(name), "", None, None) for name in names]
    both = old.index.intersection(new.index)
    if not (old.index.is_unique and new.index.is_unique):
        return found
    for column in old.columns:
        one, two = old.loc[both, column], new.loc[both, column]
        changed = ~((one == two) | (one.isna() & two.isna())).to_numpy(dtype=bool)
        one, two = one[changed], two[changed]
        if len(one) > MOST_ROWS:
            found.append(("changed", table, _many(one.index), column, _mean(one), _mean(two)))
        else:
            pairs = zip(one.index, one, two, strict=True)
            found += [("changed", table, str(name), column, _plain(a), _plain(b)) for name, a, b in pairs]
    return found


def _many(names: pd.Index[Any]) -> str:
    return f"{len(names):,} rows, such as {', '.join(map(str, names[:NAMED_ROWS]))}"


def _mean(values: pd.Series[Any]) -> float | None:
    """Mean of numbers; None where the values are none."""
    numbers = pd.to_numeric(values, errors="coerce").to_numpy(dtype=np.float64)
    return float(np.nanmean(numbers)) if np.isfinite(numbers).any() else None


def _plain(value: Any) -> Any:
    """Return a cell as JSON knows it."""
    value = value.item() if isinstance(value, np.generic) else value
    if value is None or (isinstance(value, float) and math.isnan(value)):
        return None
    return value if isinstance(value, bool | int | float | str) else str(value)


def _array_differences(before: Problem, after: Problem) -> list[Difference]:
    """List the arrays that differ, where a plan came without a scenario, with their means."""
    found: list[Difference] = []
    for name in (one.name for one in fields(Problem) if one.name != "labels"):
        old, new = getattr(before, name), getattr(after, name)
        if isinstance(old, np.ndarray):
            if not np.array_equal(old, new):
                was, becomes = (float(one.mean()) if one.size else None for one in (old, new))
                found.append(("changed", name, f"{old.shape} and {new.shape}", "mean", was, becomes))
        elif old != new:
            found.append(("changed", name, "", "", _plain(old), _plain(new)))
    return found
