"""Compile every kernel once, on the smallest problem that reaches all of them."""

from __future__ import annotations

from functools import cache

import numpy as np

from provgrid_models.problem import Problem


@cache
def warm_up() -> None:
    """Solve a tiny problem through every stage; a second call costs nothing."""
    from provgrid_optimizer.heuristic.arrays import arrays
    from provgrid_optimizer.heuristic.construct import construct
    from provgrid_optimizer.heuristic.improve import Improvement
    from provgrid_optimizer.heuristic.prices import Ascent

    problem = tiny_problem()
    laid_out = arrays(problem)
    ascent = Ascent(problem, laid_out)
    for _ in range(3):
        ascent.step()
    start = construct(problem, laid_out, ascent.prices, ascent.best, 0)
    improvement = Improvement(problem, laid_out, ascent.prices, ascent.best, start, 0)
    while not improvement.ended:
        improvement.sweep(lambda: False)


def tiny_problem() -> Problem:
    """Two pools, four periods, an elastic job, a rigid one after it, a service and a demand charge."""
    return Problem(
        capacity=np.full((2, 4), 4.0),
        kw_per_accelerator=np.ones((2, 4)),
        floor_kw=np.zeros((2, 4)),
        block_cluster=np.array([0, 1]),
        block_yuan_per_kwh=np.array([[0.3, 0.4, 0.5, 0.6], [0.6, 0.5, 0.4, 0.3]]),
        demand_charge_yuan_per_kw=np.array([0.1, 0.0]),
        job_class=np.zeros(2, dtype=np.int64),
        class_rate_pflops=np.ones((1, 2)),
        job_origin=np.zeros(2, dtype=np.int64),
        work_pflop_h=np.array([2.0, 2.0]),
        release=np.array([0, 0]),
        deadline=np.array([4, 4]),
        max_accelerators=np.array([2.0, 1.0]),
        rigid=np.array([False, True]),
        move_gbps=np.ones(2),
        unserved_yuan=np.array([10.0, 10.0]),
        after=np.array([-1, 0]),
        demand=np.ones((1, 4)),
        service_rate=np.ones((1, 2)),
        service_yuan=np.zeros((1, 2)),
        service_unserved_yuan=np.array([5.0]),
    )
