"""The one place that talks to HiGHS: options that are checked, its own status read, its point checked again.

HiGHS runs in a thread of its own, so that Ctrl-C reaches Python at once and asks HiGHS to stop. HiGHS keeps one pool
of workers for each thread that calls it: a thread per run, which gives the workers back at its end, is what lets one
process use different numbers of threads one after the other.
"""

from __future__ import annotations

import math
import threading
import time
from dataclasses import dataclass, replace
from enum import Enum, auto
from typing import TYPE_CHECKING, Any

import highspy
import numpy as np

from provgrid_models.errors import SolverError
from provgrid_optimizer.interrupts import CtrlCWaits
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
EXACT = {"mip_rel_gap": 0.0, "mip_abs_gap": 1e-9}  # a program with whole numbers, to its end
_POLL_S = 0.1
# At its own tolerances, HiGHS's presolve of whole numbers cuts off the best plans of some programs, and proves what is
# left as optimal (docs/method.md).
_WHOLE = {"mip_feasibility_tolerance": 1e-9, "primal_feasibility_tolerance": 1e-9}


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

    After Ctrl-C `ending` is INTERRUPTED even where HiGHS came to its end before it heard of it, with all that it found.
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
    units = scaled(program) if settings and settings.get("solver") == "ipm" else None
    session = Session(program if units is None else units.program, options, settings, time_limit_s)
    if basis is not None:
        session.start_at(basis)
    if start is not None:
        session.start_with(start)
    history = session.run(on_progress, stage)
    answer = _read(session, program, units)
    ending = Ending.INTERRUPTED if session.interrupted else answer.ending
    return replace(answer, ending=ending, log="".join(session.lines), history=history)


def optimum(program: LinearProgram, options: SolveOptions, settings: Mapping[str, Any]) -> Floats | None:
    """Return the best point of a program of a fraction of a second, solved in the thread that calls; None without one.

    Nothing is heard of it until it ends: what HiGHS would tell and ask of Python meanwhile costs a fifth more, and
    keeps other threads waiting.

    Raises
    ------
    SolverError : as `minimise`.
    """
    session = Session(program, options, {"output_flag": False, **settings}, heard=False)
    session.check(session.highs.run(), "to solve a part")
    if session.ending is not Ending.OPTIMAL:
        return None
    x = np.array(session.highs.getSolution().col_value)
    check_point(program, x, session.highs.getInfo().objective_function_value, "HiGHS")
    return x


def settled(
    program: LinearProgram,
    options: SolveOptions,
    *,
    stage: str,
    time_limit_s: float | None = None,
    settings: Mapping[str, float | int | str | bool] | None = None,
    basis: Basis | None = None,
    on_progress: OnProgress = ignore_progress,
) -> Answer:
    """Solve one of the many programs behind an answer, where to be stopped halfway is no answer: as `minimise`.

    Raises `KeyboardInterrupt` at Ctrl-C, too: a program that was stopped must not count as one without a point.
    """
    answer = minimise(
        program, options, on_progress, stage=stage, time_limit_s=time_limit_s, settings=settings, basis=basis
    )
    if answer.ending is Ending.INTERRUPTED:
        raise KeyboardInterrupt
    return answer


class Session:
    """A program in HiGHS, to be run once or again and again; each time in a thread of its own, so that Ctrl-C stops it.

    Raises `SolverError` where HiGHS refuses something, as all that is asked of it does.
    """

    def __init__(
        self,
        program: LinearProgram,
        options: SolveOptions,
        settings: Mapping[str, float | int | str | bool] | None = None,
        time_limit_s: float | None = None,
        *,
        heard: bool = True,
    ) -> None:
        self.highs: Any = highspy.Highs()  # type: ignore[no-untyped-call]  # its own stubs lack much of what it has
        self.lines: list[str] = []
        self._ctrl_c = CtrlCWaits()
        # An exception in Thread.join makes Python take the thread for ended (bpo-45274): an event tells of its end.
        self._done = threading.Event()
        self._known = [math.nan, math.nan]  # objective and bound so far, in yuan
        wanted: dict[str, Any] = {
            "log_to_console": False,
            "threads": options.threads,
            "random_seed": options.seed % 2**31,
            "time_limit": math.inf if time_limit_s is None else time_limit_s,
            **(_WHOLE if program.integer.any() else {}),
            **(settings or {}),
        }
        for name, value in wanted.items():
            self.check(self.highs.setOptionValue(name, value), f"option {name}={value}")
        self.check(self.highs.passModel(_highs_lp(program)), "the model")
        if heard:
            self._listen()

    def check(self, status: highspy.HighsStatus, what: str) -> None:
        """Raise `SolverError` where HiGHS says that something was wrong with `what`."""
        # A warning for the model is HiGHS dropping tiny values; for an option it never occurs.
        if status == highspy.HighsStatus.kError:
            raise SolverError(f"HiGHS {self.highs.version()} refused {what}; report this with the scenario")

    def start_at(self, basis: Basis) -> None:
        """Let the simplex method start at a vertex."""
        made = highspy.HighsBasis()
        made.col_status = [_STATUSES[code] for code in basis.columns.tolist()]
        made.row_status = [_STATUSES[code] for code in basis.rows.tolist()]
        made.valid = True
        self.check(self.highs.setBasis(made), "the basis")

    def start_with(self, x: Floats) -> None:
        """Let a MILP start with a point."""
        solution = highspy.HighsSolution()
        solution.col_value = x.tolist()
        self.check(self.highs.setSolution(solution), "the start")

    @property
    def basis(self) -> Basis | None:
        """Where the simplex method ended, if it did."""
        found = self.highs.getBasis()
        if not found.valid:
            return None
        parts = found.col_status, found.row_status
        codes = [np.array([int(status) for status in part], dtype=np.int8) for part in parts]
        return Basis(columns=codes[0], rows=codes[1])

    @property
    def ending(self) -> Ending | None:
        """How the last run ended, says HiGHS; None for what a caller cannot go on from."""
        return _ENDINGS.get(self.highs.getModelStatus())

    @property
    def interrupted(self) -> bool:
        """Whether Ctrl-C came during a run; HiGHS asks so seldom that it may have come to its end nevertheless."""
        return self._ctrl_c.asked

    def run(self, on_progress: OnProgress = ignore_progress, stage: str = "") -> tuple[tuple[float, float, float], ...]:
        """Run HiGHS to its end in a thread, reporting meanwhile; returns what objective and bound were when."""
        outcome: list[highspy.HighsStatus] = []
        self._done.clear()

        def work() -> None:
            try:
                outcome.append(self.highs.run())
                highspy.Highs.resetGlobalScheduler(False)
            finally:
                self._done.set()

        started = time.perf_counter()
        history: list[tuple[float, float, float]] = []
        thread = threading.Thread(target=work, name="highs", daemon=True)
        # Nothing may come between: HiGHS's memory must not be freed under it, nor the process end before it.
        with self._ctrl_c:
            thread.start()
            try:
                while not self._done.wait(_POLL_S) and not self.interrupted:
                    self._report(on_progress, stage, started, history)
            except BaseException as error:
                self._ctrl_c.asked = True
                if not isinstance(error, KeyboardInterrupt):
                    raise
            finally:
                self._done.wait()
                thread.join()
        if not outcome or outcome[0] == highspy.HighsStatus.kError:
            last = next((line.strip() for line in reversed(self.lines) if line.strip()), "no message")
            raise SolverError(f"HiGHS failed: {last}; try --engine heuristic, or: provgrid doctor")
        return tuple(history)

    def _listen(self) -> None:
        """Collect log lines and bounds, and let HiGHS ask now and then whether it should stop."""
        # Not `self`: HiGHS is freed as soon as it is let go.
        lines, known, ctrl_c = self.lines, self._known, self._ctrl_c

        def collect(event: Any) -> None:
            lines.append(event.message)

        def note_bounds(event: Any) -> None:
            known[:] = _finite(event.data_out.mip_primal_bound), _finite(event.data_out.mip_dual_bound)

        def stop_if_asked(event: Any) -> None:
            if ctrl_c.asked:
                event.interrupt()

        self.highs.cbLogging.subscribe(collect)
        self.highs.cbMipLogging.subscribe(note_bounds)
        for asks in (self.highs.cbSimplexInterrupt, self.highs.cbIpmInterrupt, self.highs.cbMipInterrupt):
            asks.subscribe(stop_if_asked)

    def _report(
        self, on_progress: OnProgress, stage: str, started: float, history: list[tuple[float, float, float]]
    ) -> None:
        (objective, bound), elapsed = self._known, time.perf_counter() - started
        on_progress(Progress(elapsed, stage, objective, bound))
        known = not (math.isnan(objective) and math.isnan(bound))
        if known and (not history or not _same(history[-1][1:], (objective, bound))):
            history.append((elapsed, objective, bound))


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


def _finite(value: float) -> float:
    return value if math.isfinite(value) else math.nan


def _same(a: tuple[float, float], b: tuple[float, float]) -> bool:
    return all(x == y or (math.isnan(x) and math.isnan(y)) for x, y in zip(a, b, strict=True))


def _read(session: Session, program: LinearProgram, units: Scaled | None) -> Answer:
    """Read status, point, duals and bound, and check what HiGHS calls feasible."""
    highs, ending = session.highs, session.ending
    if ending is None:
        status = highs.modelStatusToString(highs.getModelStatus())
        raise SolverError(f"HiGHS stopped with {status!r}; try another engine or seed")
    info = highs.getInfo()
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
        basis=session.basis,
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
            f"{solver} states a cost of {claimed_yuan:.10g} yuan for a point that costs "
            f"{objective_yuan:.10g}; nothing of it is kept, try another engine"
        )
    return objective_yuan
