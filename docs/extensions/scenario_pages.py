"""The reference of a scenario's keys and columns, from the JSON Schema that `provgrid schema` prints."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from provgrid_models.provenance import unit_of
from provgrid_models.schema import json_schema

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

Schema = dict[str, Any]
KINDS = {"string": "text", "number": "number", "integer": "whole number", "boolean": "true or false", "object": "table"}
LIMITS = {"minimum": "≥", "exclusiveMinimum": ">", "maximum": "≤", "exclusiveMaximum": "<"}
UNIT = re.compile(r" \[([^\]]+)\]")  # "price of emitted CO2 [yuan/t]"
HEADINGS = ("unit", "values", "default", "meaning")


def text() -> str:
    """Every key of scenario.toml and every column of each table, in MyST Markdown."""
    schema = json_schema()
    definitions, toml = schema["$defs"], schema["properties"]["scenario.toml"]
    parts = ["## scenario.toml", keys_table(toml, definitions)]
    for name, value in holders(toml, definitions, ""):
        parts += [f"### [{name}]", value.get("description", ""), keys_table(value, definitions)]
    for name, table in schema["properties"]["tables"]["properties"].items():
        row = table["items"]
        files = " or ".join(f"`{file}`" for file in table["x-files"])
        key = ", ".join(f"`{column}`" for column in table["x-key"])
        parts += [f"## {name}", row.get("description", ""), f"File: {files}. A row is identified by {key}."]
        parts.append(keys_table(row, definitions))
    return "\n\n".join(part for part in parts if part)


def holders(schema: Schema, definitions: Mapping[str, Schema], path: str) -> Iterator[tuple[str, Schema]]:
    """Yield each table inside a table that has keys of its own, by its dotted name; [[x]] is one of many."""
    for name, value in schema["properties"].items():
        target = resolved(value, definitions)
        inner = resolved(target.get("items", {}), definitions)
        if "properties" in target:
            if any(not is_holder(key, definitions) for key in target["properties"].values()):
                yield f"{path}{name}", target
            yield from holders(target, definitions, f"{path}{name}.")
        elif "properties" in inner:
            yield f"[{path}{name}]", inner


def is_holder(value: Schema, definitions: Mapping[str, Schema]) -> bool:
    """Whether a key holds keys of its own, which have a section of theirs."""
    target = resolved(value, definitions)
    return "properties" in target or "properties" in resolved(target.get("items", {}), definitions)


def resolved(value: Schema, definitions: Mapping[str, Schema]) -> Schema:
    """Follow a reference, also one that may be absent."""
    options = [option for option in value.get("anyOf", ()) if option != {"type": "null"}]
    if len(options) == 1:
        value = {**options[0], **{key: said for key, said in value.items() if key != "anyOf"}}
    if "$ref" in value:
        return {**definitions[value["$ref"].rsplit("/", 1)[1]], **{k: v for k, v in value.items() if k != "$ref"}}
    return value


def keys_table(schema: Schema, definitions: Mapping[str, Schema]) -> str:
    """One row for each key: name, unit, values, default, meaning."""
    required = set(schema.get("required", ()))
    rows = []
    for name, value in schema["properties"].items():
        if not is_holder(value, definitions):
            parts = described(name, resolved(value, definitions), name in required)
            rows.append(f"| `{name}` | {' | '.join(map(cell, parts))} |")
    head = f"| name | {' | '.join(HEADINGS)} |"
    return "\n".join([head, "| --- " * (len(HEADINGS) + 1) + "|", *rows]) if rows else ""


def described(name: str, value: Schema, required: bool) -> tuple[str, str, str, str]:
    """Return unit, values, default and meaning of one key."""
    meaning = value.get("description", "")
    if "x-reference" in value:
        meaning += f" (a row of `{value['x-reference'].split('.')[0]}`)"
    noted = UNIT.search(meaning)
    unit = unit_of(name) or (noted[1] if noted else "")
    return unit, values(value), default(value, required), UNIT.sub("", meaning)


def values(value: Schema) -> str:
    """Say what may stand there: choices, or kind and range."""
    if choices := [choice for choice in value.get("enum", ()) if choice != ""]:
        return ", ".join(f"`{choice}`" for choice in choices)
    if "anyOf" in value:
        return " or ".join(dict.fromkeys(values(option) for option in value["anyOf"] if option != {"type": "null"}))
    kind = "time" if value.get("format") == "date-time" else KINDS.get(value.get("type", ""), "list")
    limits = [f"{sign} {value[word]:,.10g}" for word, sign in LIMITS.items() if word in value]
    return f"{kind} {', '.join(limits)}".strip()


def default(value: Schema, required: bool) -> str:
    """Say what holds where the key is left out."""
    if required:
        return "required"
    if "default" not in value or value["default"] in (None, "", [], {}):
        return "none"
    said = value["default"]
    if isinstance(said, bool):
        return f"`{str(said).lower()}`"
    return f"`{said:g}`" if isinstance(said, float) else f"`{said}`"


def cell(said: str) -> str:
    """Text as a cell of a Markdown table."""
    return " ".join(said.split()).replace("|", "\\|").replace("<", "&lt;").replace("[", "\\[")
