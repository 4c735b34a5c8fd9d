"""The energy-cost model: power of accelerators, supply blocks, and the cheapest supply of a load."""

import highspy
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from provgrid_models.energy import (
    Supply,
    busy_kw_per_accelerator,
    idle_floor_kw,
    least_cost_supply,
    scaled_demand_charge,
    supply_blocks,
)
from provgrid_models.errors import InfeasibleError
from provgrid_models.problem import Labels, Problem


def one_cluster(periods: int, **changes) -> Problem:
    """One cluster with a grid block and a solar block, one pool that is never used."""
    fields = {
        "capacity": np.ones((1, periods)),
        "floor_kw": np.zeros((1, periods)),
        "block_cluster": [0, 0],
        "block_limit_kw": np.full((2, periods), np.inf),
        "block_yuan_per_kwh": np.ones((2, periods)),
        "block_kg_per_kwh": np.zeros((2, periods)),
        "block_is_grid": [True, False],
    }
    return Problem(**(fields | changes))


def test_a_busy_accelerator_draws_what_it_adds_to_the_idle_floor():
    # (0.7 - 0.1) kW * 1.5 server * 1.2 PUE = 1.08 kW
    assert busy_kw_per_accelerator(0.7, 0.1, 1.5, 1.2) == pytest.approx(1.08)
    # 100 * 0.1 * 1.5 * 1.2 = 18 kW and 10 * 0.2 * 1 * 1.2 = 2.4 kW in cluster 1; none in cluster 0
    floor = idle_floor_kw(
        np.array([100.0, 10.0]), np.array([0.1, 0.2]), np.array([1.5, 1.0]), np.array([1.2, 1.2]), np.array([1, 1]), 2
    )
    assert floor == pytest.approx([0.0, 20.4])


def test_a_bill_over_two_tariff_hours_matches_the_bill_by_hand():
    # Load 100 kW in both hours; solar gives 30 kW, then 0, at 0.2 yuan.
    # Hour 0: 30 * 0.2 + 70 * 0.5 = 41. Hour 1 (peak tariff): 100 * 1.1 = 110. Energy 151 yuan.
    # Carbon: 0.6 kg/kWh of grid: (70 + 100) * 0.6 = 102 kg at 0.08 yuan = 8.16 yuan.
    # Demand charge: 36.5 yuan/kW-month * 2 h / 730 h = 0.1 yuan/kW; 100 kW of peak = 10 yuan.
    problem = one_cluster(
        2,
        block_limit_kw=[[np.inf, np.inf], [30.0, 0.0]],
        block_yuan_per_kwh=[[0.5, 1.1], [0.2, 0.2]],
        block_kg_per_kwh=[[0.6, 0.6], [0.0, 0.0]],
        carbon_yuan_per_kg=0.08,
        demand_charge_yuan_per_kw=scaled_demand_charge(np.array([36.5]), 2.0),
    )
    supply = least_cost_supply(problem, np.array([[100.0, 100.0]]))
    assert supply.energy_yuan == pytest.approx(151.0)
    assert supply.kg == pytest.approx(102.0)
    assert supply.carbon_yuan == pytest.approx(8.16)
    assert supply.demand_charge_yuan == pytest.approx(10.0)
    assert supply.peak_kw == pytest.approx([100.0])
    assert supply.total_yuan == pytest.approx(169.16)
    np.testing.assert_allclose(supply.block_kw, [[70.0, 100.0], [30.0, 0.0]])


def test_a_dear_contract_shaves_the_peak_as_far_as_the_charge_pays_for_it():
    # Load 10, 10, 40 kW; grid 1 yuan, contract 3 yuan and at most 25 kW; charge 5 yuan/kW.
    # Every kW shaved off hour 2 costs 2 and saves 5, until the peak is 40 - 25 = 15 kW.
    # Energy 10 + 10 + 15 + 25 * 3 = 110; charge 15 * 5 = 75.
    problem = one_cluster(
        3,
        block_limit_kw=[[np.inf] * 3, [25.0] * 3],
        block_yuan_per_kwh=[[1.0] * 3, [3.0] * 3],
        demand_charge_yuan_per_kw=[5.0],
    )
    supply = least_cost_supply(problem, np.array([[10.0, 10.0, 40.0]]))
    assert supply.peak_kw == pytest.approx([15.0])
    assert supply.total_yuan == pytest.approx(185.0)
    # With 40 kW on offer the cap would go to 10 kW, where three hours bind: 3 * 2 = 6 > 5 stops it.
    deeper = one_cluster(
        3,
        block_limit_kw=[[np.inf] * 3, [40.0] * 3],
        block_yuan_per_kwh=[[1.0] * 3, [3.0] * 3],
        demand_charge_yuan_per_kw=[5.0],
    )
    assert least_cost_supply(deeper, np.array([[10.0, 10.0, 40.0]])).peak_kw == pytest.approx([10.0])


def test_an_extra_carbon_price_steers_the_choice_and_stays_out_of_the_bill():
    # Grid 1 yuan and 1 kg, contract 1.5 yuan and 0 kg: an extra yuan per kg turns the order round.
    problem = one_cluster(1, block_yuan_per_kwh=[[1.0], [1.5]], block_kg_per_kwh=[[1.0], [0.0]])
    plain = least_cost_supply(problem, np.array([[10.0]]))
    steered = least_cost_supply(problem, np.array([[10.0]]), carbon_extra_yuan_per_kg=1.0)
    assert (plain.total_yuan, plain.kg) == pytest.approx((10.0, 10.0))
    assert (steered.total_yuan, steered.kg) == pytest.approx((15.0, 0.0))


def test_at_equal_prices_the_grid_comes_last():
    problem = one_cluster(1, block_limit_kw=[[50.0], [4.0]])
    np.testing.assert_allclose(least_cost_supply(problem, np.array([[10.0]])).block_kw, [[6.0], [4.0]])


def test_a_load_above_all_limits_names_cluster_period_and_both_figures():
    problem = one_cluster(2, block_limit_kw=[[50.0, 50.0], [10.0, 0.0]], labels=Labels(clusters=["hami"]))
    with pytest.raises(InfeasibleError, match=r"cluster hami, period 1: 55 kW asked, 50 kW there"):
        least_cost_supply(problem, np.array([[60.0, 55.0]]))


def test_a_cluster_without_blocks_supplies_nothing_but_nothing():
    problem = Problem(capacity=np.ones((1, 2)))
    assert least_cost_supply(problem, np.zeros((1, 2))).total_yuan == 0.0
    with pytest.raises(InfeasibleError, match="1 kW asked, 0 kW there"):
        least_cost_supply(problem, np.array([[0.0, 1.0]]))


def test_take_or_pay_is_a_constant_with_zero_marginal_price():
    # 1 MW * (0.5 + 0.25) * 0.3 yuan/kWh * 2 real hours a period = 450 yuan; the other contract stays as it is.
    blocks = supply_blocks(
        grid_limit_kw=np.array([2000.0]),
        grid_yuan_per_kwh=np.array([[0.4, 0.6]]),
        grid_kg_per_kwh=np.array([[0.5, 0.5]]),
        contract_cluster=np.array([0, 0]),
        contract_kw=np.array([1000.0, 400.0]),
        capacity_factor=np.array([[0.5, 0.25], [1.0, 1.0]]),
        contract_yuan_per_kwh=np.array([0.3, 0.2]),
        contract_kg_per_kwh=np.array([0.0, 0.01]),
        take_or_pay=np.array([True, False]),
        hours=np.array([2.0, 2.0]),
    )
    assert blocks.take_or_pay_yuan == pytest.approx(450.0)
    np.testing.assert_allclose(blocks.block_yuan_per_kwh, [[0.4, 0.6], [0.0, 0.0], [0.2, 0.2]])
    np.testing.assert_allclose(blocks.block_limit_kw, [[2000.0, 2000.0], [500.0, 250.0], [400.0, 400.0]])
    np.testing.assert_allclose(blocks.block_kg_per_kwh, [[0.5, 0.5], [0.0, 0.0], [0.01, 0.01]])
    assert blocks.block_is_grid.tolist() == [True, False, False]


def random_supply(seed: int) -> tuple[Problem, np.ndarray]:
    """Up to 3 clusters x 4 blocks x 6 periods, some limits infinite, some charges 0, prices that tie."""
    rng = np.random.default_rng(seed)
    clusters, periods = int(rng.integers(1, 4)), int(rng.integers(1, 7))
    blocks = clusters + int(rng.integers(0, 3 * clusters + 1))
    block_cluster = np.concatenate([np.arange(clusters), rng.integers(0, clusters, blocks - clusters)])
    limit = rng.integers(0, 20, (blocks, periods)) * 1.0
    limit[rng.random(blocks) < 0.3] = np.inf
    there = np.zeros((clusters, periods))
    np.add.at(there, block_cluster, limit)
    load = np.minimum(rng.uniform(0, 60, (clusters, periods)), there)
    problem = Problem(
        capacity=np.ones((clusters, periods)),
        floor_kw=np.zeros((clusters, periods)),
        weight=rng.integers(1, 4, periods) * 1.0,
        period_h=0.5,
        block_cluster=block_cluster,
        block_limit_kw=limit,
        block_yuan_per_kwh=rng.integers(-2, 8, (blocks, periods)) * 0.5,
        block_kg_per_kwh=rng.random((blocks, periods)),
        block_is_grid=rng.random(blocks) < 0.5,
        demand_charge_yuan_per_kw=np.where(rng.random(clusters) < 0.3, 0.0, rng.uniform(0, 12, clusters)),
        carbon_yuan_per_kg=float(rng.random()),
    )
    return problem, load


def optimum_by_lp(problem: Problem, load_kw: np.ndarray, carbon_extra: float) -> float:
    """Solve the same choice as a linear program: blocks g, caps D; extra carbon price included."""
    model = highspy.Highs()
    model.setOptionValue("output_flag", False)
    price = problem.block_yuan_per_kwh + (problem.carbon_yuan_per_kg + carbon_extra) * problem.block_kg_per_kwh
    caps = [model.addVariable(0, np.inf, float(d)) for d in problem.demand_charge_yuan_per_kw]
    power = [
        [
            model.addVariable(0, float(problem.block_limit_kw[b, t]), float(problem.hours[t] * price[b, t]))
            for t in range(problem.n_periods)
        ]
        for b in range(problem.n_blocks)
    ]
    for c in range(problem.n_clusters):
        for t in range(problem.n_periods):
            here = [b for b in range(problem.n_blocks) if problem.block_cluster[b] == c]
            model.addConstr(sum(power[b][t] for b in here) == float(load_kw[c, t]))
            grid = [b for b in here if problem.block_is_grid[b]]
            if grid:
                model.addConstr(sum(power[b][t] for b in grid) <= caps[c])
    model.run()
    assert model.getModelStatus() == highspy.HighsModelStatus.kOptimal
    return float(model.getInfo().objective_function_value)


def assert_balanced(problem: Problem, load_kw: np.ndarray, supply: Supply) -> None:
    total = np.zeros(load_kw.shape)
    np.add.at(total, problem.block_cluster, supply.block_kw)
    np.testing.assert_allclose(total, load_kw, atol=1e-9)
    assert (supply.block_kw >= 0).all()
    assert (supply.block_kw <= problem.block_limit_kw + 1e-9).all()


@given(seed=st.integers(0, 2**32 - 1), carbon_extra=st.sampled_from([0.0, 0.0, 0.7]))
@settings(max_examples=60)
def test_the_cheapest_supply_is_the_optimum_of_the_same_linear_program(seed, carbon_extra):
    problem, load = random_supply(seed)
    supply = least_cost_supply(problem, load, carbon_extra)
    assert_balanced(problem, load, supply)
    best = optimum_by_lp(problem, load, carbon_extra)
    assert supply.total_yuan + carbon_extra * supply.kg == pytest.approx(best, rel=1e-7, abs=1e-6)
