"""Prices: where and when an accelerator-hour is worth money."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from provgrid.report.figures.canvas import drawing
from provgrid.report.figures.heat import heat_layout, heat_trace, narrow_heat
from provgrid.report.figures.names import Names, ids
from provgrid.report.figures.when import when
from provgrid.report.figures.work import by_cluster

if TYPE_CHECKING:
    from provgrid.report.figures.canvas import Drawing
    from provgrid_optimizer.plan import Plan

CAP = 0.99  # quantile of the prices at which the colours end: a few rare peaks would wash out the rest


def price_table(plan: Plan) -> pd.DataFrame:
    """Return a row for each cluster and period, clusters in the problem's order.

    Columns: cluster, period, price_yuan_per_accelerator_h (mean of its pools, weighted by their accelerators; NaN where
    it has none), highest_yuan_per_accelerator_h (of its pools).
    """
    problem, prices = plan.problem, plan.prices
    of_pools = prices.loc[prices["kind"] == "accelerator", "price"].to_numpy(float).reshape(problem.capacity.shape)
    weight = by_cluster(plan, problem.capacity)
    mean = np.divide(
        by_cluster(plan, of_pools * problem.capacity), weight, out=np.full(weight.shape, np.nan), where=weight > 0
    )
    highest = np.full(weight.shape, -np.inf)
    np.maximum.at(highest, problem.pool_cluster, np.where(problem.capacity > 0, of_pools, -np.inf))
    names = np.array(ids(problem.labels.clusters, problem.n_clusters), dtype=object)
    return pd.DataFrame(
        {
            "cluster": np.repeat(names, problem.n_periods),
            "period": np.tile(np.arange(problem.n_periods), problem.n_clusters),
            "price_yuan_per_accelerator_h": mean.ravel(),
            "highest_yuan_per_accelerator_h": np.where(np.isinf(highest), np.nan, highest).ravel(),
        }
    )


def prices(plan: Plan, lang: str = "en", theme: str = "light") -> Drawing:
    """Draw the heat map of prices, on the axes of the one of utilisation."""
    table, names = price_table(plan), Names(plan, lang)
    say, problem = names.say, plan.problem
    price = table["price_yuan_per_accelerator_h"].to_numpy().reshape(problem.n_clusters, problem.n_periods)
    usable = by_cluster(plan, problem.capacity)
    order = np.argsort(-(usable @ problem.hours), kind="stable")
    rows = [list(names.clusters.values())[c] for c in order]
    time = when(problem, say)
    known = price[np.isfinite(price)]
    cap = float(np.quantile(known, CAP)) if known.size else 1.0
    highest = float(known.max()) if known.size else 0.0
    above = highest > cap * 1.25
    bar = {
        "title": {"text": say("prices.bar_capped" if above else "prices.bar"), "side": "right", "font": {"size": 11.5}}
    }
    trace = heat_trace(
        price[order].astype(np.float32),
        time,
        f"<b>%{{y}}</b><br>{time.hover}<br>{say('prices.hover')}<extra></extra>",
        zmin=0.0,
        zmax=(cap if above else highest) or 1.0,
        colorbar=bar,
    )
    narrow, patches = narrow_heat(rows)
    return drawing(
        [trace],
        title=say("prices.title"),
        answer=_answer(plan, price, names),
        theme=theme,
        layout=heat_layout(rows, time),
        narrow=narrow,
        narrow_traces=patches,
    )


def _answer(plan: Plan, price: np.ndarray, names: Names) -> str:
    """Say where and when an accelerator-hour is worth most, and what kind of price this is."""
    say, problem = names.say, plan.problem
    basis = say(f"prices.basis_{plan.multipliers.basis}")
    if not np.isfinite(price).any():
        return basis
    cluster, period = divmod(int(np.nanargmax(price)), price.shape[1])
    times = problem.labels.periods
    return say(
        "prices.answer",
        price=names.numbers.number(float(price[cluster, period])),
        cluster=list(names.clusters.values())[cluster],
        when=f"{times[period]:%Y-%m-%d %H:%M}" if times is not None else say("when.nth", period=period),
        mean=names.numbers.number(float(np.nanmean(price))),
        basis=basis,
    )
