"""JSON Schema of a scenario: scenario.toml, and one row of each table, with units and meanings."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from provgrid_models.cells import default_of
from provgrid_models.demand_settings import GenerateSettings
from provgrid_models.grids import KEYS
from provgrid_models.scenario import SHORT_TABLES, Settings
from provgrid_models.tables import LONG_TABLES

if TYPE_CHECKING:
    from provgrid_models.tables import Column

DIALECT = "https://json-schema.org/draft/2020-12/schema"
JSON_TYPES = {"text": "string", "number": "number", "integer": "integer", "flag": "boolean"}


def json_schema() -> dict[str, Any]:
    """Return the schema of a whole scenario, tables as lists of rows; `tables` say which files may hold them."""
    settings, generate = Settings.model_json_schema(), GenerateSettings.model_json_schema()
    definitions = {**settings.pop("$defs"), **generate.pop("$defs")}
    settings["properties"]["generate"] = generate
    extends = {
        "type": "string",
        "description": 'folder, relative to this file, or "builtin:<name>", that this scenario is laid over',
    }
    settings["properties"] = {"extends": extends, **settings["properties"]}
    return {
        "$schema": DIALECT,
        "title": "provgrid scenario",
        "description": "scenario.toml, and one CSV or Parquet file per table; hours are Beijing time",
        "type": "object",
        "properties": {"scenario.toml": settings, "tables": {"type": "object", "properties": table_schemas()}},
        "$defs": definitions,
    }


def table_schemas() -> dict[str, Any]:
    """Describe each table as a list of rows; `x-key` names the columns that identify a row."""
    tables = {}
    for name, row_class in SHORT_TABLES.items():
        row = row_class.model_json_schema()
        tables[name] = _table(name, row, (f"{name}.csv",))
    for name, table in LONG_TABLES.items():
        row = {
            "type": "object",
            "description": table.meaning,
            "additionalProperties": False,
            "properties": {column.name: _column_schema(column) for column in table.columns},
            "required": [column.name for column in table.columns if column.required],
        }
        tables[name] = _table(name, row, (f"{name}.csv", f"{name}.parquet"))
    return tables


def _table(name: str, row: dict[str, Any], files: tuple[str, ...]) -> dict[str, Any]:
    return {"type": "array", "items": row, "x-files": list(files), "x-key": list(KEYS[name])}


def _column_schema(column: Column) -> dict[str, Any]:
    """Describe one column of a long table."""
    schema: dict[str, Any] = {"type": JSON_TYPES[column.kind], "description": column.meaning}
    if column.choices:
        schema["enum"] = list(column.choices) + ([""] if column.blank else [])
    if math.isfinite(column.low):
        schema["exclusiveMinimum" if column.low_open else "minimum"] = column.low
    if math.isfinite(column.high):
        schema["maximum"] = column.high
    if column.reference:
        schema["x-reference"] = column.reference
    default = default_of(column)
    if column.blank:
        schema["x-blank"] = True  # an empty cell is allowed, and means none
    elif not column.required:
        schema["default"] = default
    return schema
