"""`zhejiang`: the province's cities ask; city and provincial clusters and three western partners supply."""

from __future__ import annotations

from datetime import datetime

from provgrid_seeds import build_demand, loader
from provgrid_seeds.build_national import private_line
from provgrid_seeds.build_rows import (
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
from provgrid_seeds.loader import figure, table_row

CITIES = {
    "hangzhou": ("Hangzhou", "杭州"),
    "ningbo": ("Ningbo", "宁波"),
    "wenzhou": ("Wenzhou", "温州"),
    "jiaxing": ("Jiaxing", "嘉兴"),
    "huzhou": ("Huzhou", "湖州"),
    "shaoxing": ("Shaoxing", "绍兴"),
    "jinhua": ("Jinhua", "金华"),
    "quzhou": ("Quzhou", "衢州"),
    "zhoushan": ("Zhoushan", "舟山"),
    "taizhou": ("Taizhou", "台州"),
    "lishui": ("Lishui", "丽水"),
}
IN_THE_TABLE = ("hangzhou", "ningbo")  # cities with a row of their own in demand_regions
LARGEST = ("hangzhou", "ningbo", "wenzhou", "shaoxing")
CITY_CLUSTERS = ("hangzhou", "ningbo", "wenzhou")
PROVINCIAL = {"zhejiang_platform": "hangzhou", "jiashan": "yrd_demo"}  # and the cluster that each is a part of
WESTERN = {"hami_yiwu": "xinjiang", "zhongwei": "ningxia", "guian": "guizhou"}
CHIPS = ("h800", "a800", "h20", "ascend_910b", "ascend_910c")


def region(city: str) -> Record:
    """Row of `regions`: a city of the table, or one of the assumptions."""
    name, name_zh = CITIES[city]
    if city in IN_THE_TABLE:
        row = table_row("demand_regions", f"{city}_city")
        figures = {
            "latitude_deg": row["lat"],
            "longitude_deg": row["lon"],
            "population_million": row["population_million"],
            "gdp_billion_yuan": row["gdp_bn_yuan"],
        }
        source = f"demand_regions/{city}_city"
    else:
        ids = {kind: f"city_{kind}_{city}" for kind in ("latitude", "longitude", "population", "gdp")}
        figures = {
            "latitude_deg": value(ids["latitude"]),
            "longitude_deg": value(ids["longitude"]),
            "population_million": value(ids["population"]),
            "gdp_billion_yuan": value(ids["gdp"]),
        }
        source = assumed(*ids.values())
    places = {"id": city, "name": name, "name_zh": name_zh, "province": "Zhejiang", "zone": "zhejiang"}
    return sourced({**places, **figures}, source)


def pools() -> dict[str, list[Record]]:
    """Rows of `pools` by cluster."""
    capacity = {
        f"{city}_city": (value(f"city_capacity_{city}"), assumed(f"city_capacity_{city}")) for city in CITY_CLUSTERS
    }
    for name, part_of in {**PROVINCIAL, **{one: one for one in WESTERN}}.items():
        pflops = figure("clusters", part_of, "capacity_pflops") * value(f"zj_share_{name}")
        capacity[name] = (pflops, f"clusters/{part_of};{assumed(f'zj_share_{name}')}")
    known = {str(row["id"]) for row in loader.table("assumptions")}
    return {
        name: [
            pool(name, chip_id, pflops, f"zj_mix_{name}_{chip_id}", source)
            for chip_id in CHIPS
            if f"zj_mix_{name}_{chip_id}" in known
        ]
        for name, (pflops, source) in capacity.items()
    }


def city_cluster(city: str, load: list[Record]) -> Record:
    """Row of `clusters` for a municipal platform: in the city, small, on the province's tariff."""
    here = region(city)
    place = {key: here[key] for key in ("province", "zone", "latitude_deg", "longitude_deg")}
    names = {
        "id": f"{city}_city",
        "name": f"{here['name']} municipal platform",
        "name_zh": f"{here['name_zh']}市级平台",
    }
    return _cluster(
        {**names, **place, "region": city, "tier": "city", "pue": value("rack_city")},
        "zhejiang",
        load,
        here["source"],
        assumed("rack_city"),
    )


def shared_cluster(cluster_id: str, load: list[Record]) -> Record:
    """Row of `clusters` for a provincial or western site of the clusters table."""
    part_of = PROVINCIAL.get(cluster_id, cluster_id)
    row = table_row("clusters", part_of)
    own = cluster_id in PROVINCIAL
    record = {
        "id": cluster_id,
        "name": {"zhejiang_platform": "Zhejiang provincial platform", "jiashan": "Jiashan, Yangtze-delta zone"}.get(
            cluster_id, str(row["name_en"])
        ),
        "name_zh": {"zhejiang_platform": "浙江省级平台", "jiashan": "长三角示范区嘉善"}.get(
            cluster_id, str(row["name_zh"])
        ),
        "province": "Zhejiang" if own else row["province"],
        "zone": "zhejiang" if own else str(row["province"]).lower(),
        "latitude_deg": row["lat"],
        "longitude_deg": row["lon"],
        "region": None,
        "tier": "provincial" if own else "national_hub",
        "pue": row["pue_typical"],
    }
    return _cluster(record, "zhejiang" if own else str(row["tariff_key"]), load, f"clusters/{part_of}")


def _cluster(record: Record, tariff_key: str, load: list[Record], *sources: str) -> Record:
    """Add tariff, carbon and grid limit to a row of `clusters`."""
    tariff_source, tariff = supply(tariff_key)
    side = "west" if record["tier"] == "national_hub" else "east"
    limit = round(full_load_mw(load, record["pue"]) * value(f"grid_limit_{side}"), 3)
    carbon = carbon_key(record["province"])
    return sourced(
        {**record, **tariff, "carbon": carbon, "grid_limit_mw": limit},
        *sources,
        tariff_source,
        f"emission_factors/{carbon}",
        assumed(f"grid_limit_{side}"),
    )


def links() -> list[Record]:
    """Rows of `links`: one access line per city, one line to each western partner."""
    price = figure("network_costs", private_line(), "typical")
    lines = [(f"{city}_access", city, "province", "zj_access_gbps") for city in CITIES]
    lines += [(f"west_{name}", "province", name, f"zj_{name.split('_')[0]}_gbps") for name in WESTERN]
    return [
        sourced(
            {
                "id": link_id,
                "from_place": here,
                "to_place": there,
                "bandwidth_gbps": value(width),
                "price_yuan_per_gb": value("local_line_price") if there == "province" else price,
            },
            assumed("local_line_price") if there == "province" else f"network_costs/{private_line()}",
            assumed(width),
        )
        for link_id, here, there, width in lines
    ]


def routes() -> list[Record]:
    """Rows of `routes`: access line, then the access line of the other city or the line west."""
    last = {
        **{f"{city}_city": f"{city}_access" for city in CITY_CLUSTERS},
        **{name: f"west_{name}" for name in WESTERN},
    }
    return [
        sourced(
            {
                "region": city,
                "cluster": cluster,
                "links": None
                if cluster == f"{city}_city"
                else ";".join([f"{city}_access", *([last[cluster]] if cluster in last else [])]),
            },
            assumed("zj_access_gbps"),
        )
        for city in CITIES
        for cluster in [*(f"{one}_city" for one in CITY_CLUSTERS), *PROVINCIAL, *WESTERN]
    ]


def settings() -> Record:
    """`scenario.toml`."""
    read = Ledger()
    follow = {
        "gdp_billion_yuan": read("gen_any_weight_gdp"),
        "population_million": read("gen_any_weight_population"),
    }
    one = build_demand.service_class
    classes = [
        one(read, "control", "vision", "network_rtt", regions=LARGEST[:3]),
        one(read, "interactive", "recommendation", "network_rtt", regions=LARGEST[:3]),
        one(read, "chat", "moe_llm", "ttft", regions=("hangzhou", "wenzhou")),
        one(read, "agent", "dense_llm", "ttft", regions=("hangzhou",)),
        one(read, "reasoning", "reasoning", "tpot", shape="deepseek_r1", regions=("ningbo",)),
    ]
    tenants = {
        "startups": read("gen_zhejiang_firm_share"),
        "provincial_programme": read("gen_zhejiang_programme_share"),
    }
    generate = {
        "training": build_demand.training("zhejiang", read, tenants, follow, lengths="zhejiang"),
        "inference": build_demand.inference("zhejiang", read, classes, {}, follow),
    }
    document = {
        "name": "zhejiang",
        "title": "Zhejiang as one computer: a week of July",
        "description": "Eleven cities ask; three municipal platforms, two provincial sites and the western partners "
        "Hami, Zhongwei and Gui'an supply. City demand only: a city lies inside its province and is never added to it.",
        "horizon": week(datetime(2026, 7, 13)),
        "prices": {
            "carbon_price_yuan_per_t": named("national", carbon_price(), "value"),
            "unserved_multiple": read("unserved_multiple"),
        },
        "capital": capital_settings(read),
        "latency": latency_settings(),
        "assumptions": in_words(*read.used, "queue_ms"),
        "generate": generate,
    }
    return with_sources(document)


def carbon_price() -> str:
    """Row of `national` with the mean carbon price of 2025."""
    rows = [row for row in loader.table("national") if row["series"] == "carbon_price"]
    return str(next(row["id"] for row in rows if row["scope"] == "national ETS mean"))


def tables() -> dict[str, list[Record]]:
    """Every table of the scenario."""
    load = pools()
    clusters = [city_cluster(city, load[f"{city}_city"]) for city in CITY_CLUSTERS]
    clusters += [shared_cluster(name, load[name]) for name in (*PROVINCIAL, *WESTERN)]
    pue = {one["id"]: one["pue"] for one in clusters}
    contracted = [
        record
        for name, province in WESTERN.items()
        for record in contracts(name, province, full_load_mw(load[name], pue[name]))
    ]
    shares = {name: f"tenant_share_{name}" for name in (*CITIES, "startups", "provincial_programme")}
    kinds = {"startups": ("Start-up firms", "firm"), "provincial_programme": ("Provincial programme", "programme")}
    tenants = []
    for name, share in shares.items():
        title, kind = kinds.get(name, (CITIES.get(name, ("",))[0], "city"))
        tenants.append(sourced({"id": name, "name": title, "kind": kind, "share": value(share)}, assumed(share)))
    return {
        "regions": [region(city) for city in CITIES],
        "clusters": clusters,
        "contracts": contracted,
        "chips": [chip(name) for name in CHIPS],
        "pools": [record for records in load.values() for record in records],
        "links": links(),
        "routes": routes(),
        "families": [family(name) for name in FAMILIES],
        "bindings": bindings(tuple(FAMILIES), CHIPS),
        "tenants": tenants,
        "tariffs": tariff_rows(unique([one["tariff"] for one in clusters])),
        "renewables": renewable_rows(unique([one["profile"] for one in contracted])),
        "carbon": carbon_rows(unique([one["carbon"] for one in clusters])),
    }
