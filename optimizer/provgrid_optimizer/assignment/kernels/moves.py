"""What the searches share: a random generator, the price of a load off its capacity, who works for whom."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numba import njit

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from provgrid_models.problem import Floats, Ints

    RandomState = NDArray[np.uint64]
    Tasks = NDArray[np.int32]


@njit(cache=True, nogil=True)
def random_below(state: RandomState, n: int) -> int:
    """Next number of a xorshift generator, from 0 to n - 1. `state` (1,) uint64 is modified in place."""
    x = state[0]
    x ^= x << np.uint64(13)
    x ^= x >> np.uint64(7)
    x ^= x << np.uint64(17)
    state[0] = x
    return int(((x >> np.uint64(32)) * np.uint64(n)) >> np.uint64(32))


@njit(cache=True, nogil=True)
def random_unit(state: RandomState) -> float:
    """Next number of the same generator, uniform in (0, 1]."""
    return (random_below(state, 1 << 30) + 1) / (1 << 30)


@njit(cache=True, nogil=True)
def strain(load: float, capacity: float, under: float, over: float) -> float:
    """Price of a load: `under` per unit left idle, `over` per unit too much."""
    if load > capacity:
        return over * (load - capacity)
    return under * (capacity - load)


@njit(cache=True, nogil=True)
def group(usage: Floats, agent: Ints) -> tuple[Floats, Tasks, Tasks, Ints]:
    """Return loads (m,), tasks of each agent (m, n), place of each task there (n,), their number (m,)."""
    n, m = usage.shape
    load = np.zeros(m)
    members = np.empty((m, n), dtype=np.int32)
    position = np.empty(n, dtype=np.int32)
    count = np.zeros(m, dtype=np.int64)
    for j in range(n):
        load[agent[j]] += usage[j, agent[j]]
        join(j, agent[j], members, position, count)
    return load, members, position, count


@njit(cache=True, nogil=True)
def leave(j: int, i: int, members: Tasks, position: Tasks, count: Ints) -> None:
    """Strike task j off the list of agent i."""
    last = members[i, count[i] - 1]
    members[i, position[j]] = last
    position[last] = position[j]
    count[i] -= 1


@njit(cache=True, nogil=True)
def join(j: int, i: int, members: Tasks, position: Tasks, count: Ints) -> None:
    """Put task j on the list of agent i."""
    members[i, count[i]] = j
    position[j] = count[i]
    count[i] += 1
