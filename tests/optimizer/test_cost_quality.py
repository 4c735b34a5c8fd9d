import json
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

import provgrid as pg
from provgrid_models.compile import compile_scenario
from provgrid_optimizer.cost_quality import PARTS, cancels, shares
from provgrid_optimizer.evaluate import COMPONENTS
from tiny import job, tiny_scenario

# One row of the tables of each quality, to state as a source.
MEASURED, PUBLISHED = "emission_factors/ef_zhejiang_2023", "chips/h20"
SECONDARY, ASSUMED = "facts/training_cost_15_percent", "assumptions/queue_ms"
POWER = ("busy_kw", "idle_kw", "server_overhead")


def solved(sources: dict[str, str], **changes):
    """The tiny scenario with these sources, solved by the relaxation."""
    settings = {"sources": sources, **changes.pop("settings", {})}
    return pg.solve(tiny_scenario(settings=settings, **changes), "lp", policies=False)


def yuan(plan, component: str, view: str) -> dict[str, float]:
    rows = plan.provenance[plan.provenance["component"] == component]
    found = dict(zip(rows["quality"], rows[f"{view}_yuan"], strict=True))
    return {quality: value for quality, value in found.items() if abs(value) > 1e-9}


@pytest.fixture(scope="module")
def toy():
    scenario = pg.load("toy", ["prices.carbon_price_yuan_per_t=60", "jobs.hangzhou-records.unserved_yuan=0"])
    return pg.solve(scenario, "lp", policies=False)


def test_every_component_of_the_objective_is_divided() -> None:
    assert tuple(PARTS) == COMPONENTS


def test_the_parts_sum_to_the_cost_of_each_component(toy) -> None:
    costs = toy.component_costs.by_component()
    assert sum(yuan > 1 for yuan in costs.values()) >= 4
    for component, cost in costs.items():
        rows = toy.provenance[toy.provenance["component"] == component]
        assert rows["by_price_yuan"].sum() == pytest.approx(cost, abs=1e-6)
        assert rows["by_weakest_yuan"].sum() == pytest.approx(cost, abs=1e-6)
    for view in ("by_price", "by_weakest"):
        assert sum(toy.quality_shares[view].values()) == pytest.approx(1.0)


def test_a_price_that_a_planner_set_is_not_stated_and_all_others_of_the_toy_are_assumed(toy) -> None:
    assert set(yuan(toy, "carbon", "by_price")) == {""}
    assert set(yuan(toy, "energy", "by_price")) == {"assumed"}
    assert set(yuan(toy, "network", "by_price")) == {"assumed"}


def test_energy_counts_by_its_tariff_and_by_the_least_sure_of_tariff_pue_and_power_by_hand() -> None:
    # One job of east's that no line leaves: it runs in city_a, whose tariff is measured, whose PUE is published and
    # whose chip's power is assumed. All its energy is the grid's: by price measured, by the weakest figure assumed.
    stated = {"tariffs.east": MEASURED, "clusters.city_a.pue": PUBLISHED}
    stated |= {f"chips.fast.{column}": ASSUMED for column in POWER}
    alone = {"jobs": [job("a", region="east", residency="east")], "services": [], "demand": []}
    only_city = {"pools": {"prov_c/small": None}}
    plan = solved(stated, **alone, **only_city)
    cost = plan.component_costs.energy
    assert cost > 0
    assert yuan(plan, "energy", "by_price") == {"measured": pytest.approx(cost)}
    assert yuan(plan, "energy", "by_weakest") == {"assumed": pytest.approx(cost)}

    surer = stated | {f"chips.fast.{column}": PUBLISHED for column in POWER}
    assert set(yuan(solved(surer, **alone, **only_city), "energy", "by_weakest")) == {"published"}
    bare = {path: source for path, source in surer.items() if path != "clusters.city_a.pue"}
    assert set(yuan(solved(bare, **alone, **only_city), "energy", "by_weakest")) == {""}


def test_a_bill_is_divided_over_the_pools_by_their_kilowatt_hours() -> None:
    # Two pools in one cluster: the bill falls on each by what its accelerators drew. The small chips, which draw less,
    # do 50 * 0.2 PFLOPS * 12 h = 120 PFLOP-hours, the fast ones the other 30.
    stated = {"tariffs": MEASURED, "clusters.hub_b.pue": MEASURED}
    stated |= {f"chips.fast.{column}": MEASURED for column in POWER}
    stated |= {f"chips.small.{column}": SECONDARY for column in POWER}
    plan = solved(
        stated,
        pools={"prov_c/small": {"cluster": "hub_b"}, "city_a/fast": None, "hub_b/fast": {"accelerators": 20.0}},
        jobs=[job("a", region="west", work_pflop_h=150.0, max_accelerators=200)],
        services=[],
        demand=[],
        contracts=[],
    )
    problem, used = plan.problem, plan.usage.job_accelerators
    kwh = (problem.kw_per_accelerator * used) @ problem.hours
    assert (kwh > 0).all()
    cost = plan.component_costs.energy
    expected = {"measured": cost * kwh[0] / kwh.sum(), "secondary": cost * kwh[1] / kwh.sum()}
    assert [pool.id for pool in plan.scenario.pools] == ["hub_b/fast", "prov_c/small"]
    assert yuan(plan, "energy", "by_weakest") == {k: pytest.approx(v) for k, v in expected.items()}
    assert set(yuan(plan, "energy", "by_price")) == {"measured"}


def test_each_link_on_the_way_counts_under_its_own_price() -> None:
    # The metro line is priced by a measurement, the backbone by an assumption; data goes over each.
    stated = {"links.metro.price_yuan_per_gb": MEASURED, "links.backbone.price_yuan_per_gb": ASSUMED}
    far = job("far", region="east", data_gb=100.0, work_pflop_h=5.0, max_accelerators=50)
    for cluster, quality, price in (("prov_c", "measured", 0.01), ("hub_b", "assumed", 0.1)):
        pools = {pool: None for pool in ("city_a/fast", "hub_b/fast", "prov_c/small") if not pool.startswith(cluster)}
        plan = solved(stated, jobs=[far], services=[], demand=[], pools=pools)
        assert yuan(plan, "network", "by_price") == {quality: pytest.approx(100.0 * price)}


def test_unserved_work_counts_under_the_rule_or_under_the_price_that_it_states() -> None:
    stated = {"prices.unserved_multiple": PUBLISHED, "jobs.unserved_yuan": MEASURED}
    stated |= {f"chips.{chip}.market_price_yuan_per_h": SECONDARY for chip in ("fast", "small")}
    # 5 periods * 20 accelerators * 0.5 PFLOPS = 50 PFLOP-hours fit into city_a; both jobs ask for more.
    work = {"region": "east", "residency": "east", "work_pflop_h": 60.0, "deadline_h": 5.0, "max_accelerators": 60}
    plan = solved(
        stated,
        jobs=[job("by-rule", **work), job("stated", unserved_yuan=7.0, **work)],
        services=[],
        demand=[],
        pools={"prov_c/small": None, "city_a/fast": {"accelerators": 24}},
    )
    left = 1.0 - plan.allocation.served_share(plan.problem)
    expected = left * plan.problem.unserved_yuan
    found = yuan(plan, "unserved", "by_price")
    assert sum(found.values()) == pytest.approx(expected.sum())
    assert found.get("measured", 0.0) == pytest.approx(expected[plan.problem.labels.jobs.index("stated")])
    assert left.sum() > 0


def test_rent_counts_under_what_chip_and_site_cost_and_the_subsidy_under_the_terms() -> None:
    # Chip and site prices are measured, the discount rate is secondary, PUE and power measured, the terms published.
    stated = {"chips.fast.price_yuan": MEASURED, "capital": MEASURED, "capital.discount_rate": SECONDARY}
    stated |= {f"chips.fast.{column}": MEASURED for column in POWER}
    stated |= {"clusters.city_a.pue": MEASURED, "tenants.rent_discount": PUBLISHED}
    plan = solved(
        stated,
        settings={"prices": {"basis": "full"}},
        chips={"fast": {"price_yuan": 150_000.0}},
        pools={"prov_c/small": None, "hub_b/fast": None},
        tenants={"city": {"rent_discount": 0.25}},
        jobs=[job("a")],
        services=[],
        demand=[],
    )
    costs = plan.component_costs
    assert costs.subsidy == pytest.approx(-0.25 * costs.rent)
    assert costs.rent > 0
    assert yuan(plan, "rent", "by_price") == {"measured": pytest.approx(costs.rent)}
    assert yuan(plan, "rent", "by_weakest") == {"secondary": pytest.approx(costs.rent)}
    assert yuan(plan, "subsidy", "by_price") == {"published": pytest.approx(costs.subsidy)}
    assert yuan(plan, "subsidy", "by_weakest") == {"secondary": pytest.approx(costs.subsidy)}


@pytest.mark.parametrize(
    ("parts", "cancel"),
    [
        ([100.0, 20.0], False),
        ([100.0, -20.0], False),  # a quarter of 80
        ([100.0, -21.0], True),
        ([-100.0, 21.0], True),
        ([-100.0, -5.0], False),
        ([50.0, -50.0], True),
        ([], False),
    ],
)
def test_parts_cancel_where_one_sign_takes_a_quarter_of_the_sum_off(parts, cancel) -> None:
    assert cancels(parts) is cancel


def test_shares_of_a_cost_whose_parts_cancel_are_not_told() -> None:
    # East's power is measured and costs 3 times what the west's, which nobody stated, earns: 3 - 1 = 2.
    rows = [("energy", "measured", 3.0, 3.0), ("energy", "", -1.0, -1.0)]
    columns = ["component", "quality", "by_price_yuan", "by_weakest_yuan"]
    assert shares(pd.DataFrame(rows, columns=columns)) == {}
    assert shares(pd.DataFrame(rows[:1], columns=columns))["by_price"] == {"measured": 1.0}


def test_a_gap_of_a_cost_whose_parts_cancel_is_told_in_yuan() -> None:
    negative = tiny_scenario(tariffs={"west": {"price_yuan_per_kwh": -0.3}})
    plan = pg.solve(negative, "cheapest", policies=False)
    certificate = plan.certificate
    apart = replace(plan, certificate=replace(certificate, gap=6.6, bound_yuan=certificate.objective_yuan - 71.0))
    mixed = replace(plan.component_costs, energy=-100.0, network=60.0)
    assert "a cost whose parts cancel: the bound is 71 yuan lower" in replace(apart, component_costs=mixed).summary()


def test_where_only_energy_counts_the_network_costs_nothing() -> None:
    far = job("far", region="east", data_gb=100.0, work_pflop_h=5.0, max_accelerators=50)
    plan = solved({}, settings={"prices": {"basis": "energy"}}, jobs=[far], services=[], demand=[])
    assert plan.component_costs.network == 0
    assert yuan(plan, "network", "by_price") == yuan(plan, "demand_charge", "by_price") == {}


def test_a_problem_of_bare_arrays_has_no_sources() -> None:
    plan = pg.solve(compile_scenario(tiny_scenario()), "lp", policies=False)
    assert plan.provenance.empty
    assert plan.quality_shares == {} == shares(plan.provenance)


def test_the_run_keeps_the_shares_and_the_summary_says_them(toy, tmp_path) -> None:
    manifest = json.loads((toy.save(tmp_path / "run") / "manifest.json").read_text(encoding="utf-8"))
    assert manifest["provenance"]["shares"] == toy.to_dict()["quality_shares"] == toy.quality_shares
    assert np.isclose(
        sum(row["by_price_yuan"] for row in manifest["provenance"]["costs"]), toy.objective_yuan, rtol=1e-9
    )
    assert (
        f"\ncost by how sure its prices are: assumed {toy.quality_shares['by_price']['assumed']:.1%}" in toy.summary()
    )
    assert "\ncost by how sure its prices and amounts are, whichever is less sure: " in toy.summary()
