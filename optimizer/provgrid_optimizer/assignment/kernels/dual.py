"""Ascent on the two Lagrangian duals: prices of capacity, and prices of the tasks."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numba import njit

if TYPE_CHECKING:
    from provgrid_models.problem import Bools, Floats, Ints
    from provgrid_optimizer.assignment.instance import Sizes


@njit(cache=True, nogil=True)
def capacity_prices(
    cost: Floats, usage: Floats, capacity: Floats, first_step: float, iterations: int
) -> tuple[Floats, float]:
    """Capacity prices (m,) and what they prove: sum_j min_i (c + mu a) - mu b, the bound of the LP at its best.

    Deflected subgradient; the step shrinks and the best prices return whenever ten steps in a row gain nothing.
    """
    n, m = cost.shape
    price = np.zeros(m)
    best = price.copy()
    best_bound = -np.inf
    direction = np.zeros(m)
    step = first_step
    failed = 0
    for _ in range(iterations):
        excess = -capacity
        bound = -(price * capacity).sum()
        for j in range(n):
            least = np.inf
            chosen = 0
            for i in range(m):
                value = cost[j, i] + price[i] * usage[j, i]
                if value < least:
                    least = value
                    chosen = i
            bound += least
            excess[chosen] += usage[j, chosen]
        if bound > best_bound:
            best_bound = bound
            best[:] = price
            failed = 0
        else:
            failed += 1
            if failed > 10:
                step *= 0.7
                failed = 0
                price[:] = best
        direction = 0.6 * direction + 0.4 * excess
        size = np.abs(direction).max()
        if size == 0.0:
            break
        price = np.maximum(0.0, price + step * direction / size)
    return best, best_bound


@njit(cache=True, nogil=True)
def task_prices(
    cost: Floats,
    size: Sizes,
    cells: Ints,
    price: Floats,
    target: float,
    iterations: int,
    theta: float,
    halted: Bools,
) -> tuple[Floats, float, float]:
    """Task prices (n,) by Polyak steps towards `target`, and the bound that exact knapsacks prove with them.

    L = sum_j lambda_j + sum_i min { sum_j (c_ij - lambda_j) x_j : sum_j size_ij x_j <= cells_i, x binary }.
    `theta` is the step length in units of Polyak's; returns it as it ends, for the next call. Once halted[0] is set, by
    any thread, it makes no more steps.
    """
    n, m = cost.shape
    best = price.copy()
    best_bound = -np.inf
    current = price.copy()
    direction = np.zeros(n)
    items = np.empty(n, dtype=np.int64)
    most = cells.max() + 1
    value = np.empty(most)
    other = np.empty(most)
    taken = np.empty((n, most), dtype=np.bool_)
    failed = 0
    for _ in range(iterations):
        if halted[0]:
            break
        missing = np.ones(n)
        bound = current.sum()
        for i in range(m):
            bound -= _knapsack(cost, size, i, cells[i], current, items, value, other, taken, missing)
        if bound > best_bound:
            best_bound = bound
            best[:] = current
            failed = 0
        else:
            failed += 1
            if failed >= 12:
                theta *= 0.6
                failed = 0
                current[:] = best
        direction = 0.35 * direction + 0.65 * missing
        length = (direction * direction).sum()
        if length == 0.0 or theta < 1e-4:
            break
        current = current + theta * max(target - bound, 1e-9 * abs(target)) / length * direction
    return best, best_bound, theta


@njit(cache=True, nogil=True)
def _knapsack(
    cost: Floats,
    size: Sizes,
    i: int,
    cells: int,
    price: Floats,
    items: Ints,
    value: Floats,
    other: Floats,
    taken: Bools,
    missing: Floats,
) -> float:
    """Most profit of agent i, exact over its cells; takes the chosen tasks off `missing`."""
    n = price.size
    count = 0
    profit = 0.0
    for j in range(n):
        if cost[j, i] < price[j]:
            if size[j, i] == 0:
                profit += price[j] - cost[j, i]
                missing[j] -= 1.0
            elif size[j, i] <= cells:
                items[count] = j
                count += 1
    value[: cells + 1] = 0.0
    for q in range(count):
        j = items[q]
        gain = price[j] - cost[j, i]
        s = size[j, i]
        row = taken[q]
        # Slices of one length and plain comparisons, so that the loop is vectorised.
        shifted, old, new, marks = (
            value[: cells + 1 - s],
            value[s : cells + 1],
            other[s : cells + 1],
            row[s : cells + 1],
        )
        for w in range(s):
            other[w] = value[w]
            row[w] = False
        for w in range(old.size):
            with_it = shifted[w] + gain
            new[w] = with_it if with_it > old[w] else old[w]
        for w in range(old.size):
            marks[w] = new[w] > old[w]
        value, other = other, value
    profit += float(value[cells])
    w = cells
    for q in range(count - 1, -1, -1):
        if taken[q, w]:
            j = items[q]
            missing[j] -= 1.0
            w -= size[j, i]
    return profit
