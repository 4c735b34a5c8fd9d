"""The grid of a scenario as a case's figures: time, pools, power supply and network, read from the tables once more."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import lru_cache
from typing import TYPE_CHECKING, Any

import numpy as np

from provgrid_models.capacity import usable_accelerators
from provgrid_models.energy import busy_kw_per_accelerator, idle_floor_kw, scaled_demand_charge
from provgrid_models.errors import ScenarioError
from provgrid_models.latency import great_circle_km, round_trip_ms
from provgrid_models.reasons import Reason
from provgrid_models.tables import season_of_month

if TYPE_CHECKING:
    import pandas as pd

    from provgrid_models.scenario import CapitalSettings, Chip, Cluster, Horizon, Link, Scenario
    from provgrid_optimizer.audit.case import Bools, Floats, Ints

KW_PER_MW = 1000.0
KG_PER_T = 1000.0
HOURS_PER_YEAR = 365 * 24
SLIVER = 1e-6  # of a period: what times in whole microseconds may leave over


@dataclass(frozen=True)
class Grid:
    """Figures that do not depend on the work: fields of `AuditCase`, and what closes pools."""

    fields: dict[str, Any]
    pool_chip: Ints  # (P,)
    pool_accelerators: Floats  # (P,) usable
    pool_yuan_per_h: Floats  # (P,) market price of one accelerator
    round_trip_ms: Floats  # (R, P)
    may_enter: dict[str, Bools]  # data zone -> (P,): pools where data of that zone may go


def positions(rows: Sequence[Any]) -> dict[str, int]:
    """Position of each id."""
    return {row.id: i for i, row in enumerate(rows)}


def read_grid(scenario: Scenario) -> Grid:
    """Figures of pools, supply and network; every profile and price is looked up anew."""
    horizon = scenario.settings.horizon
    cluster_at, chip_at = positions(scenario.clusters), positions(scenario.chips)
    pools = scenario.pools
    pool_cluster = np.array([cluster_at[pool.cluster] for pool in pools], dtype=np.int64)
    chips = [scenario.chips[chip_at[pool.chip]] for pool in pools]
    installed = _installed(scenario)
    usable = usable_accelerators(installed, np.array([[pool.availability] for pool in pools]))
    pue = np.array([scenario.clusters[c].pue for c in pool_cluster], dtype=np.float64)
    idle = np.array([chip.idle_kw for chip in chips])
    overhead = np.array([chip.server_overhead for chip in chips])
    busy_kw = busy_kw_per_accelerator(np.array([chip.busy_kw for chip in chips]), idle, overhead, pue)
    floor = idle_floor_kw(installed, idle, overhead, pue, pool_cluster, len(scenario.clusters))
    weight = period_weights(horizon)
    over_time = np.ones(horizon.periods)
    return Grid(
        fields={
            "period_h": horizon.period_h,
            "weight": weight,
            "capacity": usable,
            "kw_per_accelerator": busy_kw[:, None] * over_time,
            "pool_cluster": pool_cluster,
            "floor_kw": floor,
            **_supply(scenario, weight * horizon.period_h),
            **_network(scenario, pool_cluster),
            **_terms(scenario),
            "ports_yuan": _ports(scenario, float(weight.sum()) * horizon.period_h),
        },
        pool_chip=np.array([chip_at[pool.chip] for pool in pools], dtype=np.int64),
        pool_accelerators=usable.max(axis=1),
        pool_yuan_per_h=np.array([chip.market_price_yuan_per_h for chip in chips], dtype=np.float64),
        round_trip_ms=_round_trips(scenario)[:, pool_cluster],
        may_enter=_zones(scenario, pool_cluster),
    )


def _installed(scenario: Scenario) -> Floats:
    """Accelerators of each pool in each period, those that join it by then included, shape (P, T)."""
    rows = []
    for pool in scenario.pools:
        steps = [(step.start, step.accelerators) for step in scenario.expansions if step.pool == pool.id]
        rows.append(
            [
                pool.accelerators + sum(more for since, more in steps if since <= begins)
                for begins in _period_starts(scenario.settings.horizon)
            ]
        )
    return np.array(rows, dtype=np.float64)


# Time ----------------------------------------------------------------------------------------------------------


def period_weights(horizon: Horizon) -> Floats:
    """Real periods that each period stands for, shape (T,)."""
    weight = [block.weight for block in horizon.blocks for _ in range(block.periods)]
    return np.array(weight or [1.0] * horizon.periods, dtype=np.float64)


def _period_starts(horizon: Horizon) -> list[datetime]:
    blocks = [(block.start, block.periods) for block in horizon.blocks] or [(horizon.start, horizon.periods)]
    return [start + timedelta(hours=horizon.period_h * i) for start, periods in blocks for i in range(periods)]


def _by_clock_hour(start: datetime, end: datetime) -> list[tuple[datetime, float]]:
    """Cut a stretch of time at every full hour: where each piece begins, and how many hours long it is."""
    full = start.replace(minute=0, second=0, microsecond=0)
    cuts = [start]
    while (full := full + timedelta(hours=1)) < end:
        cuts.append(full)
    pieces = zip(cuts, [*cuts[1:], end], strict=True)
    lengths = [(at, (until - at) / timedelta(hours=1)) for at, until in pieces]
    shortest_h = SLIVER * ((end - start) / timedelta(hours=1))
    return [(at, length_h) for at, length_h in lengths if length_h > shortest_h]


_Parts = tuple[tuple[str, int, float], ...]  # season, clock hour, and hours of a period that lie in it


@lru_cache(maxsize=4)
def _clock_hours(horizon: Horizon) -> tuple[_Parts, ...]:
    """Parts of each period, shape (T,); they are the same for every profile."""
    length = timedelta(hours=horizon.period_h)
    return tuple(
        tuple(
            (season_of_month(when.month), when.hour, part_h) for when, part_h in _by_clock_hour(start, start + length)
        )
        for start in _period_starts(horizon)
    )


def profile(table: pd.DataFrame, key: str, name: str, value: str, horizon: Horizon) -> Floats:
    """Values of one profile over the periods, shape (T,); the row that says most about a period holds.

    A row names a period; or season and hour; or the hour; or the season; or nothing. A period that touches
    several clock hours takes their mean, weighted by how long it lies in each.
    """
    rows = table[table[key] == name]
    season = rows["season"].fillna("").astype(str)
    known = {
        (s, int(h), int(t)): float(v)
        for s, h, t, v in zip(season, rows["hour"], rows["period"], rows[value], strict=True)
    }

    def at_hour(season: str, hour: int) -> float:
        for row in ((season, hour, -1), ("", hour, -1), (season, -1, -1), ("", -1, -1)):
            if row in known:
                return known[row]
        return np.nan

    def mean_of(parts: _Parts) -> float:
        return sum(at_hour(season, hour) * part_h for season, hour, part_h in parts) / sum(
            part_h for *_, part_h in parts
        )

    by_period = {t: v for (_, _, t), v in known.items() if t >= 0}
    values = [by_period[t] if t in by_period else mean_of(parts) for t, parts in enumerate(_clock_hours(horizon))]
    if np.isnan(values).any():
        t = int(np.argmax(np.isnan(values)))
        raise ScenarioError(f"{key} {name} has no value for period {t}; add a row for its season and hour")
    return np.array(values)


# Power ---------------------------------------------------------------------------------------------------------


def _supply(scenario: Scenario, hours: Floats) -> dict[str, Any]:
    """Blocks (the grid of each cluster, then each contract), their prices, and what emissions and peaks cost."""
    settings, horizon = scenario.settings, scenario.settings.horizon
    cluster_at = positions(scenario.clusters)
    over_time = np.ones(horizon.periods)
    known: dict[tuple[str, str], Floats] = {}

    def values(kind: str, key: str, name: str, value: str) -> Floats:
        if (kind, name) not in known:
            known[kind, name] = profile(getattr(scenario, kind), key, name, value, horizon)
        return known[kind, name]

    limit, price, kilograms, cluster = [], [], [], []
    for c, row in enumerate(scenario.clusters):
        cluster.append(c)
        limit.append((np.inf if row.grid_limit_mw is None else row.grid_limit_mw * KW_PER_MW) * over_time)
        price.append(values("tariffs", "tariff", row.tariff, "price_yuan_per_kwh"))
        kilograms.append(values("carbon", "carbon", row.carbon, "carbon_kg_per_kwh"))
    paid_anyway = 0.0
    for contract in scenario.contracts:
        name = contract.profile
        factor = over_time if not name else values("renewables", "profile", name, "capacity_factor")
        offered = contract.capacity_mw * KW_PER_MW * factor
        cluster.append(cluster_at[contract.cluster])
        limit.append(offered)
        price.append((0.0 if contract.take_or_pay else contract.price_yuan_per_kwh) * over_time)
        kilograms.append(contract.carbon_kg_per_kwh * over_time)
        if contract.take_or_pay:
            paid_anyway += contract.price_yuan_per_kwh * float(offered @ hours)
    charge = np.array([row.demand_charge_yuan_per_kw_month for row in scenario.clusters], dtype=np.float64)
    budget_t = settings.limits.carbon_budget_t
    return {
        "block_cluster": np.array(cluster, dtype=np.int64),
        "block_limit_kw": np.array(limit),
        "block_yuan_per_kwh": np.array(price),
        "block_kg_per_kwh": np.array(kilograms),
        "block_is_grid": np.arange(len(cluster)) < len(scenario.clusters),
        "demand_charge_yuan_per_kw": scaled_demand_charge(charge, float(hours.sum()))
        if settings.switches.demand_charge and settings.prices.basis != "energy"
        else np.zeros(charge.size),
        "carbon_yuan_per_kg": settings.prices.carbon_price_yuan_per_t / KG_PER_T,
        "carbon_budget_kg": np.inf if budget_t is None else budget_t * KG_PER_T,
        "take_or_pay_yuan": paid_anyway,
    }


# Capital -------------------------------------------------------------------------------------------------------


def _terms(scenario: Scenario) -> dict[str, Any]:
    """Rent of an accelerator-hour in each pool, and what each tenant is spared of it."""
    cluster_at, chip_at = positions(scenario.clusters), positions(scenario.chips)
    pools = [(scenario.clusters[cluster_at[p.cluster]], scenario.chips[chip_at[p.chip]]) for p in scenario.pools]
    owed = scenario.settings.prices.basis == "full"
    held = [[t.terms_province in (None, cluster.province) for cluster, _ in pools] for t in scenario.tenants]
    valid = np.array(held, dtype=np.float64).reshape(len(scenario.tenants), len(pools))
    discount = np.array([t.rent_discount for t in scenario.tenants]).reshape(-1, 1)
    subsidy = np.array([t.subsidy_yuan_per_accelerator_h for t in scenario.tenants]).reshape(-1, 1)
    return {
        "rent_yuan_per_h": np.array([_rent(scenario, *one) if owed else 0.0 for one in pools], dtype=np.float64),
        "rent_discount": valid * discount,
        "subsidy_yuan_per_h": valid * subsidy,
    }


def _rent(scenario: Scenario, cluster: Cluster, chip: Chip) -> float:
    """Yearly instalments of chip and site, over the hours that the accelerator is in use."""
    capital = scenario.settings.capital
    if chip.price_yuan is None:
        raise ScenarioError(f"chip {chip.id} has no price_yuan, so its full cost is not known; give it a price")
    per_kw = capital.site_yuan_per_kw if cluster.site_yuan_per_kw is None else cluster.site_yuan_per_kw
    drawn_kw = chip.busy_kw * chip.server_overhead * cluster.pue
    yearly = _instalment(chip.price_yuan * capital.server_capital_factor, capital.chip_life_years, capital)
    yearly += _instalment(per_kw * drawn_kw, capital.site_life_years, capital)
    return yearly / (HOURS_PER_YEAR * capital.planned_utilisation)


def _instalment(price: float, years: float, capital: CapitalSettings) -> float:
    """Pay a price off in equal yearly parts."""
    growth = (1.0 + capital.discount_rate) ** years
    return price * capital.discount_rate * growth / (growth - 1.0) if growth > 1.0 else price / years


def _ports(scenario: Scenario, horizon_h: float) -> float:
    """Cost over the horizon of the ports that are paid for."""
    opened = [row for row in scenario.bindings if f"{row.family}/{row.chip}" in scenario.settings.ports]
    capital = scenario.settings.capital
    yearly = sum(_instalment(row.port_yuan or 0.0, row.port_life_years, capital) for row in opened)
    return yearly * horizon_h / HOURS_PER_YEAR


# Network -------------------------------------------------------------------------------------------------------


def _network(scenario: Scenario, pool_cluster: Ints) -> dict[str, Any]:
    """Links, routes as lists of links, and yuan per GB; a pair without a row has no route."""
    link_at = positions(scenario.links)
    links_of = {(row.region, row.cluster): _links_named(row.links, link_at) for row in scenario.routes}
    pairs = [(region.id, cluster.id) for region in scenario.regions for cluster in scenario.clusters]
    routes = [links_of.get(pair) for pair in pairs]

    def yuan_per_gb(route: list[int] | None) -> float:
        if route is not None and scenario.settings.prices.basis == "energy":
            return 0.0
        return np.inf if route is None else sum(scenario.links[k].price_yuan_per_gb for k in route)

    gb_yuan = np.array([yuan_per_gb(route) for route in routes], dtype=np.float64)
    gb_yuan = gb_yuan.reshape(len(scenario.regions), len(scenario.clusters))[:, pool_cluster]

    def bandwidth(link: Link) -> float:
        return link.bandwidth_gbps if scenario.settings.switches.links else np.inf

    return {
        "link_gbps": np.array([bandwidth(link) for link in scenario.links], dtype=np.float64),
        "route_start": np.cumsum([0, *(len(route or ()) for route in routes)]).astype(np.int64),
        "route_link": np.array([k for route in routes for k in route or ()], dtype=np.int64),
        "gb_yuan": gb_yuan,
        "route_reason": np.where(np.isinf(gb_yuan), int(Reason.NO_ROUTE), 0).astype(np.int64),
    }


def _links_named(links: str | None, link_at: dict[str, int]) -> list[int]:
    return [link_at[name.strip()] for name in (links or "").split(";") if name.strip()]


def _round_trips(scenario: Scenario) -> Floats:
    """Round trip of every region and cluster, shape (R, C) [ms]: given with the route, else by the formula."""
    given_ms = {(row.region, row.cluster): row.round_trip_ms for row in scenario.routes}
    given = [[given_ms.get((region.id, cluster.id)) for cluster in scenario.clusters] for region in scenario.regions]

    def places(rows: Sequence[Any]) -> tuple[Floats, Floats]:
        return np.array([row.latitude_deg for row in rows]), np.array([row.longitude_deg for row in rows])

    (latitude, longitude), (to_latitude, to_longitude) = places(scenario.regions), places(scenario.clusters)
    latency = scenario.settings.latency
    return round_trip_ms(
        great_circle_km(latitude[:, None], longitude[:, None], to_latitude[None, :], to_longitude[None, :]),
        np.array(given, dtype=np.float64),
        us_per_km=latency.us_per_km,
        route_factor=latency.route_factor,
        equipment_ms=latency.equipment_ms,
    )


def _zones(scenario: Scenario, pool_cluster: Ints) -> dict[str, Bools]:
    """Pools that data of each zone may enter, (P,) by zone: those of its own zone and of zones that count as one."""
    switches = scenario.settings.switches
    zones = {region.zone for region in scenario.regions} | {cluster.zone for cluster in scenario.clusters}
    groups: list[set[str]] = [{zone} for zone in zones]
    for joined in switches.open_zones:
        touched = [group for group in groups if group & set(joined)]
        groups = [group for group in groups if not group & set(joined)]
        if touched:
            groups.append(set().union(*touched))
    zone_of_pool = [scenario.clusters[c].zone for c in pool_cluster]
    allowed = {
        zone: np.array([not switches.residency or z in group for z in zone_of_pool], dtype=np.bool_)
        for group in groups
        for zone in group
    }
    return {"": np.ones(pool_cluster.size, dtype=np.bool_), **allowed}
