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
    from provgrid_models.problem import Bools, Floats, Ints
    from provgrid_optimizer.assignment.kernels.moves import RandomState

HOPELESS = 14.0  # temperatures; a change above is never accepted (probability below 1e-6)


@njit(cache=True, nogil=True)
def anneal(
    usage: Floats,
    capacity: Floats,
    reduced: Floats,
    price: Floats,
    over_price: Floats,
    near: Ints,
    agent: Ints,
    state: RandomState,
    temperature: float,
    soft: float,
    rounds: int,
    proposals: int,
    halted: Bools,
) -> None:
    """Shift, swap and chains of two, accepted as Metropolis does, while stiffness grows from `soft` to 1.

    `reduced` (n, m) is what a pair costs beyond the task's best, `price` and `over_price` (m,) what a unit left idle
    and a unit too much do, `near` (n, k) the agents that a task may go to. `agent` (n,) is modified in place; at
    the end it may still be a little over a capacity. Once halted[0] is set, by any thread, no further round begins.
    """
    n = agent.size
    load, members, position, count = group(usage, agent)
    m = capacity.size
    stiffness = soft
    growth = (1.0 / soft) ** (1.0 / rounds)
    under = np.empty(m)
    over = np.empty(m)
    for _ in range(rounds):
        if halted[0]:
            return
        stiffness *= growth
        for i in range(m):
            under[i] = stiffness * price[i]
            over[i] = stiffness * over_price[i]
        for _ in range(proposals // rounds):
            j = random_below(state, n)
            i = agent[j]
            k = near[j, random_below(state, near.shape[1])]
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
                    h = near[other, random_below(state, near.shape[1])]
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
            load[i] = load_i
            load[k] = load_k
            leave(j, i, members, position, count)
            if other >= 0:
                if h != i:
                    load[h] = load_h
                leave(other, k, members, position, count)
                join(other, h, members, position, count)
                agent[other] = h
            join(j, k, members, position, count)
            agent[j] = k
