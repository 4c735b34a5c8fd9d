"""Loops of the policies over the placement kernels of the heuristic. A list of pools ends at its first -1."""

from __future__ import annotations

from typing import Any

from numba import njit

from provgrid_optimizer.heuristic.kernels.place import place_earliest, serve_in_order


@njit(cache=True, nogil=True)
def place_in_order(laid_out: Any, state: Any, jobs: Any, lists: Any) -> None:
    """Place each job in the first pool of its list that takes it, as early as it can. `lists` (n, P)."""
    for i in range(jobs.size):
        for p in lists[i]:
            if p < 0 or place_earliest(laid_out, state, jobs[i], p):
                break


@njit(cache=True, nogil=True)
def serve_all(laid_out: Any, state: Any, services: Any, lists: Any) -> None:
    """Serve each service, period by period, from the pools of its list. `lists` (n, P)."""
    for i in range(services.size):
        length = 0
        while length < lists.shape[1] and lists[i, length] >= 0:
            length += 1
        serve_in_order(laid_out, state, services[i], lists[i, :length])
