"""`provgrid bench reference`: each engine in a process of its own, one record each."""

from __future__ import annotations

import json

import pytest

from provgrid.cli import run

KEYS = {
    *("instance", "seed", "engine", "status", "objective_yuan", "bound_yuan", "gap", "audit_violations"),
    *("jobs", "services", "pools", "periods", "build_s", "compile_s", "solve_s", "audit_s", "peak_rss_mb"),
}


def test_two_engines_are_measured_on_one_instance(capsys: pytest.CaptureFixture[str]) -> None:
    # 3 pools and 14 hours are the least that the instance can be drawn for.
    size = ["--jobs", "12", "--pools", "3", "--hours", "14", "--services", "2"]
    assert run(["bench", "reference", *size, "--engines", "lp,heuristic", "--json"]) == 0
    ideal, plan = json.loads(capsys.readouterr().out)
    for record in (ideal, plan):
        assert set(record) >= KEYS
        assert record["instance"] == "reference-12-3-14-2"
        assert (record["jobs"], record["services"], record["pools"], record["periods"]) == (12, 2, 3, 14)
        assert record["audit_violations"] == 0
        assert record["peak_rss_mb"] > 20
    assert (ideal["engine"], plan["engine"]) == ("lp", "heuristic")
    assert ideal["objective_yuan"] <= plan["objective_yuan"] * (1 + 1e-9)
    assert plan["bound_yuan"] <= ideal["objective_yuan"] * (1 + 1e-6)


def test_too_small_an_instance_is_exit_2(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["bench", "reference", "--hours", "8", "--json"]) == 2
    assert "--hours" in capsys.readouterr().err
