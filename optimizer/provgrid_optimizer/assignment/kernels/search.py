"""One pass of the search: soften, let settle, stiffen, push chains, keep what is no worse."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numba import njit

from provgrid_optimizer.assignment.kernels.anneal import anneal
from provgrid_optimizer.assignment.kernels.chains import eject
from provgrid_optimizer.assignment.kernels.moves import random_below, random_unit, strain

if TYPE_CHECKING:
    from provgrid_models.problem import Ints
    from provgrid_optimizer.assignment.instance import Prices, Search, Task
    from provgrid_optimizer.assignment.kernels.moves import RandomState


@njit(cache=True, nogil=True)
def run_pass(
    task: Task,
    prices: Prices,
    hard: Prices,
    search: Search,
    current: Ints,
    best: Ints,
    best_cost: float,
    state: RandomState,
    rounds: int,
) -> float:
    """Improve `current` (n,) and `best` (n,) in place over some rounds; returns the cost of `best`."""
    energy = _energy(task, prices, current)[0]
    for _ in range(rounds):
        trial = current.copy()
        soft = min(0.5, search.soft * (4 << random_below(state, 3)))
        best_cost = anneal(task, prices, search, trial, best, best_cost, state, soft, 20, search.proposals)
        eject(task, prices, search, trial, state)
        value, cost, feasible = _energy(task, prices, trial)
        kept = value <= energy - search.accept * np.log(random_unit(state))
        if kept:
            energy = value
            current[:] = trial
            if not feasible:
                # A small overload is left; at a harsher price chains remove it.
                eject(task, hard, search, trial, state)
                value, cost, feasible = _energy(task, prices, trial)
        if feasible and cost < best_cost - search.step:
            best_cost = cost
            best[:] = trial
    return best_cost


@njit(cache=True, nogil=True)
def _energy(task: Task, prices: Prices, agent: Ints) -> tuple[float, float, bool]:
    """Reduced cost and strain of an assignment, its cost, and whether it keeps every capacity."""
    load = np.zeros(task.capacity.size)
    cost = 0.0
    energy = 0.0
    for j in range(agent.size):
        load[agent[j]] += task.usage[j, agent[j]]
        cost += task.cost[j, agent[j]]
        energy += prices.reduced[j, agent[j]]
    feasible = True
    for i in range(load.size):
        energy += strain(load[i], task.capacity[i], prices.price[i], prices.over[i])
        feasible &= load[i] <= task.capacity[i]
    return energy, cost, feasible
