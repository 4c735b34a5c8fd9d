"""`guangdong`: a hub node, city-level platforms, Hong Kong and Macao beside them, and the targets of 2025 as demand.

The document sets targets and names no capacity: Shenzhen's and Shaoguan's come from the clusters table, those of other
city platforms follow Shenzhen's by GDP. Demand is what the AI industry of the target would spend on computing.
"""

from __future__ import annotations

from provgrid_seeds import build_national, build_rows
from provgrid_seeds.build_part import cluster, layer, national_pools, plan_share_pflops, tenants_of
from provgrid_seeds.build_rows import (
    Ledger,
    Record,
    assumed,
    carbon_key,
    derived,
    fact_value,
    full_load_mw,
    in_words,
    pool,
    sourced,
    supply,
    value,
)
from provgrid_seeds.loader import figure, table_row

HOURS_PER_YEAR = 8760
TABLE_CITIES = {"guangzhou": ("Guangzhou", "广州"), "shenzhen": ("Shenzhen", "深圳")}
CITIES = {
    "dongguan": ("Dongguan", "东莞"),
    "foshan": ("Foshan", "佛山"),
    "zhuhai": ("Zhuhai", "珠海"),
    "hongkong": ("Hong Kong", "香港"),
    "macao": ("Macao", "澳门"),
}
PLATFORMS = ("guangzhou", "dongguan", "foshan", "zhuhai")
MIX = ("h20", "ascend_910c")  # of Shenzhen's cluster, taken for the platforms too
USED = (
    "platform_share_national",
    "guangdong_platform_ratio",
    "hongkong_capacity",
    "hongkong_tariff",
    "hongkong_carbon",
    "availability",
)


def region(city: str) -> Record:
    """Row of `regions`: a city of the tables or of the assumptions; each legal system is a zone."""
    name, name_zh = TABLE_CITIES.get(city) or CITIES[city]
    if city in TABLE_CITIES:
        row, source = table_row("demand_regions", f"{city}_city"), f"demand_regions/{city}_city"
        figures = [row[column] for column in ("lat", "lon", "population_million", "gdp_bn_yuan")]
    else:
        ids = [f"city_{kind}_{city}" for kind in ("latitude", "longitude", "population", "gdp")]
        figures, source = [value(one) for one in ids], assumed(*ids)
    zone = city if city in ("hongkong", "macao") else "guangdong"
    columns = ("latitude_deg", "longitude_deg", "population_million", "gdp_billion_yuan")
    province = name if zone == city else "Guangdong"
    place = {"id": city, "name": name, "name_zh": name_zh, "province": province, "zone": zone}
    return sourced({**place, **dict(zip(columns, figures, strict=True))}, source)


def city_pools(cluster_id: str, pflops: float, *sources: str) -> list[Record]:
    """Rows of `pools` of a city platform, with the chip mix of Shenzhen."""
    return [pool(cluster_id, chip, pflops, f"chip_mix_shenzhen_{chip}", *sources) for chip in MIX]


def platform_pools(city: str) -> list[Record]:
    """Rows of `pools` of a city-level platform: Shenzhen's capacity by GDP, and of that the share that is built."""
    shenzhen = figure("demand_regions", "shenzhen_city", "gdp_bn_yuan")
    part = float(region(city)["gdp_billion_yuan"]) / shenzhen * value("guangdong_platform_ratio")
    sources = ("clusters/shenzhen", assumed("platform_share_national", "guangdong_platform_ratio"))
    return city_pools(f"{city}_platform", plan_share_pflops("shenzhen") * part, *sources, str(region(city)["source"]))


def hongkong_pools() -> list[Record]:
    """Rows of `pools` of the centre in Hong Kong."""
    ids = ("hongkong_capacity", "platform_share_national")
    return city_pools("hongkong_center", value(ids[0]) * value(ids[1]), assumed(*ids))


def city_cluster(cluster_id: str, city: str, load: list[Record], supplied: Record, *sources: str) -> Record:
    """Row of `clusters` for a site in a city."""
    here = region(city)
    place = {key: here[key] for key in ("province", "zone", "latitude_deg", "longitude_deg")}
    limit = round(full_load_mw(load, value("rack_city")) * value("grid_limit_east"), 3)
    named = {"id": cluster_id, "name": f"{here['name']} computing platform", "name_zh": f"{here['name_zh']}算力平台"}
    own = {"region": city, "tier": "city", "pue": value("rack_city"), **supplied, "grid_limit_mw": limit}
    return sourced({**named, **place, **own}, str(here["source"]), *sources, assumed("rack_city", "grid_limit_east"))


def clusters(load: dict[str, list[Record]]) -> list[Record]:
    """Rows of `clusters`."""
    tariff_source, tariff = supply("guangdong")
    carbon = carbon_key("Guangdong")
    at_home = {**tariff, "carbon": carbon}
    rows = [cluster("shaoguan", load["shaoguan"]), {**cluster("shenzhen", load["shenzhen"]), "region": "shenzhen"}]
    rows += [
        city_cluster(
            f"{city}_platform",
            city,
            load[f"{city}_platform"],
            at_home,
            tariff_source,
            f"emission_factors/{carbon}",
        )
        for city in PLATFORMS
    ]
    abroad = {"tariff": "hongkong", "demand_charge_yuan_per_kw_month": 0, "carbon": "hongkong"}
    own = assumed("hongkong_tariff", "hongkong_carbon")
    return [*rows, city_cluster("hongkong_center", "hongkong", load["hongkong_center"], abroad, own)]


def all_pools() -> dict[str, list[Record]]:
    """Rows of `pools` by cluster."""
    return {
        **{one: national_pools(one) for one in ("shaoguan", "shenzhen")},
        **{f"{city}_platform": platform_pools(city) for city in PLATFORMS},
        "hongkong_center": hongkong_pools(),
    }


def tables() -> dict[str, list[Record]]:
    """Tables that are its own; the others are those of `national`."""
    regions = [region(city) for city in (*TABLE_CITIES, *CITIES)]
    load = all_pools()
    sites = clusters(load)
    links, routes = build_national.network(regions, sites)
    tenants = tenants_of(
        regions,
        "city",
        ("enterprises", "AI enterprises", "firm", "gen_guangdong_enterprise_share"),
        ("national_programme", "National programme", "programme", "gen_national_programme_share"),
    )
    solar = build_rows.contracts("shaoguan", "guangdong", full_load_mw(load["shaoguan"], float(sites[0]["pue"])))
    return {
        "regions": regions,
        "clusters": sites,
        "contracts": solar,
        "pools": [row for rows in load.values() for row in rows],
        "links": links,
        "routes": routes,
        "tenants": tenants,
        "tariffs.patch": [{"tariff": "hongkong", "price_yuan_per_kwh": value("hongkong_tariff")}],
        "carbon.patch": [{"carbon": "hongkong", "carbon_kg_per_kwh": value("hongkong_carbon")}],
        "renewables.patch": build_rows.renewable_rows(["guangdong_solar", "guangdong_wind"]),
    }


def demand_share(read: Ledger) -> float:
    """Accelerators that the industry of the target keeps busy, over those that the plan has."""
    rows = [row for rows in all_pools().values() for row in rows]
    rent = sum(row["accelerators"] * read(f"market_rent_{row['chip']}") for row in rows)
    spent = fact_value("guangdong_industry") * 1e9 * read("guangdong_compute_share") * read("platform_share_national")
    return float(spent / HOURS_PER_YEAR / rent)


def settings() -> Record:
    """`scenario.toml`."""
    read = Ledger()
    share, training = demand_share(read), read("guangdong_training_part")
    demanded = (
        "facts/guangdong_industry",
        assumed("guangdong_compute_share", "guangdong_training_part", "platform_share_national"),
    )
    off = {"demand_weight": derived(0, assumed("gen_any_weight_industry"))}
    resident = {"resident_share": read("gen_guangdong_resident_share")}
    follow = {"gdp_billion_yuan": read("gen_any_weight_gdp"), "population_million": read("gen_any_weight_population")}
    return layer(
        "guangdong",
        "The Guangdong plan: hub, city platforms, and the targets of 2025",
        "Five cities, Hong Kong and Macao ask; the Shaoguan hub, five city platforms and a centre in Hong Kong supply. "
        "Demand is what an AI industry of 300 billion yuan would spend on computing. Each legal system is a data zone.",
        "national",
        in_words(*USED, *(one for one in read.used if one not in USED)),
        {"tariffs.hongkong": assumed("hongkong_tariff"), "carbon.hongkong": assumed("hongkong_carbon")},
        generate={
            "training": {
                "jobs": read("gen_guangdong_jobs"),
                "bases": read("gen_guangdong_bases"),
                "largest_gang": read("gen_guangdong_largest_gang"),
                "capacity_share": derived(round(share * training, 4), *demanded),
                "tenants": {"enterprises": read("gen_guangdong_enterprise_share")},
                "weights": {**follow, **off},
                **resident,
            },
            "inference": {
                "capacity_share": derived(round(share * (1 - training), 4), *demanded),
                "weights": {**follow, **off},
                **resident,
            },
        },
    )
