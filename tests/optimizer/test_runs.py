"""Run folders: whole or absent, read back equal, audited from their files alone."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from provgrid_models.compile import compile_scenario
from provgrid_models.errors import AuditError, OptionError, ProvgridError, ScenarioError
from provgrid_optimizer.multipliers import Multipliers
from provgrid_optimizer.options import SolveOptions
from provgrid_optimizer.plan import Plan
from provgrid_optimizer.run_folder import next_run_folder, whole_or_absent
from provgrid_optimizer.run_tables import PARQUET
from provgrid_optimizer.runs import audit_run, open_run
from provgrid_optimizer.solve import Reference, solve
from random_problems import random_problem
from tiny import tiny_scenario

FILES = ("manifest.json", "costs.csv", "solver.log", *(f"{name}.parquet" for name in PARQUET))


def tiny_plan(engine: str = "lp") -> Plan:
    scenario = tiny_scenario()
    return solve(compile_scenario(scenario), engine, scenario=scenario, with_policies=False)


@pytest.fixture(scope="module")
def plan() -> Plan:
    return tiny_plan()


@pytest.fixture(scope="module")
def saved(plan: Plan, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return plan.save(tmp_path_factory.mktemp("saved") / "run")


@pytest.fixture
def run(saved: Path, tmp_path: Path) -> Path:
    """A copy of a saved run, to do harm to."""
    shutil.copytree(saved, tmp_path / "run")
    return tmp_path / "run"


def assert_same_plan(one: Plan, other: Plan) -> None:
    assert one.certificate == other.certificate
    assert one.options == other.options
    assert one.timings == other.timings
    assert one.component_costs == other.component_costs
    assert one.log == other.log
    assert repr(one.history) == repr(other.history)  # NaN is not equal to itself
    for part in ("allocation", "multipliers", "usage"):
        for name, value in vars(getattr(one, part)).items():
            np.testing.assert_array_equal(value, getattr(getattr(other, part), name), err_msg=f"{part}.{name}")
    for name in (*PARQUET, "costs"):
        pd.testing.assert_frame_equal(getattr(one, name), getattr(other, name))
    assert one.to_dict() == other.to_dict()


@pytest.mark.parametrize("engine", ["lp", "milp", "heuristic", "local"])
def test_a_run_reads_back_as_the_same_plan(engine: str, tmp_path: Path) -> None:
    plan = tiny_plan(engine)
    opened = open_run(plan.save(tmp_path / "run"))
    assert_same_plan(plan, opened)
    assert opened.scenario is not None
    assert opened.scenario.name == "tiny"


@pytest.mark.parametrize("seed", range(6))
def test_a_run_of_a_problem_from_arrays_reads_back_as_the_same_plan(seed: int, tmp_path: Path) -> None:
    plan = solve(random_problem(seed), "lp", SolveOptions(seed=seed), with_policies=False)
    opened = open_run(plan.save(tmp_path / "run"))
    assert_same_plan(plan, opened)
    assert opened.scenario is None
    assert opened.problem.carbon_budget_kg == plan.problem.carbon_budget_kg


def test_a_run_holds_these_files_and_no_others(saved: Path) -> None:
    assert {p.name for p in saved.iterdir()} == {*FILES, "scenario"}
    assert (saved / "scenario" / "scenario.toml").is_file()
    assert list(saved.parent.iterdir()) == [saved]


def test_the_manifest_says_what_was_solved_and_how(run: Path, plan: Plan) -> None:
    manifest = json.loads((run / "manifest.json").read_text())
    assert manifest["status"] == "optimal"
    assert manifest["engine"] == "lp"
    assert manifest["options"] == {"gap": None, "time_limit_s": None, "passes": None, "threads": 2, "seed": 0}
    assert manifest["certificate"]["objective_yuan"] == plan.objective_yuan
    assert {"python", "provgrid", "numpy", "highspy"} <= set(manifest["versions"])
    assert len(manifest["source_sha256"]) == 64


def test_the_same_plan_is_the_same_bytes(plan: Plan, run: Path, tmp_path: Path) -> None:
    again = tiny_plan().save(tmp_path / "again")
    for path in sorted(p for p in run.rglob("*") if p.is_file() and p.name not in ("manifest.json", "solver.log")):
        assert path.read_bytes() == (again / path.relative_to(run)).read_bytes(), path.name


def test_a_plan_that_is_given_no_folder_takes_the_next_free_name(
    plan: Plan, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    name = "problem" if plan.scenario is None else plan.scenario.name
    written = [plan.save() for _ in range(2)]
    assert written == [Path("runs") / f"{name}-{plan.engine}-{n}" for n in (1, 2)]
    assert open_run(written[1]).objective_yuan == plan.objective_yuan


def test_no_run_is_overwritten(plan: Plan, run: Path) -> None:
    before = (run / "manifest.json").read_bytes()
    with pytest.raises(OptionError, match="exists already and is never overwritten; give another folder, or remove it"):
        plan.save(run)
    assert (run / "manifest.json").read_bytes() == before


@pytest.mark.parametrize("error", [KeyboardInterrupt, OSError("disk full")])
def test_a_run_that_is_cut_short_does_not_exist(
    error: BaseException, plan: Plan, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_arguments: object, **_options: object) -> None:
        raise error

    monkeypatch.setattr(pd.DataFrame, "to_csv", fail)
    with pytest.raises((KeyboardInterrupt, OptionError)):
        plan.save(tmp_path / "run")
    assert list(tmp_path.iterdir()) == []


def test_what_a_killed_process_left_half_written_goes_with_the_next_run(tmp_path: Path) -> None:
    left = """
import os, sys
from pathlib import Path
from provgrid_optimizer.run_folder import whole_or_absent
with whole_or_absent(Path(sys.argv[1])) as partial:
    (partial / "half").touch()
    print("written", flush=True)
    if sys.argv[2] == "die":
        os._exit(9)
    sys.stdin.read()
"""
    command = [sys.executable, "-c", left]
    subprocess.run([*command, str(tmp_path / "killed"), "die"], check=False, capture_output=True)
    with subprocess.Popen(
        [*command, str(tmp_path / "busy"), "live"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as busy:
        assert busy.stdout is not None
        assert busy.stdout.readline() == "written\n"
        (tmp_path / ".mine.12345678.partial").mkdir()  # not ours, whatever it is
        names = [p.name.split(".")[1] for p in sorted(tmp_path.iterdir())]
        assert names == ["busy", "killed", "mine"]
        for folder in tmp_path.iterdir():
            os.utime(folder, (0, 0))  # long ago
        with whole_or_absent(tmp_path / "next"):
            assert {p.name.split(".")[1] for p in tmp_path.iterdir()} == {"busy", "mine", "next"}
        busy.communicate("")
    assert (tmp_path / "busy" / "half").exists()


def test_what_was_begun_this_minute_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / ".other.provgrid-12345678.partial").mkdir()  # perhaps about to be locked
    with whole_or_absent(tmp_path / "run"):
        pass
    assert (tmp_path / ".other.provgrid-12345678.partial").exists()


def test_a_name_that_was_taken_meanwhile_is_left_alone(tmp_path: Path) -> None:
    def write_while_somebody_else_does() -> None:
        with whole_or_absent(tmp_path / "run") as partial:
            (partial / "mine").touch()
            (tmp_path / "run").mkdir()
            (tmp_path / "run" / "theirs").touch()

    with pytest.raises(OptionError, match="exists already"):
        write_while_somebody_else_does()
    assert [p.name for p in (tmp_path / "run").iterdir()] == ["theirs"]
    assert len(list(tmp_path.iterdir())) == 1


def test_the_next_run_gets_the_next_number(tmp_path: Path) -> None:
    assert next_run_folder(tmp_path, "toy", "lp") == tmp_path / "toy-lp-1"
    (tmp_path / "toy-lp-1").mkdir()
    assert next_run_folder(tmp_path, "toy", "lp") == tmp_path / "toy-lp-2"


@pytest.mark.parametrize("name", [f for f in FILES if f != "solver.log"] + ["scenario/scenario.toml"])
@pytest.mark.parametrize("harm", ["missing", "cut", "empty", "noise"])
def test_a_damaged_run_is_one_line(name: str, harm: str, run: Path) -> None:
    path = run / name
    content = path.read_bytes()
    if harm == "missing":
        path.unlink()
    else:
        path.write_bytes({"cut": content[: len(content) // 2], "empty": b"", "noise": b"\xff\x00 noise \n"}[harm])
    for read in (open_run, audit_run):
        with pytest.raises(ScenarioError) as caught:
            read(run)
        assert len(str(caught.value).splitlines()) == 1
        assert "solve" in str(caught.value)


def test_a_folder_that_is_no_run_is_one_line(tmp_path: Path) -> None:
    with pytest.raises(ScenarioError, match=r"manifest\.json is missing"):
        open_run(tmp_path)
    with pytest.raises(ScenarioError, match="is no folder"):
        open_run(tmp_path / "nowhere")


def test_the_audit_of_an_untouched_run_passes_and_proves_the_bound(run: Path, plan: Plan) -> None:
    report = audit_run(run)
    assert report.passed
    assert report.objective_yuan == pytest.approx(plan.objective_yuan, rel=1e-9)
    assert report.bound_yuan == pytest.approx(plan.certificate.bound_prices_yuan, rel=1e-9)


def change(run: Path, table: str, column: str, factor: float) -> None:
    path = run / f"{table}.parquet"
    frame = pd.read_parquet(path)
    row = frame[column].abs().idxmax()
    frame.loc[row, column] *= factor
    frame.to_parquet(path, index=False)


@pytest.mark.parametrize(
    ("table", "column", "factor", "rule"),
    [
        ("training", "accelerators", 1.5, "work"),
        ("inference", "tokens_per_s", 3.0, "demand"),
        ("energy", "power_kw", 0.5, "balance"),
        ("traffic", "traffic_gbps", 2.0, "traffic"),
        ("peaks", "peak_kw", 0.5, "peak"),
        ("prices", "price", -1.0, "multipliers"),
    ],
)
def test_a_table_that_was_changed_fails_the_audit_by_name(
    table: str, column: str, factor: float, rule: str, run: Path
) -> None:
    change(run, table, column, factor)
    assert rule in audit_run(run).counts
    with pytest.raises(AuditError, match="fails its audit"):
        open_run(run)


def test_an_understated_cost_and_an_overstated_bound_fail_the_audit(run: Path) -> None:
    costs = pd.read_csv(run / "costs.csv")
    costs.loc[costs["component"] == "energy", "cost_yuan"] *= 0.9
    costs.to_csv(run / "costs.csv", index=False)
    assert "cost" in audit_run(run).counts
    manifest = json.loads((run / "manifest.json").read_text())
    manifest["certificate"]["bound_prices_yuan"] *= 1.1
    (run / "manifest.json").write_text(json.dumps(manifest))
    assert "bound" in audit_run(run).counts


def test_an_id_that_the_scenario_does_not_have_fails_the_audit(run: Path) -> None:
    frame = pd.read_parquet(run / "inference.parquet")
    frame["pool"] = frame["pool"].astype(object)
    frame.loc[0, "pool"] = "nowhere/chip"
    frame.to_parquet(run / "inference.parquet", index=False)
    assert "unknown_id" in audit_run(run).counts


def test_another_scenario_in_the_run_is_noticed(run: Path) -> None:
    path = run / "scenario" / "clusters.csv"
    path.write_text(path.read_text().replace("1.5", "1.1"))
    with pytest.raises(ProvgridError, match="is not what was solved"):
        audit_run(run)


def claim(run: Path, **changes: object) -> None:
    """Change claims of the saved certificate."""
    manifest = json.loads((run / "manifest.json").read_text())
    manifest["certificate"] |= changes
    (run / "manifest.json").write_text(json.dumps(manifest))


def test_a_best_bound_that_neither_prices_nor_a_solver_prove_fails_the_audit(tmp_path: Path) -> None:
    plan = tiny_plan("local")
    run = plan.save(tmp_path / "run")
    claim(run, bound_yuan=plan.objective_yuan)
    assert "bound" in audit_run(run).counts
    claim(run, bound_yuan="inf")
    assert {"bound", "bound_above_objective"} <= set(audit_run(run).counts)


def test_the_relaxation_of_ordered_jobs_is_proven_by_its_own_duals(plan: Plan) -> None:
    # `vertical` waits for `base`, which costs it something: the relaxation prices that row too.
    certificate = plan.certificate
    assert plan.multipliers.after.any()
    assert certificate.bound_drops == ()
    assert certificate.gap <= 1e-6
    assert certificate.bound_method == "prices"


def test_a_bound_whose_prices_leave_the_order_free_says_so() -> None:
    scenario = tiny_scenario()
    problem = compile_scenario(scenario)
    prices = Multipliers.zero(problem)
    free = solve(problem, "local", reference=Reference(multipliers=prices), with_policies=False).certificate
    assert free.bound_drops == ("after",)
    alone = replace(problem, after=np.full(problem.n_jobs, -1))
    prices = Multipliers.zero(alone)
    assert not solve(
        alone, "local", reference=Reference(multipliers=prices), with_policies=False
    ).certificate.bound_drops


def test_prices_of_an_order_that_the_scenario_does_not_have_fail_the_audit(run: Path) -> None:
    frame = pd.read_parquet(run / "prices.parquet")
    ordered = frame["kind"] == "after"
    assert set(frame.loc[ordered, "id"]) == {"vertical"}
    frame.loc[ordered, "id"] = "base"
    frame.to_parquet(run / "prices.parquet", index=False)
    assert {"multipliers", "bound"} <= set(audit_run(run).counts)


def test_order_prices_that_went_missing_fail_the_audit_for_the_bound_that_they_proved(run: Path) -> None:
    frame = pd.read_parquet(run / "prices.parquet")
    frame[frame["kind"] != "after"].to_parquet(run / "prices.parquet", index=False)
    assert "bound" in audit_run(run).counts


def test_where_the_prices_prove_less_the_bound_is_the_solvers_own() -> None:
    # Power that is worth less than nothing makes an accelerator-hour worth less than nothing; no price does.
    found = [solve(random_problem(seed), "lp", with_policies=False).certificate for seed in range(12)]
    assert all(certificate.gap <= 1e-6 for certificate in found)
    less = [certificate for certificate in found if certificate.bound_method == "lp"]
    assert less
    assert all(c.bound_prices_yuan < c.bound_yuan <= c.objective_yuan + 1e-6 * abs(c.objective_yuan) for c in less)


@pytest.fixture(scope="module")
def held_against_policies(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A saved plan whose certificate knows the policies."""
    scenario = tiny_scenario()
    plan = solve(compile_scenario(scenario), "heuristic", scenario=scenario)
    return plan.save(tmp_path_factory.mktemp("held") / "run")


@pytest.mark.parametrize("name", ["gap", "gap_jobs", "captured", "unserved_share", "jobs_yuan", "carbon_kg"])
@pytest.mark.parametrize("harm", ["other", "nan"])
def test_a_figure_that_does_not_follow_from_the_plan_fails_the_audit(
    name: str, harm: str, held_against_policies: Path, tmp_path: Path
) -> None:
    run = shutil.copytree(held_against_policies, tmp_path / "run")
    assert audit_run(run).passed
    manifest = json.loads((run / "manifest.json").read_text())
    holder = next(part for part in (manifest["certificate"], manifest["cost_details"], manifest) if name in part)
    holder[name] = "nan" if harm == "nan" else holder[name] + 1e-4 * max(abs(holder[name]), 1.0)
    (run / "manifest.json").write_text(json.dumps(manifest))
    assert set(audit_run(run).counts) == {"certificate"}


def test_a_best_policy_that_captured_does_not_follow_from_fails_the_audit(
    held_against_policies: Path, tmp_path: Path
) -> None:
    run = shutil.copytree(held_against_policies, tmp_path / "run")
    name, yuan = json.loads((run / "manifest.json").read_text())["certificate"]["best_policy"]
    claim(run, best_policy=[name, 1.1 * yuan])
    assert "certificate" in audit_run(run).counts
    claim(run, best_policy=None)
    assert "certificate" in audit_run(run).counts


def test_a_method_that_the_engine_does_not_have_fails_the_audit(held_against_policies: Path, tmp_path: Path) -> None:
    run = shutil.copytree(held_against_policies, tmp_path / "run")
    for method in ("milp", "lp", "none", "guess"):
        claim(run, bound_method=method)
        assert set(audit_run(run).counts) == {"certificate"}


def test_constants_that_are_split_in_another_way_fail_the_audit(run: Path) -> None:
    costs = pd.read_csv(run / "costs.csv").set_index("component")
    costs.loc["idle_floor", "cost_yuan"] -= 1.0
    costs.loc["take_or_pay", "cost_yuan"] += 1.0
    costs.reset_index().to_csv(run / "costs.csv", index=False)
    assert audit_run(run).counts == {"certificate": 2}


@pytest.mark.parametrize(("table", "column"), [("jobs", "accelerator_h"), ("inference", "accelerators")])
def test_a_column_that_repeats_the_rows_has_to_agree_with_them(table: str, column: str, run: Path) -> None:
    change(run, table, column, 1.001)
    assert audit_run(run).counts == {"certificate": 1}


def test_a_bound_that_is_null_is_missing(run: Path) -> None:
    claim(run, bound_yuan=None, bound_prices_yuan=None, gap=None, gap_jobs=None, bound_method="none")
    assert audit_run(run).passed
