"""`provgrid import`: from a trace to tables, or to a scenario that solves."""

from __future__ import annotations

import json
from dataclasses import fields
from pathlib import Path

import pytest

import provgrid as pg
from provgrid.cli import run
from provgrid_models import importers
from provgrid_models.files import save_scenario
from provgrid_models.importers.options import PlaceOptions
from provgrid_models.importers.place import Placed
from provgrid_models.importers.size import Sized, Work
from provgrid_models.provenance import counts_by_quality
from tiny import tiny_scenario

BAD_ROWS = 12  # more than are printed


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
    assert f"every assumption, and every row that is listed: {placed / 'import_report.json'}" in said
    assert said.splitlines()[-1].startswith(f"next: provgrid solve {placed}")
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
    placed = Placed(
        broken,
        (),
        Sized(Work(broken.jobs, broken.services, broken.demand), 1.0, 0.5, None),
        jobs=0,
        jobs_in_horizon=0,
        services=1,
    )
    monkeypatch.setattr(importers, "placed", lambda *_: placed)
    assert run(["import", "azure-llm", str(trace), "--into", "toy", "-o", str(tmp_path / "placed")]) == 2
    said = capsys.readouterr()
    assert said.err.count("\n") == 1
    assert "min_accelerators" in said.err
    assert not (tmp_path / "placed").exists()


def philly(path: Path, *rows: str) -> Path:
    path.write_text("\n".join(["timestamp,duration,num_gpus,gpu_time,cluster", *rows]) + "\n", encoding="utf-8")
    return path


def test_a_few_jobs_that_are_blown_up_are_warned_of_at_the_end(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    # Ten jobs of half an hour on one GPU on the first day, one on the next: a horizon of 12 hours sees the ten.
    rows = [f"2017-10-09 0{hour}:00:00,1800.0,1,1800.0,vc" for hour in range(10)]
    trace = philly(tmp_path / "p.csv", *rows, "2017-10-11 01:00:00,1800.0,1,1800.0,vc")
    save_scenario(tiny_scenario(), tmp_path / "tiny")
    given = ["import", "philly", str(trace), "--into", str(tmp_path / "tiny"), "--option", "max_jobs=2"]
    assert run([*given, "-o", str(tmp_path / "placed")]) == 0
    lines = capsys.readouterr().out.splitlines()
    (warning,) = (line for line in lines if line.startswith("warning: "))
    assert lines.index(warning) >= len(lines) - 3
    # 0.6 x 840 PFLOP-hours of the grid, over 2 x 0.5 h x 0.1248 = 0.1248 PFLOP-hours: 4,038 times
    assert warning == (
        "warning: to fill 60% of the accelerators, all imported work was multiplied by 4,038: 2 of the 10 jobs that "
        "the trace has in the horizon are left, each with its accelerators times that, and jobs that large may find no "
        "room beside one another; raise max_jobs (now 2) or leave it out, or keep their own size with --place scale=1, "
        "or fill less with --place target_utilisation=0.1"
    )
    assert run([*given, "--json", "-o", str(tmp_path / "again")]) == 0
    assert json.loads(capsys.readouterr().out)["warnings"] == [warning.removeprefix("warning: ")]
    assert run([*given, "--place", "scale=1", "-o", str(tmp_path / "as_is")]) == 0
    assert "warning" not in capsys.readouterr().out


def test_tables_alone_say_that_they_are_no_scenario_and_check_says_it_too(
    trace: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    tables = tmp_path / "tables"
    assert run(["import", "azure-llm", str(trace), "-o", str(tables)]) == 0
    said = capsys.readouterr().out.splitlines()
    assert said[-2] == (
        f"written to {tables}: demand.csv, families.csv, services.csv; "
        "work alone, no scenario yet: it has no regions, clusters or chips"
    )
    assert said[-1].startswith("next, to place it in a scenario: provgrid import azure-llm")
    command = said[-1].partition(": provgrid ")[2].split()
    assert command[-4:] == ["--into", "zhejiang", "-o", f"{tables}-zhejiang"]
    assert run(["check", str(tables)]) == 2
    assert "import the trace again with --into SCENARIO" in capsys.readouterr().out


def test_the_next_step_keeps_the_options_that_were_given(
    trace: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    given = ["--option", "slo_ms=40", "--option", "region_map=chat:hangzhou"]
    assert run(["import", "azure-llm", str(trace), "-o", str(tmp_path / "tables"), *given]) == 0
    assert f" {' '.join(given)} --into zhejiang -o " in capsys.readouterr().out.splitlines()[-1]


def test_the_page_of_imports_has_every_option_with_its_default() -> None:
    page = (Path(__file__).parents[2] / "docs" / "questions" / "import.md").read_text(encoding="utf-8")
    trace_options, place_options = page.split("## Of `--into`")
    for kind, text in [*((one, trace_options) for one in importers.OPTIONS.values()), (PlaceOptions, place_options)]:
        for option in fields(kind):
            (row,) = (line for line in text.splitlines() if line.startswith("| `") and f"`{option.name}`" in line[:32])
            if isinstance(option.default, bool | int | float | str) and option.default != "":
                assert row.split("|")[3].strip() == str(option.default), row


def test_what_did_not_occur_is_not_spoken_of(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    row = "2017-10-09 01:00:00,1800.0,1,1800.0,vc"
    trace = philly(tmp_path / "p.csv", row)
    assert run(["import", "philly", str(trace), "-o", str(tmp_path / "one")]) == 0
    said = capsys.readouterr().out
    assert "rows: files 1, rows read 1, rows kept 1\n" in said
    assert "listed" not in said
    philly(tmp_path / "p.csv", row, row)
    assert run(["import", "philly", str(trace), "-o", str(tmp_path / "two")]) == 0
    said = capsys.readouterr().out
    assert "  p.csv:3: exact duplicate of line 2; left out (found '2017-10-09 01:00:00,1800.0,1,1800.0,vc')\n" in said
    assert "rows: files 1, rows read 2, rows kept 1, duplicate rows 1\n" in said


@pytest.mark.parametrize(
    ("kind", "name", "content", "refusal", "listed"),
    [
        (
            "philly",
            "p.csv",
            "timestamp,duration,num_gpus,gpu_time,cluster\n2017-10-09 01:00:00,1800,1,99,vc\n",
            "philly: no row of the trace gives work (files 1, rows read 1, bad rows 1)",
            "p.csv:2 column gpu_time: differs from duration x num_gpus (found '99')",
        ),
        (
            "azure-llm",
            "chat.csv",
            "TIMESTAMP,ContextTokens,GeneratedTokens\n2023-11-16 10:00:00,many,500\n",
            "chat.csv: 0 good rows at 0 moments give no request rate",
            "chat.csv:2 column ContextTokens: not a number (found 'many')",
        ),
        (
            "servegen",
            "model/chunk-1-trace.csv",
            "0,many,1,Gamma,1,1\n",
            "chunk-1-trace.csv: 0 good rows give no request rate",
            "model/chunk-1-trace.csv:1 column rate: not a number (found 'many')",
        ),
    ],
)
def test_a_trace_without_one_good_row_shows_what_is_wrong_with_its_rows(
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    kind: str,
    name: str,
    content: str,
    refusal: str,
    listed: str,
) -> None:
    save_scenario(tiny_scenario(), tmp_path / "tiny")
    trace = tmp_path / name
    trace.parent.mkdir(exist_ok=True)
    trace.write_text(content, encoding="utf-8")
    given = ["import", kind, str(trace), "--into", str(tmp_path / "tiny"), "-o", str(tmp_path / "out")]
    error = f"provgrid: {refusal}; correct what is wrong in 1 place, first {listed}\n"
    assert (run(given), *capsys.readouterr()) == (2, f"  {listed}\n", error)
    assert (run([*given, "--json"]), *capsys.readouterr()) == (2, "", error)
    assert not (tmp_path / "out").exists()


def test_a_trace_that_has_no_row_at_all_says_so(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    save_scenario(tiny_scenario(), tmp_path / "tiny")
    given = ["import", "philly", str(philly(tmp_path / "p.csv")), "--into", str(tmp_path / "tiny")]
    assert run([*given, "-o", str(tmp_path / "out")]) == 2
    refusal = "philly: no row of the trace gives work (files 1); check the file and the options"
    assert tuple(capsys.readouterr()) == ("", f"provgrid: {refusal}\n")


def test_a_name_that_is_mapped_to_two_regions_is_refused(
    trace: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    given = ["import", "azure-llm", str(trace), "-o", str(tmp_path / "out"), "--option"]
    assert run([*given, "region_map=chat:hami,chat:hangzhou"]) == 2
    said = "option region_map=chat:hami,chat:hangzhou leads chat to hami and to hangzhou; keep one"
    assert capsys.readouterr().err == f"provgrid: {said}\n"


def test_an_option_of_the_other_sort_is_shown_the_way(
    trace: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    given = ["import", "azure-llm", str(trace), "-o", str(tmp_path / "out"), "--into", "toy"]
    assert run([*given, "--option", "keep=true"]) == 2
    assert "azure-llm has no option keep; it is one of --into: --place keep=true" in capsys.readouterr().err
    assert run(given[:3]) == 2
    assert capsys.readouterr().err == "provgrid: Missing option '-o' / '--output'; see provgrid import --help\n"


def test_a_scenario_forgets_what_only_the_work_that_is_gone_rested_on(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    trace = philly(tmp_path / "p.csv", "2017-10-09 01:00:00,1800.0,1,1800.0,vc")
    placed = tmp_path / "placed"
    given = ["import", "philly", str(trace), "--into", "zhejiang", "--place", "scale=1"]
    assert run([*given, "-o", str(placed)]) == 0
    capsys.readouterr()
    scenario = pg.load(placed)
    said = scenario.settings.assumptions
    assert not any("drawn with seed" in line or line.startswith(("gen_zhejiang_", "checkpoint_gb_")) for line in said)
    assert any(line.startswith("unserved_multiple: ") for line in said)  # of what is still there
    assert not any(path.startswith("generate") for path in scenario.settings.sources)
    by_path = {one.path: one for one in scenario.provenance}
    assert not any(path.startswith("generate") for path in by_path)
    assert by_path["jobs.*.release_h"].quality == by_path["jobs.*.max_accelerators"].quality == "measured"
    assert by_path["jobs.*.work_pflop_h"].sources == ("traces/philly", "assumptions/import_pflop_h.value")
    assert by_path["jobs.*.work_pflop_h"].quality == "assumed"
    assert "" not in counts_by_quality(scenario.provenance)

    # Fitted to a share, its accelerators are no measurement any more.
    assert run([*given[:-2], "-o", str(tmp_path / "fitted")]) == 0
    fitted = {one.path: one for one in pg.load(tmp_path / "fitted").provenance}
    assert fitted["jobs.*.max_accelerators"].quality == "assumed"
    assert fitted["jobs.*.release_h"].quality == "measured"


def test_work_that_stays_keeps_its_assumptions_and_its_sources(
    trace: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    placed = tmp_path / "placed"
    given = ["import", "azure-llm", str(trace), "--into", "toy", "--place", "keep=true", "--place", "scale=1"]
    assert run([*given, "-o", str(placed)]) == 0
    capsys.readouterr()
    scenario = pg.load(placed)
    assert scenario.settings.assumptions[: len(pg.load("toy").settings.assumptions)] == (
        pg.load("toy").settings.assumptions
    )
    by_path = {one.path: one for one in scenario.provenance}
    tokens = by_path["demand.*.tokens_per_s"]
    assert {source.partition("/")[0] for source in tokens.sources} == {"assumptions", "diurnal_shapes", "traces"}
    assert by_path["jobs.*.work_pflop_h"].sources == ("assumptions/toy_work.value",)
    assert "" not in counts_by_quality(scenario.provenance)
