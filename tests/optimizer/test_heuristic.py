from __future__ import annotations

import dataclasses
import time

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from provgrid_bench.scale import scale_problem
from provgrid_models.errors import InfeasibleError, NoPlanError
from provgrid_models.problem import Problem
from provgrid_optimizer.allocation import Allocation
from provgrid_optimizer.engine import EngineResult, Status
from provgrid_optimizer.evaluate import costs
from provgrid_optimizer.heuristic.arrays import arrays
from provgrid_optimizer.heuristic.board import TIGHTEST, Board
from provgrid_optimizer.heuristic.engine import heuristic
from provgrid_optimizer.heuristic.kernels.place import place_cheapest
from provgrid_optimizer.heuristic.prices import Ascent
from provgrid_optimizer.heuristic.pricing import pricing
from provgrid_optimizer.heuristic.squeeze import squeeze_in
from provgrid_optimizer.heuristic.state import empty_state
from provgrid_optimizer.lagrangian import bound
from provgrid_optimizer.options import Progress, SolveOptions, ignore_progress
from provgrid_optimizer.solve import solve
from random_problems import problems, random_problem

QUICK = SolveOptions(time_limit_s=0.5)  # enough for a plan of a small problem


def solved(problem: Problem, **options: object) -> EngineResult:
    return heuristic(problem, SolveOptions(**options), ignore_progress)  # type: ignore[arg-type]


def objective(problem: Problem, allocation: Allocation) -> float:
    made = costs(problem, allocation)
    return made.energy + made.carbon + made.demand_charge + made.network + made.unserved


def same(one: Allocation, other: Allocation) -> bool:
    return all(np.array_equal(getattr(one, f.name), getattr(other, f.name)) for f in dataclasses.fields(Allocation))


@settings(max_examples=15)
@given(problem=problems())
def test_every_plan_passes_the_audit_and_costs_at_least_its_bound(problem: Problem) -> None:
    made = solve(problem, "heuristic", QUICK, with_policies=False).certificate  # a broken rule raises AuditError
    assert made.audit_violations == 0
    assert not made.divisible
    assert made.bound_yuan <= made.objective_yuan + 1e-6 * max(abs(made.objective_yuan), 1.0)


@settings(max_examples=15)
@given(seed=st.integers(0, 10_000))
def test_hard_work_is_served_or_refused(seed: int) -> None:
    problem = random_problem(seed, hard=True)
    try:
        made = heuristic(problem, QUICK, ignore_progress)
    except (NoPlanError, InfeasibleError):
        return
    hard = np.isinf(problem.unserved_yuan)
    assert np.isin(np.flatnonzero(hard), made.allocation.job).all()
    assert np.isfinite(objective(problem, made.allocation))


def test_a_plan_is_never_dearer_than_no_plan() -> None:
    for seed in range(5):
        problem = random_problem(seed)
        nothing = float(problem.job_weight @ problem.unserved_yuan)
        nothing += float(problem.service_unserved_yuan @ (problem.demand @ problem.hours))
        assert objective(problem, heuristic(problem, QUICK, ignore_progress).allocation) <= nothing + 1e-6


def test_the_scale_family_is_solved_to_a_small_gap() -> None:
    problem = scale_problem(500, pools=8, hours=48, services=10)
    made = solved(problem)
    assert made.multipliers is not None
    yuan, proven = objective(problem, made.allocation), bound(problem, made.multipliers).total_yuan
    assert proven <= yuan <= proven / (1.0 - 0.06)


@pytest.mark.slow
@pytest.mark.parametrize("stop", [{"passes": 6}, {"gap": 0.08}])
def test_threads_change_no_number(stop: dict[str, float]) -> None:
    problem = scale_problem(5500, pools=4, hours=24, services=4, rigid_share=0.3)
    one, two = solved(problem, threads=1, **stop), solved(problem, threads=2, **stop)
    assert one.status == two.status
    assert same(one.allocation, two.allocation)
    assert one.multipliers is not None
    assert two.multipliers is not None
    assert np.array_equal(one.multipliers.accelerator, two.multipliers.accelerator)


def test_a_gap_that_is_reached_stops_the_search() -> None:
    problem = scale_problem(300, pools=5, hours=24, services=4)
    made = solved(problem, gap=0.5)
    assert made.status is Status.GAP_REACHED
    assert made.passes == 0


def test_passes_stop_the_search() -> None:
    made = solved(scale_problem(300, pools=5, hours=24, services=4), passes=2)
    assert made.status is Status.PASSES_REACHED
    assert made.passes == 2


@pytest.mark.parametrize("engine", ["heuristic", "local"])
def test_where_nothing_can_be_served_the_search_ends_at_once(engine: str) -> None:
    shut = dataclasses.replace(random_problem(1), capacity=np.zeros_like(random_problem(1).capacity))
    made = solve(shut, engine, with_policies=False).certificate
    assert made.objective_yuan == pytest.approx(made.bound_yuan, rel=1e-9)


def test_no_time_gives_no_plan() -> None:
    with pytest.raises(NoPlanError, match="time limit"):
        solved(random_problem(1), time_limit_s=0.0)


def test_a_short_time_limit_is_kept_and_gives_a_plan() -> None:
    problem = scale_problem(20_000, pools=8, hours=72, services=5)
    solved(random_problem(1))  # compiled now
    started = time.process_time()
    made = solved(problem, time_limit_s=2.0, threads=1)
    assert time.process_time() - started < 8.0
    assert made.status is Status.TIME_LIMIT
    assert made.allocation.job.size > 0


def test_an_interrupt_returns_the_best_plan_so_far() -> None:
    def press_ctrl_c(progress: Progress) -> None:
        if progress.stage == "plan" and progress.passes >= 1:
            raise KeyboardInterrupt

    made = heuristic(scale_problem(9_000, pools=6, hours=24, services=4), SolveOptions(passes=40), press_ctrl_c)
    assert made.status is Status.INTERRUPTED
    assert made.allocation.job.size > 0


def test_progress_and_history_tell_how_objective_and_bound_meet() -> None:
    seen: list[Progress] = []
    made = heuristic(scale_problem(1500, pools=8, hours=48, services=4), SolveOptions(), seen.append)
    assert seen
    bounds = [row[2] for row in made.history]
    plans = [row[1] for row in made.history if np.isfinite(row[1])]
    assert bounds == sorted(bounds)
    assert plans == sorted(plans, reverse=True)


def test_power_without_a_limit_beside_a_demand_charge_is_priced_without_a_warning() -> None:
    # The second block is a contract: no part of the grid's highest power, and as much of it as is wanted.
    problem = Problem(
        capacity=np.full((1, 2), 4.0),
        kw_per_accelerator=np.ones((1, 2)),
        block_cluster=[0, 0],
        block_yuan_per_kwh=[[0.5, 0.5], [0.7, 0.7]],
        block_is_grid=[True, False],
        demand_charge_yuan_per_kw=[1.0],
        job_class=[0],
        class_rate_pflops=[[1.0]],
        work_pflop_h=[2.0],
        release=[0],
        deadline=[2],
        max_accelerators=[1.0],
        unserved_yuan=[100.0],
    )
    # By contract, 2 kWh cost 1.4 yuan; a kilowatt from the grid in both hours saves 0.4 and is charged 1.
    made = solved(problem)
    assert costs(problem, made.allocation).objective_yuan == pytest.approx(1.4)


def test_a_hard_job_with_no_open_pool_is_named() -> None:
    problem = random_problem(2, services=0, after=False)
    rate = np.zeros_like(problem.class_rate_pflops)
    closed = {name: getattr(problem, name) for name in Problem.array_fields()} | {
        "class_rate_pflops": rate,
        "unserved_yuan": np.full(problem.n_jobs, np.inf),
    }
    with pytest.raises(InfeasibleError, match="hard job 0 has no open pool"):
        solved(Problem(period_h=problem.period_h, **closed))


def test_divisible_work_makes_way_for_a_gang_that_found_no_place() -> None:
    # Four accelerators, four hours, all 16 accelerator-hours asked for: a gang of 4 for 2 hours (100 yuan if unserved)
    # and four divisible jobs of 2 accelerator-hours (10 yuan each). They are put where they leave the gang no room.
    problem = Problem(
        capacity=np.full((1, 4), 4.0),
        class_rate_pflops=np.ones((1, 1)),
        block_cluster=np.array([0]),
        block_yuan_per_kwh=np.full((1, 4), 0.5),
        kw_per_accelerator=np.ones((1, 4)),
        job_class=np.zeros(5, dtype=np.int64),
        job_origin=np.zeros(5, dtype=np.int64),
        work_pflop_h=np.array([8.0, 2.0, 2.0, 2.0, 2.0]),
        release=np.zeros(5, dtype=np.int64),
        deadline=np.full(5, 4),
        max_accelerators=np.array([4.0, 1.0, 1.0, 1.0, 1.0]),
        rigid=np.array([True, False, False, False, False]),
        unserved_yuan=np.array([100.0, 10.0, 10.0, 10.0, 10.0]),
    )
    laid_out = arrays(problem)
    start = empty_state(problem)
    prices = np.array([[1.0, 2.0, 1.0, 2.0]])
    for j in range(1, 5):
        assert place_cheapest(laid_out, start, prices, j, 0)
    ascent = Ascent(problem, laid_out)
    board = Board(problem, laid_out, pricing(problem, laid_out, ascent.prices, ascent.best.offered), start)
    board.set_ramp(TIGHTEST, soft=False)
    board.respond(np.array([0]))
    assert board.yuan() == pytest.approx(8 * 0.5 + 100.0)
    squeeze_in(board, ascent.prices, ascent.best, lambda: False)
    assert board.yuan() == pytest.approx(16 * 0.5)
    assert (board.state.pool == 0).all()
