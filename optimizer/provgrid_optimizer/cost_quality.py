"""How sure a plan's cost is: the share of it that rests on measured, published, secondary and assumed figures.

Two views of each yuan of each cost component:

- by price: the quality of the price that it was billed at. Energy: the tariff of the hour, or the contract's price;
  carbon: the carbon price; demand charge: the charge per kW; network: the price of each link on the way; unserved work:
  the less sure of the multiple and the market rents, or the price that the work states itself; rent: the less sure of
  the chip's purchase price and the site's price per kW; subsidy: the terms of the tenant.
- by the weakest figure: the least sure of that price and of what says how much was bought. Energy, carbon and demand
  charge: PUE of the cluster, and power of the chip (busy, idle, server overhead); a cluster's bill is divided over its
  pools by their kilowatt-hours above the idle floor. Carbon: the intensity of the supply too. Rent and subsidy: what
  spreads a purchase over its life (rate, lives, use, what a server adds), PUE and power. The others as by price.

Bills are those above the idle floor, cell by cell of (supply block, period), so that the parts sum to the components.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from provgrid_models.horizon import profile_values
from provgrid_models.provenance import UNSTATED, profile_qualities
from provgrid_optimizer.evaluate import COMPONENTS, cluster_kwh
from provgrid_optimizer.ranges import route_links
from provgrid_seeds.loader import QUALITIES

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from provgrid_models.problem import Floats, Ints
    from provgrid_models.scenario import Scenario
    from provgrid_optimizer.plan import Plan

LEVELS = (*QUALITIES, UNSTATED)  # from the surest on
MOST_CANCELLED = 0.25  # of a sum, by parts of the other sign; beyond it shares of the sum mean nothing
GB_PER_GBPS_HOUR = 450.0  # 3600 s / 8 bit


@dataclass(frozen=True)
class Part:
    """Yuan of a component, shape (n,), with the level (position in `LEVELS`) of each in both views."""

    yuan: Floats
    by_price: Ints
    by_weakest: Ints


def cost_quality(plan: Plan) -> pd.DataFrame:
    """Yuan of each component by the quality they rest on: component, quality, by_price_yuan, by_weakest_yuan.

    Every component has a row for every quality that any yuan of it rests on in one of the views; "" = not stated. A
    plan of bare arrays has no sources, and an empty table.
    """
    columns = ["component", "quality", "by_price_yuan", "by_weakest_yuan"]
    if plan.scenario is None:
        return pd.DataFrame(columns=columns)
    levels = _Levels(plan.scenario)
    rows = []
    for component in COMPONENTS:
        part = PARTS[component](plan, levels)
        sums = [np.bincount(of, weights=part.yuan, minlength=len(LEVELS)) for of in (part.by_price, part.by_weakest)]
        there = [np.bincount(of[part.yuan != 0.0], minlength=len(LEVELS)) for of in (part.by_price, part.by_weakest)]
        rows += [
            (component, LEVELS[k], float(sums[0][k]), float(sums[1][k]))
            for k in np.flatnonzero(there[0] + there[1]).tolist()
        ]
    return pd.DataFrame(rows, columns=columns)


def cancels(parts: Iterable[float]) -> bool:
    """Whether parts of both signs take so much off each other that a share of their sum means nothing."""
    yuan = list(parts)
    gained, paid = -sum(one for one in yuan if one < 0), sum(one for one in yuan if one > 0)
    return min(gained, paid) > MOST_CANCELLED * abs(paid - gained)


def shares(table: pd.DataFrame) -> dict[str, dict[str, float]]:
    """Return the share of the objective by quality in each view, `by_price` and `by_weakest`.

    {} where it costs 0, or where what some figures earn cancels what others cost.
    """
    total = float(table["by_price_yuan"].sum()) if len(table) else 0.0
    if total == 0.0:
        return {}
    found: dict[str, dict[str, float]] = {}
    for view in ("by_price", "by_weakest"):
        yuan = table.groupby("quality")[f"{view}_yuan"].sum().to_dict()
        if cancels(yuan.values()):
            return {}
        found[view] = {level or "not stated": float(yuan[level]) / total for level in LEVELS if level in yuan}
    return found


class _Levels:
    """How sure each figure of a scenario is, as arrays in the order of the problem's ids."""

    def __init__(self, scenario: Scenario) -> None:
        self.scenario = scenario
        self._known = {one.path: LEVELS.index(one.quality) for one in scenario.provenance}
        cluster_at = {cluster.id: c for c, cluster in enumerate(scenario.clusters)}
        chip_at = {chip.id: k for k, chip in enumerate(scenario.chips)}
        power = self.least_sure("chips", scenario.chips, ("busy_kw", "idle_kw", "server_overhead"))
        pue = self.least_sure("clusters", scenario.clusters, ("pue",))
        cluster = np.array([cluster_at[pool.cluster] for pool in scenario.pools], dtype=np.int64)
        chip = np.array([chip_at[pool.chip] for pool in scenario.pools], dtype=np.int64)
        self.load = np.maximum(pue[cluster], power[chip])  # (P,)

    def at(self, path: str) -> int:
        """Level of one number; one that was never written is as unsure as one without a source."""
        return self._known.get(path, LEVELS.index(UNSTATED))

    def least_sure(self, table: str, rows: Sequence[Any], columns: Sequence[str]) -> Ints:
        """Level of the least sure of some columns of each row, shape (rows,)."""
        found = [[self._level(table, row, column) for column in columns] for row in rows]
        table_of_levels = np.array(found, dtype=np.int64).reshape(len(rows), len(columns))
        return np.asarray(table_of_levels.max(axis=1, initial=0), dtype=np.int64)

    def _level(self, table: str, row: Any, column: str) -> int:
        """Level of one cell; a default that nobody wrote means "none", and that is sure."""
        path = f"{table}.{row.id}.{column}"
        return self.at(path) if path in self._known or column in row.model_fields_set else 0

    def blocks(self, table: str, column: str, contract_column: str) -> Ints:
        """Level of a figure of each supply block in each period, (B, T): profile of the grid, column of contracts."""
        scenario = self.scenario
        names = [getattr(cluster, {"tariffs": "tariff", "carbon": "carbon"}[table]) for cluster in scenario.clusters]
        grid = self._profile(table, column, names)
        contracts = self.least_sure("contracts", scenario.contracts, (contract_column,))
        return np.concatenate([grid, np.repeat(contracts[:, None], grid.shape[1], axis=1)])

    def _profile(self, table: str, column: str, names: list[str]) -> Ints:
        """Level of the least sure row of a profile that each period touches, shape (names, T)."""
        frame, horizon = getattr(self.scenario, table), self.scenario.settings.horizon
        level = np.array([LEVELS.index(one) for one in profile_qualities(self.scenario, table)], dtype=np.int64)
        distinct = sorted(set(names))
        at = np.zeros((len(distinct), horizon.periods), dtype=np.int64)
        key = {"tariffs": "tariff", "carbon": "carbon"}[table]
        for k in range(1, int(level.max(initial=0)) + 1):
            unsure = frame.assign(**{column: (level >= k).astype(np.float64)})
            at += profile_values(unsure, key, column, distinct, horizon, table) > 0
        return at[[distinct.index(name) for name in names]]


def _energy(plan: Plan, levels: _Levels) -> Part:
    price = levels.blocks("tariffs", "price_yuan_per_kwh", "price_yuan_per_kwh")
    return _of_load(plan, levels, _block_kwh(plan) * plan.problem.block_yuan_per_kwh, price, price)


def _carbon(plan: Plan, levels: _Levels) -> Part:
    problem = plan.problem
    yuan = _block_kwh(plan) * problem.block_kg_per_kwh * problem.carbon_yuan_per_kg
    price = np.full(yuan.shape, levels.at("prices.carbon_price_yuan_per_t"))
    intensity = levels.blocks("carbon", "carbon_kg_per_kwh", "carbon_kg_per_kwh")
    return _of_load(plan, levels, yuan, price, np.maximum(price, intensity))


def _block_kwh(plan: Plan) -> Floats:
    """Energy from each block in each period above what the idle floor alone draws, shape (B, T)."""
    problem = plan.problem
    return np.asarray((plan.allocation.block_kw - problem.floor_supply.block_kw) * problem.hours)


def _of_load(plan: Plan, levels: _Levels, yuan: Floats, by_price: Ints, behind: Ints) -> Part:
    """Divide what each block (B, T) costs over the pools of its cluster, by their kilowatt-hours."""
    share = _pool_shares(plan)
    block, pool = np.nonzero(plan.problem.block_cluster[:, None] == plan.problem.pool_cluster[None, :])
    weakest = np.maximum(behind[block], levels.load[pool][:, None])
    return Part((yuan[block] * share[pool][:, None]).ravel(), by_price[block].ravel(), weakest.ravel())


def _pool_shares(plan: Plan) -> Floats:
    """Share of each pool in the kilowatt-hours of its cluster, shape (P,); equal where no work runs there."""
    problem, used = plan.problem, plan.usage.job_accelerators + plan.usage.service_accelerators
    kwh = (problem.kw_per_accelerator * used) @ problem.hours
    of_cluster = cluster_kwh(problem, used)[problem.pool_cluster]
    pools = np.bincount(problem.pool_cluster, minlength=problem.n_clusters)[problem.pool_cluster]
    return np.asarray(np.where(of_cluster > 0, kwh / np.where(of_cluster > 0, of_cluster, 1.0), 1.0 / pools))


def _demand_charge(plan: Plan, levels: _Levels) -> Part:
    problem = plan.problem
    yuan = problem.demand_charge_yuan_per_kw * (plan.allocation.peak_kw - problem.floor_supply.peak_kw)
    price = levels.least_sure("clusters", levels.scenario.clusters, ("demand_charge_yuan_per_kw_month",))
    pool_price = price[problem.pool_cluster]
    return Part(yuan[problem.pool_cluster] * _pool_shares(plan), pool_price, np.maximum(pool_price, levels.load))


def _network(plan: Plan, levels: _Levels) -> Part:
    """Price each link on the way of a job's data and of a service's traffic."""
    problem, placed = plan.problem, plan.allocation
    links, billed = levels.scenario.links, levels.scenario.settings.prices.basis != "energy"
    link_yuan = np.array([link.price_yuan_per_gb * billed for link in links], dtype=np.float64)
    level = levels.least_sure("links", links, ("price_yuan_per_gb",))
    moved = placed.share * (problem.job_weight * (problem.data_gb + problem.checkpoint_gb))[placed.job]
    sent = placed.serve_units * problem.hours[placed.serve_period]
    sent = sent * problem.service_gbps[placed.serve_service] * GB_PER_GBPS_HOUR
    yuan, at = [], []
    for gigabytes, origin, pool in (
        (moved, problem.job_origin[placed.job], placed.pool),
        (sent, problem.service_origin[placed.serve_service], placed.serve_pool),
    ):
        row, link = route_links(problem, origin, pool)
        yuan.append(gigabytes[row] * link_yuan[link])
        at.append(level[link])
    by_price = np.concatenate(at)
    return Part(np.concatenate(yuan), by_price, by_price)


def _rent(plan: Plan, levels: _Levels) -> Part:
    problem, (pool, _, hours) = plan.problem, _held(plan)
    by_price, by_weakest = _rent_levels(levels)
    return Part(hours * problem.rent_yuan_per_h[pool], by_price[pool], by_weakest[pool])


def _subsidy(plan: Plan, levels: _Levels) -> Part:
    """Price what the public purse bears, below 0: a share of the rent, and money for each accelerator-hour."""
    problem, (pool, tenant, hours) = plan.problem, _held(plan)
    terms = levels.least_sure("tenants", levels.scenario.tenants, ("rent_discount", "subsidy_yuan_per_accelerator_h"))
    by_price = np.append(terms, 0)[tenant]  # work without a tenant has no terms, and no public money
    by_rent = np.where(problem.rent_yuan_per_h[pool] > 0, _rent_levels(levels)[1][pool], 0)
    yuan = -hours * problem.public_yuan_per_h[tenant + 1, pool]
    return Part(yuan, by_price, np.maximum(by_price, by_rent))


def _held(plan: Plan) -> tuple[Ints, Ints, Floats]:
    """Pool, tenant (-1 = none) and accelerator-hours of every placement and every row of service."""
    problem, placed = plan.problem, plan.allocation
    service, pool = placed.serve_service, placed.serve_pool
    unit_hours = placed.serve_units * problem.hours[placed.serve_period]
    return (
        np.concatenate([placed.pool, pool]),
        np.concatenate([problem.job_tenant[placed.job], problem.service_tenant[service]]),
        np.concatenate(
            [
                placed.share * problem.placed_accelerator_hours(placed.job, placed.pool),
                problem.accelerators_per_unit[service, pool] * unit_hours,
            ]
        ),
    )


def _rent_levels(levels: _Levels) -> tuple[Ints, Ints]:
    """Level of the rent of each pool in both views, each (P,)."""
    scenario = levels.scenario
    price = dict(
        zip(
            (one.id for one in scenario.chips),
            levels.least_sure("chips", scenario.chips, ("price_yuan",)).tolist(),
            strict=True,
        )
    )
    everywhere = levels.at("capital.site_yuan_per_kw")
    site = {
        one.id: everywhere if one.site_yuan_per_kw is None else levels.at(f"clusters.{one.id}.site_yuan_per_kw")
        for one in scenario.clusters
    }
    by_price = np.array([max(price[pool.chip], site[pool.cluster]) for pool in scenario.pools], dtype=np.int64)
    spread = max(levels.at(f"capital.{name}") for name in type(scenario.settings.capital).model_fields)
    return by_price, np.maximum(np.maximum(by_price, spread), levels.load)


def _unserved(plan: Plan, levels: _Levels) -> Part:
    problem, placed, scenario = plan.problem, plan.allocation, levels.scenario
    rents = levels.least_sure("chips", scenario.chips, ("market_price_yuan_per_h",))
    rule = max(levels.at("prices.unserved_multiple"), int(rents.max(initial=0)))
    left = np.maximum(1.0 - placed.served_share(problem), 0.0) * problem.job_weight
    units = placed.unserved_units(problem) @ problem.hours
    yuan = np.concatenate([_soft(problem.unserved_yuan) * left, _soft(problem.service_unserved_yuan) * units])
    at = [
        np.where(_states(frame, column, labels), levels.at(f"{table}.*.{column}"), rule)
        for table, column, frame, labels in (
            ("jobs", "unserved_yuan", scenario.jobs, problem.labels.jobs or ()),
            ("services", "unserved_yuan_per_mtoken", scenario.services, problem.labels.services or ()),
        )
    ]
    by_price = np.concatenate(at).astype(np.int64)
    return Part(yuan, by_price, by_price)


def _soft(yuan: Floats) -> Floats:
    """Unserved value; hard work has none and is never left."""
    return np.where(np.isfinite(yuan), yuan, 0.0)


def _states(frame: pd.DataFrame, column: str, labels: Sequence[str]) -> Any:
    """Whether each piece of work states its own unserved value."""
    own = pd.Series(frame[column].notna().to_numpy(), index=frame["id"].to_numpy(dtype=object))
    return own.reindex(list(labels)).to_numpy(dtype=np.bool_) if len(labels) else np.zeros(0, dtype=np.bool_)


PARTS = {
    "energy": _energy,
    "carbon": _carbon,
    "demand_charge": _demand_charge,
    "network": _network,
    "rent": _rent,
    "subsidy": _subsidy,
    "unserved": _unserved,
}
