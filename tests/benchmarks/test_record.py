"""`provgrid bench reference`, `scale` and `scenario`: one record per run, each run in a process of its own."""

from __future__ import annotations

import json
import subprocess
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from provgrid.cli import run
from provgrid_bench.proof import energy_bound_yuan
from provgrid_bench.record import in_own_processes, measure
from provgrid_bench.scale import scale_instance, scale_problem
from provgrid_models.files import save_scenario
from provgrid_optimizer.lagrangian import bound
from provgrid_optimizer.multipliers import Multipliers
from provgrid_optimizer.options import SolveOptions
from provgrid_optimizer.solve import find_engine
from tiny import tiny_scenario

KEYS = {
    *("instance", "jobs", "pools", "periods", "services", "rigid_share", "engine", "status", "seed", "threads"),
    *("objective_yuan", "bound_yuan", "gap", "gap_jobs", "captured", "gap_energy_prices", "gap_cheapest"),
    *("audit_violations", "unserved_share", "build_s", "compile_s", "solve_s", "audit_s", "passes", "pass_s"),
    *("solve_over_pass", "peak_rss_mb", "instance_seed"),
}
# 3 pools and 14 hours are the least that the reference instance can be drawn for.
REFERENCE = ["--jobs", "12", "--pools", "3", "--hours", "14", "--services", "2"]
SCALE = ["--pools", "4", "--hours", "24", "--services", "3"]


def records_of(capsys: pytest.CaptureFixture[str], *arguments: str) -> list[dict[str, object]]:
    assert run(["bench", *arguments, "--json"]) == 0
    records = json.loads(capsys.readouterr().out)
    for record in records:
        assert set(record) >= KEYS
        assert record["audit_violations"] == 0
        assert record["peak_rss_mb"] > 20
    return list(records)


@pytest.mark.slow
def test_two_engines_are_measured_on_one_instance(capsys: pytest.CaptureFixture[str]) -> None:
    ideal, plan = records_of(capsys, "reference", *REFERENCE, "--engines", "lp,heuristic")
    for record in (ideal, plan):
        assert record["instance"] == "reference-12-3-14-2"
        assert (record["jobs"], record["services"], record["pools"], record["periods"]) == (12, 2, 3, 14)
        assert record["rigid_share"] == 0.0
    assert (ideal["engine"], plan["engine"]) == ("lp", "heuristic")
    assert ideal["objective_yuan"] <= plan["objective_yuan"] * (1 + 1e-9)
    assert plan["bound_yuan"] <= ideal["objective_yuan"] * (1 + 1e-6)


@pytest.mark.slow
def test_one_reference_instance_can_be_solved_with_several_seeds(capsys: pytest.CaptureFixture[str]) -> None:
    records = records_of(capsys, "reference", *REFERENCE, "--engines", "lp", "--seed", "1,2", "--instance-seed", "0")
    records += records_of(capsys, "reference", *REFERENCE, "--engines", "lp", "--seed", "0")
    assert [(record["instance_seed"], record["seed"]) for record in records] == [(0, 1), (0, 2), (0, 0)]
    for record in records[:2]:
        assert record["objective_yuan"] == pytest.approx(records[2]["objective_yuan"], rel=1e-9)


@pytest.mark.slow
def test_sizes_of_the_scale_family_are_runs_of_their_own(capsys: pytest.CaptureFixture[str]) -> None:
    records = records_of(capsys, "scale", "--jobs", "20,30", "--seed", "1", "--rigid", "0.5", *SCALE)
    assert [(record["jobs"], record["seed"]) for record in records] == [(20, 1), (30, 1)]
    assert [record["instance"] for record in records] == ["scale-20-4-24-3-rigid50", "scale-30-4-24-3-rigid50"]
    assert {record["rigid_share"] for record in records} == {0.5}


def test_a_scenario_is_measured_like_an_instance(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    save_scenario(tiny_scenario(), tmp_path / "tiny")
    (record,) = records_of(capsys, "scenario", str(tmp_path / "tiny"), "--threads", "1")
    assert record["instance"] == str(tmp_path / "tiny")
    assert record["threads"] == 1


def test_a_plan_is_held_against_policies_and_against_energy_prices() -> None:
    options = SolveOptions(threads=1)
    instance = scale_instance(60, 4, 24, 3, 0, 0.0)
    record = measure(instance, "heuristic", options)
    cheapest = measure(instance, "cheapest", options)
    # The cost of policy `cheapest` against the engine's own bound.
    assert record["gap_cheapest"] == pytest.approx(1 - record["bound_yuan"] / cheapest["objective_yuan"], rel=1e-9)
    assert record["gap"] <= record["gap_cheapest"]
    assert record["gap"] <= record["gap_energy_prices"] <= 1
    assert 0 <= record["captured"] <= 1
    assert record["solve_over_pass"] == record["solve_s"] / record["pass_s"]


def test_energy_prices_prove_less_than_prices_with_scarcity_and_at_least_those_of_any_block() -> None:
    problem = scale_problem(60, 4, 24, 3)
    prices = find_engine("lp")(problem, SolveOptions(threads=1), lambda _: None).multipliers
    assert prices is not None
    optimum = bound(problem, prices).total_yuan
    found = energy_bound_yuan(problem, prices, threads=1)
    assert found < optimum
    # Each cluster has one pool, one renewable block and a grid block that is dearer at all times but a few.
    tariff = problem.kw_per_accelerator * problem.block_yuan_per_kwh[problem.block_is_grid]
    renewable = problem.kw_per_accelerator * problem.block_yuan_per_kwh[~problem.block_is_grid]
    for accelerator in (np.maximum(tariff, renewable), np.minimum(tariff, renewable)):
        assert found >= bound(problem, replace(Multipliers.zero(problem), accelerator=accelerator)).total_yuan


def test_too_small_an_instance_is_exit_2(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["bench", "reference", "--hours", "8", "--json"]) == 2
    assert "--hours" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["scale", "--jobs", "1000,many"], "--jobs holds 'many'"),
        (["scale", "--jobs", "0"], "--jobs holds '0'"),
        (["scale", "--seed", "-1"], "--seed holds '-1'"),
        (["scale", "--rigid", "1.5"], "--rigid"),
        (["scenario", "toy", "--engines", "genius"], "no engine 'genius'"),
    ],
)
def test_a_wrong_list_is_exit_2_with_its_option(
    arguments: list[str], message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["bench", *arguments, "--json"]) == 2
    assert message in capsys.readouterr().err


def test_a_run_that_fails_ends_the_rest_with_its_exit_code(capsys: pytest.CaptureFixture[str]) -> None:
    # A limit of 0 s leaves no plan: exit 5, from a process of its own as from this one.
    assert run(["bench", "scale", "--jobs", "20,30", *SCALE, "--time-limit", "0", "--json"]) == 5
    assert "bench scale --jobs=20 --seed=0 --engines=heuristic" in capsys.readouterr().err


def test_ctrl_c_between_runs_leaves_the_records_of_those_that_ended(monkeypatch: pytest.MonkeyPatch) -> None:
    calls: list[str] = []

    def child(call: list[str], **_: object) -> subprocess.CompletedProcess[str]:
        calls.append(call[-2])
        if len(calls) == stops_at:
            raise KeyboardInterrupt
        return subprocess.CompletedProcess(call, 0, stdout=json.dumps([{"run": call[-2]}]))

    monkeypatch.setattr("provgrid_bench.record.subprocess.run", child)
    stops_at = 3
    assert in_own_processes([["a"], ["b"], ["c"], ["d"]]) == [{"run": "a"}, {"run": "b"}]
    assert calls == ["a", "b", "c"]
    calls.clear()
    stops_at = 1
    with pytest.raises(KeyboardInterrupt):
        in_own_processes([["a"], ["b"]])
