from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

import provgrid as pg
from provgrid.report.scarcity import Scarcity, one_more_yuan, power_price_yuan_per_kwh, scarcity
from provgrid_models.problem import Problem
from provgrid_optimizer.answers.changes import change_of
from provgrid_optimizer.lagrangian import bound
from tiny import tiny_scenario

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


@pytest.mark.parametrize("name", ["toy", pytest.param("zhejiang", marks=pytest.mark.slow)])
def test_one_more_accelerator_moves_the_bound_by_what_it_is_worth(name: str) -> None:
    plan = pg.solve(pg.load(name), engine="local", policies=False, passes=20)
    problem, prices = plan.problem, plan.multipliers
    worth = scarcity(problem, prices).yuan_per_h @ problem.hours
    assert worth.max() > 0
    before = bound(problem, prices).supply_yuan
    step = 1e-4
    for pool in np.argsort(-worth)[:3]:
        # Growing a pool also opens it to gangs that it was too small for; the supply term alone is the derivative.
        capacity = problem.capacity.copy()
        capacity[pool] -= step
        less = bound(replace(problem, capacity=capacity), prices).supply_yuan
        assert (less - before) / step == pytest.approx(worth[pool], rel=1e-3)


def test_one_more_installed_accelerator_is_there_for_its_availability_and_draws_its_idle_power() -> None:
    """Hub_b's 12 h at 1 yuan an hour, at 0.5 yuan/kWh: 0.8 of 12, less 0.1 kW * 1.25 * PUE 1.2 * 12 h * 0.5."""
    scenario = tiny_scenario()
    problem = pg.compile(scenario)
    found = Scarcity(yuan_per_h=np.ones((3, 12)), power_yuan_per_kwh=np.full((3, 12), 0.5))
    # city_a: available always, PUE 1.5: 12 - 0.1 * 1.25 * 1.5 * 6; prov_c: overhead 1, PUE 1.25: 12 - 0.1 * 1.25 * 6.
    expected = [12.0 - 1.125, 9.6 - 0.9, 12.0 - 0.75]
    assert one_more_yuan(found, problem, scenario) == pytest.approx(expected)
    assert one_more_yuan(found, problem, None) == pytest.approx([12.0, 12.0, 12.0])


@pytest.mark.parametrize("name", ["toy", pytest.param("zhejiang", marks=pytest.mark.slow)])
def test_one_more_is_what_the_bound_and_the_idle_floor_say_of_the_scenario_with_it(name: str) -> None:
    plan = pg.solve(pg.load(name), engine="local", policies=False, passes=20)
    problem, prices = plan.problem, plan.multipliers
    net = one_more_yuan(scarcity(problem, prices), problem, plan.scenario)

    def least(one: Problem) -> float:
        """All that is paid for power at these prices, the idle floor too."""
        return float(bound(one, prices).supply_yuan + one.floor_yuan)

    for pool in (int(net.argmax()), int(net.argmin())):
        change = change_of(plan, problem.labels.pools[pool])
        before, after = (least(change.problem_at(step)) for step in (-1e-3, 1e-3))
        assert (before - after) / 2e-3 == pytest.approx(net[pool], rel=1e-3, abs=1e-6)


def test_the_figure_of_a_card_is_that_of_value_where_bound_and_plan_have_the_same_prices() -> None:
    """Of the relaxation, the prices that prove the bound are those of the plan: hami's accelerators only idle."""
    plan = pg.solve(pg.load("toy"), engine="lp", policies=False, threads=1)
    net = one_more_yuan(scarcity(plan.problem, plan.multipliers), plan.problem, plan.scenario)
    compared = 0
    for pool, yuan in zip(plan.problem.labels.pools, net.tolist(), strict=True):
        price = plan.value(pool, more=[]).price
        if not price.degenerate:
            assert yuan == pytest.approx(price.price_yuan, abs=0.01)
            compared += 1
    assert compared
