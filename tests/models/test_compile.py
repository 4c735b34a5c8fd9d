"""Scenario to problem: windows, openness, defaults, zones, routes and what leaves the problem, by hand on tiny."""

import dataclasses

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from provgrid_models.compile import compile_scenario
from provgrid_models.errors import InfeasibleError, ScenarioError
from provgrid_models.problem import Problem
from provgrid_models.reasons import Reason
from tiny import job, service, tiny_scenario


def test_rates_power_and_floor_follow_from_chip_binding_and_site():
    problem = compile_scenario(tiny_scenario())
    # llm: 1 PFLOPS * 0.5 on fast, 0.5 * 0.4 on small; usable 125 * 0.8 = 100
    assert problem.class_rate_pflops[problem.job_class[0]].tolist() == [0.5, 0.5, 0.2]
    assert problem.capacity[:, 0].tolist() == [20.0, 100.0, 50.0]
    # fast: (0.9 - 0.1) * 1.25 * PUE 1.5 and 1.2; small: (0.5 - 0.1) * 1.25
    np.testing.assert_allclose(problem.kw_per_accelerator[:, 5], [1.5, 1.2, 0.5])
    # Every installed accelerator idles: 20 * 0.1 * 1.25 * 1.5; 125 * 0.1 * 1.25 * 1.2; 50 * 0.1 * 1.25
    np.testing.assert_allclose(problem.floor_kw[:, 5], [3.75, 18.75, 6.25])


def test_supply_blocks_follow_tariff_hours_contracts_and_the_scaled_demand_charge():
    problem = compile_scenario(tiny_scenario(settings={"prices": {"carbon_price_yuan_per_t": 80.0}}))
    assert problem.block_yuan_per_kwh[0].tolist() == [0.5] * 8 + [0.8] * 4
    assert problem.block_limit_kw[3].tolist() == [0.0] * 8 + [20.0] * 4  # 40 kW * 0.5
    assert problem.block_limit_kw[1, 0] == 1000.0
    np.testing.assert_allclose(problem.demand_charge_yuan_per_kw, [0.0, 36.5 * 12 / 730, 0.0])
    assert problem.carbon_yuan_per_kg == pytest.approx(0.08)
    assert problem.carbon_budget_kg == np.inf
    # Floor of hub_b: 18.75 kW, 8 h from the grid at 0.3, 4 h from the sun at 0.2; the others 10 kW at 0.5 and 0.8;
    # carbon 0.08 * (18.75 * 8 * 0.8 + 10 * 12 * 0.6); charge 18.75 * 0.6.
    floor = problem.floor_supply
    assert floor.energy_yuan == pytest.approx(18.75 * (8 * 0.3 + 4 * 0.2) + 10 * (8 * 0.5 + 4 * 0.8))
    assert floor.carbon_yuan == pytest.approx(0.08 * (120 + 72))
    assert problem.floor_yuan == pytest.approx(132 + 15.36 + 11.25)


def test_jobs_get_windows_prices_and_a_default_for_unserved_work():
    problem = compile_scenario(tiny_scenario())
    assert problem.labels.jobs == ["base", "gang", "vertical"]
    assert problem.release.tolist() == [0, 2, 0]
    assert problem.deadline.tolist() == [12, 10, 12]
    assert problem.rigid.tolist() == [False, True, False]
    assert problem.after.tolist() == [-1, -1, 0]
    # 20 PFLOP-h: 40 h * 10 yuan on fast, 100 h * 3 yuan on small; three times the cheaper is 900 yuan.
    # 15 PFLOP-h: 30 * 10 = 300 or 75 * 3 = 225, so 675; 5 PFLOP-h: 100 or 75, so 225.
    np.testing.assert_allclose(problem.unserved_yuan, [900.0, 675.0, 225.0])
    # gang: 30 h / 10 = 3 periods on fast, 75 / 10 = 7.5, so 8, on small: its window of 8 just fits.
    assert problem.durations(slice(1, 2)).tolist() == [[3.0, 3.0, 8.0]]
    assert problem.reasons(slice(None)).tolist() == [[0, 0, 0], [0, 0, 0], [0, int(Reason.RESIDENCY), 0]]


def test_jobs_share_a_class_exactly_when_family_precision_memory_and_zone_agree():
    rows = [
        job("a"),
        job("same", region="west", work_pflop_h=1.0, mode="rigid"),
        job("other_precision", precision="fp8"),
        job("other_memory", min_accelerators=60.0),
        job("other_zone", residency="west"),
        job("other_family", family="vision"),
        job("again"),
    ]
    problem = compile_scenario(tiny_scenario(jobs=rows))
    first, same, precision, memory, zone, family, again = problem.job_class.tolist()
    assert first == same == again
    assert len({first, precision, memory, zone, family}) == problem.class_rate_pflops.shape[0] == 5
    # fp8: fast has 2 PFLOPS * 0.5, small has none; 60 accelerators are in hub_b alone; vision runs on fast at 0.25
    rates = problem.class_rate_pflops
    np.testing.assert_allclose(
        rates[[first, precision, memory, zone, family]],
        [[0.5, 0.5, 0.2], [1.0, 1.0, 0.0], [0.0, 0.5, 0.0], [0.0, 0.5, 0.0], [0.25, 0.25, 0.0]],
    )
    few, none, away = (int(r) for r in (Reason.TOO_FEW_ACCELERATORS, Reason.NO_BINDING, Reason.RESIDENCY))
    assert problem.class_reason[precision].tolist() == [0, 0, none]
    assert problem.class_reason[memory].tolist() == [few, 0, few]
    assert problem.class_reason[zone].tolist() == [away, 0, away]


def test_owners_budgets_and_unserved_prices_come_over_in_their_units():
    scenario = tiny_scenario(
        settings={"limits": {"carbon_budget_t": 2.5}},
        pools={"hub_b/fast": {"tenant": "firm"}},
        contracts={"sun": {"take_or_pay": True}},
        jobs={"gang": {"unserved_yuan": 12.0}},
        services={"chat": {"unserved_yuan_per_mtoken": 5.0}},
    )
    problem = compile_scenario(scenario)
    assert problem.pool_tenant.tolist() == [-1, 1, -1]
    assert problem.carbon_budget_kg == 2500.0
    assert problem.take_or_pay_yuan == pytest.approx(20 * 4 * 0.2)  # 20 kW in 4 hours at 0.2 yuan
    assert problem.block_yuan_per_kwh[3].tolist() == [0.0] * 12
    assert problem.unserved_yuan[1] == 12.0
    assert problem.service_unserved_yuan[0] == pytest.approx(5.0 * 3600 / 1e6)


def test_routes_add_up_link_prices_and_a_missing_row_is_no_route():
    problem = compile_scenario(tiny_scenario())
    np.testing.assert_allclose(problem.gb_yuan, [[0.0, 0.1, 0.01], [0.1, 0.0, 0.11]])
    assert problem.route(1, 2).tolist() == [1, 0]  # backbone, then metro
    assert problem.route_length.tolist() == [[0, 1, 1], [1, 0, 2]]
    routes = [{"region": "east", "cluster": "city_a"}]
    cut = compile_scenario(
        tiny_scenario(routes=routes, jobs=[job("a")], services=[service("s")], demand={"batch": None, "chat": None})
    )
    assert np.isinf(cut.gb_yuan[0]).tolist() == [False, True, True]
    assert cut.reasons(slice(None)).tolist() == [[0, int(Reason.NO_ROUTE), int(Reason.NO_ROUTE)]]
    assert cut.service_reason.tolist() == [[0, int(Reason.NO_ROUTE), int(Reason.NO_ROUTE)]]


def test_services_are_filled_to_their_utilisation_and_load_their_links_both_ways():
    problem = compile_scenario(tiny_scenario())
    np.testing.assert_allclose(problem.service_rate, [[70.0, 0.0, 28.0], [80.0, 80.0, 32.0]])
    # 10 kB per 1000 tokens; a token/s for an hour is 3.6 thousand tokens: 36 kB = 3.6e-5 GB, at 0.01 yuan on metro
    assert problem.service_yuan[0, 2] == pytest.approx(3.6e-7)
    # 10 kB per 1000 tokens = 10 byte = 80 bit per token
    np.testing.assert_allclose(problem.service_gbps, [8e-8, 0.0])
    # chat: 10 yuan / 70 on fast, 3 / 28 on small; three times the cheaper, per token/s and hour
    assert problem.service_unserved_yuan[0] == pytest.approx(3 * 3 / 28)
    assert problem.demand[0].tolist() == [210.0] * 12


def test_a_service_reaches_pools_within_its_slo_by_its_own_metric():
    # Figures of tiny: 5 us/km * 1.5. East to prov_c (about 147 km): 2 * (1.1 + 1) = 4.2 ms; to hub_b (about
    # 2,110 km): 2 * (15.8 + 1) = 33.7 ms. ttft adds 20 ms of queue and 50 ms of prefill; tpot is 30, on small 60 ms.
    slo = int(Reason.SLO)

    def reasons(**changes):
        scenario = tiny_scenario(services=[service("s", **changes)], demand={"batch": None, "chat": None})
        return compile_scenario(scenario).service_reason[0].tolist()

    assert reasons(slo_ms=5.0) == [0, slo, 0]
    assert reasons(slo_ms=35.0) == [0, 0, 0]
    assert reasons(slo_ms=73.0, slo_metric="ttft") == [0, slo, slo]
    assert reasons(slo_ms=110.0, slo_metric="ttft") == [0, 0, 0]
    assert reasons(slo_ms=30.0, slo_metric="tpot") == [0, 0, slo]


def test_a_given_round_trip_and_the_latency_switch_go_before_the_formula():
    near = [{"region": "east", "cluster": "city_a"}, {"region": "east", "cluster": "hub_b", "round_trip_ms": 3.0}]
    only = {"services": [service("s", slo_ms=3.0)], "demand": {"batch": None, "chat": None}, "jobs": []}
    assert compile_scenario(tiny_scenario(routes=near, **only)).service_reason[0].tolist() == [
        0,
        0,
        int(Reason.NO_ROUTE),
    ]
    off = tiny_scenario(settings={"switches": {"latency": False}}, **only)
    assert compile_scenario(off).service_reason[0].tolist() == [0, 0, 0]


def test_switches_free_links_demand_charges_and_zones():
    switches = {"links": False, "demand_charge": False, "residency": False}
    problem = compile_scenario(tiny_scenario(settings={"switches": switches}))
    assert np.isinf(problem.link_gbps).all()
    np.testing.assert_allclose(problem.gb_yuan[0], [0.0, 0.1, 0.01])  # prices stay
    assert not problem.demand_charge_yuan_per_kw.any()
    assert not problem.reasons(slice(None)).any()


def test_open_zones_count_as_one():
    joined = compile_scenario(tiny_scenario(settings={"switches": {"open_zones": [["east", "west"]]}}))
    assert not joined.reasons(slice(None)).any()


def test_a_window_that_crosses_the_horizons_end_counts_the_share_inside():
    # 8 h to 20 h: 4 of 12 hours lie inside, so 30 - 6 done = 24 PFLOP-h count a third: 8.
    crossing = job("late", work_pflop_h=30.0, work_done_pflop_h=6.0, release_h=8.0, deadline_h=20.0)
    problem = compile_scenario(tiny_scenario(jobs=[crossing]))
    assert problem.work_pflop_h.tolist() == [8.0]
    assert (problem.release[0], problem.deadline[0]) == (8, 12)
    assert problem.notes == (
        "jobs whose window crosses the end of the horizon of 12 h: 1; 8 of their 24 PFLOP-hours lie inside and count",
    )


def test_windows_round_inwards_to_whole_periods():
    # Periods of 2 h: released at 3.5 h, so period 2 (4 h); due at 9.9 h, so end of period 3 (8 h).
    horizon = {"period_h": 2.0, "periods": 6}
    rows = [{"profile": "sun", "capacity_factor": 1.0}]
    demand = [{"service": "chat", "period": 5, "tokens_per_s": 1.0}]
    scenario = tiny_scenario(
        settings={"horizon": horizon}, renewables=rows, demand=demand, jobs=[job("a", release_h=3.5, deadline_h=9.9)]
    )
    problem = compile_scenario(scenario)
    assert (problem.release[0], problem.deadline[0]) == (2, 4)
    # Each period takes the mean of its two hours; 8 to 12 h cost 0.8 yuan.
    assert problem.block_yuan_per_kwh[0].tolist() == [0.5, 0.5, 0.5, 0.5, 0.8, 0.8]


def test_a_finished_job_leaves_and_frees_its_vertical_with_the_checkpoint_to_move():
    problem = compile_scenario(tiny_scenario(jobs={"base": {"work_done_pflop_h": 20.0}}))
    assert problem.labels.jobs == ["gang", "vertical"]
    assert problem.after.tolist() == [-1, -1]
    assert problem.data_gb.tolist() == [0.0, 45.0]
    assert problem.checkpoint_gb.tolist() == [0.0, 0.0]
    assert problem.never_served == ()


def test_a_job_after_the_horizon_leaves_with_its_vertical_and_a_note():
    problem = compile_scenario(tiny_scenario(jobs={"base": {"release_h": 12.0, "deadline_h": 20.0}}))
    assert problem.labels.jobs == ["gang"]
    assert problem.never_served == ()
    assert problem.notes == ("jobs that start after the horizon, or whose base does, and take no part: 2",)


def test_a_job_that_runs_already_stays_in_its_pool_where_its_data_is():
    running = {"pinned_pool": "city_a/fast", "work_done_pflop_h": 4.0}
    problem = compile_scenario(tiny_scenario(jobs={"base": running}))
    elsewhere = int(Reason.PINNED_ELSEWHERE)
    assert problem.reasons(slice(0, 1)).tolist() == [[0, elsewhere, elsewhere]]
    assert problem.work_pflop_h[0] == 16.0
    assert problem.data_gb[0] == 0.0


def test_work_that_no_pool_could_serve_is_listed_with_its_verticals_and_its_worth():
    # vision runs on fast only; its 10 PFLOP-h at 0.25 PFLOPS are 40 h * 10 yuan * 3 = 1,200 yuan; 30 accelerators of
    # memory are not in the east; its vertical (llm, 225 yuan) follows. Weight 2: every period stands for two.
    jobs = [
        job("big", family="vision", min_accelerators=30.0, residency="east"),
        job("child", work_pflop_h=5.0, after="big"),
        job("fine"),
        job("priced", family="vision", min_accelerators=999.0, unserved_yuan=7.0),
    ]
    blocks = [{"start": "2026-07-01T00:00:00", "periods": 12, "weight": 2.0}]
    problem = compile_scenario(tiny_scenario(jobs=jobs, settings={"horizon": {"blocks": blocks}}))
    assert problem.labels.jobs == ["fine"]
    # big: city_a is too small, hub_b is in the west, small has no port: a tie, which the later check wins.
    assert problem.never_served == (
        ("big", "the data must stay in its zone", 2400.0),
        ("child", "its base big cannot be served", 450.0),
        ("priced", "too few accelerators for the model's memory", 14.0),
    )


def test_a_whole_chain_leaves_with_its_base_and_a_finished_link_frees_what_follows():
    rows = [
        job("lost", family="vision", min_accelerators=999.0),
        *(job(f"v{i}", after="lost" if i == 0 else f"v{i - 1}") for i in range(7)),
        job("done", after="v6", work_done_pflop_h=10.0),
        job("free", after="done"),
    ]
    problem = compile_scenario(tiny_scenario(jobs=rows))
    assert problem.labels.jobs == ["free"]
    assert [label for label, _, _ in problem.never_served] == ["lost", *(f"v{i}" for i in range(7))]


def test_a_family_without_any_port_is_worth_nothing_known():
    scenario = tiny_scenario(jobs=[], services=[service("s", family="vision")], demand={"batch": None, "chat": None})
    problem = compile_scenario(scenario)
    assert problem.n_services == 0
    [(label, reason, yuan)] = problem.never_served
    assert (label, yuan) == ("s", 0.0)
    assert reason == (
        "the model family has no port to this chip; "
        "no chip here runs its family, so its value is unknown and counts as 0"
    )


def test_a_service_out_of_reach_is_listed_with_the_worth_of_its_tokens():
    # SLO 1 ms is below even 2 ms of equipment; 210 tokens/s * 12 h * 3 * 3/28 yuan = 810 yuan
    problem = compile_scenario(tiny_scenario(services={"chat": {"slo_ms": 1.0}}))
    [(label, reason, yuan)] = problem.never_served
    assert (label, reason) == ("chat", "latency above the SLO")
    assert yuan == pytest.approx(810.0)


def test_hard_work_costs_inf_and_hard_work_without_a_pool_is_infeasible_by_name():
    problem = compile_scenario(tiny_scenario(jobs={"gang": {"hard": True}}, services={"chat": {"hard": True}}))
    assert np.isinf(problem.unserved_yuan).tolist() == [False, True, False]
    assert np.isinf(problem.service_unserved_yuan).tolist() == [True, False]
    with pytest.raises(
        InfeasibleError, match="job gang is hard and no pool can ever serve it: too slow for the window"
    ):
        compile_scenario(tiny_scenario(jobs={"gang": {"hard": True, "deadline_h": 3.0}}))
    with pytest.raises(InfeasibleError, match=r"service chat is hard .* latency above the SLO"):
        compile_scenario(tiny_scenario(services={"chat": {"hard": True, "slo_ms": 1.0}}))
    with pytest.raises(InfeasibleError, match=r"job vertical is hard .* its base base cannot be served"):
        compile_scenario(tiny_scenario(jobs={"base": {"deadline_h": 1.0}, "vertical": {"hard": True}}))


def test_a_carbon_budget_below_the_idle_floor_is_infeasible_by_name():
    # Sun at 5 yuan is no bargain, but the greenest supply of hub_b takes it: 18.75 kW * 8 h * 0.8 kg from the grid and
    # nothing for the 4 hours of sun; the others emit 10 kW * 12 h * 0.6 kg: together 192 kg.
    def with_budget(budget_t):
        dear_sun = {"sun": {"price_yuan_per_kwh": 5.0}}
        return compile_scenario(tiny_scenario(contracts=dear_sun, settings={"limits": {"carbon_budget_t": budget_t}}))

    assert with_budget(0.192).floor_supply.kg == pytest.approx(252.0)  # 180 + 72: the cheapest floor burns the budget
    expected = r"limits\.carbon_budget_t is 0\.19 t and the idle accelerators alone emit at least 0\.192 t"
    with pytest.raises(InfeasibleError, match=expected):
        with_budget(0.19)


def test_a_pool_without_accelerators_serves_nobody():
    problem = compile_scenario(tiny_scenario(pools={"city_a/fast": {"accelerators": 0.0}}))
    assert (problem.reasons(slice(None))[:, 0] == int(Reason.TOO_FEW_ACCELERATORS)).all()


def test_shares_left_blank_follow_the_accelerator_hours_that_tenants_ask_for():
    # city: base 40 h and vertical 10 h on fast = 50; firm: gang 30 h, chat 210 * 12 / 70 = 36 h, batch 800 * 12 / 80
    # = 120 h, together 186.
    tenants = [{"id": "city"}, {"id": "firm"}]
    problem = compile_scenario(tiny_scenario(tenants=tenants))
    np.testing.assert_allclose(problem.tenant_share, [50 / 236, 186 / 236])
    np.testing.assert_allclose(compile_scenario(tiny_scenario()).tenant_share, [0.5, 0.5])


def test_clusters_are_ordered_by_how_near_they_are():
    tier = compile_scenario(tiny_scenario()).origin_tier
    # East: own city, hub, own province. West: a foreign city and province are elsewhere, its own hub is a hub.
    assert tier.tolist() == [[0, 2, 1], [3, 2, 3]]


def test_a_reference_that_leads_nowhere_is_named():
    with pytest.raises(ScenarioError, match='jobs row 2: family is "mystery"'):
        compile_scenario(tiny_scenario(jobs=[job("a"), job("b", family="mystery")]))
    with pytest.raises(ScenarioError, match='pool hub_b/fast names "quantum"'):
        compile_scenario(tiny_scenario(pools={"hub_b/fast": {"chip": "quantum"}}))
    with pytest.raises(ScenarioError, match='jobs row 1: after is "nobody"'):
        compile_scenario(tiny_scenario(jobs=[job("a", after="nobody")]))


def test_a_scenario_without_work_compiles_to_a_problem_without_work():
    problem = compile_scenario(tiny_scenario(jobs=[], services=[], demand=[]))
    assert (problem.n_jobs, problem.n_services) == (0, 0)


def test_the_same_scenario_gives_the_same_arrays():
    first, second = compile_scenario(tiny_scenario()), compile_scenario(tiny_scenario())
    for name in Problem.array_fields():
        np.testing.assert_array_equal(getattr(first, name), getattr(second, name))
    assert dataclasses.replace(first).never_served == second.never_served


@given(
    work_pflop_h=st.floats(0.5, 60.0),
    release_h=st.integers(0, 11),
    window_h=st.integers(1, 12),
    accelerators=st.sampled_from([5.0, 8.0, 10.0, 20.0, 30.0]),
    rigid=st.booleans(),
    data_gb=st.sampled_from([0.0, 300.0, 900.0, 2000.0]),
    residency=st.sampled_from(["", "east", "west"]),
)
def test_a_pool_is_open_exactly_when_the_work_fits_by_the_formula(
    work_pflop_h, release_h, window_h, accelerators, rigid, data_gb, residency
):
    deadline_h = min(release_h + window_h, 12)
    row = job(
        "a",
        work_pflop_h=work_pflop_h,
        release_h=float(release_h),
        deadline_h=float(deadline_h),
        max_accelerators=accelerators,
        mode="rigid" if rigid else "elastic",
        data_gb=data_gb,
        move_gbps=1.0,
        residency=residency,
    )
    problem = compile_scenario(tiny_scenario(jobs=[row]))
    expected = []
    for rate, pool_size, zone, links in ((0.5, 20, "east", 0), (0.5, 100, "west", 1), (0.2, 50, "east", 1)):
        moving_h = int(np.ceil(data_gb * 8 / 3600)) if links else 0
        available_h = deadline_h - release_h - moving_h
        needed_h = work_pflop_h / rate / accelerators
        if rigid:
            needed_h = max(1, np.ceil(needed_h - 1e-9))
        fits = needed_h <= available_h * (1 + 1e-9) and (not rigid or accelerators <= pool_size)
        expected.append(bool(fits and residency in ("", zone)))
    if any(expected):
        assert (problem.reasons(slice(None))[0] == 0).tolist() == expected
        assert problem.never_served == ()
    else:
        assert problem.n_jobs == 0
        assert [entry[0] for entry in problem.never_served] == ["a"]
