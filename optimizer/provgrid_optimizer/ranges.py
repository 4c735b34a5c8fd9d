"""Index arithmetic: many ranges of different lengths, laid end to end."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from provgrid_models.problem import Ints, Problem


def expand(lengths: Ints) -> tuple[Ints, Ints]:
    """Lay ranges end to end: for each entry, the range that it belongs to and its place in it.

    Examples
    --------
    >>> expand(np.array([2, 0, 3]))
    (array([0, 0, 2, 2, 2]), array([0, 1, 0, 1, 2]))
    """
    owner = np.repeat(np.arange(lengths.size), lengths)
    place = np.arange(owner.size) - np.repeat(np.cumsum(lengths) - lengths, lengths)
    return owner, place


def route_links(problem: Problem, origin: Ints, pool: Ints) -> tuple[Ints, Ints]:
    """Links on the way from each origin to each pool: for each entry, the (origin, pool) row and the link."""
    route = origin * problem.n_clusters + problem.pool_cluster[pool]
    row, place = expand(np.diff(problem.route_start)[route])
    return row, problem.route_link[problem.route_start[route][row] + place]
