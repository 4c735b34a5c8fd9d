"""What remains of a large plan is settled part by part: nearly as well as together, and never worse than before."""

from __future__ import annotations

import threading
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from provgrid_bench.reference import reference_problem
from provgrid_models.errors import NoPlanError
from provgrid_models.problem import Problem
from provgrid_optimizer.allocation import Allocation
from provgrid_optimizer.answers.fixed import remaining, remaining_program
from provgrid_optimizer.engines.policies import cheapest
from provgrid_optimizer.evaluate import costs
from provgrid_optimizer.heuristic import parts, settle
from provgrid_optimizer.heuristic.prices import energy_prices
from provgrid_optimizer.matrix import point
from provgrid_optimizer.matrix.part import part
from provgrid_optimizer.matrix.program import Builder
from provgrid_optimizer.matrix.selection import served_columns
from provgrid_optimizer.options import Progress, SolveOptions, ignore_progress
from provgrid_optimizer.solve import solve
from random_problems import random_problem

TABLES = ("job", "pool", "run_period", "run_accelerators", "serve_units", "block_kw", "peak_kw")


def objective_yuan(problem: Problem, plan: Allocation) -> float:
    return costs(problem, plan).objective_yuan


def in_parts(problem: Problem, plan: Allocation, threads: int = 2) -> Allocation:
    return parts.settle_parts(problem, plan, served_columns(problem), SolveOptions(threads=threads), ignore_progress)


def test_a_part_has_what_the_others_leave_it() -> None:
    # min 3a + 2b + c  s.t.  a + b + c = 10 (row 0),  b + 2c <= 8 (row 1),  all in 0..9; at a = 4, b = 4, c = 2
    builder = Builder()
    columns = builder.add_columns("x", {"x": np.arange(3)}, cost=np.array([3.0, 2.0, 1.0]), upper=9.0)
    total = builder.add_rows("total", {"row": np.zeros(1)}, equal=10.0)
    limit = builder.add_rows("limit", {"row": np.zeros(1)}, at_most=8.0)
    builder.add_entries(np.repeat(total.at, 3), columns.at, 1.0)
    builder.add_entries(np.repeat(limit.at, 2), columns.at[1:], np.array([1.0, 2.0]))
    whole = builder.program(offset=0.0)
    x = np.array([4.0, 4.0, 2.0])
    of = np.array([0, 2])
    free = part(whole, x, whole.activity(x), of, np.zeros(2, dtype=np.bool_))
    # b keeps its 4: a + c = 6 and 2c <= 4
    assert (free.row_lower.tolist(), free.row_upper.tolist()) == ([6.0, -np.inf], [6.0, 4.0])
    assert free.cost.tolist() == [3.0, 1.0]
    assert free.activity(x[of]).tolist() == [6.0, 4.0]
    at_less = np.array([5.0, 4.0, 1.0])  # b + 2c = 6: two are left over, and whoever shares the row leaves them
    shared = part(whole, at_less, whole.activity(at_less), of, np.array([False, True]))
    assert shared.row_upper.tolist() == [6.0, 2.0]


@settings(max_examples=25)
@given(seed=st.integers(0, 10_000))
def test_choices_stand_and_parts_gain_no_more_than_the_whole(seed: int) -> None:
    problem = random_problem(seed)
    try:
        before = cheapest(problem, SolveOptions(), ignore_progress).allocation
    except NoPlanError:
        assume(False)
    after = in_parts(problem, before)
    assert np.array_equal(after.job, before.job)
    assert np.array_equal(after.pool, before.pool)
    program, selection = remaining_program(problem, before)
    assert program.violation(point(problem, program, after, selection)) <= 1e-6
    whole = objective_yuan(problem, remaining(problem, before).allocation)
    size = max(1.0, abs(whole))
    assert whole - 1e-6 * size <= objective_yuan(problem, after) <= objective_yuan(problem, before) + 1e-6 * size


def test_a_carbon_budget_that_parts_share_holds(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(parts, "COLUMNS_AT_ONCE", 1)  # every period by itself, all under one budget
    problem = random_problem(93)
    assert np.isfinite(problem.carbon_budget_kg)
    before = cheapest(problem, SolveOptions(), ignore_progress).allocation
    program, selection = remaining_program(problem, before)
    assert program.violation(point(problem, program, in_parts(problem, before), selection)) <= 1e-6


def test_threads_change_no_number() -> None:
    problem = random_problem(7, jobs=12, pools=6, clusters=3, periods=24, services=4)
    before = cheapest(problem, SolveOptions(), ignore_progress).allocation
    one, two = (in_parts(problem, before, threads) for threads in (1, 2))
    for name in TABLES:
        np.testing.assert_array_equal(getattr(one, name), getattr(two, name))


def test_a_plan_too_large_for_one_program_is_settled_and_passes_the_audit(monkeypatch: pytest.MonkeyPatch) -> None:
    problem = reference_problem(200, 12, 48, 20)
    with monkeypatch.context() as without:
        without.setattr(settle, "MOST_IN_PARTS", 0)
        before = solve(problem, with_policies=False).allocation
    together = objective_yuan(problem, remaining(problem, before).allocation)
    monkeypatch.setattr(settle, "MOST_COLUMNS", 0)
    stages: list[str] = []
    plan = solve(problem, with_policies=False, on_progress=lambda progress: stages.append(progress.stage))
    assert plan.audit.passed
    gained = objective_yuan(problem, before) - plan.certificate.objective_yuan
    assert gained >= 0.5 * (objective_yuan(problem, before) - together) > 0.0
    assert stages.count(parts.STAGE) > problem.n_clusters


def test_pools_that_are_dear_serve_only_what_they_do() -> None:
    problem = reference_problem(60, 6, 48, 6)
    plan = cheapest(problem, SolveOptions(), ignore_progress).allocation
    every, near = served_columns(problem), parts.near_columns(problem, plan, energy_prices(problem))
    assert plan.serve_units.size < near.service.size < every.service.size
    kept = set(zip(near.service.tolist(), near.pool.tolist(), near.period.tolist(), strict=True))
    done = zip(plan.serve_service.tolist(), plan.serve_pool.tolist(), plan.serve_period.tolist(), strict=True)
    assert kept.issuperset(done)


def test_ctrl_c_leaves_the_parts_that_are_still_to_come(monkeypatch: pytest.MonkeyPatch) -> None:
    problem = reference_problem(60, 6, 48, 6)
    plan = cheapest(problem, SolveOptions(), ignore_progress).allocation
    solved, optimum, lock = [0], parts.optimum, threading.Lock()

    def counted(*arguments: object) -> object:
        with lock:
            solved[0] += 1
        return optimum(*arguments)  # type: ignore[arg-type]

    def ctrl_c(_: Progress) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(parts, "optimum", counted)
    monkeypatch.setattr(parts, "COLUMNS_AT_ONCE", 1)  # 48 parts a cut
    monkeypatch.setattr(parts, "MOST_HOURS", 0)
    with pytest.raises(KeyboardInterrupt):
        parts.settle_parts(problem, plan, served_columns(problem), replace(SolveOptions(), threads=1), ctrl_c)
    assert 1 <= solved[0] < problem.n_periods
