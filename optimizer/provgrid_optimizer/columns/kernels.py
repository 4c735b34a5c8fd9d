"""The pricing step: every pair of job and pool whose price is below a cut-off, by the kernels of the bound."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from provgrid_optimizer.heuristic.kernels.compiled import kernel
from provgrid_optimizer.heuristic.kernels.dual import group_leasts, pair_price

if TYPE_CHECKING:
    from provgrid_models.problem import Floats
    from provgrid_optimizer.heuristic.arrays import Jobs, Network
    from provgrid_optimizer.lagrangian import Hints, Workspace


@kernel
def price_pairs(
    jobs: Jobs,
    network: Network,
    work: Workspace,
    hints: Hints,
    price: Floats,
    running: Floats,
    link_running: Floats,
    cutoff: Floats,
    yuan: Floats,
) -> None:
    """Write the price of each job of a group in each pool to `yuan` (J, P), inf where it is above `cutoff` (J,).

    The price of the last hour that an elastic job would use goes to `hints.marginal`; `price` (P, T) is yuan per
    accelerator held for the period.
    """
    last_release, last_move = -1, -1
    window = -1
    for g in range(jobs.group_start.size - 1):
        head = jobs.order[jobs.group_start[g]]
        if jobs.release[head] != last_release or jobs.move_periods[head] != last_move:
            last_release, last_move = jobs.release[head], jobs.move_periods[head]
            window += 1
        group_leasts(jobs, work, head)
        for i in range(jobs.group_start[g], jobs.group_start[g + 1]):
            j = jobs.order[i]
            for p in range(price.shape[0]):
                cost = pair_price(jobs, network, work, hints, price, running, link_running, j, p, cutoff[j], g, window)
                yuan[j, p] = cost if cost <= cutoff[j] else np.inf
