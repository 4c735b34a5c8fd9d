"""One peer on one size, in a process of its own: `python -m provgrid_bench.peers.run JSON` prints one JSON record."""

from __future__ import annotations

import json
import resource
import sys
import time
from importlib.metadata import version
from typing import TYPE_CHECKING, Any

from provgrid.records import peak_rss_mb
from provgrid_bench.peers.ladder import OURS, Run
from provgrid_bench.reference import reference_problem
from provgrid_models.errors import NoPlanError, SolverError
from provgrid_optimizer.certificate import gap
from provgrid_optimizer.evaluate import costs
from provgrid_optimizer.highs import Ending, minimise
from provgrid_optimizer.matrix import assemble
from provgrid_optimizer.options import SolveOptions, ignore_progress
from provgrid_optimizer.solve import find_engine, solve

if TYPE_CHECKING:
    from provgrid_models.problem import Problem
    from provgrid_optimizer.options import Progress

ENDINGS = {Ending.OPTIMAL: "optimal", Ending.TIME_LIMIT: "time_limit"}


def measure_peer(run: Run) -> dict[str, Any]:
    """Solve once; a solver that ends without a plan has a record too."""
    problem = reference_problem(run.jobs, run.pools, run.hours, run.services, run.seed)
    options = SolveOptions(time_limit_s=run.time_limit_s, threads=run.threads, seed=run.seed)
    measure = {"heuristic": _ours, "lp": _ours, "highs-simplex": _highs, "highs-ipm": _highs}.get(run.peer, _pulp)
    started = time.perf_counter()
    try:
        record = measure(run.peer, problem, options)
    except NoPlanError:
        record = {"status": "time_limit", "solve_s": time.perf_counter() - started}
    except SolverError as error:
        record = {"status": "failed", "detail": str(error), "solve_s": time.perf_counter() - started}
    # CBC is a process of its own: the larger of the two counts, though Python waits with the model meanwhile.
    solver_mb = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss * 1024 / 1e6 if run.peer == "pulp-cbc" else 0.0
    return {**record, "peak_rss_mb": max(peak_rss_mb(), solver_mb), "version": _version(run.peer)}


def _ours(name: str, problem: Problem, options: SolveOptions) -> dict[str, Any]:
    """Audited, with a proved bound: an engine of provgrid as its users call it."""
    plan = solve(problem, name, options, with_policies=False)
    return {
        "status": plan.certificate.status,
        "objective_yuan": plan.objective_yuan,
        "bound_yuan": plan.certificate.bound_yuan,
        "build_s": 0.0,
        "solve_s": plan.timings.solve_s,
    }


def _pulp(name: str, problem: Problem, options: SolveOptions) -> dict[str, Any]:
    """Solve the relaxation through PuLP; the engine reports when it hands the model over, which ends the build."""
    handed_over: list[float] = []

    def note(_: Progress) -> None:
        handed_over.append(time.perf_counter())

    engine = find_engine(name)
    started = time.perf_counter()
    result = engine(problem, options, note)
    solved = time.perf_counter()
    return {
        "status": result.status.value,
        "objective_yuan": costs(problem, result.allocation).objective_yuan,
        "bound_yuan": result.bound_yuan,
        "build_s": handed_over[0] - started,
        "solve_s": solved - handed_over[0],
    }


def _highs(name: str, problem: Problem, options: SolveOptions) -> dict[str, Any]:
    """Solve the relaxation as arrays, by the method that is named."""
    started = time.perf_counter()
    program = assemble(problem, divisible=True)
    built = time.perf_counter()
    limit_s = None if options.time_limit_s is None else max(options.time_limit_s - (built - started), 0.01)
    settings = {"solver": name.removeprefix("highs-")}
    answer = minimise(program, options, ignore_progress, stage=name, time_limit_s=limit_s, settings=settings)
    solved = time.perf_counter()
    return {
        "status": ENDINGS.get(answer.ending, "failed"),
        "objective_yuan": answer.objective_yuan if answer.x is not None else None,
        "bound_yuan": None if answer.row_duals is None else program.dual_bound(answer.row_duals),
        "build_s": built - started,
        "solve_s": solved - built,
    }


def _version(peer: str) -> str:
    """Name what solved."""
    if peer in OURS:
        return f"provgrid {version('provgrid')}"
    through = f"PuLP {version('pulp')}" if peer.startswith("pulp") else ""
    solver = "its CBC" if peer == "pulp-cbc" else f"HiGHS {version('highspy')}"
    return ", ".join(part for part in (through, solver) if part)


def main() -> None:
    """Read the run from the command line and print its record."""
    record = measure_peer(Run(**json.loads(sys.argv[1])))
    objective, bound = record.get("objective_yuan"), record.get("bound_yuan")
    if objective is not None and bound is not None:
        record["gap"] = gap(objective, bound)
    sys.stdout.write("\n" + json.dumps(record) + "\n")


if __name__ == "__main__":
    main()
