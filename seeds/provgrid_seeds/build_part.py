"""A part of the country as a layer over `national`: fewer regions and clusters, the same chips, models and tariffs."""

from __future__ import annotations

from typing import Any

from provgrid_seeds import build_national
from provgrid_seeds.build_rows import CHIPS, Record, assumed, pool, sourced, value, with_sources
from provgrid_seeds.loader import figure, table, table_row

HORIZON_H = 168


def provinces(*names: str) -> list[Record]:
    """Rows of `regions` for some provinces."""
    return [build_national.region(table_row("demand_regions", name)) for name in names]


def pools(cluster_id: str, capacity_pflops: float, *sources: str) -> list[Record]:
    """Rows of `pools` of a cluster of the clusters table, at another capacity but with its chip mix."""
    known = {str(row["id"]) for row in table("assumptions")}
    mix = {chip: f"chip_mix_{cluster_id}_{chip}" for chip in CHIPS}
    return [
        pool(cluster_id, chip, capacity_pflops, mix_id, *sources) for chip, mix_id in mix.items() if mix_id in known
    ]


def national_pools(cluster_id: str) -> list[Record]:
    """Rows of `pools` of a cluster as the national plan has them."""
    return build_national.pools_of(cluster_id)


def plan_share_pflops(cluster_id: str) -> float:
    """Capacity of a cluster that the national plan may use [PFLOPS]."""
    return figure("clusters", cluster_id, "capacity_pflops") * value("platform_share_national")


def cluster(cluster_id: str, its_pools: list[Record]) -> Record:
    """Row of `clusters` for a cluster of the table."""
    return build_national.cluster(table_row("clusters", cluster_id), its_pools)


def tenants_of(regions: list[Record], kind: str, *others: tuple[str, str, str, str]) -> list[Record]:
    """Rows of `tenants`: each region, and others as (id, name, kind, assumption that brings them in)."""
    rows = [sourced({"id": one["id"], "name": one["name"], "kind": kind}, one["source"]) for one in regions]
    return rows + [sourced({"id": i, "name": name, "kind": of_kind}, assumed(why)) for i, name, of_kind, why in others]


def layer(
    name: str,
    title: str,
    description: str,
    base: str,
    assumptions: list[str],
    tables: dict[str, str] | None = None,
    **settings: Any,
) -> Record:
    """`scenario.toml` of a layer over a built-in scenario; `tables` are sources of tables without a source column."""
    head = {"extends": f"builtin:{base}", "name": name, "title": title, "description": description}
    return with_sources({**head, "assumptions": assumptions, **settings}, **(tables or {}))
