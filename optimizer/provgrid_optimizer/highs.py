"""The one place that talks to HiGHS: options that are checked, its own status read, its point checked again.

HiGHS runs in a thread of its own, so that Ctrl-C reaches Python at once and asks HiGHS to stop. HiGHS keeps one pool
of workers for each thread that calls it: a thread per run, which gives the workers back at its end, is what lets one
process use different numbers of threads one after the other.
"""

from __future__ import annotations

import math
import threading
import time
from dataclasses import dataclass, field, replace
from enum import Enum, auto
from typing import TYPE_CHECKING, Any

import highspy
import numpy as np

from provgrid_models.errors import SolverError
from provgrid_optimizer.matrix.scaling import scaled
from provgrid_optimizer.options import Progress, ignore_progress

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from provgrid_models.problem import Floats
    from provgrid_optimizer.matrix import LinearProgram
    from provgrid_optimizer.matrix.scaling import Scaled
    from provgrid_optimizer.options import OnProgress, SolveOptions

POINT_TOLERANCE = 1e-6  # relative excess over a limit that a solver's point may have
LIMIT_TOLERANCE = 1e-7  # relative distance within which a figure of a solver counts as at its limit
_DUAL_SIMPLEX, _PRIMAL_SIMPLEX = 1, 4  # as HiGHS numbers them
_POLL_S = 0.1


class Ending(Enum):
    """How a run ended, as HiGHS's own model status says."""

    OPTIMAL = auto()
    INFEASIBLE = auto()
    TIME_LIMIT = auto()
    ITERATION_LIMIT = auto()
    INTERRUPTED = auto()


_ENDINGS = {
    highspy.HighsModelStatus.kOptimal: Ending.OPTIMAL,
    highspy.HighsModelStatus.kInfeasible: Ending.INFEASIBLE,
    # Every program here is bounded: power is drawn only for work, and all work is limited.
    highspy.HighsModelStatus.kUnboundedOrInfeasible: Ending.INFEASIBLE,
    highspy.HighsModelStatus.kTimeLimit: Ending.TIME_LIMIT,
    highspy.HighsModelStatus.kIterationLimit: Ending.ITERATION_LIMIT,
    highspy.HighsModelStatus.kInterrupt: Ending.INTERRUPTED,
}


@dataclass(frozen=True, kw_only=True)
class Basis:
    """Where a simplex run ended, or is to start: the status of each column and row, by the codes below."""

    columns: NDArray[np.int8]
    rows: NDArray[np.int8]


AT_LOWER, BASIC, AT_UPPER = (
    int(status)
    for status in (
        highspy.HighsBasisStatus.kLower,
        highspy.HighsBasisStatus.kBasic,
        highspy.HighsBasisStatus.kUpper,
    )
)
_STATUSES = {int(status): status for status in highspy.HighsBasisStatus.__members__.values()}


@dataclass(frozen=True, kw_only=True)
class Answer:
    """What HiGHS found. `x` is None without a feasible point, `row_duals` and `basis` without an optimal LP basis.

    `bound_yuan` is proven: the optimum of an LP, the bound of a MILP's tree; -inf if there is none.
    """

    ending: Ending
    x: Floats | None = None
    row_duals: Floats | None = None
    basis: Basis | None = None
    objective_yuan: float = math.nan
    bound_yuan: float = -math.inf
    log: str = ""
    history: tuple[tuple[float, float, float], ...] = ()


@dataclass
class _Watch:
    """What the callbacks of a run share with the thread that waits for it."""

    stop: threading.Event = field(default_factory=threading.Event)
    # Ctrl-C in Thread.join makes Python take the thread for ended (bpo-45274), so its end is told by an event.
    done: threading.Event = field(default_factory=threading.Event)
    lines: list[str] = field(default_factory=list)
    objective_yuan: float = math.nan
    bound_yuan: float = math.nan


def minimise(
    program: LinearProgram,
    options: SolveOptions,
    on_progress: OnProgress,
    *,
    stage: str,
    time_limit_s: float | None = None,
    settings: Mapping[str, float | int | str | bool] | None = None,
    basis: Basis | None = None,
    start: Floats | None = None,
) -> Answer:
    """Solve a program.

    Parameters
    ----------
    stage : what progress reports call this run.
    time_limit_s : for this run; the caller has taken off what went before.
    settings : further HiGHS options, such as mip_rel_gap.
    basis : where the simplex method starts; it needs as many basic columns and rows as there are rows.
    start : a feasible point that a MILP starts with.

    Raises
    ------
    SolverError : an option was refused, HiGHS failed, or its point does not pass the check.
    """
    highs = _new_highs()
    watch = _Watch()
    wanted: dict[str, Any] = {
        "log_to_console": False,
        "threads": options.threads,
        "random_seed": options.seed % 2**31,
        "time_limit": math.inf if time_limit_s is None else time_limit_s,
        **(settings or {}),
    }
    for name, value in wanted.items():
        _check(highs.setOptionValue(name, value), f"option {name}={value}")
    units = scaled(program) if wanted.get("solver") == "ipm" else None
    _check(highs.passModel(_highs_lp(program if units is None else units.program)), "the model")
    if basis is not None:
        _check(highs.setBasis(_highs_basis(basis)), "the basis")
    if start is not None:
        solution = highspy.HighsSolution()
        solution.col_value = start.tolist()
        _check(highs.setSolution(solution), "the start")
    _listen(highs, watch)
    history = _run(highs, watch, on_progress, stage)
    answer = _read(highs, program, units)
    return replace(answer, log="".join(watch.lines), history=history)


def dual_ray(program: LinearProgram, vertex: Basis, x: Floats, weights: Floats, options: SolveOptions) -> Floats:
    """Return the change of row duals, shape (m,), when the costs of basic variables at a limit change by `weights`.

    Every optimal dual solution differs from that of the vertex by such a change, for some weights; `x` is the vertex's
    point and `weights`, shape (m,), go to the basic columns and rows in HiGHS's order, zero where strictly inside.

    Raises `SolverError` where HiGHS refuses the vertex.
    """
    highs: Any  # its published types leave these methods out
    highs, watch = _loaded(program, options, vertex)
    _run(highs, watch, ignore_progress, "vertex")
    status, basic = highs.getBasicVariables()
    _check(status, "its basic variables")
    column, row = np.maximum(basic, 0), np.maximum(-1 - basic, 0)
    is_column = basic >= 0
    at = np.where(is_column, x[column], program.activity(x)[row])
    lower = np.where(is_column, program.column_lower[column], program.row_lower[row])
    upper = np.where(is_column, program.column_upper[column], program.row_upper[row])
    at_limit = np.minimum(at - lower, upper - at) <= LIMIT_TOLERANCE * np.maximum(1.0, np.abs(at))
    status, ray = highs.getBasisTransposeSolve(np.where(at_limit, weights, 0.0))
    _check(status, "a solve with its basis")
    return np.asarray(ray, dtype=np.float64)


class Again:
    """A program that stays in HiGHS and is solved again and again under other limits, each time from the last vertex.

    Raises `SolverError` where HiGHS fails.
    """

    def __init__(self, program: LinearProgram, options: SolveOptions, vertex: Basis) -> None:
        self._highs, self._watch = _loaded(program, options, vertex)

    def limit_column(self, column: int, lower: float, upper: float) -> None:
        """Set the limits of a column."""
        _check(self._highs.changeColBounds(column, lower, upper), f"limits {lower}, {upper} of a column")

    def limit_row(self, row: int, lower: float, upper: float) -> None:
        """Set the limits of a row."""
        _check(self._highs.changeRowBounds(row, lower, upper), f"limits {lower}, {upper} of a row")

    def cost_yuan(self) -> float:
        """Solve, and return the least cost; inf where nothing is feasible."""
        self._watch.done.clear()
        _run(self._highs, self._watch, ignore_progress, "other limits")
        status = self._highs.getModelStatus()
        ending = _ENDINGS.get(status)
        if ending is Ending.INFEASIBLE:
            return math.inf
        if ending is Ending.INTERRUPTED:
            raise KeyboardInterrupt
        if ending is not Ending.OPTIMAL:
            raise SolverError(f"HiGHS stopped with {self._highs.modelStatusToString(status)!r}; try another seed")
        return float(self._highs.getInfo().objective_function_value)


def _loaded(program: LinearProgram, options: SolveOptions, vertex: Basis) -> tuple[highspy.Highs, _Watch]:
    """Return a HiGHS that holds a program and starts at a vertex, and what watches it."""
    highs, watch = _new_highs(), _Watch()
    for name, value in (("log_to_console", False), ("threads", options.threads), ("random_seed", options.seed % 2**31)):
        _check(highs.setOptionValue(name, value), f"option {name}={value}")
    _check(highs.passModel(_highs_lp(program)), "the model")
    _check(highs.setBasis(_highs_basis(vertex)), "the vertex")
    _listen(highs, watch)
    return highs, watch


def _new_highs() -> highspy.Highs:
    return highspy.Highs()  # type: ignore[no-untyped-call]


def _check(status: highspy.HighsStatus, what: str) -> None:
    # A warning for the model is HiGHS dropping tiny values; for an option it never occurs.
    if status == highspy.HighsStatus.kError:
        raise SolverError(f"HiGHS {_new_highs().version()} refused {what}; report this with the scenario")


def _highs_lp(program: LinearProgram) -> highspy.HighsLp:
    lp = highspy.HighsLp()
    lp.num_col_, lp.num_row_ = program.n_columns, program.n_rows
    lp.sense_ = highspy.ObjSense.kMinimize
    lp.offset_ = program.offset
    lp.col_cost_, lp.col_lower_, lp.col_upper_ = program.cost, program.column_lower, program.column_upper
    lp.row_lower_, lp.row_upper_ = program.row_lower, program.row_upper
    lp.a_matrix_.format_ = highspy.MatrixFormat.kColwise
    lp.a_matrix_.num_col_, lp.a_matrix_.num_row_ = program.n_columns, program.n_rows
    lp.a_matrix_.start_ = program.start.astype(np.int32)
    lp.a_matrix_.index_ = program.index.astype(np.int32)
    lp.a_matrix_.value_ = program.value
    if program.integer.any():
        kinds = highspy.HighsVarType.kContinuous, highspy.HighsVarType.kInteger
        lp.integrality_ = [kinds[whole] for whole in program.integer.tolist()]
    return lp


def _highs_basis(basis: Basis) -> highspy.HighsBasis:
    made = highspy.HighsBasis()
    made.col_status = [_STATUSES[code] for code in basis.columns.tolist()]
    made.row_status = [_STATUSES[code] for code in basis.rows.tolist()]
    made.valid = True
    return made


def _read_basis(highs: highspy.Highs) -> Basis | None:
    found = highs.getBasis()
    if not found.valid:
        return None
    codes = [np.array([int(status) for status in part], dtype=np.int8) for part in (found.col_status, found.row_status)]
    return Basis(columns=codes[0], rows=codes[1])


def _listen(highs: highspy.Highs, watch: _Watch) -> None:
    """Collect log lines and bounds, and let HiGHS ask now and then whether it should stop."""

    def collect(event: Any) -> None:
        watch.lines.append(event.message)

    def note_bounds(event: Any) -> None:
        watch.objective_yuan = _finite(event.data_out.mip_primal_bound)
        watch.bound_yuan = _finite(event.data_out.mip_dual_bound)

    def stop_if_asked(event: Any) -> None:
        if watch.stop.is_set():
            event.interrupt()

    highs.cbLogging.subscribe(collect)
    highs.cbMipLogging.subscribe(note_bounds)
    for asks in (highs.cbSimplexInterrupt, highs.cbIpmInterrupt, highs.cbMipInterrupt):
        asks.subscribe(stop_if_asked)


def _finite(value: float) -> float:
    return value if math.isfinite(value) else math.nan


def _run(
    highs: highspy.Highs, watch: _Watch, on_progress: OnProgress, stage: str
) -> tuple[tuple[float, float, float], ...]:
    """Run HiGHS to its end in a thread, reporting meanwhile; returns what objective and bound were when."""
    outcome: list[highspy.HighsStatus] = []

    def work() -> None:
        try:
            outcome.append(highs.run())
            highspy.Highs.resetGlobalScheduler(False)
        finally:
            watch.done.set()

    started = time.perf_counter()
    history: list[tuple[float, float, float]] = []
    thread = threading.Thread(target=work, name="highs", daemon=True)
    thread.start()
    try:
        while not watch.done.wait(_POLL_S):
            _report(watch, on_progress, stage, started, history)
    except KeyboardInterrupt:
        _stop(watch)
    except BaseException:
        _stop(watch)
        raise
    thread.join()
    if not outcome or outcome[0] == highspy.HighsStatus.kError:
        last = next((line.strip() for line in reversed(watch.lines) if line.strip()), "no message")
        raise SolverError(f"HiGHS failed: {last}")
    return tuple(history)


def _stop(watch: _Watch) -> None:
    """Ask HiGHS to stop, and wait: its memory must not be freed under it."""
    watch.stop.set()
    watch.done.wait()


def _report(
    watch: _Watch,
    on_progress: OnProgress,
    stage: str,
    started: float,
    history: list[tuple[float, float, float]],
) -> None:
    objective, bound, elapsed = watch.objective_yuan, watch.bound_yuan, time.perf_counter() - started
    on_progress(Progress(elapsed, stage, objective, bound))
    known = not (math.isnan(objective) and math.isnan(bound))
    if known and (not history or not _same(history[-1][1:], (objective, bound))):
        history.append((elapsed, objective, bound))


def _same(a: tuple[float, float], b: tuple[float, float]) -> bool:
    return all(x == y or (math.isnan(x) and math.isnan(y)) for x, y in zip(a, b, strict=True))


def _read(highs: highspy.Highs, program: LinearProgram, units: Scaled | None) -> Answer:
    """Read status, point, duals and bound, and check what HiGHS calls feasible."""
    status, info = highs.getModelStatus(), highs.getInfo()
    ending = _ENDINGS.get(status)
    if ending is None:
        raise SolverError(f"HiGHS stopped with {highs.modelStatusToString(status)!r}; try another engine or seed")
    if ending is Ending.INFEASIBLE:
        return Answer(ending=ending)
    whole = bool(program.integer.any())
    bound_yuan = info.mip_dual_bound if whole else -math.inf
    solution = highs.getSolution()
    if info.primal_solution_status != highspy.SolutionStatus.kSolutionStatusFeasible:
        if ending is Ending.OPTIMAL:
            raise SolverError("HiGHS says optimal and has no feasible point; try another engine or seed")
        return Answer(ending=ending, bound_yuan=bound_yuan)
    x, duals = np.array(solution.col_value), np.array(solution.row_dual)
    objective_yuan = check_point(program if units is None else units.program, x, info.objective_function_value, "HiGHS")
    if units is not None:
        x, duals = units.point(program, x), units.row_duals(duals)
    if whole or ending is not Ending.OPTIMAL:
        return Answer(ending=ending, x=x, objective_yuan=objective_yuan, bound_yuan=bound_yuan)
    return Answer(
        ending=ending,
        x=x,
        row_duals=duals,
        basis=_read_basis(highs),
        objective_yuan=objective_yuan,
        bound_yuan=objective_yuan,
    )


def check_point(program: LinearProgram, x: Floats, claimed_yuan: float, solver: str) -> float:
    """Return the cost of a solver's point, or raise `SolverError` if it breaks a row or its cost was misstated."""
    broken = program.violation(x)
    if broken > POINT_TOLERANCE:
        raise SolverError(
            f"{solver}'s point breaks a limit by {broken:.2g} relative, above {POINT_TOLERANCE:g}; "
            "try another engine or seed"
        )
    objective_yuan = program.objective(x)
    # Costs of either sign may cancel, so the yardstick is their size, floor included.
    size = max(1.0, float(np.abs(program.cost) @ np.abs(x)))
    if not abs(objective_yuan - claimed_yuan) <= POINT_TOLERANCE * size:
        raise SolverError(
            f"{solver} states a cost of {claimed_yuan:.10g} yuan for a point that costs {objective_yuan:.10g}"
        )
    return objective_yuan


class Feasibility:
    """One program whose limits are changed again and again, and whether a point is left within them.

    Costs and whole numbers are left out. The simplex method goes on from where it was, which makes asking cheap.
    """

    def __init__(self, program: LinearProgram, options: SolveOptions) -> None:
        self._highs: Any = _new_highs()  # highspy's own stubs lack some of what is called here
        plain = replace(program, cost=np.zeros(program.n_columns), integer=np.zeros(program.n_columns, dtype=np.bool_))
        wanted: dict[str, Any] = {
            "log_to_console": False,
            "threads": options.threads,
            "random_seed": options.seed % 2**31,
            "presolve": "off",  # what it removes has no weight in a proof
            "solver": "simplex",
        }
        for name, value in wanted.items():
            _check(self._highs.setOptionValue(name, value), f"option {name}={value}")
        _check(self._highs.passModel(_highs_lp(plain)), "the model")
        self._program = plain

    def proof_of_none(self, column_upper: Floats, row_lower: Floats, row_upper: Floats) -> Floats | None:
        """Weights of rows that add up to a contradiction (a Farkas ray), shape (m,); None where there is a point.

        All are 0 where HiGHS proves that there is none and has no ray. Raises `SolverError` where it can tell neither.
        """
        program, highs = self._program, self._highs
        columns, rows = (np.arange(n, dtype=np.int32) for n in (program.n_columns, program.n_rows))
        _check(highs.changeColsBounds(columns.size, columns, program.column_lower, column_upper), "limits of columns")
        _check(highs.changeRowsBounds(rows.size, rows, row_lower, row_upper), "limits of rows")
        for strategy in (_DUAL_SIMPLEX, _PRIMAL_SIMPLEX):
            if strategy == _PRIMAL_SIMPLEX:  # from scratch: the dual simplex method may lose its way without costs
                _check(highs.clearSolver(), "a fresh start")
            _check(highs.setOptionValue("simplex_strategy", strategy), "its simplex method")
            _run(highs, _Watch(), lambda _: None, "conflict")
            ending = _ENDINGS.get(highs.getModelStatus())
            if ending is Ending.OPTIMAL:
                return None
            _, known, ray = highs.getDualRay()
            if ending is Ending.INFEASIBLE and known:
                return np.array(ray)
        if ending is not Ending.INFEASIBLE:
            raise SolverError("HiGHS can neither find a point nor prove that there is none; report this scenario")
        return np.zeros(program.n_rows)
