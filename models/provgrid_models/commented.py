"""A scenario's files explained: `scenario.toml` with a comment on every key, and a page of all tables and columns.

Both are made from the JSON Schema, so that they say what the loader accepts.
"""

from __future__ import annotations

from typing import Any

import tomli_w

from provgrid_models.scenario import ID_PATTERN
from provgrid_models.schema import json_schema

ID_LETTERS = "Latin letters, digits and _ . - / only, a letter or digit first"
JOINED = 80  # characters of allowed values that one comment lists
HEADER = """# A scenario of provgrid. README.md explains its tables and columns, column by column.
# A line such as #key = value is a key that is left out, with its default; take away the # to set it,
# and that of the [table] above it where there is one: keys belong to the [table] that stands above them."""
OVERLAY_HEADER = """# A scenario of provgrid, laid over another: keys and tables that are left out are its own.
# README.md explains tables and columns; a <table>.patch.csv changes single cells of a table, by its key."""


def commented_settings(document: dict[str, Any]) -> str:
    """Write settings as TOML that reads back the same; keys that are left out follow as comments, with defaults.

    Where the scenario extends another, what is left out is not there: it is that one's.
    """
    schema = json_schema()
    overlay = "extends" in document
    writer = _Writer(schema["$defs"], defaults=not overlay)
    writer.table(document, schema["properties"]["scenario.toml"], ())
    return "\n".join([OVERLAY_HEADER if overlay else HEADER, "", *writer.lines]).strip() + "\n"


def tables_page(title: str, name: str) -> str:
    """Explain every table and column of a scenario in Markdown, and what to do with the folder."""
    tables = json_schema()["properties"]["tables"]["properties"]
    lines = [
        f"# {title or name}",
        "",
        "A scenario of provgrid: `scenario.toml`, where a comment explains each key, and a file for each table below.",
        "Change what you like, then, with the path of this folder in place of FOLDER:",
        "",
        "```",
        "provgrid check FOLDER     # everything that is wrong or unlikely, all at once",
        "provgrid solve FOLDER     # a plan, its proof, and a run folder",
        "```",
        "",
        "A blank cell is none, or the default where there is one; a table without rows may be left out, unless it is "
        "needed. Hours are Beijing time. `jobs`, `services`, `demand`, `tariffs`, `renewables` and `carbon` may be "
        "Parquet files instead. Other columns and files are errors.",
        "",
        "The files are UTF-8. A double click in Excel may read their Chinese names in another code page, and saving "
        "then keeps them garbled: open a table by Data > From Text/CSV with file origin 65001 (UTF-8), and save it as "
        '"CSV UTF-8".',
    ]
    for table, one in tables.items():
        lines += ["", f"## {table}", "", *_table(one)]
    return "\n".join(lines) + "\n"


class _Writer:
    """Writes a document table by table, as TOML wants it: values first, then tables in it."""

    def __init__(self, definitions: dict[str, Any], *, defaults: bool) -> None:
        self._definitions = definitions
        self._defaults = defaults
        self.lines: list[str] = []

    def table(self, document: dict[str, Any], schema: dict[str, Any], path: tuple[str, ...]) -> None:
        """Write the keys of one table, those that are left out as comments, and the tables in it."""
        known: dict[str, Any] = schema.get("properties", {})
        for key, value in document.items():
            if not _is_table(value) and not _is_tables(value):
                self._comment(known.get(key))
                self.lines += tomli_w.dumps({key: value}).rstrip().split("\n")
        absent = {key: prop for key, prop in known.items() if key not in document} if self._defaults else {}
        self._plain_defaults(absent)
        for key, value in document.items():
            inner = self._inner(known.get(key, {})) or {}
            for item in value if _is_tables(value) else [value] if _is_table(value) else []:
                name = _dotted((*path, key))
                self._header(known.get(key), f"[[{name}]]" if _is_tables(value) else f"[{name}]")
                self.table(item, inner, (*path, key))
        self._table_defaults(absent, path)

    def _plain_defaults(self, absent: dict[str, Any]) -> None:
        for key, prop in absent.items():
            if self._inner(prop) is None and key != "extends":
                self._comment(prop)
                self.lines.append(_left_out(key, prop))

    def _table_defaults(self, absent: dict[str, Any], path: tuple[str, ...]) -> None:
        """Write tables that are left out, with all that they might hold, as comments."""
        for key, prop in absent.items():
            inner = self._inner(prop)
            if inner is not None:
                name = _dotted((*path, key))
                self._header(prop, f"#[[{name}]]" if prop.get("type") == "array" else f"#[{name}]")
                self._plain_defaults(inner.get("properties", {}))
                self._table_defaults(inner.get("properties", {}), (*path, key))

    def _header(self, prop: dict[str, Any] | None, text: str) -> None:
        self.lines.append("")
        self._comment(prop)
        self.lines.append(text)

    def _comment(self, prop: dict[str, Any] | None) -> None:
        if prop and prop.get("description"):
            self.lines.append("# " + "; ".join([prop["description"], *_range(prop)]))

    def _inner(self, prop: dict[str, Any]) -> dict[str, Any] | None:
        """Return the schema of the table, or of each of the tables, that a key holds; None for a plain value."""
        for one in (prop, *prop.get("anyOf", ()), prop.get("items", {})):
            if "$ref" in one:
                found: dict[str, Any] = self._definitions[one["$ref"].rpartition("/")[2]]
                return found
        return prop if prop.get("type") == "object" else None


def _table(one: dict[str, Any]) -> list[str]:
    """Describe a table: its file, its key, its columns."""
    row = one["items"]
    required = row.get("required", ())
    lines = [row.get("description", "").split("\n")[0], "", f"File: {' or '.join(one['x-files'])}."]
    if one["x-key"]:
        lines[-1] += f" A row is known by {', '.join(one['x-key'])}."
    lines += ["", "| column | needed | meaning | values |", "|---|---|---|---|"]
    for name, prop in row["properties"].items():
        letters = [ID_LETTERS] if name == "id" and prop.get("pattern") == ID_PATTERN else []
        values = "; ".join([*letters, *_range(prop), *_default(prop)])
        meaning = prop.get("description", "").replace("|", "\\|")
        lines.append(f"| {name} | {'yes' if name in required else ''} | {meaning} | {values} |")
    return lines


def _range(prop: dict[str, Any]) -> list[str]:
    """Values that a key or column may take, in words."""
    one = {key: value for part in (prop, *prop.get("anyOf", ())) for key, value in part.items()}
    if "enum" in one:
        words = ", ".join(str(value) for value in one["enum"] if value != "")
        return [f"one of {words}"] if len(words) <= JOINED else []
    parts = []
    for key, word in (("minimum", "at least"), ("exclusiveMinimum", "above"), ("maximum", "at most")):
        if key in one:
            parts.append(f"{word} {one[key]:,g}")
    if "x-reference" in prop:
        parts.append(f"a value of {prop['x-reference']}")
    return [" and ".join(parts)] if parts else []


def _default(prop: dict[str, Any]) -> list[str]:
    default = prop.get("default")
    if default is None or default == "":
        return []
    if isinstance(default, bool):
        return [f"default {str(default).lower()}"]
    return [f"default {default:g}" if isinstance(default, int | float) else f"default {default}"]


def _left_out(key: str, prop: dict[str, Any]) -> str:
    """Return a key that is left out, as a comment that shows its default."""
    default = prop.get("default")
    if default is None:
        return f"#{key} ="
    return "#" + " ".join(tomli_w.dumps({key: default}).split())


def _is_table(value: Any) -> bool:
    return isinstance(value, dict)


def _is_tables(value: Any) -> bool:
    return isinstance(value, list) and bool(value) and all(isinstance(item, dict) for item in value)


def _dotted(path: tuple[str, ...]) -> str:
    """Join the keys of a table as TOML writes them."""
    bare = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-"
    return ".".join(key if key and set(key) <= set(bare) else f'"{key}"' for key in path)
