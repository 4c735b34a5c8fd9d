"""The command line at a planner's desk: what a terminal shows and a pipe does not, templates, exports, what is left."""

from __future__ import annotations

import contextlib
import io
import json
import math
import os
import pty
import re
import signal
import subprocess
import sys
import tomllib
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from rich.console import Console

import provgrid as pg
from command_line import environment, in_this_process, json_of, one_line
from provgrid import studies
from provgrid.cli import doctor, new
from provgrid.cli import run as command_line
from provgrid.cli.console import FIRST_USE, Reporter, live_terminal, print_table
from provgrid.cli.solve import _part, _print_exact
from provgrid_models.errors import OptionError
from provgrid_models.files import save_scenario
from provgrid_optimizer.answers import exactly
from provgrid_optimizer.engines.lp import n_columns
from provgrid_optimizer.options import Progress
from provgrid_seeds.loader import scenario_folder, scenario_names, system_names
from tiny import job, tiny_scenario

ANY_STYLE = re.compile(r"\x1b\[[0-9;]*m")
COLOUR = re.compile(r"\x1b\[[0-9;]*(3[0-9]|4[0-9]|9[0-9])[0-9;]*m")


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("desk") / "tiny-run"
    plan = pg.solve(tiny_scenario(), engine="heuristic", threads=1, policies=False)
    return plan.save(folder)


def on_a_terminal(*arguments: str, **variables: str) -> str:
    """Run `provgrid ...` on a terminal of its own, and return what that shows."""
    process, terminal = pty.fork()
    if process == 0:
        os.execve(sys.executable, [sys.executable, "-m", "provgrid", *arguments], environment(**variables))
    shown = b""
    while True:
        try:
            part = os.read(terminal, 65536)
        except OSError:  # Linux's word for the end of a terminal
            break
        if not part:
            break
        shown += part
    os.close(terminal)
    os.waitpid(process, 0)
    return shown.decode("utf-8", "replace")


def test_colours_are_for_terminals_and_for_those_who_want_them(run: Path) -> None:
    assert COLOUR.search(on_a_terminal("--help", TERM="xterm-256color", NO_COLOR=""))
    assert not COLOUR.search(on_a_terminal("--help", TERM="xterm-256color", NO_COLOR="1"))
    code = "from provgrid.cli.console import output; output().print('x', style='red')"
    for variables, coloured in (
        ({}, False),
        ({"FORCE_COLOR": "1"}, True),
        ({"FORCE_COLOR": "1", "NO_COLOR": "1"}, False),
    ):
        clean = {name: value for name, value in os.environ.items() if name not in ("FORCE_COLOR", "NO_COLOR")}
        said = subprocess.run(
            [sys.executable, "-c", code],
            capture_output=True,
            text=True,
            env={**clean, "TERM": "xterm-256color", **variables},
            check=True,
        )
        assert bool(COLOUR.search(said.stdout)) == coloured, variables


class Terminal(io.StringIO):
    """A terminal, as far as a program can tell."""

    def isatty(self) -> bool:
        return True


def shown_at(columns: int, monkeypatch: pytest.MonkeyPatch, *table: Any) -> list[str]:
    """Print a table on a terminal of so many columns, and return its lines."""
    shown = Terminal()
    with monkeypatch.context() as desk:
        desk.setattr(sys, "stdout", shown)
        desk.setenv("COLUMNS", str(columns))
        desk.setenv("TERM", "xterm")
        print_table(*table)
    return [line.rstrip() for line in ANY_STYLE.sub("", shown.getvalue()).splitlines()]


PRICES = (
    ("kind", "of", "yuan per"),
    ("periods priced", "dearest", "sum", "tied"),
    [
        ["accelerator", "hangzhou_city/ascend_910b", "accelerator-hour held", "13", "1.124", "6.300", "2"],
        ["accelerator", "hangzhou_city/ascend_910c", "accelerator-hour held", "8", "0.301", "2.121", "0"],
        ["supply_limit", "hangzhou_city", "kW of peak", "1", "201.613", "201.613", "0"],
    ],
)


def test_a_narrow_terminal_wraps_headings_and_sentences_but_keeps_ids_and_figures_whole(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    lines = shown_at(80, monkeypatch, *PRICES)
    assert max(map(len, lines)) <= 80
    for row in PRICES[2]:
        for cell in (row[0], row[1], *row[3:]):
            assert any(cell in line.split() for line in lines), cell
    assert not any("…" in line for line in lines)
    wide = shown_at(200, monkeypatch, *PRICES)
    assert len(wide) == 5  # headings, the line under them, three rows
    assert "accelerator-hour held" in wide[2]


def test_what_is_too_wide_for_any_wrapping_folds_and_loses_no_letter(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    ids = ["a" * 65 + "/h8", "b" * 65 + "/h2"]
    table = (("from", "to"), ("yuan",), [[*ids, "1,234,567"]])
    lines = shown_at(60, monkeypatch, *table)
    assert max(map(len, lines)) <= 60
    columns = [line.replace("1,234,567", "").split() for line in lines[2:]]
    assert "".join(words[0] for words in columns) == ids[0]
    assert "".join(words[-1] for words in columns) == ids[1]
    print_table(*table)  # a pipe has room for everything
    assert capsys.readouterr().out.splitlines()[2].split() == [*ids, "1,234,567"]


def test_progress_shows_cost_bound_gap_and_passes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setattr(sys, "stderr", Terminal())
    monkeypatch.setattr("provgrid.cli.console.PATIENCE_S", 0.0)
    with Reporter(passes=50) as reporter:
        reporter.stage("solving")
        reporter._timer.join()
        reporter(Progress(1.0, "prices", 2000.0, 1000.0, passes=10))
        reporter(Progress(2.0, "plan", 1250.0, 1000.0, passes=40))
        shown = Console(width=100, file=io.StringIO())
        shown.print(reporter.lines())
        text = shown.file.getvalue()  # type: ignore[attr-defined]
    # (2000 - 1000) / 2000 = 50 %, then (1250 - 1000) / 1250 = 20 %
    assert "cost 1,250 yuan · bound 1,000 yuan · gap 20.00% (at first 50.00%) · 40 passes" in text
    assert "plan" in text
    assert "0:00:0" in text


@pytest.mark.parametrize("stage", ["loading kernels", "solving with pulp-highs"])
def test_the_time_has_room_beside_every_stage_on_80_columns(stage: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setattr(sys, "stderr", Terminal())
    monkeypatch.setattr("provgrid.cli.console.PATIENCE_S", 0.0)
    with Reporter() as reporter:
        reporter.stage(f"{stage} ({FIRST_USE})")
        reporter._timer.join()
        shown = Console(width=80, file=io.StringIO())
        shown.print(reporter.lines())
        text = shown.file.getvalue()  # type: ignore[attr-defined]
    assert f"{stage} ({FIRST_USE})" in text
    assert re.search(r"\d:\d\d:\d\d", text)


def test_progress_is_nowhere_but_on_a_terminal_that_can_draw(monkeypatch: pytest.MonkeyPatch) -> None:
    class Terminal:
        def isatty(self) -> bool:
            return True

    monkeypatch.setenv("TERM", "dumb")
    assert not live_terminal(Terminal())  # type: ignore[arg-type]
    monkeypatch.setenv("TERM", "xterm")
    assert live_terminal(Terminal())  # type: ignore[arg-type]
    with Path(os.devnull).open("w") as nowhere:
        assert not live_terminal(nowhere)


def test_a_template_explains_itself_and_checks_clean(tmp_path: Path) -> None:
    said = in_this_process("new", tmp_path / "mine")
    assert said.returncode == 0, said.stderr
    assert "README.md and the comments in scenario.toml explain every column and key" in said.stdout
    settings = (tmp_path / "mine" / "scenario.toml").read_text(encoding="utf-8")
    assert "# price of emitted CO2 [yuan/t]; at least 0\ncarbon_price_yuan_per_t = 0.0\n" in settings
    assert tomllib.loads(settings)["name"] == "mine"
    assert in_this_process("check", tmp_path / "mine").returncode == 0
    record = json_of(
        in_this_process("solve", tmp_path / "mine", "--engine", "lp", "--no-policies", "--json", cwd=tmp_path)
    )
    assert record["status"] == "optimal"


@pytest.mark.parametrize("template", [*scenario_names(), *system_names()])
def test_a_template_has_every_file_of_its_scenario(template: str, tmp_path: Path) -> None:
    assert new.new(tmp_path / "mine", template=template) == 0
    theirs = Path(str(scenario_folder(template)))
    mine = {path.name: path.read_bytes() for path in (tmp_path / "mine").iterdir()}
    assert set(mine) == {path.name for path in theirs.iterdir()} | {"README.md"}
    for path in theirs.iterdir():
        if path.name != "scenario.toml":
            assert mine[path.name] == path.read_bytes()


def test_a_template_that_is_laid_over_another_checks_as_that_one_does(tmp_path: Path) -> None:
    assert new.new(tmp_path / "mine", template="ports") == 0
    mine, theirs = pg.check(tmp_path / "mine"), pg.check("ports")
    assert [(one.code, one.message) for one in mine] == [(one.code, one.message) for one in theirs]


def test_a_run_is_exported_into_a_folder_that_it_names(run: Path, tmp_path: Path) -> None:
    record = json_of(
        in_this_process("export", run, "--only", "capacity_curves", "--only", "dispatch", "--json", cwd=tmp_path)
    )
    assert record["folder"] == "exports/tiny-run-csv"
    assert record["files"] == ["capacity_curves.csv", "dispatch.json", "dispatch.schema.json"]
    dispatch = json.loads((tmp_path / record["folder"] / "dispatch.json").read_text(encoding="utf-8"))
    assert [one["id"] for one in dispatch["jobs"]] == ["base", "gang", "vertical"]
    assert "exists already" in one_line(in_this_process("export", run, cwd=tmp_path), 2)
    assert "no format 'ods'; choose one of" in one_line(in_this_process("export", run, "--to", "ods", cwd=tmp_path), 2)


def test_a_small_part_that_is_left_is_not_told_as_nothing() -> None:
    assert [_part(share) for share in (1e-5, 0.0005, 0.25)] == ["less than 0.1%", "0.1%", "25.0%"]


def test_solve_names_what_is_left_why_and_what_to_ask_next(tmp_path: Path) -> None:
    jobs = [
        job("never", max_accelerators=2000.0, min_accelerators=1000.0, unserved_yuan=70.0),
        job("late", deadline_h=20.0),
    ]
    save_scenario(tiny_scenario(jobs=jobs), tmp_path / "mine")
    said = in_this_process("solve", "mine", "--engine", "heuristic", "--no-policies", "-o", "a run", cwd=tmp_path)
    assert "\nunserved 0.00% of what some pool can serve; 1 job (70 yuan) that none can serve · " in said.stdout
    assert "of constants (idle floor and such) and 70 yuan for work that no pool can serve; in all " in said.stdout
    assert "left unserved: 1 job or service, the dearest first\n" in said.stdout
    assert "  job never: 70 yuan; no pool can ever serve it: " in said.stdout
    assert "  see why: provgrid explain 'a run' --job never\n" in said.stdout
    assert "note: " in said.stdout  # a window that crosses the end of the horizon counts in part
    assert "_" not in said.stdout.splitlines()[0]  # a status in words


@pytest.mark.parametrize(
    ("engine", "gap", "too_large", "named"),
    [
        ("heuristic", 0.5, False, True),
        ("heuristic", math.inf, False, True),
        ("heuristic", 0.01, False, False),
        ("heuristic", 0.5, True, False),
        ("cheapest", 0.5, False, False),
    ],
)
def test_solve_names_the_exact_engine_where_a_small_plan_is_far_from_proven(
    engine: str,
    gap: float,
    too_large: bool,
    named: bool,
    run: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    plan = pg.open(run)
    monkeypatch.setattr(exactly, "MANY_WHOLE", n_columns(plan.problem) - too_large)
    far = replace(plan, certificate=replace(plan.certificate, engine=engine, gap=gap))
    _print_exact(far, "my scenario", ["prices.basis=full"])
    command = "provgrid solve 'my scenario' --set prices.basis=full --engine milp --time-limit 600"
    assert capsys.readouterr().out == f"for a better plan, or a proof of this one: {command}\n" * named


def test_a_name_where_a_scenario_is_needed_says_what_to_write() -> None:
    with pytest.raises(OptionError) as error:
        pg.solve("toy")  # type: ignore[arg-type]
    loads = "load it first: pg.solve(pg.load('toy'))"
    assert str(error.value) == f"solve takes a loaded scenario, and 'toy' is its name; {loads}"


def test_what_is_large_prints_in_a_line() -> None:
    scenario = tiny_scenario()
    assert repr(scenario) == "<Scenario tiny: 3 jobs, 2 services, 3 pools, 12 periods>"
    assert repr(pg.compile(scenario)) == "<Problem: 3 jobs, 2 services, 3 pools, 3 clusters, 12 periods>"


def test_doctor_names_each_extra_and_how_it_comes(monkeypatch: pytest.MonkeyPatch) -> None:
    wanted = [
        "numpy>=2.0",
        "no-such-package>=1; extra == 'cluster'",
        'pytest>=8.3; python_version >= "3.11" and extra == "xlsx"',
        "ruff>=0.8; extra == 'dev'",
    ]
    monkeypatch.setattr("importlib.metadata.requires", lambda _: wanted)
    found = doctor.extras()
    assert found == {"cluster": {"no-such-package": None}, "xlsx": {"pytest": pytest.__version__}}
    says = doctor._extra_in_words(found["cluster"], ["no-such-package"])
    assert says == "not installed (optional); for it: python -m pip install no-such-package"


def test_a_plan_that_ctrl_c_cut_short_is_no_side_of_an_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted(*_rest: object, **_named: object) -> object:
        return SimpleNamespace(certificate=SimpleNamespace(status="interrupted"))

    monkeypatch.setattr("provgrid_optimizer.solve.solve", interrupted)
    with pytest.raises(KeyboardInterrupt):
        studies.pooling(tiny_scenario())


def test_a_ctrl_c_that_something_swallowed_is_still_exit_130(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def swallowed() -> int:
        with contextlib.suppress(KeyboardInterrupt):
            signal.raise_signal(signal.SIGINT)
        return 0

    monkeypatch.setattr("provgrid.cli.app", lambda *_, **__: swallowed())
    assert command_line(["schema"]) == 130
    assert capsys.readouterr().err == "provgrid: interrupted; nothing was written\n"


def test_a_scenario_without_errors_is_told_what_comes_next(capsys: pytest.CaptureFixture[str]) -> None:
    assert command_line(["check", "toy", "--set", "prices.carbon_price_yuan_per_t=80"]) == 0
    assert capsys.readouterr().out.splitlines()[-1] == (
        "toy: no errors, no warnings; next: provgrid solve toy --set prices.carbon_price_yuan_per_t=80"
    )


def test_help_alone_is_no_empty_error(capsys: pytest.CaptureFixture[str]) -> None:
    assert command_line([]) == 2
    said = capsys.readouterr()
    assert "Usage: provgrid" in said.out
    assert said.err == ""
