"""Every system of the documents: its scenario, and its effect on a plan that passed the audit, on two days of each."""

from __future__ import annotations

import csv
from functools import cache
from pathlib import Path

import numpy as np
import pytest

from provgrid_models.compile import compile_scenario
from provgrid_models.files import check_scenario, load_scenario
from provgrid_models.overlay import builtin_names
from provgrid_models.scenario import SHORT_TABLES
from provgrid_optimizer.answers.efficiency import efficiency_against_chips
from provgrid_optimizer.answers.pooling import layers, pooling_gain
from provgrid_optimizer.answers.ports import candidates, opened, rank_ports
from provgrid_optimizer.answers.worth import Bench
from provgrid_optimizer.answers.zones import opening_zones
from provgrid_optimizer.multipliers import Multipliers
from provgrid_optimizer.options import SolveOptions
from provgrid_optimizer.solve import Reference, solve
from provgrid_seeds import build_guangdong, build_people, build_xinjiang, build_xinjiang_2028, loader

NAMES = loader.system_names()
TWO_DAYS = ("horizon.periods=48",)
FEW = (
    *TWO_DAYS,
    "generate.training.jobs=60",
    "generate.training.bases=0",
    "generate.training.verticals_per_base=0",
    "generate.training.capacity_share=0.12",
)
ONE_DAY = (
    "horizon.periods=24",
    "generate.training.jobs=25",
    "generate.training.bases=0",
    "generate.training.verticals_per_base=0",
    "generate.training.capacity_share=0.08",
)
FEWER = (*FEW[:-1], "generate.training.capacity_share=0.01")
QUICK = Bench(options=SolveOptions(passes=2, threads=1))


def folder(name: str) -> Path:
    return Path(str(loader.scenario_folder(name)))


@cache
def loaded(name: str, *overrides: str):
    return load_scenario(name, overrides)


def by_rule(scenario, engine="cheapest"):
    """A plan of a simple rule, audited; no time goes into a bound."""
    problem = compile_scenario(scenario)
    nothing = Reference(multipliers=Multipliers.zero(problem))
    options = SolveOptions(threads=1)
    return solve(problem, engine, options, scenario=scenario, reference=nothing, with_policies=False)


def total_pflops(scenario, clusters) -> float:
    peak = {chip.id: chip.peak_fp16_tflops / 1000.0 for chip in scenario.chips}
    return sum(pool.accelerators * peak[pool.chip] for pool in scenario.pools if pool.cluster in clusters)


# The layers ----------------------------------------------------------------------------------------------------


def test_every_folder_is_a_base_or_a_system():
    assert sorted((*loader.scenario_names(), *NAMES)) == builtin_names()


@pytest.mark.parametrize("name", NAMES)
def test_a_layer_is_thin_and_its_rows_say_where_they_come_from(name):
    files = list(folder(name).iterdir())
    assert 'extends = "builtin:' in (folder(name) / "scenario.toml").read_text(encoding="utf-8")
    assert sum(file.stat().st_size for file in files) < 60_000
    for file in files:
        table = file.name.removesuffix(".csv").removesuffix(".patch")
        if table not in SHORT_TABLES:
            continue
        with file.open(encoding="utf-8") as lines:
            for row in csv.DictReader(lines):
                assert loader.resolve(row["source"])
                assert row["quality"] == loader.weakest_quality(row["source"])


@pytest.mark.slow
@pytest.mark.parametrize("name", NAMES)
def test_a_system_checks_compiles_and_is_planned_in_full(name):
    assert [finding.text() for finding in check_scenario(name)] == []
    plan = by_rule(loaded(name))
    assert plan.audit.violations == ()
    assert plan.unserved_share < 0.5


# The province as one computer ----------------------------------------------------------------------------------


def test_a_pooled_province_serves_more_for_less_than_cities_on_their_own():
    found = pooling_gain(loaded("zhejiang", *TWO_DAYS), QUICK)
    assert found.saving.share is not None
    assert found.saving.share > 0
    assert found.pooled.unserved_share < found.siloed.unserved_share
    assert min(layers(found.pooled)[tier] for tier in ("city", "province", "national_hub")) > 0


# Chip-model binding --------------------------------------------------------------------------------------------


def test_a_port_that_is_paid_for_brings_its_family_to_the_chip():
    scenario = loaded("ports", *TWO_DAYS)
    port = "recommendation/ascend_910c"
    assert port in candidates(scenario)
    chips = {pool.id: pool.chip for pool in scenario.pools}
    family = scenario.jobs.set_index("id")["family"]

    def runs_there(plan) -> bool:
        on_chip = plan.jobs["pool"].map(chips) == "ascend_910c"
        return bool((on_chip & (plan.jobs["job"].map(family) == "recommendation")).any())

    assert not runs_there(by_rule(scenario))
    after = by_rule(opened(scenario, port), "greenest")
    assert runs_there(after)
    assert after.problem.ports_yuan > 0


def test_ports_are_ranked_with_an_interval_each():
    ranked = rank_ports(loaded("ports", *TWO_DAYS), QUICK, ["reasoning/ascend_910b"])
    assert [one.port for one in ranked] == ["reasoning/ascend_910b"]
    assert ranked[0].net.low_yuan <= ranked[0].net.found_yuan <= ranked[0].net.high_yuan
    assert ranked[0].net.high_yuan < ranked[0].saved.high_yuan


def test_efficiency_serves_work_without_the_power_that_chips_would_draw():
    found = efficiency_against_chips(loaded("zhejiang", *ONE_DAY), 0.1, Bench(engine="lp"))
    assert found.efficiency.low_yuan > found.chips.high_yuan


# Base and vertical models --------------------------------------------------------------------------------------


def test_verticals_start_from_their_base_and_serve_near_their_users():
    scenario = loaded(
        "verticals", "generate.training.jobs=8", "generate.training.bases=0", "generate.training.capacity_share=0.05"
    )
    plan = by_rule(scenario)
    jobs = plan.jobs[plan.jobs["served"]].set_index("job")
    demand = scenario.demand[scenario.demand["tokens_per_s"] > 0]
    near = {pool.id: pool.cluster for pool in scenario.pools}
    province = {cluster.id: cluster.province for cluster in scenario.clusters}
    for vertical in ("machinery", "port_logistics", "commerce"):
        tune, rollout = jobs.loc[f"{vertical}-tune"], jobs.loc[f"{vertical}-rollout"]
        assert jobs.loc["provincial-base", "last_period"] < tune["first_period"]
        assert tune["last_period"] < rollout["first_period"]
        asked = demand.loc[demand["service"] == f"{vertical}-service", "period"]
        assert rollout["last_period"] < asked.min()
        served = plan.inference[plan.inference["service"] == f"{vertical}-service"]
        assert {province[near[pool]] for pool in served["pool"]} == {"Zhejiang"}
    # A checkpoint costs what its gigabytes cost on the way: to a hub, ten times the gigabytes, ten times the yuan.
    problem = compile_scenario(scenario)
    tune = problem.labels.jobs.index("commerce-tune")
    hub = problem.labels.pools.index("zhongwei/h800")
    moved = problem.data_gb[tune] + problem.checkpoint_gb[tune]
    assert problem.checkpoint_gb[tune] > 0
    yuan = problem.one_off_yuan(np.array([tune]), np.array([hub]))[0]
    assert yuan == pytest.approx(moved * problem.gb_yuan[problem.job_origin[tune], hub])
    assert yuan > 0


# Open data zones -----------------------------------------------------------------------------------------------


@pytest.mark.slow
def test_opening_the_bay_area_saves_what_hong_kong_pays_for_its_own_power():
    found = opening_zones(loaded("guangdong", *ONE_DAY), ["guangdong", "hongkong", "macao"], Bench(engine="lp"))
    assert found.worth.low_yuan > 0
    assert found.open.problem.reasons(slice(None)).astype(bool).sum() < (
        found.closed.problem.reasons(slice(None)).astype(bool).sum()
    )


def test_opening_zhejiang_to_the_west_saves_too():
    found = opening_zones(loaded("zhejiang", *ONE_DAY), ["zhejiang", "xinjiang", "ningxia"], Bench(engine="lp"))
    assert found.worth.low_yuan > 0


# East data, West computing, and the Xinjiang base --------------------------------------------------------------


def test_the_base_has_the_capacity_of_the_document_and_grows_by_its_investment():
    share = loader.assumption("platform_share_national").value
    base, grown = loaded("xinjiang", *FEW), loaded("xinjiang-2028", *FEW)
    assert total_pflops(base, build_xinjiang.SITES) / share == pytest.approx(16_000, rel=0.05)
    # 170 billion yuan * 10 % / (180,000 * 1.4 + 20,000 * 0.6 * 1.45 * 1.15 yuan for 0.781 P) is about 48,800 P.
    assert build_xinjiang_2028.grown_pflops() == pytest.approx(48_790, rel=0.01)
    more = total_pflops(grown, build_xinjiang.SITES) - total_pflops(base, build_xinjiang.SITES)
    assert more / share == pytest.approx(build_xinjiang_2028.grown_pflops(), rel=0.05)


def test_eastern_work_goes_to_xinjiang_and_some_of_its_sun_and_wind_is_curtailed():
    plan = by_rule(loaded("xinjiang", *FEW))
    west = plan.ledger.query("to_province == 'Xinjiang' and from_province != 'Xinjiang'")
    assert west["jobs"].sum() > 0
    assert (west["gb"] > 0).all()
    assert west["transfer_yuan"].sum() > 0
    assert west["capital_yuan"].notna().all()
    assert 0 < plan.curtailed["curtailed_share"].min() <= plan.curtailed["curtailed_share"].max() <= 1
    east = plan.ledger.query("to_province == 'Shanghai'")
    assert west["tariff_yuan_per_kwh"].max() < east["tariff_yuan_per_kwh"].min()


# Guangdong, Shanghai -------------------------------------------------------------------------------------------


def test_guangdong_has_a_hub_city_platforms_and_the_demand_of_its_target():
    scenario = loaded("guangdong", *FEW)
    tiers = {cluster.id: cluster.tier for cluster in scenario.clusters}
    assert tiers["shaoguan"] == "national_hub"
    assert {name for name, tier in tiers.items() if tier == "city"} >= {"shenzhen", "guangzhou_platform"}
    # 300 billion yuan * 1.5 % * 2 % of the plan, at the market rent of all accelerators all year; 60 % of it trains.
    chips = {chip.id: chip.market_price_yuan_per_h for chip in scenario.chips}
    rent = sum(pool.accelerators * chips[pool.chip] for pool in scenario.pools)
    demand = build_guangdong.settings()["generate"]
    assert demand["training"]["capacity_share"] == pytest.approx(0.6 * 300e9 * 0.015 * 0.02 / 8760 / rent, abs=1e-4)
    # A larger industry asks for more work.
    plan, more = by_rule(scenario), by_rule(loaded("guangdong", *FEW, "generate.training.capacity_share=0.2"))
    assert more.component_costs.jobs_yuan > plan.component_costs.jobs_yuan


def test_shanghai_grows_by_date_and_tests_models_in_the_city():
    scenario = loaded("shanghai", "generate.training.jobs=220", "generate.training.capacity_share=0.3")
    plan = by_rule(scenario)
    problem = plan.problem
    city = [p for p, pool in enumerate(scenario.pools) if pool.cluster == "shanghai"]
    by_block = problem.capacity[city].sum(axis=0).reshape(4, -1)
    assert (np.diff(by_block, axis=1) == 0).all()
    assert (np.diff(by_block[:, 0]) > 0).all()
    assert by_block[0, 0] / by_block[3, 0] == pytest.approx(0.2, abs=0.02)
    tested = plan.inference[plan.inference["service"] == "evaluation_centre"]
    where = {pool.id: pool.cluster for pool in scenario.pools}
    assert {where[pool] for pool in tested["pool"]} == {"shanghai"}
    asked = scenario.demand.query("service == 'evaluation_centre'")["tokens_per_s"].sum()
    assert tested["tokens_per_s"].sum() == pytest.approx(asked)


# Hangzhou and Liangzhu -----------------------------------------------------------------------------------------


def test_vouchers_keep_start_ups_in_the_province_and_the_purse_is_counted():
    scenario = loaded("liangzhu", *TWO_DAYS)
    without = loaded(
        "liangzhu",
        *TWO_DAYS,
        "tenants.startups.rent_discount=0",
        "tenants.startups.subsidy_yuan_per_accelerator_h=0",
    )
    problem = compile_scenario(scenario)
    startups = problem.labels.tenants.index("startups")
    own = {"zhejiang_platform/h800", "zhongwei/h800"}
    terms = {name: problem.rent_discount[startups, problem.labels.pools.index(name)] for name in own}
    assert terms == {"zhejiang_platform/h800": 0.3, "zhongwei/h800": 0.0}

    def hours_at_home(plan) -> float:
        province = np.array([cluster.province for cluster in scenario.clusters], dtype=object)
        job, pool = plan.allocation.job, plan.allocation.pool
        theirs = plan.problem.job_tenant[job] == startups
        home = province[plan.problem.pool_cluster[pool]] == "Zhejiang"
        return float(plan.problem.placed_accelerator_hours(job, pool)[theirs & home].sum())

    paid, unpaid = by_rule(scenario), by_rule(without)
    assert unpaid.component_costs.subsidy == 0.0
    assert paid.component_costs.subsidy < 0.0
    assert paid.component_costs.rent > 0.0
    assert hours_at_home(paid) > hours_at_home(unpaid)


def test_export_controls_freeze_imported_chips_and_leave_more_unserved():
    before, after = loaded("zhejiang", *TWO_DAYS), loaded("export-controls", *TWO_DAYS)
    origin = {chip.id: chip.origin for chip in before.chips}
    was = {pool.id: pool.accelerators for pool in before.pools}
    for pool in after.pools:
        if origin[pool.chip] == "CN":
            assert pool.accelerators == pytest.approx(was[pool.id] * 1.25**2, abs=4)
        else:
            assert pool.accelerators == was[pool.id]
    assert by_rule(after).unserved_share > by_rule(before).unserved_share


# People --------------------------------------------------------------------------------------------------------


def test_demand_follows_the_people_who_move():
    before, after = loaded("national", *FEWER), loaded("people", *FEWER)

    def share(scenario, region: str) -> float:
        demand = scenario.demand.merge(scenario.services, left_on="service", right_on="id")
        return demand.loc[demand["region"] == region, "tokens_per_s"].sum() / demand["tokens_per_s"].sum()

    assert share(after, "zhejiang") > share(before, "zhejiang")
    assert share(after, "heilongjiang") < share(before, "heilongjiang")
    # 242,000 of 66.7 million, five percent of demand for each percent of people
    growth = build_people.growth_per_year(5.0)
    assert growth["zhejiang"] == pytest.approx(5 * 0.242 / 66.7, abs=1e-6)
    home = by_rule(after).ledger.query("from_province == 'Zhejiang'")["accelerator_h"].sum()
    assert home > by_rule(before).ledger.query("from_province == 'Zhejiang'")["accelerator_h"].sum()
