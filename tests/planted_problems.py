"""Random problems with planted structure: capacities, links, power limits and a carbon budget that bind."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from provgrid_models.compile import GREENEST_YUAN_PER_KG
from provgrid_models.energy import least_cost_supply
from provgrid_models.problem import Problem
from provgrid_optimizer.engines.lp import lp
from provgrid_optimizer.evaluate import costs
from provgrid_optimizer.options import SolveOptions, ignore_progress
from random_problems import random_problem


def planted_problem(seed: int) -> Problem:
    """Draw a problem, then tighten one or more of its limits until they bind; no limit loses its floor."""
    random = np.random.default_rng(seed)
    problem = random_problem(seed, jobs=7, pools=3, periods=7)
    capacity = problem.capacity * random.uniform(0.15, 0.5)
    shut = problem.capacity < 1e-9
    capacity[shut] = 0.0
    links = np.where(random.random(problem.n_links) < 0.7, problem.link_gbps * 0.3, problem.link_gbps)
    limit = problem.block_limit_kw.copy()
    grid = np.flatnonzero(problem.block_is_grid)
    full = np.zeros(problem.floor_kw.shape)
    np.add.at(full, problem.pool_cluster, capacity * problem.kw_per_accelerator)
    for block in grid[random.random(grid.size) < 0.6]:
        cluster = problem.block_cluster[block]
        limit[block] = problem.floor_kw[cluster] + full[cluster] * random.uniform(0.2, 0.7)
    tight = replace(problem, capacity=capacity, link_gbps=links, block_limit_kw=limit, carbon_budget_kg=np.inf)
    return tight if random.random() < 0.5 else replace(tight, carbon_budget_kg=_binding_budget(tight))


def _binding_budget(problem: Problem) -> float:
    """Half of what the cheapest relaxation emits above what the idle floor must."""
    emitted_kg = costs(problem, lp(problem, SolveOptions(threads=1), ignore_progress).allocation).carbon_kg
    least_kg = least_cost_supply(problem, problem.floor_kw, GREENEST_YUAN_PER_KG).kg
    return float(least_kg + 0.5 * max(emitted_kg - least_kg, 0.0) + 1e-3)
