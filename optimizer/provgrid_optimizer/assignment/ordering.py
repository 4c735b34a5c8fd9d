"""In which order a beam takes the tasks: agent by agent, agents that compete for the same tasks one after the other."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from provgrid_models.problem import Floats, Ints

NOISE = 0.5  # by how much of itself an affinity may be misjudged, so that orders differ
REVERSED = 0.7  # share of the orders that begin with the agents least bound to the others


def affinities(reduced: Floats) -> Floats:
    """How strongly agents compete, (m, m): tasks whose best two agents they are, more for a lesser regret.

    `reduced` (n, m) is what a pair costs beyond the task's best.
    """
    n, m = reduced.shape
    bond = np.zeros((m, m))
    if m > 1:
        best, second = np.argsort(reduced, axis=1, kind="stable")[:, :2].T
        regret = reduced[np.arange(n), second]
        usual = max(float(regret[np.isfinite(regret)].mean()), 1e-300) if np.isfinite(regret).any() else 1.0
        np.add.at(bond, (best, second), np.exp(-regret / usual))
    return bond + bond.T


def chain(bond: Floats, draw: np.random.Generator) -> Ints:
    """Agents (m,) from a random one, each the most strongly bound to those before it, give or take."""
    m = bond.shape[0]
    agents = np.empty(m, dtype=np.int64)
    waiting = np.ones(m, dtype=np.bool_)
    pull = np.zeros(m)
    agent = int(draw.integers(m))
    for place in range(m):
        agents[place] = agent
        waiting[agent] = False
        pull += bond[agent]
        misjudged = (pull + 1e-9) * draw.uniform(1 - NOISE, 1 + NOISE, m)
        agent = int(np.where(waiting, misjudged, -1.0).argmax())
    return agents


def draw_order(home: Ints, bond: Floats, draw: np.random.Generator) -> Ints:
    """Draw an order of the tasks (n,): by their agent of least reduced cost, `home`, shuffled within it.

    Agents follow one another in a chain, most often turned around. (On type D this is worth ten times the width of a
    shuffled order.)
    """
    agents = chain(bond, draw)
    rank = np.empty_like(agents)
    rank[agents] = np.arange(agents.size)
    if draw.random() < REVERSED:
        rank = -rank
    return np.lexsort((draw.random(home.size), rank[home]))
