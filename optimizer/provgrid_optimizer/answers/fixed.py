"""The linear program that remains of a plan once its indivisible choices are fixed, and its solution.

Of an indivisible plan that is: the pool of every job, the start of every rigid one, what is left unserved, and the
period in which each elastic base has finished. Hours of elastic jobs, services, supply and traffic stay free. The
duals are marginal prices at this plan ("fixed-lp"). A divisible plan has no such choice, so what remains of it is the
relaxation itself ("lp").
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING, Literal

import numpy as np

from provgrid_models.errors import NoPlanError, OptionError, SolverError
from provgrid_optimizer.engines.clash import infeasible
from provgrid_optimizer.engines.clock import Clock
from provgrid_optimizer.engines.lp import MANY_COLUMNS as WHOLE_COLUMNS
from provgrid_optimizer.engines.lp import n_columns, no_plan
from provgrid_optimizer.engines.method import method
from provgrid_optimizer.highs import Basis, Ending, settled
from provgrid_optimizer.matrix import assemble, multipliers, point, unpack
from provgrid_optimizer.matrix.pairs import open_pairs
from provgrid_optimizer.matrix.selection import Selection, Served, everything, served_columns
from provgrid_optimizer.options import SolveOptions, ignore_progress

if TYPE_CHECKING:
    from provgrid_models.problem import Floats, Ints, Problem
    from provgrid_optimizer.allocation import Allocation
    from provgrid_optimizer.matrix import LinearProgram
    from provgrid_optimizer.multipliers import Multipliers
    from provgrid_optimizer.options import OnProgress

Remains = Literal["lp", "fixed-lp"]
MANY_COLUMNS = 150_000  # beyond which the interior point has no crossover: prices, and no basis to rank them by


@dataclass(frozen=True, kw_only=True, eq=False)
class Remaining:
    """What remains of a plan as a linear program, solved. `kind` says which choices are fixed.

    `x` and `row_duals` (d cost / d right-hand side) belong to the columns and rows of `program`; its rows and columns
    carry their ids by block (`program.rows["capacity"].ids`). `vertex` is where the simplex method ended, None for an
    interior optimum. `selection` says which columns of the whole program take part.
    """

    kind: Remains
    problem: Problem
    program: LinearProgram
    selection: Selection
    x: Floats
    row_duals: Floats
    vertex: Basis | None
    objective_yuan: float

    @cached_property
    def reduced_costs(self) -> Floats:
        """What one more unit of each column costs at these prices, shape (n,)."""
        return self.program.cost - self.program.transposed(self.row_duals)

    @cached_property
    def multipliers(self) -> Multipliers:
        """The prices as multipliers, signed: power that is worth less than nothing has a negative price."""
        return multipliers(self.problem, self.program, self.row_duals, self.kind, signed=True)

    @cached_property
    def allocation(self) -> Allocation:
        """The best plan with these choices; it costs at most what the plan did that they were taken from."""
        divisible = self.kind == "lp"
        return unpack(self.problem, self.program, self.x, divisible=divisible, selection=self.selection)


def is_one_program(problem: Problem, allocation: Allocation) -> bool:
    """Whether what remains of a plan is assembled as one program: always, but for a large relaxation."""
    return not allocation.divisible or n_columns(problem) <= WHOLE_COLUMNS


def remaining_program(
    problem: Problem, allocation: Allocation, served: Served | None = None
) -> tuple[LinearProgram, Selection]:
    """Assemble what remains of a plan: an LP, and the selection of the columns that it has.

    Of an indivisible plan, only `served` may be served, where they are given; they must hold what the plan serves.
    """
    if allocation.divisible:
        return assemble(problem, divisible=True), everything(problem)
    selection = _chosen(problem, allocation, served or served_columns(problem))
    program = assemble(problem, divisible=False, selection=selection)
    whole = np.round(point(problem, program, allocation, selection))
    fixed = replace(
        program,
        column_lower=np.where(program.integer, whole, program.column_lower),
        column_upper=np.where(program.integer, whole, program.column_upper),
        integer=np.zeros(program.n_columns, dtype=np.bool_),
    )
    return fixed, selection


def remaining(
    problem: Problem,
    allocation: Allocation,
    options: SolveOptions | None = None,
    on_progress: OnProgress = ignore_progress,
    stage: str = "prices",
) -> Remaining:
    """Fix the indivisible choices of a plan and solve what remains.

    Raises
    ------
    OptionError : the relaxation is so large that it is solved by columns, so that no one program remains.
    NoPlanError : the time limit came before the optimum; Ctrl-C is a `KeyboardInterrupt`.
    SolverError : HiGHS failed.
    """
    options = options or SolveOptions()
    if not is_one_program(problem, allocation):
        raise OptionError(
            f"the relaxation has {n_columns(problem):,} columns, and beyond {WHOLE_COLUMNS:,} it is no one program "
            "with prices at this plan; take those of its bound, plan.prices, or a plan of the heuristic"
        )
    program, selection = remaining_program(problem, allocation)
    kind: Remains = "lp" if allocation.divisible else "fixed-lp"
    return solved(problem, program, selection, kind, options, on_progress, stage=stage)


def solved(
    problem: Problem,
    program: LinearProgram,
    selection: Selection,
    kind: Remains,
    options: SolveOptions,
    on_progress: OnProgress = ignore_progress,
    vertex: Basis | None = None,
    stage: str = "prices",
) -> Remaining:
    """Solve a program that remains, from a vertex where one is known. Raises as `remaining` does."""
    settings: dict[str, float | int | str | bool] = {}
    if vertex is None:
        many = program.n_columns > MANY_COLUMNS
        settings |= {"solver": "ipm", "run_crossover": "off"} if many else method(problem, program)
    answer = settled(
        program,
        options,
        stage=stage,
        time_limit_s=Clock(options).left_s(),
        settings=settings,
        basis=vertex,
        on_progress=on_progress,
    )
    if answer.ending is Ending.INFEASIBLE:
        if kind == "lp":
            raise infeasible(problem, options, divisible=True)
        raise SolverError("the plan's choices leave no feasible program within HiGHS's tolerance; take basis 'dual'")
    if answer.x is None:
        raise no_plan(answer, options)
    if answer.row_duals is None:
        raise NoPlanError("the prices were not optimal within the time limit; give more time or take basis 'dual'")
    return Remaining(
        kind=kind,
        problem=problem,
        program=program,
        selection=selection,
        x=answer.x,
        row_duals=answer.row_duals,
        vertex=answer.basis,
        objective_yuan=answer.objective_yuan,
    )


def _chosen(problem: Problem, allocation: Allocation, served: Served) -> Selection:
    """Only the pairs that a plan has chosen, with all hours of elastic jobs and the one start of each rigid one."""
    every = open_pairs(problem)
    place = np.flatnonzero(np.isin(every.job * problem.n_pools + every.pool, _codes(problem, allocation)))
    pairs = every.of(place)
    run_pair, run_period = pairs.run_periods(problem)
    rigid = np.flatnonzero(pairs.rigid)
    first = allocation.run_period[allocation.run_start[:-1][rigid]].astype(np.int64)
    nothing = np.zeros(0, dtype=np.int64)
    return Selection(
        pairs=pairs,
        run_pair=run_pair,
        run_period=run_period,
        run_limited=np.zeros(run_pair.size, dtype=np.bool_),  # z is 1, so that n <= max is a bound
        full_pair=nothing,
        full_period=nothing,
        start_pair=rigid,
        start_period=first,
        served=served,
    )


def _codes(problem: Problem, allocation: Allocation) -> Ints:
    """One number for each placement; placements and open pairs are both in the order of these numbers."""
    return np.asarray(allocation.job * problem.n_pools + allocation.pool, dtype=np.int64)
