"""The relaxation by columns: the same optimum as the whole program, on a fraction of its columns."""

from __future__ import annotations

import _thread
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from provgrid_bench.reference import KNOWN_LP_OPTIMA, reference_problem
from provgrid_bench.scale import scale_problem
from provgrid_models.errors import InfeasibleError, NoPlanError
from provgrid_models.problem import Problem
from provgrid_optimizer.allocation import Allocation
from provgrid_optimizer.audit import audit, case_from_arrays
from provgrid_optimizer.audit.plan import from_allocation
from provgrid_optimizer.columns.carry import Carried
from provgrid_optimizer.columns.choice import Choice, broken_limits
from provgrid_optimizer.columns.engine import by_columns
from provgrid_optimizer.columns.pricing import Pricing
from provgrid_optimizer.columns.repair import feasible_share, filled, repaired
from provgrid_optimizer.engine import Status
from provgrid_optimizer.engines.lp import lp, n_columns, whole
from provgrid_optimizer.evaluate import costs, usage
from provgrid_optimizer.heuristic.arrays import arrays
from provgrid_optimizer.heuristic.prices import dual_prices
from provgrid_optimizer.highs import Answer, minimise
from provgrid_optimizer.lagrangian import bound
from provgrid_optimizer.matrix import LinearProgram, assemble, unpack
from provgrid_optimizer.matrix.selection import Selection, everything
from provgrid_optimizer.options import Progress, SolveOptions, ignore_progress
from provgrid_optimizer.solve import solve
from random_problems import random_problem

ONE_THREAD = SolveOptions(threads=1)


def one_job(**changes: Any) -> Problem:
    """One elastic job of 8 accelerator-hours, one pool of 4 accelerators at 1 kW, grid at 1, 2, 3, 4 yuan/kWh."""
    parts: dict[str, Any] = {
        "capacity": np.full((1, 4), 4.0),
        "kw_per_accelerator": np.ones((1, 4)),
        "block_cluster": [0],
        "block_yuan_per_kwh": [[1.0, 2.0, 3.0, 4.0]],
        "job_class": [0],
        "class_rate_pflops": [[0.5]],
        "work_pflop_h": [4.0],
        "release": [0],
        "deadline": [4],
        "max_accelerators": [3.0],
        "unserved_yuan": [1000.0],
    }
    return Problem(**(parts | changes))


def hours(problem: Problem, free: list[int], full: list[int], *, limited: bool = True) -> Selection:
    """Return a selection of the only pair with these hours."""
    return replace(
        everything(problem),
        run_pair=np.zeros(len(free), dtype=np.int64),
        run_period=np.array(free, dtype=np.int64),
        run_limited=np.full(len(free), limited),
        full_pair=np.zeros(len(full), dtype=np.int64),
        full_period=np.array(full, dtype=np.int64),
    )


def selected_optimum(problem: Problem, selection: Selection) -> float:
    program = assemble(problem, divisible=True, selection=selection)
    answer = minimise(program, ONE_THREAD, ignore_progress, stage="lp")
    assert answer.x is not None
    allocation = unpack(problem, program, answer.x, divisible=True, selection=selection)
    assert costs(problem, allocation).objective_yuan == pytest.approx(answer.objective_yuan)
    return answer.objective_yuan


def assert_same_optimum(problem: Problem) -> None:
    try:
        expected = costs(problem, whole(problem, ONE_THREAD, ignore_progress).allocation).objective_yuan
    except InfeasibleError:
        with pytest.raises(InfeasibleError):
            by_columns(problem, ONE_THREAD, ignore_progress)
        return
    result = by_columns(problem, ONE_THREAD, ignore_progress)
    near = 1e-6 * max(1.0, abs(expected))
    assert result.status is Status.OPTIMAL
    assert costs(problem, result.allocation).objective_yuan == pytest.approx(expected, abs=near)
    assert result.bound_yuan == pytest.approx(expected, abs=near)
    assert result.bound_yuan <= expected + 1e-9 * max(1.0, abs(expected))


def test_a_full_hour_is_part_of_its_placement() -> None:
    # Three accelerators in hours 0 and 1, and the two that are left in hour 2: 3 * 1 + 3 * 2 + 2 * 3.
    assert selected_optimum(one_job(), hours(one_job(), free=[2], full=[0, 1])) == pytest.approx(15.0)
    # Hour 0 is not there: 3 * 2 + 3 * 3 + 2 * 4.
    assert selected_optimum(one_job(), hours(one_job(), free=[1, 2, 3], full=[])) == pytest.approx(23.0)
    # The pool holds two accelerators in hour 0, so the full hour admits 2/3 of the job, which asks for 16/3
    # accelerator-hours: 2 * 1 + 2 * 2 + 4/3 * 3, and 1/3 of 1000 for the rest.
    narrow = one_job(capacity=[[2.0, 4.0, 4.0, 4.0]])
    assert selected_optimum(narrow, hours(narrow, free=[1, 2], full=[0])) == pytest.approx(10.0 + 1000.0 / 3.0)


def test_without_its_row_an_hour_may_exceed_the_share_and_the_share_is_cut_to_what_is_done() -> None:
    # Half of the job is 4 accelerator-hours: 3 in hour 0 exceed 1.5, half of max. With that hour at most 3z the work
    # done is 3z + 0.5 + 0.5 of the 8z that share z asks for: enough up to z = 1/5.
    problem = one_job()
    selection = hours(problem, free=[0, 1, 2], full=[], limited=False)
    run = np.array([3.0, 0.5, 0.5])
    assert feasible_share(problem, selection, run, np.array([0.5])) == pytest.approx([0.2])
    # Up to a share of 1/5 they do all of it.
    assert feasible_share(problem, selection, run, np.array([0.15])) == pytest.approx([0.15])


def without_rows() -> tuple[Problem, Selection, LinearProgram, Answer]:
    """A problem of the scale family without any row n <= max z, and what the interior point finds."""
    problem = scale_problem(40, pools=4, hours=48, services=3, rigid_share=0.2)
    selection = everything(problem)
    selection = replace(selection, run_limited=np.zeros(selection.run_pair.size, dtype=np.bool_))
    program = assemble(problem, divisible=True, selection=selection)
    settings = {"solver": "ipm", "run_crossover": "off"}
    return problem, selection, program, minimise(program, ONE_THREAD, ignore_progress, stage="lp", settings=settings)


def violations(problem: Problem, plan: Allocation) -> int:
    used, paid = usage(problem, plan), costs(problem, plan)
    claims = {"traffic_gbps": used.traffic_gbps, "costs": paid.by_component(), "objective_yuan": paid.objective_yuan}
    stated = from_allocation(
        problem.labels, problem.block_cluster, plan, **claims, constants_yuan=problem.constants_yuan
    )
    return audit(case_from_arrays(problem), stated).n_violations


def test_a_point_above_its_shares_is_cut_to_a_plan_and_what_was_cut_is_placed_beside_it() -> None:
    problem, selection, program, answer = without_rows()
    assert answer.x is not None
    z, n = program.columns["z"].slice, program.columns["n"].slice
    assert broken_limits(problem, selection, answer.x[z], answer.x[n], 1e-6).size > 0
    cut = repaired(problem, program, selection, answer.x)
    assert violations(problem, cut) == 0
    left = 1.0 - cut.served_share(problem)
    assert left.max() > 1e-3
    whole_again = filled(problem, cut, ONE_THREAD, ignore_progress)
    assert violations(problem, whole_again) == 0
    # The program without rows is a relaxation; its plan with all work placed again is within 1 % of it.
    yuan = costs(problem, whole_again).objective_yuan
    assert answer.objective_yuan <= yuan * (1 + 1e-9)
    assert yuan <= 1.01 * answer.objective_yuan
    assert yuan < costs(problem, cut).objective_yuan


def test_a_share_that_is_rounding_is_in_the_plan_with_all_of_its_work_or_not_at_all() -> None:
    # A share of 2e-9 of 8 accelerator-hours, spread over four hours, or without any.
    problem = one_job()
    program = assemble(problem, divisible=True)
    for hourly, placements in ((4e-9, 1), (0.0, 0)):
        x = np.zeros(program.n_columns)
        x[program.columns["z"].slice], x[program.columns["n"].slice] = 2e-9, hourly
        plan = unpack(problem, program, x, divisible=True)
        assert plan.job.size == placements
        assert plan.run_accelerators.sum() == pytest.approx(placements * 1.6e-8)


def test_a_plan_that_leaves_nothing_has_nothing_to_fill() -> None:
    problem = one_job()
    plan = whole(problem, ONE_THREAD, ignore_progress).allocation
    assert filled(problem, plan, ONE_THREAD, ignore_progress) is plan


@pytest.mark.parametrize("seed", range(7))
def test_random_problems_have_the_optimum_of_the_whole_program(seed: int) -> None:
    assert_same_optimum(random_problem(seed, jobs=8, pools=5, hard=seed % 3 == 0))


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(100, 140))
def test_more_random_problems_have_the_optimum_of_the_whole_program(seed: int) -> None:
    assert_same_optimum(random_problem(seed, jobs=14, pools=6, clusters=3, periods=12, services=3, hard=seed % 2 == 0))


@pytest.mark.parametrize("rigid_share", [0.0, 0.5])
def test_the_scale_family_has_the_optimum_of_the_whole_program(rigid_share: float) -> None:
    assert_same_optimum(scale_problem(12, pools=4, hours=48, services=3, rigid_share=rigid_share))


def test_the_known_optimum_of_the_reference_instance_is_met_and_proven_by_prices() -> None:
    size = (200, 12, 48, 20)
    problem = reference_problem(*size)
    plan = solve(problem, "lp", ONE_THREAD, with_policies=False)
    assert plan.certificate.objective_yuan == pytest.approx(KNOWN_LP_OPTIMA[size], rel=1e-7)
    assert plan.certificate.bound_yuan == pytest.approx(KNOWN_LP_OPTIMA[size], rel=1e-7)
    assert plan.certificate.bound_method == "prices"
    assert plan.certificate.status == "optimal"
    assert plan.multipliers.basis == "lp"
    assert plan.log.startswith("lp by columns: ")


def test_the_size_that_decides_is_that_of_the_whole_program() -> None:
    for seed in range(5):
        problem = random_problem(seed, hard=False)
        columns = assemble(problem, divisible=True).columns
        assert n_columns(problem) == columns["n"].size + columns["s"].size + columns["y"].size


def test_a_small_problem_is_solved_as_one_program() -> None:
    assert lp(random_problem(1), ONE_THREAD, ignore_progress).log.startswith("lp as one program: ")


def test_stopped_by_the_clock_it_has_a_plan_and_a_bound() -> None:
    problem = reference_problem(200, 12, 48, 20)
    plan = solve(problem, "lp", SolveOptions(threads=1, time_limit_s=0.3), with_policies=False)
    assert plan.certificate.status == "time_limit"
    assert plan.certificate.divisible
    assert plan.certificate.bound_yuan <= KNOWN_LP_OPTIMA[200, 12, 48, 20] <= plan.certificate.objective_yuan
    assert plan.multipliers.basis == "dual"
    assert plan.certificate.audit_violations == 0


def test_no_time_at_all_leaves_no_plan() -> None:
    with pytest.raises(NoPlanError, match="time limit of 0 s"):
        by_columns(random_problem(1), SolveOptions(time_limit_s=0), ignore_progress)


def test_a_gap_that_was_asked_for_ends_it() -> None:
    result = by_columns(reference_problem(60, 6, 48, 6), SolveOptions(threads=1, gap=0.2), ignore_progress)
    assert result.status in (Status.GAP_REACHED, Status.OPTIMAL)


def test_ctrl_c_keeps_the_plan() -> None:
    problem = reference_problem(200, 12, 48, 20)
    seen: list[Progress] = []

    def interrupt_once(progress: Progress) -> None:
        seen.append(progress)
        if progress.stage == "lp by columns" and not any(earlier.stage == "stop" for earlier in seen):
            seen.append(Progress(0.0, "stop"))
            _thread.interrupt_main()

    result = by_columns(problem, ONE_THREAD, interrupt_once)
    assert result.status is Status.INTERRUPTED
    assert result.multipliers is not None
    objective = costs(problem, result.allocation).objective_yuan
    assert bound(problem, result.multipliers).total_yuan <= KNOWN_LP_OPTIMA[200, 12, 48, 20] <= objective


def test_the_same_problem_gives_the_same_plan() -> None:
    problem = reference_problem(60, 6, 48, 6)
    one, two = (by_columns(problem, SolveOptions(threads=n), ignore_progress) for n in (1, 2))
    np.testing.assert_array_equal(one.allocation.run_accelerators, two.allocation.run_accelerators)
    np.testing.assert_array_equal(one.allocation.share, two.allocation.share)
    assert one.multipliers is not None
    assert two.multipliers is not None
    np.testing.assert_array_equal(one.multipliers.accelerator, two.multipliers.accelerator)


def test_hard_work_that_does_not_fit_is_named() -> None:
    problem = one_job(unserved_yuan=[np.inf], capacity=np.full((1, 4), 1.0))
    with pytest.raises(InfeasibleError, match="job 0"):
        by_columns(problem, ONE_THREAD, ignore_progress)


def test_a_carried_basis_needs_no_more_steps() -> None:
    problem = reference_problem(60, 6, 48, 6)
    choice = Choice(problem)
    prices = dual_prices(problem, ONE_THREAD, ignore_progress)
    choice.admit(Pricing(problem, arrays(problem), choice.served, 1).at(prices, 0.02), 0.02)
    program = assemble(problem, divisible=True, selection=choice.selection())
    first = minimise(program, ONE_THREAD, ignore_progress, stage="lp")
    assert first.basis is not None
    again = minimise(
        program,
        ONE_THREAD,
        ignore_progress,
        stage="lp",
        basis=Carried.of(choice, program, first.basis).to(choice, program),
    )
    assert again.objective_yuan == pytest.approx(first.objective_yuan, rel=1e-12)
    assert "Simplex   iterations" in first.log
    assert "Simplex   iterations" not in again.log


def test_far_fewer_columns_than_there_are_hold_the_optimum() -> None:
    problem = reference_problem(60, 6, 48, 6)
    choice = Choice(problem)
    prices = dual_prices(problem, ONE_THREAD, ignore_progress)
    choice.admit(Pricing(problem, arrays(problem), choice.served, 1).at(prices, 0.02), 0.02)
    everywhere = everything(problem)
    assert choice.free.size + choice.full.size < 0.5 * everywhere.run_pair.size


def test_where_simplex_steps_run_out_the_interior_point_finds_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    problem = reference_problem(60, 6, 48, 6)
    expected = costs(problem, by_columns(problem, ONE_THREAD, ignore_progress).allocation).objective_yuan
    monkeypatch.setattr("provgrid_optimizer.columns.engine.MOST_STEPS", 0)
    result = by_columns(problem, ONE_THREAD, ignore_progress)
    assert result.status is Status.OPTIMAL
    assert "IPM" in result.log
    assert costs(problem, result.allocation).objective_yuan == pytest.approx(expected, rel=1e-6)
