"""Exit codes of a solve that has a plan."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from provgrid.cli import run as command_line
from provgrid.exits import INTERRUPTED, SOLVED, STOPPED, exit_code
from provgrid_models.files import save_scenario
from provgrid_optimizer import solve as solving
from provgrid_optimizer.certificate import Certificate
from provgrid_optimizer.engine import Status
from tiny import tiny_scenario


def ended(status: str, gap: float) -> Certificate:
    return Certificate(
        engine="milp",
        status=status,
        divisible=False,
        objective_yuan=100.0,
        bound_yuan=100.0 * (1.0 - gap),
        bound_method="milp",
        bound_prices_yuan=90.0,
        bound_drops=(),
        gap=gap,
        gap_jobs=gap,
        captured=None,
        best_policy=None,
        audit_violations=0,
        constants_yuan=0.0,
        passes=0,
    )


@pytest.mark.parametrize(
    ("status", "gap", "asked", "code"),
    [
        ("optimal", 1.1e-15, 0.0, SOLVED),  # rounding between objective and bound
        ("optimal", 0.065, 0.01, SOLVED),
        ("gap_reached", 1.1e-15, 0.0, SOLVED),
        ("gap_reached", 0.009, 0.01, SOLVED),
        ("time_limit", 0.009, 0.01, SOLVED),
        ("time_limit", 0.011, 0.01, STOPPED),
        ("finished", 0.011, 0.01, STOPPED),
        ("finished", 0.011, None, SOLVED),
        ("time_limit", 0.009, None, STOPPED),
        ("passes_reached", 0.009, None, STOPPED),
        ("interrupted", 0.0, 0.01, INTERRUPTED),
    ],
)
def test_the_status_and_the_gap_that_was_asked_decide(status: str, gap: float, asked: float | None, code: int) -> None:
    assert exit_code(ended(status, gap), asked) == code


@pytest.mark.parametrize(("asked", "code"), [([], STOPPED), (["--gap", "0.01"], SOLVED)])
def test_a_hurried_solve_with_a_plan_is_exit_4_unless_the_asked_gap_was_reached(
    asked: list[str],
    code: int,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    engine = solving.find_engine("milp")

    def hurried(problem: Any, options: Any, on_progress: Any) -> Any:
        return replace(engine(problem, options, on_progress), status=Status.TIME_LIMIT)

    monkeypatch.setattr(solving, "find_engine", lambda _: hurried)
    save_scenario(tiny_scenario(), tmp_path / "tiny")
    run = tmp_path / "run"
    arguments = ["solve", str(tmp_path / "tiny"), "--time-limit", "60", "--no-policies", "-o", str(run), *asked]
    assert command_line(arguments) == code
    assert json.loads((run / "manifest.json").read_text(encoding="utf-8"))["status"] == "time_limit"
    said = capsys.readouterr().err
    assert ("the plan is written" in said) is (code == STOPPED)
