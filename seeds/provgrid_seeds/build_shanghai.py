"""`shanghai`: capacity that grows by date along the acceleration plan, and a test and evaluation centre in the city.

Four blocks of two days stand for the time until the next of them; accelerators join their pools when a block begins.
"""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

from provgrid_seeds import build_national, build_rows
from provgrid_seeds.build_national import zone_of
from provgrid_seeds.build_part import cluster, layer, national_pools, provinces, tenants_of
from provgrid_seeds.build_rows import GANG_STEP, Ledger, Record, assumed, derived, in_words, sourced, value
from provgrid_seeds.loader import table_row

BLOCK_H = int(value("shanghai_block_hours"))
STEPS = {"2023_10": (2023, 10, 16), "2024_07": (2024, 7, 15), "2025_01": (2025, 1, 13), "2025_07": (2025, 7, 14)}
END = date(2026, 1, 1)  # when the capacity of the clusters table was built
CITIES = {"suzhou": ("Suzhou", "苏州"), "nanjing": ("Nanjing", "南京"), "hangzhou": ("Hangzhou", "杭州")}
SITES = ("shanghai", "yrd_demo", "wuhu")
WORKING_HOURS = range(9, 18)
CENTRE = "evaluation_centre"


def city(name: str) -> Record:
    """Row of `regions` for a neighbouring city."""
    row = table_row("demand_regions", f"{name}_city")
    title, title_zh = CITIES[name]
    return sourced(
        {
            "id": name,
            "name": title,
            "name_zh": title_zh,
            "province": row["province"],
            "zone": zone_of(row["province"]),
            "latitude_deg": row["lat"],
            "longitude_deg": row["lon"],
            "population_million": row["population_million"],
            "gdp_billion_yuan": row["gdp_bn_yuan"],
        },
        f"demand_regions/{name}_city",
    )


def steps(row: Record) -> list[tuple[datetime, int]]:
    """Accelerators that a pool has from each date on, in whole servers."""
    full = row["accelerators"] / GANG_STEP
    return [
        (datetime(*day), max(round(full * value(f"shanghai_path_{name}")), 1) * GANG_STEP)
        for name, day in STEPS.items()
    ]


def growing(rows: list[Record]) -> tuple[list[Record], list[Record]]:
    """Rows of `pools` at the first date, and of `expansions` after it."""
    first, later = [], []
    for row in rows:
        path = steps(row)
        ids = [f"shanghai_path_{name}" for name in STEPS]
        sources = (str(row["source"]), "facts/shanghai_acceleration")
        first.append(sourced({**row, "accelerators": path[0][1]}, *sources, assumed(ids[0])))
        for (_, before), (since, now), name in zip(path[:-1], path[1:], ids[1:], strict=True):
            step = {"pool": row["id"], "start": since, "accelerators": now - before}
            later.append(sourced(step, *sources, assumed(name)))
    return first, later


def tables() -> dict[str, list[Record]]:
    """Tables that are its own; the others are those of `national`."""
    regions = [*provinces("shanghai"), *(city(name) for name in CITIES)]
    load = {one: national_pools(one) for one in SITES}
    # The demonstration zone spans three provinces; what has to stay in the city may not go there.
    zone = {"yrd_demo": {"zone": "yangtze_delta"}}
    sites = [{**cluster(one, rows), **zone.get(one, {})} for one, rows in load.items()]
    first, later = growing(load["shanghai"])
    links, routes = build_national.network(regions, sites)
    return {
        "regions": regions,
        "clusters": sites,
        "contracts": build_rows.contracts("wuhu", "anhui", 0.0),
        "pools": [*first, *load["yrd_demo"], *load["wuhu"]],
        "expansions": later,
        "links": links,
        "routes": routes,
        "tenants": tenants_of(
            regions,
            "province",
            ("national_programme", "National programme", "programme", "gen_national_programme_share"),
            (CENTRE, "Test and evaluation centre for large models", "programme", "shanghai_center_tokens_per_s"),
        ),
        "renewables.patch": build_rows.renewable_rows(["anhui_solar", "anhui_wind"]),
        "services": [
            {
                "id": CENTRE,
                "tenant": CENTRE,
                "region": "shanghai",
                "family": "dense_llm",
                "slo_class": "evaluation",
                "slo_metric": "ttft",
                "slo_ms": value("gen_any_slo_ms_agent"),
                "residency": "shanghai",
                "hard": True,
            }
        ],
        "demand": [
            {
                "service": CENTRE,
                "period": t,
                "tokens_per_s": value("shanghai_center_tokens_per_s") if t % 24 in WORKING_HOURS else 0,
            }
            for t in range(len(STEPS) * BLOCK_H)
        ],
    }


def horizon() -> Record:
    """Blocks that stand for the time until the next."""
    days = [date(*day) for day in STEPS.values()]
    blocks: list[dict[str, Any]] = [
        {
            "start": datetime(day.year, day.month, day.day),
            "periods": derived(BLOCK_H, assumed("shanghai_block_hours")),
            "weight": derived((until - day).days * 24 / BLOCK_H, "facts/shanghai_measures"),
        }
        for day, until in zip(days, [*days[1:], END], strict=True)
    ]
    periods = derived(len(blocks) * BLOCK_H, assumed("shanghai_block_hours"))
    return {"start": blocks[0]["start"], "periods": periods, "blocks": blocks}


def settings() -> Record:
    """`scenario.toml`."""
    read = Ledger()
    none, off = read("gen_shanghai_bases"), {"demand_weight": derived(0, assumed("gen_any_weight_industry"))}
    training = {
        "jobs": read("gen_shanghai_jobs"),
        "bases": none,
        "verticals_per_base": none,
        "largest_gang": read("gen_shanghai_largest_gang"),
        "capacity_share": read("gen_shanghai_training_share"),
        "weights": {"gdp_billion_yuan": read("gen_any_weight_gdp"), **off},
    }
    inference = {
        "capacity_share": read("gen_shanghai_inference_share"),
        "weights": {"gdp_billion_yuan": read("gen_any_weight_gdp"), **off},
    }
    path = [f"shanghai_path_{name}" for name in STEPS]
    return layer(
        "shanghai",
        "The Shanghai plan: capacity by date, and a test and evaluation centre",
        "Four blocks of two days between October 2023 and July 2025; the city's accelerators grow at each to the "
        "published capacity. The centre's models are tested in working hours, and always in the city.",
        "national",
        in_words(*path, "shanghai_center_tokens_per_s", "platform_share_national", *read.used),
        horizon=horizon(),
        generate={"training": training, "inference": inference},
    )
