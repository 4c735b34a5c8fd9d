"""What remains of a plan once its indivisible choices are fixed."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from provgrid_models.problem import Problem
from provgrid_optimizer.answers.fixed import remaining, remaining_program
from provgrid_optimizer.engines.lp import lp
from provgrid_optimizer.engines.milp import milp
from provgrid_optimizer.engines.policies import cheapest
from provgrid_optimizer.evaluate import costs
from provgrid_optimizer.matrix import point
from provgrid_optimizer.options import SolveOptions, ignore_progress
from random_problems import random_problem

ONE_THREAD = SolveOptions(threads=1)


@pytest.mark.parametrize("seed", range(5))
def test_the_best_indivisible_plan_is_the_best_with_its_own_choices(seed: int) -> None:
    problem = random_problem(seed, jobs=6, periods=8)
    plan = milp(problem, ONE_THREAD, ignore_progress).allocation
    left = remaining(problem, plan, ONE_THREAD)
    asked = costs(problem, plan).objective_yuan
    assert left.kind == "fixed-lp"
    assert left.objective_yuan == pytest.approx(asked, rel=1e-6, abs=1e-6)
    assert costs(problem, left.allocation).objective_yuan == pytest.approx(asked, rel=1e-6, abs=1e-6)


@pytest.mark.parametrize("seed", range(5))
def test_fixing_a_simple_rules_choices_keeps_them_and_costs_no_more(seed: int) -> None:
    problem = random_problem(seed, jobs=8, periods=10)
    plan = cheapest(problem, ONE_THREAD, ignore_progress).allocation
    left = remaining(problem, plan, ONE_THREAD)
    assert left.objective_yuan <= costs(problem, plan).objective_yuan + 1e-6
    np.testing.assert_array_equal(left.allocation.job, plan.job)
    np.testing.assert_array_equal(left.allocation.pool, plan.pool)
    rigid = problem.rigid[plan.job]
    np.testing.assert_array_equal(
        left.allocation.run_period[left.allocation.run_start[:-1][rigid]], plan.run_period[plan.run_start[:-1][rigid]]
    )
    program, selection = remaining_program(problem, plan)
    assert program.violation(point(problem, program, plan, selection)) <= 1e-6


def test_of_a_divisible_plan_the_relaxation_itself_remains() -> None:
    problem = random_problem(3)
    relaxed = lp(problem, ONE_THREAD, ignore_progress)
    left = remaining(problem, relaxed.allocation, ONE_THREAD)
    assert left.kind == "lp"
    assert left.objective_yuan == pytest.approx(costs(problem, relaxed.allocation).objective_yuan, rel=1e-7)


def test_a_base_keeps_the_period_by_which_it_has_finished() -> None:
    """Base: 2 accelerator-hours at most one an hour, so two periods; its vertical takes one more.

    Power costs 1, 5, 1 and 9 yuan in the four periods. The vertical may wait for the last period only if the base is
    done by then; the plan at hand runs the base in 0 and 1 and the vertical in 2: 1 + 5 + 1 = 7 yuan. Freed of that
    order, base in 0 and 2 would cost 2, but its vertical then has to run in 3 for 9.
    """
    problem = Problem(
        capacity=np.full((1, 4), 1.0),
        kw_per_accelerator=np.ones((1, 4)),
        block_cluster=np.array([0]),
        block_limit_kw=np.full((1, 4), np.inf),
        block_yuan_per_kwh=np.array([[1.0, 5.0, 1.0, 9.0]]),
        class_rate_pflops=np.ones((1, 1)),
        work_pflop_h=np.array([2.0, 1.0]),
        release=np.array([0, 0]),
        deadline=np.array([4, 4]),
        max_accelerators=np.ones(2),
        unserved_yuan=np.full(2, 100.0),
        after=np.array([-1, 0]),
    )
    plan = milp(problem, ONE_THREAD, ignore_progress).allocation
    left = remaining(problem, plan, ONE_THREAD)
    assert left.objective_yuan == pytest.approx(7.0)
    # With the vertical in 3 instead, the base may take its two cheap hours: 1 + 1 + 9 = 11.
    late = replace(plan, run_period=np.array([0, 2, 3], dtype=np.int32))
    assert remaining(problem, late, ONE_THREAD).objective_yuan == pytest.approx(11.0)
