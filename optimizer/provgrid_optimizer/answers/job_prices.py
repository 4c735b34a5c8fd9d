"""What a job or a service costs in each pool at given prices: its part of the Lagrangian, pool by pool.

At the prices of an LP the difference to the cheapest is the reduced cost of moving all of the work there.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from provgrid_models.problem import Floats, Problem
    from provgrid_optimizer.multipliers import Multipliers


def job_yuan(problem: Problem, prices: Multipliers, j: int, pool: int, deadline: int | None = None) -> float:
    """Least cost of a job in an open pool at these prices, all copies; inf where it does not fit the window.

    Data moved, accelerators held, links on the way, and its cheapest hours or start, with what the order of jobs adds:
    a vertical pays for being early, a base earns by it. `deadline` is the job's own unless another is given.
    """
    job, at = np.array([j]), np.array([pool])
    first = int(problem.start_periods(job)[0, pool])
    end = int(problem.deadline[j]) if deadline is None else deadline
    fixed = float(problem.one_off_yuan(job, at)[0]) + _moving_yuan(problem, prices, j, pool)
    hours = prices.accelerator[pool] * problem.hours
    paid, earned = _order(problem, prices, j)
    if problem.rigid[j]:
        length = int(problem.durations(job)[0, pool])
        starts = np.arange(first, end - length + 1)
        running = np.concatenate([[0.0], np.cumsum(hours)])
        held = problem.max_accelerators[j] * (running[starts + length] - running[starts])
        return fixed + float((held + paid[starts] - earned[starts + length - 1]).min(initial=math.inf))
    asked = float(problem.accelerator_hours(job)[0, pool]) / problem.period_h
    window = slice(first, end)
    cheapest = np.sort(hours[window] + (paid - earned)[window] / asked)
    held = np.clip(asked - np.arange(cheapest.size) * problem.max_accelerators[j], 0.0, problem.max_accelerators[j])
    # The sum of what is held says whether the window is long enough; rounding of the last hour is no shortage.
    return fixed + float(cheapest @ held) if held.sum() >= asked * (1.0 - 1e-9) else math.inf


def service_yuan(problem: Problem, prices: Multipliers, s: int, pool: int) -> Floats:
    """Cost of one unit of a service in a pool for a real hour of each period at these prices, shape (T,)."""
    links = prices.link[problem.route(int(problem.service_origin[s]), pool)].sum(axis=0)
    held = prices.accelerator[pool] * problem.accelerators_per_unit[s, pool]
    return np.asarray(problem.unit_yuan[s, pool] + held + links * problem.service_gbps[s])


def left_yuan(problem: Problem, j: int) -> float:
    """Cost of leaving a job, all copies; inf for a hard one."""
    return float(problem.job_weight[j] * problem.unserved_yuan[j])


def _moving_yuan(problem: Problem, prices: Multipliers, j: int, pool: int) -> float:
    """Return what the job's data pays for links on its way."""
    links = problem.route(int(problem.job_origin[j]), pool)
    on_the_way = slice(int(problem.release[j]), int(problem.release[j] + problem.move_periods[j]))
    if not links.size or on_the_way.start == on_the_way.stop:
        return 0.0
    return float(problem.move_gbps[j] * (prices.link[links][:, on_the_way] @ problem.hours[on_the_way]).sum())


def _order(problem: Problem, prices: Multipliers, j: int) -> tuple[Floats, Floats]:
    """Yuan that a job pays, and earns, for all of it done (rigid vertical: started) in each period: (T,) each."""
    periods = problem.n_periods
    paid, earned = np.zeros(periods), np.zeros(periods)
    for row, vertical in enumerate(prices.vertical.tolist()):
        from_then_on = np.append(np.cumsum(prices.after[row][::-1])[::-1], 0.0)
        if vertical == j:
            paid += from_then_on[:periods]
        if problem.after[vertical] == j:
            later = np.minimum(np.arange(periods) + 1 + int(problem.after_lag[vertical]), periods)
            earned += from_then_on[later]
    return paid, earned
