"""The indivisible problem: never below the relaxation, whole, and true to the order of jobs."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings

from provgrid_models.problem import Problem
from provgrid_optimizer.allocation import Allocation
from provgrid_optimizer.engine import Status
from provgrid_optimizer.engines.lp import lp
from provgrid_optimizer.engines.milp import milp
from provgrid_optimizer.evaluate import costs
from provgrid_optimizer.heuristic.engine import heuristic
from provgrid_optimizer.highs import minimise
from provgrid_optimizer.matrix import assemble, point, unpack
from provgrid_optimizer.options import SolveOptions, ignore_progress
from random_problems import problems, random_problem

ONE_THREAD = SolveOptions(threads=1)


def run_periods(allocation: Allocation, job: int) -> np.ndarray:
    placement = np.flatnonzero(allocation.job == job)
    return np.concatenate(
        [allocation.run_period[allocation.run_start[i] : allocation.run_start[i + 1]] for i in placement.tolist()]
        or [np.zeros(0, dtype=np.int32)]
    )


@settings(max_examples=40)
@given(problems(max_jobs=6, max_periods=8))
def test_it_is_never_below_the_relaxation_and_meets_its_own_bound(problem: Problem) -> None:
    relaxed = costs(problem, lp(problem, ONE_THREAD, ignore_progress).allocation).objective_yuan
    result = milp(problem, ONE_THREAD, ignore_progress)
    whole = costs(problem, result.allocation).objective_yuan
    size = max(1.0, abs(whole))
    assert result.status is Status.OPTIMAL
    assert relaxed <= whole + 1e-6 * size
    assert result.bound_yuan == pytest.approx(whole, abs=1e-6 * size)
    assert not result.allocation.divisible


@settings(max_examples=60)
@given(problems(after=True, max_jobs=6, max_periods=8))
def test_verticals_wait_for_the_last_period_of_their_base(problem: Problem) -> None:
    allocation = milp(problem, ONE_THREAD, ignore_progress).allocation
    for vertical in np.flatnonzero(problem.after >= 0).tolist():
        mine, theirs = run_periods(allocation, vertical), run_periods(allocation, int(problem.after[vertical]))
        if mine.size:
            assert theirs.size
            assert mine.min() >= theirs.max() + 1 + problem.after_lag[vertical]


def test_a_rigid_gang_is_whole_and_in_one_piece() -> None:
    for seed in range(20):
        problem = random_problem(seed, elastic=False)
        allocation = milp(problem, ONE_THREAD, ignore_progress).allocation
        for i, job in enumerate(allocation.job.tolist()):
            rows = slice(allocation.run_start[i], allocation.run_start[i + 1])
            assert (np.diff(allocation.run_period[rows]) == 1).all()
            assert (allocation.run_accelerators[rows] == problem.max_accelerators[job]).all()
            duration = problem.durations(np.array([job]))[0, allocation.pool[i]]
            assert allocation.run_period[rows].size == duration


def test_an_elastic_base_that_is_half_done_does_not_release_its_vertical() -> None:
    # Two accelerators, two hours. The base needs 3 accelerator-hours of the 4; the vertical asks for 1.
    # Divided, half of the base would do for half of the vertical; whole, the vertical has no hour after hour 1.
    problem = Problem(
        capacity=np.full((1, 2), 2.0),
        job_class=[0, 0],
        class_rate_pflops=[[1.0]],
        work_pflop_h=[3.0, 1.0],
        release=[0, 0],
        deadline=[2, 2],
        max_accelerators=[2.0, 1.0],
        unserved_yuan=[100.0, 60.0],
        after=[-1, 0],
    )
    assert costs(problem, milp(problem, ONE_THREAD, ignore_progress).allocation).objective_yuan == pytest.approx(60.0)
    # Divided: 2 of 3 parts done in hour 0 release 2/3 of the vertical, and hour 1 has room for it and the last part;
    # 60 / 3 is left.
    assert costs(problem, lp(problem, ONE_THREAD, ignore_progress).allocation).objective_yuan == pytest.approx(20.0)


def test_a_gang_whose_data_fill_a_link_is_not_cut_off() -> None:
    # The link carries 2 Gbit/s: the gang's data, and before and after them 1.28e-7 Gbit/s for each token/s served
    # beyond it. At HiGHS's own tolerances, its presolve loses every plan that serves the gang.
    periods = 36
    problem = Problem(
        capacity=np.repeat([[36.0], [130.0]], periods, axis=1),
        kw_per_accelerator=np.full((2, periods), 0.5),
        block_cluster=[0, 1],
        block_yuan_per_kwh=np.full((2, periods), 0.5),
        link_gbps=[2.0],
        route_start=[0, 0, 1, 2, 2],
        route_link=[0, 0],
        gb_yuan=[[0.0, 0.03], [0.03, 0.0]],
        job_class=[0, 0, 0],
        class_rate_pflops=[[0.21, 0.05]],
        job_origin=[0, 1, 0],
        work_pflop_h=[110.0, 60.0, 20.0],
        release=[0, 0, 0],
        deadline=[periods] * 3,
        max_accelerators=[64.0, 48.0, 24.0],
        rigid=[True, False, False],
        after=[-1, -1, 0],
        data_gb=[800.0, 2000.0, 100.0],
        move_gbps=[2.0, 1.0, 2.0],
        checkpoint_gb=[0.0, 0.0, 1342.0],
        unserved_yuan=[20_000.0, 7_000.0, 3_000.0],
        demand=np.full((1, periods), 5_000.0),
        service_rate=[[700.0, 1_500.0]],
        service_origin=[1],
        service_yuan=[[1e-6, 0.0]],
        service_gbps=[1.28e-7],
        service_unserved_yuan=[0.01],
    )
    assert 0 in milp(problem, ONE_THREAD, ignore_progress).allocation.job


def test_a_gap_that_was_asked_for_is_reached_and_said() -> None:
    problem = random_problem(5, jobs=25, pools=5, periods=16, elastic=False, after=False)
    result = milp(problem, SolveOptions(gap=0.5, threads=1, time_limit_s=60), ignore_progress)
    objective = costs(problem, result.allocation).objective_yuan
    assert (objective - result.bound_yuan) / max(1.0, abs(objective)) <= 0.5
    assert result.status in (Status.GAP_REACHED, Status.OPTIMAL)


def test_the_same_seed_gives_the_same_plan() -> None:
    problem = random_problem(11)
    one, two = (milp(problem, SolveOptions(seed=3), ignore_progress).allocation for _ in range(2))
    np.testing.assert_array_equal(one.block_kw, two.block_kw)
    np.testing.assert_array_equal(one.run_accelerators, two.run_accelerators)


def larger() -> Problem:
    """Enough columns that the heuristic comes first, and too many whole numbers to be done in a second."""
    return random_problem(5, jobs=60, pools=6, clusters=3, periods=24, services=3)


def test_a_plan_read_from_a_point_is_the_plan_that_the_point_was_made_of() -> None:
    for seed in range(12):
        problem = random_problem(seed, jobs=8, hard=False)
        allocation = milp(problem, ONE_THREAD, ignore_progress).allocation
        program = assemble(problem, divisible=False)
        x = point(problem, program, allocation)
        assert program.violation(x) <= 1e-6
        yuan = costs(problem, allocation).objective_yuan
        assert program.objective(x) == pytest.approx(yuan, abs=1e-6 * max(1.0, abs(yuan)))
        again = unpack(problem, program, x, divisible=False)
        np.testing.assert_array_equal(again.pool, allocation.pool)
        np.testing.assert_allclose(again.run_accelerators, allocation.run_accelerators)


def test_the_heuristics_plan_starts_the_tree() -> None:
    problem = larger()
    first = heuristic(problem, ONE_THREAD, ignore_progress)
    program = assemble(problem, divisible=False)
    x = point(problem, program, first.allocation)
    assert program.violation(x) <= 1e-6
    answer = minimise(program, ONE_THREAD, ignore_progress, stage="milp", time_limit_s=1.0, start=x)
    assert answer.x is not None
    assert answer.objective_yuan <= costs(problem, first.allocation).objective_yuan * (1 + 1e-9)
    assert "MIP start solution is feasible" in answer.log


def test_where_the_tree_has_no_time_the_heuristics_plan_is_returned() -> None:
    problem = larger()
    result = milp(problem, SolveOptions(threads=1, time_limit_s=0.4), ignore_progress)
    assert result.status is Status.TIME_LIMIT
    assert not result.allocation.divisible
    assert result.multipliers is not None


def test_a_plan_of_the_heuristic_within_the_gap_needs_no_tree() -> None:
    result = milp(larger(), SolveOptions(threads=1, gap=0.9), ignore_progress)
    assert result.status is Status.GAP_REACHED
    assert "branch" not in result.log.lower()
