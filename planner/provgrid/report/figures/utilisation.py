"""Utilisation: how full each cluster is in each hour, and where it can take no more."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from provgrid.report.figures.canvas import drawing
from provgrid.report.figures.heat import heat_layout, heat_trace, narrow_heat, outline_traces
from provgrid.report.figures.names import Names, ids
from provgrid.report.figures.when import when
from provgrid.report.figures.work import by_cluster, used_accelerators

if TYPE_CHECKING:
    from provgrid.report.figures.canvas import Drawing
    from provgrid_models.problem import Bools
    from provgrid_optimizer.plan import Plan

FULL = 0.999  # of a capacity or a limit, from which on it binds: engines leave a rest that is none


def utilisation_table(plan: Plan) -> pd.DataFrame:
    """Return a row for each cluster and period, clusters in the problem's order.

    Columns: cluster, period, accelerators_used, accelerators_usable, full_pools (that have no accelerator left),
    grid_limit_reached, binding (either of the two).
    """
    problem, used = plan.problem, used_accelerators(plan)
    full = (used >= FULL * problem.capacity) & (problem.capacity > 0)
    full_pools = by_cluster(plan, full.astype(np.float64)).astype(np.int64)
    at_limit = _grid_limit_reached(plan)
    names = np.array(ids(problem.labels.clusters, problem.n_clusters), dtype=object)
    return pd.DataFrame(
        {
            "cluster": np.repeat(names, problem.n_periods),
            "period": np.tile(np.arange(problem.n_periods), problem.n_clusters),
            "accelerators_used": by_cluster(plan, used).ravel(),
            "accelerators_usable": by_cluster(plan, problem.capacity).ravel(),
            "full_pools": full_pools.ravel(),
            "grid_limit_reached": at_limit.ravel(),
            "binding": ((full_pools > 0) | at_limit).ravel(),
        }
    )


def _grid_limit_reached(plan: Plan) -> Bools:
    """Whether each cluster draws all that its grid connection allows, shape (C, T)."""
    problem = plan.problem
    drawn = plan.energy["power_kw"].to_numpy(float).reshape(problem.n_blocks, problem.n_periods)
    at_limit = np.isfinite(problem.block_limit_kw) & (drawn >= FULL * problem.block_limit_kw) & (drawn > 0)
    found = np.zeros((problem.n_clusters, problem.n_periods), dtype=np.bool_)
    grid = problem.block_is_grid
    np.logical_or.at(found, problem.block_cluster[grid], at_limit[grid])
    return found


def utilisation(plan: Plan, lang: str = "en", theme: str = "light") -> Drawing:
    """Draw the heat map of utilisation, binding cells outlined."""
    table, names = utilisation_table(plan), Names(plan, lang)
    say, problem = names.say, plan.problem
    shape = (problem.n_clusters, problem.n_periods)
    used, usable = (table[f"accelerators_{name}"].to_numpy().reshape(shape) for name in ("used", "usable"))
    share = np.divide(used, usable, out=np.full(shape, np.nan), where=usable > 0)
    binding = table["binding"].to_numpy().reshape(shape)
    order = np.argsort(-(usable @ problem.hours), kind="stable")
    rows = [list(names.clusters.values())[c] for c in order]
    time = when(problem, say)
    hover = f"<b>%{{y}}</b><br>{time.hover}<br>{say('utilisation.hover')}<extra></extra>"
    trace = heat_trace(
        _whole_percent(share[order]),
        time,
        hover,
        zmin=0,
        zmax=100,
        colorbar={
            "title": {"text": say("utilisation.bar"), "side": "right", "font": {"size": 11.5}},
            "ticksuffix": " %",
        },
    )
    weighted = (used @ problem.hours).sum() / max((usable @ problem.hours).sum(), 1e-12)
    always = int((binding.mean(axis=1) > 0.5).sum())
    narrow, patches = narrow_heat(rows, outlined=True)
    return drawing(
        [trace, *outline_traces(binding[order], time, say("utilisation.binding"))],
        title=say("utilisation.title" if not plan.certificate.divisible else "utilisation.title_ideal"),
        answer=say(
            "utilisation.answer",
            mean=names.numbers.percent(float(weighted)),
            binding=names.numbers.percent(float(binding.mean())),
            always=always,
            clusters=problem.n_clusters,
        ),
        theme=theme,
        layout=heat_layout(rows, time),
        narrow=narrow,
        narrow_traces=patches,
    )


def _whole_percent(share: np.ndarray) -> np.ndarray:
    """Percentages as whole numbers, rounded down so that only what is full says 100; -1 = no accelerators, a gap."""
    whole = np.floor(np.nan_to_num(share, nan=-0.01) * 100 + 1e-6)
    return whole.astype(np.int8) if not np.isnan(share).any() else np.where(np.isnan(share), np.nan, whole)
