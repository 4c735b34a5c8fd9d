"""The prices that prove a bound: one multiplier for each row that couples workloads."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np

if TYPE_CHECKING:
    from provgrid_models.problem import Floats, Ints, Problem

Basis = Literal["lp", "fixed-lp", "dual"]


@dataclass(frozen=True, kw_only=True, eq=False)
class Multipliers:
    """lambda >= 0 on the coupling rows; `lagrangian.bound` turns any of them into a lower bound.

    `accelerator` prices a pool's accelerator-hour, energy included: it stands for the capacity, balance and supply
    rows together, because with it given, each cluster and period can choose its best load and supply exactly.
    `peak` splits the demand charge over periods: sum_t hours[t] * peak[c,t] <= demand_charge_yuan_per_kw[c].
    `after` prices the order of jobs: a vertical pays, for its share done (rigid: started) in a period, the prices of
    that period and all later ones; its base earns, for its own, those from when the vertical may make use of it.
    """

    accelerator: Floats  # (P, T) yuan per accelerator-hour
    peak: Floats  # (C, T) yuan per kW-hour of grid power
    link: Floats  # (L, T) yuan per Gbit/s-hour
    carbon: float  # yuan per kg, on the budget only; the carbon price comes on top
    after: Floats  # (V, T) yuan per share of the vertical
    vertical: Ints  # (V,) which job each row of `after` is of: all that come after another, ascending
    basis: Basis

    @classmethod
    def zero(cls, problem: Problem, basis: Basis = "dual") -> Multipliers:
        """All prices 0: what holds before anything is known."""
        periods = problem.n_periods
        vertical = verticals(problem)
        return cls(
            accelerator=np.zeros((problem.n_pools, periods)),
            peak=np.zeros((problem.n_clusters, periods)),
            link=np.zeros((problem.n_links, periods)),
            carbon=0.0,
            after=np.zeros((vertical.size, periods)),
            vertical=vertical,
            basis=basis,
        )


def verticals(problem: Problem) -> Ints:
    """Jobs that come after another, ascending, shape (V,)."""
    return np.flatnonzero(problem.after >= 0)
