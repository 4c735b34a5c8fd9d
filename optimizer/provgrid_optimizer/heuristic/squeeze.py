"""Squeezing in: a job that is unserved or badly placed takes the place it wants, and what is in its way makes room."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from provgrid_optimizer.heuristic.board import TIGHTEST
from provgrid_optimizer.heuristic.state import State, copy_state

if TYPE_CHECKING:
    from collections.abc import Callable

    from provgrid_models.problem import Floats
    from provgrid_optimizer.heuristic.board import Board
    from provgrid_optimizer.lagrangian import Pass
    from provgrid_optimizer.multipliers import Multipliers

MOST_SQUEEZED = 24  # jobs at a time
SQUEEZES_TIMES_SIZE = 50_000_000  # hours of jobs and services in the state: it is copied for each
RAMP = 0.25  # share of a limit within which prices rise for the job that chooses
MOST_STRETCH = 1.0  # by how much it may exceed limits before others leave


def squeeze_in(board: Board, prices: Multipliers, made: Pass, stop: Callable[[], bool]) -> None:
    """Try the jobs that lose most against the dual, one after the other; a try is kept where the whole plan gains."""
    most = min(SQUEEZES_TIMES_SIZE // (board.state.run.size + board.state.serve.size + 1), MOST_SQUEEZED)
    yuan = board.yuan() if most > 0 else np.inf
    if not np.isfinite(yuan):
        return
    loss = losses(board, prices, made)
    for j in np.argsort(-loss, kind="stable")[:most]:
        if loss[j] <= 0.0 or stop():
            break
        before = copy_state(board.state)
        after = board.yuan() if _make_room(board, j, before) else np.inf
        if after < yuan:
            yuan = after
        else:
            board.restore(before)


def _make_room(board: Board, j: int, before: State) -> bool:
    """Let job j choose as if limits were soft, and whoever is in its way leave; False where it stays."""
    board.set_ramp(RAMP, soft=True)
    board.state.stretch[0] = MOST_STRETCH
    board.respond(np.array([j]))
    board.set_ramp(TIGHTEST, soft=False)
    state = board.state
    p, first, last = state.pool[j], state.first[j], state.last[j]
    if p < 0 or (p, first, last) == (before.pool[j], before.first[j], before.last[j]):
        return False
    cluster = board.problem.pool_cluster
    near = cluster[state.pair_pool] == cluster[p]
    pairs = np.flatnonzero(near & (state.serve[:, first : last + 1] > 0.0).any(axis=1))
    services = np.unique(np.searchsorted(state.pair_start, pairs, side="right") - 1)
    board.shift(services, first, last + 1)
    board.make_way(board.by_size[board.by_size != j], services)
    board.respond(np.flatnonzero(state.pool < 0))
    return True


def losses(board: Board, prices: Multipliers, made: Pass) -> Floats:
    """Yuan by which each job is dearer at the dual prices, or unserved, than where it would be cheapest, shape (J,)."""
    problem, state = board.problem, board.state
    price = prices.accelerator * problem.hours
    owner = np.repeat(np.arange(problem.n_jobs), np.diff(state.offset))
    period = np.arange(owner.size) - state.offset[owner] + problem.release[owner]
    running = np.bincount(owner, weights=state.run * price[state.pool[owner], period], minlength=problem.n_jobs)
    placed = state.pool >= 0
    one_off = np.zeros(problem.n_jobs)
    one_off[placed] = problem.one_off_yuan(np.flatnonzero(placed), state.pool[placed])
    return np.asarray(np.where(placed, running + one_off, board.arrays.jobs.unserved_yuan) - made.job_yuan)
