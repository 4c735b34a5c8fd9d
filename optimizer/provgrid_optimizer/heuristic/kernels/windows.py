"""Cheapest hours of a window: sorted prices that grow with the deadline, and what a job pays for them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from provgrid_optimizer.heuristic.kernels.compiled import inlined, inner_inlined, kernel, summing

if TYPE_CHECKING:
    from provgrid_models.problem import Floats, Ints
    from provgrid_optimizer.heuristic.arrays import Jobs

TOLERANCE = 1e-9  # as problem.WINDOW_TOLERANCE: accelerator-hours that rounding may add to a window


@kernel
def grow(price: Floats, first: int, last: int, values: Floats, periods: Ints, count: int) -> int:
    """Insert periods first..last-1 of `price` (T,) into the ascending lists `values`, `periods`; return their count."""
    for t in range(first, last):
        value = price[t]
        i = count
        while i > 0 and values[i - 1] > value:
            values[i] = values[i - 1]
            periods[i] = periods[i - 1]
            i -= 1
        values[i] = value
        periods[i] = t
        count += 1
    return count


@inlined
def sums(values: Floats, count: int, total: Floats) -> None:
    """Write prefix sums of `values` (count,) to `total` (count + 1,)."""
    running = 0.0
    total[0] = 0.0
    for i in range(count):
        running += values[i]
        total[i + 1] = running


@inlined
def cheapest(full_periods: float, values: Floats, total: Floats, count: int) -> float:
    """Price of `full_periods` (a real number) of the cheapest periods, the last one used in part."""
    whole = int(full_periods)
    if whole >= count:
        return total[count]
    return total[whole] + (full_periods - whole) * values[whole]


@summing
def least_run_price(price: Floats, first: int, last: int, full_periods: float, marginal: float) -> float:
    """Lower bound on the price of the cheapest hours by LP duality, for any price of the last hour used.

    The sum may be taken in any order, so it is only good to about 1e-13: compare with some room.
    """
    saved = 0.0
    for t in range(first, last):
        saved += max(marginal - price[t], 0.0)
    return full_periods * marginal - saved


@inner_inlined
def duration(full_periods: float) -> float:
    """Whole periods that a gang is held for; `Problem.durations`."""
    return max(1.0, np.ceil(full_periods * (1.0 - TOLERANCE) - TOLERANCE))


@kernel
def cheapest_start(running: Floats, first: int, last: int, periods: int) -> tuple[float, int]:
    """Cheapest block of `periods` periods inside [first, last) by prefix sums `running` (T + 1,): (price, start)."""
    best = np.inf
    start = first
    for t in range(first, last - periods + 1):
        price = running[t + periods] - running[t]
        if price < best:
            best = price
            start = t
    return best, start


@inner_inlined
def one_off(jobs: Jobs, j: int, p: int) -> float:
    """Yuan of job j in pool p whenever it runs: data moved and accelerator-hours held; `Problem.one_off_yuan`."""
    held = jobs.weighted_work[j] * jobs.account_yuan[jobs.account[j], p]
    return jobs.gigabytes[j] * jobs.gb_yuan[jobs.origin[j], p] + held


@inner_inlined
def full_periods(jobs: Jobs, j: int, p: int) -> float:
    """Periods that job j needs in pool p at its limit, a real number; inf where the pair is closed."""
    if jobs.pinned[j] >= 0 and jobs.pinned[j] != p:
        return np.inf
    need = jobs.hours_per_work[jobs.job_class[j], p] * jobs.work[j] / (jobs.limit[j] * jobs.period_h)
    if jobs.gb_yuan[jobs.origin[j], p] == np.inf:
        return np.inf
    first = jobs.release[j]
    if jobs.remote[jobs.origin[j], p]:
        first += jobs.move_periods[j]
    if jobs.rigid[j]:
        if jobs.limit[j] > jobs.largest[p] * (1.0 + TOLERANCE):
            return np.inf
        if duration(need) > jobs.deadline[j] - first:
            return np.inf
    elif need * (1.0 - TOLERANCE) > jobs.deadline[j] - first:
        return np.inf
    return need
