"""The audit's own bound: equal to the engines' at any prices, below every plan, and nothing where it is no bound."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from naive_planner import claimed, naive_allocation, random_multipliers
from provgrid_optimizer.audit import PlanPrices, case_from_arrays
from provgrid_optimizer.audit.bound import bound, check_prices
from provgrid_optimizer.audit.kernels import (
    cheapest_hours,
    cheapest_start,
    gang_faults,
    lowest_in_window,
    window_minima,
)
from provgrid_optimizer.audit.report import Recorder
from provgrid_optimizer.engines.lp import lp
from provgrid_optimizer.evaluate import costs
from provgrid_optimizer.lagrangian import bound as engines_bound
from provgrid_optimizer.multipliers import Multipliers
from provgrid_optimizer.options import SolveOptions, ignore_progress
from random_problems import random_problem


def plan_prices(multipliers: Multipliers) -> PlanPrices:
    return PlanPrices(
        accelerator=multipliers.accelerator,
        peak=multipliers.peak,
        link=multipliers.link,
        carbon=multipliers.carbon,
        after=multipliers.after,
        vertical=multipliers.vertical,
    )


@pytest.mark.parametrize("seed", range(40))
def test_bound_equals_the_engines_bound_at_random_prices_and_lies_below_a_plan(seed: int) -> None:
    problem = random_problem(seed)
    multipliers = random_multipliers(problem, seed)
    case = case_from_arrays(problem)
    ours = bound(case, plan_prices(multipliers))
    assert ours == pytest.approx(engines_bound(problem, multipliers).total_yuan, rel=1e-9, abs=1e-7)
    without_budget = replace(problem, carbon_budget_kg=np.inf)
    plan = naive_allocation(without_budget, seed)
    unbudgeted = replace(multipliers, carbon=0.0)
    assert (
        bound(case_from_arrays(without_budget), plan_prices(unbudgeted)) <= costs(without_budget, plan).objective_yuan
    )


@pytest.mark.parametrize("seed", range(300, 306))
def test_prices_of_the_lp_prove_its_optimum(seed: int) -> None:
    """Strong duality: at the optimal prices the Lagrangian of a linear program is its optimum.

    Where power is worth less than nothing, so may an accelerator-hour be; multipliers stop at 0, and fall short.
    """
    problem = random_problem(seed)
    problem = replace(problem, block_yuan_per_kwh=np.maximum(problem.block_yuan_per_kwh, 0.0))
    result = lp(problem, SolveOptions(threads=1), ignore_progress)
    assert result.multipliers is not None
    ours = bound(case_from_arrays(problem), plan_prices(result.multipliers))
    assert ours == pytest.approx(costs(problem, result.allocation).objective_yuan, rel=1e-6, abs=1e-6)


def test_prices_of_an_order_that_there_is_none_of_and_rows_that_are_missing_prove_nothing_more() -> None:
    problem = next(p for p in map(random_problem, range(20)) if np.unique(p.after).size > 2)
    case = case_from_arrays(problem)
    plan = claimed(problem, naive_allocation(problem, 1), random_multipliers(problem, 1))
    assert plan.prices is not None
    stranger = int(np.flatnonzero(problem.after < 0)[0])
    vertical = plan.prices.vertical.copy()
    vertical[0] = stranger
    recorder = Recorder()
    read = check_prices(case, replace(plan, prices=replace(plan.prices, vertical=vertical)), recorder)
    assert read is not None
    assert not read.after[0].any()
    np.testing.assert_array_equal(read.after[1:], plan.prices.after[1:])
    assert recorder.counts == {"multipliers": 1}
    assert f"job {stranger}" in recorder.violations[0].where
    short = replace(plan.prices, after=plan.prices.after[:, 1:])
    read = check_prices(case, replace(plan, prices=short), recorder)
    assert read is not None
    assert not read.after.any()
    assert recorder.counts == {"multipliers": 2}


def test_price_on_a_limit_that_there_is_none_of_proves_nothing() -> None:
    problem = random_problem(1, carbon_budget=False)
    prices = plan_prices(replace(random_multipliers(problem, 1), carbon=0.1))
    assert bound(case_from_arrays(problem), prices) == -np.inf


def test_cheapest_hours_and_starts_are_those_of_a_search_over_all() -> None:
    random = np.random.default_rng(5)
    for _ in range(200):
        price = random.uniform(-0.2, 1.0, 9)
        first, end = sorted(random.choice(10, 2, replace=False))
        per_period = random.uniform(0.5, 4.0)
        hours = per_period * random.uniform(0.1, 1.0) * (end - first)
        left, expected = hours, 0.0
        for yuan in sorted(price[first:end]):
            expected += yuan * min(left, per_period)
            left -= min(left, per_period)
        assert cheapest_hours(price, first, end, hours, per_period, np.empty(9)) == pytest.approx(expected)
        duration = int(random.integers(1, end - first + 1))
        sums = np.concatenate([[0.0], np.cumsum(price)])
        starts = [price[s : s + duration].sum() for s in range(first, end - duration + 1)]
        assert cheapest_start(sums, first, end, duration, per_period) == pytest.approx(min(starts) * per_period)
        lowest = window_minima(price[None, :])
        assert lowest_in_window(lowest, 0, first, end) == price[first:end].min()


def faults(profile: list[float], duration: int) -> tuple[float, float, float]:
    """Lowest start share, sum of starts and highest of one pair with a gang of 1."""
    period = np.flatnonzero(profile)
    lowest, total, highest = gang_faults(
        np.array([0]),
        np.array([0, period.size]),
        period,
        np.array(profile)[period],
        np.array([1.0]),
        np.array([duration]),
        len(profile),
    )
    return float(lowest[0]), float(total[0]), float(highest[0])


def test_mixture_of_gangs_is_taken_apart_into_its_starts() -> None:
    """0.25 starts in period 0, 0.5 in period 1, 0.25 in period 4, three periods each."""
    profile = [0.25, 0.75, 0.75, 0.5, 0.25, 0.25, 0.25, 0.0]
    assert faults(profile, 3) == (0.0, 1.0, 0.5)


def test_gang_cut_short_shows_as_a_negative_start_and_a_longer_one_as_a_second() -> None:
    assert faults([0.0, 1.0, 1.0, 0.0, 0.0, 0.0], 3)[0] == -1.0
    assert faults([0.0, 1.0, 1.0, 1.0, 1.0, 0.0], 3)[1] == 2.0
    assert faults([0.0, 0.0, 0.0, 0.0, 1.0, 1.0], 3)[0] == -1.0


def test_random_mixtures_of_gangs_have_no_fault() -> None:
    random = np.random.default_rng(3)
    for _ in range(100):
        duration = int(random.integers(1, 5))
        starts = random.dirichlet(np.ones(12 - duration)) * random.uniform(0.1, 1.0)
        profile = np.zeros(12)
        for start, share in enumerate(starts):
            profile[start : start + duration] += share
        lowest, total, _ = faults(profile.tolist(), duration)
        assert lowest > -1e-12
        assert total == pytest.approx(starts.sum())
