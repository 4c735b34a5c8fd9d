"""The exact finish: pairs that no better assignment can use are dropped, HiGHS decides about the rest."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from provgrid_optimizer.highs import Ending, minimise
from provgrid_optimizer.matrix.program import Builder
from provgrid_optimizer.options import ignore_progress

if TYPE_CHECKING:
    from provgrid_models.problem import Bools, Ints
    from provgrid_optimizer.assignment.instance import Instance
    from provgrid_optimizer.options import SolveOptions


def finish(
    instance: Instance, kept: Bools, options: SolveOptions, time_limit_s: float | None
) -> tuple[Ints | None, float]:
    """Solve over the pairs in `kept` (n, m): the best assignment found, or None, and a bound for those pairs.

    The bound is inf where `kept` admits no assignment at all.
    """
    builder = Builder()
    tasks, agents = (found.astype(np.int64) for found in np.nonzero(kept))
    n, m = kept.shape
    pairs = builder.add_columns("pair", {"task": tasks}, cost=instance.cost[kept], upper=1.0, integer=True)
    each = builder.add_rows("task", {"task": np.arange(n)}, equal=1.0)
    rooms = builder.add_rows("agent", {"agent": np.arange(m)}, at_most=instance.capacity)
    builder.add_entries(each.at[tasks], pairs.at, 1.0)
    builder.add_entries(rooms.at[agents], pairs.at, instance.usage[kept])
    answer = minimise(
        builder.program(0.0),
        options,
        ignore_progress,
        stage="exact finish",
        time_limit_s=time_limit_s,
        settings={"mip_rel_gap": 0.0, "mip_abs_gap": 0.0},
    )
    if answer.ending is Ending.INFEASIBLE:
        return None, math.inf
    if answer.x is None:
        return None, answer.bound_yuan
    used = answer.x > 0.5
    assignment = np.full(n, -1, dtype=np.int64)
    assignment[tasks[used]] = agents[used]
    return assignment, answer.bound_yuan
