"""The part of JSON Schema that provgrid's schemas use, written to be obviously right."""

from __future__ import annotations

from typing import Any

KINDS = {
    "object": dict,
    "array": list,
    "string": str,
    "number": (int, float),
    "integer": int,
    "null": type(None),
}
KNOWN = {
    *("$schema", "title", "description", "type", "properties", "required", "additionalProperties"),
    *("items", "const", "enum", "minimum"),
}


def check(value: Any, schema: dict[str, Any], at: str = "$") -> None:
    """Assert that a value is as the schema says."""
    assert set(schema) <= KNOWN, set(schema) - KNOWN
    if "const" in schema:
        assert value == schema["const"], at
    if "enum" in schema:
        assert value in schema["enum"], at
    if "type" in schema:
        kinds = schema["type"] if isinstance(schema["type"], list) else [schema["type"]]
        assert any(isinstance(value, KINDS[kind]) for kind in kinds), (at, value)
    if "minimum" in schema:
        assert value >= schema["minimum"], at
    if isinstance(value, dict):
        assert set(schema.get("required", ())) <= set(value), at
        for key, item in value.items():
            known = schema.get("properties", {})
            inner = known[key] if key in known else schema.get("additionalProperties", {})
            assert inner is not False, f"{at}.{key} is not in the schema"
            check(item, inner, f"{at}.{key}")
    if isinstance(value, list):
        for number, item in enumerate(value):
            check(item, schema.get("items", {}), f"{at}[{number}]")
