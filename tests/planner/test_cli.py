"""The command line, run as a person runs it: exit codes, one-line errors, JSON, help."""

from __future__ import annotations

import json
import os
import re
import resource
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
import typer

from command_line import in_this_process, json_of, one_line, provgrid
from provgrid.cli import app, doctor
from provgrid_models.errors import SolverError
from provgrid_models.files import save_scenario
from tiny import tiny_scenario

COMMANDS = (
    "demo",
    "new",
    "check",
    "solve",
    "audit",
    "ledger",
    "explain",
    "export",
    "study",
    "compare",
    "sweep",
    "pareto",
    "import",
    "bench",
    "facts",
    "claims",
    "schema",
    "doctor",
    "view",
)
SOLVE_KEYS = {
    *("scenario", "engine", "status", "objective_yuan", "bound_yuan", "gap", "gap_jobs", "captured", "constants_yuan"),
    *("unserved_share", "audit_violations", "costs", "jobs", "services", "pools", "periods"),
    *("build_s", "compile_s", "solve_s", "audit_s", "peak_rss_mb", "run_dir"),
}


@pytest.fixture(scope="module")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("scenarios") / "tiny"
    save_scenario(tiny_scenario(), folder)
    return folder


@pytest.mark.parametrize("arguments", [["--help"], ["solve", "--help"], ["bench", "scale", "--help"]])
def test_help_loads_nothing_heavy(arguments: list[str]) -> None:
    code = (
        "import sys\n"
        "from provgrid.cli import run\n"
        f"code = run({arguments!r})\n"
        "print([m for m in ('numpy', 'pandas', 'numba', 'highspy') if m in sys.modules], code, file=sys.stderr)\n"
    )
    said = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert said.stderr.strip() == "[] 0"
    assert "Usage" in said.stdout


def test_help_is_quick() -> None:
    seconds = []
    for _ in range(3):
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        assert provgrid("--help").returncode == 0
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        # The processor's time: what the clock says besides is other people's work on the machine.
        seconds.append(after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime)
    assert min(seconds) < 0.5


def test_every_command_of_this_version_is_listed_and_takes_json() -> None:
    listed = in_this_process("--help").stdout
    for command in COMMANDS:
        assert f" {command} " in listed
        asked = {"bench": ["bench", "reference"], "study": ["study", "ports"]}.get(command, [command])
        assert "--json" in in_this_process(*asked, "--help").stdout


def test_output_in_a_pipe_has_no_colours(tiny: Path, tmp_path: Path) -> None:
    said = provgrid("solve", tiny, "--engine", "lp", "--no-policies", "-o", tmp_path / "run")
    assert said.returncode == 0, said.stderr
    assert "\x1b" not in said.stdout + said.stderr
    assert "lp: optimal" in said.stdout


def test_solve_prints_one_record_and_writes_the_run_that_it_names(tiny: Path, tmp_path: Path) -> None:
    record = json_of(provgrid("solve", tiny, "--engine", "lp", "--json", cwd=tmp_path))
    assert set(record) >= SOLVE_KEYS
    assert record["run_dir"] == "runs/tiny-lp-1"
    assert (tmp_path / "runs" / "tiny-lp-1" / "manifest.json").is_file()
    assert sum(record["costs"].values()) == pytest.approx(record["objective_yuan"], rel=1e-12)
    assert record["audit_violations"] == 0
    # The prices leave out what verticals wait for, so that even an exact optimum may lie above its bound.
    assert record["bound_yuan"] <= record["objective_yuan"] * (1 + 1e-9)
    assert record["peak_rss_mb"] > 20


def test_the_audit_repeats_from_the_files_alone(tiny: Path, tmp_path: Path) -> None:
    run = tmp_path / "run"
    record = json_of(in_this_process("solve", tiny, "--engine", "heuristic", "--json", "-o", run))
    audit = json_of(in_this_process("audit", run, "--json"))
    assert audit["passed"]
    assert audit["objective_yuan"] == pytest.approx(record["objective_yuan"], rel=1e-9)
    assert audit["bound_yuan"] == pytest.approx(record["bound_yuan"], rel=1e-6)
    assert "audit passed" in in_this_process("audit", run).stdout


def test_a_plan_that_fails_its_audit_is_exit_9(tiny: Path, tmp_path: Path) -> None:
    run = tmp_path / "run"
    assert in_this_process("solve", tiny, "--engine", "lp", "--no-policies", "-o", run).returncode == 0
    frame = pd.read_parquet(run / "training.parquet")
    frame["accelerators"] *= 2
    frame.to_parquet(run / "training.parquet", index=False)
    said = in_this_process("audit", run)
    assert said.returncode == 9
    assert "violation: " in said.stderr
    assert json_of(in_this_process("audit", run, "--json"), code=9)["passed"] is False


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["solve", "nowhere"], "nowhere: no such folder"),
        (["solve", ""], 'scenario "" has 1 error; first: "": the folder holds no scenario.toml'),
        (["solve", "SCENARIO", "--engine", "genius"], "no engine 'genius'"),
        (["solve", "SCENARIO", "--engine", "lp", "--gap", "-1"], "gap is -1"),
        (["solve", "SCENARIO", "--engine", "lp", "--threads", "0"], "threads is 0"),
        (["solve", "SCENARIO", "--engine", "lp", "--set", "horizon.perids=3"], "perids"),
        (["solve", "SCENARIO", "--engine", "lp", "-o", "SCENARIO"], "exists already"),
        (["solve", "SCENARIO", "--engine", "lp", "-o", "SCENARIO/scenario.toml/run"], "cannot be written (Not a dir"),
        (["demo", "-o", "SCENARIO/scenario.toml/run"], "give another folder with -o"),
        (["new", "SCENARIO/scenario.toml/mine"], "cannot be written (Not a directory); give another folder"),
        (["claims", "--plans", "SCENARIO/scenario.toml/plans"], "give another folder with --plans"),
        (
            ["sweep", "SCENARIO", "--vary", "horizon.periods=6", "--points-in", "SCENARIO/scenario.toml/points"],
            "give another folder with --points-in",
        ),
        (["solve", "SCENARIO", "--speed", "9"], "--speed"),
        (["solve"], "Missing argument 'scenario'; see"),
        (["new", "SCENARIO"], "is not empty"),
        (["new", "somewhere", "--template", "moon"], "no template 'moon'"),
        (["audit", "SCENARIO"], "SCENARIO is a scenario, not a run; solve it first: provgrid solve SCENARIO"),
        (["audit", "toy"], "toy is a built-in scenario, not a run; solve it first: provgrid solve toy"),
        (["report", "SCENARIO"], "is a scenario, not a run; solve it first: provgrid solve"),
        (["explain", "SCENARIO", "--job", "gang"], "is a scenario, not a run; solve it first: provgrid solve"),
        (
            ["solve", "SCENARIO", "--gap", "5%"],
            "--gap is 5%; give a fraction, such as 0.05 for 5 %, or see provgrid so",
        ),
        (
            ["sweep", "SCENARIO", "--vary", "a=1", "--seed", "x"],
            "--seed is x; give a whole number, or see provgrid sweep",
        ),
        (
            ["solve", "SCENARIO", "--passes", "1.5"],
            "--passes is 1.5; give a whole number, or see provgrid solve --help",
        ),
        (["solve", "SCENARIO", "--time-limit", "1 h"], "--time-limit is '1 h'; give a number, or see provgrid solve"),
        (["bench", "gap", "x", "--seed", "-1"], "--seed is -1; give a number of at least 0, or see provgrid bench gap"),
        (["view", "--port", "70000"], "--port is 70000; give a number of at most 65535, or see provgrid view --help"),
        (["solv", "SCENARIO"], "No such command 'solv'; try 'solve', or see provgrid --help"),
        (["bench", "reference", "--engines", "lp,genius"], "no engine 'genius'"),
        (["import", "sheets", "x.csv", "-o", "out"], "no format 'sheets'"),
        (["import", "philly", "x.csv", "-o", "out", "--option", "mfu"], "no value"),
        (["import", "philly", "x.csv", "-o", "out", "--option", "mfu=high"], "mfu=high"),
        (["import", "philly", "x.csv", "-o", "out", "--option", "speed=1"], "no option speed"),
        (["import", "philly", "x.csv", "-o", "out", "--place", "keep=maybe"], "keep=maybe: true or false is needed; s"),
        (["import", "sheets", "x.csv"], "no format 'sheets'"),
        (["explain", "SCENARIO", "--job"], "Option '--job' requires an argument; see provgrid explain --help"),
        (["check", "SCENARIO", "--speed"], "--speed"),
        (["dance"], "dance"),
    ],
)
def test_bad_input_is_exit_2_and_one_line(arguments: list[str], says: str, tiny: Path, tmp_path: Path) -> None:
    filled = [argument.replace("SCENARIO", str(tiny)) for argument in arguments]
    assert says.replace("SCENARIO", str(tiny)) in one_line(in_this_process(*filled, cwd=tmp_path), 2)
    assert list(tmp_path.iterdir()) == []


def test_a_scenario_that_is_not_there_is_told_which_are_built_in(tmp_path: Path) -> None:
    said = in_this_process("check", "nosuch", cwd=tmp_path)
    assert said.returncode == 2
    assert "Built in are toy, zhejiang, national-lite, national and the systems of docs/systems.md" in said.stdout


def test_the_process_ends_with_the_exit_code_of_its_error(tmp_path: Path) -> None:
    assert "dance" in one_line(provgrid("dance", cwd=tmp_path), 2)


@pytest.mark.parametrize("arguments", [["facts"], ["schema"], ["new", "--help"]], ids=" ".join)
def test_a_reader_that_leaves_is_exit_141_without_a_word(arguments: list[str]) -> None:
    reading, writing = os.pipe()
    os.close(reading)
    command = [sys.executable, "-m", "provgrid", *arguments]
    ended = subprocess.run(command, stdout=writing, stderr=subprocess.PIPE, text=True, check=False)
    os.close(writing)
    assert (ended.returncode, ended.stderr) == (141, "")


def test_hard_work_that_cannot_be_served_is_exit_3_and_named(tmp_path: Path) -> None:
    crowd = {"gang": {"hard": True, "max_accelerators": 1e6, "work_pflop_h": 1e9}}
    save_scenario(tiny_scenario(jobs=crowd), tmp_path / "hard")
    assert "gang" in one_line(in_this_process("solve", tmp_path / "hard", "--engine", "lp", cwd=tmp_path), 3)
    assert not (tmp_path / "runs").exists()


def test_above_the_asked_gap_is_exit_4_and_the_plan_is_written(tiny: Path, tmp_path: Path) -> None:
    said = in_this_process("solve", tiny, "--engine", "local", "--gap", "0", "--json", "-o", tmp_path / "run")
    record = json_of(said, code=4)
    assert record["gap"] > 0
    assert said.stderr.startswith("provgrid: local ended by itself at gap ")
    assert "above the 0.00% that was asked" in said.stderr
    assert (tmp_path / "run" / "manifest.json").is_file()


def test_no_time_is_exit_5_and_writes_nothing(tiny: Path, tmp_path: Path) -> None:
    said = in_this_process("solve", tiny, "--engine", "heuristic", "--time-limit", "0", "--json", cwd=tmp_path)
    assert "time limit is 0" in one_line(said, 5)
    assert said.stdout == ""
    assert list(tmp_path.iterdir()) == []


def test_an_unexpected_fault_is_one_line_with_the_way_to_the_traceback(
    tiny: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: object) -> None:
        raise RuntimeError("loose\nscrew")

    monkeypatch.setattr("provgrid.api.load", broken)
    said = one_line(in_this_process("solve", tiny), 1)
    assert said == "provgrid: RuntimeError: loose screw; see the traceback with --debug"


def test_an_unexpected_fault_shows_its_traceback_where_it_is_asked_for(tiny: Path) -> None:
    code = (
        "import sys, provgrid.cli, provgrid.api\n"
        "def broken(*_): raise RuntimeError('loose\\nscrew')\n"
        "provgrid.api.load = broken\n"
        "provgrid.cli.main(sys.argv[1:])\n"
    )
    run = [sys.executable, "-c", code, "solve", str(tiny), "--debug"]
    said = subprocess.run(run, capture_output=True, text=True, check=False)
    assert said.returncode == 1
    assert "Traceback" in said.stderr


def test_new_copies_a_scenario_that_checks_and_solves(tmp_path: Path) -> None:
    record = json_of(in_this_process("new", "mine", "--json", cwd=tmp_path))
    assert (record["template"], record["name"]) == ("toy", "mine")
    assert "scenario.toml" in record["files"]
    assert json_of(in_this_process("check", "mine", "--json", cwd=tmp_path))["errors"] == 0
    assert json_of(in_this_process("solve", "mine", "--engine", "lp", "--json", cwd=tmp_path))["status"] == "optimal"
    assert [run.name for run in (tmp_path / "runs").iterdir()] == ["mine-lp-1"]  # apart from the built-in's runs
    assert json_of(in_this_process("new", "我的 plan (b)", "--json", cwd=tmp_path))["name"] == "我的-plan-b"
    assert json_of(in_this_process("new", "(!)", "--json", cwd=tmp_path))["name"] == "toy"  # no letter is left


def test_new_says_what_to_type_next_and_where_the_name_could_not_be_the_folder_s(tmp_path: Path) -> None:
    said = in_this_process("new", "我的 省", cwd=tmp_path).stdout
    assert said.endswith("next: edit its files, then: provgrid check '我的 省'\n")
    assert "name" not in said
    said = in_this_process("new", "(!)", cwd=tmp_path).stdout
    assert "its name stays toy, after which its runs are called; give it another in scenario.toml\n" in said
    unnamed = tmp_path / "我的 省" / "scenario.toml"
    assert 'name = "我的-省"' in unnamed.read_text(encoding="utf-8")
    assert json_of(in_this_process("check", unnamed.parent, "--json"))["errors"] == 0


def test_check_lists_every_finding_and_is_exit_2(tiny: Path, tmp_path: Path) -> None:
    assert json_of(in_this_process("check", tiny, "--json"))["errors"] == 0
    save_scenario(tiny_scenario(), tmp_path / "broken")
    clusters = tmp_path / "broken" / "clusters.csv"
    clusters.write_text(clusters.read_text().replace("city_a", "city-a,", 1))
    regions = tmp_path / "broken" / "regions.csv"
    regions.write_text(regions.read_text().replace("zone", "zoned", 1))
    found = json_of(in_this_process("check", tmp_path / "broken", "--json"), code=2)
    assert {finding["file"] for finding in found["findings"]} >= {"clusters.csv", "regions.csv"}
    assert found["errors"] == sum(finding["severity"] == "error" for finding in found["findings"])
    text = in_this_process("check", tmp_path / "broken")
    assert text.returncode == 2
    assert "error: regions.csv" in text.stdout


def test_overrides_change_what_is_solved(tiny: Path, tmp_path: Path) -> None:
    plain = json_of(in_this_process("solve", tiny, "--engine", "lp", "--no-policies", "--json", cwd=tmp_path))
    priced = json_of(
        in_this_process(
            *("solve", tiny, "--engine", "lp", "--no-policies", "--json"),
            *("--set", "prices.carbon_price_yuan_per_t=500"),
            cwd=tmp_path,
        )
    )
    assert plain["costs"]["carbon"] == 0
    assert priced["costs"]["carbon"] != 0


def test_schema_is_json() -> None:
    assert json_of(in_this_process("schema", "--json"))


def test_doctor_solves_the_golden_problem_with_every_solver() -> None:
    # A process of its own: a solver that prints from C would spoil what is read here.
    found = json_of(provgrid("doctor", "--json"))
    assert all(result["ok"] for result in found["solvers"].values()), found["solvers"]
    assert found["versions"]["highspy"]


def test_doctor_is_exit_6_where_a_solver_gets_it_wrong(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(doctor, "GOLDEN_YUAN", 4.0)  # the solvers still say 3.8
    assert doctor.doctor() == SolverError.exit_code == 6
    assert "did not solve the golden LP" in capsys.readouterr().err


def test_doctor_is_exit_7_where_highs_is_missing() -> None:
    code = "import sys; sys.modules['highspy'] = None; from provgrid.cli import main; main(['doctor', '--json'])"
    said = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert said.returncode == 7, said.stderr
    assert "install it with" in said.stderr
    assert json.loads(said.stdout)["solvers"]["lp"]["missing"]


def numeric_options() -> Iterator[tuple[tuple[str, ...], str]]:
    """Every command and each of its options that take one number."""
    todo: list[tuple[tuple[str, ...], Any]] = [((), typer.main.get_command(app))]
    while todo:
        words, command = todo.pop()
        todo += [((*words, name), one) for name, one in getattr(command, "commands", {}).items()]
        for option in command.params:
            if option.type_descriptor.annotation in (int, float):
                yield words, max(option.opts, key=len)


@pytest.mark.slow
def test_every_option_that_takes_a_number_says_so_in_one_line() -> None:
    asked = list(numeric_options())
    assert len(asked) > 60
    assert {("solve",), ("study", "ladder"), ("bench", "gap")} <= {words for words, _ in asked}
    for words, option in asked:
        said = one_line(in_this_process(*words, option, "many"), 2)
        expected = "a fraction, such as 0.05 for 5 %" if option == "--gap" else "a (whole )?number"
        assert re.fullmatch(
            f"provgrid: {option} is many; give {expected}, or see provgrid {' '.join(words)} --help", said
        )
