"""From texts to pydantic objects: short-table rows and settings, with pydantic's complaints in a planner's words."""

from __future__ import annotations

import difflib
import types
from collections import Counter
from typing import TYPE_CHECKING, Any, Literal, TypeGuard, Union, get_args, get_origin

import numpy as np
from pydantic import BaseModel, ValidationError

from provgrid_models.findings import did_you_mean, quoted, words_with
from provgrid_models.grids import KEYS, TABLE_NAMES, columns_of, number_hint
from provgrid_models.overlay import SETTINGS_FILE, has_path
from provgrid_models.scenario import NAME_PATTERN, SHORT_TABLES, Row, Settings

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from provgrid_models.findings import Findings
    from provgrid_models.grids import Grid
    from provgrid_models.overlay import Layer, Override

MESSAGES = {
    "missing": "a value is needed",
    "extra_forbidden": "no such key",
    "float_parsing": "a number is needed",
    "float_type": "a number is needed",
    "int_parsing": "a whole number is needed",
    "int_type": "a whole number is needed",
    "int_from_float": "a whole number is needed",
    "bool_parsing": "true or false is needed",
    "bool_type": "true or false is needed",
    "string_type": "a text is needed",
    "finite_number": "a finite number is needed",
    "string_pattern_mismatch": "an id has Latin letters, digits and _ . - / only, and starts with a letter or digit",
    "string_too_long": "an id has at most 120 letters",
    "datetime_parsing": "a time such as 2026-07-01T00:00:00 is needed",
    "datetime_from_date_parsing": "a time such as 2026-07-01T00:00:00 is needed",
    "datetime_type": "a time such as 2026-07-01T00:00:00 is needed",
    "model_type": "a table of keys is needed",
    "model_attributes_type": "a table of keys is needed",
    "dict_type": "a table of keys is needed",
    "tuple_type": "a list is needed",
}
OF_IDS = ("string_pattern_mismatch", "string_too_long")  # complaints about a text that cannot be an id
LIMITS = {
    "greater_than": ("gt", "it must be above {}"),
    "greater_than_equal": ("ge", "it must be at least {}"),
    "less_than": ("lt", "it must be below {}"),
    "less_than_equal": ("le", "it must be at most {}"),
}


def short_rows(grid: Grid, findings: Findings) -> list[tuple[int, Row]]:
    """Make the rows of a short table; wrong ones are reported and left out. Positions are those of the grid."""
    row_class = SHORT_TABLES[grid.name]
    absent = {name for name in row_class.model_fields if name not in grid.data}
    texts = {name: grid.data[name].tolist() for name in row_class.model_fields if name in grid.data}
    rows, complaints = [], []
    for i in range(grid.rows):
        cells = {name: column[i] for name, column in texts.items() if not grid.blank[name][i]}
        try:
            rows.append((i, row_class.model_validate(cells)))
        except ValidationError as error:
            # A column that is absent was reported once for the whole table.
            complaints += [(i, one) for one in error.errors(include_url=False) if one["loc"][0] not in absent]
    _report_cells(complaints, grid, row_class, findings)
    return rows


def _report_cells(
    complaints: Sequence[tuple[int, Any]], grid: Grid, row_class: type[BaseModel], findings: Findings
) -> None:
    """Report cells of a short table; an id that cannot be one once, at the first of the rows that have it."""
    ids = Counter((one["loc"][0], one["input"]) for _, one in complaints if one["type"] in OF_IDS)
    told: set[tuple[Any, Any]] = set()
    for i, detail in complaints:
        column, missing = str(detail["loc"][0]), detail["type"] == "missing"
        code, message = explained(detail)
        if detail["type"] in OF_IDS:
            place = (column, detail["input"])
            message += f" (in {ids[place]:,} rows)" if ids[place] > 1 else ""
            if place in told:
                continue
            told.add(place)
        found = None if missing else str(detail["input"])
        hint = "" if missing else cell_hint(detail, row_class)
        message = "the cell is empty" if missing else message
        findings.error(code, message, column=column, found=found, hint=hint, **grid.places.at(i))


def explained(detail: Any) -> tuple[str, str]:
    """Code and message of one of pydantic's complaints."""
    kind, context = detail["type"], detail.get("ctx", {})
    if kind == "missing":
        return "blank-cell", MESSAGES[kind]
    if kind == "extra_forbidden":
        return "unknown-key", MESSAGES[kind]
    if kind in LIMITS:
        key, text = LIMITS[kind]
        return "out-of-range", text.format(f"{context[key]:g}")
    if kind == "literal_error":
        return "unknown-word", "no such word"
    if kind == "string_pattern_mismatch" and context["pattern"] == NAME_PATTERN:
        return "wrong-value", "a name has letters, digits and _ . - / only, and starts with a letter or digit"
    if kind == "finite_number":
        return "not-finite", MESSAGES[kind]
    return "wrong-value", MESSAGES.get(kind, str(detail["msg"]))


def cell_hint(detail: Any, row_class: type[BaseModel]) -> str:
    """Say what to do about a complaint: take the closest word, or write the number in another way."""
    if detail["type"] == "literal_error":
        words = get_args_of_literal(row_class.model_fields[str(detail["loc"][0])].annotation)
        return did_you_mean(str(detail["input"]), words) or f"Known: {', '.join(words)}."
    if detail["type"] in ("float_parsing", "int_parsing"):
        return number_hint(str(detail["input"]), str(detail["loc"][0]))
    return ""


def get_args_of_literal(annotation: Any) -> list[str]:
    """Words that a `Literal`, or an optional one, allows."""
    if get_origin(annotation) is Literal:
        return [str(word) for word in get_args(annotation)]
    return [word for inner in get_args(annotation) for word in get_args_of_literal(inner)]


def settings_of(
    merged: dict[str, Any], layers: Sequence[Layer], overrides: Sequence[Override], findings: Findings
) -> Settings | None:
    """Validate merged settings; each finding names the layer, or the override, that its key came from."""
    try:
        return Settings.model_validate(merged)
    except ValidationError as error:
        for detail in error.errors(include_url=False):
            path = [str(part) for part in detail["loc"]]
            code, message = explained(detail)
            code = "missing-key" if detail["type"] == "missing" else code
            file = _settings_file(path, layers, overrides)
            simple = not isinstance(detail["input"], (dict, list))
            found = str(detail["input"]) if simple and detail["type"] not in ("missing", "extra_forbidden") else None
            findings.error(
                code,
                "the key is missing" if detail["type"] == "missing" else message,
                file=file,
                row=".".join(path),
                found=found,
                hint=_settings_hint(detail, path, file),
            )
        return None


def _settings_file(path: Sequence[str], layers: Sequence[Layer], overrides: Sequence[Override]) -> str:
    for override in overrides:
        if not override.table and list(override.path[: len(path)]) == list(path[: len(override.path)]):
            return "--set"
    owner = next((layer for layer in reversed(layers) if has_path(layer.settings, path)), layers[-1])
    return owner.file(SETTINGS_FILE)


def _settings_hint(detail: Any, path: Sequence[str], file: str) -> str:
    if file != "--set" and (homes := _homes(path)):
        return f"It belongs below {' or '.join(f'[{home}]' for home in homes)}; take away the # of that line too."
    if detail["type"] == "extra_forbidden":
        model = _model_at(Settings, path[:-1])
        if model is None:
            return ""
        if file == "--set" and len(path) == 1 and (hint := _path_hint(path[0], [*model.model_fields, *TABLE_NAMES])):
            return hint
        tables = TABLE_NAMES if file == "--set" and len(path) == 1 else ()
        return did_you_mean(path[-1], [*model.model_fields, *tables])
    if detail["type"] in ("float_parsing", "int_parsing") and isinstance(detail["input"], str):
        return number_hint(detail["input"]) or "Write the number without quotes."
    if detail["type"] == "missing":
        model = _model_at(Settings, path[:-1])
        description = model.model_fields[path[-1]].description if model else None
        return f"Meaning: {description}." if description else ""
    return ""


def _homes(path: Sequence[str]) -> list[str]:
    """Name the tables of settings that know a key, where it stands in another table, which does not."""
    from provgrid_models.demand_settings import GenerateSettings

    paths = [one.rpartition(".") for one in (*_paths(Settings), *_paths(GenerateSettings, "generate."))]
    homes = [table for table, _, key in paths if table and key == path[-1]]
    return [] if len(path) < 2 or ".".join(path[:-1]) in homes else homes


def _path_hint(key: str, beginnings: Sequence[str]) -> str:
    """Name the whole paths of the settings and columns that a bare key, or a part of it, may have meant.

    Nothing where the key is a slip of the pen in what a path begins with.
    """
    if difflib.get_close_matches(key.lower(), beginnings, n=1, cutoff=0.8):
        return ""
    ends = {path.rpartition(".")[2]: path for path in _paths(Settings)}
    for table in TABLE_NAMES:
        for column in columns_of(table):
            if column not in KEYS[table]:
                ends.setdefault(column, f"{table}.*.{column}")
    meant = words_with(key, ends)
    return f"Did you mean {quoted(ends[end] for end in meant)}?" if meant else ""


def _paths(model: type[BaseModel], before: str = "") -> Iterator[str]:
    """Paths of all settings below a model that are values."""
    for name, field in model.model_fields.items():
        optional = get_origin(field.annotation) in (Union, types.UnionType)
        inner = [one for one in (get_args(field.annotation) if optional else [field.annotation]) if _is_model(one)]
        for one in inner:
            yield from _paths(one, f"{before}{name}.")
        if not inner:
            yield f"{before}{name}"


def _is_model(annotation: Any) -> TypeGuard[type[BaseModel]]:
    return isinstance(annotation, type) and issubclass(annotation, BaseModel)


def _model_at(annotation: Any, path: Sequence[str]) -> type[BaseModel] | None:
    """Model that holds the last key of a path, however deep."""
    if _is_model(annotation):
        if not path:
            return annotation
        info = annotation.model_fields.get(path[0])
        return None if info is None else _model_at(info.annotation, path[1:])
    if get_origin(annotation) in (Union, types.UnionType, tuple):
        rest = path[1:] if get_origin(annotation) is tuple else path
        found = (_model_at(inner, rest) for inner in get_args(annotation))
        return next((model for model in found if model is not None), None)
    return None


def row_texts(rows: Sequence[Row], row_class: type[Row]) -> dict[str, list[str]]:
    """Texts of the cells by column: required columns, and those in which some row differs from the default."""
    columns = {}
    for name, info in row_class.model_fields.items():
        values = [getattr(row, name) for row in rows]
        if info.is_required() or any(value != info.default for value in values):
            columns[name] = [value_text(value) for value in values]
    return columns


def value_text(value: Any) -> str:
    """Write a value as a cell: blank for none, floats exactly."""
    if value is None:
        return ""
    if isinstance(value, (bool, np.bool_)):
        return "true" if value else "false"
    return repr(float(value)) if isinstance(value, float) else str(value)
