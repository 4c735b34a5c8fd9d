"""A linear program by the PDLP of OR-tools, from arrays.

Runs in the environment of the peers, which has no provgrid: with_pdlp.py PROGRAM.npz POINT.npy TIME_LIMIT_S THREADS
TOLERANCE. `PROGRAM.npz` holds the column-wise matrix of `LinearProgram`; the point that is found is written to
`POINT.npy`, so that somebody else can check it. Prints one JSON record.
"""

from __future__ import annotations

import json
import resource
import sys
import time
from importlib.metadata import version

import numpy as np
from ortools.pdlp import solve_log_pb2, solvers_pb2
from ortools.pdlp.python import pdlp
from scipy.sparse import csc_matrix


def main() -> None:
    """Build, solve and print."""
    path, point, time_limit_s, threads = sys.argv[1], sys.argv[2], float(sys.argv[3]), int(sys.argv[4])
    tolerance = float(sys.argv[5])
    with np.load(path) as file:
        arrays = dict(file)
    started = time.perf_counter()
    program = pdlp.QuadraticProgram()
    rows, columns = arrays["row_lower"].size, arrays["cost"].size
    program.constraint_matrix = csc_matrix((arrays["value"], arrays["index"], arrays["start"]), shape=(rows, columns))
    program.objective_vector, program.objective_offset = arrays["cost"], float(arrays["offset"])
    program.variable_lower_bounds, program.variable_upper_bounds = arrays["column_lower"], arrays["column_upper"]
    program.constraint_lower_bounds, program.constraint_upper_bounds = arrays["row_lower"], arrays["row_upper"]
    build_s = time.perf_counter() - started
    wanted = solvers_pb2.PrimalDualHybridGradientParams()
    wanted.num_threads = threads
    wanted.termination_criteria.time_sec_limit = max(time_limit_s - build_s, 0.01)
    wanted.termination_criteria.simple_optimality_criteria.eps_optimal_relative = tolerance
    wanted.termination_criteria.simple_optimality_criteria.eps_optimal_absolute = tolerance
    wanted.presolve_options.use_glop = True  # without it, not even 200 jobs are done in minutes
    result = pdlp.primal_dual_hybrid_gradient(program, wanted)
    reason = solve_log_pb2.TerminationReason.Name(result.solve_log.termination_reason)
    words = {"TERMINATION_REASON_OPTIMAL": "optimal", "TERMINATION_REASON_TIME_LIMIT": "time_limit"}
    last = result.solve_log.solution_stats.convergence_information
    measured = next((c for c in last if c.candidate_type == result.solve_log.solution_type), None)
    np.save(point, np.asarray(result.primal_solution))
    record = {
        "status": words.get(reason, reason.removeprefix("TERMINATION_REASON_").lower()),
        "objective_yuan": None if measured is None else measured.primal_objective,
        "bound_yuan": None if measured is None else measured.dual_objective,
        "build_s": build_s,
        "solve_s": time.perf_counter() - started - build_s,
        "peak_rss_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024 / 1e6,
        "version": f"OR-tools {version('ortools')}",
    }
    sys.stdout.write("\n" + json.dumps(record) + "\n")


if __name__ == "__main__":
    main()
