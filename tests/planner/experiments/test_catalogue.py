"""The declared claims: they name facts, cover what the documents claim, and their verdicts follow their inputs."""

from __future__ import annotations

from dataclasses import replace

import pytest

from provgrid.experiments.catalogue import catalogue, chosen
from provgrid.experiments.catalogue.national import on_national
from provgrid.experiments.declared import Basis, Test
from provgrid.experiments.examine import examine, first_wave
from provgrid.experiments.store import Store
from provgrid_models.errors import OptionError
from provgrid_models.files import load_scenario
from provgrid_seeds import facts
from provgrid_seeds.loader import resolve

TESTS = {test.id: (claim, test) for claim in catalogue() for test in claim.tests}


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("plans")


def verdict(test: Test, basis: Basis, folder, *extra: str) -> str:
    """Verdict of a declared test on one basis, without its inputs, both plans with further overrides."""
    claim, _ = TESTS[test.id]

    def with_extra(side):
        return None if side is None else replace(side, overrides=(*side.overrides, *extra))

    bare = replace(test, a=with_extra(test.a), b=with_extra(test.b), inputs=(), bases=(basis,))
    results = examine([replace(claim, tests=(bare,))], Store(folder))
    return results.claims[0].tests[0].by_basis[0].verdict


def test_every_claim_of_the_facts_is_examined():
    known = {claim.id: claim for claim in catalogue()}
    assert set(facts.claims()) <= set(known)
    must = {"western_power_cheaper", "training_cost_falls", "xinjiang_primary_node", "coordination_beats_own"}
    must |= {"binding_beats_teraflops", "renewables_relieve_east", "demand_met_in_scarcity"}
    assert all(known[key].tests for key in must)


def test_claims_name_facts_that_are_claims():
    for claim in (*catalogue(), *on_national()):
        assert claim.facts or claim.published
        for one in claim.facts:
            assert facts.fact(one).kind == "claim"


def test_what_cannot_be_tested_says_why_and_nothing_else_does():
    for claim in catalogue():
        assert bool(claim.untestable) != bool(claim.tests)


def test_ids_are_unique_and_every_test_is_given_on_three_bases_unless_one_decides_it():
    ids = [test.id for claim in catalogue() for test in claim.tests]
    assert len(set(ids)) == len(ids)
    assert [test_id for test_id, (_, test) in TESTS.items() if len(test.bases) < 3] == ["duplicated-machines"]


def test_inputs_come_from_rows_and_lie_in_their_range():
    for _, test in TESTS.values():
        for one in test.inputs:
            assert resolve(one.source)
            assert one.low <= one.value <= one.high


@pytest.mark.slow
def test_every_override_of_a_plan_is_one_that_the_scenario_knows():
    # One plan of each test; those at the ends of ranges differ in values alone.
    for claim in catalogue():
        for test in claim.tests:
            one = first_wave([replace(claim, tests=(test,))])[0]
            assert load_scenario(one.scenario, one.overrides).name == one.scenario


def test_an_unknown_claim_is_refused_by_name():
    with pytest.raises(OptionError, match="western_power_cheaper"):
        chosen(catalogue(), ["western_power_cheap"])
    assert [claim.id for claim in chosen(catalogue(), ["energy_saved", "western_power_cheaper"])] == [
        "western_power_cheaper",
        "energy_saved",
    ]


# An input that should flip a verdict flips it ------------------------------------------------------------------


def test_western_power_is_no_cheaper_at_four_times_its_tariffs_without_wind_and_sun(folder):
    _, test = TESTS["west-against-coast"]
    assert verdict(test, "energy", folder) == "holds"
    west = ("sichuan", "guizhou", "neimenggu_west", "gansu", "ningxia", "qinghai", "xinjiang")
    dear = [f"tariffs.{one}.price_yuan_per_kwh*=4" for one in west]
    assert verdict(test, "energy", folder, *dear, "contracts.*.capacity_mw=0") == "does not hold"


def test_duplicated_sites_gain_where_buildings_cost_nothing(folder):
    _, test = TESTS["duplicated-sites"]
    assert verdict(test, "full", folder) == "holds"
    assert verdict(test, "full", folder, "capital.site_yuan_per_kw=0") == "does not hold"


def test_carbon_falls_from_beijing_where_inner_mongolia_has_sichuans_grid(folder):
    _, test = TESTS["beijing-inner-mongolia"]
    plain = ("contracts.*.capacity_mw=0",)
    assert verdict(test, "operating", folder, *plain) == "holds"
    green = "carbon.ef_inner_mongolia_2023.carbon_kg_per_kwh=0.16"
    assert verdict(test, "operating", folder, *plain, green) == "does not hold"
