from __future__ import annotations

import json

from provgrid_models.scenario import SHORT_TABLES, Settings
from provgrid_models.schema import json_schema
from provgrid_models.tables import LONG_TABLES


def test_every_table_column_and_setting_stands_in_the_schema():
    schema = json_schema()
    tables = schema["properties"]["tables"]["properties"]
    assert set(tables) == {*SHORT_TABLES, *LONG_TABLES}
    for name, row_class in SHORT_TABLES.items():
        assert set(tables[name]["items"]["properties"]) == set(row_class.model_fields)
    for name, table in LONG_TABLES.items():
        assert set(tables[name]["items"]["properties"]) == set(table.column)
    settings = schema["properties"]["scenario.toml"]["properties"]
    assert set(settings) == {"extends", *Settings.model_fields}


def test_limits_choices_references_and_defaults_are_those_of_the_tables():
    jobs = json_schema()["properties"]["tables"]["properties"]["jobs"]
    columns = jobs["items"]["properties"]
    assert jobs["x-key"] == ["id"]
    assert columns["work_pflop_h"] == {
        "type": "number",
        "description": "work [PFLOP-hours]",
        "exclusiveMinimum": 0,
    }
    assert columns["mode"]["enum"] == ["elastic", "rigid"]
    assert columns["mode"]["default"] == "elastic"
    assert columns["region"]["x-reference"] == "regions.id"
    assert columns["unserved_yuan"]["x-blank"] is True
    assert "id" in jobs["items"]["required"]


def test_every_reference_inside_the_schema_resolves():
    schema = json_schema()
    text = json.dumps(schema)
    names = {part.split('"')[0] for part in text.split('"#/$defs/')[1:]}
    assert names
    assert names <= set(schema["$defs"])


def test_every_column_of_a_long_table_says_what_it_means():
    tables = json_schema()["properties"]["tables"]["properties"]
    assert all(column["description"] for name in LONG_TABLES for column in tables[name]["items"]["properties"].values())
