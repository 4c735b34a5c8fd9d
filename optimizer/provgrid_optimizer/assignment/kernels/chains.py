"""Local search by ejection chains: a task pushes another one out, which pushes the next, over several agents."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numba import njit

from provgrid_optimizer.assignment.kernels.moves import group, join, leave, random_below, strain

if TYPE_CHECKING:
    from provgrid_models.problem import Floats, Ints
    from provgrid_optimizer.assignment.instance import Prices, Search, Task
    from provgrid_optimizer.assignment.kernels.moves import RandomState, Tasks

MOST_ENDS = 60  # chains of one length that are followed from a first task


@njit(cache=True, nogil=True)
def eject(task: Task, prices: Prices, search: Search, agent: Ints, state: RandomState) -> None:
    """Apply chains that improve until none of at most `search.depth` tasks does. `agent` is modified in place.

    From each first task, the cheapest known chain to every task is kept per length, as in shortest paths; chains are
    dropped once they cost `search.slack` more than they save (any improving cycle has a start from which it does not).
    """
    n = agent.size
    load, members, position, count = group(task.usage, agent)
    now = np.empty(load.size)
    for i in range(load.size):
        now[i] = strain(load[i], task.capacity[i], prices.price[i], prices.over[i])
    depth = search.depth
    chain_cost = np.full((depth, n), np.inf)
    before = np.empty((depth, n), dtype=np.int64)
    ends = np.empty((depth, n), dtype=np.int64)
    order = np.arange(n)
    tried = n
    idle = 0
    while idle < n:
        if tried == n:
            _shuffle(order, state)
            tried = 0
        first = order[tried]
        tried += 1
        length, last, target = _best_chain(
            task, prices, search.slack, agent, load, now, members, count, first, chain_cost, before, ends
        )
        idle += 1
        if last >= 0:
            idle = 0
            _apply(task, prices, agent, load, now, members, position, count, length, last, target, before)


@njit(cache=True, nogil=True)
def _shuffle(order: Ints, state: RandomState) -> None:
    for q in range(order.size - 1, 0, -1):
        other = random_below(state, q + 1)
        order[q], order[other] = order[other], order[q]


@njit(cache=True, nogil=True)
def _best_chain(
    task: Task,
    prices: Prices,
    slack: float,
    agent: Ints,
    load: Floats,
    now: Floats,
    members: Tasks,
    count: Ints,
    first: int,
    chain_cost: Floats,
    before: Ints,
    ends: Ints,
) -> tuple[int, int, int]:
    """Best improving chain from task `first`: its length, last task and the last task's new agent; -1 if none."""
    depth = chain_cost.shape[0]
    m = load.size
    home = agent[first]
    home_load = load[home] - task.usage[first, home]
    usage, capacity, reduced = task.usage, task.capacity, prices.reduced
    under, over = prices.price, prices.over
    left = strain(home_load, capacity[home], under[home], over[home]) - now[home]
    barred = np.zeros(m, dtype=np.bool_)
    best, best_length, best_last, best_target = -1e-9 - prices.worth, -1, -1, -1
    found = np.zeros(depth, dtype=np.int64)
    found[0] = 1
    ends[0, 0] = first
    chain_cost[0, first] = 0.0
    before[0, first] = -1
    for d in range(depth):
        for q in range(found[d]):
            x = ends[d, q]
            so_far = chain_cost[d, x] - reduced[x, agent[x]]
            y = x
            for e in range(d, -1, -1):
                barred[agent[y]] = True
                y = before[e, y]
            if d > 0:
                filled = home_load + usage[x, home]
                total = so_far + reduced[x, home] - now[home]
                total += strain(filled, capacity[home], under[home], over[home])
                if total < best:
                    best, best_length, best_last, best_target = total, d, x, home
            for k in range(m):
                base = so_far + reduced[x, k] - now[k]
                if barred[k] or base >= slack:
                    continue
                carried = load[k] + usage[x, k]
                total = base + left + strain(carried, capacity[k], under[k], over[k])
                if total < best:
                    best, best_length, best_last, best_target = total, d, x, k
                if d + 1 == depth:
                    continue
                for p in range(count[k]):
                    z = members[k, p]
                    value = base + strain(carried - usage[z, k], capacity[k], under[k], over[k])
                    if value < slack and value < chain_cost[d + 1, z]:
                        if chain_cost[d + 1, z] == np.inf:
                            if found[d + 1] == MOST_ENDS:
                                continue
                            ends[d + 1, found[d + 1]] = z
                            found[d + 1] += 1
                        chain_cost[d + 1, z] = value
                        before[d + 1, z] = x
            y = x
            for e in range(d, -1, -1):
                barred[agent[y]] = False
                y = before[e, y]
    for d in range(depth):
        for q in range(found[d]):
            chain_cost[d, ends[d, q]] = np.inf
    return best_length, best_last, best_target


@njit(cache=True, nogil=True)
def _apply(
    task: Task,
    prices: Prices,
    agent: Ints,
    load: Floats,
    now: Floats,
    members: Tasks,
    position: Tasks,
    count: Ints,
    d: int,
    x: int,
    target: int,
    before: Ints,
) -> None:
    """Move every task of a chain to where its successor was."""
    while x >= 0:
        source = agent[x]
        leave(x, source, members, position, count)
        join(x, target, members, position, count)
        load[source] -= task.usage[x, source]
        load[target] += task.usage[x, target]
        agent[x] = target
        for i in (source, target):
            now[i] = strain(load[i], task.capacity[i], prices.price[i], prices.over[i])
        target = source
        x = before[d, x]
        d -= 1
