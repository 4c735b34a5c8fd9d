"""`provgrid import`: from a trace to tables, or to a scenario that solves."""

from __future__ import annotations

import json
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

import provgrid as pg
from provgrid.cli import run
from provgrid_models import importers
from provgrid_models.files import save_scenario
from tiny import tiny_scenario

BAD_ROWS = 12  # more than are printed


@pytest.fixture(autouse=True)
def put_back_interrupts() -> Iterator[None]:
    before = signal.getsignal(signal.SIGINT)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.fixture
def trace(tmp_path: Path) -> Path:
    rows = [f"2023-11-16 10:00:{second:02}.0,500,500" for second in range(0, 50, 10)]
    bad = [f"2023-11-16 10:01:{second:02}.0,many,500" for second in range(BAD_ROWS)]
    path = tmp_path / "chat.csv"
    path.write_text("\n".join(["TIMESTAMP,ContextTokens,GeneratedTokens", *rows, *bad]) + "\n", encoding="utf-8")
    return path


def test_a_trace_becomes_tables_or_a_scenario_that_solves(
    trace: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    save_scenario(tiny_scenario(), tmp_path / "tiny")
    assert run(["import", "azure-llm", str(trace), "-o", str(tmp_path / "tables")]) == 0
    assert (tmp_path / "tables" / "demand.csv").is_file()
    capsys.readouterr()

    placed = tmp_path / "placed"
    assert run(["import", "azure-llm", str(trace), "--into", str(tmp_path / "tiny"), "-o", str(placed)]) == 0
    said = capsys.readouterr().out
    assert said.count("not a number") == 10
    assert "and 2 more" in said
    assert f"every assumption and every bad row: {placed / 'import_report.json'}" in said
    report = json.loads((placed / "import_report.json").read_text(encoding="utf-8"))
    assert len(report["bad_rows"]) == BAD_ROWS
    assert tuple(report["assumptions"]) == pg.load(placed).settings.assumptions
    assert [finding for finding in pg.check(placed) if finding.severity == "error"] == []

    assert run(["solve", str(placed), "--engine", "heuristic", "--json", "-o", str(tmp_path / "run")]) == 0
    assert json.loads(capsys.readouterr().out)["audit_violations"] == 0


def test_a_scenario_that_would_not_load_is_refused_before_it_is_written(
    trace: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    broken = tiny_scenario(jobs={"gang": {"min_accelerators": 1000.0}})
    monkeypatch.setattr(importers, "into", lambda *_: broken)
    assert run(["import", "azure-llm", str(trace), "--into", "toy", "-o", str(tmp_path / "placed")]) == 2
    said = capsys.readouterr()
    assert said.err.count("\n") == 1
    assert "min_accelerators" in said.err
    assert not (tmp_path / "placed").exists()
