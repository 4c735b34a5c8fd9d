"""The open (job, pool) pairs of a problem, in arrays."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import TYPE_CHECKING

import numpy as np

from provgrid_optimizer.ranges import expand

if TYPE_CHECKING:
    from provgrid_models.problem import Bools, Floats, Ints, Problem


@dataclass(frozen=True)
class Pairs:
    """One entry for each open pair, by job, then pool; all of shape (N,)."""

    job: Ints
    pool: Ints
    rigid: Bools
    accelerator_hours: Floats
    first_period: Ints  # first period in which the job may run in the pool
    duration: Ints  # periods that a rigid gang is held; 0 for elastic jobs
    one_off_yuan: Floats

    def of(self, chosen: Ints | Bools) -> Pairs:
        """Only these pairs."""
        return Pairs(**{field.name: getattr(self, field.name)[chosen] for field in fields(self)})

    def run_periods(self, problem: Problem) -> tuple[Ints, Ints]:
        """Pair and period of everything that an elastic pair may run in."""
        window = problem.deadline[self.job] - self.first_period
        pair, step = expand(np.where(self.rigid, 0, window))
        return pair, self.first_period[pair] + step

    def start_periods(self, problem: Problem) -> tuple[Ints, Ints]:
        """Pair and period of every possible start of a rigid pair."""
        starts = problem.deadline[self.job] - self.duration + 1 - self.first_period
        pair, step = expand(np.where(self.rigid, starts, 0))
        return pair, self.first_period[pair] + step


def open_pairs(problem: Problem) -> Pairs:
    """Collect the open pairs of all jobs."""
    every = slice(None)
    job, pool = np.nonzero(problem.reasons(every) == 0)
    rigid = problem.rigid[job]
    return Pairs(
        job=job,
        pool=pool,
        rigid=rigid,
        accelerator_hours=problem.accelerator_hours(every)[job, pool],
        first_period=problem.start_periods(every)[job, pool],
        duration=np.where(rigid, problem.durations(every)[job, pool], 0).astype(np.int64),
        one_off_yuan=problem.one_off_yuan(job, pool),
    )
