"""`provgrid demo`: every engine side by side, stopped or not."""

from __future__ import annotations

import json
import signal
from pathlib import Path
from typing import Any

import pytest

import provgrid as pg
from command_line import json_of, provgrid
from provgrid.cli import demo, run
from provgrid_models.files import save_scenario
from provgrid_optimizer import solve as solving
from provgrid_optimizer.options import Progress
from tiny import job, tiny_scenario

ENGINES = ["lp", "heuristic", "local", "cheapest", "greenest", "overflow", "siloed"]
KEYS = {"engine", "status", "objective_yuan", "bound_yuan", "gap", "captured", "unserved_share", "costs", "run_dir"}


@pytest.fixture(autouse=True)
def small(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Hold the demo on the tiny scenario."""
    save_scenario(tiny_scenario(), tmp_path / "tiny")
    monkeypatch.setattr(demo, "SCENARIO", str(tmp_path / "tiny"))


def assert_right_table(text: str) -> None:
    lines = text.splitlines()
    assert len(lines) <= 15
    ideal = next(line.split() for line in lines if line.startswith("lp (the ideal)"))
    assert ideal[4] == "-"  # "lp (the ideal)" are three words, then cost, then the saving
    assert sum(line.split()[0] in ENGINES for line in lines if line.strip()) == 7


def assert_right_records(records: list[dict[str, Any]]) -> None:
    assert [record["engine"] for record in records] == ENGINES
    for record in records:
        assert set(record) >= KEYS
        assert record["audit_violations"] == 0
        assert not any("saving" in key for key in record)
        assert (record["run_dir"] is not None) == (record["engine"] == "heuristic")


def test_the_table_has_at_most_fifteen_lines_and_no_saving_of_the_ideal(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["demo", "-o", str(tmp_path / "run")]) == 0
    said = capsys.readouterr()
    assert_right_table(said.out)
    told = said.out.replace(str(tmp_path / "run"), "runs/zhejiang-heuristic-1")
    assert max(map(len, told.splitlines())) <= 80
    assert "captured: share of the best policy's excess over the bound that is gone; s: time\n" in said.out
    table = said.out.split("run folder: ")[0].splitlines()
    assert max(map(len, table)) <= 80
    assert said.err.splitlines() == [
        "loading kernels (first time: about a minute)",
        f"reading {tmp_path / 'tiny'}",
        *(f"{number}/7 {name}" for number, name in enumerate(ENGINES, start=1)),
        "writing the run",
    ]
    assert pg.open(tmp_path / "run").audit.violations == ()
    assert "<h1>" in (tmp_path / "run" / "report.html").read_text(encoding="utf-8")


@pytest.mark.parametrize("never", [True, False])
def test_the_table_names_work_that_no_pool_can_serve(tmp_path: Path, capsys: pytest.CaptureFixture[str], never) -> None:
    more = [job("never", max_accelerators=2000.0, min_accelerators=1000.0, unserved_yuan=70.0)] if never else []
    save_scenario(tiny_scenario(jobs=[job("a"), *more], services=[], demand=[]), tmp_path / "other")
    scenario = pg.load(tmp_path / "other")
    plan = pg.solve(scenario, engine="cheapest", policies=False)
    demo._print_table({demo.SHOWN: plan}, scenario, tmp_path)
    said = "unserved: of what some pool can serve; no pool can serve 70 yuan of work\n"
    assert (said in capsys.readouterr().out) is never


def test_ctrl_c_during_a_policy_stops_and_keeps_the_heuristics_plan(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    found = solving.find_engine

    def find_engine(name: str) -> Any:
        if name == "cheapest":
            signal.raise_signal(signal.SIGINT)
        return found(name)

    monkeypatch.setattr(solving, "find_engine", find_engine)
    assert run(["demo", "--json", "-o", str(tmp_path / "run")]) == 130
    said = capsys.readouterr()
    assert [record["engine"] for record in json.loads(said.out)] == ["lp", "heuristic", "local"]
    assert said.err == f"provgrid: interrupted; {tmp_path / 'run'} is written\n"
    assert pg.open(tmp_path / "run").certificate.engine == "heuristic"


def test_ctrl_c_during_the_heuristic_stops_and_keeps_its_plan(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    found = solving.find_engine

    def find_engine(name: str) -> Any:
        engine = found(name)

        def with_interrupt(problem: Any, options: Any, on_progress: Any) -> Any:
            def interrupt(progress: Progress) -> None:
                on_progress(progress)
                if progress.objective_yuan < float("inf"):  # there is a plan
                    signal.raise_signal(signal.SIGINT)

            return engine(problem, options, interrupt)

        return with_interrupt if name == "heuristic" else engine

    monkeypatch.setattr(solving, "find_engine", find_engine)
    monkeypatch.setattr("provgrid_optimizer.heuristic.engine.REPORT_EVERY_S", 0.0)
    assert run(["demo", "--json", "-o", str(tmp_path / "run")]) == 130
    said = capsys.readouterr()
    records = json.loads(said.out)
    assert [(record["engine"], record["status"]) for record in records][1:] == [("heuristic", "interrupted")]
    assert said.err == f"provgrid: interrupted; {tmp_path / 'run'} is written\n"
    assert pg.open(tmp_path / "run").certificate.status == "interrupted"


def test_ctrl_c_before_the_heuristic_writes_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(solving, "find_engine", lambda _: signal.raise_signal(signal.SIGINT))
    assert run(["demo", "-o", str(tmp_path / "run")]) == 130
    assert capsys.readouterr().err.splitlines()[-1] == "provgrid: interrupted; nothing was written"
    assert not (tmp_path / "run").exists()


@pytest.mark.slow
def test_a_province_by_every_engine(tmp_path: Path) -> None:
    records = json_of(provgrid("demo", "--json", cwd=tmp_path))
    assert_right_records(records)
    assert (tmp_path / records[1]["run_dir"] / "manifest.json").is_file()
    said = provgrid("demo", cwd=tmp_path)
    assert said.returncode == 0, said.stderr
    assert_right_table(said.stdout)
