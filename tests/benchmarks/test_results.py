"""The tables of results, what fills them, and the page that is made from them and from nothing else."""

from __future__ import annotations

import json
import xml.etree.ElementTree as ElementTree
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import typer

from naive_assignment import cheapest, type_d, write_library_file
from provgrid.cli import bench, run
from provgrid_bench.peers.ladder import PEERS
from provgrid_bench.results.drawing import HEIGHT, WIDTH, Line, draw
from provgrid_bench.results.fill import choose, fill
from provgrid_bench.results.machine import machine
from provgrid_bench.results.page import PAGE, PICTURE, make_page
from provgrid_bench.results.parts import PARTS, Part
from provgrid_bench.results.tables import TABLES, read_table, write_table
from provgrid_models.errors import ArrayError, OptionError, ProvgridError
from provgrid_models.files import save_scenario
from tiny import tiny_scenario

if TYPE_CHECKING:
    from provgrid_bench.results.tables import Row

COMMITTED = Path(__file__).parents[2] / "benchmarks" / "results"
STAMP = {"measured": "2026-11-22 04:00", "load": 0.3, "threads": 2}


def part(name: str) -> Part:
    return next(part for part in PARTS if part.name == name)


def solve_row(name: str, seed: int, **changes: Any) -> Row:
    base = {
        "part": name,
        "call": f"scale --seed={seed}",
        "instance": "scale-1000-20-168-40",
        "instance_seed": 0,
        "engine": "heuristic",
        "seed": seed,
        "jobs": 1000,
        "rigid_share": 0.0,
        "objective_yuan": 100.0,
        "bound_yuan": 95.0,
        "gap": 0.05,
        "gap_jobs": 0.06,
        "captured": 0.9,
        "gap_energy_prices": 0.4,
        "gap_cheapest": 0.2,
        "unserved_share": 0.0,
        "audit_violations": 0,
        "solve_s": 5.0,
        "audit_s": 0.1,
        "pass_s": 0.01,
        "solve_over_pass": 500.0,
        "peak_rss_mb": 300.0,
        "status": "finished",
    }
    return {**base, **STAMP, **changes}


def peer_row(peer: str, jobs: int, total_s: float, **changes: Any) -> Row:
    base = {
        "part": f"peers-{peer}",
        "peer": peer,
        "instance": f"reference-{jobs}-12-48-40",
        "jobs": jobs,
        "time_limit_s": 300.0,
        "status": "optimal",
        "gap": 0.0,
        "build_s": 1.0,
        "solve_s": total_s - 1.0,
        "total_s": total_s,
        "peak_rss_mb": 500.0,
    }
    return {**base, **STAMP, **changes}


def page_of(folder: Path, **tables: list[Row]) -> str:
    for name, rows in tables.items():
        write_table(folder, name, rows)
    return make_page(folder)[PAGE]


def line_of(page: str, start: str) -> list[str]:
    (line,) = [line for line in page.splitlines() if line.startswith(f"| {start} |")]
    return [cell.strip() for cell in line.strip("|").split("|")]


def test_a_table_reads_back_what_was_written(tmp_path: Path) -> None:
    row = solve_row("toy", 3, objective_yuan=1234567.891, captured=None, solve_s=0.123456, bound_yuan=float("-inf"))
    write_table(tmp_path, "solves", [row])
    (found,) = read_table(tmp_path, "solves")
    assert tuple(found) == TABLES["solves"]
    assert (found["part"], found["seed"], found["objective_yuan"]) == ("toy", 3.0, 1234567.89)
    assert found["solve_s"] == 0.1235
    assert found["captured"] is found["bound_yuan"] is None
    before = (tmp_path / "solves.csv").read_bytes()
    write_table(tmp_path, "solves", [found])
    assert (tmp_path / "solves.csv").read_bytes() == before


@pytest.mark.parametrize(
    ("text", "message"),
    [("part,seed\ntoy,1\n", "other columns"), (",".join(TABLES["gap"]) + "\n" + ",".join("x" * 18) + "\n", "line 2")],
)
def test_a_table_of_another_version_is_refused(tmp_path: Path, text: str, message: str) -> None:
    (tmp_path / "gap.csv").write_text(text, encoding="utf-8")
    with pytest.raises(ArrayError, match=message):
        read_table(tmp_path, "gap")


def test_medians_stand_against_their_bars(tmp_path: Path) -> None:
    # Seeds of scale-1000: gaps 5, 7 and 9 % have the median 7 %, above the bar of 6 %; 5 s are below that of 10 s.
    rows = [solve_row("scale-1000", seed, gap=gap) for seed, gap in ((0, 0.05), (1, 0.09), (2, 0.07))]
    # A solve of 90 s at passes of 2 s is 45 passes; 1,500 MB are below 2 GB.
    rows += [
        solve_row(
            *("scale-100000", 0),
            jobs=100_000,
            instance="scale-100000-20-168-40",
            gap=0.009,
            peak_rss_mb=1500.0,
            solve_s=90.0,
            pass_s=2.0,
            solve_over_pass=45.0,
        )
    ]
    page = page_of(tmp_path, solves=rows, machine=[machine()])
    small, large = (
        [line for line in page.splitlines() if line.startswith(f"| {name} |")]
        for name in ("scale-1000", "scale-100000")
    )
    assert "3 of 5" in small[0]
    assert "7.00 % (≤ 6.00 %, **missed**)" in small[0]
    assert "9.00 %" in small[0]
    assert "5 (≤ 10)" in small[0]
    assert "90 (≤ 60, **missed**)" in large[0]
    assert "1.5 (≤ 2)" in large[0]
    assert large[1].rstrip(" |").endswith("45")
    assert small[1].rstrip().endswith("|  |")
    assert "load before a run at most 0.3" in page


def test_a_missing_bound_is_no_median(tmp_path: Path) -> None:
    page = page_of(tmp_path, solves=[solve_row("toy", 0), solve_row("toy", 1, gap=None, bound_yuan=None)])
    assert next(line for line in page.splitlines() if line.startswith("| toy |")).split("|")[5].strip() == "–"


def test_bounds_stand_below_the_optimum_of_the_relaxation(tmp_path: Path) -> None:
    # The known optimum of 1,000 jobs is 190,349.8764; 190,000 is 0.184 % below it.
    rows = [
        solve_row("reference-1000", 0, instance="reference-1000-12-48-40", bound_yuan=190_000.0),
        solve_row("toy", 0, instance="toy", bound_yuan=99.0),
        solve_row("toy-lp", 0, instance="toy", engine="lp", objective_yuan=100.0, bound_yuan=100.0, gap=0.0),
        solve_row("zhejiang-lp", 0, instance="toy", engine="lp", objective_yuan=200.0, gap=0.5),  # no optimum
    ]
    page = page_of(tmp_path, solves=rows)
    assert line_of(page, "reference-1000-12-48-40")[3] == "0.18 % (≤ 0.30 %)"
    assert "1.00 % (≤ 0.30 %, **missed**)" in page


def test_assignment_is_held_against_the_best_known(tmp_path: Path) -> None:
    base = {
        "part": "gap-d",
        "call": "gap gapd.txt",
        "sense": "min",
        "agents": 5,
        "tasks": 100,
        "status": "time_limit",
        "best_known": 1000.0,
        "audit_violations": 0,
        "solve_s": 10.2,
        "seed": 0,
        "measured": STAMP["measured"],
        "load": 0.3,
    }
    rows: list[Row] = [
        {**base, "instance": "d05100", "objective": 1000.0, "above_best_known": 0.0, "bound": 999.0, "gap": 0.001},
        {**base, "instance": "d10100", "objective": 1002.0, "above_best_known": 0.002, "bound": None, "gap": None},
    ]
    page = page_of(tmp_path, gap=rows)
    summary = line_of(page, "gap-d")
    assert summary[1:3] == ["2", "1"]
    assert summary[3] == "0.20 % (≤ 0.15 %, **missed**)"
    assert summary[5] == "10.2 (≤ 11)"
    assert summary[6] == "1"  # without proof
    assert line_of(page, "d10100")[4:6] == ["–", "0.20 %"]


def test_peers_stand_at_their_largest_size_with_our_engines_beside_them(tmp_path: Path) -> None:
    rows = [
        *(peer_row("pulp-cbc", jobs, seconds) for jobs, seconds in ((200, 10.0), (1000, 120.0), (1500, 310.0))),
        peer_row("pdlp", 200, 300.0, status="time_limit"),
        *(peer_row("heuristic", jobs, 3.0, status="finished", gap=0.01) for jobs in (200, 1000, 1500)),
        *(peer_row("lp", jobs, 6.0, status="optimal", gap=0.0) for jobs in (200, 1000)),
    ]
    page = page_of(tmp_path, peers=rows)
    row = line_of(page, "PuLP + CBC")
    # 120 s against 6 and 3 s at 1,000 jobs; 1,500 jobs ended optimal, but after the limit.
    assert (row[1], row[2]) == ("1,000", "1,500: optimal, 310 s")
    assert row[-4:] == ["6 (0 %)", "3 (1.00 %)", "20 ×", "40 ×"]
    assert line_of(page, "OR-tools PDLP, arrays")[1] == "none (200: time_limit)"
    assert line_of(page, "provgrid heuristic")[1] == "1,500"


def test_the_picture_is_whole_and_holds_every_line() -> None:
    lines = [
        Line("CBC & PuLP", ((200, 9.0), (1000, 100.0))),
        Line("nothing", ()),
        Line("ours", ((200, 1e-4),), bold=True),
    ]
    picture = draw(lines, 300.0, "jobs", "s")
    root = ElementTree.fromstring(picture)
    names = [text.text for text in root.iter("{http://www.w3.org/2000/svg}text")]
    assert {"CBC & PuLP", "ours", "limit 300 s"} <= set(names)
    assert "nothing" not in names
    for dot in root.iter("{http://www.w3.org/2000/svg}circle"):
        assert 0 <= float(dot.attrib["cx"]) <= WIDTH
        assert 0 <= float(dot.attrib["cy"]) <= HEIGHT


def test_the_committed_page_is_what_the_committed_tables_make() -> None:
    for name, text in make_page(COMMITTED).items():
        assert (COMMITTED / name).read_text(encoding="utf-8") == text, f"{name} is stale; run provgrid bench page"


def test_the_page_is_written_beside_the_tables(tmp_path: Path) -> None:
    write_table(tmp_path, "solves", [solve_row("toy", 0)])
    assert run(["bench", "page", "--results", str(tmp_path), "--json"]) == 0
    assert {path.name for path in tmp_path.iterdir()} == {"solves.csv", PAGE, PICTURE}
    assert run(["bench", "page", "--results", str(tmp_path / "none")]) == 2


@pytest.mark.slow
def test_what_is_missing_is_measured_and_kept_after_each_run(tmp_path: Path) -> None:
    save_scenario(tiny_scenario(), tmp_path / "tiny")
    good = ("scenario", str(tmp_path / "tiny"), "--engines=local", "--seed=0")
    bad = ("scenario", str(tmp_path / "none"), "--engines=local", "--seed=0")
    said: list[str] = []
    with pytest.raises(ProvgridError, match="ended with exit code 2"):
        fill(tmp_path, [replace(part("toy"), calls=(good, bad))], threads=1, say=said.append)
    (row,) = read_table(tmp_path, "solves")
    assert (row["part"], row["call"], row["engine"], row["threads"]) == ("toy", " ".join(good), "local", 1.0)
    assert read_table(tmp_path, "machine") == [machine()]
    only_good = [replace(part("toy"), calls=(good,))]
    assert len(said) == 2
    assert fill(tmp_path, only_good, threads=1, say=said.append) == {"toy": 0}
    assert len(said) == 2  # it is known
    assert fill(tmp_path, only_good, threads=1, again=True, say=said.append) == {"toy": 1}
    assert len(read_table(tmp_path, "solves")) == 1


def test_files_of_the_library_are_read_from_the_data_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    data = tmp_path / "data" / "gap"
    data.mkdir(parents=True)
    problem = type_d(2, 5, 0)
    write_library_file(data / "gapa.txt", [problem])
    least = cheapest(*problem)
    (data / "best_known.csv").write_text(
        f"instance,file,sense,best_known,index\na05,gapa.txt,min,{least},1\n", encoding="utf-8"
    )
    monkeypatch.setenv("PROVGRID_DATA", str(tmp_path / "data"))
    assert fill(tmp_path, [part("gap-a")], threads=1, say=lambda _: None) == {"gap-a": 1}
    (row,) = read_table(tmp_path, "gap")
    assert (row["instance"], row["objective"], row["best_known"]) == ("a05", least, least)
    assert str(tmp_path) not in (tmp_path / "gap.csv").read_text(encoding="utf-8")


def test_a_peer_climbs_on_from_where_it_was(tmp_path: Path) -> None:
    write_table(tmp_path, "peers", [peer_row("pulp-cbc", 200, 10.0), peer_row("pulp-cbc", 400, 400.0)])
    write_table(tmp_path, "machine", [machine()])
    assert fill(tmp_path, [part("peers-pulp-cbc")], say=lambda _: None) == {"peers-pulp-cbc": 0}


def test_tables_of_another_machine_are_left_alone(tmp_path: Path) -> None:
    write_table(tmp_path, "machine", [{**machine(), "cores": "96"}])
    with pytest.raises(OptionError, match="another machine"):
        fill(tmp_path, [part("toy")], say=lambda _: None)
    assert read_table(tmp_path, "solves") == []


def test_parts_are_chosen_by_name(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("PROVGRID_DATA", raising=False)
    assert [chosen.name for chosen in choose(["toy", "scale-1000"])] == ["scale-1000", "toy"]
    assert not [chosen for chosen in choose(None) if chosen.files]
    with pytest.raises(OptionError, match="no part 'scale-7'"):
        choose(["scale-7"])
    with pytest.raises(OptionError, match="set PROVGRID_DATA"):
        choose(["gap-d"])
    assert run(["bench", "all", "--only", "scale-7"]) == 2


def test_the_command_says_what_it_leaves_out_and_what_it_gained(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("PROVGRID_DATA", raising=False)
    # Everything is known: each call of each part, and a first size of each peer that took too long.
    solves = [
        solve_row(each.name, 0, call=" ".join(call)) for each in PARTS if each.table == "solves" for call in each.calls
    ]
    write_table(tmp_path, "solves", solves)
    write_table(tmp_path, "peers", [peer_row(peer, 200, 301.0) for peer in PEERS])
    assert run(["bench", "all", "--results", str(tmp_path), "--json"]) == 0
    said = capsys.readouterr()
    assert said.err.strip() == "provgrid: PROVGRID_DATA is not set, so the files of the OR-Library are left out"
    assert json.loads(said.out) == {each.name: 0 for each in PARTS if not each.files}


def test_every_part_has_a_name_of_its_own_and_calls_that_the_command_line_takes() -> None:
    assert len({part.name for part in PARTS}) == len(PARTS)
    assert {part.name for part in PARTS if part.table == "peers"} == {f"peers-{peer}" for peer in PEERS}
    commands = typer.main.get_command(bench.app).commands  # type: ignore[attr-defined]
    for each in PARTS:
        for name, *arguments in each.calls:
            files = ["any.txt"] if each.files else []
            commands[name].make_context(name, [*arguments, *files, "--threads=1", "--json"])
