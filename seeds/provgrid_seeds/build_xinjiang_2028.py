"""`xinjiang-2028`: the base after the part of its investment that buys computing power."""

from __future__ import annotations

from provgrid_seeds.build_part import cluster, layer
from provgrid_seeds.build_rows import Record, assumed, fact_value, full_load_mw, in_words, sourced, value
from provgrid_seeds.build_xinjiang import SITES, USED, site_contracts, site_pools
from provgrid_seeds.loader import figure

GROWN_CHIP = "ascend_910c"  # what the investment buys
GROWTH = ("xinjiang_compute_share", "capital_server_capital_factor", "capital_site_yuan_per_kw")


def grown_pflops() -> float:
    """Capacity that the compute part of the investment buys, chips with servers and sites [PFLOPS]."""
    chip_yuan = figure("chips", GROWN_CHIP, "price_yuan") * value("capital_server_capital_factor")
    kw = figure("chips", GROWN_CHIP, "tdp_w") / 1000.0 * figure("chips", GROWN_CHIP, "server_overhead_factor")
    site_yuan = value("capital_site_yuan_per_kw") * kw * figure("clusters", SITES[0], "pue_typical")
    yuan = fact_value("xinjiang_investment") * 1e9 * value("xinjiang_compute_share")
    return yuan / (chip_yuan + site_yuan) * figure("chips", GROWN_CHIP, "fp16_tflops_dense") / 1000.0


def tables() -> dict[str, list[Record]]:
    """Pools, clusters and contracts after the investment, spread over the sites as their capacity is."""
    total = sum(figure("clusters", one, "capacity_pflops") for one in SITES)
    rows, clusters, contracted = [], [], []
    for one in SITES:
        part = grown_pflops() * figure("clusters", one, "capacity_pflops") / total * value("platform_share_national")
        added = round(part * 1000.0 / figure("chips", GROWN_CHIP, "fp16_tflops_dense") / 8) * 8
        before = site_pools(one)
        already = sum(row["accelerators"] for row in before if row["chip"] == GROWN_CHIP)
        sources = ("facts/xinjiang_investment", f"clusters/{one}", f"chips/{GROWN_CHIP}")
        grown = sourced(
            {
                "id": f"{one}/{GROWN_CHIP}",
                "cluster": one,
                "chip": GROWN_CHIP,
                "accelerators": already + added,
                "availability": value("availability"),
            },
            *sources,
            assumed(*GROWTH, "platform_share_national", "availability"),
        )
        rows.append(grown)
        after = [row for row in before if row["chip"] != GROWN_CHIP] + [grown]
        site = cluster(one, after)
        clusters.append({key: site[key] for key in ("id", "grid_limit_mw", "source", "quality")})
        load = full_load_mw(after, float(site["pue"]))
        contracted += [
            {key: row[key] for key in ("id", "capacity_mw", "source", "quality")} for row in site_contracts(one, load)
        ]
    return {"pools.patch": rows, "clusters.patch": clusters, "contracts.patch": contracted}


def settings() -> Record:
    """`scenario.toml`."""
    return layer(
        "xinjiang-2028",
        "The Xinjiang base after the investment",
        "As xinjiang, with the accelerators that the compute part of the 170 billion yuan buys, their sites, and "
        "contracts and grid connections that grow with them.",
        "xinjiang",
        in_words(*USED, *GROWTH),
    )
