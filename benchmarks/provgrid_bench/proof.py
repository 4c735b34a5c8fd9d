"""What scarcity prices prove beyond prices of energy, and what one full pass costs."""

from __future__ import annotations

import statistics
import time
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from provgrid_optimizer.heuristic.arrays import arrays
from provgrid_optimizer.lagrangian import evaluate
from provgrid_optimizer.multipliers import Multipliers

if TYPE_CHECKING:
    from provgrid_models.problem import Problem

PASSES_TIMED = 3


def energy_bound_yuan(problem: Problem, multipliers: Multipliers, threads: int) -> float:
    """Best bound of energy prices alone: no accelerator costs more than its power, no link and no peak has a price.

    Such prices are kw * e for any energy price e of a cluster and period between its cheapest and its dearest supply
    block; each proves a bound. Three are tried: the cheapest block, the dearest, and the plan's own accelerator
    prices cut off at the dearest, i.e. without what scarcity has put on top.
    """
    price = problem.block_yuan_per_kwh + problem.carbon_yuan_per_kg * problem.block_kg_per_kwh
    cheapest = np.full(problem.floor_kw.shape, np.inf)
    dearest = np.zeros(problem.floor_kw.shape)
    np.minimum.at(cheapest, problem.block_cluster, price)
    np.maximum.at(dearest, problem.block_cluster, price)
    cheapest = np.minimum(np.maximum(cheapest, 0.0), dearest)  # a cluster may have no block, or one that is paid for
    kw = problem.kw_per_accelerator
    own = np.full(problem.floor_kw.shape, np.inf)
    np.minimum.at(own, problem.pool_cluster, multipliers.accelerator / np.maximum(kw, 1e-12))
    laid_out = arrays(problem)
    bounds = []
    for energy in (cheapest, dearest, np.clip(own, cheapest, dearest)):
        prices = replace(Multipliers.zero(problem), accelerator=kw * energy[problem.pool_cluster])
        bounds.append(evaluate(problem, laid_out, prices, threads).bound.total_yuan)
    return max(bounds)


def pass_seconds(problem: Problem, multipliers: Multipliers, threads: int) -> float:
    """Median seconds of a full pass: each job and service picks anew among all pools and hours, each cluster supplies.

    Nothing is known from an earlier pass, as in the first pass of an ascent; kernels are compiled by then.
    """
    laid_out = arrays(problem)
    seconds = []
    for _ in range(PASSES_TIMED):
        started = time.perf_counter()
        evaluate(problem, laid_out, multipliers, threads)
        seconds.append(time.perf_counter() - started)
    return statistics.median(seconds)
