"""Sweeps: one row for each point, made once, whatever happens on the way."""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

import provgrid as pg
from command_line import in_this_process, json_of, one_line, provgrid, start
from provgrid.cli.many_plans import never_served
from provgrid.cli.sweep import _cells, _constants, _reasons
from provgrid.sweeps import run
from provgrid.sweeps.point import Row
from provgrid.sweeps.results import exit_code
from provgrid_models.errors import OptionError, SolverError
from provgrid_models.files import save_scenario
from provgrid_optimizer import hot
from tiny import tiny_scenario

PRICE = "prices.carbon_price_yuan_per_t"


@pytest.fixture(scope="module")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("scenarios") / "tiny"
    save_scenario(tiny_scenario(), folder)
    return folder


@pytest.fixture(scope="module")
def points(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of points that the tests of this module share."""
    return tmp_path_factory.mktemp("points")


def same(row: dict[str, Any]) -> dict[str, Any]:
    """A row without what the clock has a part in."""
    return {name: value for name, value in row.items() if name != "seconds"}


def test_each_row_is_the_plan_that_solve_finds(tiny, points):
    found = pg.sweep(tiny, {PRICE: "0:100:100"}, engine="lp", folder=points)
    for price, row in zip((0, 100), found.table.to_dict("records"), strict=True):
        plan = pg.solve(pg.load(tiny, [f"{PRICE}={price}"]), engine="lp", policies=False)
        record = plan.to_dict()
        assert row[PRICE] == price
        assert (row["status"], row["reason"]) == ("optimal", "")
        assert row["objective_yuan"] == pytest.approx(plan.objective_yuan, rel=1e-6)
        assert row["bound_yuan"] == pytest.approx(record["bound_yuan"], rel=1e-6)
        assert {f"{k}_yuan": v for k, v in record["costs"].items()} == pytest.approx(
            {name: row[name] for name in row if name.removesuffix("_yuan") in record["costs"]}, abs=1e-6
        )
        assert row["carbon_t"] == pytest.approx(record["carbon_t"], abs=1e-9)
        assert row["constants_yuan"] == pytest.approx(record["constants_yuan"])
        assert row["seconds"] > 0


def test_what_was_made_before_is_not_made_again(tiny, points):
    vary = {PRICE: [0, 100]}
    pg.sweep(tiny, vary, engine="lp", folder=points)
    turned = pg.sweep(tiny, {PRICE: [100, 0]}, engine="lp", folder=points)
    assert turned.made == 0
    assert turned.table[PRICE].tolist() == [100, 0]
    assert pg.sweep(tiny, {PRICE: [0]}, engine="lp", folder=points, again=True).made == 1
    assert pg.sweep(tiny, {PRICE: [0]}, engine="lp", folder=points, seed=1).made == 1  # another option, another point


def test_a_changed_scenario_makes_other_points(tmp_path):
    save_scenario(tiny_scenario(), tmp_path / "tiny")
    vary, folder = {PRICE: [0]}, tmp_path / "points"
    assert pg.sweep(tmp_path / "tiny", vary, engine="lp", folder=folder).made == 1
    save_scenario(tiny_scenario(), tmp_path / "tiny")  # the same files again
    assert pg.sweep(tmp_path / "tiny", vary, engine="lp", folder=folder).made == 0
    save_scenario(tiny_scenario(clusters={"hub_b": {"pue": 1.3}}), tmp_path / "tiny")
    assert pg.sweep(tmp_path / "tiny", vary, engine="lp", folder=folder).made == 1


def test_a_point_without_a_plan_is_a_row_with_its_reason(tiny, points):
    found = pg.sweep(tiny, {"limits.carbon_budget_t": [0.01, 10]}, engine="lp", folder=points)
    first, second = found.table.to_dict("records")
    assert first["status"] == "infeasible"
    assert "raise the budget" in first["reason"]
    assert pd.isna(first["objective_yuan"])
    assert second["status"] == "optimal"
    assert found.exit_code == 0
    wrong = pg.sweep(tiny, {"clusters.city_a.pue": [0.5, 1.5]}, engine="lp", folder=points)
    assert wrong.table["status"].tolist() == ["bad_scenario", "optimal"]


@pytest.mark.slow
def test_processes_find_what_one_process_finds(tiny, tmp_path):
    vary = {PRICE: "0:20:20"}
    alone = pg.sweep(tiny, vary, engine="lp", folder=tmp_path / "alone")
    both = pg.sweep(tiny, vary, engine="lp", folder=tmp_path / "both", jobs=2)
    assert [same(row) for row in alone.to_dict()["rows"]] == [same(row) for row in both.to_dict()["rows"]]
    assert both.made == 2


def test_the_table_is_written_as_csv_and_parquet(tiny, points, tmp_path):
    found = pg.sweep(tiny, {PRICE: [0, 100]}, engine="lp", folder=points)
    for name, read in (("rows.csv", pd.read_csv), ("rows.parquet", pd.read_parquet)):
        table = read(found.save(tmp_path / name))
        assert list(table.columns) == list(found.table.columns)
        assert table["objective_yuan"].tolist() == pytest.approx(found.table["objective_yuan"].tolist())
    with pytest.raises(OptionError, match=r"\.csv or \.parquet"):
        found.save(tmp_path / "rows.txt")
    assert json.loads(json.dumps(found.to_dict(), allow_nan=False))["rows"][1][PRICE] == 100


def test_neighbours_start_hot_and_a_sample_is_solved_again_from_nothing(tiny, tmp_path, monkeypatch):
    monkeypatch.setattr(hot, "FEW_COLUMNS", 0)
    monkeypatch.setattr(run, "NEIGHBOURS", 3)
    vary = {PRICE: "0:40:10"}
    warm = pg.sweep(tiny, vary, engine="lp", folder=tmp_path)
    # Five points are a group of three, whose middle one is solved from nothing, and one of two, whose last is.
    assert [row.hot for row in warm.rows] == [True, False, True, True, False]
    assert [one.point for one in warm.checks] == [0]
    assert all(one.difference <= 1e-6 for one in warm.checks)
    cold = pg.sweep(tiny, vary, engine="lp", folder=tmp_path, hot=False)
    assert not any(row.hot for row in cold.rows)
    assert [row.objective_yuan for row in warm.rows] == pytest.approx([r.objective_yuan for r in cold.rows], rel=1e-6)
    assert warm.to_dict()["cold_checks"][0]["point"] == 0


def test_a_hot_start_that_finds_another_cost_is_an_error(tiny, tmp_path, monkeypatch):
    monkeypatch.setattr(hot, "FEW_COLUMNS", 0)
    vary = {PRICE: "0:20:10"}
    pg.sweep(tiny, vary, engine="lp", folder=tmp_path)
    for file in tmp_path.glob("*.json"):
        row = json.loads(file.read_text(encoding="utf-8"))
        if row["hot"]:
            file.write_text(json.dumps(row | {"objective_yuan": row["objective_yuan"] * 1.00001}), encoding="utf-8")
    with pytest.raises(SolverError, match="add --cold"):
        pg.sweep(tiny, vary, engine="lp", folder=tmp_path)


def test_a_basis_of_another_program_is_not_used(tiny, tmp_path, monkeypatch):
    monkeypatch.setattr(hot, "FEW_COLUMNS", 0)
    found = pg.sweep(tiny, {"services.chat.slo_ms": [1, 10, 100]}, engine="lp", folder=tmp_path)
    assert {row.status for row in found.rows} == {"optimal"}
    assert not all(row.hot for row in found.rows[:2])


@pytest.mark.slow
def test_two_sweeps_in_one_folder_make_every_point_once(tiny, tmp_path):
    arguments = ("sweep", tiny, "--vary", f"{PRICE}=0:50:10", "--engine", "lp", "--points-in", tmp_path, "--json")
    both = [start(*arguments, "--jobs", "1") for _ in range(2)]
    ended = [(one.communicate(timeout=300), one.returncode) for one in both]
    records = [json.loads(out) for (out, _), code in ended if code == 0]
    assert len(records) == 2, ended
    assert sum(record["made"] for record in records) == 6
    assert len(list(tmp_path.glob("*.json"))) == 6
    assert not list(tmp_path.glob("*.partial"))


# The command line ----------------------------------------------------------------------------------------------


def test_the_command_prints_a_table_and_writes_it(tiny, points, tmp_path):
    arguments = ("sweep", tiny, "--vary", f"{PRICE}=0,100", "--engine", "lp", "--points-in", points)
    said = in_this_process(*arguments, "--jobs", "1", "--output", tmp_path / "rows.csv")
    assert said.returncode == 0, said.stderr
    assert "carbon_price_yuan_per_t" in said.stdout
    assert len(pd.read_csv(tmp_path / "rows.csv")) == 2
    assert json_of(in_this_process(*arguments, "--json"))["made"] == 0


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (["--vary", "prices.nothing=1,2"], 2, "prices.nothing"),
        (["--vary", f"{PRICE}=1,2", "--engine", "simplex"], 2, "no engine 'simplex'"),
        (["--vary", f"{PRICE}=1,2", "--jobs", "0"], 2, "at least 1"),
        (["--vary", f"{PRICE}=1,2", "--output", "rows.xlsx"], 2, ".csv or .parquet"),
        (["--vary", "limits.carbon_budget_t=0.001,0.002", "--jobs", "1"], 3, "no point has a plan"),
        (["--vary", f"{PRICE}=1", "--jobs", "1", "--time-limit", "0"], 5, "give more --time-limit"),
        (["--vary", f"{PRICE}=1", "--jobs", "1", "--engine", "heuristic", "--passes", "1"], 4, "--passes"),
    ],
)
def test_what_goes_wrong_has_its_exit_code_and_says_what_to_do(tiny, tmp_path, arguments, code, said):
    engine = [] if "--engine" in arguments else ["--engine", "lp"]
    finished = in_this_process("sweep", tiny, "--points-in", tmp_path / "points", *engine, *arguments)
    assert finished.returncode == code, finished.stderr
    assert said in finished.stderr.strip().splitlines()[-1]


@pytest.mark.slow
@pytest.mark.parametrize(
    ("engine", "code", "said"),
    [
        ("lp", 5, "stopped before any point had a plan; give more --time-limit"),  # about 10 s to its first plan
        ("heuristic", 4, "stopped at a limit or above the asked gap; every point has a plan; give more --time-limit"),
    ],
)
def test_a_solver_that_runs_out_of_time_is_exit_4_or_5(tmp_path, engine, code, said):
    asked = ("--vary", f"{PRICE}=0", "--engine", engine, "--time-limit", "1", "--gap", "0", "--jobs", "1")
    finished = provgrid("sweep", "zhejiang", *asked, "--points-in", tmp_path)
    assert finished.returncode == code, (finished.stdout, finished.stderr)
    assert said in finished.stderr


@pytest.mark.parametrize(
    ("absent", "arguments", "said"),
    [
        ("pulp", ["--engine", "pulp-cbc"], "python -m pip install pulp"),
        ("distributed", ["--engine", "lp", "--dask", "tcp://127.0.0.1:1"], ".[cluster]"),
    ],
)
def test_a_missing_solver_or_cluster_package_is_exit_7(tiny, tmp_path, monkeypatch, absent, arguments, said):
    monkeypatch.setitem(sys.modules, absent, None)  # not installed, as far as Python can tell
    monkeypatch.delitem(sys.modules, "provgrid_optimizer.engines.pulp_engines", raising=False)
    finished = in_this_process(
        "sweep", tiny, "--vary", f"{PRICE}=1", "--points-in", tmp_path, "--jobs", "1", *arguments
    )
    assert said in one_line(finished, 7)


@pytest.mark.slow
@pytest.mark.skipif(not Path("/proc").is_dir(), reason="looks processes up in /proc")
def test_a_lost_worker_is_exit_8_and_what_was_finished_is_kept(tiny, tmp_path):
    arguments = ("sweep", tiny, "--vary", f"{PRICE}=0:590:10", "--engine", "lp", "--points-in", tmp_path)
    process = start(*arguments, "--jobs", "2")
    _wait_for(lambda: len(list(tmp_path.glob("*.json"))) >= 2)
    os.kill(_workers_of(process.pid)[-1], signal.SIGKILL)
    _, said = process.communicate(timeout=120)
    assert process.returncode == 8, said
    assert "fewer --jobs; what was finished is kept" in said
    kept = {file.name: file.stat().st_mtime_ns for file in tmp_path.glob("*.json")}
    record = json_of(provgrid(*arguments, "--jobs", "1", "--json"))
    assert record["made"] == 60 - len(kept)
    assert kept.items() <= {file.name: file.stat().st_mtime_ns for file in tmp_path.glob("*.json")}.items()


@pytest.mark.slow
def test_a_sweep_that_is_killed_ten_times_ends_as_one_that_is_left_alone(tmp_path):
    vary = ("--vary", f"{PRICE}=0:95:5", "--vary", "pools.*/h20.accelerators*=0.2:2:0.2")  # 20 x 10
    options = (*vary, "--engine", "lp", "--jobs", "2", "--json")
    started = time.perf_counter()
    alone = json_of(provgrid("sweep", "toy", *options, "--points-in", tmp_path / "alone"))
    whole_s = time.perf_counter() - started
    moments, folder, kept = random.Random(5), tmp_path / "killed", dict[str, tuple[int, int]]()
    for _ in range(10):
        process = subprocess.Popen(
            [sys.executable, "-m", "provgrid", "sweep", "toy", *options, "--points-in", str(folder)],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
        time.sleep(moments.uniform(0.0, 0.15) * whole_s + moments.uniform(0.0, 3.0))
        os.killpg(process.pid, signal.SIGKILL)  # the workers too
        process.wait()
        kept = _still_there(kept, folder)
    assert 0 < len(kept) < 200, "the kills came before the first point, or after the last"
    last = json_of(provgrid("sweep", "toy", *options, "--points-in", folder))
    assert last["made"] == 200 - len(kept)  # nothing is lost
    assert len(_still_there(kept, folder)) == 200
    assert [same(row) for row in last["rows"]] == [same(row) for row in alone["rows"]]


def _still_there(kept: dict[str, tuple[int, int]], folder: Path) -> dict[str, tuple[int, int]]:
    """Files of the points, by inode and time: none that was there before has been made again."""
    now = {one.name: (one.stat().st_ino, one.stat().st_mtime_ns) for one in folder.glob("*.json")}
    assert kept.items() <= now.items()
    return now


def _wait_for(holds: Any) -> None:
    for _ in range(1200):
        if holds():
            return
        time.sleep(0.1)
    raise AssertionError("it has not come about in two minutes")


def _workers_of(parent: int) -> list[int]:
    """Processes whose parent this is, and that make plans."""
    found = []
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = stat.read_text(encoding="utf-8").rpartition(")")[2].split()
            command = stat.with_name("cmdline").read_bytes()
        except OSError:
            continue
        if int(fields[1]) == parent and b"spawn_main" in command:
            found.append(int(stat.parent.name))
    return sorted(found)


def test_exit_codes_follow_the_worst_row():
    def row(status: str, gap: float | None = 0.0) -> Any:
        from provgrid.sweeps.point import Row

        return Row(status=status, gap=gap, objective_yuan=None if gap is None else 1.0)

    good, none = row("optimal"), row("infeasible", None)
    assert exit_code([good, none], None) == 0
    assert exit_code([none], None) == 3
    assert exit_code([row("no_plan", None), none], None) == 5
    assert exit_code([row("no_plan", None), good], None) == 4
    assert exit_code([row("time_limit", 0.1), good], None) == 4
    assert exit_code([row("time_limit", 0.1), good], 0.2) == 0
    assert exit_code([row("finished", 0.3), good], 0.2) == 4
    assert exit_code([row("solver_failed", None), good], None) == 6
    assert exit_code([row("audit_failed", None), row("solver_failed", None)], None) == 9


def test_a_task_without_processes_is_refused(tiny):
    with pytest.raises(OptionError, match="jobs is 0"):
        pg.sweep(tiny, {PRICE: [1]}, jobs=0)


def test_a_share_that_does_not_count_work_that_no_pool_can_serve_is_marked_and_told() -> None:
    def row(never_served_yuan: float) -> Row:
        figures = {"objective_yuan": 302.0, "unserved_share": 0.0, "total_carbon_t": 0.4, "constants_yuan": 500.0}
        return Row(status="optimal", never_served_yuan=never_served_yuan, **figures)

    assert [_cells(row(yuan))[2] for yuan in (0.0, 70.0)] == ["0.00%", "0.00%*"]
    assert never_served([0.0, 0.0]) == ""
    assert never_served([0.0, 70.0, 13073.0]) == (
        "* of what some pool can serve; beside it 70 to 13,073 yuan of work that no pool can serve, which is among "
        "the constants"
    )


def test_points_without_a_plan_say_why_below_the_table(tiny, tmp_path):
    key = "pools.city_a/fast.accelerators"
    where = ["--points-in", str(tmp_path / "points"), "--engine", "cheapest", "--jobs", "1"]
    said = in_this_process("sweep", tiny, "--vary", f"{key}=-10,20", *where)
    assert said.returncode == 0
    below = said.stdout.split("finished")[-1]
    assert "\naccelerators -10: scenario " in below
    assert below.endswith(f"2 points, 1 without a plan; 2 made now, kept in {tmp_path / 'points'}\n")
    lost = [Row(status="infeasible", reason="no room")] * 7
    lines = _reasons(["a", "t CO2 at most"], [["", "5"]] * 7, lost)
    assert lines == ["t CO2 at most 5: no room"] * 5 + ["and 2 more points without a plan; see --json"]


def test_the_constants_in_what_is_paid_in_all_are_told_below_the_table() -> None:
    def row(constants_yuan: float, idle_t: float) -> Row:
        return Row(
            status="optimal",
            objective_yuan=302.0,
            constants_yuan=constants_yuan,
            carbon_t=0.4,
            total_carbon_t=0.4 + idle_t,
        )

    assert _constants([row(467.0, 0.25), Row(status="infeasible"), row(493.0, 0.25)]) == (
        "in all: 467 to 493 yuan and 0.25 t of it are constants (idle floor and such), "
        "which solve shows beside its cost"
    )
    assert _constants([row(0.0, 0.0)]) == ""
    assert _constants([Row(status="infeasible")]) == ""
