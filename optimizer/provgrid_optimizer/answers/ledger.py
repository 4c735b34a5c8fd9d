"""Who computes for whom: the route ledger by pair of provinces, and the renewable power that nobody takes.

Work that starts in one province and runs in another shows as a row of the ledger: how much of it, what moved, and what
it costs there. Energy, carbon and demand charge of a cluster above its idle floor are shared by kilowatt-hours, so that
the columns sum to the plan's costs.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from provgrid_models.capital import rents
from provgrid_optimizer.evaluate import power_parts

if TYPE_CHECKING:
    from provgrid_models.problem import Floats, Problem
    from provgrid_optimizer.plan import Plan

GB_PER_GBIT_S_HOUR = 450.0  # 3600 s / 8
COUNTS = ("jobs", "accelerator_h", "gb", "energy_kwh")
MONEY = ("energy_yuan", "carbon_yuan", "demand_charge_yuan", "transfer_yuan", "rent_yuan", "subsidy_yuan")


def ledger(plan: Plan) -> pd.DataFrame:
    """Return a row for each pair of provinces that work goes between: counts, energy, tariff, carbon and money.

    `jobs` counts placed jobs with all their copies; `gb` is what crosses at least one link, services included;
    `tariff_yuan_per_kwh` is what a kilowatt-hour of the pair's work costs; `capital_yuan` is the rent of the
    accelerator-hours at full cost, whichever basis the plan counts (NaN where a chip has no price). `rent_yuan` is the
    part of it that the plan's basis counts.
    """
    problem = plan.problem
    by_pool = _by_origin_and_pool(plan)
    home, there = provinces(plan)
    columns: dict[str, Any] = {
        "from_province": np.repeat(home, problem.n_pools),
        "to_province": np.tile(there, problem.n_origins),
    }
    frame = pd.DataFrame(columns | {name: values.ravel() for name, values in by_pool.items()})
    frame = frame[frame["accelerator_h"] > 0]
    table = frame.groupby(["from_province", "to_province"], as_index=False).sum(min_count=1)
    drawn = table["energy_kwh"].where(table["energy_kwh"] > 0)
    table.insert(list(table).index("energy_yuan"), "tariff_yuan_per_kwh", table["energy_yuan"] / drawn)
    return table


def provinces(plan: Plan) -> tuple[np.ndarray, np.ndarray]:
    """Province of each origin and of each pool; the places' own names where the plan came without a scenario."""
    problem, scenario = plan.problem, plan.scenario
    if scenario is None:
        names = problem.labels.origins or range(problem.n_origins), problem.labels.clusters or range(problem.n_clusters)
        home, cluster = (np.array([str(name) for name in one], dtype=object) for one in names)
    else:
        home = np.array([region.province or region.id for region in scenario.regions], dtype=object)
        cluster = np.array([one.province or one.id for one in scenario.clusters], dtype=object)
    return home, cluster[problem.pool_cluster]


def _by_origin_and_pool(plan: Plan) -> dict[str, Floats]:
    """Every column of the ledger by origin and pool, each of shape (R, P)."""
    problem, allocation = plan.problem, plan.allocation
    empty = (problem.n_origins, problem.n_pools)
    found = {name: np.zeros(empty) for name in (*COUNTS, "kg", *MONEY)}
    job, pool = allocation.job, allocation.pool
    at = problem.job_origin[job], pool
    copies = allocation.share * problem.job_weight[job]
    gigabytes = copies * (problem.data_gb[job] + problem.checkpoint_gb[job])
    hours = allocation.share * problem.placed_accelerator_hours(job, pool)
    public = hours * problem.public_yuan_per_h[problem.job_tenant[job] + 1, pool]
    np.add.at(found["jobs"], at, copies)
    np.add.at(found["gb"], at, np.where(problem.route_length[at] > 0, gigabytes, 0.0))
    np.add.at(found["transfer_yuan"], at, gigabytes * problem.gb_yuan[at])
    np.add.at(found["accelerator_h"], at, hours)
    np.add.at(found["subsidy_yuan"], at, -public)
    run = allocation.run_placement
    kw = problem.kw_per_accelerator[pool[run], allocation.run_period] * allocation.run_accelerators
    np.add.at(found["energy_kwh"], (at[0][run], pool[run]), kw * problem.hours[allocation.run_period])

    service, pool, period = allocation.serve_service, allocation.serve_pool, allocation.serve_period
    at = problem.service_origin[service], pool
    units = allocation.serve_units * problem.hours[period]
    hours = units * problem.accelerators_per_unit[service, pool]
    gigabytes = units * problem.service_gbps[service] * GB_PER_GBIT_S_HOUR
    public = hours * problem.public_yuan_per_h[problem.service_tenant[service] + 1, pool]
    np.add.at(found["gb"], at, np.where(problem.route_length[at] > 0, gigabytes, 0.0))
    np.add.at(found["transfer_yuan"], at, units * problem.service_yuan[service, pool])
    np.add.at(found["accelerator_h"], at, hours)
    np.add.at(found["subsidy_yuan"], at, -public)
    np.add.at(found["energy_kwh"], at, hours * problem.kw_per_accelerator[pool, period])

    found["rent_yuan"] = found["accelerator_h"] * problem.rent_yuan_per_h
    _share_power(problem, plan, found)
    found["capital_yuan"] = found["accelerator_h"] * _full_rents(plan)
    return found


def _share_power(problem: Problem, plan: Plan, found: dict[str, Floats]) -> None:
    """Share what power adds at each cluster by kilowatt-hours. `found` is modified in place."""
    drawn = np.bincount(
        problem.pool_cluster, weights=found["energy_kwh"].sum(axis=0), minlength=problem.n_clusters
    ).astype(np.float64)
    share = found["energy_kwh"] / np.where(drawn > 0, drawn, 1.0)[problem.pool_cluster]
    parts = power_parts(problem, plan.allocation)
    for column, part in (
        ("energy_yuan", parts.energy_yuan),
        ("carbon_yuan", parts.carbon_yuan),
        ("demand_charge_yuan", parts.demand_charge_yuan),
        ("kg", parts.kg),
    ):
        found[column] = share * part[problem.pool_cluster]


def _full_rents(plan: Plan) -> Floats:
    """Rent of each pool at full cost; NaN everywhere where one of them is not known."""
    full = plan.problem.rent_yuan_per_h if plan.scenario is None else rents(plan.scenario)
    return full if np.isfinite(full).all() and full.any() else np.full(full.shape, np.nan)


def curtailed(plan: Plan) -> pd.DataFrame:
    """Return a row for each contract: energy offered, taken and curtailed over the horizon, idle floor served too."""
    problem, blocks = plan.problem, np.flatnonzero(~plan.problem.block_is_grid)
    offered = problem.block_limit_kw[blocks] @ problem.hours
    taken = plan.allocation.block_kw[blocks] @ problem.hours
    cluster = problem.block_cluster[blocks]
    clusters, names = problem.labels.clusters, problem.labels.blocks
    return pd.DataFrame(
        {
            "cluster": cluster if clusters is None else [clusters[c] for c in cluster.tolist()],
            "block": blocks,
            "energy": blocks if names is None else [names[b] for b in blocks.tolist()],
            "offered_kwh": offered,
            "taken_kwh": taken,
            "curtailed_kwh": offered - taken,
            "curtailed_share": np.divide(offered - taken, offered, out=np.zeros(blocks.size), where=offered > 0),
        }
    )
