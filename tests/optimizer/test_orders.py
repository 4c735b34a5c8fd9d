"""The order of jobs in the Lagrangian: who takes part, and prices that make up what dropping it would lose."""

from __future__ import annotations

from importlib.resources import as_file

import numpy as np
import pytest

import naive
from provgrid_models.compile import compile_scenario
from provgrid_models.files import load_scenario
from provgrid_optimizer.engines.lp import lp
from provgrid_optimizer.evaluate import costs
from provgrid_optimizer.heuristic.arrays import arrays
from provgrid_optimizer.heuristic.orders import charges, find_orders
from provgrid_optimizer.heuristic.prices import find_prices, sample
from provgrid_optimizer.lagrangian import evaluate
from provgrid_optimizer.options import SolveOptions, ignore_progress
from provgrid_seeds.loader import scenario_folder
from random_problems import random_problem


def test_whoever_has_a_base_or_a_vertical_is_chained_and_all_others_keep_their_groups() -> None:
    problem = random_problem(4, jobs=3_000, pools=3, periods=10)
    jobs, orders = arrays(problem).jobs, find_orders(arrays(problem))
    chained = np.union1d(np.flatnonzero(problem.after >= 0), problem.after[problem.after >= 0])
    np.testing.assert_array_equal(orders.chained, chained)
    np.testing.assert_array_equal(orders.chained[orders.base], problem.after[orders.chained[orders.vertical]])
    others = orders.others
    np.testing.assert_array_equal(others.order, jobs.order[~np.isin(jobs.order, chained)])
    assert (np.diff(others.group_start) > 0).all()
    assert others.group_start[-1] == others.order.size
    assert others.group_chunk.size == jobs.group_chunk.size
    assert (others.group_chunk[0], others.group_chunk[-1]) == (0, others.group_start.size - 1)
    for first, last in zip(others.group_start[:-1], others.group_start[1:], strict=True):
        group = others.order[first:last]
        windows = np.stack([problem.release[group], jobs.move_periods[group], problem.deadline[group]])
        assert (windows == windows[:, :1]).all()


def test_without_an_order_nothing_is_left_out() -> None:
    laid_out = arrays(random_problem(4, after=False))
    assert find_orders(laid_out).others is laid_out.jobs


@pytest.mark.parametrize("seed", range(10))
def test_charges_are_those_of_the_rows_one_by_one(seed: int) -> None:
    problem = random_problem(seed, jobs=12, periods=9)
    prices, orders = naive.random_prices(problem, seed), find_orders(arrays(problem))
    begun, done = charges(orders, prices.after)
    for i, j in enumerate(orders.chained):
        expected = naive.order_charges(problem, prices, int(j))
        np.testing.assert_allclose((begun[i], done[i]), expected, atol=1e-9)


def test_a_sample_of_jobs_leaves_the_order_free() -> None:
    problem = random_problem(6, jobs=60)
    prices = naive.random_prices(problem, 1)
    made = evaluate(problem, sample(arrays(problem), 5), prices)
    assert made.job_pool.size == 12
    assert made.ahead.shape == prices.after.shape
    assert not made.ahead.any()


def test_the_ascent_finds_prices_of_the_order_that_come_close_to_the_relaxation_with_all_its_rows() -> None:
    with as_file(scenario_folder("toy")) as folder:
        problem = compile_scenario(load_scenario(folder))
    optimum = costs(problem, lp(problem, SolveOptions(threads=1), ignore_progress).allocation).objective_yuan
    found = find_prices(problem, arrays(problem), 1, lambda ascent, whole: False)
    assert found.prices.after.any()
    assert (1.0 - 0.003) * optimum <= found.bound_yuan <= optimum * (1.0 + 1e-9)


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(6))
def test_the_ascent_finds_them_where_much_work_is_in_an_order(seed: int) -> None:
    problem = random_problem(seed, jobs=24, pools=5, clusters=3, periods=24, negative_prices=False)
    optimum = costs(problem, lp(problem, SolveOptions(threads=1), ignore_progress).allocation).objective_yuan
    found = find_prices(problem, arrays(problem), 1, lambda ascent, whole: False)
    # Without prices of the order, these bounds lie 5 % to 31 % below the optimum.
    assert (1.0 - 0.01) * optimum <= found.bound_yuan <= optimum * (1.0 + 1e-9)
