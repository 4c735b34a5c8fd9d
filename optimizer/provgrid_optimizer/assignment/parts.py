"""Large instances part by part: a beam over some agents and their tasks at a time, tasks left waiting at a price."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

import numpy as np

from provgrid_optimizer.assignment.instance import Task
from provgrid_optimizer.assignment.kernels.anneal import anneal
from provgrid_optimizer.assignment.kernels.beam import beam
from provgrid_optimizer.assignment.ordering import chain, draw_order

if TYPE_CHECKING:
    from concurrent.futures import Executor

    from provgrid_models.problem import Bools, Floats, Ints
    from provgrid_optimizer.assignment.instance import Instance

AGENTS = 10.0  # agents of a part at first,
TASKS = 400.0  # or fewer, where these hold more tasks
GROWTH = 1.15  # of parts that are too often solved exactly
OFTEN = 0.5  # share that is too often
WIDTH = 600  # states of a beam over a part
BATCH = 2  # parts at a time, whatever the threads
JITTER = 1.0  # mean regrets by which a task's agent may be misjudged when a part is put in order
NEAR = 6  # agents of least reduced cost among which a task is annealed,
ROUNDS = 100  # in so many rounds
WAIT = 4.0  # mean regrets that leaving a task waiting costs at first beyond its price,
DEARER = 1.3  # times this after every sweep that leaves one


@dataclass
class Parts:
    """An assignment under way, in which tasks may wait: `current` (n,) is then m."""

    instance: Instance
    reduced: Floats
    bond: Floats
    current: Ints
    wait_cost: float
    size: float
    usual: float
    started: bool = False

    @classmethod
    def empty(cls, instance: Instance, reduced: Floats, bond: Floats) -> Parts:
        """Every task waits. `reduced` (n, m) is what a pair costs beyond the task's best."""
        n, m = instance.cost.shape
        regret = np.sort(reduced, axis=1)[:, min(1, m - 1)]
        usual = float(regret[np.isfinite(regret)].mean()) if np.isfinite(regret).any() else 0.0
        largest = float(np.abs(instance.cost[np.isfinite(instance.cost)]).max())
        usual = max(usual, 1e-3 * largest, 1e-9)
        size = min(AGENTS, TASKS * m / n)
        return cls(instance, reduced, bond, np.full(n, m), WAIT * usual, size, usual)

    def start(self, price: Floats, proposals: int, halted: Bools, seed: int) -> None:
        """Anneal from each task's best agent at the capacity prices (m,); a capacity may stay a little exceeded."""
        usage, capacity = self.instance.usage, self.instance.capacity
        m = capacity.size
        near = np.argsort(self.reduced, axis=1, kind="stable")[:, : min(NEAR, m)]
        near = np.where(np.isfinite(np.take_along_axis(self.reduced, near, axis=1)), near, near[:, :1])
        taken = float(usage[np.isfinite(self.instance.cost)].mean())
        worth = np.maximum(price, 0.3 * self.usual / max(taken, 1e-12))
        temperature = 0.25 * self.usual
        soft = min(0.5, 2.5 * temperature / (taken * float(worth.mean())))
        self.current = near[:, 0].copy()
        state = np.array([2 * seed + 1], dtype=np.uint64) * np.uint64(0x9E3779B97F4A7C15)
        anneal(
            usage, capacity, self.reduced, price, 2.0 * worth, near, self.current, state, temperature, soft, ROUNDS,
            proposals, halted,
        )  # fmt: skip
        self.started = True

    def cost(self, price: Floats) -> float:
        """Cost with the waiting tasks at their price and more."""
        waits = self.current == self.bond.shape[0]
        placed = np.nonzero(~waits)[0]
        total = float(self.instance.cost[placed, self.current[placed]].sum())
        return total + float((price[waits] + self.wait_cost).sum())

    def filled(self) -> Ints | None:
        """Return the assignment with each waiting task at its best agent with room; None if one finds none."""
        units, agent = self.instance.units, self.current.copy()
        m = units.room.size
        placed = np.nonzero(agent < m)[0]
        left = units.room.copy()
        np.subtract.at(left, agent[placed], units.need[placed, agent[placed]])
        if (left < 0).any():
            return None
        for task in np.nonzero(agent == m)[0]:
            fitting = np.where(units.need[task] <= left, self.reduced[task], np.inf)
            agent[task] = fitting.argmin()
            if np.isinf(fitting[agent[task]]):
                return None
            left[agent[task]] -= units.need[task, agent[task]]
        return agent

    def sweep(self, price: Floats, step: float, halted: Bools, draw: np.random.Generator, pool: Executor) -> int:
        """Cut the agents into parts and improve each by at least `step`, which may be negative.

        Returns the states times tasks that it looked at.
        """
        m = len(self.bond)
        count = max(1, round(m / max(self.size, 2.0)))
        parts = [np.sort(part) for part in np.array_split(chain(self.bond, draw), count)]
        exact = 0
        for first in range(0, count, BATCH):
            batch = parts[first : first + BATCH]
            tasks = self._allot(batch, draw)
            draws = draw.spawn(len(batch))

            improve = partial(self._improve, price=price, step=step, halted=halted)
            for own, (found, complete) in zip(tasks, pool.map(improve, batch, tasks, draws), strict=True):
                self.current[own] = found
                exact += complete
        if (self.current == m).any():
            self.wait_cost *= DEARER
        if exact > OFTEN * count:
            self.size = min(self.size * GROWTH, float(m))
        return WIDTH * len(self.current)

    def _allot(self, batch: list[Ints], draw: np.random.Generator) -> list[Ints]:
        """Tasks of each part: those of its agents, and as many waiting ones as it has agents, the nearest first."""
        m = self.bond.shape[0]
        waits = draw.permutation(np.nonzero(self.current == m)[0])
        tasks = []
        for agents in batch:
            if waits.size > agents.size:
                waits = waits[np.argsort(self.reduced[np.ix_(waits, agents)].min(axis=1), kind="stable")]
            tasks.append(np.concatenate([np.nonzero(np.isin(self.current, agents))[0], waits[: agents.size]]))
            waits = waits[agents.size :]
        return tasks

    def _improve(
        self,
        agents: Ints,
        tasks: Ints,
        draw: np.random.Generator,
        *,
        price: Floats,
        step: float,
        halted: Bools,
    ) -> tuple[Ints, bool]:
        """Reassign the tasks among the agents, or leave some waiting: their agents, and whether it is exact."""
        m = self.bond.shape[0]
        if tasks.size == 0 or halted[0]:
            return self.current[tasks], False
        # Waiting is one agent more, with room for all.
        units, pairs = self.instance.units, np.ix_(tasks, agents)
        waiting = price[tasks] + self.wait_cost
        cost = np.column_stack([units.cost[pairs], waiting])
        need = np.column_stack([units.need[pairs], np.zeros(tasks.size, dtype=np.int64)])
        room, shift = np.append(units.room[agents], 0), np.append(units.shift[agents], 0)
        places = np.append(agents, m)
        placed = self.current[tasks]
        here = np.minimum(placed, m - 1)
        load = np.bincount(placed, self.instance.usage[tasks, here], m + 1)[agents]
        limit = np.inf
        if (load <= self.instance.capacity[agents]).all():
            limit = float(np.where(placed == m, waiting, units.cost[tasks, here]).sum()) - step
        reduced = self.reduced[pairs]
        home = (reduced + JITTER * self.usual * draw.random(reduced.shape)).argmin(axis=1)
        found = np.zeros(tasks.size, dtype=np.int64)
        order = draw_order(home, self.bond[np.ix_(agents, agents)], draw)
        total, dropped = beam(Task(cost, need, room, shift), price[tasks], order, WIDTH, limit, halted, found)
        return places[found] if total < np.inf else self.current[tasks], dropped == np.inf
