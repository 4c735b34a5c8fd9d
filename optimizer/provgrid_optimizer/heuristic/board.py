"""A plan while it is changed: where work stands, at which prices it moves, and how soft its limits are."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from provgrid_optimizer.heuristic.construct import SERVICE_STEPS, missing
from provgrid_optimizer.heuristic.cost import objective_yuan
from provgrid_optimizer.heuristic.kernels.curves import overloaded, reanchor, refresh_all
from provgrid_optimizer.heuristic.kernels.respond import relieve, respond_jobs
from provgrid_optimizer.heuristic.kernels.shift import respond_services, shift_services
from provgrid_optimizer.heuristic.pricing import Pricing, scratch

if TYPE_CHECKING:
    from provgrid_models.problem import Ints, Problem
    from provgrid_optimizer.heuristic.arrays import Arrays
    from provgrid_optimizer.heuristic.state import State

TIGHTEST = 0.001  # share of a limit
INSIDE = 0.01  # ramps this tight end at the limit instead of passing it
ANCHOR_WEIGHT = 0.5  # of the way that prices at the limits move after each sweep
SHIFTS = 2  # of each service and period, at a time


class Board:
    """The state of a plan, the curves that price its changes, and the moves that a search is made of."""

    def __init__(self, problem: Problem, arrays: Arrays, curves: Pricing, state: State) -> None:
        self.problem = problem
        self.arrays = arrays
        self.curves = curves
        self.state = state
        self.space = scratch(problem)
        self.by_size: Ints = np.argsort(problem.work_pflop_h, kind="stable").astype(np.int64)
        self._full_kw = curves.ramp_kw.copy()

    def set_ramp(self, ramp: float, *, soft: bool) -> None:
        """Let prices rise within `ramp` of each limit; soft limits may be passed while ramps are wide."""
        self.curves.ramp[0] = ramp
        self.curves.ramp_kw[:] = self._full_kw * ramp
        inside = not soft or ramp <= INSIDE
        self.curves.early[0] = 0.5 if inside else 0.0
        self.state.stretch[0] = 0.0 if inside else ramp
        self.refresh()

    def refresh(self) -> None:
        """Bring all prices up to date."""
        refresh_all(self.arrays, self.state, self.curves)

    def reanchor(self) -> None:
        """Move the prices at the limits towards what the load makes of them."""
        reanchor(self.arrays, self.state, self.curves, ANCHOR_WEIGHT)
        self.refresh()

    def restore(self, state: State) -> None:
        """Go back to an earlier state."""
        self.state = state
        self.refresh()

    def respond(self, jobs: Ints) -> None:
        """Let jobs move to where they are cheapest, one after the other."""
        respond_jobs(self.arrays, self.state, self.curves, jobs, self.space)

    def shift(self, services: Ints, first: int = 0, last: int | None = None) -> None:
        """Let services shift units between pools in some periods."""
        last = self.problem.n_periods if last is None else last
        shift_services(self.arrays, self.state, self.curves, SHIFTS, services, first, last)

    def relieve(self, jobs: Ints) -> None:
        """Let jobs leave overloaded periods; one that then finds no room stays unserved."""
        relieve(self.arrays, self.state, self.curves, jobs, self.space)

    def harden(self) -> None:
        """Take work out of overloaded periods until every limit holds, services before jobs, small before large."""
        services: Ints = np.arange(self.problem.n_services)
        self.shift(services)
        self.make_way(self.by_size, services)

    def make_way(self, jobs: Ints, services: Ints) -> None:
        """Take jobs, then services, out of overloaded periods."""
        self.relieve(jobs)
        if self.overloaded():
            respond_services(self.arrays, self.state, self.curves, SERVICE_STEPS, services)

    def overloaded(self) -> bool:
        """Whether a pool or a cluster carries more than it may."""
        pools, periods = self.problem.n_pools, self.problem.n_periods
        return any(overloaded(self.arrays, self.state, p, 0, periods) for p in range(pools))

    def yuan(self) -> float:
        """Cost of the plan; inf where it breaks a limit or leaves out hard work."""
        if self.overloaded() or missing(self.problem, self.state):
            return math.inf
        return objective_yuan(self.problem, self.state)
