"""Loads a scenario from its folder, with everything that is wrong in one list, and saves it back to the same."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import pandas as pd

from provgrid_models import cells
from provgrid_models.checks import REQUIRED_TABLES, check_tables
from provgrid_models.checks.tables import Tables
from provgrid_models.errors import ProvgridError, ScenarioError
from provgrid_models.findings import Finding, Findings, did_you_mean
from provgrid_models.grids import (
    TABLE_NAMES,
    Grid,
    Places,
    grid_of,
    override_cells,
    patched,
)
from provgrid_models.overlay import (
    NO_PATH,
    SETTINGS_FILE,
    merged_settings,
    override_setting,
    parse_overrides,
    read_layers,
)
from provgrid_models.readers import read_csv, read_parquet
from provgrid_models.scenario import SHORT_TABLES, Scenario, Settings
from provgrid_models.sources import check_sources, merged_sources
from provgrid_models.tables import LONG_TABLES
from provgrid_models.validation import row_texts, settings_of, short_rows, value_text

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from provgrid_models.overlay import Layer, Override

PARQUET_WHEN_ASKED = ("jobs", "services", "demand")  # saved as Parquet under format="parquet"; the rest stays readable
PATCH = ".patch.csv"
NOT_CSV = (".xlsx", ".xls", ".ods", ".tsv", ".txt")  # what a table is easily saved as by mistake


def load_scenario(path: str | Path, overrides: Sequence[str] = ()) -> Scenario:
    """Load a scenario, resolved: layers merged, overrides applied, generated work drawn.

    Parameters
    ----------
    path
        Folder, `builtin:<name>`, or a built-in scenario's name.
    overrides
        `path=value` texts such as `prices.carbon_price_yuan_per_t=100` or `clusters.hami.pue=1.2`.

    Raises
    ------
    ScenarioError
        If anything is wrong; its `findings` hold all of it.
    """
    scenario, findings = read_scenario(path, overrides)
    if scenario is None:
        raise scenario_error(str(path) or NO_PATH, findings)
    return scenario


def scenario_error(name: str, findings: Sequence[Finding]) -> ScenarioError:
    """Make the error that carries these findings: how many slips they stand for, and the first."""
    errors = [finding for finding in findings if finding.severity == "error"]
    slips = sum(finding.count for finding in errors)
    count = "1 error" if slips == 1 else f"{slips:,} errors"
    return ScenarioError(f"scenario {name} has {count}; first: {errors[0].text()}", findings)


def read_scenario(path: str | Path, overrides: Sequence[str] = ()) -> tuple[Scenario | None, list[Finding]]:
    """Load a scenario and return it, or None, with all findings; warnings alone do not keep it from loading."""
    tables, folder = _read_tables(path, overrides)
    scenario = None if tables.findings.errors else _assembled(tables, folder)
    if scenario is not None and scenario.settings.generate:
        scenario, drawn = _generated(scenario)
        tables.findings.extend(drawn)
    return None if tables.findings.errors else scenario, list(dict.fromkeys(tables.findings))


def check_scenario(path: str | Path, overrides: Sequence[str] = ()) -> list[Finding]:
    """Find everything that is wrong or unlikely in a scenario: its files, their content, and what it asks for.

    Loads, compiles and screens. Never raises for bad input: what stops it is a finding too.
    """
    scenario, findings = read_scenario(path, overrides)
    if scenario is None:
        return findings
    from provgrid_models.compile import compile_scenario
    from provgrid_models.screens import screens
    from provgrid_models.uncertain import check_uncertain

    findings += check_uncertain(scenario)
    try:
        return [*findings, *screens(scenario, compile_scenario(scenario))]
    except ProvgridError as error:
        held = error.findings if isinstance(error, ScenarioError) else ()
        return [*findings, *(held or (Finding("not-compiled", "error", scenario.name, message=str(error)),))]


def check_loaded(scenario: Scenario) -> list[Finding]:
    """Check a scenario that was made in memory; findings name the rows of the files that it would be saved to."""
    tables = _tables_of(scenario)
    check_tables(tables)
    return list(tables.findings)


# From files to tables ------------------------------------------------------------------------------------------


def _read_tables(path: str | Path, arguments: Sequence[str]) -> tuple[Tables, Path | None]:
    """Read, merge, override and check all tables; the folder is None where there was nothing to read."""
    findings = Findings()
    layers = read_layers(path, findings)
    overrides = parse_overrides(arguments, findings)
    if not layers:
        return Tables(None, {}, {}, findings=findings), None
    merged = merged_settings(layers)
    for override in overrides:
        if not override.table:
            override_setting(merged, override, findings)
    for layer in layers:
        _report_unknown_files(layer, findings)
    patches: list[tuple[Layer, Grid]] = []
    grids = {name: _merged_table(layers, name, findings, patches) for name in TABLE_NAMES}
    if isinstance(merged.get("sources", {}), dict):  # if not, its validation says so
        merged["sources"] = merged_sources(layers, patches, overrides)
    overridden = _override_tables(grids, overrides, findings)
    tables = Tables(
        settings_of(merged, layers, overrides, findings),
        grids,
        {name: short_rows(grid, findings) for name, grid in grids.items() if grid is not None and name in SHORT_TABLES},
        layers[-1].file(SETTINGS_FILE),
        findings,
    )
    check_sources(tables.settings, tables.settings_file, findings)
    check_tables(tables)
    tables.findings = _renamed(findings, overridden)
    return tables, layers[-1].folder


def _report_unknown_files(layer: Layer, findings: Findings) -> None:
    """Report table files that no table is named after: a slip of the pen, not a comment."""
    known = [f"{name}{ending}" for name in TABLE_NAMES for ending in (".csv", PATCH)]
    known += [f"{name}.parquet" for name in LONG_TABLES]
    for file in sorted(layer.folder.iterdir()):
        stem = file.name.partition(".")[0].lower()
        if file.suffix.lower() in NOT_CSV and stem in TABLE_NAMES:
            hint = f"Save it as {stem}.csv, comma separated and in UTF-8."
            findings.error("unknown-file", "tables are CSV files", file=layer.file(file.name), hint=hint)
            continue
        if file.suffix.lower() not in (".csv", ".parquet") or file.name in known or file.name.startswith("."):
            continue
        stem_hint = "Only long tables may be Parquet." if file.stem in SHORT_TABLES else ""
        hint = stem_hint or did_you_mean(file.name, known) or f"Tables: {', '.join(TABLE_NAMES)}."
        findings.error("unknown-file", "no table has this name", file=layer.file(file.name), hint=hint)


def _merged_table(
    layers: Sequence[Layer], name: str, findings: Findings, patches: list[tuple[Layer, Grid]]
) -> Grid | None:
    """Table of the last layer that has it, with the patches of that and later layers; None where unreadable.

    The patches are added to `patches`.
    """
    owner = next((i for i in reversed(range(len(layers))) if _files(layers[i], name)), None)
    if owner is None:
        grid: Grid | None = _absent(name, layers[-1], findings)
        owner = 0
    else:
        grid = _read_table(layers[owner], name, findings)
    for layer in layers[owner:]:
        patch_file = layer.folder / f"{name}{PATCH}"
        if patch_file.is_file():
            raw = read_csv(patch_file, layer.file(patch_file.name), findings)
            patch = None if raw is None else grid_of(raw, name, findings)
            grid = None if grid is None or patch is None else patched(grid, patch, findings)
            patches += [] if patch is None else [(layer, patch)]
    return grid


def _files(layer: Layer, name: str) -> list[Path]:
    endings = (".csv", ".parquet") if name in LONG_TABLES else (".csv",)
    files = [layer.folder / f"{name}{ending}" for ending in endings]
    return [file for file in files if file.exists()]


def _absent(name: str, layer: Layer, findings: Findings) -> Grid | None:
    """Return an empty table for an optional one that nobody gave; report a required one."""
    file = layer.file(f"{name}.csv")
    if name in REQUIRED_TABLES:
        findings.error("missing-table", "the table is missing", file=file, hint=f"Every scenario needs {name}.")
        return None
    return Grid(name, {}, {}, Places.of_rows(file, 0))


def _read_table(layer: Layer, name: str, findings: Findings) -> Grid | None:
    files = _files(layer, name)
    if len(files) > 1:
        message = f"{files[1].name} is there too"
        findings.error("two-files", message, file=layer.file(files[0].name), hint="Keep one of the two.")
        return None
    read = read_parquet if files[0].suffix == ".parquet" else read_csv
    raw = read(files[0], layer.file(files[0].name), findings)
    return None if raw is None else grid_of(raw, name, findings)


def _override_tables(
    grids: dict[str, Grid | None], overrides: Sequence[Override], findings: Findings
) -> dict[tuple[str, int, str], str]:
    """Apply table overrides; returns which argument set a cell, where it set exactly one."""
    overridden: dict[tuple[str, int, str], str] = {}
    for override in overrides:
        grid = grids.get(override.table)
        if grid is None:
            continue
        rows = override_cells(grid, override, findings)
        if len(rows) == 1:
            place = grid.places.at(rows[0])
            overridden[place["file"], place["row"], override.column] = override.argument
    return overridden


def _renamed(findings: Findings, overridden: dict[tuple[str, int, str], str]) -> Findings:
    """Name the override where a finding is about a cell that it set."""
    renamed = Findings()
    for finding in findings:
        argument = overridden.get((finding.file, finding.row, finding.column or ""))  # type: ignore[arg-type]
        replaced = (
            finding if argument is None else dataclasses.replace(finding, file="--set", row=argument, column=None)
        )
        renamed.append(replaced)
    return renamed


# From tables to a scenario -------------------------------------------------------------------------------------


def _assembled(tables: Tables, folder: Path | None) -> Scenario:
    """Make the scenario of tables that hold no errors."""
    assert tables.settings is not None
    short = {name: tuple(row for _, row in tables.rows[name]) for name in SHORT_TABLES}
    frames = {
        name: pd.DataFrame({column.name: tables.values(name, column.name) for column in table.columns})
        for name, table in LONG_TABLES.items()
    }
    fields: dict[str, Any] = {**short, **frames}
    return Scenario(settings=tables.settings, folder=folder, **fields)


def _generated(scenario: Scenario) -> tuple[Scenario, list[Finding]]:
    """Draw the work that `[generate]` describes, and check it as if it had been given."""
    from provgrid_models.demand import expand

    try:
        expanded = expand(scenario)
    except ScenarioError as error:
        whole = Finding("generate", "error", SETTINGS_FILE, "generate", message=str(error))
        return scenario, list(error.findings) or [whole]
    return expanded, [finding for finding in check_loaded(expanded) if finding.severity == "error"]


def _tables_of(scenario: Scenario) -> Tables:
    """Tables of a scenario in memory, each row placed where saving would put it."""
    grids: dict[str, Grid | None] = {}
    for name, row_class in SHORT_TABLES.items():
        rows = getattr(scenario, name)
        texts = row_texts(rows, row_class)
        values = {column: pd.Series(column_texts, dtype="str") for column, column_texts in texts.items()}
        blank = {column: (series == "").to_numpy(dtype=np.bool_) for column, series in values.items()}
        grids[name] = Grid(name, values, blank, Places.of_rows(f"{name}.csv", len(rows)))
    for name, table in LONG_TABLES.items():
        frame = getattr(scenario, name)
        values = {column.name: frame[column.name].reset_index(drop=True) for column in table.columns}
        blank = {column.name: _blank_cells(values[column.name], column) for column in table.columns}
        grids[name] = Grid(name, values, blank, Places.of_rows(f"{name}.csv", len(frame)))
    rows_of = {name: list(enumerate(getattr(scenario, name))) for name in SHORT_TABLES}
    return Tables(scenario.settings, grids, rows_of)


def _blank_cells(values: pd.Series[Any], column: Any) -> NDArray[np.bool_]:
    """Cells that stand for "none": blank texts, NaN, and the default of a whole number that may be blank."""
    if column.kind == "number":
        blank = values.isna()
    elif column.kind == "text" or (column.kind == "integer" and column.blank):
        blank = values == (cells.default_of(column) if column.kind == "integer" else "")
    else:
        return np.zeros(len(values), dtype=np.bool_)
    return np.asarray(blank, dtype=np.bool_)


# From a scenario to files --------------------------------------------------------------------------------------


def save_scenario(scenario: Scenario, folder: str | Path, *, format: Literal["csv", "parquet"] = "csv") -> Path:  # noqa: A002
    """Save a scenario so that loading gives it back exactly; `parquet` holds jobs, services and demand as such.

    Files of the same tables that the folder already has are replaced; tables without rows leave none.
    """
    import tomli_w

    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    settings = settings_document(scenario.settings)
    (folder / SETTINGS_FILE).write_text(tomli_w.dumps(settings), encoding="utf-8")
    for name in TABLE_NAMES:
        for ending in (".csv", ".parquet", PATCH):
            (folder / f"{name}{ending}").unlink(missing_ok=True)
    for name, row_class in SHORT_TABLES.items():
        rows = getattr(scenario, name)
        if rows:
            pd.DataFrame(row_texts(rows, row_class)).to_csv(folder / f"{name}.csv", index=False, lineterminator="\n")
    for name in LONG_TABLES:
        frame = _saved_columns(getattr(scenario, name), name)
        if len(frame) and format == "parquet" and name in PARQUET_WHEN_ASKED:
            frame.to_parquet(folder / f"{name}.parquet", index=False)
        elif len(frame):
            _csv_cells(frame, name).to_csv(folder / f"{name}.csv", index=False, lineterminator="\n")
    return folder


def settings_document(settings: Settings) -> dict[str, Any]:
    """Return settings as TOML holds them: no nulls, and nothing empty at the top."""
    document: dict[str, Any] = settings.model_dump(exclude_none=True)
    for name, value in list(document.items()):
        if value in ("", (), {}):
            del document[name]
    return document


def _saved_columns(frame: pd.DataFrame, name: str) -> pd.DataFrame:
    """Keep required columns, and those in which some row differs from the default."""
    kept = []
    for column in LONG_TABLES[name].columns:
        values, default = frame[column.name], cells.default_of(column)
        same = values.isna() if isinstance(default, float) and np.isnan(default) else values == default
        if column.required or not bool(same.all()):
            kept.append(column.name)
    return frame[kept]


def _csv_cells(frame: pd.DataFrame, name: str) -> pd.DataFrame:
    """Write flags as true and false, and blank whole numbers as nothing."""
    written = {}
    for column in LONG_TABLES[name].columns:
        if column.name not in frame:
            continue
        values = frame[column.name]
        if column.kind == "flag":
            values = values.map({True: value_text(True), False: value_text(False)})
        elif column.kind == "integer" and column.blank:
            values = values.astype("Int64").mask(values == cells.default_of(column))
        written[column.name] = values
    return pd.DataFrame(written)
