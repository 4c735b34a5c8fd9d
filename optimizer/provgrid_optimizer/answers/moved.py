"""A plan with one choice changed, as a program: everything else as it is, or free to adapt where the plan is divisible.

Of an indivisible plan all other jobs keep their pools and starts; hours of elastic jobs, services, supply and traffic
adapt (`fixed.py`). The start of a rigid job that moves is chosen anew, as a whole number. Of a divisible plan all else
is free: it is the relaxation with one share forced.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from provgrid_models.compile import compile_scenario
from provgrid_optimizer.matrix import assemble, point
from provgrid_optimizer.matrix.pairs import open_pairs
from provgrid_optimizer.matrix.selection import Selection, served_columns

if TYPE_CHECKING:
    from collections.abc import Sequence

    from provgrid_models.problem import Bools, Ints, Problem
    from provgrid_models.scenario import Scenario
    from provgrid_optimizer.allocation import Allocation
    from provgrid_optimizer.matrix import LinearProgram
    from provgrid_optimizer.matrix.pairs import Pairs
    from provgrid_optimizer.plan import Plan

ROOM = 1e-7  # of a share or a demand that a plan leaves: a solver's rounding is no service lost


def with_job_in(problem: Problem, allocation: Allocation, j: int, pools: Ints) -> LinearProgram:
    """Program of a plan in which all of job j has to run in one of these pools, or is left where there are none."""
    program = _divided(problem) if allocation.divisible else _others_fixed(problem, allocation, j, pools)
    placed, left = program.columns["z"], program.columns["u"]
    upper = program.column_upper.copy()
    mine = placed.ids["job"] == j
    upper[placed.at[mine & ~np.isin(placed.ids["pool"], pools)]] = 0.0
    if pools.size:
        upper[left.at[left.ids["job"] == j]] = 0.0
    return replace(program, column_upper=upper)


def with_service_in(
    problem: Problem, allocation: Allocation, program: LinearProgram, s: int, pool: int
) -> LinearProgram:
    """Change the program that remains of a plan: what is served of service s is served, hour by hour, from one pool."""
    served, left = program.columns["y"], program.columns["v"]
    upper, lower = program.column_upper.copy(), program.column_lower.copy()
    upper[served.at[(served.ids["service"] == s) & (served.ids["pool"] != pool)]] = 0.0
    mine = left.at[left.ids["service"] == s]
    lower[mine] = upper[mine] = allocation.unserved_units(problem)[s, left.ids["period"][left.ids["service"] == s]]
    return replace(program, column_upper=upper, column_lower=lower)


@dataclass(frozen=True, kw_only=True)
class AsInPlan:
    """What a plan serves, and one job or service on top of it, in whatever scenario: `asked.Asked`.

    All that the plan serves stays served, and of an indivisible plan where it is, unless `others_move`.
    """

    plan: Plan
    kind: str  # "job" or "service"
    id: str
    others_move: bool = False

    def program(self, scenario: Scenario) -> tuple[Problem, LinearProgram] | None:
        """Assemble the program; None where no pool could ever serve the work."""
        problem = compile_scenario(scenario)
        names = list((problem.labels.jobs if self.kind == "job" else problem.labels.services) or ())
        if self.id not in names:
            return None
        allocation = in_problem(self.plan, problem)
        at = names.index(self.id)
        if self.others_move:
            program = assemble(problem, divisible=allocation.divisible)
        elif self.kind == "job":
            every = np.arange(problem.n_pools)
            program = with_job_in(problem, without_job(allocation, at), at, every)
        else:
            program = _divided(problem) if allocation.divisible else _others_fixed(problem, allocation, -1, None)
        return problem, _nothing_less(problem, program, allocation, self.kind, at)


def _nothing_less(
    problem: Problem, program: LinearProgram, allocation: Allocation, kind: str, at: int
) -> LinearProgram:
    """Hold all work at what the plan serves of it, and all of the one that is asked for."""
    jobs, services = program.columns["u"], program.columns["v"]
    upper = program.column_upper.copy()
    job_left = 1.0 - allocation.served_share(problem)
    units_left = allocation.unserved_units(problem)
    if kind == "job":
        job_left[at] = 0.0
    else:
        units_left[at] = 0.0
    asked = problem.demand[services.ids["service"], services.ids["period"]]
    upper[jobs.slice] = np.minimum(1.0, job_left[jobs.ids["job"]] + ROOM)
    upper[services.slice] = units_left[services.ids["service"], services.ids["period"]] + ROOM * asked
    return replace(program, column_upper=upper)


def in_problem(plan: Plan, problem: Problem) -> Allocation:
    """Return a plan's allocation under the numbers of another problem that has the same work, and perhaps more."""
    old, allocation = plan.problem, plan.allocation
    jobs = _places(old.labels.jobs, problem.labels.jobs)
    services = _places(old.labels.services, problem.labels.services)
    return replace(allocation, job=jobs[allocation.job], serve_service=services[allocation.serve_service])


def without_job(allocation: Allocation, j: int) -> Allocation:
    """Return the allocation without the placements of one job."""
    kept = allocation.job != j
    rows = kept[allocation.run_placement]
    lengths = np.diff(allocation.run_start)[kept]
    return replace(
        allocation,
        job=allocation.job[kept],
        pool=allocation.pool[kept],
        share=allocation.share[kept],
        run_start=np.concatenate([[0], np.cumsum(lengths)]).astype(np.int64),
        run_period=allocation.run_period[rows],
        run_accelerators=allocation.run_accelerators[rows],
    )


def _places(before: Sequence[str] | None, after: Sequence[str] | None) -> Ints:
    """Where each name stands among the new ones."""
    place = {name: i for i, name in enumerate(after or ())}
    return np.array([place[name] for name in before or ()], dtype=np.int64)


def _divided(problem: Problem) -> LinearProgram:
    return assemble(problem, divisible=True)


def _others_fixed(problem: Problem, allocation: Allocation, j: int, pools: Ints | None) -> LinearProgram:
    """Whole program of an indivisible plan in which all jobs but j keep their pools and starts; j = -1: all do."""
    others = without_job(allocation, j)
    every = open_pairs(problem)
    kept = np.isin(every.job * problem.n_pools + every.pool, others.job * problem.n_pools + others.pool)
    if pools is not None:
        kept |= (every.job == j) & np.isin(every.pool, pools)
    selection = _selection(problem, others, every.of(kept), j)
    program = assemble(problem, divisible=False, selection=selection)
    whole = np.round(point(problem, program, others, selection))
    fixed = program.integer & ~_of_job(program, j)
    return replace(
        program,
        column_lower=np.where(fixed, whole, program.column_lower),
        column_upper=np.where(fixed, whole, program.column_upper),
        integer=program.integer & ~fixed,
    )


def _selection(problem: Problem, others: Allocation, pairs: Pairs, j: int) -> Selection:
    """Select chosen pairs with all hours of elastic jobs and the start of each rigid one; of job j all it could do."""
    run_pair, run_period = pairs.run_periods(problem)
    mine = pairs.of(pairs.job == j)
    own_pair, own_period = mine.start_periods(problem)
    own_pair = np.flatnonzero(pairs.job == j)[own_pair]
    rigid = np.flatnonzero(pairs.rigid & (pairs.job != j))
    placed = np.flatnonzero(problem.rigid[others.job])
    first = others.run_period[others.run_start[:-1][placed]].astype(np.int64)
    start_pair, start_period = np.concatenate([rigid, own_pair]), np.concatenate([first, own_period])
    order = np.lexsort((start_period, start_pair))
    nothing = np.zeros(0, dtype=np.int64)
    return Selection(
        pairs=pairs,
        run_pair=run_pair,
        run_period=run_period,
        run_limited=pairs.job[run_pair] == j,  # where z is 1, n <= max is a bound
        full_pair=nothing,
        full_period=nothing,
        start_pair=start_pair[order],
        start_period=start_period[order],
        served=served_columns(problem),
    )


def _of_job(program: LinearProgram, j: int) -> Bools:
    """Columns that are about one job, shape (n,)."""
    mine = np.zeros(program.n_columns, dtype=np.bool_)
    for kind in ("z", "s", "finished"):
        if kind in program.columns:
            block = program.columns[kind]
            mine[block.slice] = block.ids["job"] == j
    return mine
