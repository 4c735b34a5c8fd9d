"""The independent check of an assignment and of its bound, from the caller's arrays, in plain NumPy."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from provgrid_models.problem import Floats, Ints

TOLERANCE = 1e-9  # relative excess over a capacity that adding up floats may explain
ROUNDING = 4 * float(np.finfo(np.float64).eps)  # relative error of a term and of what is made of it
FINEST = 4096  # cells of the grid on which knapsacks with other than small whole numbers are bounded


@dataclass(frozen=True, eq=False)
class Multipliers:
    """Prices that prove a bound: of a unit of each agent's capacity (m,), and of each task (n,).

    Signs are those of the problem with its costs to be minimised. Either set proves a bound by itself.
    """

    capacity_price: Floats
    task_price: Floats


@dataclass(frozen=True)
class Findings:
    """What the audit found: broken rules in words, the cost, and the bound that the multipliers prove."""

    violations: tuple[str, ...]
    objective: float
    bound: float


def audit(
    cost: Floats, usage: Floats, capacity: Floats, sense: str, assignment: Ints, multipliers: Multipliers
) -> Findings:
    """Check an assignment against the caller's arrays (agents by tasks), and prove its bound again.

    With whole costs the bound is rounded to the next whole number on the safe side of 1e-6.
    """
    sign = 1.0 if sense == "min" else -1.0
    cost = sign * np.asarray(cost, dtype=np.float64)
    usage, capacity = np.asarray(usage, dtype=np.float64), np.asarray(capacity, dtype=np.float64)
    bound = max(
        capacity_bound(cost, usage, capacity, multipliers.capacity_price),
        task_bound(cost, usage, capacity, multipliers.task_price),
    )
    finite = cost[np.isfinite(cost)]
    if math.isfinite(bound) and (finite == np.round(finite)).all():
        bound = float(np.ceil(bound - 1e-6))
    violations, objective = _assignment(cost, usage, capacity, assignment)
    return Findings(violations, sign * objective, sign * bound)


def _assignment(cost: Floats, usage: Floats, capacity: Floats, assignment: Ints) -> tuple[tuple[str, ...], float]:
    m, n = cost.shape
    if assignment.shape != (n,) or ((assignment < 0) | (assignment >= m)).any():
        return (f"not every one of {n} tasks has one of {m} agents",), math.nan
    tasks = np.arange(n)
    violations = [
        f"task {task} is with agent {assignment[task]}, which is forbidden"
        for task in tasks[np.isinf(cost[assignment, tasks])]
    ]
    for agent in range(m):
        load = math.fsum(usage[agent, assignment == agent])
        if load > capacity[agent] * (1 + TOLERANCE):
            violations.append(f"agent {agent} holds {load:.10g} with a capacity of {capacity[agent]:.10g}")
    return tuple(violations), math.fsum(cost[assignment, tasks])


def capacity_bound(cost: Floats, usage: Floats, capacity: Floats, price: Floats) -> float:
    """Bound with the capacities relaxed at prices mu >= 0: sum_j min_i (c_ij + mu_i a_ij) - sum_i mu_i b_i.

    What rounding may have added is taken off: prices that ran away make large terms that cancel.
    """
    mu = np.maximum(price, 0.0)
    room = capacity * (1 + TOLERANCE)
    priced = np.where(usage <= room[:, None], cost + mu[:, None] * usage, np.inf)
    agent, task = priced.argmin(axis=0), np.arange(cost.shape[1])
    taken, spent = priced[agent, task], mu * room
    if np.isinf(taken).any():
        return math.inf
    size = np.abs(cost[agent, task]) + mu[agent] * usage[agent, task]
    return math.fsum(taken) - math.fsum(spent) - ROUNDING * (math.fsum(size) + math.fsum(spent))


def task_bound(cost: Floats, usage: Floats, capacity: Floats, price: Floats) -> float:
    """Bound with the assignment rows relaxed at prices lambda: sum_j lambda_j - sum_i (best knapsack of i)."""
    parts, size = [float(value) for value in price], math.fsum(np.abs(price))
    for agent in range(cost.shape[0]):
        room = capacity[agent] * (1 + TOLERANCE)
        profit = price - cost[agent]
        wanted = (profit > 0) & (usage[agent] <= room)
        parts.append(-_knapsack(profit[wanted], usage[agent][wanted], room))
        size += math.fsum(np.abs(price[wanted]) + np.abs(cost[agent][wanted]))
    # A knapsack adds up to n profits, each of which may round.
    return math.fsum(parts) - ROUNDING * (1 + price.size) * size


def _knapsack(profit: Floats, usage: Floats, room: float) -> float:
    """Most profit in `room`: exact for whole usage, else at least that (usage rounded down to a grid)."""
    if (usage == np.round(usage)).all() and room < FINEST:
        size, cells = usage.astype(np.int64), int(room)
    else:
        size = np.floor(usage / (room / FINEST) * (1 - 1e-12)).astype(np.int64)
        cells = FINEST
    best = np.zeros(cells + 1)
    for gain, need in zip(profit, size, strict=True):
        best[need:] = np.maximum(best[need:], best[: cells + 1 - need] + gain)
    return float(best[cells])
