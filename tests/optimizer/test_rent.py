"""Rent, discounts and subsidies in plans: every engine pays them, the audit finds them, and the bound stays below."""

import dataclasses
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from naive_planner import claimed, naive_allocation, random_multipliers
from provgrid_models.compile import compile_scenario
from provgrid_models.problem import Problem
from provgrid_optimizer.audit import case_from_arrays, case_from_scenario
from provgrid_optimizer.audit.audit import audit
from provgrid_optimizer.engines.milp import milp
from provgrid_optimizer.evaluate import costs
from provgrid_optimizer.lagrangian import bound
from provgrid_optimizer.options import SolveOptions, ignore_progress
from provgrid_optimizer.savings import saving
from provgrid_optimizer.solve import solve
from random_problems import problems
from tiny import tiny_scenario

FULL = {"prices": {"basis": "full"}}
CHIPS = {"fast": {"price_yuan": 150_000.0}, "small": {"price_yuan": 40_000.0}}
ENGINES = ("heuristic", "lp", "milp", "pulp-cbc", "cheapest", "siloed")


def two_pools(**changes: Any) -> Problem:
    """Job of 12 PFLOP-hours, pools at 1 and 2 PFLOPS; power 1 kW at 0.5 yuan. Tenant 0 has terms, tenant 1 has none."""
    arrays: dict[str, Any] = {
        "capacity": np.full((2, 3), 10.0),
        "kw_per_accelerator": np.ones((2, 3)),
        "block_cluster": np.array([0, 1]),
        "block_yuan_per_kwh": np.full((2, 3), 0.5),
        "rent_yuan_per_h": np.array([1.0, 5.0]),
        "job_class": np.array([0]),
        "class_rate_pflops": np.array([[1.0, 2.0]]),
        "job_origin": np.array([0]),
        "work_pflop_h": np.array([12.0]),
        "release": np.array([0]),
        "deadline": np.array([3]),
        "max_accelerators": np.array([8.0]),
        "rigid": np.array([False]),
        "unserved_yuan": np.array([100.0]),
        "job_tenant": np.array([1]),
        "tenant_share": np.array([0.5, 0.5]),
    }
    return Problem(**(arrays | changes))


@pytest.mark.parametrize("engine", ENGINES)
def test_every_engine_weighs_rent_against_power(engine):
    # Slow pool: 12 h * (0.5 + 1) = 18 yuan; fast pool: 6 h * (0.5 + 5) = 33 yuan. On power alone the fast one wins.
    plan = solve(two_pools(), engine, SolveOptions(passes=3, seed=1), with_policies=False)
    assert plan.allocation.pool.tolist() == [0]
    assert plan.component_costs.energy == pytest.approx(6.0)
    assert plan.component_costs.rent == pytest.approx(12.0)
    assert plan.component_costs.jobs_yuan == pytest.approx(18.0)
    assert plan.certificate.bound_yuan == pytest.approx(18.0, rel=1e-3)
    dear = solve(two_pools(rent_yuan_per_h=np.zeros(2)), engine, SolveOptions(passes=3), with_policies=False)
    assert dear.allocation.pool.tolist() == [1]


def test_public_money_moves_the_work_and_is_reported_beside_the_rent():
    # Tenant 0 pays a fifth of the rent in the fast pool: 6 h * (0.5 + 1) = 9 yuan, and the purse bears 24.
    discount = np.array([[0.0, 0.8], [0.0, 0.0]])
    plan = solve(two_pools(rent_discount=discount, job_tenant=np.array([0])), "milp", with_policies=False)
    assert plan.allocation.pool.tolist() == [1]
    assert plan.component_costs.by_component() == pytest.approx(
        {"energy": 3.0, "carbon": 0.0, "demand_charge": 0.0, "network": 0.0, "rent": 30.0, "subsidy": -24.0}
        | {"unserved": 0.0}
    )
    # Another's work has no part in it.
    assert solve(two_pools(rent_discount=discount), "milp", with_policies=False).objective_yuan == pytest.approx(18.0)


def test_a_subsidy_may_pay_more_than_the_work_costs_and_the_bound_follows():
    # 12 h * (0.5 + 1 - 3) = -18 yuan in the slow pool, 6 h * (0.5 + 5 - 3) = 15 in the fast one.
    problem = two_pools(subsidy_yuan_per_h=np.full((2, 2), 3.0))
    for engine in ("heuristic", "lp", "milp"):
        plan = solve(problem, engine, SolveOptions(passes=3), with_policies=False)
        assert plan.objective_yuan == pytest.approx(-18.0)
        assert plan.certificate.bound_yuan == pytest.approx(-18.0, rel=1e-3)
        assert plan.certificate.bound_yuan <= plan.objective_yuan + 1e-6


def test_savings_count_rent():
    problem = two_pools()
    best, worse = (solve(one, "milp", with_policies=False) for one in (problem, two_pools(rent_yuan_per_h=np.zeros(2))))
    held_against = dataclasses.replace(worse, problem=problem)
    assert saving(best, held_against).plan_yuan == pytest.approx(18.0)
    assert saving(best, held_against).baseline_yuan == pytest.approx(33.0)


@pytest.mark.parametrize("basis", ["energy", "operating", "full"])
@pytest.mark.parametrize("engine", ["heuristic", "lp"])
def test_plans_of_every_basis_pass_the_audit_of_the_scenario(basis, engine):
    scenario = tiny_scenario(
        settings={"prices": {"basis": basis}},
        chips=CHIPS,
        tenants={"firm": {"rent_discount": 0.5, "subsidy_yuan_per_accelerator_h": 0.3, "terms_province": "Xishan"}},
    )
    plan = solve(compile_scenario(scenario), engine, SolveOptions(passes=5), scenario=scenario, with_policies=False)
    assert plan.audit.violations == ()
    assert (plan.component_costs.rent > 0) == (basis == "full")
    assert plan.component_costs.subsidy < 0
    assert (plan.component_costs.demand_charge == 0) == (basis == "energy")
    assert plan.certificate.bound_yuan <= plan.objective_yuan + 1e-6


@pytest.mark.parametrize("component", ["rent", "subsidy"])
def test_the_audit_finds_rent_and_subsidies_that_are_claimed_too_low(component):
    scenario = tiny_scenario(settings=FULL, chips=CHIPS, tenants={"city": {"rent_discount": 0.4}})
    problem = compile_scenario(scenario)
    plan = claimed(problem, naive_allocation(problem), None)
    assert audit(case_from_scenario(scenario), plan).violations == ()
    lower = {**plan.costs, component: plan.costs[component] - 5.0}
    report = audit(case_from_scenario(scenario), dataclasses.replace(plan, costs=lower))
    assert any(component in str(violation) for violation in report.violations)


# The naive planner knows no carbon budget.
@given(problem=problems(max_jobs=5, max_periods=6, rent=True, carbon_budget=False), seed=st.integers(0, 2**32 - 1))
@settings(max_examples=12)
def test_no_plan_costs_less_than_what_any_prices_prove(problem, seed):
    prices = random_multipliers(problem, seed)
    proven = bound(problem, prices).total_yuan
    least = costs(problem, milp(problem, SolveOptions(), ignore_progress).allocation).objective_yuan
    assert proven <= least + 1e-6 * max(1.0, abs(least))
    report = audit(case_from_arrays(problem), claimed(problem, naive_allocation(problem, seed), prices))
    assert report.violations == ()
    assert report.bound_yuan == pytest.approx(proven, rel=1e-9, abs=1e-6)
