"""Beam search over the tasks, guided by what exact knapsacks say each agent can still gain at the task prices.

A state holds what the first tasks of an order left of each agent's room. Its value, a lower bound on every assignment
that continues it, is the cost so far, plus the prices of the tasks to come, plus each agent's best knapsack over the
tasks to come in the room left to it: the Lagrangian relaxation of the assignment rows, for the price of a table
look-up. At every task the `width` states of least value survive. So every assignment costs at least the least value
dropped, unless it is the one found or costs more than the limit; a search that dropped nothing is exact.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numba import njit

if TYPE_CHECKING:
    from provgrid_models.problem import Bools, Floats, Ints
    from provgrid_optimizer.assignment.instance import Sizes, Task

BINS = 1024  # classes of value in which the best states are told apart


@njit(cache=True, nogil=True)
def beam(
    task: Task, price: Floats, order: Ints, width: int, limit: float, halted: Bools, agent: Ints
) -> tuple[float, float]:
    """Search for the cheapest assignment of at most `limit`; `agent` (n,) receives it.

    `price` (n,) may be any; `order` holds every task once. Returns the cost, inf if nothing was found, and the least
    value that was dropped for want of width, inf if none was. Once halted[0] is set, by any thread, it gives up.
    """
    cost, need, room, shift = task.cost, task.need, task.room, task.shift
    n, m = cost.shape
    start, pair_agent, pair_need, extra = _pairs(cost, need, room, price, order)
    block = int(np.ceil(np.sqrt(n)))
    span = int((room >> shift).max()) + 1
    # Tables for every task would be large: those at the start of each block are kept, those within made again.
    kept = np.zeros((-(-n // block) + 1, m, span))
    tables = np.zeros((block + 1, m, span))
    for b in range(kept.shape[0] - 2, -1, -1):
        _knapsacks(
            start, pair_agent, pair_need, extra, shift, b * block, min(n, (b + 1) * block), kept[b + 1], tables
        )  # fmt: skip
        kept[b] = tables[0]
    root = price.sum()
    for i in range(m):
        root += kept[0, i, room[i] >> shift[i]]
    if root > limit:
        return np.inf, np.inf
    most = _drop(start, pair_agent, pair_need, extra, limit - root)
    left, left_next = np.empty((width, m), dtype=np.int64), np.empty((width, m), dtype=np.int64)
    spent, spent_next = np.empty(width), np.empty(width)
    value = np.empty(width * most)
    parent, pair = np.empty(width * most, dtype=np.int32), np.empty(width * most, dtype=np.int32)
    before, chosen = np.empty((n, width), dtype=np.int32), np.empty((n, width), dtype=np.int32)
    left[0] = room
    spent[0] = price.sum()
    count, dropped = 1, np.inf
    for q in range(n):
        if halted[0]:
            return np.inf, -np.inf
        if q % block == 0:
            _knapsacks(
                start, pair_agent, pair_need, extra, shift, q, min(n, q + block), kept[q // block + 1], tables
            )  # fmt: skip
        found = _children(
            pair_agent, pair_need, extra, start[q], start[q + 1], shift, tables[q % block + 1], left, spent, count,
            limit, value, parent, pair,
        )  # fmt: skip
        if found == 0:
            return np.inf, dropped
        count, least = _select(value, parent, pair, found, width)
        dropped = min(dropped, least)
        for c in range(count):
            s, e = parent[c], pair[c]
            left_next[c] = left[s]
            left_next[c, pair_agent[e]] -= pair_need[e]
            spent_next[c] = spent[s] + extra[e]
            before[q, c], chosen[q, c] = s, pair_agent[e]
        left, left_next = left_next, left
        spent, spent_next = spent_next, spent
    s = int(spent[:count].argmin())
    total = 0.0
    for q in range(n - 1, -1, -1):
        agent[order[q]] = chosen[q, s]
        total += cost[order[q], chosen[q, s]]
        s = before[q, s]
    return total, dropped


@njit(cache=True, nogil=True)
def _pairs(cost: Floats, need: Ints, room: Ints, price: Floats, order: Ints) -> tuple[Ints, Ints, Ints, Floats]:
    """Open pairs in the order of their tasks: where each task's start, agent, need, and cost less the task's price."""
    n, m = cost.shape
    start = np.zeros(n + 1, dtype=np.int64)
    agent, needed, extra = np.empty(n * m, dtype=np.int64), np.empty(n * m, dtype=np.int64), np.empty(n * m)
    e = 0
    for q in range(n):
        j = order[q]
        for i in range(m):
            if cost[j, i] < np.inf and need[j, i] <= room[i]:
                agent[e], needed[e], extra[e] = i, need[j, i], cost[j, i] - price[j]
                e += 1
        start[q + 1] = e
    return start, agent, needed, extra


@njit(cache=True, nogil=True)
def _drop(start: Ints, agent: Ints, need: Ints, extra: Floats, slack: float) -> int:
    """Drop the pairs that alone cost more than `slack`; returns the most pairs that a task has left."""
    kept, first, most = 0, 0, 1
    for q in range(start.size - 1):
        for e in range(first, start[q + 1]):
            if extra[e] <= slack:
                agent[kept], need[kept], extra[kept] = agent[e], need[e], extra[e]
                kept += 1
        first = start[q + 1]
        start[q + 1] = kept
        most = max(most, kept - start[q])
    return most


@njit(cache=True, nogil=True)
def _knapsacks(
    start: Ints,
    agent: Ints,
    need: Ints,
    extra: Floats,
    shift: Ints,
    first: int,
    last: int,
    after: Floats,
    tables: Floats,
) -> None:
    """Fill tables[q - first, i, w], the least that agent i can add from task q on in w cells, for q = first..last.

    `after` (m, cells) holds the values from task `last` on.
    """
    tables[last - first] = after
    for q in range(last - 1, first - 1, -1):
        tables[q - first] = tables[q - first + 1]
        for e in range(start[q], start[q + 1]):
            if extra[e] < 0.0:
                i = agent[e]
                size = need[e] >> shift[i]
                old, new = tables[q - first + 1, i], tables[q - first, i]
                shifted, here = old[: old.size - size], new[size:]
                for w in range(here.size):
                    with_it = shifted[w] + extra[e]
                    here[w] = with_it if with_it < here[w] else here[w]


@njit(cache=True, nogil=True)
def _children(
    agent: Ints,
    need: Ints,
    extra: Floats,
    first: int,
    last: int,
    shift: Ints,
    table: Floats,
    left: Ints,
    spent: Floats,
    count: int,
    limit: float,
    value: Floats,
    parent: Sizes,
    pair: Sizes,
) -> int:
    """Give the next task to each of its agents from each of the first `count` states; returns how many it makes.

    `table` (m, cells) is for the tasks after it; value, parent and pair of each child within `limit` are written.
    """
    found = 0
    for s in range(count):
        base = spent[s]
        for i in range(shift.size):
            base += table[i, left[s, i] >> shift[i]]
        for e in range(first, last):
            i = agent[e]
            rest = left[s, i] - need[e]
            if rest >= 0:
                worth = base + extra[e] + (table[i, rest >> shift[i]] - table[i, left[s, i] >> shift[i]])
                if worth <= limit:
                    value[found], parent[found], pair[found] = worth, s, e
                    found += 1
    return found


@njit(cache=True, nogil=True)
def _select(value: Floats, parent: Sizes, pair: Sizes, found: int, width: int) -> tuple[int, float]:
    """Move parent and pair of the `width` children of least value to the front, to 1 in `BINS` of the values' span.

    Returns how many they are, and the least value of the others.
    """
    if found <= width:
        return found, np.inf
    low, high = value[0], value[0]
    for c in range(found):
        low, high = min(low, value[c]), max(high, value[c])
    scale = BINS / (high - low) if high > low else 0.0
    bins = np.zeros(BINS + 1, dtype=np.int64)
    for c in range(found):
        bins[int((value[c] - low) * scale)] += 1
    cut, spare = 0, width
    while bins[cut] <= spare:
        spare -= bins[cut]
        cut += 1
    kept, dropped = 0, np.inf
    for c in range(found):
        b = int((value[c] - low) * scale)
        if b < cut or (b == cut and spare > 0):
            spare -= b == cut
            parent[kept], pair[kept] = parent[c], pair[c]
            kept += 1
        else:
            dropped = min(dropped, value[c])
    return kept, dropped
