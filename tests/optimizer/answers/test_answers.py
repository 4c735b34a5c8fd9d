"""What options are worth, by hand on problems small enough to see through."""

from __future__ import annotations

import numpy as np
import pytest

from provgrid_models.compile import compile_scenario
from provgrid_models.errors import OptionError
from provgrid_optimizer.answers.efficiency import efficiency_against_chips, with_chips, with_efficiency
from provgrid_optimizer.answers.pooling import layers, pooling_gain
from provgrid_optimizer.answers.ports import candidates, rank_ports
from provgrid_optimizer.answers.worth import Bench, with_fixed_values
from provgrid_optimizer.answers.zones import opening_zones
from provgrid_optimizer.options import SolveOptions
from tiny import SHORT, job, tiny_scenario

EXACT = Bench(engine="milp", options=SolveOptions(threads=1))
IDEAL = Bench(engine="lp", options=SolveOptions(threads=1))
QUICK = Bench(options=SolveOptions(passes=3, threads=1))
ALONE = {"services": [], "demand": []}


def test_the_values_of_unserved_work_stay_when_chips_get_better():
    scenario = tiny_scenario()
    fixed = with_fixed_values(scenario)
    before = compile_scenario(scenario)
    np.testing.assert_allclose(compile_scenario(fixed).unserved_yuan, before.unserved_yuan)
    better = compile_scenario(with_efficiency(fixed, 2.0))
    np.testing.assert_allclose(better.unserved_yuan, before.unserved_yuan)
    np.testing.assert_allclose(better.service_unserved_yuan, before.service_unserved_yuan)
    # Left to the rule, twice the speed would halve them.
    by_rule = compile_scenario(with_efficiency(scenario, 2.0))
    np.testing.assert_allclose(by_rule.unserved_yuan, before.unserved_yuan / 2)


def test_work_that_no_pool_could_serve_keeps_its_value_too():
    # Vision on fast alone, and its data may only be where fast is not: 10 PFLOP-h / 0.25 = 40 h * 10 yuan * 3
    lost = job("lost", family="vision", residency="nowhere")
    scenario = tiny_scenario(jobs=[lost], **ALONE)
    assert compile_scenario(scenario).never_served[0][2] == pytest.approx(1200.0)
    better = compile_scenario(with_efficiency(with_fixed_values(scenario), 2.0))
    assert better.never_served[0][2] == pytest.approx(1200.0)


def test_opening_a_zone_is_worth_what_the_work_costs_less_elsewhere():
    # 10 PFLOP-h = 20 accelerator-hours. East: 1.5 kW * 0.5 yuan on fast = 15 yuan, or 50 h * 0.5 kW * 0.5 = 12.5 on
    # small. West: 1.2 kW at the sun's 0.2 yuan = 4.8 yuan; 20 kW of sun hold its floor of 18.75 kW and no more than
    # 1.25 kW of work in each of 4 hours, 5 kWh of 24; the rest at 0.3 yuan: 5 * 0.2 + 19 * 0.3 = 6.7. No data.
    cheap = {"hub_b": {"demand_charge_yuan_per_kw_month": 0.0}}
    resident = tiny_scenario(jobs=[job("a", residency="east")], clusters=cheap, **ALONE)
    found = opening_zones(resident, ["east", "west"], EXACT)
    assert found.closed.objective_yuan == pytest.approx(12.5)
    assert found.open.objective_yuan == pytest.approx(6.7)
    assert found.worth.found_yuan == pytest.approx(5.8)
    assert found.worth.low_yuan <= 5.8 + 1e-6 <= found.worth.high_yuan + 2e-6
    assert found.to_dict()["saved_yuan"] == pytest.approx(5.8)


def test_ports_are_ranked_by_saving_minus_cost_and_strangers_refused():
    # Vision runs on fast alone: 10 PFLOP-h / 0.25 = 40 h * 1.5 kW * 0.5 yuan = 30 yuan in the city (its data stays).
    # On small at 0.5 * 0.4 = 0.2 PFLOPS: 50 h * 0.5 kW * 0.5 yuan = 12.5. The port saves 17.5 and costs, with a life of
    # one year and no interest, its price * 12 / 8760.
    ports = [
        {"family": "vision", "chip": "small", "mfu": 0.4, "port_yuan": 7_300.0, "port_life_years": 1.0},
        {"family": "vision", "chip": "other", "mfu": 0.5, "port_yuan": 1.0},
    ]
    chips = [*SHORT["chips"], {**SHORT["chips"][1], "id": "other"}]
    scenario = tiny_scenario(
        chips=chips,
        bindings=[*SHORT["bindings"], *ports],
        jobs=[job("a", family="vision", residency="east", deadline_h=8.0)],
        settings={"capital": {"discount_rate": 0.0}},
        **ALONE,
    )
    assert candidates(scenario) == ("vision/small", "vision/other")
    best, useless = rank_ports(scenario, EXACT)
    assert best.port == "vision/small"
    assert best.saved.found_yuan == pytest.approx(17.5)
    assert best.cost_yuan == pytest.approx(10.0)
    assert best.net.found_yuan == pytest.approx(7.5)
    assert best.net.low_yuan <= 7.5 + 1e-6 <= best.net.high_yuan + 2e-6
    assert useless.port == "vision/other"  # no pool has the chip
    assert useless.saved.found_yuan == pytest.approx(0.0)
    with pytest.raises(OptionError, match="llm/small is no candidate port"):
        rank_ports(scenario, EXACT, ["llm/small"])
    with pytest.raises(OptionError, match="price a port first"):
        rank_ports(tiny_scenario(), EXACT)


def test_efficiency_saves_power_and_chips_only_room():
    # One job that fits in any case, at 12.5 yuan on small: 10 % more efficiency saves 12.5 * (1 - 1 / 1.1) = 1.136
    # yuan of its work; 10 % more accelerators save nothing and idle: the floor grows by a tenth.
    scenario = tiny_scenario(
        jobs=[job("a", residency="east", deadline_h=8.0)],
        chips={"fast": {"price_yuan": 87_600.0}, "small": {"price_yuan": 8_760.0}},
        settings={"capital": {"discount_rate": 0.0, "site_yuan_per_kw": 0.0, "server_capital_factor": 1.0}},
        **ALONE,
    )
    found = efficiency_against_chips(scenario, 0.1, EXACT)
    assert found.efficiency.found_yuan == pytest.approx(12.5 * (1 - 1 / 1.1))
    floor = compile_scenario(with_chips(scenario, 1.1)).floor_yuan - compile_scenario(scenario).floor_yuan
    assert found.chips.found_yuan == pytest.approx(-floor)
    # A tenth of 145 fast and 50 small, written off over 5 years of 8760 h, for 12 h
    assert found.chips_capital_yuan == pytest.approx(0.1 * (145 * 2.0 + 50 * 0.2) * 12)
    assert found.to_dict()["efficiency_found_yuan"] == found.efficiency.found_yuan


def test_pooling_serves_in_one_plan_what_silos_leave():
    # The firm has no share of a pool: in its silo it is left, pooled it is served.
    tenants = {"city": {"share": 1.0}, "firm": {"share": 0.0}}
    jobs = [job("city"), job("firm", tenant="firm")]
    found = pooling_gain(tiny_scenario(jobs=jobs, tenants=tenants, **ALONE), QUICK)
    assert found.pooled.unserved_share == 0.0
    assert found.siloed.unserved_share == pytest.approx(0.5)
    record = found.to_dict()
    assert record["common_work_pooled_yuan"] <= record["common_work_siloed_yuan"] * (1 + 1e-9)
    assert record["siloed"]["unserved_yuan"] > 0
    assert sum(layers(found.pooled).values()) == pytest.approx(1.0)


def test_layers_tell_city_province_and_hub_apart():
    # Bound to the east and too large in a gang for prov_c's chip memory rule: the city's own pool serves it.
    gang = job("gang", mode="rigid", residency="east", family="vision", max_accelerators=20.0)
    plan = EXACT.plan(tiny_scenario(jobs=[gang], **ALONE))
    assert layers(plan) == {"city": 1.0, "province": 0.0, "national_hub": 0.0, "elsewhere": 0.0}


def test_a_relaxation_is_no_pooling_gain():
    with pytest.raises(OptionError, match="an ideal and no saving"):
        pooling_gain(tiny_scenario(), IDEAL)
