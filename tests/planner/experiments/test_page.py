"""The page of claims: it tells what it was made from, and the checked-in one is current."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from provgrid.experiments import texts
from provgrid.experiments.catalogue import catalogue
from provgrid.experiments.examine import inputs_digest
from provgrid.experiments.judge import Interval
from provgrid.experiments.page import inputs_of, page
from provgrid.experiments.results import BasisResult, ClaimResult, Claims, PlanFigures, Sensitivity, TestResult

PAGE = Path(__file__).parents[3] / "docs" / "claims.md"


def plan(label: str, low: float, high: float) -> PlanFigures:
    return PlanFigures(
        label=label,
        figure=Interval(low, high),
        objective_yuan=high,
        bound_yuan=low,
        gap=(high - low) / high,
        status="optimal",
        divisible=False,
        audit_rules=28,
        audit_passed=True,
        command=f"provgrid solve toy --set name={label}",
    )


@pytest.fixture
def test() -> TestResult:
    rate = Sensitivity(
        source="assumptions/x",
        label="the rate",
        unit="fraction",
        taken=0.2,
        low=0.1,
        high=0.2,
        value_at_low=Interval(0.04, 0.05),
        value_at_high=Interval(0.10, 0.12),
        above=0.15,
    )
    one = BasisResult(
        basis="operating",
        verdict="holds only if",
        conditions=("the rate is above 15 % (taken as 20 %)",),
        value=Interval(0.10, 0.12),
        difference=Interval(6.0, 12.0),
        unit="yuan",
        a=plan("a", 96.0, 100.0),
        b=plan("b", 88.0, 90.0),
        sensitivities=(rate,),
        explanation="because",
        value_inside=True,
    )
    return TestResult(
        id="one", question="Q?", choice="C.", kind="saving", quantity="cost", limit="cheaper", by_basis=(one,)
    )


def claims(test: TestResult) -> Claims:
    common = {"documents": ("001",), "facts": ("f",), "published": "", "command": "provgrid claims c"}
    tested = ClaimResult(id="c", title="T", says="Says.", tests=(test,), untestable="", **common)
    other = ClaimResult(id="d", title="U", says="Says.", tests=(), untestable="Nobody knows.", **common)
    return Claims(inputs="0" * 64, claims=(tested, other))


def test_a_basis_in_words(test):
    (one,) = test.by_basis
    assert one.words == "holds only if the rate is above 15 % (taken as 20 %)"
    assert texts.short(test, one) == "holds only if ... (10 to 12 % saved)"
    assert texts.computed(test, one) == [
        "A, a: 96 to 100 yuan",
        "B, b: 88 to 90 yuan",
        "A - B: 6 to 12 yuan; 10 to 12 % saved",
        "because",
    ]
    assert texts.evidence(one) == "audits passed, gap at most 0.04"


def test_a_loss_is_no_negative_saving(test):
    assert texts.value(test, Interval(-0.5, -0.4)) == "40 to 50 % more"
    assert texts.value(test, Interval(-28.8, -28.8)) == "2,880 % more"
    assert texts.value(test, Interval(-0.1, 0.2)) == "-10 to 20 % saved"
    assert texts.value(replace(test, kind="rise"), Interval(-0.9, -0.9)) == "90 % less"
    assert texts.value(replace(test, kind="level"), Interval(0.1, 0.1)) == "10 %"
    assert texts.value(replace(test, kind="multiple"), Interval(0.47, 0.48)) == "0.47 to 0.48"


def test_an_input_in_words_leaves_out_the_end_that_was_taken(test):
    (one,) = test.by_basis[0].sensitivities
    assert texts.sensitivity(test, one) == (
        "the rate: 10 % gives 4 to 5 % saved; 20 % gives as above; holds only above 15 %"
    )


def test_the_page_says_what_it_was_made_from_and_shows_every_claim(test):
    text = page(claims(test), None, 0.02)
    assert inputs_of(text) == "0" * 64
    assert "| T | one | - | holds only if ... (10 to 12 % saved) | - |" in text
    assert "**Cannot be tested.** Nobody knows." in text
    assert "provgrid solve toy --set name=a" in text


def test_a_page_without_a_mark_was_made_from_nothing():
    assert inputs_of("# Claims\n") == ""


def test_plain_results_of_an_untestable_claim_carry_its_verdict(test):
    tested, other = claims(test).to_dict()["claims"]
    assert other["verdict"] == "cannot be tested"
    assert "verdict" not in tested
    assert tested["tests"][0]["by_basis"][0]["words"].startswith("holds only if the rate")


def test_the_checked_in_page_was_made_from_what_is_declared_now():
    assert inputs_of(PAGE.read_text(encoding="utf-8")) == inputs_digest(catalogue())
