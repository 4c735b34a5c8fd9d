"""A plan's arrays as long pandas tables, ids and units spelled out."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

if TYPE_CHECKING:
    from collections.abc import Sequence

    from provgrid_models.problem import Ints, Problem
    from provgrid_optimizer.allocation import Allocation
    from provgrid_optimizer.evaluate import Costs, Usage
    from provgrid_optimizer.multipliers import Multipliers


def named(labels: Sequence[str] | None, ids: Any) -> Any:
    """Names of integer ids; the ids themselves where the problem came without names."""
    return np.asarray(ids) if labels is None else np.asarray(labels, dtype=object)[np.asarray(ids)]


def when(problem: Problem, period: Any) -> dict[str, Any]:
    """Columns `period` and, where the problem has a calendar, `time` (Beijing)."""
    columns: dict[str, Any] = {"period": np.asarray(period, dtype=np.int64)}
    if problem.labels.periods is not None:
        columns["time"] = problem.labels.periods[columns["period"]]
    return columns


def training(problem: Problem, allocation: Allocation) -> pd.DataFrame:
    """Accelerators that each job holds in each period that it runs."""
    placement = allocation.run_placement
    return pd.DataFrame(
        {
            "job": named(problem.labels.jobs, allocation.job[placement]),
            "pool": named(problem.labels.pools, allocation.pool[placement]),
            **when(problem, allocation.run_period),
            "accelerators": allocation.run_accelerators,
        }
    )


def jobs(problem: Problem, allocation: Allocation) -> pd.DataFrame:
    """Where each job lives, from when to when, and which part of each job is left."""
    runs = allocation.run_start
    ran = np.diff(runs) > 0
    first, last = np.full(ran.size, -1), np.full(ran.size, -1)
    first[ran] = allocation.run_period[runs[:-1][ran]]
    last[ran] = allocation.run_period[runs[1:][ran] - 1]
    held = np.bincount(allocation.run_placement, weights=allocation.run_accelerators, minlength=ran.size)
    placed = pd.DataFrame(
        {
            "job": named(problem.labels.jobs, allocation.job),
            "pool": named(problem.labels.pools, allocation.pool),
            "share": allocation.share,
            "first_period": first,
            "last_period": last,
            "accelerator_h": held * problem.period_h,
        }
    )
    left = np.flatnonzero(allocation.unserved_jobs(problem))
    unserved = pd.DataFrame(
        {
            "job": named(problem.labels.jobs, left),
            "pool": pd.Series([None] * left.size, dtype=placed["pool"].dtype if left.size == 0 else object),
            "share": 1.0 - allocation.served_share(problem)[left],
            "first_period": np.full(left.size, -1),
            "last_period": np.full(left.size, -1),
            "accelerator_h": np.zeros(left.size),
        }
    )
    placed.insert(2, "served", True)
    unserved.insert(2, "served", False)
    return placed if left.size == 0 else pd.concat([placed.astype({"pool": object}), unserved], ignore_index=True)


def inference(problem: Problem, allocation: Allocation) -> pd.DataFrame:
    """Tokens/s that each pool serves for each service, and the accelerators that this holds."""
    service, pool = allocation.serve_service, allocation.serve_pool
    return pd.DataFrame(
        {
            "service": named(problem.labels.services, service),
            "pool": named(problem.labels.pools, pool),
            **when(problem, allocation.serve_period),
            "tokens_per_s": allocation.serve_units,
            "accelerators": allocation.serve_units / problem.service_rate[service, pool],
        }
    )


def _every(problem: Problem, rows: int) -> tuple[Ints, Ints]:
    """Row and period of every cell of a (rows, T) array, row by row."""
    return np.repeat(np.arange(rows), problem.n_periods), np.tile(np.arange(problem.n_periods), rows)


def energy(problem: Problem, allocation: Allocation) -> pd.DataFrame:
    """Power from each supply block in each period, idle floor included."""
    block, period = _every(problem, problem.n_blocks)
    return pd.DataFrame(
        {
            "cluster": named(problem.labels.clusters, problem.block_cluster[block]),
            "block": block,
            "energy": named(problem.labels.blocks, block),
            **when(problem, period),
            "power_kw": allocation.block_kw.ravel(),
        }
    )


def peaks(problem: Problem, allocation: Allocation) -> pd.DataFrame:
    """Grid peak that the demand charge bills at each cluster, idle floor included."""
    return pd.DataFrame(
        {
            "cluster": named(problem.labels.clusters, np.arange(problem.n_clusters)),
            "peak_kw": allocation.peak_kw,
            "demand_charge_yuan_per_kw": problem.demand_charge_yuan_per_kw,
        }
    )


def traffic(problem: Problem, usage: Usage) -> pd.DataFrame:
    """Traffic on each link in each period."""
    link, period = _every(problem, problem.n_links)
    return pd.DataFrame(
        {
            "link": named(problem.labels.links, link),
            **when(problem, period),
            "traffic_gbps": usage.traffic_gbps.ravel(),
        }
    )


def prices(problem: Problem, multipliers: Multipliers) -> pd.DataFrame:
    """Every multiplier of the bound, one row each."""
    labels = problem.labels
    verticals = named(labels.jobs, multipliers.vertical)
    parts = [
        ("accelerator", labels.pools, multipliers.accelerator, "yuan per accelerator-hour"),
        ("peak", labels.clusters, multipliers.peak, "yuan per kWh of grid power, on top, for the demand charge"),
        ("link", labels.links, multipliers.link, "yuan per Gbit/s-hour"),
        ("after", verticals, multipliers.after, "yuan per share of the job done or started by then"),
    ]
    frames = []
    for kind, names, values, unit in parts:
        row, period = _every(problem, values.shape[0])
        ids = pd.Series(named(names, row)).astype(str).to_numpy()
        frames.append(
            pd.DataFrame({"kind": kind, "id": ids, **when(problem, period), "price": values.ravel(), "unit": unit})
        )
    budget = {"kind": "carbon_budget", "id": "all", "period": -1, "price": multipliers.carbon, "unit": "yuan per kg"}
    frames.append(pd.DataFrame([budget]))
    table = pd.concat([frame for frame in frames if len(frame)], ignore_index=True)
    table["basis"] = multipliers.basis
    return table


def costs(problem: Problem, component_costs: Costs) -> pd.DataFrame:
    """Cost by component; `in_objective` is False for the constants beside it."""
    rows = [(name, yuan, True) for name, yuan in component_costs.by_component().items()]
    rows += [
        ("idle_floor", problem.floor_yuan, False),
        ("take_or_pay", problem.take_or_pay_yuan, False),
        ("ports", problem.ports_yuan, False),
        ("never_served", problem.never_served_yuan, False),
    ]
    return pd.DataFrame(rows, columns=["component", "cost_yuan", "in_objective"])


def records(table: pd.DataFrame) -> list[dict[str, Any]]:
    """Rows of a table as plain values, ready for JSON; what is not there, or is not finite, is None."""
    return [
        {str(name): _plain(cell) for name, cell in zip(table.columns, row, strict=True)}
        for row in table.itertuples(index=False, name=None)
    ]


def _plain(cell: Any) -> Any:
    value = cell.item() if isinstance(cell, np.generic) else cell
    return None if isinstance(value, float) and not np.isfinite(value) else value
