"""Each kernel against its plain twin, or against what its caller relies on."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import naive
from provgrid_models.problem import Problem
from provgrid_optimizer.heuristic.arrays import arrays
from provgrid_optimizer.heuristic.kernels.dual import add_exactly, least_of_ranges
from provgrid_optimizer.heuristic.kernels.peaks import best_peaks
from provgrid_optimizer.heuristic.kernels.place import (
    greenest_kg,
    place_cheapest,
    place_earliest,
    remove,
    room,
    serve_in_order,
    unserve,
)
from provgrid_optimizer.heuristic.kernels.windows import cheapest, cheapest_start, grow, least_run_price, sums
from provgrid_optimizer.heuristic.prices import energy_prices, sample
from provgrid_optimizer.heuristic.state import State, empty_state, supply_within_budget
from provgrid_optimizer.lagrangian import bound, evaluate
from random_problems import problems, random_problem

prices_of_a_window = st.lists(st.floats(0, 100), min_size=1, max_size=40).map(np.array)


@given(price=prices_of_a_window, share=st.floats(0, 1))
def test_sorted_hours_price_a_job_like_the_twin(price: np.ndarray, share: float) -> None:
    values, periods, total = np.empty(price.size), np.empty(price.size, np.int32), np.empty(price.size + 1)
    middle = price.size // 2
    count = grow(price, 0, middle, values, periods, 0)
    count = grow(price, middle, price.size, values, periods, count)
    sums(values, count, total)
    assert sorted(periods.tolist()) == list(range(price.size))
    assert (values == price[periods]).all()
    need = share * price.size
    assert cheapest(need, values, total, count) == pytest.approx(naive.cheapest_hours(price, need), abs=1e-9)


@given(price=prices_of_a_window, share=st.floats(0, 1), guess=st.floats(0, 120))
def test_any_guess_of_the_last_price_bounds_the_cheapest_hours_and_the_right_one_meets_them(
    price: np.ndarray, share: float, guess: float
) -> None:
    need = share * price.size
    exact = naive.cheapest_hours(price, need)
    assert least_run_price(price, 0, price.size, need, guess) <= exact + 1e-9 * max(exact, 1.0)
    last = np.sort(price)[min(int(need), price.size - 1)]
    assert least_run_price(price, 0, price.size, need, last) == pytest.approx(exact, abs=1e-9 * max(exact, 1.0))


@given(price=prices_of_a_window, data=st.data())
def test_the_sliding_window_finds_the_cheapest_start(price: np.ndarray, data: st.DataObject) -> None:
    duration = data.draw(st.integers(1, price.size))
    running = np.concatenate([[0.0], np.cumsum(price)])
    found, start = cheapest_start(running, 0, price.size, duration)
    yuan, _ = naive.cheapest_start(price, duration)
    assert found == pytest.approx(yuan, abs=1e-9)
    assert price[start : start + duration].sum() == pytest.approx(yuan, abs=1e-9)


@given(price=prices_of_a_window)
def test_range_minima_are_minima(price: np.ndarray) -> None:
    levels = int(np.log2(price.size)) + 1
    least = np.full((levels, 1, price.size), np.inf)
    least_of_ranges(price[None, :], least)
    for k in range(levels):
        for t in range(price.size - 2**k + 1):
            assert least[k, 0, t] == price[t : t + 2**k].min()


def test_the_compensated_sum_keeps_what_a_plain_one_loses() -> None:
    total, lost = 0.0, 0.0
    for value in (1e16, 1.0, -1e16):
        total, lost = add_exactly(total, lost, value)
    assert total + lost == 1.0


def filled(problem: Problem, seed: int, *, early: bool) -> State:
    """A state with services and jobs placed at random wherever they fit."""
    random = np.random.default_rng(seed)
    laid_out, state = arrays(problem), empty_state(problem)
    price = random.random(problem.capacity.shape)
    for s in range(problem.n_services):
        serve_in_order(laid_out, state, s, random.permutation(problem.n_pools))
    for j in random.permutation(problem.n_jobs):
        for p in random.permutation(problem.n_pools):
            if place_earliest(laid_out, state, j, p) if early else place_cheapest(laid_out, state, price, j, p):
                break
    return state


@settings(max_examples=40)
@given(problem=problems(), seed=st.integers(0, 1000), early=st.booleans())
def test_taking_everything_out_again_leaves_the_empty_state(problem: Problem, seed: int, early: bool) -> None:
    laid_out, state = arrays(problem), filled(problem, seed, early=early)
    for j in range(problem.n_jobs):
        remove(laid_out, state, j)
    for s in range(problem.n_services):
        unserve(laid_out, state, s)
    for name, array in empty_state(problem)._asdict().items():
        if name not in ("first", "last"):
            np.testing.assert_allclose(getattr(state, name), array, atol=1e-7)


@settings(max_examples=40)
@given(problem=problems(), seed=st.integers(0, 1000))
def test_nothing_is_placed_beyond_a_limit(problem: Problem, seed: int) -> None:
    laid_out, state = arrays(problem), filled(problem, seed, early=False)
    assert (state.used <= problem.capacity * (1 + 1e-8) + 1e-8).all()
    assert (state.load_kw <= laid_out.supply.limit_kw * (1 + 1e-8) + 1e-8).all()
    assert (state.traffic <= problem.link_gbps[:, None] * (1 + 1e-8) + 1e-8).all()
    assert supply_within_budget(problem, state.load_kw).kg <= problem.carbon_budget_kg * (1 + 1e-7) + 1e-9
    left = [[room(laid_out, state, p, t) for t in range(problem.n_periods)] for p in range(problem.n_pools)]
    assert (np.array(left) <= problem.capacity - state.used + 1e-9).all()


def test_the_greenest_supply_takes_the_cleanest_block_first() -> None:
    # 3 kW of 0.1 kg/kWh, then grid of 0.8: a load of 5 kW makes 3 * 0.1 + 2 * 0.8 = 1.9 kg/h.
    problem = Problem(
        capacity=np.ones((1, 1)),
        block_cluster=np.array([0, 0]),
        block_limit_kw=np.array([[np.inf], [3.0]]),
        block_kg_per_kwh=np.array([[0.8], [0.1]]),
    )
    assert greenest_kg(arrays(problem).supply, 0, 0, 5.0) == pytest.approx(1.9)


@settings(max_examples=30)
@given(seed=st.integers(0, 10_000))
def test_peak_prices_are_better_than_none_and_than_other_splits(seed: int) -> None:
    problem = random_problem(seed, carbon_budget=False)
    start = energy_prices(problem)
    peak = np.zeros(problem.floor_kw.shape)
    load, caps = np.zeros(problem.capacity.shape), np.zeros(problem.n_clusters)
    best_peaks(arrays(problem).supply, start.accelerator, 0.0, peak, load, caps)
    total = peak @ problem.hours
    charge = problem.demand_charge_yuan_per_kw
    peak *= np.where(total > charge, charge / np.maximum(total, 1e-300), 1.0)[:, None]

    def proves(split: np.ndarray) -> float:
        return bound(problem, type(start)(**(vars(start) | {"peak": split}))).supply_yuan

    flat = np.broadcast_to(charge[:, None] / problem.hours.sum(), peak.shape)
    other = naive.random_prices(problem, seed).peak
    for split in (np.zeros_like(peak), flat * (1 - 1e-12), other):
        assert proves(peak) >= proves(split) - 1e-9 * max(abs(proves(split)), 1.0)


def test_the_best_cap_is_where_one_more_kilowatt_saves_no_more_than_the_charge() -> None:
    # Grid at 0.2, 0.5 and 1.0 yuan/kWh; ten accelerators of 1 kW earn 1.1. One kW of cap saves 0.9, 0.6 and 0.1 yuan an
    # hour, 1.6 in all, so with a charge of 1.55 the cap is 10 kW; with 1.65 it is worth nothing. Pools of 4 and 6 kW
    # that earn 1.1 and 0.8 save 1.6 up to 4 kW, then 0.6 + 0.3 + 0: with a charge of 1 the cap is 4 kW, and the peak
    # prices come down from 0.9, 0.6, 0.1 until they sum to 1.
    def peaks(capacity: list[float], earned: list[float], charge: float) -> tuple[float, np.ndarray]:
        problem = Problem(
            capacity=np.repeat(np.array(capacity)[:, None], 3, axis=1),
            kw_per_accelerator=np.ones((len(capacity), 3)),
            pool_cluster=np.zeros(len(capacity), dtype=np.int64),
            floor_kw=np.zeros((1, 3)),
            block_cluster=np.array([0]),
            block_yuan_per_kwh=np.array([[0.2, 0.5, 1.0]]),
            demand_charge_yuan_per_kw=np.array([charge]),
        )
        peak, load, caps = np.zeros((1, 3)), np.zeros(problem.capacity.shape), np.zeros(1)
        price = np.repeat(np.array(earned)[:, None], 3, axis=1)
        best_peaks(arrays(problem).supply, price, 0.0, peak, load, caps)
        assert load.sum(axis=0).max() == pytest.approx(caps[0])
        return caps[0], peak[0]

    cap, peak = peaks([10.0], [1.1], 1.55)
    assert cap == pytest.approx(10.0)
    assert peak.sum() == pytest.approx(1.55)
    cap, peak = peaks([10.0], [1.1], 1.65)
    assert cap == 0.0
    assert peak == pytest.approx([0.9, 0.6, 0.1])
    cap, peak = peaks([4.0, 6.0], [1.1, 0.8], 1.0)
    assert cap == pytest.approx(4.0)
    assert peak.sum() == pytest.approx(1.0)
    assert (peak <= np.array([0.9, 0.6, 0.1]) + 1e-12).all()
    assert (peak >= np.array([0.6, 0.3, 0.0]) - 1e-12).all()


def test_a_sample_of_equal_jobs_proves_what_all_of_them_prove() -> None:
    # 60 copies of one job, sampled 1 in 6: 10 jobs that stand for 6 each ask for the same load at the same cost.
    one = random_problem(8, jobs=1, pools=3, periods=8, services=0, rigid=False, after=False, links=False)
    by_job = [name for name, meta in Problem.array_fields().items() if meta["shape"] == ("J",)]
    given_arrays = {name: getattr(one, name) for name in Problem.array_fields()}
    problem = Problem(**(given_arrays | {name: np.repeat(given_arrays[name], 60) for name in by_job}))
    prices, whole = energy_prices(problem), arrays(problem)
    few = evaluate(problem, sample(whole, 6), prices)
    full = evaluate(problem, whole, prices)
    assert few.job_pool.size == 10
    assert few.bound.total_yuan == pytest.approx(full.bound.total_yuan, rel=1e-9)
    np.testing.assert_allclose(few.asked, full.asked, atol=1e-9)
