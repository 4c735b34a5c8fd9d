"""Templates that explain themselves: comments and a page made from the schema, so that they cannot drift."""

from __future__ import annotations

import tomllib
from typing import Any

import pytest

from provgrid_models.commented import commented_settings, tables_page
from provgrid_models.grids import TABLE_NAMES, columns_of
from provgrid_models.scenario import Settings
from provgrid_models.schema import json_schema
from provgrid_models.tables import LONG_TABLES
from provgrid_seeds.loader import scenario_folder, scenario_names, system_names


def document(name: str) -> dict[str, Any]:
    return tomllib.loads(scenario_folder(name).joinpath("scenario.toml").read_text(encoding="utf-8"))


@pytest.mark.parametrize("name", [*scenario_names(), *system_names()])
def test_comments_change_nothing(name: str) -> None:
    assert tomllib.loads(commented_settings(document(name))) == document(name)


def test_every_key_says_what_it_means_above_itself() -> None:
    lines = commented_settings(document("zhejiang")).splitlines()
    sources = lines.index("[sources]")
    for number, line in enumerate(lines[:sources]):
        if " = " in line and not line.startswith(("#", " ")) and not lines[number - 1].startswith("#"):
            # Values by a name of the planner's own stand in a table that is explained as a whole.
            header = next(text for text in reversed(lines[:number]) if text.startswith("["))
            assert lines[lines.index(header) - 1].startswith("# "), line


def test_keys_that_are_left_out_are_there_with_their_defaults() -> None:
    text = commented_settings(document("toy"))
    lines = text.splitlines()
    meaning = "# energy: neither network nor demand charge; full: operating cost and the rent of accelerators; "
    assert lines[lines.index('#basis = "operating"') - 1] == meaning + "one of energy, operating, full"
    assert "#carbon_budget_t =" in lines
    assert "#[generate.training]" in lines
    assert "#[[horizon.blocks]]" in lines


def test_the_head_says_that_the_table_of_a_key_is_set_free_too() -> None:
    assert "and that of the [table] above it" in commented_settings(document("toy")).split("\n\n")[0]


def test_a_default_that_is_set_free_reads_as_that_default() -> None:
    text = commented_settings(document("toy")).replace('#basis = "operating"', 'basis = "operating"')
    text = text.replace("#[switches]", "[switches]").replace("#links = true", "links = true")
    read = tomllib.loads(text)
    assert read["switches"] == {"links": True}
    assert Settings.model_validate(read) == Settings.model_validate(document("toy"))


def test_a_scenario_that_extends_another_shows_no_defaults() -> None:
    text = commented_settings(document("ports"))
    assert "#carbon_budget_t" not in text
    assert "laid over another" in text


def test_the_page_explains_every_column_of_every_table() -> None:
    page = tables_page("Toy", "toy")
    parts = {part.split("\n", 1)[0]: part for part in page.split("\n## ")[1:]}
    assert list(parts) == list(TABLE_NAMES)
    for table in TABLE_NAMES:
        for column in columns_of(table):
            (row,) = [line for line in parts[table].splitlines() if line.startswith(f"| {column} |")]
            assert row.split(" | ")[2].strip(), (table, column)
    letters = "Latin letters, digits and _ . - / only, a letter or digit first"
    with_rule = {table for table, part in parts.items() if f" | {letters} |" in part}
    assert {"regions", "clusters", "chips", "pools", "links", "families", "tenants", "contracts"} <= with_rule
    assert with_rule.isdisjoint(LONG_TABLES)  # names of jobs, services and tariffs may be Chinese
    assert "open a table by Data > From Text/CSV with file origin 65001 (UTF-8)" in page  # there is no byte order mark
    assert "| accelerators | yes | installed accelerators | at least 0 |" in parts["pools"]
    assert "| quality |  | how sure its figures are | one of measured, published, assumed, secondary |" in page


def test_everything_that_a_planner_writes_has_a_description() -> None:
    def walk(node: Any, path: str) -> None:
        if not isinstance(node, dict):
            return
        for name, prop in node.get("properties", {}).items():
            if isinstance(prop, dict) and prop.get("type") != "array":
                assert prop.get("description") or path == "", f"{path}/{name}"
        for key, value in node.items():
            walk(value, f"{path}/{key}")

    schema = json_schema()
    walk(schema["properties"]["scenario.toml"], "settings")
    walk(schema["$defs"], "$defs")
    for name, one in schema["properties"]["tables"]["properties"].items():
        assert one["items"]["description"], name
        for column, prop in one["items"]["properties"].items():
            assert prop["description"], (name, column)
