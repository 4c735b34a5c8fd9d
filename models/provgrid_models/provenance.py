"""Where every number of a scenario comes from: the figures behind it, its quality, its range, and the documents.

A number of a short table follows from the tokens in its row's `source` (seeds/columns.toml says which of them stand
behind which column); a setting, or a whole table without sources, from the scenario's `[sources]`; a tariff, capacity
factor or carbon intensity from the row of the tables that it is a copy of; drawn work from what it was drawn from.
"""

from __future__ import annotations

import json
import math
from collections import Counter
from dataclasses import dataclass
from fnmatch import fnmatchcase
from functools import cache
from typing import TYPE_CHECKING, Any

import numpy as np

from provgrid_models import cells
from provgrid_models.grids import KEYS
from provgrid_models.scenario import SHORT_TABLES, Settings
from provgrid_models.sources import NO_FIGURES, OWN, PROFILES, WORK, numbers_in, source_of
from provgrid_models.tables import LONG_TABLES
from provgrid_seeds import facts, figures, loader

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    import pandas as pd

    from provgrid_models.scenario import Row, Scenario
    from provgrid_models.tables import Column
    from provgrid_seeds.figures import Figure

UNSTATED = ""  # quality of a number that nobody gave a source for
DRAWN_FROM = "generated from "  # how the line begins that records a draw; demand_draw writes it
DRAWN_WITH = " drawn with seed "  # in the lines on what was drawn; demand_draw writes them
SAME = 1e-9  # relative difference up to which a number still is its source's

UNITS = {
    "yuan_per_kw_month": "yuan/kW/month",
    "yuan_per_accelerator_h": "yuan/h",
    "yuan_per_mtoken": "yuan/million tokens",
    "yuan_per_kwh": "yuan/kWh",
    "yuan_per_kw": "yuan/kW",
    "yuan_per_gb": "yuan/GB",
    "yuan_per_t": "yuan/t",
    "yuan_per_h": "yuan/h",
    "kg_per_kwh": "kg/kWh",
    "per_ktoken": "kB/1000 tokens",
    "tokens_per_s": "tokens/s",
    "us_per_km": "us/km",
    "pflop_h": "PFLOP-h",
    "tflops": "TFLOPS",
    "years": "years",
    "million": "million",
    "billion_yuan": "billion yuan",
    "accelerators": "accelerators",
    "gbps": "Gbit/s",
    "yuan": "yuan",
    "deg": "deg",
    "mw": "MW",
    "kw": "kW",
    "gb": "GB",
    "ms": "ms",
    "t": "t",
    "h": "h",
}


@dataclass(frozen=True, kw_only=True)
class Provenance:
    """Where one number comes from, or all numbers of a column of jobs, services or demand (`numbers` says how many).

    `quality` is that of the least sure figure behind it, "" where no source is stated. `low` and `high` are the range
    of a number that is a single figure as it stands. `sources` names cells, `facts` what the documents say about them.
    """

    path: str
    value: float | None
    unit: str
    sources: tuple[str, ...]
    quality: str
    low: float | None = None
    high: float | None = None
    facts: tuple[str, ...] = ()
    numbers: int = 1

    @property
    def documents(self) -> tuple[str, ...]:
        """Documents that say something about it."""
        return tuple(sorted({facts.fact(one).document for one in self.facts}))


def provenance(scenario: Scenario) -> tuple[Provenance, ...]:
    """Trace every number of a scenario, as loaded: settings, what demand was drawn from, short tables, long tables."""
    given = scenario.settings.sources
    drawn = drawn_from(scenario)
    traced = [*_of_settings(scenario.settings, given), *_of_draw(drawn, given)]
    for name in SHORT_TABLES:
        traced += [one for row in getattr(scenario, name) for one in _of_row(name, row, given)]
    for name in PROFILES:
        traced += _of_profile(name, getattr(scenario, name), given)
    for name in WORK:
        traced += _of_work(name, getattr(scenario, name), given, drawn)
    return tuple(traced)


def unstated(scenario: Scenario) -> tuple[str, ...]:
    """Paths of the numbers that no fact, table row or assumption stands behind."""
    return tuple(one.path for one in scenario.provenance if one.quality == UNSTATED)


def counts_by_quality(traced: Iterable[Provenance]) -> dict[str, int]:
    """How many numbers each quality has, from the surest to those without a source; none are left out."""
    counts: Counter[str] = Counter()
    for one in traced:
        counts[one.quality] += one.numbers
    return {quality: counts[quality] for quality in (*loader.QUALITIES, UNSTATED) if counts[quality]}


@cache
def unit_of(name: str) -> str:
    """Return the unit that stands at the end of a name; "" where it is a plain number."""
    return next((unit for ending, unit in UNITS.items() if name == ending or name.endswith(f"_{ending}")), "")


def _unit_of_path(path: str) -> str:
    """Return the unit of a setting: of its key, or of the list that it stands in; weights are shares of anything."""
    above, _, last = path.rpartition(".")
    holder = above.rpartition(".")[2]
    return "" if holder == "weights" else unit_of(last) or unit_of(holder)


def profile_qualities(scenario: Scenario, table: str) -> list[str]:
    """Return the quality of each row of `tariffs`, `renewables` or `carbon`, in their order."""
    return [one.quality for one in scenario.provenance if one.path.startswith(f"{table}.")]


def drawn_from(scenario: Scenario) -> dict[str, Any]:
    """Return the `[generate]` table that the scenario's work was drawn from; empty where all work was given."""
    if scenario.settings.generate:
        return scenario.settings.generate
    for line in scenario.settings.assumptions:
        if line.startswith(DRAWN_FROM):
            record: dict[str, Any] = json.loads(line.removeprefix(DRAWN_FROM))
            return record
    return {}


def is_of_draw(line: str) -> bool:
    """Whether a line of a scenario's assumptions says that, how or from what its work was drawn."""
    return line.startswith(DRAWN_FROM) or DRAWN_WITH in line


# Settings ------------------------------------------------------------------------------------------------------


def _of_settings(settings: Settings, given: dict[str, str]) -> Iterator[Provenance]:
    defaults = dict(numbers_in(_defaults()))
    for path, value in numbers_in(settings.model_dump(exclude={*NO_FIGURES, "generate"}, exclude_none=True)):
        source = source_of(path, given)
        if source is None and defaults.get(path, value) == value:
            source = figures.default_source(path)
        yield _of_setting(path, value, source, given)


@cache
def _defaults() -> dict[str, Any]:
    """Return settings in which only what must be is written."""
    blank = Settings.model_validate({"name": "blank", "horizon": {"start": "2026-01-01", "periods": 1}})
    return blank.model_dump(exclude={*NO_FIGURES, "generate", "horizon"}, exclude_none=True)


def _of_draw(drawn: dict[str, Any], given: dict[str, str]) -> Iterator[Provenance]:
    for path, value in numbers_in(drawn, "generate"):
        yield _of_setting(path, value, source_of(path, given), given)


def _of_setting(path: str, value: float, source: str | None, given: dict[str, str]) -> Provenance:
    """Trace a setting; a source stated for all of a group is not held against each of its numbers."""
    behind = figures_or_none(source)
    if _replaced(path, value, behind) and (path in given or source_of(path, given) is None):
        return _traced(path, value, None, OWN)
    return _traced(path, value, behind, source)


def _replaced(path: str, value: float, behind: tuple[Figure, ...] | None) -> bool:
    """Whether a number is no longer what the only figure that it names states."""
    stated = figures.stated_value(path, behind) if behind else None
    return stated is not None and not _same(value, stated)


# Tables --------------------------------------------------------------------------------------------------------


def row_key(table: str, row: Row) -> str:
    """Name of a row of a short table in a path, as `--set` takes it: the parts of its key, joined by colons."""
    return ":".join(str(getattr(row, key)) for key in KEYS[table])


def _of_row(table: str, row: Row, given: dict[str, str]) -> Iterator[Provenance]:
    key = row_key(table, row)
    for column in type(row).model_fields:
        value = getattr(row, column)
        if isinstance(value, bool) or not isinstance(value, int | float):
            continue
        path = f"{table}.{key}.{column}"
        stated = _stated(table, key, column, given)
        behind, picked = (figures_or_none(stated), True) if stated else _figures_of_row(table, column, row)
        if not picked and _says_nothing(row, column):
            continue
        # A source that was stated for the cell itself is its author's word; a row's source speaks of many figures.
        if picked and not stated and _replaced(f"{table}.{column}", float(value), behind):
            yield _traced(path, float(value), None, OWN)
            continue
        words = stated or row.source
        own_words = behind is None and not stated and row.quality is not None
        yield _traced(path, float(value), behind, words, quality=row.quality if own_words else None)


def _stated(table: str, key: str, column: str, given: dict[str, str]) -> str | None:
    """Source stated for a cell, under its whole key or the beginning of it, a pattern of keys, or its column."""
    parts = key.split(":")
    paths = [f"{table}.{':'.join(parts[:length])}.{column}" for length in range(len(parts), 0, -1)]
    exact = next((given[path] for path in (*paths, f"{table}.{column}") if path in given), None)
    if exact is not None:
        return exact
    patterns = [path for path in given if "*" in path]
    return next((given[one] for one in patterns if any(fnmatchcase(path, one) for path in paths)), None)


def _figures_of_row(table: str, column: str, row: Row) -> tuple[tuple[Figure, ...] | None, bool]:
    """Figures that a row's source names for one of its columns, and whether for just this column."""
    try:
        return figures.figures_of_cell(table, column, row.source) if row.source else (None, False)
    except KeyError:
        return None, False  # a planner's own words


def _says_nothing(row: Row, column: str) -> bool:
    """Whether a cell holds the default that it would have were it blank."""
    info = type(row).model_fields[column]
    return not info.is_required() and bool(getattr(row, column) == info.default)


def _of_profile(table: str, frame: pd.DataFrame, given: dict[str, str]) -> Iterator[Provenance]:
    """Trace each cell of a profile: stated for the key, or the table, or else a copy of a row of the tables."""
    key, column = LONG_TABLES[table].key[0], LONG_TABLES[table].columns[-1].name
    for row in frame.to_dict("records"):
        name, value = str(row[key]), float(row[column])
        parts = (str(row[k]) for k in LONG_TABLES[table].key if row[k] not in ("", -1))
        path = f"{table}.{':'.join(parts)}.{column}"
        stated = next((given[at] for at in (path, f"{table}.{name}", f"{table}.{column}", table) if at in given), None)
        copied = None if stated else figures.copied_figure(table, column, {str(k): v for k, v in row.items()})
        if copied is not None and _same(value, copied.value):
            yield _traced(path, value, (copied,), copied.token)
        else:
            yield _traced(path, value, figures_or_none(stated), stated)


def _of_work(table: str, frame: pd.DataFrame, given: dict[str, str], drawn: dict[str, Any]) -> Iterator[Provenance]:
    """Trace the columns of work, one entry each: stated, or drawn, or a default that has a source."""
    if frame.empty:
        return
    for column in LONG_TABLES[table].columns:
        if column.kind not in ("number", "integer") or column.name in LONG_TABLES[table].key:
            continue
        path, count = f"{table}.*.{column.name}", int(frame[column.name].notna().sum())
        default, neutral = figures.default_source(f"{table}.{column.name}"), _all_default(frame, column)
        source = given.get(f"{table}.{column.name}") or given.get(table)
        if neutral and default is not None:
            source = default
        elif neutral:
            continue
        behind = figures_or_none(source) if source else _figures_of_draw(table, column.name, given, drawn)
        yield _traced(path, None, behind, source, numbers=count, unit=unit_of(column.name))


def _all_default(frame: pd.DataFrame, column: Column) -> bool:
    values, default = frame[column.name], cells.default_of(column)
    same = values.isna() if isinstance(default, float) and np.isnan(default) else values == default
    return not column.required and bool(same.all())


def _figures_of_draw(
    table: str, column: str, given: dict[str, str], drawn: dict[str, Any]
) -> tuple[Figure, ...] | None:
    """Figures behind a column that was drawn: of the settings that steer it, and the measured rows drawn from."""
    replaced = {one.path: one.sources == (OWN,) for one in _of_draw(drawn, given)} if drawn else {}
    found: dict[str, Figure] = {}
    for rule in figures.drawn_rules(table, column) if drawn else ():
        if not rule.startswith("generate."):
            found.update({one.name: one for one in figures.figures_of_source(rule)})
            continue
        for path in (path for path in replaced if fnmatchcase(path, rule)):
            behind = figures_or_none(source_of(path, given))
            if behind is None or replaced[path]:
                return None  # as unsure as the setting that nobody gave a source for
            found.update({one.name: one for one in behind})
    return tuple(found.values()) or None


# One entry -----------------------------------------------------------------------------------------------------


def figures_or_none(source: str | None) -> tuple[Figure, ...] | None:
    """Figures behind the source of one number; None where it has none, or names nothing that is known."""
    if not source or source == OWN:
        return None
    try:
        return figures.figures_of_source(source)
    except KeyError:
        return None


def _traced(
    path: str,
    value: float | None,
    behind: tuple[Figure, ...] | None,
    source: str | None,
    *,
    quality: str | None = None,
    numbers: int = 1,
    unit: str | None = None,
) -> Provenance:
    known = behind or ()
    single = known[0] if len(known) == 1 and _same(value, known[0].value) else None
    named = tuple(dict.fromkeys(one.name for one in known))
    return Provenance(
        path=path,
        value=value,
        unit=_unit_of_path(path) if unit is None else unit,
        sources=named or ((source,) if source else ()),
        quality=figures.weakest(one.quality for one in known) if known else quality or UNSTATED,
        low=single.low if single else None,
        high=single.high if single else None,
        facts=tuple(dict.fromkeys(name for one in known for name in one.facts)),
        numbers=numbers,
    )


def _same(value: float | None, other: float | None) -> bool:
    return value is not None and other is not None and math.isclose(value, other, rel_tol=SAME)
