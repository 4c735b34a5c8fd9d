"""The linear program: each family of rows by hand, and what is read back from a point."""

from __future__ import annotations

from dataclasses import replace
from importlib.resources import as_file
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import naive
from provgrid_models.compile import compile_scenario
from provgrid_models.errors import InfeasibleError, SolverError
from provgrid_models.files import load_scenario
from provgrid_models.problem import Problem
from provgrid_optimizer.engines.lp import lp
from provgrid_optimizer.evaluate import costs, usage
from provgrid_optimizer.highs import check_point, minimise
from provgrid_optimizer.lagrangian import bound
from provgrid_optimizer.matrix import assemble, unpack
from provgrid_optimizer.options import SolveOptions, ignore_progress
from provgrid_seeds.loader import scenario_folder
from random_problems import problems, random_problem

ONE_THREAD = SolveOptions(threads=1)


def one_job(**changes: Any) -> Problem:
    """One elastic job of 8 accelerator-hours, one pool of 4 accelerators at 1 kW, grid at 1, 2, 3, 4 yuan/kWh."""
    arrays: dict[str, Any] = {
        "capacity": np.full((1, 4), 4.0),
        "kw_per_accelerator": np.ones((1, 4)),
        "block_cluster": [0],
        "block_yuan_per_kwh": [[1.0, 2.0, 3.0, 4.0]],
        "job_class": [0],
        "class_rate_pflops": [[0.5]],
        "work_pflop_h": [4.0],  # 4 PFLOP-hours at 0.5 PFLOPS = 8 accelerator-hours
        "release": [0],
        "deadline": [4],
        "max_accelerators": [4.0],
        "unserved_yuan": [1000.0],
    }
    return Problem(**(arrays | changes))


def optimum(problem: Problem) -> float:
    result = lp(problem, ONE_THREAD, ignore_progress)
    return costs(problem, result.allocation).objective_yuan


def test_elastic_work_takes_the_cheapest_hours() -> None:
    # 4 accelerators for an hour at 1 yuan and an hour at 2 yuan: 4 + 8.
    assert optimum(one_job()) == pytest.approx(12.0)


def test_the_limit_holds_in_every_period() -> None:
    # At most 2 at a time: all four hours, 2 * (1 + 2 + 3 + 4).
    assert optimum(one_job(max_accelerators=[2.0])) == pytest.approx(20.0)


def test_capacity_is_shared() -> None:
    # The pool is shut in hour 0 and halved in hour 1: 2 * 2 + 4 * 3 + 2 * 4.
    assert optimum(one_job(capacity=[[0.0, 2.0, 4.0, 4.0]])) == pytest.approx(24.0)


def test_long_periods_and_weights_count_real_hours() -> None:
    # Periods of 2 h: one of them does the work, 4 accelerators * 2 h * 1 yuan, for 10 real copies.
    assert optimum(one_job(period_h=2.0, weight=[10.0, 10.0, 10.0, 10.0])) == pytest.approx(80.0)


def test_a_rigid_job_holds_its_gang_in_one_piece_to_the_end_of_its_last_period() -> None:
    # 8 accelerator-hours on 3 accelerators take 3 whole hours: 3 * (1 + 2 + 3), from hour 0.
    assert optimum(one_job(rigid=[True], max_accelerators=[3.0])) == pytest.approx(18.0)


def test_work_is_left_where_leaving_it_costs_less() -> None:
    assert optimum(one_job(unserved_yuan=[5.0])) == pytest.approx(5.0)  # 12 by power
    # With 2 accelerators, half of it takes hours 0 and 1 for 2 + 4; the other half would cost 6 + 8, or 10 left.
    assert optimum(one_job(unserved_yuan=[20.0], capacity=np.full((1, 4), 2.0))) == pytest.approx(16.0)


def test_blocks_supply_the_floor_first_and_the_floor_costs_nothing() -> None:
    # 5 kW of the cheap block; the floor takes 3 of them, so the job finds 2 at 0.1 and 2 at the grid's price.
    # Hours 0 and 1: 2 * 0.1 + 2 * 1, 2 * 0.1 + 2 * 2; hours 2 and 3 could give 2 more each at 0.1: better than
    # the grid in hour 1. So all four cheap pairs (8 * 0.1) do all the work.
    changes = {
        "floor_kw": np.full((1, 4), 3.0),
        "block_cluster": [0, 0],
        "block_limit_kw": [[np.inf] * 4, [5.0] * 4],
        "block_yuan_per_kwh": [[1.0, 2.0, 3.0, 4.0], [0.1] * 4],
        "block_is_grid": [True, False],
    }
    assert optimum(one_job(**changes)) == pytest.approx(0.8)


def test_a_floor_above_the_supply_is_infeasible() -> None:
    with pytest.raises(InfeasibleError, match="cluster 0, period 0"):
        optimum(one_job(floor_kw=np.full((1, 4), 3.0), block_limit_kw=np.full((1, 4), 2.0)))


def test_the_demand_charge_bills_the_peak_above_the_floor() -> None:
    # At 100 yuan/kW the flattest run is best: 2 in every hour, 2 * 10 yuan of power + 2 kW * 100.
    assert optimum(one_job(demand_charge_yuan_per_kw=[100.0])) == pytest.approx(220.0)


def test_carbon_is_priced_and_its_budget_binds() -> None:
    kg = [[0.0, 1.0, 0.0, 0.0]]
    # Carbon at 5 yuan/kg makes hour 1 cost 7: hours 0 and 2, 4 * 1 + 4 * 3.
    assert optimum(one_job(block_kg_per_kwh=kg, carbon_yuan_per_kg=5.0)) == pytest.approx(16.0)
    # A budget of 1 kg leaves 1 kWh in hour 1: 4 * 1 + 1 * 2 + 3 * 3.
    assert optimum(one_job(block_kg_per_kwh=kg, carbon_budget_kg=1.0)) == pytest.approx(15.0)


def test_data_moves_first_costs_money_and_fills_its_link() -> None:
    network = {
        "link_gbps": [1.0],
        "route_start": [0, 1],
        "route_link": [0],
        "gb_yuan": [[0.01]],
        "data_gb": [450.0],  # 450 GB at 1 Gbit/s take one hour
        "move_gbps": [1.0],
    }
    # Hour 0 goes to the move: 4 * 2 + 4 * 3, and 4.5 yuan for the data.
    assert optimum(one_job(**network)) == pytest.approx(24.5)
    # At half the bandwidth only half of the job can move, and it has half of the 4 accelerators:
    # 2 * 2 + 2 * 3 + 2.25, and 500 for the other half.
    assert optimum(one_job(**(network | {"link_gbps": [0.5]}))) == pytest.approx(512.25)


def test_a_service_holds_accelerators_pays_its_traffic_and_fills_its_link() -> None:
    service = {
        "demand": [[6.0, 0.0, 0.0, 0.0]],
        "service_rate": [[2.0]],
        "service_yuan": [[0.5]],
        "service_gbps": [0.1],
        "service_unserved_yuan": [50.0],
        "link_gbps": [0.4],
        "route_start": [0, 1],
        "route_link": [0],
        "gb_yuan": [[0.0]],
    }
    # The link carries 4 units: 2 accelerators * 1 yuan + 4 * 0.5, and 2 units left at 50. The job finds 2 + 4 + 2
    # accelerators: 2 * 1 + 4 * 2 + 2 * 3.
    assert optimum(one_job(**service)) == pytest.approx(2.0 + 2.0 + 100.0 + 16.0)


def test_a_vertical_waits_for_its_base_and_its_checkpoint() -> None:
    two = {
        "job_class": [0, 0],
        "work_pflop_h": [2.0, 2.0],  # 4 accelerator-hours each: one hour at 4 accelerators
        "release": [0, 0],
        "deadline": [4, 4],
        "max_accelerators": [4.0, 4.0],
        "unserved_yuan": [1000.0, 1000.0],
        "rigid": [True, True],
    }
    assert optimum(one_job(**two)) == pytest.approx(4.0 + 8.0)
    # With one hour for the checkpoint the vertical starts in hour 2.
    after = {"after": [-1, 0], "checkpoint_gb": [0.0, 450.0], "move_gbps": [1.0, 1.0]}
    assert optimum(one_job(**two, **after)) == pytest.approx(4.0 + 12.0)


def test_a_base_that_is_left_leaves_its_vertical() -> None:
    two = {
        "job_class": [0, 0],
        "work_pflop_h": [2.0, 2.0],
        "release": [0, 0],
        "deadline": [4, 4],
        "max_accelerators": [4.0, 4.0],
        "unserved_yuan": [1.0, 3.0],  # worth less than the 4 and the 8 yuan that they would pay together
        "after": [-1, 0],
    }
    assert optimum(one_job(**two)) == pytest.approx(4.0)


def test_columns_and_rows_are_labelled() -> None:
    program = assemble(one_job(), divisible=True)
    assert {kind: block.size for kind, block in program.columns.items() if block.size} == {
        "z": 1, "u": 1, "n": 4, "used": 4, "g": 4,
    }  # fmt: skip
    assert {kind: block.size for kind, block in program.rows.items() if block.size} == {
        "share": 1, "work": 1, "limit": 4, "capacity": 4, "balance": 4,
    }  # fmt: skip
    assert program.columns["n"].ids["period"].tolist() == [0, 1, 2, 3]


def test_hard_work_has_no_unserved_column() -> None:
    assert assemble(one_job(unserved_yuan=[np.inf]), divisible=True).columns["u"].size == 0


def test_the_point_check_catches_a_tampered_point_and_a_misstated_cost() -> None:
    program = assemble(one_job(), divisible=True)
    x = minimise(program, ONE_THREAD, ignore_progress, stage="lp").x
    assert x is not None
    assert check_point(program, x, program.objective(x), "HiGHS") == pytest.approx(12.0)
    for column in range(program.n_columns):
        tampered = x.copy()
        tampered[column] += 0.01
        with pytest.raises(SolverError, match="breaks a limit"):
            check_point(program, tampered, program.objective(tampered), "HiGHS")
    with pytest.raises(SolverError, match="states a cost of 11 yuan"):
        check_point(program, x, 11.0, "HiGHS")
    with pytest.raises(SolverError, match="breaks a limit by inf"):
        check_point(program, np.full(x.size, np.nan), 12.0, "HiGHS")


def test_a_fractional_number_that_must_be_whole_is_a_violation() -> None:
    program = assemble(one_job(unserved_yuan=[20.0], capacity=np.full((1, 4), 2.0)), divisible=False)
    x = minimise(replace(program, integer=np.zeros_like(program.integer)), ONE_THREAD, ignore_progress, stage="lp").x
    assert x is not None
    assert program.violation(x) == pytest.approx(0.5)  # half of the job is placed


@settings(max_examples=60)
@given(problems())
def test_duals_prove_the_optimum_and_the_parts_sum_to_it(problem: Problem) -> None:
    program = assemble(problem, divisible=True)
    answer = minimise(program, ONE_THREAD, ignore_progress, stage="lp")
    assert answer.x is not None
    assert answer.row_duals is not None
    size = max(1.0, abs(answer.objective_yuan))
    assert program.dual_bound(answer.row_duals) == pytest.approx(answer.objective_yuan, abs=1e-6 * size)
    parts = costs(problem, unpack(problem, program, answer.x, divisible=True))
    assert parts.objective_yuan == pytest.approx(answer.objective_yuan, abs=1e-6 * size)


@settings(max_examples=60)
@given(problems(negative_prices=False))
def test_the_prices_prove_the_optimum_without_the_matrix(problem: Problem) -> None:
    """Strong duality: the bound from prices shares no code with the matrix, so this checks both."""
    result = lp(problem, ONE_THREAD, ignore_progress)
    assert result.multipliers is not None
    objective = costs(problem, result.allocation).objective_yuan
    proven = bound(problem, result.multipliers, threads=1).total_yuan
    assert proven == pytest.approx(objective, abs=1e-6 * max(1.0, abs(objective)))


@settings(max_examples=40)
@given(problems())
def test_the_prices_never_prove_more_than_the_optimum(problem: Problem) -> None:
    result = lp(problem, ONE_THREAD, ignore_progress)
    assert result.multipliers is not None
    objective = costs(problem, result.allocation).objective_yuan
    slack = 1e-6 * max(1.0, abs(objective))
    assert bound(problem, result.multipliers, threads=1).total_yuan <= objective + slack
    drawn = naive.random_order_prices(problem, np.random.default_rng(problem.n_jobs))
    assert bound(problem, replace(result.multipliers, after=drawn), threads=1).total_yuan <= objective + slack


@settings(max_examples=40)
@given(problems(), st.booleans())
def test_what_is_read_back_keeps_work_capacity_and_supply(problem: Problem, divisible: bool) -> None:
    program = assemble(problem, divisible=divisible)
    answer = minimise(program, ONE_THREAD, ignore_progress, stage="any")
    assert answer.x is not None
    allocation = unpack(problem, program, answer.x, divisible=divisible)
    used = usage(problem, allocation)
    held = used.job_accelerators + used.service_accelerators
    assert (held <= problem.capacity * (1 + 1e-6) + 1e-6).all()
    supplied = np.zeros(problem.floor_kw.shape)
    np.add.at(supplied, problem.block_cluster, allocation.block_kw)
    np.testing.assert_allclose(supplied, used.load_kw, rtol=1e-6, atol=1e-6)
    hours = problem.period_h * np.bincount(
        allocation.run_placement, weights=allocation.run_accelerators, minlength=allocation.job.size
    )
    asked = problem.accelerator_hours(slice(None))[allocation.job, allocation.pool] * allocation.share
    elastic = ~problem.rigid[allocation.job]
    np.testing.assert_allclose(hours[elastic], asked[elastic], rtol=1e-9)
    assert (hours >= asked * (1 - 1e-9)).all()
    assert (np.diff(allocation.job) >= 0).all()
    if not divisible:
        assert (allocation.share == 1.0).all()
        assert np.unique(allocation.job).size == allocation.job.size


def test_the_same_problem_gives_the_same_program() -> None:
    one, two = (assemble(random_problem(7), divisible=False) for _ in range(2))
    for name in ("cost", "column_upper", "row_upper", "start", "index", "value"):
        np.testing.assert_array_equal(getattr(one, name), getattr(two, name))


def test_the_relaxation_of_a_province_stays_small() -> None:
    with as_file(scenario_folder("zhejiang")) as folder:
        program = assemble(compile_scenario(load_scenario(folder)), divisible=True)
    assert program.n_columns <= 60_000
