"""What a job or a service costs in each pool at given prices: its part of the Lagrangian, pool by pool.

At the prices of an LP the difference to the cheapest is the reduced cost of moving all of the work there.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from provgrid_models.problem import Floats, Ints, Problem
    from provgrid_optimizer.multipliers import Multipliers


def job_yuan(problem: Problem, prices: Multipliers, j: int, pool: int, deadline: int | None = None) -> float:
    """Least cost of a job in an open pool, as `job_yuan_in`."""
    return float(job_yuan_in(problem, prices, j, np.array([pool]), deadline)[0])


def job_yuan_in(problem: Problem, prices: Multipliers, j: int, pools: Ints, deadline: int | None = None) -> Floats:
    """Least cost of a job in each of these open pools (n,), all copies; inf where it does not fit the window.

    Data moved, accelerators held, links on the way, and its cheapest hours or start, with what the order of jobs adds:
    a vertical pays for being early, a base earns by it. `deadline` is the job's own unless another is given.
    """
    job = np.array([j])
    first = problem.start_periods(job)[0, pools]
    end = int(problem.deadline[j]) if deadline is None else deadline
    fixed = problem.one_off_yuan(np.full(pools.size, j), pools) + _moving_yuan(problem, prices, j, pools)
    hours = prices.accelerator[pools] * problem.hours
    paid, earned = _order(problem, prices, j)
    if problem.rigid[j]:
        length = problem.durations(job)[0, pools].astype(np.int64)
        return fixed + _cheapest_start(hours, float(problem.max_accelerators[j]), first, end, length, paid, earned)
    asked = problem.accelerator_hours(job)[0, pools] / problem.period_h
    release = int(problem.release[j])
    late = np.arange(release, end) < first[:, None]
    each = hours[:, release:end] + (paid - earned)[release:end] / asked[:, None]
    return fixed + _cheapest_hours(np.where(late, np.inf, each), asked, float(problem.max_accelerators[j]))


def _cheapest_start(
    hours: Floats, gang: float, first: Ints, end: int, length: Ints, paid: Floats, earned: Floats
) -> Floats:
    """Cost of a gang's cheapest start within [first, end) in each pool (n,), its hours priced by `hours` (n, T)."""
    running = np.concatenate([np.zeros((hours.shape[0], 1)), np.cumsum(hours, axis=1)], axis=1)
    starts = np.arange(int(first.min(initial=end)), end)
    ends = np.minimum(starts + length[:, None], end)
    held = gang * (np.take_along_axis(running, ends, axis=1) - running[:, starts])
    yuan = held + paid[starts] - earned[np.maximum(ends - 1, 0)]
    fits = (starts >= first[:, None]) & (starts + length[:, None] <= end)
    return np.asarray(np.where(fits, yuan, np.inf).min(axis=1, initial=np.inf))


def _cheapest_hours(each: Floats, asked: Floats, most: float) -> Floats:
    """Cost of `asked` (n,) accelerator-periods in the cheapest of `each` (n, W), at most `most` in each."""
    cheapest = np.sort(each, axis=1)
    held = np.clip(asked[:, None] - np.arange(each.shape[1]) * most, 0.0, most)
    held[np.isinf(cheapest)] = 0.0
    # The sum of what is held says whether the window is long enough; rounding of the last hour is no shortage.
    fits = held.sum(axis=1) >= asked * (1.0 - 1e-9)
    yuan = (np.where(held > 0.0, cheapest, 0.0) * held).sum(axis=1)
    return np.asarray(np.where(fits, yuan, np.inf))


def service_yuan(problem: Problem, prices: Multipliers, s: int, pool: int) -> Floats:
    """Cost of one unit of a service in a pool for a real hour of each period at these prices, shape (T,)."""
    links = prices.link[problem.route(int(problem.service_origin[s]), pool)].sum(axis=0)
    held = prices.accelerator[pool] * problem.accelerators_per_unit[s, pool]
    return np.asarray(problem.unit_yuan[s, pool] + held + links * problem.service_gbps[s])


def left_yuan(problem: Problem, j: int) -> float:
    """Cost of leaving a job, all copies; inf for a hard one."""
    return float(problem.job_weight[j] * problem.unserved_yuan[j])


def _moving_yuan(problem: Problem, prices: Multipliers, j: int, pools: Ints) -> Floats:
    """Return what the job's data pays for links on its way to each pool, (n,)."""
    yuan = np.zeros(pools.size)
    on_the_way = slice(int(problem.release[j]), int(problem.release[j] + problem.move_periods[j]))
    if on_the_way.start == on_the_way.stop or not problem.n_links:
        return yuan
    link_yuan = prices.link[:, on_the_way] @ problem.hours[on_the_way]
    for i, pool in enumerate(pools.tolist()):
        yuan[i] = problem.move_gbps[j] * link_yuan[problem.route(int(problem.job_origin[j]), pool)].sum()
    return yuan


def _order(problem: Problem, prices: Multipliers, j: int) -> tuple[Floats, Floats]:
    """Yuan that a job pays, and earns, for all of it done (rigid vertical: started) in each period: (T,) each."""
    periods = problem.n_periods
    paid, earned = np.zeros(periods), np.zeros(periods)
    is_vertical, is_base = prices.vertical == j, problem.after[prices.vertical] == j
    for row in np.flatnonzero(is_vertical | is_base).tolist():
        vertical = int(prices.vertical[row])
        from_then_on = np.append(np.cumsum(prices.after[row][::-1])[::-1], 0.0)
        if is_vertical[row]:
            paid += from_then_on[:periods]
        if is_base[row]:
            later = np.minimum(np.arange(periods) + 1 + int(problem.after_lag[vertical]), periods)
            earned += from_then_on[later]
    return paid, earned
