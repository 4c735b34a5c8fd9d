import os
import re
from collections import Counter
from pathlib import Path

import pytest

from provgrid_seeds import facts, loader

SHARED_WORDS = 8  # as many words in a row as the documents have would be a copy


def words(text: str) -> list[str]:
    return re.findall(r"[\w']+", text.lower())


def runs(text: str) -> set[tuple[str, ...]]:
    found = words(text)
    return {tuple(found[i : i + SHARED_WORDS]) for i in range(len(found) - SHARED_WORDS + 1)}


def documents_folder() -> Path:
    """Where the texts lie: beside the folder that PROVGRID_DATA names. They are no part of the project."""
    data = os.environ.get("PROVGRID_DATA")
    if not data:
        pytest.skip("PROVGRID_DATA is not set: the facts are not held against the documents' texts")
    folder = Path(data).resolve().parent / "seeds"
    if not list(folder.glob("*.txt")):
        pytest.skip(f"PROVGRID_DATA has no folder seeds beside it: no texts in {folder}")
    return folder


def test_there_are_five_documents_and_the_two_that_call_themselves_ai_analysis_are_secondary() -> None:
    assert [one.id for one in facts.documents()] == ["000", "001", "002", "003", "004"]
    assert [one.id for one in facts.documents() if one.quality == "secondary"] == ["000", "001"]
    assert {one.quality for one in facts.documents()} <= set(loader.QUALITIES)


def test_every_document_gives_facts_of_every_kind() -> None:
    assert len(facts.facts()) >= 50
    for document in facts.documents():
        mine = Counter(one.kind for one in facts.facts() if one.document == document.id)
        assert set(mine) == {"parameter", "claim", "context"}, document.id


def test_the_figures_that_the_documents_give_are_there() -> None:
    values = {(one.document, one.value, one.unit) for one in facts.facts() if one.value is not None}
    assert values >= {
        ("000", 242, "thousand people"),
        ("000", 16000, "PFLOPS"),
        ("000", 2028, "year"),
        ("001", 170, "billion yuan"),
        ("001", 18, "firms"),
        ("001", 92, "projects"),
        ("001", 15, "percent"),
        ("001", 2028, "year"),
        ("001", 1000, "billion yuan"),
        ("003", 6, "firms"),
        ("004", 300, "billion yuan"),
        ("004", 41.12, "billion US dollars"),
        ("004", 2000, "firms"),
        ("004", 4300, "firms"),
        ("004", 500, "billion yuan"),
    }


@pytest.mark.parametrize("fact", facts.facts(), ids=lambda one: one.id)
def test_what_a_fact_names_is_there(fact: facts.Fact) -> None:
    facts.document(fact.document)
    assert fact.statement.endswith(".")
    assert (fact.value is None) == (fact.unit == "")
    if fact.confirmation != "not_found":
        assert fact.evidence, "a fact that public figures bear out, or not, names their rows"
    for token in fact.evidence:
        loader.resolve(token)
    known = {
        "scenario": {*loader.scenario_names(), *loader.system_names()},
        "system": set(facts.systems()),
        "claim": set(facts.claims()),
    }
    for place in fact.feeds:
        kind, _, name = place.partition("/")
        if kind in known:
            assert name in known[kind], place
        else:
            row, _, column = name.partition(".")
            assert column in loader.table_row(kind, row), place


def test_every_system_and_every_claim_has_facts_that_feed_it() -> None:
    fed = {place for one in facts.facts() for place in one.feeds}
    assert {f"system/{key}" for key in facts.systems()} <= fed
    assert {f"claim/{key}" for key in facts.claims()} <= fed


def test_the_xinjiang_cluster_is_confirmed_only_as_more_than_10000_p() -> None:
    cluster = facts.fact("xinjiang_cluster")
    assert cluster.confirmation == "confirmed_in_part"
    assert {loader.figure(*token.split("/"), "value") for token in cluster.evidence} == {10000.0, 12500.0}
    assert "more than 10,000 P" in cluster.note


def test_a_fact_resolves_like_a_row_of_a_table() -> None:
    ((table, row),) = loader.resolve("facts/training_cost_15_percent")
    assert (table, row["value"], row["unit"]) == ("facts", 15.0, "percent")
    assert loader.weakest_quality("facts/export_controls") == "published"
    assert loader.weakest_quality("facts/export_controls;facts/training_cost_15_percent") == "secondary"
    with pytest.raises(KeyError, match="no fact 'nothing'"):
        loader.resolve("facts/nothing")
    with pytest.raises(KeyError, match="no document '005'"):
        facts.document("005")


def test_a_star_stands_for_all_rows_that_begin_like_that() -> None:
    assert len(loader.resolve("diurnal_shapes/m_small_*")) == 24
    with pytest.raises(KeyError, match="no row that begins with 'nothing_'"):
        loader.resolve("diurnal_shapes/nothing_*")


def test_numbers_put_in_place_of_others_are_read_inside_and_nowhere_else() -> None:
    named = loader.assumption("availability").value
    with loader.redrawn({("assumptions", "availability", "value"): 0.5, ("chips", "h20", "tdp_w"): 450}):
        assert loader.assumption("availability").value == 0.5
        assert loader.figure("chips", "h20", "tdp_w") == 450.0
        assert next(row for row in loader.table("chips") if row["id"] == "h20")["tdp_w"] == 450.0
        assert loader.figure("chips", "h100", "tdp_w") == 700.0
    assert loader.assumption("availability").value == named
    with pytest.raises(KeyError, match="a number is needed"), loader.redrawn({("chips", "h20", "vendor"): 1.0}):
        pass


def test_no_sentence_of_the_documents_is_copied() -> None:
    copied = set().union(*(runs(file.read_text(encoding="utf-8")) for file in documents_folder().glob("*.txt")))
    assert len(copied) > 1000
    for fact in facts.facts():
        for text in (fact.statement, fact.note):
            assert not runs(text) & copied, (fact.id, text)
