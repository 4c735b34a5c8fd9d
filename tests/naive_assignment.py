"""Assignment by trying everything, random small instances, and files in the format of the OR-Library."""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

    from provgrid_optimizer.assignment.instance import Instance

    Arrays = tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]


def cheapest(cost: NDArray[np.float64], usage: NDArray[np.float64], capacity: NDArray[np.float64]) -> float:
    """Least cost of all m ** n assignments that fit; inf if none does."""
    m, n = cost.shape
    best = np.inf
    for agents in itertools.product(range(m), repeat=n):
        load = [sum(usage[i, j] for j in range(n) if agents[j] == i) for i in range(m)]
        if all(load[i] <= capacity[i] * (1 + 1e-9) for i in range(m)):
            best = min(best, sum(cost[agents[j], j] for j in range(n)))
    return float(best)


def relaxed_at(instance: Instance, price: NDArray[np.float64]) -> float:
    """Lagrangian bound of the assignment rows at task prices, each knapsack by trying every subset."""
    return float(price.sum()) + sum(
        _knapsack(instance, price, list(range(price.size)), i, float(instance.capacity[i]))
        for i in range(instance.capacity.size)
    )


def _knapsack(instance: Instance, price: NDArray[np.float64], tasks: list[int], agent: int, room: float) -> float:
    """Least sum of cost less price over subsets of the tasks that fit."""
    best = 0.0
    for r in range(1, len(tasks) + 1):
        for chosen in itertools.combinations(tasks, r):
            if sum(instance.usage[j, agent] for j in chosen) <= room:
                best = min(best, sum(instance.cost[j, agent] - price[j] for j in chosen))
    return best


def beam_by_hand(
    instance: Instance, price: NDArray[np.float64], order: NDArray[np.int64], width: int
) -> tuple[float, float]:
    """Beam search with its values by trying every subset: the cost found, and the least value dropped."""
    m = instance.capacity.size
    states = [(0.0, tuple(instance.capacity.tolist()))]
    dropped = np.inf
    for q, task in enumerate(order.tolist()):
        coming = order[q + 1 :].tolist()
        children = []
        for cost, rooms in states:
            for i in range(m):
                rest = tuple(room - instance.usage[task, k] * (k == i) for k, room in enumerate(rooms))
                if instance.cost[task, i] < np.inf and rest[i] >= 0:
                    ahead = sum(_knapsack(instance, price, coming, k, rest[k]) for k in range(m))
                    spent = cost + float(instance.cost[task, i])
                    children.append((spent + float(price[coming].sum()) + ahead, spent, rest))
        children.sort(key=lambda child: child[0])
        if len(children) > width:
            dropped = min(dropped, children[width][0])
        states = [(spent, rest) for _, spent, rest in children[:width]]
        if not states:
            return np.inf, dropped
    return min(cost for cost, _ in states), dropped


def type_d(m: int, n: int, seed: int) -> Arrays:
    """Draw the published type D: cost falls as usage rises, capacity is 0.8 of an even share."""
    draw = np.random.default_rng(seed)
    usage = draw.integers(1, 101, (m, n)).astype(np.float64)
    cost = 111 - usage + draw.integers(-10, 11, (m, n))
    return cost, usage, np.floor(0.8 * usage.sum(axis=1) / m)


def write_library_file(path: Path, problems: list[Arrays], width: int = 7) -> None:
    """Write problems as the OR-Library does: numbers in rows that are broken anywhere."""
    numbers = [len(problems)]
    for cost, usage, capacity in problems:
        numbers += [*cost.shape]
        for array in (cost, usage, capacity):
            numbers += array.astype(int).ravel().tolist()
    lines = [" ".join(map(str, numbers[at : at + width])) for at in range(0, len(numbers), width)]
    path.write_text("\n".join(lines) + "\n", encoding="ascii")
