"""`xinjiang`: the base as the documents give it, sun and wind, and lines to the east that asks."""

from __future__ import annotations

from provgrid_seeds import build_national
from provgrid_seeds.build_part import cluster, layer, national_pools, plan_share_pflops, pools, provinces, tenants_of
from provgrid_seeds.build_rows import (
    Ledger,
    Record,
    assumed,
    contracts,
    fact_value,
    full_load_mw,
    in_words,
    sourced,
    value,
)
from provgrid_seeds.loader import figure

SITES = ("hami_yiwu", "tacheng_toli", "karamay", "urumqi")
EASTERN = ("hangzhou", "yrd_demo", "shenzhen", "beijing")
ASKING = ("xinjiang", "zhejiang", "shanghai", "jiangsu", "guangdong", "beijing")
USED = (
    "platform_share_national",
    "xinjiang_solar_share",
    "xinjiang_wind_share",
    "xinjiang_in_gbps",
    "gen_xinjiang_jobs",
    "gen_xinjiang_bases",
    "gen_xinjiang_largest_gang",
)


def scale() -> float:
    """Capacity that the document gives the base, over the sum of the sites in the clusters table."""
    return fact_value("xinjiang_cluster") / sum(figure("clusters", one, "capacity_pflops") for one in SITES)


def site_pools(cluster_id: str) -> list[Record]:
    """Rows of `pools` of a Xinjiang site: its part of the base's capacity."""
    sources = (f"clusters/{cluster_id}", "facts/xinjiang_cluster", assumed("platform_share_national"))
    return pools(cluster_id, plan_share_pflops(cluster_id) * scale(), *sources)


def site_contracts(cluster_id: str, load_mw: float) -> list[Record]:
    """Rows of `contracts`: more sun and wind than the site draws at its best hours."""
    rows = []
    for row in contracts(cluster_id, "xinjiang", load_mw):
        share = f"xinjiang_{row['energy']}_share"
        sources = ("renewables_annual/xinjiang", assumed(share, f"{row['energy']}_price", "renewable_carbon"))
        rows.append(sourced({**row, "capacity_mw": round(load_mw * value(share), 3)}, *sources))
    return rows


def network(regions: list[Record], clusters: list[Record]) -> tuple[list[Record], list[Record]]:
    """Rows of `links` and `routes` as in the national plan, with narrower lines into the Xinjiang sites."""
    links, routes = build_national.network(regions, clusters)
    narrow = [f"{site}_in" for site in SITES]
    price = f"network_costs/{build_national.private_line()}"
    return [
        sourced({**link, "bandwidth_gbps": value("xinjiang_in_gbps")}, price, assumed("xinjiang_in_gbps"))
        if link["id"] in narrow
        else link
        for link in links
    ], routes


def tables() -> dict[str, list[Record]]:
    """Tables of `xinjiang` that are its own; the others are those of `national`."""
    regions = provinces(*ASKING)
    by_cluster = {one: site_pools(one) for one in SITES} | {one: national_pools(one) for one in EASTERN}
    clusters = [cluster(name, rows) for name, rows in by_cluster.items()]
    links, routes = network(regions, clusters)
    pue = {one["id"]: one["pue"] for one in clusters}
    return {
        "regions": regions,
        "clusters": clusters,
        "contracts": [
            row for one in SITES for row in site_contracts(one, full_load_mw(by_cluster[one], float(pue[one])))
        ],
        "pools": [row for rows in by_cluster.values() for row in rows],
        "links": links,
        "routes": routes,
        "tenants": tenants_of(
            regions,
            "province",
            ("national_programme", "National programme", "programme", "gen_national_programme_share"),
        ),
    }


def settings() -> Record:
    """`scenario.toml`."""
    read = Ledger()
    training = {
        "jobs": read("gen_xinjiang_jobs"),
        "bases": read("gen_xinjiang_bases"),
        "largest_gang": read("gen_xinjiang_largest_gang"),
    }
    return layer(
        "xinjiang",
        "The Xinjiang base and the east: a week of July",
        "Four sites with together the 16,000 P that the document names, of which the plan may use its share, sun and "
        "wind beyond their load, and lines to five eastern provinces that ask for compute.",
        "national",
        in_words(*USED),
        generate={"training": training},
    )
