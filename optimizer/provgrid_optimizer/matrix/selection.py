"""Which columns of the program take part: all of them, or those that prices let matter.

An elastic job's hours fall into three kinds in each of its pools. Free ones have a column of their own. In full ones
it runs at its limit for the share z that it has there: their load is part of the column z. In all others it is idle.
The same row n <= max z that makes an hour free need not be there either: where z is whole it is a bound on n.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from provgrid_optimizer.matrix.pairs import Pairs, open_pairs
from provgrid_optimizer.ranges import expand

if TYPE_CHECKING:
    from provgrid_models.problem import Bools, Ints, Problem


@dataclass(frozen=True)
class Served:
    """Who may serve whom when, one entry for each column y."""

    service: Ints
    pool: Ints
    period: Ints

    def of(self, chosen: Bools) -> Served:
        """Only these entries."""
        return Served(self.service[chosen], self.pool[chosen], self.period[chosen])


@dataclass(frozen=True, kw_only=True)
class Selection:
    """Columns by pair (place in `pairs`) and period, and those of services."""

    pairs: Pairs
    run_pair: Ints  # free hours of elastic pairs
    run_period: Ints
    run_limited: Bools  # which of them have the row n <= max z; the others are bounded by max
    full_pair: Ints  # hours at the limit, in proportion to z
    full_period: Ints
    start_pair: Ints  # starts of rigid pairs
    start_period: Ints
    served: Served


def everything(problem: Problem) -> Selection:
    """Every column that the problem has, and every row."""
    pairs = open_pairs(problem)
    run_pair, run_period = pairs.run_periods(problem)
    start_pair, start_period = pairs.start_periods(problem)
    nothing = np.zeros(0, dtype=np.int64)
    return Selection(
        pairs=pairs,
        run_pair=run_pair,
        run_period=run_period,
        run_limited=np.ones(run_pair.size, dtype=np.bool_),
        full_pair=nothing,
        full_period=nothing,
        start_pair=start_pair,
        start_period=start_period,
        served=served_columns(problem),
    )


def served_columns(problem: Problem) -> Served:
    """All that may be served, by service, period, pool."""
    is_open = (problem.service_rate > 0) & np.isfinite(problem.service_yuan)
    asked_service, asked_period = np.nonzero(problem.demand > 0)
    asked, place = expand(is_open.sum(axis=1)[asked_service])
    pools_of = np.nonzero(is_open)[1]
    first_pool = np.cumsum(is_open.sum(axis=1)) - is_open.sum(axis=1)
    service = asked_service[asked]
    return Served(service, pools_of[first_pool[service] + place], asked_period[asked])
