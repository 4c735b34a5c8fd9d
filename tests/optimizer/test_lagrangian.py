from __future__ import annotations

import dataclasses

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import naive
from provgrid_models.errors import ArrayError, InfeasibleError
from provgrid_models.problem import Problem
from provgrid_optimizer.engines.milp import milp
from provgrid_optimizer.evaluate import costs
from provgrid_optimizer.heuristic.arrays import arrays
from provgrid_optimizer.lagrangian import Hints, bound, evaluate
from provgrid_optimizer.multipliers import Multipliers
from provgrid_optimizer.options import SolveOptions, ignore_progress
from random_problems import problems, random_problem


def one_pool(**changes: object) -> Problem:
    """One pool of 10 accelerators at 1 kW, three hours at 0.5, 0.2 and 0.4 yuan/kWh, and one job of 12 PFLOP-hours."""
    given_arrays: dict[str, object] = {
        "capacity": np.full((1, 3), 10.0),
        "kw_per_accelerator": np.ones((1, 3)),
        "block_cluster": np.array([0]),
        "block_yuan_per_kwh": np.array([[0.5, 0.2, 0.4]]),
        "job_class": np.array([0]),
        "class_rate_pflops": np.array([[1.0]]),
        "job_origin": np.array([0]),
        "work_pflop_h": np.array([12.0]),
        "release": np.array([0]),
        "deadline": np.array([3]),
        "max_accelerators": np.array([8.0]),
        "rigid": np.array([False]),
        "move_gbps": np.array([1.0]),
        "unserved_yuan": np.array([100.0]),
    }
    return Problem(**(given_arrays | changes))  # type: ignore[arg-type]


def energy_prices(problem: Problem) -> Multipliers:
    return dataclasses.replace(Multipliers.zero(problem), accelerator=problem.block_yuan_per_kwh.copy())


def test_an_elastic_job_takes_the_cheapest_hours_and_a_part_of_the_next() -> None:
    # 12 accelerator-hours, at most 8 at once: 8 * 0.2 + 4 * 0.4 = 3.2; supply at its own price earns nothing.
    made = bound(one_pool(), energy_prices(one_pool()))
    assert made.jobs_yuan == pytest.approx(3.2)
    assert made.supply_yuan == pytest.approx(0.0)
    assert made.total_yuan == pytest.approx(3.2)


def test_a_rigid_job_takes_the_cheapest_piece() -> None:
    # The gang of 8 is held for ceil(12 / 8) = 2 hours: 8 * (0.5 + 0.2) = 5.6 or 8 * (0.2 + 0.4) = 4.8.
    problem = one_pool(rigid=np.array([True]))
    assert bound(problem, energy_prices(problem)).jobs_yuan == pytest.approx(4.8)


def test_prices_above_energy_are_earned_back_by_the_supply_side() -> None:
    # One yuan on top in every hour: the job pays 12 more, all 10 accelerators earn 3 hours * 10 * 1 = 30.
    problem = one_pool()
    prices = energy_prices(problem)
    made = bound(problem, dataclasses.replace(prices, accelerator=prices.accelerator + 1.0))
    assert made.jobs_yuan == pytest.approx(15.2)
    assert made.supply_yuan == pytest.approx(-30.0)


def test_a_job_stays_unserved_where_that_is_cheaper() -> None:
    problem = one_pool(unserved_yuan=np.array([2.0]))
    assert bound(problem, energy_prices(problem)).total_yuan == pytest.approx(2.0)


def test_no_prices_prove_what_is_free() -> None:
    assert bound(one_pool(), Multipliers.zero(one_pool())).total_yuan == pytest.approx(0.0)


@settings(max_examples=60)
@given(problem=problems(), seed=st.integers(0, 2**32 - 1))
def test_every_part_equals_its_plain_twin(problem: Problem, seed: int) -> None:
    prices = naive.random_prices(problem, seed)
    made, twin = bound(problem, prices), naive.bound(problem, prices)
    for part, yuan in twin.items():
        assert getattr(made, part) == pytest.approx(yuan, rel=1e-9, abs=1e-7), part


def base_and_vertical(**changes: object) -> Problem:
    """Four hours at 0.2, 0.1, 0.5 and 0.6 yuan/kWh; job 1 comes after job 0; each holds 4 accelerators for an hour."""
    jobs: dict[str, object] = {
        "capacity": np.full((1, 4), 10.0),
        "kw_per_accelerator": np.ones((1, 4)),
        "block_yuan_per_kwh": np.array([[0.2, 0.1, 0.5, 0.6]]),
        "job_class": np.zeros(2, dtype=np.int64),
        "job_origin": np.zeros(2, dtype=np.int64),
        "work_pflop_h": np.array([4.0, 4.0]),
        "release": np.zeros(2, dtype=np.int64),
        "deadline": np.array([4, 4]),
        "max_accelerators": np.array([4.0, 4.0]),
        "rigid": np.array([False, False]),
        "move_gbps": np.ones(2),
        "unserved_yuan": np.full(2, 100.0),
        "after": np.array([-1, 0]),
    }
    return one_pool(**(jobs | changes))


def order_price(problem: Problem, period: int, yuan: float) -> Multipliers:
    prices = energy_prices(problem)
    prices.after[0, period] = yuan
    return prices


@pytest.mark.parametrize("rigid", [[False, False], [True, False], [False, True], [True, True]])
def test_a_price_on_the_order_of_jobs_proves_what_it_costs(rigid: list[bool]) -> None:
    # Each alone takes hour 1 at 4 * 0.1 = 0.4 yuan: 0.8 with the order dropped. In truth the base runs in hour 0 at
    # 4 * 0.2 = 0.8 and the vertical in hour 1 at 0.4, 1.2 in all (base in hour 1, vertical in hour 2: 0.4 + 2.0).
    # Price of "vertical through hour 1 <= base through hour 0": 0.4 yuan per share. The vertical pays it up to hour 1:
    # min(0.8 + 0.4, 0.4 + 0.4, 2.0, 2.4) = 0.8; the base earns it in hour 0: min(0.8 - 0.4, 0.4, 2.0, 2.4) = 0.4.
    problem = base_and_vertical(rigid=np.array(rigid))
    assert bound(problem, energy_prices(problem)).total_yuan == pytest.approx(0.8)
    assert bound(problem, order_price(problem, 1, 0.4)).total_yuan == pytest.approx(1.2)
    whole = costs(problem, milp(problem, SolveOptions(threads=1), ignore_progress).allocation)
    assert whole.objective_yuan == pytest.approx(1.2)


def test_a_gang_earns_the_price_of_the_order_when_it_ends_and_pays_it_when_it_starts() -> None:
    # Hours at 0.2, 0.1, 0.1 and 0.6. The base holds 4 accelerators for two hours: 1.2, 0.8 or 2.8 yuan by its start;
    # the vertical for one: 0.8, 0.4, 0.4, 2.4. Dropped: 0.8 + 0.4. In truth base in 0-1, vertical in 2: 1.2 + 0.4.
    # At 0.4 for "vertical started through hour 2 <= base done through hour 1" the vertical pays 0.8 and the base,
    # done in hour 1 by its start in hour 0, min(1.2 - 0.4, 0.8) = 0.8: again 1.6.
    problem = base_and_vertical(
        block_yuan_per_kwh=np.array([[0.2, 0.1, 0.1, 0.6]]),
        work_pflop_h=np.array([8.0, 4.0]),
        rigid=np.array([True, True]),
    )
    assert bound(problem, energy_prices(problem)).total_yuan == pytest.approx(1.2)
    assert bound(problem, order_price(problem, 2, 0.4)).total_yuan == pytest.approx(1.6)


def test_a_pass_says_how_far_a_vertical_is_ahead_of_its_base() -> None:
    # Both take hour 1: the vertical is there through hours 1, 2, 3, its base in time for hours 2, 3; with a checkpoint
    # of 450 GB, an hour at 1 Gbit/s, for hour 3 only.
    problem = base_and_vertical()
    made = evaluate(problem, arrays(problem), energy_prices(problem))
    np.testing.assert_array_equal(made.ahead, [[0.0, 1.0, 0.0, 0.0]])
    problem = base_and_vertical(checkpoint_gb=np.array([0.0, 450.0]))
    made = evaluate(problem, arrays(problem), energy_prices(problem))
    np.testing.assert_array_equal(made.ahead, [[0.0, 1.0, 1.0, 0.0]])


@settings(max_examples=60)
@given(problem=problems(max_jobs=12, after=True), seed=st.integers(0, 2**32 - 1))
def test_the_prices_of_the_order_have_the_slope_that_a_pass_says(problem: Problem, seed: int) -> None:
    """The bound is concave in the prices: it lies below every tangent."""
    laid_out, one, other = arrays(problem), naive.random_prices(problem, seed), naive.random_prices(problem, seed + 1)
    made = evaluate(problem, laid_out, one)
    elsewhere = evaluate(problem, laid_out, dataclasses.replace(one, after=other.after)).bound.total_yuan
    tangent = made.bound.total_yuan + float((made.ahead * (other.after - one.after)).sum())
    size = abs(tangent) + float((one.after + other.after).sum())
    assert elsewhere <= tangent + 1e-9 * max(size, 1.0)


def test_hints_of_other_prices_change_no_digit() -> None:
    problem = random_problem(8, jobs=20, periods=12)
    laid_out, hints = arrays(problem), Hints.none(problem.n_jobs, problem.n_pools)
    for seed in range(4):
        prices = naive.random_prices(problem, seed)
        made = evaluate(problem, laid_out, prices, hints=hints)
        assert made.bound == evaluate(problem, laid_out, prices).bound


def test_rounding_is_subtracted_and_small() -> None:
    problem = random_problem(3, jobs=30, pools=5, periods=12)
    made = bound(problem, naive.random_prices(problem, 1))
    parts = made.jobs_yuan + made.services_yuan + made.supply_yuan + made.links_yuan + made.carbon_yuan
    assert 0.0 < made.rounding_yuan < 1e-9 * abs(made.jobs_yuan)
    assert made.total_yuan <= parts


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"accelerator": np.ones((2, 3))}, "shape"),
        ({"accelerator": np.array([[1.0, -1.0, 0.0]])}, "negative or not finite"),
        ({"accelerator": np.array([[1.0, np.nan, 0.0]])}, "negative or not finite"),
        ({"carbon": -1.0}, "carbon"),
        ({"peak": np.ones((1, 3))}, "demand charge"),
        ({"vertical": np.array([0])}, "vertical"),
        ({"after": np.ones((1, 3))}, "shape"),
    ],
)
def test_multipliers_that_prove_nothing_are_refused(change: dict[str, object], words: str) -> None:
    with pytest.raises(ArrayError, match=words):
        bound(one_pool(), dataclasses.replace(Multipliers.zero(one_pool()), **change))  # type: ignore[arg-type]


def test_a_hard_job_without_a_pool_is_infeasible() -> None:
    problem = one_pool(unserved_yuan=np.array([np.inf]), class_rate_pflops=np.array([[0.0]]))
    with pytest.raises(InfeasibleError):
        bound(problem, Multipliers.zero(problem))


@pytest.mark.parametrize("after", [False, True])
def test_threads_change_no_digit(after: bool) -> None:
    problem = random_problem(5, jobs=6000, pools=5, periods=12, after=after)
    prices = naive.random_prices(problem, 2)
    assert bound(problem, prices, threads=1) == bound(problem, prices, threads=2)
