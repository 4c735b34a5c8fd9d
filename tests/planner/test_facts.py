"""`provgrid facts`: what the documents say, where numbers come from, and the page about it."""

from __future__ import annotations

from pathlib import Path

import pytest

import provgrid as pg
from command_line import in_this_process, json_of, one_line
from provgrid.experiments.catalogue import catalogue
from provgrid.experiments.catalogue.national import on_national
from provgrid.facts_page import page_text
from provgrid.grouping import grouped
from provgrid_models.provenance import Provenance, provenance
from provgrid_seeds import facts, loader

PAGE = Path(__file__).parents[2] / "docs" / "where-the-numbers-come-from.md"


@pytest.fixture(scope="module")
def text() -> str:
    return page_text()


def test_the_page_is_what_the_command_prints_today(text: str) -> None:
    assert PAGE.read_text(encoding="utf-8") == text, "make it again: provgrid facts --page"


def test_the_page_names_every_fact_and_every_built_in_scenario(text: str) -> None:
    for fact in facts.facts():
        assert f"| `{fact.id}` | {fact.statement} |" in text
    for name in loader.scenario_names():
        assert f"| `{name}` |" in text


def test_the_facts_are_listed_by_document_and_as_json() -> None:
    said = in_this_process("facts").stdout
    assert "001  China Pumps 170B into Xinjiang Compute" in said
    assert "confirmed in part xinjiang_cluster: Xinjiang has computing clusters of 16,000 P." in said
    record = json_of(in_this_process("facts", "--json"))
    assert len(record["documents"]) == 5
    assert {one["id"] for one in record["facts"]} == {one.id for one in facts.facts()}


def test_a_scenario_is_summed_up_by_quality_and_traced_number_by_number() -> None:
    said = in_this_process("facts", "--scenario", "toy", "--set", "prices.unserved_multiple=4").stdout
    assert said.startswith("toy: ")
    assert "not stated unserved_multiple: 4 <- own" in said
    assert "measured   carbon_kg_per_kwh: 2 numbers <- emission_factors/ef_zhejiang_2023.kgco2_per_kwh" in said
    record = json_of(in_this_process("facts", "-s", "toy", "--json"))
    assert sum(record["by_quality"].values()) == sum(one["numbers"] for one in record["numbers"])
    by_path = {one["path"]: one for one in record["numbers"]}
    assert by_path["clusters.hami_yiwu.pue"] == {
        "path": "clusters.hami_yiwu.pue",
        "value": 1.15,
        "unit": "",
        "sources": ["clusters/hami_yiwu.pue_typical"],
        "quality": "assumed",
        "low": 1.1,
        "high": 1.25,
        "facts": [],
        "documents": [],
        "numbers": 1,
    }


def test_numbers_alike_share_a_line_and_others_do_not() -> None:
    def one(path: str, quality: str, *sources: str) -> Provenance:
        return Provenance(path=path, value=1.0, unit="kW", sources=sources, quality=quality)

    groups = grouped(
        [
            *(one(f"chips.{k}.busy_kw", "published", f"chips/{k}.tdp_w") for k in ("a1", "a2", "a3", "a4")),
            one("chips.b.busy_kw", "assumed", "chips/b.tdp_w"),
            one("chips.c.busy_kw", "published", "offer of May"),
        ]
    )
    assert [(group.numbers, group.quality, group.sources) for group in groups] == [
        (4, "published", ("chips/a*.tdp_w (4 rows)",)),
        (1, "assumed", ("chips/b.tdp_w",)),
        (1, "published", ("offer of May",)),
    ]


def test_every_number_is_in_one_group() -> None:
    traced = provenance(pg.scenarios.zhejiang())
    assert sum(group.numbers for group in grouped(traced)) == sum(one.numbers for one in traced)
    assert pg.provenance(pg.scenarios.zhejiang()) == traced


def test_the_page_takes_no_scenario() -> None:
    assert "leave --scenario" in one_line(in_this_process("facts", "--page", "--scenario", "toy"), 2)
    assert "name one with --scenario" in one_line(in_this_process("facts", "--set", "prices.unserved_multiple=4"), 2)


def test_facts_and_claims_name_each_other() -> None:
    declared = {claim.id: claim for claim in (*on_national(), *catalogue()) if claim.facts}
    assert set(facts.claims()) == set(declared)
    for claim in declared.values():
        for name in claim.facts:
            assert f"claim/{claim.id}" in facts.fact(name).feeds, name
