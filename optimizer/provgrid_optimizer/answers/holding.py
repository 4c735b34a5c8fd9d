"""The range of amounts in which a price holds: to the end of the linear piece, or of what is open to whom.

Which pools are open to a job or service depends on their size: a gang must fit, and so must a model's memory. The
program of a price does not know of pools that a larger amount would open, so its range ends just before that happens.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from provgrid_optimizer.answers.sensitivity import reach

if TYPE_CHECKING:
    from collections.abc import Iterable

    from provgrid_models.problem import Problem
    from provgrid_optimizer.answers.changes import Change
    from provgrid_optimizer.answers.fixed import Remaining
    from provgrid_optimizer.answers.sensitivity import Direction

FARTHEST = 100.0  # times the amount that is there: what holds that far is said to hold for ever
_PAST = 1e-6  # relative step past a size, where what it opens is open


def holds(left: Remaining, change: Change, direction: Direction, one_more: float, less: float) -> tuple[float, float]:
    """How much less and how much more the price holds for: (at most 0, at least 0; inf where nothing ends it)."""
    farthest = FARTHEST * max(change.present, 1.0)
    to = reach(left, direction, -one_more, farthest) if math.isfinite(one_more) else 0.0
    down = reach(left, direction.reversed(), less, change.present) if math.isfinite(less) else 0.0
    to = math.inf if to >= farthest * (1.0 - _PAST) else to
    if change.kind != "pool":
        return -down, to
    sizes = _sizes(change)
    up = [size for size in sizes if 0 < size <= to]
    shrink = [-size for size in sizes if size <= 0 and -size <= down]
    return -_first_different(change, shrink, -1.0, down), _first_different(change, up, 1.0, to)


def _sizes(change: Change) -> list[float]:
    """Amounts more (less where negative) at which a gang, or a model's memory, just fits into the pool."""
    problem, scenario = change.problem, change.scenario
    least: Iterable[float] = problem.max_accelerators[problem.rigid].tolist()
    if scenario is not None:
        jobs = scenario.jobs
        gangs = jobs.loc[jobs["mode"] == "rigid", "max_accelerators"].tolist()
        rows = [row.min_accelerators for row in scenario.bindings]
        least = {*least, *gangs, *jobs["min_accelerators"].tolist(), *rows}
    capacity = problem.capacity[change.index]
    per_unit = 1.0 if scenario is None else scenario.pools[change.index].availability
    if per_unit <= 0:
        return []
    return sorted({(size - float(capacity.max())) / per_unit for size in least})


def _first_different(change: Change, sizes: list[float], sign: float, end: float) -> float:
    """Return the least of these sizes beyond which something else is open, or `end`: bisection over the sizes."""
    sizes = sorted(sizes)
    if not sizes or _same_open(change, sign * _just_past(sizes[-1])):
        return end
    first, last = 0, len(sizes) - 1  # something differs past sizes[last]
    while first < last:
        middle = (first + last) // 2
        if _same_open(change, sign * _just_past(sizes[middle])):
            first = middle + 1
        else:
            last = middle
    return abs(sizes[first])


def _just_past(size: float) -> float:
    return abs(size) + _PAST * max(1.0, abs(size))


def _same_open(change: Change, more: float) -> bool:
    """Whether the same pools are open to the same work with so much more."""
    now, then = change.problem, change.problem_at(more)
    return (now.n_jobs, now.n_services) == (then.n_jobs, then.n_services) and all(
        np.array_equal(one, other) for one, other in zip(_open(now), _open(then), strict=True)
    )


def _open(problem: Problem) -> tuple[np.ndarray, np.ndarray]:
    return problem.reasons(slice(None)) == 0, problem.service_rate > 0
