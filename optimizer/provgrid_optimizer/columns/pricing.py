"""What every column that is not in the program yet would bring at given prices."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from provgrid_optimizer.columns.kernels import price_pairs
from provgrid_optimizer.heuristic.orders import find_orders
from provgrid_optimizer.lagrangian import Hints, Workspace, evaluate, range_minima
from provgrid_optimizer.ranges import route_links

if TYPE_CHECKING:
    from provgrid_models.problem import Floats, Problem
    from provgrid_optimizer.heuristic.arrays import Arrays
    from provgrid_optimizer.lagrangian import Pass
    from provgrid_optimizer.matrix.selection import Served
    from provgrid_optimizer.multipliers import Multipliers

LEAST = 0.01


@dataclass(frozen=True, kw_only=True)
class Priced:
    """Prices of all that could be chosen, in yuan, and the bound that they prove.

    `pair` is the price of a job in a pool, inf where it is far above the job's cheapest, `marginal` that of the last
    hour that an elastic job would use there.
    """

    made: Pass
    accelerator: Floats  # (P, T) per accelerator held for the period
    pair: Floats  # (J, P)
    marginal: Floats  # (J, P)
    cutoff: Floats  # (J,) the cheapest choice of each job, being unserved included, and the width on top
    room: Floats  # (P, 1) by how much an hour's price may differ from a marginal one and be near it
    serve: Floats  # per unit and real hour, by entry of `Served`
    best_serve: Floats  # (S, T) the cheapest of them, being unserved included


class Pricing:
    """The pricing step of one problem; it keeps what spares later steps work."""

    def __init__(self, problem: Problem, laid_out: Arrays, served: Served, threads: int) -> None:
        self.problem = problem
        self._laid_out = laid_out
        self._served = served
        self._threads = threads
        self._orders = find_orders(laid_out)
        self._hints = Hints.none(problem.n_jobs, problem.n_pools)
        owner, link = route_links(problem, problem.service_origin[served.service], served.pool)
        self._route = owner, link

    def at(self, prices: Multipliers, width: float) -> Priced:
        """Price everything; pairs up to `width`, a share, above the cheapest choice of their job are kept.

        Where the cheapest choice costs next to nothing, the width is a share of `LEAST` of what else there is.
        """
        problem = self.problem
        made = evaluate(problem, self._laid_out, prices, self._threads, self._hints, self._orders)
        accelerator = np.ascontiguousarray(prices.accelerator * problem.hours)
        soft = np.where(np.isfinite(problem.unserved_yuan), problem.job_weight * problem.unserved_yuan, 0.0)
        cutoff = made.job_yuan + width * np.maximum(np.abs(made.job_yuan), LEAST * soft)
        pair = np.full((problem.n_jobs, problem.n_pools), np.inf)
        price_pairs(
            self._orders.others,
            self._laid_out.network,
            Workspace.of(*range_minima(accelerator)),
            self._hints,
            accelerator,
            _running(accelerator),
            _running(prices.link * problem.hours),
            cutoff,
            pair,
        )
        serve = self._serve(prices)
        best = np.broadcast_to(problem.service_unserved_yuan[:, None], problem.demand.shape).copy()
        np.minimum.at(best, (self._served.service, self._served.period), serve)
        return Priced(
            made=made,
            accelerator=accelerator,
            pair=pair,
            marginal=self._hints.marginal.astype(np.float64),
            cutoff=cutoff,
            room=width * LEAST * np.abs(accelerator).mean(axis=1, keepdims=True),
            serve=serve,
            best_serve=best,
        )

    def _serve(self, prices: Multipliers) -> Floats:
        problem, served = self.problem, self._served
        yuan = problem.unit_yuan[served.service, served.pool]
        yuan = yuan + prices.accelerator[served.pool, served.period] / problem.service_rate[served.service, served.pool]
        if prices.link.any():
            owner, link = self._route
            gbps = problem.service_gbps[served.service[owner]]
            np.add.at(yuan, owner, gbps * prices.link[link, served.period[owner]])
        return yuan


def _running(price: Floats) -> Floats:
    """Prefix sums over the periods, shape (n, T + 1)."""
    total = np.zeros((price.shape[0], price.shape[1] + 1))
    np.cumsum(price, axis=1, out=total[:, 1:])
    return total
