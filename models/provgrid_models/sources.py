"""`[sources]` of `scenario.toml`: who states where a number comes from, layer by layer.

A path is a setting (`prices.unserved_multiple`), a table (`jobs`), a column of it (`jobs.work_pflop_h`), or a cell
(`clusters.hami.pue`). What a later layer or `--set` puts in place of a number loses the source that it had, unless
that layer states another: it is the planner's own.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from provgrid_models.grids import KEYS, TABLE_NAMES, key_text
from provgrid_models.scenario import SHORT_TABLES
from provgrid_seeds import loader

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from provgrid_models.checks.tables import Tables
    from provgrid_models.findings import Findings
    from provgrid_models.grids import Grid
    from provgrid_models.overlay import Layer, Override
    from provgrid_models.scenario import Settings

OWN = "own"  # the source of a number that a planner put in place of one that had a source
PROFILES = ("tariffs", "renewables", "carbon")
WORK = ("jobs", "services", "demand")
NO_FIGURES = frozenset({"sources", "uncertain"})  # settings about numbers, and no numbers of the plan


def numbers_in(value: Any, path: str = "") -> Iterator[tuple[str, float]]:
    """Every number below a setting, with its dotted path."""
    if isinstance(value, dict):
        for key, inner in value.items():
            yield from numbers_in(inner, f"{path}.{key}" if path else str(key))
    elif isinstance(value, list | tuple):
        for i, inner in enumerate(value):
            yield from numbers_in(inner, f"{path}.{i}")
    elif isinstance(value, int | float) and not isinstance(value, bool):
        yield path, float(value)


def source_of(path: str, given: Mapping[str, str]) -> str | None:
    """Return the source stated for a path, or for the nearest thing that it is a part of."""
    parts = path.split(".")
    for length in range(len(parts), 0, -1):
        if (stated := ".".join(parts[:length])) in given:
            return given[stated]
    return None


def merged_sources(
    layers: Sequence[Layer], patches: Iterable[tuple[Layer, Grid]], overrides: Iterable[Override]
) -> dict[str, str]:
    """Return `[sources]` of all layers, without those of numbers that a later layer or an override has replaced."""
    sources: dict[str, str] = {}
    patches = list(patches)
    for i, layer in enumerate(layers):
        own = {key: value for key, value in layer.settings.items() if key not in NO_FIGURES}
        if i > 0:
            for path, _ in numbers_in(own):
                _replace(path, sources)
            for name in _replaced_tables(layer):
                for path in [path for path in sources if path.split(".")[0] == name]:
                    del sources[path]
        stated = layer.settings.get("sources", {})
        stated = stated if isinstance(stated, dict) else {}
        for patch in (grid for of, grid in patches if of is layer):
            sources |= {path: OWN for path in _patched_paths(patch) if source_of(path, stated) is None}
        sources |= stated
    for override in overrides:
        if override.table:
            sources[_cell(override.table, override.key, override.column)] = OWN
        elif override.path[0] not in NO_FIGURES:
            for path, _ in numbers_in(override.value, ".".join(override.path)):
                _replace(path, sources)
    return sources


def _replace(path: str, sources: dict[str, str]) -> None:
    """Mark a path that had a source and holds another number now."""
    if source_of(path, sources) is not None:
        sources[path] = OWN


def _replaced_tables(layer: Layer) -> list[str]:
    files = {file.name for file in layer.folder.iterdir()}
    return [name for name in TABLE_NAMES if files & {f"{name}.csv", f"{name}.parquet"}]


def _patched_paths(patch: Grid) -> Iterator[str]:
    """Paths of the cells that a patch fills in rows for which it names no source of its own.

    Profiles are left out: whether they still are copies of the tables shows by itself.
    """
    if patch.name in PROFILES:
        return
    own = ~patch.column("source")[1] if "source" in patch.data else np.zeros(patch.rows, dtype=np.bool_)
    for column, blank in patch.blank.items():
        if column in (*KEYS[patch.name], "source", "quality"):
            continue
        for row in np.flatnonzero(~blank & ~own).tolist():
            yield _cell(patch.name, key_text(patch, row), column)


def _cell(table: str, key: str, column: str) -> str:
    """Path of a cell; of the whole column where a table is traced column by column."""
    return f"{table}.{column}" if table in WORK else f"{table}.{key}.{column}"


def check_row_sources(tables: Tables) -> None:
    """Warn about rows whose source names a row that provgrid's tables do not have; other words are the planner's."""
    for name in SHORT_TABLES:
        if not tables.sound(name, "source") or "source" not in tables.grid(name).data:
            continue
        texts = tables.values(name, "source").astype(str)
        for text in dict.fromkeys(texts):
            if missing := _missing(text):
                rows = (texts == text).to_numpy(dtype=np.bool_)
                hint = "Name rows as table/row; see provgrid facts."
                tables.report(name, "source", rows, "unknown-source", missing, hint=hint, severity="warning")


def _missing(text: str) -> str:
    """Say what a source names in vain among provgrid's tables, the first of it; "" where there is nothing."""
    known = {"facts", *loader.table_names()}
    try:
        for token in map(str.strip, text.split(";")):
            if token.partition("/")[0] in known:
                loader.resolve(token)
    except KeyError as error:
        return f"{error.args[0]}, so that the whole source is taken as plain words"
    return ""


def check_sources(settings: Settings | None, file: str, findings: Findings) -> None:
    """Report sources that name nothing, and ranges that hold nothing."""
    for path, source in {} if settings is None else settings.sources.items():
        try:
            if source != OWN:
                loader.resolve(source)
        except KeyError as error:
            hint = "Name rows as table/row, facts as facts/<id>; see provgrid facts."
            findings.error(
                "unknown-source", str(error.args[0]), file=file, row=f"sources.{path}", found=source, hint=hint
            )
    for path, (low, high) in {} if settings is None else settings.uncertain.items():
        if not (np.isfinite(low) and np.isfinite(high) and low <= high):
            message = "the low end must not lie above the high end"
            findings.error("wrong-range", message, file=file, row=f"uncertain.{path}", found=f"[{low:g}, {high:g}]")
