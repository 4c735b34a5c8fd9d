"""HiGHS: options that are checked, a status that is its own, threads, interruption."""

from __future__ import annotations

import _thread
import os
import signal
import threading

import numpy as np
import pytest

from provgrid_bench.reference import reference_problem
from provgrid_models.errors import InterruptedBeforePlanError, NoPlanError, SolverError
from provgrid_optimizer import highs
from provgrid_optimizer.columns.engine import by_columns
from provgrid_optimizer.engine import Engine, Status
from provgrid_optimizer.engines.lp import lp, whole
from provgrid_optimizer.engines.milp import milp
from provgrid_optimizer.evaluate import costs
from provgrid_optimizer.highs import Ending, minimise
from provgrid_optimizer.matrix import assemble
from provgrid_optimizer.options import Progress, SolveOptions, ignore_progress
from random_problems import random_problem


def test_an_unknown_option_is_an_error() -> None:
    program = assemble(random_problem(1), divisible=True)
    with pytest.raises(SolverError, match="refused option no_such_option=3"):
        minimise(program, SolveOptions(), ignore_progress, stage="lp", settings={"no_such_option": 3})


def test_the_log_is_collected_and_nothing_is_printed(capfd: pytest.CaptureFixture[str]) -> None:
    answer = minimise(assemble(random_problem(1), divisible=True), SolveOptions(), ignore_progress, stage="lp")
    assert "Optimal" in answer.log
    assert capfd.readouterr().out == ""


def test_one_process_may_use_different_numbers_of_threads() -> None:
    program = assemble(random_problem(1), divisible=False)
    costs = [
        minimise(program, SolveOptions(threads=threads), ignore_progress, stage="milp").objective_yuan
        for threads in (1, 2, 1, 3)
    ]
    assert costs == pytest.approx([costs[0]] * 4)


def test_a_time_limit_without_a_feasible_point_leaves_no_plan() -> None:
    problem = reference_problem(60, 6, 48, 6)
    answer = minimise(assemble(problem, divisible=True), SolveOptions(), ignore_progress, stage="lp", time_limit_s=0.01)
    assert answer.ending is Ending.TIME_LIMIT
    assert answer.x is None
    with pytest.raises(NoPlanError, match=r"0\.15 s"):
        lp(problem, SolveOptions(time_limit_s=0.15), ignore_progress)


def test_a_time_limit_of_zero_leaves_no_plan() -> None:
    for engine in (lp, milp):
        with pytest.raises(NoPlanError, match="time limit of 0 s"):
            engine(random_problem(1), SolveOptions(time_limit_s=0), ignore_progress)


def test_a_milp_stopped_by_the_clock_keeps_its_plan_and_its_bound() -> None:
    # Forty rigid jobs: seldom proven in two seconds, while the empty plan is there at once.
    problem = random_problem(5, jobs=40, pools=5, periods=24, elastic=False, after=False)
    result = milp(problem, SolveOptions(time_limit_s=2.0, threads=1), ignore_progress)
    assert result.status in (Status.TIME_LIMIT, Status.OPTIMAL)
    assert np.isfinite(result.bound_yuan)
    assert result.multipliers is not None


def test_interruption_stops_highs_and_leaves_no_plan() -> None:
    problem = reference_problem(200, 12, 48, 20)
    seen: list[Progress] = []

    def interrupt_once(progress: Progress) -> None:
        seen.append(progress)
        if len(seen) == 1:
            _thread.interrupt_main()

    with pytest.raises(NoPlanError, match="interrupted"):
        whole(problem, SolveOptions(threads=1), interrupt_once)
    assert seen[0].stage == "lp"
    assert seen[-1].elapsed_s < 10
    assert not any(thread.name == "highs" for thread in threading.enumerate())


def test_a_signal_while_python_waits_for_highs_stops_it() -> None:
    problem = reference_problem(200, 12, 48, 20)
    timer = threading.Timer(0.03, os.kill, [os.getpid(), signal.SIGINT])  # well before the next report

    def start_timer(_: Progress) -> None:
        if timer.ident is None:
            timer.start()

    with pytest.raises(NoPlanError, match="interrupted"):
        whole(problem, SolveOptions(threads=1), start_timer)
    assert not any(thread.name == "highs" for thread in threading.enumerate())


@pytest.mark.parametrize(
    ("engine", "stage"),
    [(whole, "lp"), (by_columns, "lp by columns"), (milp, "relaxation"), (milp, "milp"), (milp, "whole numbers fixed")],
)
def test_ctrl_c_is_heard_where_highs_comes_to_its_end_with_it(
    engine: Engine, stage: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(highs, "_POLL_S", 0.0)
    problem = random_problem(5, jobs=12, pools=3, periods=24, after=False)

    def interrupt_at_the_end(progress: Progress) -> None:
        for thread in threading.enumerate():
            if thread.name == "highs" and progress.stage == stage:
                thread.join()  # HiGHS has ended, and Python does not know yet
                signal.raise_signal(signal.SIGINT)

    if stage == "relaxation":
        with pytest.raises(InterruptedBeforePlanError):
            engine(problem, SolveOptions(threads=1), interrupt_at_the_end)
        return
    result = engine(problem, SolveOptions(threads=1), interrupt_at_the_end)
    assert result.status is Status.INTERRUPTED
    assert result.bound_yuan <= costs(problem, result.allocation).objective_yuan + 1e-6


def test_ctrl_c_as_highs_starts_waits_for_it_to_end(monkeypatch: pytest.MonkeyPatch) -> None:
    start = threading.Thread.start

    def interrupted(thread: threading.Thread) -> None:
        start(thread)
        signal.raise_signal(signal.SIGINT)

    monkeypatch.setattr(threading.Thread, "start", interrupted)
    with pytest.raises(NoPlanError, match="interrupted"):
        whole(reference_problem(200, 12, 48, 20), SolveOptions(threads=1), ignore_progress)
    assert not any(thread.name == "highs" for thread in threading.enumerate())


def test_an_error_of_the_listener_stops_highs_and_is_raised() -> None:
    def fail(_: Progress) -> None:
        raise RuntimeError("the listener broke")

    with pytest.raises(RuntimeError, match="the listener broke"):
        lp(reference_problem(60, 6, 48, 6), SolveOptions(threads=1), fail)
    assert not any(thread.name == "highs" for thread in threading.enumerate())
