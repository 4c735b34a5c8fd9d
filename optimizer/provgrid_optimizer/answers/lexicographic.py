"""The least CO2 that work can be done with: the first half of a lexicographic solve, or the second."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from provgrid_models.errors import SolverError
from provgrid_optimizer.engines.lp import MANY_COLUMNS, n_columns
from provgrid_optimizer.evaluate import costs
from provgrid_optimizer.highs import settled
from provgrid_optimizer.matrix import assemble
from provgrid_optimizer.options import ignore_progress
from provgrid_optimizer.solve import find_engine

if TYPE_CHECKING:
    from provgrid_models.problem import Floats, Problem
    from provgrid_optimizer.matrix import LinearProgram
    from provgrid_optimizer.options import SolveOptions

CAP_ROUNDING = 1e-8  # relative: how much dearer than the cheapest still counts as equal


def least_carbon_kg(problem: Problem, engine: str, options: SolveOptions) -> float:
    """Return the least CO2 that the engine finds, whatever it costs, idle floor included; soft work may be left."""
    in_kg = with_carbon_as_cost(problem)
    result = find_engine(engine)(in_kg, options, ignore_progress)
    return costs(in_kg, result.allocation).objective_yuan + in_kg.floor_yuan


def with_carbon_as_cost(problem: Problem) -> Problem:
    """Return the problem with kilograms of CO2 in place of yuan: nothing else costs anything, hard work stays hard."""

    def free(yuan: Floats) -> Floats:
        return np.where(np.isfinite(yuan), 0.0, np.inf)

    return replace(
        problem,
        block_yuan_per_kwh=problem.block_kg_per_kwh,
        carbon_yuan_per_kg=0.0,
        demand_charge_yuan_per_kw=np.zeros_like(problem.demand_charge_yuan_per_kw),
        gb_yuan=free(problem.gb_yuan),
        service_yuan=free(problem.service_yuan),
        rent_yuan_per_h=np.zeros_like(problem.rent_yuan_per_h),
        subsidy_yuan_per_h=np.zeros_like(problem.subsidy_yuan_per_h),
        unserved_yuan=free(problem.unserved_yuan),
        service_unserved_yuan=free(problem.service_unserved_yuan),
    )


def least_carbon_at_kg(problem: Problem, cost_yuan: float, options: SolveOptions) -> float | None:
    """Return the least CO2 of the relaxation among all that cost at most `cost_yuan`, idle floor included.

    It takes a row on the cost, so that the program must be small enough to be solved whole; None where it is not.
    """
    if n_columns(problem) > MANY_COLUMNS:
        return None
    program = _with_cost_row(problem, assemble(problem, divisible=True), cost_yuan)
    answer = settled(program, options, stage="least carbon", time_limit_s=options.time_limit_s)
    if answer.x is None:
        raise SolverError("no point costs as little as the cheapest plan; try the ends of the front with more time")
    return answer.objective_yuan


def _with_cost_row(problem: Problem, program: LinearProgram, cost_yuan: float) -> LinearProgram:
    """Make kilograms the objective of a program, and its cost a row below everything else."""
    supply = program.columns["g"]
    kg = np.zeros(program.n_columns)
    kg[supply.slice] = (problem.hours * problem.block_kg_per_kwh).ravel()
    priced = program.cost != 0
    at = program.start[1:][priced]  # behind the last entry of each column, where rows stay ascending
    entries = np.concatenate([[0], np.cumsum(priced)])
    return replace(
        program,
        cost=kg,
        offset=0.0,
        row_lower=np.append(program.row_lower, -np.inf),
        row_upper=np.append(program.row_upper, cost_yuan + CAP_ROUNDING * max(abs(cost_yuan), 1.0) - program.offset),
        start=program.start + entries,
        index=np.insert(program.index, at, program.n_rows),
        value=np.insert(program.value, at, program.cost[priced]),
    )
