"""The seam that every engine fills: `engine(problem, options, on_progress) -> EngineResult`."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING, Literal, Protocol

if TYPE_CHECKING:
    from provgrid_models.problem import Problem
    from provgrid_optimizer.allocation import Allocation
    from provgrid_optimizer.multipliers import Multipliers
    from provgrid_optimizer.options import OnProgress, SolveOptions


class Status(StrEnum):
    """How a solve ended, in the engine's own honest words."""

    OPTIMAL = "optimal"  # proven by the solver, or the gap asked for is 0 and was reached
    GAP_REACHED = "gap_reached"
    FINISHED = "finished"  # the engine did all that it does (policies; a heuristic that ran out of improvements)
    PASSES_REACHED = "passes_reached"
    TIME_LIMIT = "time_limit"
    INTERRUPTED = "interrupted"


STATUS_TEXT = {
    Status.OPTIMAL: "optimal",
    Status.GAP_REACHED: "within the gap that was asked",
    Status.FINISHED: "finished",
    Status.PASSES_REACHED: "stopped after its passes",
    Status.TIME_LIMIT: "stopped at its time limit",
    Status.INTERRUPTED: "interrupted",
}


def status_text(status: str) -> str:
    """Say in words how a solve ended."""
    return STATUS_TEXT[Status(status)]


@dataclass(frozen=True, kw_only=True)
class EngineResult:
    """What an engine hands back. It has a plan or it raises `NoPlanError` or `InfeasibleError`.

    `bound_yuan` is a bound of the solver's own, which prices alone cannot prove: of its tree ("milp"), or of all duals
    of the relaxation ("lp"), those of the `after` rows included; -inf if there is none.
    `history` holds (elapsed s, objective, bound) whenever one of them improved.
    """

    status: Status
    allocation: Allocation
    multipliers: Multipliers | None = None
    bound_yuan: float = -math.inf
    bound_method: Literal["lp", "milp"] = "milp"
    passes: int = 0
    compile_s: float = 0.0
    log: str = ""
    history: tuple[tuple[float, float, float], ...] = field(default=())


class Engine(Protocol):
    """Anything that turns a problem into an `EngineResult`."""

    def __call__(self, problem: Problem, options: SolveOptions, on_progress: OnProgress) -> EngineResult:
        """Solve."""
        ...
