"""Programs that stay in HiGHS: other limits again and again, each time on from the last vertex; or its basis asked."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from provgrid_models.errors import SolverError
from provgrid_optimizer.highs import LIMIT_TOLERANCE, Ending, Session

if TYPE_CHECKING:
    from provgrid_models.problem import Floats
    from provgrid_optimizer.highs import Basis
    from provgrid_optimizer.matrix import LinearProgram
    from provgrid_optimizer.options import SolveOptions

_DUAL_SIMPLEX, _PRIMAL_SIMPLEX = 1, 4  # as HiGHS numbers them


class Again:
    """The least cost of one program under other limits.

    Raises `SolverError` where HiGHS fails.
    """

    def __init__(self, program: LinearProgram, options: SolveOptions, vertex: Basis) -> None:
        self._session = Session(program, options)
        self._session.start_at(vertex)

    def limit_column(self, column: int, lower: float, upper: float) -> None:
        """Set the limits of a column."""
        changed = self._session.highs.changeColBounds(column, lower, upper)
        self._session.check(changed, f"limits {lower}, {upper} of a column")

    def limit_row(self, row: int, lower: float, upper: float) -> None:
        """Set the limits of a row."""
        changed = self._session.highs.changeRowBounds(row, lower, upper)
        self._session.check(changed, f"limits {lower}, {upper} of a row")

    def cost_yuan(self) -> float:
        """Solve, and return the least cost; inf where nothing is feasible."""
        ending = _run(self._session)
        if ending is Ending.INFEASIBLE:
            return math.inf
        highs = self._session.highs
        if ending is not Ending.OPTIMAL:
            status = highs.modelStatusToString(highs.getModelStatus())
            raise SolverError(f"HiGHS stopped with {status!r}; try another seed")
        return float(highs.getInfo().objective_function_value)


class Feasibility:
    """Whether one program has a point under other limits. Costs and whole numbers are left out."""

    def __init__(self, program: LinearProgram, options: SolveOptions) -> None:
        plain = replace(program, cost=np.zeros(program.n_columns), integer=np.zeros(program.n_columns, dtype=np.bool_))
        # What presolve removes has no weight in a proof.
        self._session = Session(plain, options, {"presolve": "off", "solver": "simplex"})
        self._program = plain

    def proof_of_none(self, column_upper: Floats, row_lower: Floats, row_upper: Floats) -> Floats | None:
        """Weights of rows that add up to a contradiction (a Farkas ray), shape (m,); None where there is a point.

        All are 0 where HiGHS proves that there is none and has no ray. Raises `SolverError` where it can tell neither.
        """
        program, highs, check = self._program, self._session.highs, self._session.check
        columns, rows = (np.arange(n, dtype=np.int32) for n in (program.n_columns, program.n_rows))
        check(highs.changeColsBounds(columns.size, columns, program.column_lower, column_upper), "limits of columns")
        check(highs.changeRowsBounds(rows.size, rows, row_lower, row_upper), "limits of rows")
        for strategy in (_DUAL_SIMPLEX, _PRIMAL_SIMPLEX):
            if strategy == _PRIMAL_SIMPLEX:  # from scratch: the dual simplex method may lose its way without costs
                check(highs.clearSolver(), "a fresh start")
            check(highs.setOptionValue("simplex_strategy", strategy), "its simplex method")
            ending = _run(self._session)
            if ending is Ending.OPTIMAL:
                return None
            _, known, ray = highs.getDualRay()
            if ending is Ending.INFEASIBLE and known:
                return np.array(ray)
        if ending is not Ending.INFEASIBLE:
            raise SolverError("HiGHS can neither find a point nor prove that there is none; report this scenario")
        return np.zeros(program.n_rows)


def dual_ray(program: LinearProgram, vertex: Basis, x: Floats, weights: Floats, options: SolveOptions) -> Floats:
    """Return the change of row duals, shape (m,), when the costs of basic variables at a limit change by `weights`.

    Every optimal dual solution differs from that of the vertex by such a change, for some weights; `x` is the vertex's
    point and `weights`, shape (m,), go to the basic columns and rows in HiGHS's order, zero where strictly inside.

    Raises `SolverError` where HiGHS refuses the vertex.
    """
    session = Session(program, options)
    session.start_at(vertex)
    _run(session)
    status, basic = session.highs.getBasicVariables()
    session.check(status, "its basic variables")
    column, row = np.maximum(basic, 0), np.maximum(-1 - basic, 0)
    is_column = basic >= 0
    at = np.where(is_column, x[column], program.activity(x)[row])
    lower = np.where(is_column, program.column_lower[column], program.row_lower[row])
    upper = np.where(is_column, program.column_upper[column], program.row_upper[row])
    at_limit = np.minimum(at - lower, upper - at) <= LIMIT_TOLERANCE * np.maximum(1.0, np.abs(at))
    status, ray = session.highs.getBasisTransposeSolve(np.where(at_limit, weights, 0.0))
    session.check(status, "a solve with its basis")
    return np.asarray(ray, dtype=np.float64)


def _run(session: Session) -> Ending | None:
    """Run to the end; Ctrl-C is raised again, for what was stopped halfway says nothing."""
    session.run()
    if session.interrupted:
        raise KeyboardInterrupt
    return session.ending
