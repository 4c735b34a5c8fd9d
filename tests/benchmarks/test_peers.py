"""`provgrid bench peers`: solvers side by side, each run a process that ends in time or is ended."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from typing import TYPE_CHECKING, Any

import pytest

from provgrid.cli import run
from provgrid_bench.peers import environment, ladder
from provgrid_bench.peers.ladder import Run, climb, in_time, measure_apart, run_with_limit
from provgrid_bench.peers.run import measure_peer
from provgrid_models.errors import MissingSolverError

if TYPE_CHECKING:
    from pathlib import Path

SMALL = {"pools": 3, "hours": 14, "services": 2}
FLAGS = [f"--{name}={value}" for name, value in SMALL.items()]
IN_PROCESS = ("pulp-cbc", "pulp-highs", "highs-simplex", "highs-ipm")


@pytest.fixture(scope="module")
def optimum_yuan() -> float:
    """LP optimum of the small instance, proved by its duals."""
    record = measure_peer(Run(peer="highs-simplex", jobs=12, threads=1, **SMALL))
    assert record["objective_yuan"] == pytest.approx(record["bound_yuan"], rel=1e-8)
    return float(record["objective_yuan"])


@pytest.mark.parametrize("peer", IN_PROCESS)
def test_each_solver_finds_the_optimum_and_says_so(peer: str, optimum_yuan: float) -> None:
    record = measure_peer(Run(peer=peer, jobs=12, threads=1, **SMALL))
    assert record["status"] == "optimal"
    assert record["objective_yuan"] == pytest.approx(optimum_yuan, rel=1e-6)
    assert record["bound_yuan"] == pytest.approx(optimum_yuan, rel=1e-5)
    assert record["build_s"] > 0
    assert record["solve_s"] > 0
    assert record["peak_rss_mb"] > 20


def test_the_heuristic_is_certified_and_no_better_than_the_relaxation(optimum_yuan: float) -> None:
    record = measure_peer(Run(peer="heuristic", jobs=12, threads=1, **SMALL))
    assert record["status"] == "finished"
    assert record["bound_yuan"] <= optimum_yuan * (1 + 1e-9) <= record["objective_yuan"] * (1 + 2e-9)


def test_a_solver_without_time_has_an_honest_record() -> None:
    for peer in ("pulp-cbc", "highs-ipm"):
        record = measure_peer(Run(peer=peer, jobs=40, threads=1, time_limit_s=1e-3))
        assert record["status"] == "time_limit"
        assert record.get("bound_yuan") is None


@pytest.mark.slow
@pytest.mark.skipif(not environment.ready(), reason="the environment of the peers has not been made")
@pytest.mark.parametrize(("peer", "within"), [("linopy-highs", 1e-6), ("pdlp", 1e-3)])
def test_peers_of_the_other_environment_find_the_optimum(peer: str, within: float, optimum_yuan: float) -> None:
    record = measure_apart(Run(peer=peer, jobs=12, threads=1, **SMALL))
    assert record["status"] == "optimal", record["detail"]
    assert record["objective_yuan"] == pytest.approx(optimum_yuan, rel=within)
    assert record["build_s"] > 0


@pytest.mark.slow
def test_the_command_climbs_and_stops_at_the_first_size_that_takes_too_long(capsys: pytest.CaptureFixture[str]) -> None:
    # CBC needs a process and PuLP's build; not even 12 jobs are done in a millisecond.
    flags = [*FLAGS, "--sizes", "13,12", "--threads", "1", "--json"]
    assert run(["bench", "peers", "--peers", "pulp-cbc", *flags, "--time-limit", "0.001"]) == 0
    (stopped,) = json.loads(capsys.readouterr().out)
    assert (stopped["jobs"], stopped["status"]) == (12, "time_limit")
    assert run(["bench", "peers", "--peers", "highs-simplex", *flags]) == 0
    first, second = json.loads(capsys.readouterr().out)
    assert (first["jobs"], second["jobs"]) == (12, 13)
    assert first["instance"] == "reference-12-3-14-2"
    assert first["total_s"] == first["build_s"] + first["solve_s"]
    assert set(first) >= set(ladder.EMPTY)


def test_what_is_known_is_not_measured_again() -> None:
    runs = [Run(peer="pulp-cbc", jobs=jobs, **SMALL) for jobs in (12, 13, 14)]
    base: dict[str, Any] = {"status": "optimal", "total_s": 1.0, "time_limit_s": 300.0}
    slow = {**base, "total_s": 301.0}
    known = {("pulp-cbc", "reference-12-3-14-2"): base, ("pulp-cbc", "reference-13-3-14-2"): slow}
    assert list(climb(runs, known)) == [base, slow]
    assert [in_time(record) for record in (base, slow)] == [True, False]


def test_a_run_that_does_not_end_is_killed() -> None:
    started = time.perf_counter()
    record = run_with_limit([sys.executable, "-c", "import time; time.sleep(600)"], 0.5)
    assert time.perf_counter() - started < 60
    assert record["status"] == "killed"


def test_a_run_that_breaks_says_why() -> None:
    record = run_with_limit([sys.executable, "-c", "raise SystemExit('no such thing')"], 60)
    assert (record["status"], record["detail"]) == ("failed", "no such thing")


def test_an_unknown_peer_is_exit_2(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["bench", "peers", "--peers", "cplex", "--json"]) == 2
    assert "no peer 'cplex'; choose among pulp-cbc" in capsys.readouterr().err


@pytest.mark.slow
def test_an_environment_is_made_once_and_lies_in_the_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    nothing = tmp_path / "requirements.txt"
    nothing.write_text("", encoding="utf-8")
    assert not environment.ready(nothing)
    interpreter = environment.python(nothing)
    assert interpreter.is_relative_to(tmp_path / "cache" / "provgrid")
    said = subprocess.run([interpreter, "-c", "import sys; print(sys.prefix)"], capture_output=True, text=True)
    assert said.stdout.strip() == str(environment.folder(nothing))
    made = interpreter.lstat().st_ctime_ns
    assert environment.python(nothing).lstat().st_ctime_ns == made
    broken = tmp_path / "broken.txt"
    broken.write_text("no such requirement!\n", encoding="utf-8")
    with pytest.raises(MissingSolverError, match="name other peers with --peers"):
        environment.python(broken)
    assert not environment.ready(broken)
