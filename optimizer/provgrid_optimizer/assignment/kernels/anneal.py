"""Annealing by stiffness: at a fixed low temperature, capacities start as soft wishes and become hard.

Reduced costs say which agent suits a task; prices say what idle or excess capacity costs. Cooling both together
freezes far from the optimum, because hardly any swap fits a nearly full agent. Softening only the capacities lets
tasks settle at nearly cost-optimal agents first and makes the loads fit afterwards.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numba import njit

from provgrid_optimizer.assignment.kernels.moves import (
    group,
    join,
    leave,
    random_below,
    random_unit,
    strain,
)

if TYPE_CHECKING:
    from provgrid_models.problem import Ints
    from provgrid_optimizer.assignment.instance import Prices, Search, Task
    from provgrid_optimizer.assignment.kernels.moves import RandomState

HOPELESS = 14.0  # temperatures; a change above is never accepted (probability below 1e-6)


@njit(cache=True, nogil=True)
def anneal(
    task: Task,
    prices: Prices,
    search: Search,
    agent: Ints,
    best: Ints,
    best_cost: float,
    state: RandomState,
    soft: float,
    rounds: int,
    proposals: int,
) -> float:
    """Shift, swap and chains of two, accepted as Metropolis does, while stiffness grows from `soft` to 1.

    `agent` (n,) and `best` (n,), the cheapest assignment seen that keeps every capacity, are modified in place.
    Returns the cost of `best`.
    """
    # Unpacked here: inside the loop, each use of a named tuple would count references.
    cost, usage, capacity = task.cost, task.usage, task.capacity
    open_start, open_agent, reduced = task.open_start, task.open_agent, prices.reduced
    n = agent.size
    load, members, position, count = group(usage, agent)
    m = capacity.size
    total = 0.0
    for j in range(n):
        total += cost[j, agent[j]]
    crowded = 0
    for i in range(m):
        crowded += load[i] > capacity[i]
    stiffness = soft
    growth = (1.0 / soft) ** (1.0 / rounds)
    under = np.empty(m)
    over = np.empty(m)
    temperature = search.temperature
    for _ in range(rounds):
        stiffness *= growth
        for i in range(m):
            under[i] = stiffness * prices.price[i]
            over[i] = stiffness * prices.over[i] * 0.667
        for _ in range(proposals // rounds):
            j = random_below(state, n)
            i = agent[j]
            k = open_agent[open_start[j] + random_below(state, open_start[j + 1] - open_start[j])]
            if k == i:
                continue
            change = reduced[j, k] - reduced[j, i]
            load_i = load[i] - usage[j, i]
            load_k = load[k] + usage[j, k]
            load_h = load_i
            kind = random_below(state, 4)
            other = -1
            h = i
            if kind > 0 and count[k] > 0:
                # Agent k gives a task away: back to i (a swap), or in one case of three on to a third (a chain).
                other = members[k, random_below(state, count[k])]
                if kind == 3:
                    h = open_agent[open_start[other] + random_below(state, open_start[other + 1] - open_start[other])]
                    if h == k:
                        continue
                if not reduced[other, h] < np.inf:
                    continue
                change += reduced[other, h] - reduced[other, k]
                load_k -= usage[other, k]
                if h == i:
                    load_i += usage[other, i]
                else:
                    load_h = load[h] + usage[other, h]
                    change += strain(load_h, capacity[h], under[h], over[h])
                    change -= strain(load[h], capacity[h], under[h], over[h])
            change += strain(load_i, capacity[i], under[i], over[i])
            change -= strain(load[i], capacity[i], under[i], over[i])
            change += strain(load_k, capacity[k], under[k], over[k])
            change -= strain(load[k], capacity[k], under[k], over[k])
            if change > 0.0 and (change > HOPELESS * temperature or change > -temperature * np.log(random_unit(state))):
                continue
            crowded += (load_i > capacity[i]) - (load[i] > capacity[i])
            crowded += (load_k > capacity[k]) - (load[k] > capacity[k])
            load[i] = load_i
            load[k] = load_k
            leave(j, i, members, position, count)
            total += cost[j, k] - cost[j, i]
            if other >= 0:
                if h != i:
                    crowded += (load_h > capacity[h]) - (load[h] > capacity[h])
                    load[h] = load_h
                leave(other, k, members, position, count)
                join(other, h, members, position, count)
                agent[other] = h
                total += cost[other, h] - cost[other, k]
            join(j, k, members, position, count)
            agent[j] = k
            if crowded == 0 and total < best_cost - search.step:
                best_cost = total
                best[:] = agent
    return best_cost
