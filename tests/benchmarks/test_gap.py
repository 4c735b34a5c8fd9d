"""`provgrid bench gap`: files of the OR-Library read, solved in their published sense, and joined to known values."""

from __future__ import annotations

import gzip
import json
import os
from pathlib import Path

import numpy as np
import pytest

from naive_assignment import cheapest, type_d, write_library_file
from provgrid.cli import run
from provgrid_bench.gap import measure_files, read_best_known, read_problems
from provgrid_models.errors import ArrayError

DATA = os.environ.get("PROVGRID_DATA")
SMALL = [type_d(2, 5, seed) for seed in (0, 1)]


def test_a_file_is_read_number_by_number_and_so_is_its_gz(tmp_path: Path) -> None:
    path = tmp_path / "gapx.txt"
    write_library_file(path, SMALL)
    packed = tmp_path / "gapx.txt.gz"
    packed.write_bytes(gzip.compress(path.read_bytes()))
    for problems in (read_problems(path), read_problems(packed)):
        assert [(problem.file, problem.index) for problem in problems] == [("gapx.txt", 1), ("gapx.txt", 2)]
        for problem, (cost, usage, capacity) in zip(problems, SMALL, strict=True):
            np.testing.assert_array_equal(problem.cost, cost)
            np.testing.assert_array_equal(problem.usage, usage)
            np.testing.assert_array_equal(problem.capacity, capacity)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("1\n2 2\n1 2 3 4\n1 1 x 1\n5 5\n", "line 4: 'x' stands among the usage of problem 1"),
        ("1\n2 2\n1 2 3 4\n1 1 1\n", "ends after 3 of 4 numbers for the usage of problem 1"),
        ("1\n0 2\n", "line 2: 0 stands for the agents of problem 1"),
        ("1\n1 1\n1 1 1\n9\n", "line 4: '9' stands after the last problem"),
        ("1\n1 1\nnan 1 1\n", "line 3: 'nan' stands among the costs of problem 1"),
        ("", "ends after 0 of 1 numbers for the number of problems"),
    ],
)
def test_a_broken_file_is_refused_with_the_place(tmp_path: Path, text: str, message: str) -> None:
    path = tmp_path / "gapx.txt"
    path.write_text(text, encoding="ascii")
    with pytest.raises(ArrayError, match=message):
        read_problems(path)


def test_a_missing_or_half_written_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ArrayError, match="cannot be read"):
        read_problems(tmp_path / "none.txt")
    packed = tmp_path / "gapx.txt.gz"
    packed.write_bytes(gzip.compress(b"1\n1 1\n1 1 1\n")[:-6])
    with pytest.raises(ArrayError, match="cannot be read"):
        read_problems(packed)
    known = tmp_path / "known.csv"
    known.write_text("instance,file,sense,index\na,gapx.txt,min,1\n", encoding="utf-8")
    with pytest.raises(ArrayError, match="line 2"):
        read_best_known(known)


def test_the_command_solves_in_the_published_sense_and_joins_on_it(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    cost, usage, capacity = SMALL[0]
    for name in ("gap3.txt", "gapx.txt"):
        write_library_file(tmp_path / name, SMALL[:1])
    least, most = cheapest(cost, usage, capacity), -cheapest(-cost, usage, capacity)
    known = tmp_path / "known.csv"
    known.write_text(
        "instance,file,sense,best_known,index\n"
        f"big,gap3.txt,max,{most},1\nwrong,gap3.txt,min,-1,1\nsmall,gapx.txt,min,{least},1\n",
        encoding="utf-8",
    )
    files = [str(tmp_path / name) for name in ("gap3.txt", "gapx.txt")]
    assert run(["bench", "gap", *files, "--best-known", str(known), "--time-limit", "5", "--json"]) == 0
    first, second = json.loads(capsys.readouterr().out)
    assert (first["instance"], first["sense"], first["objective"], first["best_known"]) == ("big", "max", most, most)
    assert (second["instance"], second["sense"], second["objective"]) == ("small", "min", least)
    assert (first["agents"], first["tasks"]) == (2, 5)
    for record in (first, second):
        assert record["audit_violations"] == 0
        assert record["above_best_known"] == 0
        assert record["gap"] == 0
    assert first["bound"] >= most
    assert second["bound"] <= least


def test_a_broken_file_ends_the_command_with_one_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "gapx.txt"
    path.write_text("1\n2 2\n1 2", encoding="ascii")
    assert run(["bench", "gap", str(path), "--json"]) == 2
    said = capsys.readouterr()
    assert said.out == ""
    assert said.err.count("\n") == 1
    assert "gapx.txt: ends after 2 of 4 numbers" in said.err


@pytest.mark.skipif(DATA is None, reason="PROVGRID_DATA names no folder with the OR-Library's files")
@pytest.mark.parametrize(("file", "within"), [("gap1.txt", 0.0), ("gap5.txt", 0.0)])
def test_published_optima_are_reached_with_a_valid_bound(file: str, within: float) -> None:
    folder = Path(str(DATA)) / "gap"
    known = read_best_known(folder / "best_known.csv")
    for record in measure_files([folder / file], known, time_limit_s=5.0):
        assert record["above_best_known"] <= within
        assert record["bound"] >= record["best_known"]
