"""`assign`: optimal by hand and by brute force, its bound never wrong, its errors with their place."""

from __future__ import annotations

import json
import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import provgrid as pg
from naive_assignment import cheapest, type_d
from provgrid_optimizer.assignment.audit import Multipliers, audit, capacity_bound, task_bound


def test_the_cheaper_agent_takes_what_fits_and_the_other_takes_the_rest() -> None:
    # Agent 0 asks 1 per task and has room for two of the three; moving one to agent 1 costs 4, 2 or 3 more.
    found = pg.assign([[1, 1, 1], [5, 3, 4]], [[1, 1, 1], [1, 1, 1]], [2, 3])
    assert found.assignment.tolist() == [0, 1, 0]
    assert found.objective == 1 + 3 + 1
    assert (found.bound, found.gap, found.status) == (5, 0, "optimal")
    assert found.audit_violations == ()


def test_usage_depends_on_the_agent() -> None:
    # Task 0 takes 3 of agent 0 and 1 of agent 1. Agent 0 (room 3) is cheaper for both tasks, but holds one of them:
    # task 0 there costs 1 + 10, task 1 there 10 + 2.
    found = pg.assign([[1, 2], [10, 10]], [[3, 3], [1, 1]], [3, 1])
    assert found.assignment.tolist() == [0, 1]
    assert found.objective == 11


def test_profits_are_maximised_and_their_bound_lies_above() -> None:
    # Room for one task each: 9 + 1 against 8 + 7.
    found = pg.assign([[9, 8], [7, 1]], [[1, 1], [1, 1]], [1, 1], sense="max")
    assert found.assignment.tolist() == [1, 0]
    assert (found.objective, found.bound) == (15, 15)


def test_an_infinite_cost_forbids_a_pair() -> None:
    found = pg.assign([[math.inf, 1], [4, 9]], [[1, 1], [1, 1]], [2, 2])
    assert found.assignment.tolist() == [1, 0]
    found = pg.assign([[-math.inf, 1], [4, 9]], [[1, 1], [1, 1]], [2, 1], sense="max")
    assert found.assignment.tolist() == [1, 0]


def test_sums_of_floats_may_fill_a_capacity() -> None:
    # 0.1 + 0.1 + 0.1 is 0.30000000000000004 in floats; a planner calls that 0.3.
    found = pg.assign([[1, 1, 1], [9, 9, 9]], [[0.1] * 3, [0.1] * 3], [0.3, 1.0])
    assert found.assignment.tolist() == [0, 0, 0]


def test_one_agent_and_one_task() -> None:
    assert pg.assign([[7]], [[2]], [2]).objective == 7


def test_costs_may_be_negative_or_fractions() -> None:
    # 0.5 - 1.25 with agent 0 holding task 1 only.
    found = pg.assign([[0.25, -1.25], [0.5, 3.0]], [[1, 1], [1, 1]], [1, 1])
    assert found.objective == pytest.approx(-0.75)
    assert found.bound <= found.objective + 1e-9


@st.composite
def small_instances(draw: st.DrawFn) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    m, n = draw(st.integers(1, 3)), draw(st.integers(1, 6))
    number = draw(st.sampled_from([st.integers(0, 9), st.integers(0, 36).map(lambda k: k / 4)]))
    rows = st.lists(st.lists(number, min_size=n, max_size=n), min_size=m, max_size=m)
    cost, usage = np.array(draw(rows), float), np.array(draw(rows), float)
    capacity = np.array(draw(st.lists(st.integers(0, 25), min_size=m, max_size=m)), float)
    forbidden = np.array(draw(st.lists(st.booleans(), min_size=m * n, max_size=m * n))).reshape(m, n)
    if draw(st.booleans()):
        cost[forbidden] = np.inf
    return cost, usage, capacity


@settings(max_examples=60)
@given(small_instances(), st.integers(0, 3))
def test_small_instances_are_solved_as_by_trying_everything(
    instance: tuple[np.ndarray, np.ndarray, np.ndarray], seed: int
) -> None:
    best = cheapest(*instance)
    if math.isinf(best):
        with pytest.raises(pg.InfeasibleError):
            pg.assign(*instance, passes=3, seed=seed)
        return
    found = pg.assign(*instance, passes=3, seed=seed)
    assert found.objective == pytest.approx(best)
    assert found.bound <= best + 1e-9
    mirrored = pg.assign(-instance[0], *instance[1:], sense="max", passes=3, seed=seed)
    assert mirrored.objective == -found.objective
    assert mirrored.bound == -found.bound
    assert mirrored.assignment.tolist() == found.assignment.tolist()


@settings(max_examples=60)
@given(small_instances(), st.integers(0, 2**32 - 1))
def test_any_prices_prove_a_valid_bound(instance: tuple[np.ndarray, np.ndarray, np.ndarray], seed: int) -> None:
    best = cheapest(*instance)
    draw = np.random.default_rng(seed)
    m, n = instance[0].shape
    assert capacity_bound(*instance, draw.normal(0, 3, m)) <= best + 1e-6
    assert task_bound(*instance, draw.normal(5, 5, n)) <= best + 1e-6


def test_the_audit_finds_an_overload_a_forbidden_pair_and_a_missing_task() -> None:
    cost, usage, capacity = np.array([[1.0, 2.0], [np.inf, 1.0]]), np.ones((2, 2)), np.array([1.0, 2.0])
    none = Multipliers(np.zeros(2), np.zeros(2))
    assert "agent 0 holds 2" in audit(cost, usage, capacity, "min", np.array([0, 0]), none).violations[0]
    assert "forbidden" in audit(cost, usage, capacity, "min", np.array([1, 1]), none).violations[0]
    assert "not every one" in audit(cost, usage, capacity, "min", np.array([0, -1]), none).violations[0]
    assert audit(cost, usage, capacity, "min", np.array([0, 1]), none).violations == ()


def test_prices_that_ran_away_prove_no_more_than_is_true() -> None:
    # The first task goes to agent 0, the second to agent 1 for 1.25; agent 1 has no room, so its price means nothing.
    cost, usage = np.array([[0, 1.5, 0], [0, 1.25, 0]]), np.array([[0, 0.25, 4], [0.25, 0, 0.25]])
    for price in (1e3, 8e11, 3e14):
        assert capacity_bound(cost, usage, np.array([4.0, 0.0]), np.array([price, price])) <= 1.25
        assert task_bound(cost, usage, np.array([4.0, 0.0]), np.array([0.0, 1.25, price])) <= 1.25


def test_the_audit_proves_the_bound_again_from_the_multipliers() -> None:
    instance = type_d(4, 24, seed=5)
    found = pg.assign(*instance, passes=2)
    again = audit(*instance, "min", found.assignment, found.multipliers)
    assert again.bound == found.bound_prices
    assert again.objective == found.objective
    assert found.bound_prices <= found.bound <= found.objective


@pytest.mark.parametrize("threads", [1, 2])
def test_stopped_by_passes_the_result_depends_on_the_seed_alone(threads: int) -> None:
    instance = type_d(5, 60, seed=1)
    first = pg.assign(*instance, passes=1, seed=7, threads=1).to_dict()
    again = pg.assign(*instance, passes=1, seed=7, threads=threads).to_dict()
    for timed in ("solve_s", "compile_s"):
        del first[timed], again[timed]
    assert first == again


def test_a_hard_instance_ends_at_its_gap_or_time_with_a_proven_gap() -> None:
    instance = type_d(10, 60, seed=3)
    found = pg.assign(*instance, time_limit=1.0, threads=1)
    assert found.status in ("optimal", "time_limit")
    assert found.gap < 0.02
    loose = pg.assign(*instance, gap=0.05, threads=1)
    assert loose.status in ("optimal", "gap_reached")
    assert loose.gap <= 0.05


def test_the_result_is_plain_json() -> None:
    found = pg.assign([[1, 2], [2, 1]], [[1, 1], [1, 1]], [1, 1])
    again = json.loads(json.dumps(found.to_dict(), allow_nan=False))
    assert again["assignment"] == [0, 1]
    assert again["objective"] == 2


def test_a_task_that_fits_no_agent_is_named() -> None:
    with pytest.raises(pg.InfeasibleError, match="task 1 fits no agent: it exceeds the capacity of each"):
        pg.assign([[1, 1], [1, 1]], [[1, 5], [1, 5]], [4, 4])
    with pytest.raises(pg.InfeasibleError, match="task 0 fits no agent: it is forbidden everywhere"):
        pg.assign([[math.inf, 1]], [[1, 1]], [4])


def test_an_instance_that_is_infeasible_as_a_whole_is_proven_so() -> None:
    # Three tasks of 2 and two agents with room for 3: each holds one.
    with pytest.raises(pg.InfeasibleError, match="no assignment keeps every capacity"):
        pg.assign(np.ones((2, 3)), np.full((2, 3), 2.0), [3, 3], passes=2)


@pytest.mark.parametrize(
    ("cost", "usage", "capacity", "sense", "message"),
    [
        ([1, 2], [[1, 1]], [1], "min", r"cost has shape \(2,\)"),
        (np.ones((2, 0)), np.ones((2, 0)), [1, 1], "min", r"cost has shape \(2, 0\)"),
        ([[1, 2]], [[1]], [1], "min", r"usage has shape \(1, 1\).*give \(1, 2\)"),
        ([[1, 2]], [[1, 1]], [1, 1], "min", r"capacity has shape \(2,\)"),
        ([[1, math.nan]], [[1, 1]], [2], "min", r"cost\[0, 1\] is NaN"),
        ([[1, -math.inf]], [[1, 1]], [2], "min", r"cost\[0, 1\] is -inf"),
        ([[1, math.inf]], [[1, 1]], [2], "max", r"cost\[0, 1\] is inf"),
        ([[1, 1]], [[1, -1]], [2], "min", r"usage\[0, 1\] is negative"),
        ([[1, 1]], [[math.inf, 1]], [2], "min", r"usage\[0, 0\] is infinite"),
        ([[1, 1]], [[1, 1]], [-2], "min", r"capacity\[0\] is negative"),
        ([[1, 1]], [[1, 1]], [math.nan], "min", r"capacity\[0\] is NaN"),
        ([[1, 1], [1]], [[1, 1]], [1], "min", "cost is not an array of real numbers"),
        (np.ma.array([[1, 2]], mask=[[False, True]]), [[1, 1]], [2], "min", r"real numbers \(some of it is masked\)"),
        ([["a", "b"]], [[1, 1]], [1], "min", "cost is not an array of real numbers"),
        (
            [[1, 1e308]],
            [[1, 1]],
            [2],
            "min",
            r"cost\[0, 1\] is too large to be added up; give numbers of at most 1e200",
        ),
        ([[1, 1]], [[1, 1]], [1e308], "min", r"capacity\[0\] is too large to be added up"),
        ([[1, 1]], [[1, 1]], [2], "most", "sense is 'most'"),
    ],
)
def test_wrong_arrays_are_refused_with_their_place(
    cost: object, usage: object, capacity: object, sense: str, message: str
) -> None:
    with pytest.raises(pg.ArrayError, match=message):
        pg.assign(cost, usage, capacity, sense=sense)  # type: ignore[arg-type]


@pytest.mark.parametrize("wrong", [{"passes": 0}, {"seed": 1.5}, {"threads": 1.5}])
def test_wrong_options_are_refused(wrong: dict[str, float]) -> None:
    with pytest.raises(pg.OptionError, match=f"{next(iter(wrong))} is "):
        pg.assign([[1]], [[1]], [1], **wrong)  # type: ignore[arg-type]


def test_the_largest_numbers_still_add_up() -> None:
    found = pg.assign([[1e200, -1e200]], [[1e200, 0.0]], [1e200], passes=1)
    assert found.objective == 0.0
    assert found.bound <= 0.0


def test_a_large_instance_of_fractions_is_solved_part_by_part_whatever_the_threads() -> None:
    draw = np.random.default_rng(0)
    usage = 1 - 10 * np.log(1 - draw.random((20, 300)))
    cost = 1000 / usage - 10 * draw.random((20, 300))
    instance = (cost, usage, 0.8 * usage.sum(axis=1) / 20)
    found = pg.assign(*instance, passes=8, threads=1)
    assert found.gap < 0.02
    assert pg.assign(*instance, passes=8, threads=2).assignment.tolist() == found.assignment.tolist()
