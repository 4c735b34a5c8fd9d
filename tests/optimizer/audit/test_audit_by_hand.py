"""A plan worked out by hand on the tiny scenario, and what the audit says when one figure of it is changed."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from provgrid_models.problem import Problem
from provgrid_optimizer.audit import (
    AuditCase,
    AuditedPlan,
    Names,
    PlanPrices,
    Violation,
    audit,
    case_from_arrays,
    case_from_scenario,
)
from tiny import job, service, tiny_scenario

PERIODS = 12
ENERGY_YUAN = 15.0
FLOOR_YUAN = 143.25


@pytest.fixture
def case() -> AuditCase:
    """One elastic job of 10 PFLOP-hours from the east, and a service there that may not leave it."""
    return case_from_scenario(
        tiny_scenario(
            jobs=[job("a")],
            services=[service("chat", residency="east", max_utilisation=0.5)],
            demand=[{"service": "chat", "period": 3, "tokens_per_s": 100.0}],
        )
    )


def plan_by_hand() -> AuditedPlan:
    """Job and service in city_a/fast, at 1.5 kW an accelerator: (0.9 - 0.1) * 1.25 * PUE 1.5.

    - The job takes 10 / 0.5 = 20 accelerator-hours: 10 accelerators in hours 0 and 1, so 15 kW each.
    - The service gets 100 tokens/s in hour 3: at 50 tokens/s an accelerator, 2 of them, 3 kW.
    - Floors: city_a 20 * 0.1 * 1.25 * 1.5 = 3.75 kW; hub_b 125 * 0.1 * 1.25 * 1.2 = 18.75 kW; prov_c
      50 * 0.1 * 1.25 = 6.25 kW. The sun at hub_b gives 40 * 0.5 = 20 kW from hour 8, at 0.2 yuan.
    """
    kw = np.zeros((4, PERIODS))
    kw[0] = 3.75
    kw[0, :2] += 15.0
    kw[0, 3] += 3.0
    kw[1, :8] = 18.75
    kw[2] = 6.25
    kw[3, 8:] = 18.75
    block, period = np.nonzero(kw)
    return AuditedPlan(
        divisible=False,
        names=Names(
            jobs=["a"],
            services=["chat"],
            pools=["city_a/fast"],
            clusters=["city_a", "hub_b", "prov_c"],
            blocks=["city_a/grid", "hub_b/grid", "prov_c/grid", "hub_b/solar"],
            links=["metro", "backbone"],
        ),
        placement_job=np.array([0]),
        placement_pool=np.array([0]),
        placement_share=np.array([1.0]),
        run_job=np.array([0, 0]),
        run_pool=np.array([0, 0]),
        run_period=np.array([1, 0]),
        run_accelerators=np.array([10.0, 10.0]),
        serve_service=np.array([0]),
        serve_pool=np.array([0]),
        serve_period=np.array([3]),
        serve_units=np.array([100.0]),
        supply_block=block,
        supply_period=period,
        supply_kw=kw[block, period],
        peak_kw=np.array([18.75, 18.75, 6.25]),
        # Energy: 2 * 15 kW * 0.5 yuan, and 3 kW * 0.5 yuan. The floor's peak at hub_b is what it would be anyway.
        costs={
            "energy": ENERGY_YUAN + 1.5,
            "carbon": 0.0,
            "demand_charge": 0.0,
            "network": 0.0,
            "rent": 0.0,
            "subsidy": 0.0,
            "unserved": 0.0,
        },
        objective_yuan=ENERGY_YUAN + 1.5,
        # city_a 3.75 * (8 * 0.5 + 4 * 0.8) = 27; hub_b 18.75 * (8 * 0.3 + 4 * 0.2) = 60, and its demand charge
        # 18.75 kW * 36.5 * 12 / 730 = 11.25; prov_c 6.25 * 7.2 = 45.
        constants_yuan=FLOOR_YUAN,
    )


def prices(peak: float) -> PlanPrices:
    """No price on accelerators; `peak` yuan per kWh on hub_b's grid in hour 0."""
    of_peak = np.zeros((3, PERIODS))
    of_peak[1, 0] = peak
    return PlanPrices(
        accelerator=np.zeros((1, PERIODS)),
        peak=of_peak,
        link=np.zeros((2, PERIODS)),
        carbon=0.0,
        after=np.zeros((0, PERIODS)),
        vertical=np.zeros(0, dtype=np.int64),
    )


def rules(case: AuditCase, plan: AuditedPlan) -> dict[str, int]:
    return audit(case, plan).counts


def test_plan_worked_out_by_hand_passes_and_is_recomputed_to_the_same_figures(case: AuditCase) -> None:
    report = audit(case, plan_by_hand())
    assert report.passed, report.summary()
    assert report.costs["energy"] == pytest.approx(16.5, rel=1e-12)
    assert report.objective_yuan == pytest.approx(16.5, rel=1e-12)
    assert report.constants_yuan == pytest.approx(FLOOR_YUAN, rel=1e-12)
    assert np.isnan(report.bound_yuan)


def test_bound_by_hand_counts_the_demand_charge_only_where_the_prices_bill_it(case: AuditCase) -> None:
    """Free accelerators make all work free, so the bound is the floor with or without its demand charge."""
    names = replace(plan_by_hand().names, pools=["city_a/fast", "hub_b/fast", "prov_c/small"])
    free = replace(prices(0.0), accelerator=np.zeros((3, PERIODS)))
    plan = replace(plan_by_hand(), names=names, prices=free, bound_prices_yuan=-11.25)
    assert audit(case, plan).bound_yuan == pytest.approx(-11.25, rel=1e-12)
    assert rules(case, plan) == {}
    billed = replace(prices(0.6), accelerator=np.zeros((3, PERIODS)))
    plan = replace(plan, prices=billed, bound_prices_yuan=0.0)
    assert audit(case, plan).bound_yuan == pytest.approx(0.0, abs=1e-9)
    assert rules(case, plan) == {}


def test_prices_of_unknown_pools_prove_nothing(case: AuditCase) -> None:
    stranger = replace(plan_by_hand().names, pools=["nowhere"])
    plan = replace(plan_by_hand(), names=stranger, prices=prices(0.0), bound_prices_yuan=-100.0)
    assert {"multipliers", "unknown_id"} <= set(rules(case, plan))


def test_violation_says_rule_place_and_figures_in_one_line(case: AuditCase) -> None:
    plan = replace(plan_by_hand(), run_accelerators=np.array([10.0, 21.0]))
    texts = {violation.rule: violation.text() for violation in audit(case, plan).violations}
    assert texts["capacity"] == "capacity: pool city_a/fast, period 0: found 21, limit 20 (accelerators)"
    assert texts["work"] == "work: job a in pool city_a/fast: found 31, limit 20 (accelerator-hours)"
    assert all("\n" not in text for text in texts.values())


def test_violation_prints_as_its_text() -> None:
    violation = Violation("work", "job a", 1.0, 2.0, 1.0)
    assert str(violation) == violation.text() == "work: job a: found 1, limit 2"


def test_rounding_within_the_tolerance_is_forgiven_and_ten_times_it_is_not(case: AuditCase) -> None:
    plan = plan_by_hand()
    close = replace(plan, objective_yuan=plan.objective_yuan * (1 - 5e-7))
    far = replace(plan, objective_yuan=plan.objective_yuan * (1 - 1e-5))
    assert rules(case, close) == {}
    assert set(rules(case, far)) == {"objective"}


@pytest.mark.parametrize(
    ("changes", "note"),
    [
        ({"jobs": [job("a", residency="west")]}, "the data must stay in its zone"),
        ({"jobs": [job("a", pinned_pool="hub_b/fast")]}, "already running in another pool"),
        ({"jobs": [job("a", min_accelerators=30.0)]}, "too few accelerators for the model's memory"),
        ({"jobs": [job("a", mode="rigid", max_accelerators=25.0)]}, "the gang is larger than the pool"),
        # 4,950 GB at 1 Gbit/s are on the way for 11 of 12 hours, and 2 hours are needed.
        ({"jobs": [job("a", region="west", data_gb=4950.0, move_gbps=1.0)]}, "the data arrives too late"),
        (
            {
                "jobs": [job("a", precision="fp8")],
                "chips": {"fast": {"peak_fp8_tflops": None}, "small": {"peak_fp8_tflops": 1000.0}},
            },
            "the model family has no port to this chip",
        ),
        ({"routes": [{"region": "east", "cluster": "hub_b", "links": "backbone"}]}, "no route from the region"),
        ({"services": [service("chat", residency="west")]}, "the data must stay in its zone"),
        # 2,200 km of fibre make a round trip of more than 20 ms.
        ({"services": [service("chat", region="west", slo_ms=10.0)]}, "latency above the SLO"),
    ],
)
def test_closed_pool_is_named_with_its_reason(changes: dict[str, Any], note: str) -> None:
    """Each change closes city_a/fast, where the plan by hand puts job and service, and leaves another pool open."""
    demand = [{"service": "chat", "period": 3, "tokens_per_s": 100.0}]
    tables: dict[str, Any] = {"jobs": [job("a")], "services": [service("chat")], "demand": demand}
    report = audit(case_from_scenario(tiny_scenario(**(tables | changes))), plan_by_hand())
    assert note in [violation.note for violation in report.violations if violation.rule == "pool_closed"]


def test_work_that_no_pool_can_ever_serve_is_unknown_to_the_audit_and_counted_in_the_constants() -> None:
    """A zone without a cluster closes every pool: 3 times the market price of 10 PFLOP-hours on the cheapest chip.

    fast: 10 yuan / 0.5 PFLOPS = 20 yuan a PFLOP-hour; small: 3 / 0.2 = 15. So 3 * 10 * 15 = 450 yuan.
    """
    case = case_from_scenario(tiny_scenario(jobs=[job("a", residency="nowhere")], services=[], demand=[]))
    assert case.n_jobs == 0
    assert case.never_served[0][0] == "a"
    assert case.constants_yuan == pytest.approx(FLOOR_YUAN + 450.0, rel=1e-12)
    assert {"unknown_id", "constants"} <= set(rules(case, plan_by_hand()))


@pytest.mark.parametrize(("missing", "broken"), [(1e-9, set()), (1e-5, {"hard"})])
def test_hard_demand_counts_as_served_within_the_rounding_of_its_size(missing: float, broken: set[str]) -> None:
    """10 million units: a billionth of them is 0.01 units, which is rounding; a hundred-thousandth is 100."""
    problem = Problem(
        capacity=np.array([[2e7]]),
        demand=np.array([[1e7]]),
        service_rate=np.ones((1, 1)),
        service_yuan=np.zeros((1, 1)),
        service_unserved_yuan=np.array([np.inf]),
    )
    plan = AuditedPlan(
        divisible=False,
        serve_service=np.array([0]),
        serve_pool=np.array([0]),
        serve_period=np.array([0]),
        serve_units=np.array([1e7 * (1.0 - missing)]),
        peak_kw=np.zeros(1),
        costs=dict.fromkeys(("energy", "carbon", "demand_charge", "network", "rent", "subsidy", "unserved"), 0.0),
        objective_yuan=0.0,
        constants_yuan=0.0,
    )
    assert set(rules(case_from_arrays(problem), plan)) == broken
