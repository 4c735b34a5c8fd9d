"""The order of jobs in the Lagrangian: who pays and who earns the prices of the `after` rows, and what breaks them."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

if TYPE_CHECKING:
    from provgrid_models.problem import Floats, Ints
    from provgrid_optimizer.heuristic.arrays import Arrays, Jobs


class Orders(NamedTuple):
    """Jobs that take part in an order, each vertical with its base, and all the other jobs.

    With S_v[t] the sum of vertical v's prices from period t on, a vertical pays S_v[t] per share of it that is done
    in t (rigid: started in t), and its base earns S_v[t + 1 + lag] per share that is done in t.
    """

    chained: Ints  # (N,) jobs with a base or a vertical, ascending
    vertical: Ints  # (V,) place of each vertical among the chained
    base: Ints  # (V,) place of its base
    lag: Ints  # (V,) periods that the checkpoint takes
    others: Jobs  # all jobs, with groups of those alone that are not chained


def find_orders(laid_out: Arrays) -> Orders:
    """Read the orders of a laid-out problem; its jobs themselves where there is none."""
    jobs, after = laid_out.jobs, laid_out.chain.after
    verticals = np.flatnonzero(after >= 0)
    chained = np.union1d(verticals, after[verticals]).astype(np.int64)
    return Orders(
        chained=chained,
        vertical=np.searchsorted(chained, verticals).astype(np.int64),
        base=np.searchsorted(chained, after[verticals]).astype(np.int64),
        lag=laid_out.chain.lag[verticals],
        others=_without(jobs, chained) if chained.size else jobs,
    )


def _without(jobs: Jobs, left_out: Ints) -> Jobs:
    """Return the same jobs, but none of `left_out` in any group; groups that become empty are dropped."""
    kept = np.ones(jobs.work.size, dtype=bool)
    kept[left_out] = False
    kept = kept[jobs.order]
    start = np.append(0, np.cumsum(kept))[jobs.group_start]
    full = np.diff(start) > 0
    return jobs._replace(
        order=jobs.order[kept],
        group_start=np.append(start[:-1][full], start[-1]).astype(np.int64),
        group_chunk=np.append(0, np.cumsum(full))[jobs.group_chunk].astype(np.int64),
    )


def charges(orders: Orders, after: Floats) -> tuple[Floats, Floats]:
    """Return what each chained job pays per share that begins, and that is done, in each period, both (N, T).

    An elastic job pays for both in the period in which it runs; what a base earns is below 0.
    """
    periods = after.shape[1]
    from_then_on = np.cumsum(after[:, ::-1], axis=1)[:, ::-1]
    begun = np.zeros((orders.chained.size, periods))
    begun[orders.vertical] = from_then_on
    done = np.zeros_like(begun)
    for lag in np.unique(orders.lag):
        mine, first = orders.lag == lag, min(1 + lag, periods)
        np.subtract.at(done[:, : periods - first], orders.base[mine], from_then_on[mine, first:])
    return begun, done


def ahead_of_base(orders: Orders, begun: Floats, done: Floats) -> Floats:
    """By how much the share of each vertical through t exceeds what its base has done in time, shape (V, T).

    `begun` and `done` (N, T) are the shares that the chained jobs begin and finish in each period.
    """
    ahead, in_time = np.cumsum(begun[orders.vertical], axis=1), np.cumsum(done, axis=1)
    periods = ahead.shape[1]
    for lag in np.unique(orders.lag):
        mine, first = orders.lag == lag, min(1 + lag, periods)
        ahead[mine, first:] -= in_time[orders.base[mine], : periods - first]
    return ahead
