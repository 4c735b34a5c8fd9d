"""The columns chosen so far. The choice only grows, so that every solve starts where the last one ended."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from provgrid_optimizer.matrix.pairs import open_pairs
from provgrid_optimizer.matrix.selection import Selection, served_columns
from provgrid_optimizer.ranges import expand

if TYPE_CHECKING:
    from provgrid_models.problem import Bools, Floats, Ints, Problem
    from provgrid_optimizer.columns.pricing import Priced


def in_full(problem: Problem) -> Bools:
    """Jobs whose columns and rows take part, all of them: hard ones, and those in an order."""
    verticals = np.flatnonzero(problem.after >= 0)
    whole = np.isinf(problem.unserved_yuan)
    whole[verticals] = whole[problem.after[verticals]] = True
    return whole


class Choice:
    """Pairs, hours, starts and services that take part; hours and starts as codes, pair * T + period, ascending.

    All columns of hard work and of jobs in an order take part from the start: what is left out is then never what
    makes the program infeasible, and an order's rows see all of its jobs.
    """

    def __init__(self, problem: Problem) -> None:
        self.problem = problem
        self.pairs = open_pairs(problem)
        self.served = served_columns(problem)
        self._whole = in_full(problem)[self.pairs.job]
        self.taken = self._whole.copy()
        self.limited = self._whole.copy()  # pairs whose free hours have the row n <= max z
        self.serving = np.isinf(problem.service_unserved_yuan)[self.served.service]
        self.free = self._all_codes(*self.pairs.run_periods(problem))
        self.starts = self._all_codes(*self.pairs.start_periods(problem))
        self.full = self.free[:0]

    def _all_codes(self, pair: Ints, period: Ints) -> Ints:
        kept = self._whole[pair]
        return pair[kept] * self.problem.n_periods + period[kept]

    @property
    def size(self) -> int:
        """Number of columns that prices decide about."""
        return int(self.taken.sum() + self.free.size + self.starts.size + self.serving.sum())

    def admit(self, priced: Priced, width: float) -> int:
        """Take what costs at most `width`, a share, more than the best at these prices; return how many came new.

        An hour is free where its price is as near the marginal one, and full below that. One that was full, or idle,
        and is not so at these prices becomes free.
        """
        before = self.size
        near = priced.pair <= priced.cutoff[:, None]
        pair = np.flatnonzero(near[self.pairs.job, self.pairs.pool] & ~self._whole)
        known = self.taken.copy()
        self.taken[pair] = True
        self._admit_hours(priced, width, pair[~self.pairs.rigid[pair]], known)
        self._admit_starts(priced, pair[self.pairs.rigid[pair]])
        best = priced.best_serve[self.served.service, self.served.period]
        self.serving |= priced.serve <= best + width * np.abs(best)
        return self.size - before

    def _admit_hours(self, priced: Priced, width: float, pair: Ints, known: Bools) -> None:
        job, pool = self.pairs.job[pair], self.pairs.pool[pair]
        owner, step = expand(self.problem.deadline[job] - self.pairs.first_period[pair])
        period = self.pairs.first_period[pair][owner] + step
        marginal = priced.marginal[job, pool][owner]
        above = priced.accelerator[pool[owner], period] - marginal
        room = np.maximum(width * np.abs(marginal), priced.room[pool[owner], 0])
        code = pair[owner] * self.problem.n_periods + period
        full = code[above < -room]
        seen = np.zeros(self.taken.size, dtype=np.bool_)
        seen[pair] = True
        changed = np.setxor1d(self._of(self.full, seen & known), self._of(full, seen & known), assume_unique=True)
        self.free = np.union1d(self.free, np.concatenate([code[np.abs(above) <= room], changed]))
        self.full = np.setdiff1d(np.union1d(self.full, full), self.free, assume_unique=True)

    def _admit_starts(self, priced: Priced, pair: Ints) -> None:
        periods = self.problem.n_periods
        job, pool = self.pairs.job[pair], self.pairs.pool[pair]
        duration, first = self.pairs.duration[pair], self.pairs.first_period[pair]
        owner, step = expand(self.problem.deadline[job] - duration + 1 - first)
        start = first[owner] + step
        running = np.zeros((priced.accelerator.shape[0], periods + 1))
        np.cumsum(priced.accelerator, axis=1, out=running[:, 1:])
        held = running[pool[owner], start + duration[owner]] - running[pool[owner], start]
        yuan = self.problem.max_accelerators[job][owner] * held
        least = np.full(pair.size, np.inf)
        np.minimum.at(least, owner, yuan)
        spare = priced.cutoff[job] - priced.pair[job, pool]
        near = yuan - least[owner] <= spare[owner]
        self.starts = np.union1d(self.starts, pair[owner[near]] * periods + start[near])

    def _of(self, codes: Ints, pairs: Bools) -> Ints:
        return codes[pairs[codes // self.problem.n_periods]]

    def selection(self) -> Selection:
        """Return the choice as the assembly reads it."""
        periods = self.problem.n_periods
        rank = np.cumsum(self.taken) - 1
        run_pair, run_period = np.divmod(self.free, periods)
        full_pair, full_period = np.divmod(self.full, periods)
        start_pair, start_period = np.divmod(self.starts, periods)
        return Selection(
            pairs=self.pairs.of(self.taken),
            run_pair=rank[run_pair],
            run_period=run_period,
            run_limited=self.limited[run_pair],
            full_pair=rank[full_pair],
            full_period=full_period,
            start_pair=rank[start_pair],
            start_period=start_period,
            served=self.served.of(self.serving),
        )

    def limit(self, job: Ints) -> None:
        """Give all pairs of these jobs the rows n <= max z: what is moved from one pool breaks another's else."""
        self.limited |= np.isin(self.pairs.job, job)


def broken_limits(problem: Problem, selection: Selection, share: Floats, accelerators: Floats, slack: float) -> Ints:
    """Pairs of the selection that run above max z in an hour without that row, by more than `slack` of max."""
    pair = selection.run_pair
    limit = problem.max_accelerators[selection.pairs.job[pair]]
    above = ~selection.run_limited & (accelerators > limit * (share[pair] + slack))
    return np.unique(pair[above])
