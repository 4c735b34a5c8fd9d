"""The first half of compiling: pools, supply and network of a scenario as the arrays of a `Problem`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from provgrid_models.capacity import installed_accelerators, usable_accelerators
from provgrid_models.capital import compile_terms
from provgrid_models.energy import busy_kw_per_accelerator, idle_floor_kw, scaled_demand_charge, supply_blocks
from provgrid_models.errors import ScenarioError
from provgrid_models.horizon import periods, profile_values, weights
from provgrid_models.latency import great_circle_km, round_trip_ms
from provgrid_models.problem import Bools, Floats, Ints
from provgrid_models.reasons import Reason

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from provgrid_models.scenario import Scenario

KW_PER_MW = 1000.0
KG_PER_T = 1000.0
ELSEWHERE = 3  # origin tier of a cluster that is neither near nor a hub


@dataclass(frozen=True)
class Sites:
    """Everything of a scenario that does not depend on its work."""

    fields: Mapping[str, Any]  # of `Problem`
    pool_chip: Ints  # (P,)
    pool_accelerators: Floats  # (P,) usable, at the most
    pool_yuan_per_h: Floats  # (P,) market price of one accelerator
    pool_zone: Ints  # (P,) zone group of the pool's cluster
    zone_group: Mapping[str, int]  # zones that count as one share a number
    round_trip_ms: Floats  # (R, P)

    def leaves_zone(self, zones: Sequence[str], residency: bool) -> Bools:
        """Whether data bound to each zone ("" = to none) would leave it, shape (zones, P)."""
        group = np.array([self.zone_group.get(zone, -2) if zone else -1 for zone in zones], dtype=np.int64)
        leaves = (group != -1)[:, None] & (group[:, None] != self.pool_zone[None, :])
        return np.asarray(leaves & residency, dtype=np.bool_)


def positions(rows: Iterable[Any]) -> dict[str, int]:
    """Position of every row by its id."""
    return {row.id: i for i, row in enumerate(rows)}


def find(place: Mapping[str, int], name: str, where: str) -> int:
    """Position of a name, or `ScenarioError` saying where it was used."""
    if name not in place:
        raise ScenarioError(f'{where} names "{name}", which no row has; run `provgrid check` for every finding')
    return place[name]


def compile_sites(scenario: Scenario) -> Sites:
    """Compile pools, supply and network. Raises `ScenarioError` at a reference that leads nowhere."""
    cluster_at, chip_at = positions(scenario.clusters), positions(scenario.chips)
    pool_cluster = np.array([find(cluster_at, p.cluster, f"pool {p.id}") for p in scenario.pools], dtype=np.int64)
    pool_chip = np.array([find(chip_at, p.chip, f"pool {p.id}") for p in scenario.pools], dtype=np.int64)
    installed = installed_accelerators(scenario, periods(scenario.settings.horizon).to_numpy())
    availability = np.array([p.availability for p in scenario.pools], dtype=np.float64)
    usable = usable_accelerators(installed, availability[:, None])
    tenant_at = positions(scenario.tenants)
    group = _zone_groups(scenario)
    network = _network(scenario, pool_cluster)
    supply = _supply(scenario, pool_cluster, pool_chip, installed)
    market = np.array([chip.market_price_yuan_per_h for chip in scenario.chips], dtype=np.float64)
    return Sites(
        fields={
            "period_h": scenario.settings.horizon.period_h,
            "weight": weights(scenario.settings.horizon),
            "capacity": usable,
            "pool_cluster": pool_cluster,
            "pool_tenant": np.array(
                [-1 if not p.tenant else find(tenant_at, p.tenant, f"pool {p.id}") for p in scenario.pools],
                dtype=np.int64,
            ),
            "origin_tier": _origin_tier(scenario)[:, pool_cluster],
            **supply,
            **network,
            **compile_terms(scenario, pool_cluster),
        },
        pool_chip=pool_chip,
        pool_accelerators=usable.max(axis=1),
        pool_yuan_per_h=market[pool_chip],
        pool_zone=np.array([group[c.zone] for c in scenario.clusters], dtype=np.int64)[pool_cluster],
        zone_group=group,
        round_trip_ms=_round_trips(scenario)[:, pool_cluster],
    )


def _zone_groups(scenario: Scenario) -> dict[str, int]:
    """Give every zone a number; those of one group in `switches.open_zones` share it."""
    zones = {region.zone for region in scenario.regions} | {cluster.zone for cluster in scenario.clusters}
    group = {zone: i for i, zone in enumerate(sorted(zones))}
    for joined in scenario.settings.switches.open_zones:
        merged = {group[zone] for zone in joined if zone in group}
        group = {zone: min(merged) if number in merged else number for zone, number in group.items()}
    return group


def _supply(scenario: Scenario, pool_cluster: Ints, pool_chip: Ints, installed: Floats) -> dict[str, Any]:
    """Power of accelerators, idle floor, supply blocks and prices."""
    settings, clusters, contracts = scenario.settings, scenario.clusters, scenario.contracts
    horizon = settings.horizon
    hours = horizon.period_h * weights(horizon)
    pue = np.array([c.pue for c in clusters])[pool_cluster]
    busy, idle, overhead = (
        np.array([getattr(chip, name) for chip in scenario.chips], dtype=np.float64)[pool_chip]
        for name in ("busy_kw", "idle_kw", "server_overhead")
    )
    cluster_at = positions(clusters)
    blocks = supply_blocks(
        grid_limit_kw=np.array([np.inf if c.grid_limit_mw is None else c.grid_limit_mw * KW_PER_MW for c in clusters]),
        grid_yuan_per_kwh=_profile_of(scenario, "tariffs", [c.tariff for c in clusters]),
        grid_kg_per_kwh=_profile_of(scenario, "carbon", [c.carbon for c in clusters]),
        contract_cluster=np.array([find(cluster_at, n.cluster, f"contract {n.id}") for n in contracts], dtype=np.int64),
        contract_kw=np.array([n.capacity_mw * KW_PER_MW for n in contracts], dtype=np.float64),
        capacity_factor=_profile_of(scenario, "renewables", [n.profile for n in contracts]),
        contract_yuan_per_kwh=np.array([n.price_yuan_per_kwh for n in contracts], dtype=np.float64),
        contract_kg_per_kwh=np.array([n.carbon_kg_per_kwh for n in contracts], dtype=np.float64),
        take_or_pay=np.array([n.take_or_pay for n in contracts], dtype=np.bool_),
        hours=hours,
    )
    floor = idle_floor_kw(installed, idle, overhead, pue, pool_cluster, len(clusters))
    charged = settings.switches.demand_charge and settings.prices.basis != "energy"
    charge = np.array([c.demand_charge_yuan_per_kw_month for c in clusters]) * charged
    budget_t = settings.limits.carbon_budget_t
    return {
        "kw_per_accelerator": np.repeat(
            busy_kw_per_accelerator(busy, idle, overhead, pue)[:, None], horizon.periods, axis=1
        ),
        "floor_kw": floor,
        "block_cluster": blocks.block_cluster,
        "block_limit_kw": blocks.block_limit_kw,
        "block_yuan_per_kwh": blocks.block_yuan_per_kwh,
        "block_kg_per_kwh": blocks.block_kg_per_kwh,
        "block_is_grid": blocks.block_is_grid,
        "demand_charge_yuan_per_kw": scaled_demand_charge(charge, float(hours.sum())),
        "carbon_yuan_per_kg": settings.prices.carbon_price_yuan_per_t / KG_PER_T,
        "carbon_budget_kg": np.inf if budget_t is None else budget_t * KG_PER_T,
        "take_or_pay_yuan": blocks.take_or_pay_yuan,
    }


def _profile_of(scenario: Scenario, table: str, names: Sequence[str | None]) -> Floats:
    """Profile of each name over the periods, shape (names, T); no name = always 1."""
    key, value = {
        "tariffs": ("tariff", "price_yuan_per_kwh"),
        "carbon": ("carbon", "carbon_kg_per_kwh"),
        "renewables": ("profile", "capacity_factor"),
    }[table]
    horizon = scenario.settings.horizon
    distinct = sorted({name for name in names if name})
    values = profile_values(getattr(scenario, table), key, value, distinct, horizon, table)
    at = {name: i for i, name in enumerate(distinct)}
    whole = np.ones((len(names), horizon.periods))
    for i, name in enumerate(names):
        if name:
            whole[i] = values[at[name]]
    return whole


def _network(scenario: Scenario, pool_cluster: Ints) -> dict[str, Any]:
    """Links, the links of every route, and the price of a GB on each."""
    link_at = positions(scenario.links)
    cluster_at, region_at = positions(scenario.clusters), positions(scenario.regions)
    billed = scenario.settings.prices.basis != "energy"
    price = np.array([link.price_yuan_per_gb * billed for link in scenario.links], dtype=np.float64)
    limited = scenario.settings.switches.links
    routes: dict[int, list[int]] = {}
    for route in scenario.routes:
        where = f"route {route.region} - {route.cluster}"
        pair = find(region_at, route.region, where) * len(cluster_at) + find(cluster_at, route.cluster, where)
        names = [name.strip() for name in (route.links or "").split(";")]
        routes[pair] = [find(link_at, name, where) for name in names if name]
    pairs = len(region_at) * len(cluster_at)
    length = np.array([len(routes.get(pair, ())) for pair in range(pairs)], dtype=np.int64)
    gb_yuan = np.array([price[routes[pair]].sum() if pair in routes else np.inf for pair in range(pairs)])
    gb_yuan = gb_yuan.reshape(len(region_at), len(cluster_at))[:, pool_cluster]
    return {
        "link_gbps": np.array(
            [link.bandwidth_gbps if limited else np.inf for link in scenario.links], dtype=np.float64
        ),
        "route_start": np.concatenate([[0], np.cumsum(length)]),
        "route_link": np.array([link for pair in range(pairs) for link in routes.get(pair, ())], dtype=np.int64),
        "gb_yuan": gb_yuan,
        "route_reason": np.where(np.isinf(gb_yuan), int(Reason.NO_ROUTE), 0),
    }


def _round_trips(scenario: Scenario) -> Floats:
    """Round trip between every region and cluster, shape (R, C) [ms]: given with the route, or by the formula."""
    region_at, cluster_at = positions(scenario.regions), positions(scenario.clusters)
    given = np.full((len(region_at), len(cluster_at)), np.nan)
    for route in scenario.routes:
        if route.round_trip_ms is not None:
            given[region_at[route.region], cluster_at[route.cluster]] = route.round_trip_ms
    figures = scenario.settings.latency
    distance_km = great_circle_km(
        np.array([r.latitude_deg for r in scenario.regions])[:, None],
        np.array([r.longitude_deg for r in scenario.regions])[:, None],
        np.array([c.latitude_deg for c in scenario.clusters])[None, :],
        np.array([c.longitude_deg for c in scenario.clusters])[None, :],
    )
    return round_trip_ms(
        distance_km,
        given,
        us_per_km=figures.us_per_km,
        route_factor=figures.route_factor,
        equipment_ms=figures.equipment_ms,
    )


def _origin_tier(scenario: Scenario) -> Ints:
    """Order in which work overflows, shape (R, C): 0 own city, 1 own province, 2 national hub, 3 elsewhere."""
    tier = np.full((len(scenario.regions), len(scenario.clusters)), ELSEWHERE, dtype=np.int64)
    for r, region in enumerate(scenario.regions):
        for c, cluster in enumerate(scenario.clusters):
            if cluster.tier == "city" and cluster.region == region.id:
                tier[r, c] = 0
            elif cluster.tier != "national_hub" and region.province and cluster.province == region.province:
                tier[r, c] = 1
            elif cluster.tier == "national_hub":
                tier[r, c] = 2
    return tier
