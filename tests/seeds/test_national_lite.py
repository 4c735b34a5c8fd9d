"""`national-lite` is the country: every province once, every site once, all its machines, and work that divides."""

from __future__ import annotations

import pytest

from provgrid_models.compile import compile_scenario
from provgrid_models.files import load_scenario
from provgrid_optimizer.engines.lp import method
from provgrid_optimizer.matrix import assemble
from provgrid_seeds import loader
from provgrid_seeds.build_national_lite import REGIONS, SITES, STANDS_FOR, region_of


@pytest.fixture(scope="module")
def lite():
    return load_scenario("national-lite")


def pflops(scenario) -> float:
    peak = {chip.id: chip.peak_fp16_tflops / 1000.0 for chip in scenario.chips}
    return sum(pool.accelerators * peak[pool.chip] for pool in scenario.pools)


def test_every_province_and_every_site_of_the_tables_is_there_once():
    provinces = [one for group in REGIONS.values() for one in group]
    assert sorted(provinces) == sorted(
        row["id"] for row in loader.table("demand_regions") if row["level"] == "province"
    )
    sites = [one for site, neighbours in SITES.items() for one in (site, *neighbours)]
    assert sorted(sites) == sorted(str(row["id"]) for row in loader.table("clusters"))


def test_it_holds_the_machines_of_national_by_fp16_capacity(lite):
    assert pflops(lite) == pytest.approx(pflops(load_scenario("national")), rel=0.005)


def test_neighbours_lie_in_the_region_of_the_site_that_stands_for_them():
    for site, neighbours in SITES.items():
        assert {region_of(one) for one in neighbours} <= {region_of(site)}


def test_every_region_has_a_site_and_every_site_both_kinds_of_chips(lite):
    assert {cluster.zone for cluster in lite.clusters} == {region.id for region in lite.regions}
    assert {pool.id for pool in lite.pools} == {f"{site}/{chip}" for site in SITES for chip in STANDS_FOR}


def test_work_divides_by_nature_and_stays_within_its_day(lite):
    assert set(lite.jobs["mode"]) == {"elastic"}
    assert not (lite.jobs["after"] != "").any()
    assert not lite.jobs["hard"].any()
    assert set(zip(lite.jobs["release_h"], lite.jobs["deadline_h"], strict=True)) == {(0.0, 24.0), (24.0, 48.0)}


def test_its_days_make_a_year_by_hand(lite):
    horizon = lite.settings.horizon
    # two days of six periods of 4 h, each day for half of 365 days
    assert sum(block.periods * horizon.period_h * block.weight for block in horizon.blocks) == 8760.0


def test_training_asks_for_half_of_all_accelerator_hours_by_hand(lite):
    # Work is made with the mean rate of the pools that a family runs on, so that dividing by it gives the hours back.
    mfu = {(one.family, one.chip): one.mfu for one in lite.bindings}
    peak = {chip.id: chip.peak_fp16_tflops / 1000.0 for chip in lite.chips}
    usable = sum(pool.accelerators * pool.availability for pool in lite.pools)
    hours = 0.0
    for family, work in lite.jobs.groupby("family")["work_pflop_h"].sum().items():
        able = [(pool.accelerators * pool.availability, pool.chip) for pool in lite.pools if mfu[family, pool.chip]]
        rate = sum(n * mfu[family, chip] * peak[chip] for n, chip in able) / sum(n for n, _ in able)
        hours += work / rate
    share = loader.assumption("gen_national_training_share").value
    assert hours == pytest.approx(share * usable * 48.0, rel=1e-4)


def test_two_days_are_solved_by_the_simplex_whatever_hours_tie(lite):
    problem = compile_scenario(lite)
    program = assemble(problem, divisible=True)
    assert 10_000 < program.n_columns < 30_000
    assert method(problem, program) == {}
