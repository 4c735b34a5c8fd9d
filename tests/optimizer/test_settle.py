"""Hours, services and supply of a found plan are settled together, and its choices stand."""

from __future__ import annotations

from dataclasses import replace
from importlib.resources import as_file
from typing import NoReturn

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from provgrid_models.compile import compile_scenario
from provgrid_models.errors import NoPlanError
from provgrid_models.files import load_scenario
from provgrid_models.problem import Problem
from provgrid_optimizer.allocation import Allocation
from provgrid_optimizer.engine import Status
from provgrid_optimizer.engines.policies import cheapest
from provgrid_optimizer.evaluate import costs
from provgrid_optimizer.heuristic import engine, settle
from provgrid_optimizer.heuristic.prices import energy_prices
from provgrid_optimizer.options import Progress, SolveOptions, ignore_progress
from provgrid_optimizer.solve import solve
from provgrid_seeds.loader import scenario_folder
from random_problems import random_problem


@pytest.fixture(scope="module")
def toy_problem() -> Problem:
    with as_file(scenario_folder("toy")) as folder:
        return compile_scenario(load_scenario(folder))


def objective_yuan(problem: Problem, plan: Allocation) -> float:
    return costs(problem, plan).objective_yuan


def searched(problem: Problem, monkeypatch: pytest.MonkeyPatch) -> Allocation:
    """What the search finds without its last step."""
    with monkeypatch.context() as without:
        without.setattr(settle, "MOST_IN_PARTS", 0)
        return engine.heuristic(problem, SolveOptions(), ignore_progress).allocation


@settings(max_examples=20)
@given(seed=st.integers(0, 10_000))
def test_choices_stand_and_the_plan_costs_less_or_stays(seed: int) -> None:
    problem = random_problem(seed)
    try:
        before = cheapest(problem, SolveOptions(), ignore_progress).allocation
    except NoPlanError:
        assume(False)
    found = settle.settle(problem, before, energy_prices(problem), SolveOptions(), ignore_progress)
    if found is None:
        return
    after, yuan = found
    assert yuan == objective_yuan(problem, after) < objective_yuan(problem, before)
    assert np.array_equal(after.job, before.job)
    assert np.array_equal(after.pool, before.pool)
    for placement in np.flatnonzero(problem.rigid[before.job]):
        hours = [plan.run_period[slice(*plan.run_start[placement : placement + 2])] for plan in (before, after)]
        assert np.array_equal(*hours)


def test_the_plan_of_toy_is_better_by_hours_that_move_together(
    toy_problem: Problem, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = searched(toy_problem, monkeypatch)
    plan = solve(toy_problem, with_policies=False)  # audited
    assert objective_yuan(toy_problem, plan.allocation) < 0.98 * objective_yuan(toy_problem, before)
    assert plan.certificate.status == Status.FINISHED
    assert plan.history[-1][1] == pytest.approx(plan.certificate.objective_yuan)


def test_no_time_and_too_many_columns_leave_the_plan_as_it_is(
    toy_problem: Problem, monkeypatch: pytest.MonkeyPatch
) -> None:
    before, prices = searched(toy_problem, monkeypatch), energy_prices(toy_problem)
    assert settle.settle(toy_problem, before, prices, SolveOptions(), ignore_progress) is not None
    for in_parts in (False, True):
        monkeypatch.setattr(settle, "MOST_COLUMNS", 0 if in_parts else 30_000)
        hurried = SolveOptions(time_limit_s=1e-9)
        assert settle.settle(toy_problem, before, prices, hurried, ignore_progress) is None
    monkeypatch.setattr(settle, "MOST_IN_PARTS", settle._hours(toy_problem, before))
    assert settle.settle(toy_problem, before, prices, SolveOptions(), ignore_progress) is None


def test_ctrl_c_meanwhile_keeps_the_plan_of_the_search(toy_problem: Problem, monkeypatch: pytest.MonkeyPatch) -> None:
    before = searched(toy_problem, monkeypatch)

    def ctrl_c(*_: object) -> NoReturn:
        raise KeyboardInterrupt

    monkeypatch.setattr(engine, "settle", ctrl_c)
    result = engine.heuristic(toy_problem, SolveOptions(), ignore_progress)
    assert result.status is Status.INTERRUPTED
    assert objective_yuan(toy_problem, result.allocation) == objective_yuan(toy_problem, before)


def test_a_search_that_was_stopped_is_not_settled(toy_problem: Problem) -> None:
    stages: list[str] = []

    def listen(progress: Progress) -> None:
        stages.append(progress.stage)

    result = engine.heuristic(toy_problem, replace(SolveOptions(), passes=1), listen)
    assert result.status is Status.PASSES_REACHED
    assert "hours and supply" not in stages
