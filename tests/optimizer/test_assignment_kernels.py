"""The kernels of the plain assignment against plain loops, and what their search may claim."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from naive_assignment import beam_by_hand, cheapest, relaxed_at, type_d
from provgrid_optimizer.assignment.instance import check, lay_out
from provgrid_optimizer.assignment.kernels.beam import beam
from provgrid_optimizer.assignment.kernels.dual import capacity_prices, task_prices
from provgrid_optimizer.assignment.ordering import affinities, chain, draw_order
from provgrid_optimizer.assignment.parts import Parts
from provgrid_optimizer.assignment.search import luby

GO = np.zeros(1, dtype=np.bool_)


@settings(max_examples=40)
@given(st.integers(0, 2**32 - 1), st.sampled_from([1, 3, 40]))
def test_a_beam_keeps_the_states_that_plain_loops_keep(seed: int, width: int) -> None:
    draw = np.random.default_rng(seed)
    instance = lay_out(*check(*type_d(3, 8, seed), "min"))
    price = instance.cost.min(axis=1) + draw.uniform(0, 30, 8)
    order, agent = draw.permutation(8), np.zeros(8, dtype=np.int64)
    found, dropped = beam(instance.units, price, order, width, np.inf, GO, agent)
    expected, least = beam_by_hand(instance, price, order, width)
    assert dropped == pytest.approx(least)
    assert found == pytest.approx(expected)
    if found < np.inf:
        assert instance.cost[np.arange(8), agent].sum() == found
        load = np.bincount(agent, instance.usage[np.arange(8), agent], 3)
        assert (load <= instance.capacity).all()


@settings(max_examples=40)
@given(st.integers(0, 2**32 - 1), st.integers(1, 60), st.floats(0, 60))
def test_no_assignment_beats_the_one_found_what_was_dropped_and_the_limit(seed: int, width: int, slack: float) -> None:
    arrays = type_d(3, 7, seed)
    best = cheapest(*arrays)
    instance = lay_out(*check(*arrays, "min"))
    draw = np.random.default_rng(seed)
    price, agent = instance.cost.min(axis=1) + draw.normal(20, 9, 7), np.zeros(7, dtype=np.int64)
    limit = (best if best < np.inf else 400.0) - 20 + slack
    found, dropped = beam(instance.units, price, draw.permutation(7), width, limit, GO, agent)
    assert found >= best
    assert best >= min(found, dropped, limit) - 1e-9


def test_a_halted_beam_and_ascent_claim_nothing() -> None:
    instance = lay_out(*check(*type_d(3, 9, 0), "min"))
    halted = np.ones(1, dtype=np.bool_)
    price = instance.cost.min(axis=1)
    agent = np.zeros(9, dtype=np.int64)
    assert beam(instance.units, price, np.arange(9), 9, np.inf, halted, agent) == (np.inf, -np.inf)
    prices, bound, _ = task_prices(instance.cost, instance.size, instance.cells, price, 500.0, 9, 1.0, halted)
    assert bound == -np.inf
    assert prices.tolist() == price.tolist()


@settings(max_examples=20)
@given(st.integers(0, 2**32 - 1))
def test_the_ascent_reports_the_bound_of_its_prices_and_never_a_lesser_one_than_at_first(seed: int) -> None:
    instance = lay_out(*check(*type_d(3, 8, seed), "min"))
    first = instance.cost.min(axis=1) + 20
    prices, bound, _ = task_prices(instance.cost, instance.size, instance.cells, first, 600.0, 40, 1.0, GO)
    assert bound == pytest.approx(relaxed_at(instance, prices))
    assert bound >= relaxed_at(instance, first) - 1e-9


def test_usage_of_fractions_keeps_its_sums_in_units() -> None:
    # 0.1 + 0.2 fill 0.3 though not in floats; one millionth more does not fit.
    instance = lay_out(np.ones((1, 2)), np.array([[0.1, 0.2]]), np.array([0.3]))
    assert instance.units.need.sum() <= instance.units.room[0]
    instance = lay_out(np.ones((1, 2)), np.array([[0.1, 0.2]]), np.array([0.2999999]))
    assert instance.units.need.sum() > instance.units.room[0]


def test_widths_give_every_power_of_two_the_same_time() -> None:
    drawn = [luby(i) for i in range(1, 64)]
    assert drawn[:15] == [1, 1, 2, 1, 1, 2, 4, 1, 1, 2, 1, 1, 2, 4, 8]
    assert [width * drawn.count(width) for width in (1, 2, 4, 8, 16, 32)] == [32] * 6


def test_an_order_takes_agents_that_compete_one_after_the_other() -> None:
    # Agents 0 and 1 compete for tasks 0 and 1 (regret 1), agents 2 and 3 for tasks 2 and 3.
    reduced = np.array([[0, 1, 9, 9], [1, 0, 9, 9], [9, 9, 0, 1], [9, 9, 1, 0]], dtype=float)
    bond = affinities(reduced)
    assert bond[0, 1] == bond[2, 3] > bond[0, 2] == 0
    for seed in range(9):
        draw = np.random.default_rng(seed)
        assert sorted(chain(bond, draw)[:2]) in ([0, 1], [2, 3])
        order = draw_order(np.arange(4), bond, draw).tolist()
        assert sorted(order) == [0, 1, 2, 3]
        assert set(order[:2]) in ({0, 1}, {2, 3})


def test_parts_place_every_task_within_the_capacities_and_near_the_bound() -> None:
    arrays = type_d(12, 120, 3)
    instance = lay_out(*check(*arrays, "min"))
    capacity_price, _ = capacity_prices(instance.cost, instance.usage, instance.capacity, 0.1, 300)
    priced = instance.cost + capacity_price * instance.usage
    price, reduced = priced.min(axis=1), priced - priced.min(axis=1)[:, None]
    costs = []
    with ThreadPoolExecutor(2) as pool:
        parts = Parts.empty(instance, reduced, affinities(reduced))
        parts.start(capacity_price, 9_000, GO, 0)
        assert np.isin(parts.current, np.arange(12)).all()
        draw = np.random.default_rng(0)
        for _ in range(30):
            parts.sweep(price, 1.0, GO, draw, pool)
            found = parts.filled()
            costs.append(np.inf if found is None else instance.cost[np.arange(120), found].sum())
            if found is not None:
                load = np.bincount(found, instance.usage[np.arange(120), found], 12)
                assert (load <= instance.capacity).all()
                waits = parts.current == 12
                assert (found == parts.current)[~waits].all()
                assert waits.any() or parts.cost(price) == costs[-1]
    assert costs[-1] < np.inf
    assert min(costs) < 1.01 * (price.sum() - capacity_price @ instance.capacity)
