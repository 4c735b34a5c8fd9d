"""Ctrl-C and kills at any moment: a run folder is whole or it is not there."""

from __future__ import annotations

import random
import signal
import time
from pathlib import Path

import pytest

from command_line import provgrid, start
from provgrid.cli.console import InterruptsWait
from provgrid_models.files import save_scenario
from tiny import tiny_scenario


@pytest.fixture(scope="module")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("scenarios") / "tiny"
    save_scenario(tiny_scenario(), folder)
    return folder


def assert_whole_or_absent(run: Path) -> None:
    if run.exists():
        audited = provgrid("audit", run)
        assert audited.returncode == 0, audited.stderr


def test_ctrl_c_before_there_is_a_plan_is_exit_130_and_writes_nothing(tiny: Path, tmp_path: Path) -> None:
    process = start("solve", tiny, "--engine", "lp", "-o", tmp_path / "run", "--debug")
    assert process.stderr is not None
    assert process.stderr.readline() == "provgrid.cli: the command line is read\n"
    process.send_signal(signal.SIGINT)  # the solvers are still to be loaded
    _, said = process.communicate(timeout=120)
    assert process.returncode == 130, said
    assert said.splitlines()[-1] == "provgrid: interrupted; nothing was written"
    assert "Traceback" not in said
    assert list(tmp_path.iterdir()) == []


def test_ctrl_c_waits_while_a_run_is_written() -> None:
    reached = False
    with InterruptsWait() as interrupts:
        signal.raise_signal(signal.SIGINT)
        reached = True
    assert reached
    assert interrupts.asked
    with pytest.raises(KeyboardInterrupt):
        signal.raise_signal(signal.SIGINT)


@pytest.mark.slow
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGKILL])
def test_a_signal_at_any_moment_leaves_a_whole_run_or_none(number: signal.Signals, tiny: Path, tmp_path: Path) -> None:
    started = time.perf_counter()
    assert provgrid("solve", tiny, "--engine", "heuristic", "-o", tmp_path / "first").returncode == 0
    whole_s = time.perf_counter() - started
    moments = random.Random(7)
    for attempt in range(20):
        run = tmp_path / f"run-{attempt}"
        process = start("solve", tiny, "--engine", "heuristic", "-o", run)
        time.sleep(moments.uniform(0.3, 1.1) * whole_s)
        process.send_signal(number)
        _, said = process.communicate(timeout=120)
        expected = {0, 130} if number == signal.SIGINT else {0, -signal.SIGKILL}
        assert process.returncode in expected, said
        assert "Traceback" not in said
        assert_whole_or_absent(run)
        if process.returncode == 0:
            assert run.exists()


@pytest.mark.slow
def test_ctrl_c_in_a_long_solve_writes_the_best_plan(tmp_path: Path) -> None:
    # A gap of 0 is never reached on a province, so the heuristic works until it is stopped.
    process = start("solve", "zhejiang", "--gap", "0", "--passes", "1000000", "--no-policies", "-o", tmp_path / "run")
    time.sleep(60)
    process.send_signal(signal.SIGINT)
    _, said = process.communicate(timeout=120)
    assert process.returncode == 130, said
    assert f"interrupted; {tmp_path / 'run'} is written" in said
    assert (tmp_path / "run").exists()
    assert_whole_or_absent(tmp_path / "run")
