"""The same program through PuLP: other solvers, LP and MPS files, and a cross-check of the arrays.

PuLP's word on how a solve ended is not taken: it calls a time limit "Optimal". A point counts as optimal here where
it passes the check and the solver's own duals prove its cost.
"""

from __future__ import annotations

import tempfile
import warnings
from pathlib import Path
from typing import TYPE_CHECKING, Any

import highspy
import numpy as np
import pulp

from provgrid_models.errors import (
    InterruptedBeforePlanError,
    MissingSolverError,
    NoPlanError,
    OptionError,
    SolverError,
)
from provgrid_models.problem import Problem
from provgrid_optimizer.engine import EngineResult, Status
from provgrid_optimizer.engines.clash import infeasible
from provgrid_optimizer.engines.clock import Clock
from provgrid_optimizer.highs import POINT_TOLERANCE, check_point
from provgrid_optimizer.matrix import assemble, multipliers, unpack
from provgrid_optimizer.options import Progress

if TYPE_CHECKING:
    from provgrid_models.problem import Floats
    from provgrid_optimizer.matrix import LinearProgram
    from provgrid_optimizer.options import OnProgress, SolveOptions

# CBC writes values and duals with eight digits, and what they prove is off by the sum of that rounding.
_PROOF_TOLERANCE = 1e-5
_TIME_WORDS = ("Stopped on time", "Time limit reached")


def pulp_cbc(problem: Problem, options: SolveOptions, on_progress: OnProgress) -> EngineResult:
    """Solve the relaxation with the CBC that comes with PuLP. Raises as `lp.lp` does, and `MissingSolverError`."""
    return _solve(problem, options, on_progress, "CBC")


def pulp_highs(problem: Problem, options: SolveOptions, on_progress: OnProgress) -> EngineResult:
    """Solve the relaxation with HiGHS through PuLP. Raises as `lp.lp` does."""
    return _solve(problem, options, on_progress, "HiGHS")


def export_lp(problem: Problem, path: str | Path, *, divisible: bool = True) -> None:
    """Write the program as an LP file; columns x0, x1, ... and rows r0, r1, ... as `matrix.assemble` counts them."""
    _check_compiled("export_lp", problem)
    rendered, _ = render(assemble(problem, divisible=divisible))
    rendered.writeLP(str(path))


def export_mps(problem: Problem, path: str | Path, *, divisible: bool = True) -> None:
    """Write the program as an MPS file, with the names of `export_lp`."""
    _check_compiled("export_mps", problem)
    rendered, _ = render(assemble(problem, divisible=divisible))
    rendered.writeMPS(str(path))


def _check_compiled(name: str, what: object) -> None:
    """Raise `OptionError` where a scenario, its name or something else was given for its problem."""
    if isinstance(what, str | Path):
        message = f"{name} takes a compiled problem, and {str(what)!r} is the name of a scenario"
        raise OptionError(f"{message}; compile it first: pg.compile(pg.load({str(what)!r}))")
    if not isinstance(what, Problem):
        found = f"this is a {type(what).__name__}"
        raise OptionError(f"{name} takes a compiled problem, and {found}; compile a scenario first: pg.compile(...)")


def render(program: LinearProgram) -> tuple[Any, list[Any]]:
    """Render a program as a PuLP problem; returns it and its variables, in column order."""
    rendered = pulp.LpProblem("provgrid", pulp.LpMinimize)
    kinds = {False: pulp.LpContinuous, True: pulp.LpInteger}
    variables = [
        rendered.add_variable(f"x{i}", lower, None if np.isinf(upper) else upper, kinds[whole])
        for i, (lower, upper, whole) in enumerate(
            zip(program.column_lower.tolist(), program.column_upper.tolist(), program.integer.tolist(), strict=True)
        )
    ]
    costed = np.flatnonzero(program.cost).tolist()
    rendered += pulp.LpAffineExpression([(variables[i], program.cost[i]) for i in costed], constant=program.offset)
    for i, (terms, upper, equal) in enumerate(_rows(program, variables)):
        sense = pulp.LpConstraintEQ if equal else pulp.LpConstraintLE
        rendered += pulp.LpConstraint(pulp.LpAffineExpression(terms), sense, f"r{i}", upper)
    return rendered, variables


def _rows(program: LinearProgram, variables: list[Any]) -> list[tuple[list[tuple[Any, float]], float, bool]]:
    """Terms, right-hand side and kind (equal, or at most) of each row."""
    column = np.repeat(np.arange(program.n_columns), np.diff(program.start))
    order = np.argsort(program.index, kind="stable")
    first = np.concatenate([[0], np.cumsum(np.bincount(program.index, minlength=program.n_rows))]).tolist()
    columns, values = column[order].tolist(), program.value[order].tolist()
    terms = [(variables[i], value) for i, value in zip(columns, values, strict=True)]
    equal = np.isfinite(program.row_lower).tolist()
    return [
        (terms[first[row] : first[row + 1]], upper, equal[row]) for row, upper in enumerate(program.row_upper.tolist())
    ]


def _solve(problem: Problem, options: SolveOptions, on_progress: OnProgress, solver: str) -> EngineResult:
    clock = Clock(options)
    program = assemble(problem, divisible=True)
    rendered, variables = render(program)
    on_progress(Progress(0.0, f"pulp {solver}"))
    with tempfile.TemporaryDirectory(prefix="provgrid-pulp-") as folder:
        log_path = Path(folder) / "solver.log"
        try:
            rendered.solve(_solver(solver, options, clock.left_s(), log_path))
        except pulp.PulpSolverError as error:
            raise SolverError(f"{solver} through PuLP failed: {error}; try --engine lp, or: provgrid doctor") from error
        except KeyboardInterrupt:
            raise InterruptedBeforePlanError(
                "interrupted before there was a feasible plan; give it longer, or try --engine heuristic"
            ) from None
        log = log_path.read_text(encoding="utf-8", errors="replace") if log_path.exists() else ""
    if _ended_infeasible(rendered, solver):
        raise infeasible(problem, options, divisible=True)
    x = np.array([np.nan if v.varValue is None else v.varValue for v in variables])
    return _result(problem, options, program, solver, x, _row_duals(rendered, program), log)


def _solver(solver: str, options: SolveOptions, time_limit_s: float | None, log_path: Path) -> Any:
    """Set up a PuLP solver, or raise `MissingSolverError`."""
    if solver == "HiGHS":
        # PuLP runs HiGHS in this thread, whose workers may be left from a run with another number of threads.
        highspy.Highs.resetGlobalScheduler(True)
        chosen = pulp.HiGHS(
            msg=True,
            threads=options.threads,
            timeLimit=time_limit_s,
            random_seed=options.seed % 2**31,
            log_to_console=False,
            log_file=str(log_path),
        )
    else:
        with warnings.catch_warnings():
            # Deprecated for PuLP 4, which this project does not allow: in PuLP 3 it is the only CBC that PuLP brings.
            warnings.filterwarnings("ignore", message=".*PULP_CBC_CMD.*", category=DeprecationWarning)
            chosen = pulp.PULP_CBC_CMD(
                msg=False,
                timeLimit=time_limit_s,
                threads=options.threads,
                logPath=str(log_path),
                # CBC reads a seed of 0 as the time of day. At its own tolerance, 1e-7, it may stop 1e-6 off the best.
                options=[f"randomSeed {options.seed % (2**31 - 1) + 1}", "primalT 1e-9", "dualT 1e-9"],
            )
    if not chosen.available():
        raise MissingSolverError(f"{solver} is not installed for PuLP on this machine; take engine 'lp' instead")
    return chosen


def _ended_infeasible(rendered: Any, solver: str) -> bool:
    if solver == "HiGHS":
        return rendered.solverModel.getModelStatus() in (
            highspy.HighsModelStatus.kInfeasible,
            highspy.HighsModelStatus.kUnboundedOrInfeasible,
        )
    return bool(rendered.status == pulp.LpStatusInfeasible)


def _row_duals(rendered: Any, program: LinearProgram) -> Floats:
    """Duals of all rows (d cost / d right-hand side), NaN where the solver gave none."""
    rows = (rendered.get_constraint_by_name(f"r{i}") for i in range(program.n_rows))
    return np.array([np.nan if row.pi is None else row.pi for row in rows])


def _result(
    problem: Problem,
    options: SolveOptions,
    program: LinearProgram,
    solver: str,
    x: Floats,
    duals: Floats,
    log: str,
) -> EngineResult:
    """Judge a point by its own arithmetic: feasible, and proven optimal by its duals, or stopped by the clock."""
    stopped = any(words in log for words in _TIME_WORDS)
    if stopped and program.violation(x) > POINT_TOLERANCE:
        raise NoPlanError(
            f"{solver} has no feasible plan within the time limit of {options.time_limit_s or 0:g} s; give more time"
        )
    objective_yuan = check_point(program, x, program.objective(x), solver)
    bound_yuan = program.dual_bound(duals) if np.isfinite(duals).all() else -np.inf
    size = max(1.0, float(np.abs(program.cost) @ np.abs(x)))
    proven = objective_yuan - bound_yuan <= _PROOF_TOLERANCE * size
    if not proven and not stopped:
        raise SolverError(
            f"{solver} through PuLP calls {objective_yuan:.10g} yuan optimal, its duals prove only {bound_yuan:.10g}; "
            "take engine 'lp'"
        )
    return EngineResult(
        status=Status.OPTIMAL if proven else Status.TIME_LIMIT,
        allocation=unpack(problem, program, x, divisible=True),
        multipliers=multipliers(problem, program, duals, "lp") if proven else None,
        bound_yuan=min(bound_yuan, objective_yuan) if proven else -np.inf,
        bound_method="lp",
        log=log,
    )
