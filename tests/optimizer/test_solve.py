"""From a problem to a plan: what Ctrl-C and the time limit may cut short, and what not."""

from __future__ import annotations

import math
import os
import signal
from typing import Any

import numpy as np
import pytest
from numba.core.event import install_recorder

from provgrid_models.errors import OptionError
from provgrid_models.problem import Problem
from provgrid_optimizer import solve as solving
from provgrid_optimizer.options import SolveOptions
from provgrid_optimizer.solve import find_engine, policies, solve
from provgrid_optimizer.warm import compile_kernels
from random_problems import random_problem


def interrupt(*_arguments: Any, **_options: Any) -> Any:
    raise KeyboardInterrupt


def test_ctrl_c_in_the_search_for_prices_keeps_the_plan_and_audits_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("provgrid_optimizer.heuristic.prices.dual_prices", interrupt)
    plan = solve(random_problem(3), "overflow")
    assert plan.certificate.status == "interrupted"
    assert plan.audit.passed
    assert not plan.multipliers.accelerator.any()
    assert plan.certificate.bound_prices_yuan <= plan.objective_yuan
    assert plan.certificate.captured is None


@pytest.mark.parametrize("stage", ["_prove", "_audit"])
def test_ctrl_c_waits_for_proof_and_audit(stage: str, monkeypatch: pytest.MonkeyPatch) -> None:
    before, handler = getattr(solving, stage), signal.getsignal(signal.SIGINT)

    def interrupted(*arguments: Any) -> Any:
        os.kill(os.getpid(), signal.SIGINT)
        return before(*arguments)

    monkeypatch.setattr(solving, stage, interrupted)
    plan = solve(random_problem(3), "lp", with_policies=False)
    assert plan.certificate.status == "interrupted"
    assert plan.audit.passed
    assert plan.certificate.gap <= 1e-6
    assert signal.getsignal(signal.SIGINT) is handler


@pytest.mark.parametrize("engine", ["lp", "milp"])
def test_a_plan_far_above_its_bound_is_not_called_optimal(engine: str) -> None:
    # The job's accelerator-hours are below what HiGHS tells from 0, so that its point serves the job by none.
    tiny = Problem(
        capacity=np.full((1, 2), 8.0),
        job_class=[0],
        class_rate_pflops=[[1.0]],
        work_pflop_h=[1e-9],
        release=[0],
        deadline=[2],
        max_accelerators=[8.0],
        unserved_yuan=[100.0],
    )
    certificate = solve(tiny, engine, with_policies=False).certificate
    assert (certificate.status == "optimal") == (certificate.gap < 1e-3)


def test_ctrl_c_in_the_policies_keeps_the_plan(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(solving, "policies", interrupt)
    plan = solve(random_problem(3), "lp")
    assert plan.certificate.status == "interrupted"
    assert plan.certificate.captured is None


def test_policies_end_when_time_is_over() -> None:
    problem = random_problem(3)
    left = iter([1.0, 0.5, -0.1])
    assert policies(problem, lambda: next(left)) is None
    assert set(policies(problem) or {}) <= set(solving.POLICIES)


def test_prices_take_no_more_than_what_is_left_of_the_time_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(solving._Clock, "left_s", lambda self: -1.0)
    monkeypatch.setattr("provgrid_optimizer.heuristic.prices.dual_prices", interrupt)  # is not called
    plan = solve(random_problem(3), "overflow", SolveOptions(time_limit_s=1.0))
    assert plan.certificate.status == "finished"
    assert plan.certificate.captured is None
    assert np.isfinite(plan.certificate.bound_yuan)


def test_kernels_are_compiled_once_and_apart_from_solve_and_audit() -> None:
    compile_kernels(with_policies=True)
    solve(random_problem(3), "lp")
    with install_recorder("numba:compile") as compiled:
        compile_kernels(with_policies=True)
        timings = solve(random_problem(3), "lp").timings
    assert compiled.buffer == []
    assert timings.audit_s > 0


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"gap": "0.1"}, "gap is '0.1'; give a fraction from 0 to below 1"),
        ({"gap": 10**400}, "gap is 1000.*0000; give a fraction"),
        ({"gap": True}, "gap is True; give a fraction"),
        ({"time_limit_s": "5"}, "time_limit is '5'; give seconds, at least 0"),
        ({"time_limit_s": math.nan}, "time_limit is nan; give seconds"),
        ({"passes": 2.5}, "passes is 2.5; give a whole number of at least 1"),
        ({"passes": math.nan}, "passes is nan; give a whole number"),
        ({"threads": None}, "threads is None; give a whole number from 1 to 256"),
        ({"threads": 1.5}, "threads is 1.5; give a whole number from 1 to 256"),
        ({"seed": np.array([1, 2])}, r"seed is array\(\[1, 2\]\); give a whole number of at least 0"),
    ],
)
def test_options_of_a_wrong_type_are_refused(wrong: dict[str, Any], said: str) -> None:
    with pytest.raises(OptionError, match=said):
        SolveOptions(**wrong)


def test_numbers_of_numpy_are_options_and_are_kept_as_python_has_them() -> None:
    options = SolveOptions(
        gap=np.float32(0.25), time_limit_s=np.int32(5), passes=np.int64(2), threads=np.uint8(1), seed=np.int16(3)
    )
    assert options == SolveOptions(gap=0.25, time_limit_s=5.0, passes=2, threads=1, seed=3)
    assert [type(value) for value in vars(options).values()] == [float, float, int, int, int]


def test_an_endless_time_limit_is_none() -> None:
    assert SolveOptions(time_limit_s=math.inf) == SolveOptions()


def test_an_engine_is_called_by_its_name() -> None:
    with pytest.raises(OptionError, match=r"no engine \['lp'\]; choose one of lp, milp"):
        find_engine(["lp"])  # type: ignore[arg-type]
