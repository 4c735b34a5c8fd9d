from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

import provgrid as pg
from provgrid.report.scarcity import power_price_yuan_per_kwh, scarcity_yuan_per_h
from provgrid_optimizer.lagrangian import bound

# Two blocks: 10 kW at 0.1 and 10 kW at 0.5 yuan/kWh; the idle floor draws 2 kW.
ASK, LIMIT = np.array([0.1, 0.5]), np.array([10.0, 10.0])


def price(pays: list[float], kw: list[float], capacity: list[float], floor: float = 2.0) -> float:
    return power_price_yuan_per_kwh(ASK, LIMIT, floor, np.array(pays), np.array(kw), np.array(capacity))


def test_power_costs_what_the_block_in_use_asks() -> None:
    # 4 accelerators of 1 kW beside 2 kW of floor: 6 kW, all in the first block.
    assert price([1.0], [1.0], [4.0]) == 0.1
    # 12 of them need 14 kW: the second block sets the price, and 1.0 is more than it asks.
    assert price([1.0], [1.0], [12.0]) == 0.5


def test_a_pool_that_pays_less_than_the_next_block_sets_the_price() -> None:
    # 0.3 yuan for 1 kWh: worth the first block and not the second, where its 12 accelerators would reach.
    assert price([0.3], [1.0], [12.0]) == 0.3


def test_a_pool_that_pays_less_than_any_power_leaves_the_price_as_it_is() -> None:
    assert price([0.05], [1.0], [4.0]) == 0.1


def test_power_that_ends_is_worth_what_the_last_pool_pays() -> None:
    # 30 kW are wanted and 20 are there: the pool would pay 2 yuan for one more.
    assert price([2.0], [1.0], [30.0]) == 2.0


def test_pools_that_pay_more_for_a_kilowatt_hour_come_first() -> None:
    # 8 kW at 2 yuan fill the first block, 4 kW at 0.2 find the second, which asks 0.5: the price is what it pays.
    assert price([0.2, 2.0], [1.0, 1.0], [4.0, 8.0]) == 0.2


@pytest.mark.parametrize("name", ["toy", "zhejiang"])
def test_one_more_accelerator_moves_the_bound_by_what_it_is_worth(name: str) -> None:
    plan = pg.solve(pg.load(name), engine="local", policies=False, passes=20)
    problem, prices = plan.problem, plan.multipliers
    worth = scarcity_yuan_per_h(problem, prices) @ problem.hours
    assert worth.max() > 0
    before = bound(problem, prices).supply_yuan
    step = 1e-4
    for pool in np.argsort(-worth)[:3]:
        # Growing a pool also opens it to gangs that it was too small for; the supply term alone is the derivative.
        capacity = problem.capacity.copy()
        capacity[pool] -= step
        less = bound(replace(problem, capacity=capacity), prices).supply_yuan
        assert (less - before) / step == pytest.approx(worth[pool], rel=1e-3)
