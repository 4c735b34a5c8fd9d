"""Assignment by trying everything, random small instances, and files in the format of the OR-Library."""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

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
