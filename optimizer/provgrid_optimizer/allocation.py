"""What an engine decides, in sparse arrays: where jobs live, when they run, who serves whom, what supplies it."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from provgrid_models.problem import Bools, Floats, Ints, Problem


@dataclass(frozen=True, kw_only=True, eq=False)
class Allocation:
    """The decisions of a plan. Placement i says that `share[i]` of job `job[i]` lives in pool `pool[i]`.

    Its accelerators are `run_accelerators[k]` in period `run_period[k]` for k in run_start[i] : run_start[i+1],
    periods ascending, zeros left out. An indivisible plan has at most one placement a job, with share 1; in a
    divisible one (`lp`) the shares of a job sum to at most 1. What is not placed is unserved.
    Placements are sorted by (job, pool); service rows by (service, pool, period).
    """

    divisible: bool
    job: Ints  # (N,)
    pool: Ints  # (N,)
    share: Floats  # (N,)
    run_start: Ints  # (N + 1,)
    run_period: NDArray[np.int32]  # (M,)
    run_accelerators: Floats  # (M,)
    serve_service: Ints  # (Y,)
    serve_pool: Ints  # (Y,)
    serve_period: Ints  # (Y,)
    serve_units: Floats  # (Y,) service units, e.g. tokens/s
    block_kw: Floats  # (B, T) power drawn from each supply block
    peak_kw: Floats  # (C,) D[c], the grid peak that the demand charge bills

    @cached_property
    def run_placement(self) -> Ints:
        """Placement of each run row, shape (M,)."""
        return np.repeat(np.arange(self.job.size), np.diff(self.run_start))

    def served_share(self, problem: Problem) -> Floats:
        """Share of each job that is placed, shape (J,)."""
        return np.bincount(self.job, weights=self.share, minlength=problem.n_jobs).astype(np.float64)

    def unserved_units(self, problem: Problem) -> Floats:
        """Service units that are asked for and not served, shape (S, T)."""
        served = np.zeros(problem.demand.shape)
        np.add.at(served, (self.serve_service, self.serve_period), self.serve_units)
        return np.maximum(problem.demand - served, 0.0)

    def unserved_jobs(self, problem: Problem) -> Bools:
        """Jobs of which some part is left, shape (J,)."""
        return self.served_share(problem) < 1.0 - 1e-9
