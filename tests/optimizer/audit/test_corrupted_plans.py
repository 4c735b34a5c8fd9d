"""Corrupted plans are caught with the broken rule named; untouched plans never are."""

from __future__ import annotations

from dataclasses import replace
from functools import cache

import numpy as np
import pytest

from audit_corruptions import CORRUPTIONS
from naive_planner import claimed, naive_allocation, random_multipliers
from provgrid_models.errors import InfeasibleError
from provgrid_models.problem import Problem
from provgrid_optimizer.allocation import Allocation
from provgrid_optimizer.audit import AuditCase, AuditedPlan, Rule, audit, case_from_arrays
from provgrid_optimizer.audit.plan import Claims
from provgrid_optimizer.certificate import gap
from provgrid_optimizer.engines.lp import lp
from provgrid_optimizer.evaluate import costs, unserved_share
from provgrid_optimizer.multipliers import Multipliers
from provgrid_optimizer.options import SolveOptions, ignore_progress
from random_problems import random_problem

NAIVE_SEEDS = range(24)
LP_SEEDS = range(100, 112)


def tight_carbon_budget(problem: Problem, allocation: Allocation) -> Problem:
    """Let the plan use its whole carbon budget, so that a little more breaks it."""
    hours = problem.period_h * problem.weight
    kg = float((allocation.block_kw * problem.block_kg_per_kwh * hours).sum())
    return replace(problem, carbon_budget_kg=kg * 1.0001)


def as_a_run(problem: Problem, allocation: Allocation, multipliers: Multipliers) -> AuditedPlan:
    """Return the plan with all that a run folder says of it."""
    plan = claimed(problem, allocation, multipliers)
    parts = costs(problem, allocation)
    held = np.bincount(allocation.run_placement, allocation.run_accelerators, minlength=allocation.job.size)
    figures = {
        "gap": gap(plan.objective_yuan, plan.bound_yuan),
        "gap_jobs": gap(plan.objective_yuan, plan.bound_yuan, parts.jobs_yuan),
        "unserved_share": unserved_share(problem, allocation),
        "jobs_yuan": parts.jobs_yuan,
        "carbon_kg": parts.carbon_kg,
        "floor_kg": parts.floor_kg,
    }
    constants = {
        "idle_floor": problem.floor_yuan,
        "take_or_pay": problem.take_or_pay_yuan,
        "ports": problem.ports_yuan,
        "never_served": problem.never_served_yuan,
    }
    claims = Claims(
        engine="by hand",
        figures=figures,
        constants=constants,
        captured=None,
        best_policy_yuan=None,
        placement_accelerator_h=held * problem.period_h,
        serve_accelerators=plan.serve_units / problem.service_rate[plan.serve_service, plan.serve_pool],
    )
    return replace(plan, claims=claims)


@cache
def naive_plan(seed: int) -> tuple[AuditCase, AuditedPlan]:
    """Build an indivisible plan, served hard work included, on a problem in which every rule can bind."""
    problem = random_problem(seed, jobs=8, periods=10, carbon_budget=False)
    allocation = naive_allocation(problem, seed)
    served = np.isin(np.arange(problem.n_jobs), allocation.job[: allocation.job.size // 2])
    problem = replace(problem, unserved_yuan=np.where(served, np.inf, problem.unserved_yuan))
    units = np.zeros(problem.demand.shape)
    np.add.at(units, (allocation.serve_service, allocation.serve_period), allocation.serve_units)
    full = (units >= problem.demand * (1 - 1e-12)).all(axis=1)
    problem = replace(problem, service_unserved_yuan=np.where(full, np.inf, problem.service_unserved_yuan))
    if seed % 2:
        problem = tight_carbon_budget(problem, allocation)
    return case_from_arrays(problem), as_a_run(problem, allocation, random_multipliers(problem, seed))


@cache
def lp_plan(seed: int) -> tuple[AuditCase, AuditedPlan]:
    """Build a divisible plan, with the prices that its solver found."""
    problem = random_problem(seed)
    result = lp(problem, SolveOptions(threads=1), ignore_progress)
    assert isinstance(result.multipliers, Multipliers)
    return case_from_arrays(problem), as_a_run(problem, result.allocation, result.multipliers)


def all_plans() -> list[tuple[AuditCase, AuditedPlan]]:
    return [naive_plan(seed) for seed in NAIVE_SEEDS] + [lp_plan(seed) for seed in LP_SEEDS]


def caught(count: int, seed: int) -> None:
    """Corrupt plans `count` times, each kind in turn, and audit them."""
    random = np.random.default_rng(seed)
    plans = all_plans()
    missed, broken_rules = [], set()
    done = 0
    while done < count:
        rule, corruption = CORRUPTIONS[done % len(CORRUPTIONS)]
        for at in random.permutation(len(plans)):
            case, plan = plans[at]
            corrupted = corruption(case, plan, random)
            if corrupted is not None:
                break
        else:
            pytest.fail(f"no plan can be corrupted by {corruption.__name__}")
        report = audit(case, corrupted)
        broken_rules.add(rule)
        if rule.value not in {violation.rule for violation in report.violations}:
            missed.append(f"{corruption.__name__} on plan {at}: found {report.counts}")
        done += 1
    assert not missed, "\n".join(missed)
    assert broken_rules == set(Rule)


def test_untouched_plans_of_the_naive_planner_and_of_the_lp_pass() -> None:
    for case, plan in all_plans():
        report = audit(case, plan)
        assert report.passed, report.summary()
        assert report.counts == {}
        assert sum(report.costs.values()) == report.objective_yuan


def test_the_audit_names_every_rule_among_its_checks() -> None:
    case, plan = naive_plan(0)
    assert set(audit(case, plan).checks) == {rule.value for rule in Rule}


def test_200_corrupted_plans_are_caught_with_the_rule_named() -> None:
    caught(200, seed=1)


@pytest.mark.slow
def test_1000_corrupted_plans_are_caught_with_the_rule_named() -> None:
    caught(1000, seed=2)


@pytest.mark.parametrize("seed", range(200, 230))
def test_naive_plans_of_fresh_problems_pass(seed: int) -> None:
    problem = random_problem(seed, hard=seed % 3 == 0)
    allocation = naive_allocation(problem, seed)
    try:
        plan = claimed(problem, allocation, random_multipliers(problem, seed))
    except InfeasibleError:  # a hard job that no pool is open to
        return
    # The naive planner knows neither carbon nor which work must be served; nothing else may be wrong.
    assert set(audit(case_from_arrays(problem), plan).counts) <= {Rule.HARD.value, Rule.CARBON_BUDGET.value}
