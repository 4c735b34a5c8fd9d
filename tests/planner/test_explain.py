"""`provgrid explain` as a person reads it."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

import provgrid as pg
from provgrid import exits
from provgrid.cli import run
from provgrid.cli.explain import _show_work
from provgrid_models.files import save_scenario
from tiny import tiny_scenario

OVERLOADED = """\
tiny is infeasible: not all of its 0 hard jobs and 1 hard service can be served

conflict 1 of 1; without any one of these there is none:
  hard service chat of east: 3,500 tokens/s from 2026-07-01 05:00 to 06:00
      not in hub_b/fast: data must stay in zone east, pool is in west
  pool city_a/fast has 20 accelerators from 2026-07-01 05:00 to 06:00
  pool prov_c/small has 50 accelerators from 2026-07-01 05:00 to 06:00
single changes that end it, the smallest first:
change                                                                      step
────────────────────────────────────────────────────────────────────────────────
accelerators of pool city_a/fast: +10 accelerators (20 to 30)              50.0%
accelerators of pool prov_c/small: +25 accelerators (50 to 75)             50.0%

smallest fix, checked by a solve: --set 'pools.city_a/fast.accelerators=30.0'
"""


@pytest.fixture(scope="module")
def overloaded(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("explain") / "tiny"
    demand = [3500.0 if t == 5 else 100.0 for t in range(12)]
    save_scenario(tiny_scenario(services={"chat": {"hard": True}}, demand={"chat": demand}), folder)
    return folder


@pytest.fixture(scope="module")
def plan_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("explain") / "run"
    pg.solve(tiny_scenario(), engine="milp", policies=False, threads=1).save(folder)
    return folder


def unspaced(text: str) -> list[str]:
    """Lines without the widths that a table chooses for itself."""
    return [" ".join(line.split()) for line in text.splitlines() if "─" not in line]


def test_a_conflict_reads_as_it_should_and_its_fix_can_be_pasted(
    overloaded: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    arguments = ["explain", str(overloaded), "--infeasible", "--threads", "1"]
    assert run(arguments) == exits.SOLVED
    assert unspaced(capsys.readouterr().out) == unspaced(OVERLOADED)
    assert run(["solve", str(overloaded), "--engine", "lp", "--no-policies"]) == 3
    assert f"; see why: provgrid explain {overloaded} --infeasible\n" in capsys.readouterr().err
    assert run([*arguments, "--set", "pools.city_a/fast.accelerators=30.0"]) == exits.SOLVED
    shown = capsys.readouterr().out
    assert shown == "tiny is feasible: its 0 hard jobs and 1 hard service can all be served\n"


def test_a_heuristic_that_finds_no_place_names_the_work_and_the_next_step(
    overloaded: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["solve", str(overloaded), "--no-policies", "-o", str(tmp_path / "run")]) == pg.NoPlanError.exit_code
    said = capsys.readouterr().err
    assert "hard service chat found no place beside the other hard work; " in said
    assert said.endswith(f"; see why: provgrid explain {overloaded} --infeasible\n")
    assert "SCENARIO" not in said
    # From Python the same, in general.
    with pytest.raises(pg.NoPlanError, match="; ask provgrid explain SCENARIO --infeasible for the smallest fix"):
        pg.solve(pg.load(overloaded), policies=False)


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (["sweep", "--vary", "clusters.city_a.pue=1.4,1.5", "--jobs", "1", "--engine", "heuristic"], 5),
        (["pareto", "--points", "2", "--jobs", "1"], 3),
        (["study", "pooling"], 5),
        (["compare", "--against", "local", "--engine", "lp"], 3),
    ],
    ids=["sweep", "pareto", "study", "compare"],
)
def test_a_command_that_plans_many_times_names_the_scenario_that_was_given(
    arguments: list[str],
    code: int,
    overloaded: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    words = arguments[: 1 + (arguments[0] == "study")]
    assert run([*words, str(overloaded), *arguments[len(words) :], "--set", "prices.carbon_price_yuan_per_t=5"]) == code
    said = "".join(capsys.readouterr())
    command = f"provgrid explain {overloaded} --infeasible --set prices.carbon_price_yuan_per_t=5"
    if arguments[0] == "sweep":  # each point with its own value
        assert f"{command} --set clusters.city_a.pue=1.4\n" in said
        assert f"{command} --set clusters.city_a.pue=1.5\n" in said
    assert f"; see why: {command}" in said
    assert "SCENARIO" not in said


def test_check_names_the_next_step_for_hard_work_that_no_pool_can_serve(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    save_scenario(tiny_scenario(jobs={"gang": {"hard": True, "deadline_h": 3.0}}), tmp_path / "tiny")
    assert run(["check", str(tmp_path / "tiny")]) == exits.BAD_INPUT
    assert f"see why: provgrid explain {tmp_path / 'tiny'} --infeasible" in capsys.readouterr().out
    capsys.readouterr()
    assert run(["solve", str(tmp_path / "tiny")]) == pg.InfeasibleError.exit_code
    assert f"see why: provgrid explain {tmp_path / 'tiny'} --infeasible" in capsys.readouterr().err


def test_a_conflict_is_a_record_too(overloaded: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["explain", str(overloaded), "--infeasible", "--threads", "1", "--json"]) == exits.SOLVED
    record = json.loads(capsys.readouterr().out)
    assert record == pg.explain_infeasible(pg.load(overloaded), threads=1).to_dict()
    assert record["fix"][0]["set"] == "pools.city_a/fast.accelerators=30.0"
    assert record["steps"][0]["conflict"]["work"][0]["periods"] == [5]


def test_a_scenario_without_hard_work_is_feasible(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["explain", "toy", "--infeasible"]) == exits.SOLVED
    assert capsys.readouterr().out == "toy is feasible: it has no hard work\n"


def test_a_job_is_explained_with_every_pool(plan_folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["explain", str(plan_folder), "--job", "vertical", "--verify"]) == exits.SOLVED
    shown = capsys.readouterr().out
    assert shown.startswith("job vertical (window 2026-07-01 00:00 to 12:00): in ")
    assert "at marginal prices at this plan, its choices fixed, and by a solve with all other choices fixed" in shown
    assert "hub_b/fast data must stay in zone east, pool is in west - -" in " ".join(shown.split())
    assert "where it is 100.0% +0.00 +0.00" in " ".join(shown.split())


@pytest.mark.parametrize(("extra_yuan", "verified", "warned"), [(-2.73, None, 1), (-0.004, None, 0), (-2.73, "lp", 0)])
def test_a_pool_that_looks_cheaper_at_prices_is_no_proof(
    plan_folder: Path, extra_yuan: float, verified: str | None, warned: int, capsys: pytest.CaptureFixture[str]
) -> None:
    found = pg.open(plan_folder).explain.job("vertical")
    (here, *others) = found.candidates
    cheaper = replace(here, pool="hub_b/fast", share=0.0, extra_yuan=extra_yuan)
    _show_work(replace(found, candidates=(here, cheaper, *others), verified=verified))
    shown = capsys.readouterr().out
    assert shown.count("below 0: these prices do not prove that a move gains; ask --verify\n") == warned
    assert "-0.00" not in shown


@pytest.mark.parametrize(("kind", "name"), [("job", "base"), ("service", "batch"), ("cluster", "hub_b")])
def test_json_is_what_the_plan_says(
    plan_folder: Path, kind: str, name: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["explain", str(plan_folder), f"--{kind}", name, "--json"]) == exits.SOLVED
    explain = pg.open(plan_folder).explain
    assert json.loads(capsys.readouterr().out) == json.loads(json.dumps(getattr(explain, kind)(name).to_dict()))


def test_a_cluster_lists_what_fills_it_and_who_comes_next(
    plan_folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["explain", str(plan_folder), "--cluster", "hub_b", "--verify"]) == exits.SOLVED
    shown = capsys.readouterr().out
    assert shown.startswith("cluster hub_b: ")
    assert "accelerator-hours used" in shown


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ([], "ask one thing"),
        (["--job", "a", "--cluster", "b"], "ask one thing"),
        (["--job", "a", "--infeasible"], "ask one thing"),
        (["--infeasible", "--verify"], "--infeasible always verifies"),
        (["--job", "a", "--set", "b=1"], "--set goes with --infeasible"),
        (["--job", "nobody"], "the plan has no job 'nobody'"),
    ],
)
def test_a_wrong_question_is_bad_input(
    plan_folder: Path, arguments: list[str], said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["explain", str(plan_folder), *arguments]) == exits.BAD_INPUT
    assert said in capsys.readouterr().err


def test_an_idle_floor_that_breaks_a_limit_is_the_answer(overloaded: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Of city_a's 20 accelerators each draws 0.1 kW * 1.25 * PUE 1.5 idle: 3.75 kW, and 1 kW is there."""
    arguments = ["explain", str(overloaded), "--infeasible", "--set", "clusters.city_a.grid_limit_mw=0.001"]
    assert run(arguments) == exits.SOLVED
    told, why = capsys.readouterr().out.splitlines()
    assert told == "tiny is infeasible with no work at all: its idle accelerators alone break a limit"
    assert "cluster city_a" in why
    assert "3.75 kW asked, 1 kW there" in why
    assert run([*arguments, "--json"]) == exits.SOLVED
    record = json.loads(capsys.readouterr().out)
    assert (record["feasible"], record["fixed"], record["steps"]) == (False, False, [])
    assert "3.75 kW asked" in record["without_work"]


def test_a_carbon_budget_below_the_idle_floor_is_the_answer_too(
    overloaded: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["explain", str(overloaded), "--infeasible", "--set", "limits.carbon_budget_t=0.0001"]) == exits.SOLVED
    told, why = capsys.readouterr().out.splitlines()
    assert told == "tiny is infeasible with no work at all: its idle accelerators alone break a limit"
    assert "the idle accelerators alone emit at least" in why


def test_a_job_that_is_not_there_is_told_with_those_that_are(
    plan_folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["explain", str(plan_folder), "--job", "xyzxyz"]) == exits.BAD_INPUT
    said = capsys.readouterr().err
    assert "the plan has no job 'xyzxyz'; known: " in said
    assert all(str(name) in said for name in pg.open(plan_folder).problem.labels.jobs)
