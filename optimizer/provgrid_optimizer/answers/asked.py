"""Whether what is asked can be served in a scenario, and how far limits have to move before it can."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Protocol

import numpy as np

from provgrid_models.errors import ArrayError, InfeasibleError, ScenarioError
from provgrid_optimizer.highs import EXACT, Ending, settled
from provgrid_optimizer.matrix.amount import least_amount

if TYPE_CHECKING:
    from provgrid_models.problem import Floats, Problem
    from provgrid_models.scenario import Scenario
    from provgrid_optimizer.matrix import LinearProgram
    from provgrid_optimizer.options import SolveOptions

LINEAR = ("capacity", "floor_kw", "block_limit_kw", "link_gbps")  # what of a problem a limit of the scenario moves
# A scenario that a change has made may be refused, as where idle accelerators break a carbon budget by themselves.
REFUSALS = (ScenarioError, ArrayError, InfeasibleError)


class Asked(Protocol):
    """What must be served: a program of it in any scenario, None where no pool could ever serve some of it."""

    def program(self, scenario: Scenario) -> tuple[Problem, LinearProgram] | None:
        """Assemble the program."""


def fits(scenario: Scenario, asked: Asked, options: SolveOptions) -> bool:
    """Whether it can be served; what is not known within the time limit cannot."""
    return least_cost(scenario, asked, options, free=True) is not None


def least_cost(scenario: Scenario, asked: Asked, options: SolveOptions, *, free: bool = False) -> float | None:
    """Least cost of serving it, in yuan, 0 where all is `free`; None where it cannot be, or the scenario is refused."""
    try:
        made = asked.program(scenario)
    except REFUSALS:
        return None
    if made is None:
        return None
    program = replace(made[1], cost=np.zeros(made[1].n_columns), offset=0.0) if free else made[1]
    answer = settled(program, options, stage="change", time_limit_s=options.time_limit_s, settings=EXACT)
    return None if answer.x is None else answer.objective_yuan


def amount_needed(
    scenario: Scenario, further: Scenario, asked: Asked, options: SolveOptions, asks_less: str = ""
) -> float | None:
    """How many times the step from a scenario to another one is needed before all that is asked can be served.

    Limits move with the amount in proportion. With `asks_less` the demand of that service falls by the amount instead.
    None where no amount is enough. Raises one of `REFUSALS` where one of the two scenarios is refused.
    """
    made, moved = asked.program(scenario), asked.program(further)
    if made is None or moved is None:
        return None
    problem, program = made
    column_room, row_room = np.zeros(program.n_columns), np.zeros(program.n_rows)
    if asks_less:
        demand = program.rows["demand"]
        service, period = demand.ids["service"], demand.ids["period"]
        mine = np.array(problem.labels.services, dtype=object)[service] == asks_less
        row_room[demand.slice] = -problem.demand[service, period] * mine
    else:
        _move(problem, moved[0], program, column_room, row_room)
    widened = least_amount(program, column_room, row_room)
    answer = settled(widened, options, stage="fix", time_limit_s=options.time_limit_s)
    if answer.x is None or answer.ending is not Ending.OPTIMAL:
        return None
    return float(answer.x[-1])


def _move(here: Problem, there: Problem, program: LinearProgram, column_room: Floats, row_room: Floats) -> None:
    """Write how limits differ between two problems to their columns and rows, in place."""
    capacity, floor, blocks, links = (_difference(getattr(here, name), getattr(there, name)) for name in LINEAR)
    used, power, link = program.columns["used"], program.columns["g"], program.rows["link"]
    column_room[used.slice] = capacity[used.ids["pool"], used.ids["period"]]
    column_room[power.slice] = blocks[power.ids["block"], power.ids["period"]]
    balance = program.rows["balance"]
    row_room[balance.slice] = floor[balance.ids["cluster"], balance.ids["period"]]
    row_room[link.slice] = links[link.ids["link"]]
    budget = _difference(np.array([here.carbon_budget_kg]), np.array([there.carbon_budget_kg]))
    row_room[program.rows["carbon"].slice] = budget[0]


def _difference(here: Floats, there: Floats) -> Floats:
    """By how much a limit grows; one that is not there does not."""
    with np.errstate(invalid="ignore"):
        return np.where(np.isfinite(here), there - here, 0.0)
