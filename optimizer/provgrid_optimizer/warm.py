"""Kernels of the bound, the audit and the policies, compiled on a tiny problem before anything is timed."""

from __future__ import annotations

import time
from dataclasses import fields, replace
from functools import cache
from typing import TYPE_CHECKING, Any

import numpy as np

from provgrid_optimizer.allocation import Allocation
from provgrid_optimizer.audit import audit, case_from_arrays
from provgrid_optimizer.audit.plan import from_allocation
from provgrid_optimizer.multipliers import Multipliers

if TYPE_CHECKING:
    from provgrid_models.problem import Problem


def compile_kernels(*, with_policies: bool) -> float:
    """Compile, or load from the cache, what judges a plan, and the policies; return the seconds that it took."""
    started = time.perf_counter()
    _judges()
    if with_policies:
        _policies()
    return time.perf_counter() - started


def compile_all() -> None:
    """Compile, or load from the cache, every kernel that the relaxation, the heuristic and the policies reach."""
    from provgrid_optimizer.columns.warm import warm_up

    compile_kernels(with_policies=True)
    warm_up()


def compile_prices() -> float:
    """Compile, or load from the cache, the search for prices; return the seconds that it took."""
    from provgrid_optimizer.heuristic.warm import warm_up

    started = time.perf_counter()
    warm_up()
    return time.perf_counter() - started


@cache
def _judges() -> None:
    from provgrid_optimizer.heuristic.warm import tiny_problem
    from provgrid_optimizer.lagrangian import bound

    problem = tiny_problem()
    prices = Multipliers.zero(problem)
    for threads in (1, 2):
        bound(problem, prices, threads=threads)
    plan = from_allocation(
        problem.labels,
        problem.block_cluster,
        _allocation(problem),
        multipliers=prices,
        costs={},
        objective_yuan=0.0,
        constants_yuan=0.0,
        traffic_gbps=np.zeros((0, problem.n_periods)),
    )
    case = case_from_arrays(problem)
    # A problem's arrays are read-only and those that the audit reads from a scenario are not: two types to Numba.
    own: dict[str, Any] = {
        f.name: np.array(v) for f in fields(case) if f.init and isinstance(v := getattr(case, f.name), np.ndarray)
    }
    for read in (case, replace(case, **own)):
        audit(read, plan)


def _allocation(problem: Problem) -> Allocation:
    """Place the two jobs of the tiny problem, the elastic and the rigid one, in its first pool."""
    return Allocation(
        divisible=False,
        job=np.array([0, 1]),
        pool=np.array([0, 0]),
        share=np.ones(2),
        run_start=np.array([0, 1, 3]),
        run_period=np.array([0, 1, 2], dtype=np.int32),
        run_accelerators=np.array([2.0, 1.0, 1.0]),
        serve_service=np.zeros(0, dtype=np.int64),
        serve_pool=np.zeros(0, dtype=np.int64),
        serve_period=np.zeros(0, dtype=np.int64),
        serve_units=np.zeros(0),
        block_kw=np.zeros((problem.n_blocks, problem.n_periods)),
        peak_kw=np.zeros(problem.n_clusters),
    )


@cache
def _policies() -> None:
    from provgrid_optimizer.engines.policies import cheapest, siloed
    from provgrid_optimizer.heuristic.warm import tiny_problem
    from provgrid_optimizer.options import SolveOptions, ignore_progress

    for policy in (cheapest, siloed):
        policy(tiny_problem(), SolveOptions(), ignore_progress)
