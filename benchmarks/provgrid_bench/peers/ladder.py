"""Peers climb the sizes of the reference instance until one takes too long; each run is a process of its own."""

from __future__ import annotations

import json
import math
import os
import signal
import subprocess
import sys
import tempfile
import time
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from provgrid_bench.peers import environment

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from provgrid_optimizer.matrix import LinearProgram

PEERS = ("pulp-cbc", "pulp-highs", "highs-simplex", "highs-ipm", "linopy-highs", "pdlp", "lp", "heuristic")
OURS = ("lp", "heuristic")
APART = ("linopy-highs", "pdlp")  # in an environment of their own
SIZES = (200, 400, 700, 1000, 1500, 2000, 3000, 5000, 10_000, 30_000, 100_000, 300_000, 1_000_000)
GRACE_S = 60.0  # beyond the limit: to read an answer, or to notice the clock, before the process is killed
DONE = ("optimal", "finished", "gap_reached")
PDLP_TOLERANCE = 1e-4
HERE = Path(__file__).parent
ARRAYS = ("cost", "column_lower", "column_upper", "row_lower", "row_upper", "start", "index", "value", "offset")
EMPTY: dict[str, Any] = {
    **dict.fromkeys(("status", "objective_yuan", "bound_yuan", "gap", "worst_excess", "build_s", "solve_s")),
    **dict.fromkeys(("total_s", "peak_rss_mb", "version", "detail")),
}


@dataclass(frozen=True, kw_only=True)
class Run:
    """One peer on one size."""

    peer: str
    jobs: int
    pools: int = 12
    hours: int = 48
    services: int = 40
    seed: int = 0
    threads: int = 2
    time_limit_s: float = 300.0

    @property
    def instance(self) -> str:
        """Name of the instance, as `bench reference` has it."""
        return f"reference-{self.jobs}-{self.pools}-{self.hours}-{self.services}"


def climb(runs: Sequence[Run], known: Mapping[tuple[str, str], dict[str, Any]]) -> Iterator[dict[str, Any]]:
    """Measure one peer on ever larger sizes; the first that it does not finish in time is the last.

    `known` holds records by peer and instance that need not be made again.
    """
    for run in runs:
        record = known.get((run.peer, run.instance)) or measure_apart(run)
        yield record
        if not in_time(record):
            return


def in_time(record: Mapping[str, Any]) -> bool:
    """Whether a run was finished within its limit, build and solve together."""
    return record["status"] in DONE and record["total_s"] <= record["time_limit_s"]


def measure_apart(run: Run) -> dict[str, Any]:
    """Measure one run in a process of its own, killed when it does not end by itself."""
    if run.peer == "linopy-highs":
        found = _linopy(run)
    elif run.peer == "pdlp":
        found = _pdlp(run)
    else:
        command = [sys.executable, "-m", "provgrid_bench.peers.run", json.dumps(asdict(run))]
        found = run_with_limit(command, run.time_limit_s + GRACE_S)
    size = {"jobs": run.jobs, "pools": run.pools, "periods": run.hours, "services": run.services}
    options = {"seed": run.seed, "threads": run.threads, "time_limit_s": run.time_limit_s}
    record = {"instance": run.instance, "peer": run.peer, **size, **EMPTY, **found, **options}
    if record["build_s"] is not None and record["solve_s"] is not None:
        record["total_s"] = record["build_s"] + record["solve_s"]
    return record


def run_with_limit(command: Sequence[str], limit_s: float) -> dict[str, Any]:
    """Run a command that prints a JSON record last; one that does not end in time is killed with all it started."""
    started = time.perf_counter()
    process = subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, start_new_session=True
    )
    try:
        said, complained = process.communicate(timeout=limit_s)
    except subprocess.TimeoutExpired:
        return {"status": "killed", "solve_s": time.perf_counter() - started, "detail": f"no end in {limit_s:g} s"}
    finally:
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)
            process.communicate()
    if process.returncode:
        last = complained.strip().splitlines()[-1:] or [f"exit code {process.returncode}"]
        return {"status": "failed", "solve_s": time.perf_counter() - started, "detail": last[0]}
    record: dict[str, Any] = json.loads(said.strip().splitlines()[-1])
    return record


def _linopy(run: Run) -> dict[str, Any]:
    """Linopy writes its own model, from the instance's raw arrays."""
    from provgrid_bench.reference_instance import generate

    with tempfile.TemporaryDirectory(prefix="provgrid-peer-") as folder:
        raw = Path(folder) / "raw.npz"
        np.savez(raw, **generate(run.jobs, run.pools, run.hours, run.services, run.seed))
        script = [str(environment.python()), str(HERE / "with_linopy.py"), str(raw)]
        command = [*script, str(run.time_limit_s), str(run.threads)]
        return run_with_limit(command, run.time_limit_s + GRACE_S)


def _pdlp(run: Run) -> dict[str, Any]:
    """PDLP takes our matrix; its point is checked here, and the time to assemble the matrix is its own build."""
    from provgrid_bench.reference import reference_problem
    from provgrid_optimizer.matrix import assemble

    problem = reference_problem(run.jobs, run.pools, run.hours, run.services, run.seed)
    started = time.perf_counter()
    program = assemble(problem, divisible=True)
    assembled_s = time.perf_counter() - started
    with tempfile.TemporaryDirectory(prefix="provgrid-peer-") as folder:
        arrays, point = Path(folder) / "program.npz", Path(folder) / "point.npy"
        np.savez(arrays, **{name: getattr(program, name) for name in ARRAYS})
        script = [str(environment.python()), str(HERE / "with_pdlp.py"), str(arrays), str(point)]
        left_s = max(run.time_limit_s - assembled_s, 0.01)
        command = [*script, str(left_s), str(run.threads), str(PDLP_TOLERANCE)]
        found = run_with_limit(command, left_s + GRACE_S)
        if "build_s" in found:
            found = {**found, "build_s": found["build_s"] + assembled_s}
        if point.is_file():
            found = {**found, **_checked(program, np.load(point), found["bound_yuan"])}
    return found


def _checked(program: LinearProgram, x: np.ndarray[Any, np.dtype[np.float64]], bound: float | None) -> dict[str, Any]:
    """Cost and worst excess of a point by our own arithmetic, and its distance to the bound that its solver claims."""
    objective = program.objective(x)
    excess = program.violation(x)
    if bound is None or not math.isfinite(objective):
        return {"worst_excess": excess if math.isfinite(excess) else None}
    # A point that is not quite feasible may cost less than the bound.
    return {"objective_yuan": objective, "worst_excess": excess, "gap": abs(objective - bound) / max(abs(objective), 1)}
