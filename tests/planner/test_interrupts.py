"""Ctrl-C and kills at any moment: a run folder is whole or it is not there."""

from __future__ import annotations

import random
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from command_line import in_this_process, provgrid, start
from provgrid.cli import run as command_line
from provgrid_models.files import save_scenario
from provgrid_optimizer import solve as solving
from provgrid_optimizer.options import Progress
from tiny import tiny_scenario


@pytest.fixture(scope="module")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("scenarios") / "tiny"
    save_scenario(tiny_scenario(), folder)
    return folder


def assert_whole_or_absent(run: Path) -> None:
    if run.exists():
        audited = in_this_process("audit", run)
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


def test_ctrl_c_while_the_process_ends_leaves_its_exit_code() -> None:
    late = """
import os, signal
from provgrid.cli import main
class Late:
    def __del__(self):
        os.kill(os.getpid(), signal.SIGINT)
late = Late()
main(["schema"])
"""
    ended = subprocess.run([sys.executable, "-c", late], capture_output=True, text=True, timeout=120, check=False)
    assert ended.returncode == 0, ended.stderr


def test_ctrl_c_while_the_command_line_is_imported_is_exit_130() -> None:
    early = """
import os, signal, sys
from provgrid.start import main
class Stops:
    def find_spec(self, name, path=None, target=None):
        if name == "provgrid.cli":
            os.kill(os.getpid(), signal.SIGINT)
sys.meta_path.insert(0, Stops())
main()
"""
    ended = subprocess.run([sys.executable, "-c", early], capture_output=True, text=True, timeout=120, check=False)
    assert ended.stderr == "provgrid: interrupted; nothing was written\n"
    assert ended.returncode == 130


def test_a_second_ctrl_c_while_the_first_is_told_is_exit_130_too() -> None:
    twice = """
import provgrid.cli as cli
def stopped(arguments):
    raise KeyboardInterrupt
cli.run = stopped
cli.main(["schema"])
"""
    ended = subprocess.run([sys.executable, "-c", twice], capture_output=True, text=True, timeout=120, check=False)
    assert ended.returncode == 130, ended.stderr


def test_ctrl_c_while_text_is_evaluated_is_exit_130_and_no_death_by_the_signal(tmp_path: Path) -> None:
    evaluates = """
import provgrid.cli as cli
def stopped(arguments):
    exec("raise KeyboardInterrupt")
cli.run = stopped
cli.main([])
"""
    (tmp_path / "evaluates.py").write_text(evaluates, encoding="utf-8")
    command = [sys.executable, "-m", "evaluates"]
    ended = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=120, check=False)
    assert ended.returncode == 130, ended.stderr


def test_an_error_that_code_on_the_way_made_of_ctrl_c_is_exit_130(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def stopped(*_: object, **__: object) -> None:
        raise RuntimeError("Error calling __set_name__") from KeyboardInterrupt()

    monkeypatch.setattr("provgrid.cli.app", stopped)
    assert command_line(["schema"]) == 130
    assert capsys.readouterr().err == "provgrid: interrupted; nothing was written\n"


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
        if process.returncode == -number:  # killed, or asked to stop before the interpreter had read the command line
            assert number == signal.SIGKILL or not run.exists()
        else:
            assert process.returncode in ({0, 130} if number == signal.SIGINT else {0}), said
            assert "Traceback" not in said
        assert_whole_or_absent(run)
        if process.returncode == 0:
            assert run.exists()


@pytest.fixture
def interrupted_once_there_is_a_plan(monkeypatch: pytest.MonkeyPatch) -> None:
    engine = solving.find_engine("heuristic")

    def with_interrupt(problem: Any, options: Any, on_progress: Any) -> Any:
        def interrupt(progress: Progress) -> None:
            on_progress(progress)
            if progress.objective_yuan < float("inf"):
                signal.raise_signal(signal.SIGINT)

        return engine(problem, options, interrupt)

    monkeypatch.setattr(solving, "find_engine", lambda _: with_interrupt)
    monkeypatch.setattr("provgrid_optimizer.heuristic.engine.REPORT_EVERY_S", 0.0)


@pytest.mark.usefixtures("interrupted_once_there_is_a_plan")
def test_ctrl_c_once_there_is_a_plan_writes_the_best_so_far(
    tiny: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run = tmp_path / "run"
    assert command_line(["solve", str(tiny), "--no-policies", "-o", str(run)]) == 130
    assert capsys.readouterr().err == f"provgrid: interrupted; {run} is written\n"
    assert_whole_or_absent(run)
    assert run.exists()


@pytest.mark.usefixtures("interrupted_once_there_is_a_plan")
def test_ctrl_c_in_a_solve_leaves_its_draws_out(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def made(*_: object) -> None:
        raise AssertionError("draws were made after Ctrl-C")

    monkeypatch.setattr("provgrid.cli.solve._uncertain", made)
    run = tmp_path / "run"
    assert command_line(["solve", "toy", "--no-policies", "--uncertain", "-o", str(run)]) == 130
    assert capsys.readouterr().err == f"provgrid: interrupted; {run} is written\n"
