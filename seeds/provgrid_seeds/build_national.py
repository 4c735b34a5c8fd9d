"""`national`: 31 provinces of demand, all 21 clusters, one week of July."""

from __future__ import annotations

from datetime import datetime

from provgrid_seeds import build_demand, loader
from provgrid_seeds.build_rows import (
    CHIPS,
    FAMILIES,
    Ledger,
    Record,
    assumed,
    bindings,
    capital_settings,
    carbon_key,
    carbon_rows,
    chip,
    contracts,
    family,
    full_load_mw,
    in_words,
    latency_settings,
    named,
    pool,
    renewable_rows,
    sourced,
    supply,
    tariff_rows,
    unique,
    value,
    week,
    with_sources,
)
from provgrid_seeds.loader import TableRow, figure

CITY_CLUSTERS = ("hangzhou", "shanghai", "shenzhen", "beijing", "wuhan")
WITH_CONTRACTS = {
    "zhangjiakou": "hebei",
    "horinger": "inner_mongolia",
    "ulanqab": "inner_mongolia",
    "guian": "guizhou",
    "qingyang": "gansu",
    "zhongwei": "ningxia",
    "hami_yiwu": "xinjiang",
    "tacheng_toli": "xinjiang",
    "karamay": "xinjiang",
    "urumqi": "xinjiang",
    "xining_haidong": "qinghai",
}


def zone_of(province: object) -> str:
    """Name the data zone of a province: its own."""
    return str(province).lower().replace(" ", "_")


def region(row: TableRow) -> Record:
    """Row of `regions` for a province."""
    return sourced(
        {
            "id": row["id"],
            "name": row["name_en"],
            "name_zh": row["name_zh"],
            "province": row["province"],
            "zone": zone_of(row["province"]),
            "latitude_deg": row["lat"],
            "longitude_deg": row["lon"],
            "population_million": row["population_million"],
            "gdp_billion_yuan": row["gdp_bn_yuan"],
            "demand_weight": row["demand_weight_default"],
        },
        f"demand_regions/{row['id']}",
    )


def pools_of(cluster: str) -> list[Record]:
    """Rows of `pools` of one cluster: the planned share of its capacity, by its assumed chip mix."""
    capacity = figure("clusters", cluster, "capacity_pflops") * value("platform_share_national")
    known = {str(row["id"]) for row in loader.table("assumptions")}
    mix = {name: f"chip_mix_{cluster}_{name}" for name in CHIPS}
    sources = (f"clusters/{cluster}", assumed("platform_share_national"))
    return [pool(cluster, name, capacity, mix_id, *sources) for name, mix_id in mix.items() if mix_id in known]


def cluster(row: TableRow, pools: list[Record]) -> Record:
    """Row of `clusters`."""
    cluster_id, province = str(row["id"]), str(row["province"])
    side = "west" if row["role"] == "west" else "east"
    pue = figure("clusters", cluster_id, "pue_typical")
    tariff_source, tariff = supply(str(row["tariff_key"]))
    own_city = cluster_id in CITY_CLUSTERS
    limit = round(full_load_mw(pools, pue) * value(f"grid_limit_{side}"), 3)
    return sourced(
        {
            "id": cluster_id,
            "name": row["name_en"],
            "name_zh": row["name_zh"],
            "province": province,
            "region": zone_of(province) if own_city else None,
            "zone": zone_of(province),
            "tier": "city" if own_city else "national_hub" if row["edwc_cluster"] == 1.0 else "provincial",
            "latitude_deg": row["lat"],
            "longitude_deg": row["lon"],
            "pue": pue,
            **tariff,
            "carbon": carbon_key(province),
            "grid_limit_mw": limit,
        },
        f"clusters/{cluster_id}",
        tariff_source,
        f"emission_factors/{carbon_key(province)}",
        assumed(f"grid_limit_{side}"),
    )


def network(regions: list[Record], clusters: list[Record]) -> tuple[list[Record], list[Record]]:
    """Rows of `links` and `routes`: out of the province, into the cluster; inside a province no link."""
    price = figure("network_costs", private_line(), "typical") / 2  # half on each of the two links
    links = [
        sourced(
            {
                "id": f"{one['id']}_{way}",
                "from_place": one["id"] if way == "out" else "backbone",
                "to_place": "backbone" if way == "out" else one["id"],
                "bandwidth_gbps": value(f"nat_{way}_gbps"),
                "price_yuan_per_gb": price,
            },
            f"network_costs/{private_line()}",
            assumed(f"nat_{way}_gbps"),
        )
        for places, way in ((regions, "out"), (clusters, "in"))
        for one in places
    ]
    routes = [
        sourced(
            {
                "region": here["id"],
                "cluster": there["id"],
                "links": None if here["zone"] == there["zone"] else f"{here['id']}_out;{there['id']}_in",
            },
            assumed("nat_out_gbps", "nat_in_gbps"),
        )
        for here in regions
        for there in clusters
    ]
    return links, routes


def private_line() -> str:
    """Id of the row of network_costs with the default price of bulk data over a private line."""
    rows = [row for row in loader.table("network_costs") if row["item"] == "default_scenario"]
    return str(next(row["id"] for row in rows if "private line" in str(row["scope"])))


def settings() -> Record:
    """`scenario.toml`."""
    read = Ledger()
    follow = build_demand.weights(read)
    one = build_demand.service_class
    classes = [
        one(read, "control", "vision", "network_rtt", limit="national_video"),
        one(read, "embedding", "recommendation", "ttft"),
        one(read, "chat", "moe_llm", "ttft"),
        one(read, "agent", "dense_llm", "ttft"),
        one(read, "reasoning", "reasoning", "tpot", shape="deepseek_r1"),
    ]
    programme = {"national_programme": read("gen_national_programme_share")}
    generate = {
        "training": build_demand.training("national", read, programme, follow),
        "inference": build_demand.inference("national", read, classes, {}, follow),
    }
    document = {
        "name": "national",
        "title": "East Data, West Computing: a week of July",
        "description": "31 provinces ask, 21 clusters supply. Capacity is the share of each cluster that the plan may "
        "use; chip mixes, contracts and bandwidths are named assumptions.",
        "horizon": week(datetime(2026, 7, 13)),
        "prices": {
            "carbon_price_yuan_per_t": named("assumptions", "no_carbon_price", "value"),
            "unserved_multiple": read("unserved_multiple"),
        },
        "capital": capital_settings(read),
        "latency": latency_settings(),
        "assumptions": in_words(*read.used, "platform_share_national", "queue_ms"),
        "generate": generate,
    }
    return with_sources(document)


def tables() -> dict[str, list[Record]]:
    """Every table of the scenario."""
    regions = [region(row) for row in loader.table("demand_regions") if row["level"] == "province"]
    pools = {str(row["id"]): pools_of(str(row["id"])) for row in loader.table("clusters")}
    clusters = [cluster(row, pools[str(row["id"])]) for row in loader.table("clusters")]
    pue = {one["id"]: one["pue"] for one in clusters}
    contracted = [
        record
        for name, province in WITH_CONTRACTS.items()
        for record in contracts(name, province, full_load_mw(pools[name], pue[name]))
    ]
    links, routes = network(regions, clusters)
    tenants = [sourced({"id": one["id"], "name": one["name"], "kind": "province"}, one["source"]) for one in regions]
    programme = {"id": "national_programme", "name": "National programme", "kind": "programme"}
    tenants.append(sourced(programme, assumed("gen_national_programme_share")))
    return {
        "regions": regions,
        "clusters": clusters,
        "contracts": contracted,
        "chips": [chip(name) for name in CHIPS],
        "pools": [record for records in pools.values() for record in records],
        "links": links,
        "routes": routes,
        "families": [family(name) for name in FAMILIES],
        "bindings": bindings(tuple(FAMILIES), CHIPS),
        "tenants": tenants,
        "tariffs": tariff_rows(unique([one["tariff"] for one in clusters])),
        "renewables": renewable_rows(unique([one["profile"] for one in contracted])),
        "carbon": carbon_rows(unique([one["carbon"] for one in clusters])),
    }
