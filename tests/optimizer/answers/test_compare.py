"""Comparisons: inputs first, then a waterfall that sums to the difference, then flows; by hand where it can be."""

from __future__ import annotations

import json

import pytest

import provgrid as pg
from provgrid_models.compile import compile_scenario
from provgrid_models.errors import InterruptedBeforePlanError, NoPlanError, OptionError
from provgrid_optimizer import solve as solving
from provgrid_optimizer.answers.against import held_at_home
from provgrid_optimizer.answers.inputs import scenario_differences
from provgrid_optimizer.savings import saving
from tiny import job, tiny_scenario

ALONE = {"services": [], "demand": []}
FREE_PEAK = {"hub_b": {"demand_charge_yuan_per_kw_month": 0.0}}


def one_job(**changes):
    return tiny_scenario(jobs=[job("a", **changes)], clusters=FREE_PEAK, **ALONE)


def plan(scenario, engine="milp"):
    return pg.solve(scenario, engine=engine, policies=False, threads=1)


def test_settings_rows_and_cells_that_differ_are_listed_with_old_and_new():
    before = tiny_scenario()
    after = tiny_scenario(
        settings={"prices": {"carbon_price_yuan_per_t": 80.0}, "title": "another title"},
        clusters={"hub_b": {"pue": 1.3}},
        jobs={"gang": {"deadline_h": 11.0}, "vertical": None},
    )
    assert scenario_differences(before, after) == [
        ("setting", "prices.carbon_price_yuan_per_t", "", "", 0.0, 80.0),
        ("changed", "clusters", "hub_b", "pue", 1.2, 1.3),
        ("removed", "jobs", "vertical", "", None, None),
        ("changed", "jobs", "gang", "deadline_h", 10.0, 11.0),
    ]
    assert scenario_differences(before, before) == []
    assert ("added", "jobs", "vertical", "", None, None) in scenario_differences(after, before)


def test_many_rows_of_a_column_are_one_line_with_their_means():
    before, after = tiny_scenario(), tiny_scenario(demand={"chat": 105.0})  # 210 tokens/s before, in 12 periods
    (found,) = scenario_differences(before, tiny_scenario(demand={"chat": 105.0, "batch": 400.0}))
    kind, table, row, column, old, new = found
    assert (kind, table, column) == ("changed", "demand", "tokens_per_s")
    assert row.startswith("24 rows, such as chat 0, chat 1")
    assert (old, new) == (pytest.approx((210.0 + 800.0) / 2), pytest.approx((105.0 + 400.0) / 2))
    assert len(scenario_differences(before, after)) == 12  # few enough to be listed


def test_the_waterfall_sums_to_the_difference_of_all_that_is_paid():
    before = plan(tiny_scenario(), "local")
    after = plan(
        tiny_scenario(
            settings={"prices": {"carbon_price_yuan_per_t": 80.0}}, pools={"hub_b/fast": {"accelerators": 60.0}}
        )
    )
    found = before.compare(after)
    table = found.waterfall
    paid = [one.objective_yuan + one.problem.constants_yuan for one in (before, after)]
    assert table["difference_yuan"].sum() == pytest.approx(paid[1] - paid[0], rel=1e-12)
    assert found.difference_yuan == paid[1] - paid[0]
    parts = table[["common_yuan", "other_yuan", "unserved_yuan"]].sum(axis=1)
    assert parts.tolist() == pytest.approx(table["difference_yuan"].tolist(), abs=1e-9)
    inside = table[table["in_objective"]]
    assert inside["before_yuan"].sum() == pytest.approx(before.objective_yuan)
    assert inside["after_yuan"].sum() == pytest.approx(after.objective_yuan)
    json.dumps(found.to_dict(), allow_nan=False)


def test_plans_of_different_horizons_have_no_work_in_common():
    whole = tiny_scenario()
    half = tiny_scenario(
        settings={"horizon": {"periods": 6}},
        jobs={name: {"release_h": 0.0, "deadline_h": 6.0} for name in ("base", "gang", "vertical")},
        **{
            name: frame[frame["period"] < 6]
            for name, frame in (("demand", whole.demand), ("renewables", whole.renewables))
        },
    )
    found = plan(whole, "local").compare(plan(half, "local"))
    assert found.waterfall["common_yuan"].abs().sum() == 0.0
    assert found.waterfall["difference_yuan"].sum() == pytest.approx(found.difference_yuan, rel=1e-12)
    assert found.saving.share is None
    json.dumps(found.to_dict(), allow_nan=False)


def test_the_common_part_is_what_savings_say():
    before, after = plan(tiny_scenario(), "local"), plan(tiny_scenario(), "cheapest")
    found, by_savings = before.compare(after), saving(after, before)
    assert found.waterfall["common_yuan"].sum() == pytest.approx(by_savings.plan_yuan - by_savings.baseline_yuan)
    assert found.saving == by_savings
    assert found.inputs[["kind", "where", "before", "after"]].to_numpy().tolist() == [
        ["option", "engine", "local", "cheapest"]
    ]


def test_work_is_common_by_name_although_it_has_another_number():
    # On fast in its own city at 0.5 yuan, whatever stands beside it: 20 h * 1.5 kW * 0.5 = 15 yuan.
    fast = {"clusters": FREE_PEAK, "pools": {"prov_c/small": None, "hub_b/fast": None}, **ALONE}
    early = {"deadline_h": 8.0}
    both = plan(tiny_scenario(jobs=[job("first", **early), job("a", **early)], **fast))
    alone = plan(tiny_scenario(jobs=[job("a", **early)], **fast))
    table = both.compare(alone).waterfall.set_index("component")
    assert table.loc["energy", ["before_yuan", "after_yuan"]].tolist() == pytest.approx([30.0, 15.0])
    assert table.loc["energy", ["common_yuan", "other_yuan"]].tolist() == pytest.approx([0.0, -15.0], abs=1e-9)
    alone = plan(one_job())
    other = plan(one_job(work_pflop_h=11.0))  # of the same name, and not the same work
    assert alone.compare(other).waterfall["common_yuan"].abs().sum() == 0.0


def test_flows_are_the_changes_between_places_the_largest_first():
    # In the east 20 accelerator-hours on fast draw 30 kWh, or 50 on small 25 kWh; in the west 20 on fast 24 kWh.
    home, away = plan(one_job(residency="east")), plan(one_job())
    flows = home.compare(away).flows
    assert flows[["work", "tenant", "region", "cluster"]].to_numpy().tolist() == [
        ["elastic training", "city", "east", "prov_c"],
        ["elastic training", "city", "east", "hub_b"],
    ]
    assert flows["accelerator_h_change"].tolist() == pytest.approx([-50.0, 20.0])
    assert flows["mwh_change"].tolist() == pytest.approx([-0.025, 0.024])
    assert len(home.compare(home).flows) == 0


def test_a_relaxation_saves_nothing():
    ideal = plan(tiny_scenario(), "lp")
    found = plan(tiny_scenario(), "local").compare(ideal)
    assert found.saving is None
    assert found.to_dict()["common_work"] is None
    held = ideal.against("local")
    assert held.optimising_worth is None
    assert held.most_yuan == pytest.approx(held.policy.objective_yuan - ideal.certificate.bound_yuan)


def test_moving_west_is_worth_what_the_work_costs_less_there():
    # As in test_answers: 12.5 yuan in its own province, on small; 6.7 in the west.
    held = plan(one_job()).against("local")
    assert held.home is not None
    assert held.home.objective_yuan == pytest.approx(12.5)
    found = held.moving_worth
    assert found.found_yuan == pytest.approx(5.8)
    assert found.low_yuan <= 5.8 + 1e-6 <= found.high_yuan + 2e-6
    assert held.moving.saving.share == pytest.approx(5.8 / 12.5)
    # `local` takes the first of its list: fast in its own city, 15 yuan.
    assert held.policy.objective_yuan == pytest.approx(15.0)
    assert held.optimising_worth.found_yuan == pytest.approx(15.0 - 6.7)
    json.dumps(held.to_dict(), allow_nan=False)


def test_work_at_home_may_use_the_clusters_of_its_province_or_the_cheapest_to_reach():
    scenario = tiny_scenario()
    kept = {(one.region, one.cluster) for one in held_at_home(scenario).routes}
    assert kept == {("east", "city_a"), ("east", "prov_c"), ("west", "hub_b")}
    nowhere = tiny_scenario(clusters={"hub_b": {"province": "Beihai"}})
    kept = {(one.region, one.cluster) for one in held_at_home(nowhere).routes}
    assert kept == {("east", "city_a"), ("east", "prov_c"), ("west", "hub_b")}


def test_hard_work_that_cannot_stay_at_home_is_named():
    gang = job("gang", hard=True, mode="rigid", max_accelerators=60.0, deadline_h=12.0, work_pflop_h=100.0)
    held = plan(tiny_scenario(jobs=[gang], clusters=FREE_PEAK, **ALONE), "milp")
    found = held.against("cheapest")
    assert found.home is None
    assert found.home_reason.startswith("it cannot all stay at home: ")
    assert "gang" in found.home_reason
    assert found.moving is None
    assert found.to_dict()["moving_comparison"] is None


@pytest.mark.parametrize(
    ("stopped", "raised"),
    [
        (InterruptedBeforePlanError("interrupted before there was a feasible plan; give it longer"), True),
        (NoPlanError("no feasible plan within the time limit of 1 s; give more time"), False),
    ],
)
def test_ctrl_c_while_work_is_held_at_home_is_no_answer_and_the_clock_says_so(stopped, raised, monkeypatch):
    found = plan(one_job())
    original = solving.solve

    def solve(problem, engine, *rest, **named):
        if engine == "local":
            return original(problem, engine, *rest, **named)
        raise stopped

    monkeypatch.setattr(solving, "solve", solve)
    if raised:
        with pytest.raises(KeyboardInterrupt):
            found.against("local")
        return
    held = found.against("local")
    assert held.home is None
    assert held.home_reason == f"whether it could all stay at home is not known: {stopped}"


def test_an_unknown_policy_and_a_plan_of_arrays_are_refused():
    found = plan(one_job())
    with pytest.raises(OptionError, match="no policy 'lp'"):
        found.against("lp")
    with pytest.raises(OptionError, match="no provinces"):
        pg.solve(compile_scenario(one_job()), engine="milp", policies=False).against("local")


def test_plans_of_arrays_differ_in_arrays():
    one, two = (compile_scenario(one_job(work_pflop_h=work)) for work in (10.0, 12.0))
    plans = [pg.solve(problem, engine="milp", policies=False) for problem in (one, two)]
    inputs = plans[0].compare(plans[1]).inputs.set_index("where")
    assert inputs.loc["work_pflop_h", ["before", "after"]].tolist() == [10.0, 12.0]
