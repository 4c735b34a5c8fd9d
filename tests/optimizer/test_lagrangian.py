from __future__ import annotations

import dataclasses

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import naive
from provgrid_models.errors import ArrayError, InfeasibleError
from provgrid_models.problem import Problem
from provgrid_optimizer.lagrangian import bound
from provgrid_optimizer.multipliers import Multipliers
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


@settings(max_examples=60, deadline=None)
@given(problem=problems(), seed=st.integers(0, 2**32 - 1))
def test_every_part_equals_its_plain_twin(problem: Problem, seed: int) -> None:
    prices = naive.random_prices(problem, seed)
    made, twin = bound(problem, prices), naive.bound(problem, prices)
    for part, yuan in twin.items():
        assert getattr(made, part) == pytest.approx(yuan, rel=1e-9, abs=1e-7), part


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
    ],
)
def test_multipliers_that_prove_nothing_are_refused(change: dict[str, object], words: str) -> None:
    with pytest.raises(ArrayError, match=words):
        bound(one_pool(), dataclasses.replace(Multipliers.zero(one_pool()), **change))  # type: ignore[arg-type]


def test_a_hard_job_without_a_pool_is_infeasible() -> None:
    problem = one_pool(unserved_yuan=np.array([np.inf]), class_rate_pflops=np.array([[0.0]]))
    with pytest.raises(InfeasibleError):
        bound(problem, Multipliers.zero(problem))


def test_threads_change_no_digit() -> None:
    problem = random_problem(5, jobs=6000, pools=5, periods=12, after=False)
    prices = naive.random_prices(problem, 2)
    assert bound(problem, prices, threads=1) == bound(problem, prices, threads=2)
