"""`toy`: two places, three clusters, one day; small enough to check by hand.

The price that surprises: at noon an accelerator-hour is free in Hangzhou, the dear end of the country, and not in
Hami, the cheap one. From 10:00 to 14:00 the take-or-pay solar of the Hangzhou cluster exceeds what it could draw with
every accelerator busy, and nobody who may run there at noon can use all of them.
"""

from __future__ import annotations

from datetime import datetime

from provgrid_seeds import build_zhejiang
from provgrid_seeds.build_national import private_line
from provgrid_seeds.build_rows import (
    Ledger,
    Record,
    assumed,
    bindings,
    capital_settings,
    carbon_key,
    carbon_rows,
    chip,
    family,
    latency_settings,
    named,
    renewable_rows,
    sourced,
    supply,
    tariff_rows,
    value,
    with_sources,
)
from provgrid_seeds.loader import figure, table, table_row

CHIPS = ("ascend_910b", "ascend_910c", "h20")
FAMILIES = ("dense_llm", "moe_llm", "vision")
HOURS = 24

JOBS = [
    # The base fits only Hami's window and gang; whichever start it takes, it runs at noon.
    {"id": "hami-base", "tenant": "programme", "region": "hami", "family": "moe_llm", "mode": "rigid",
     "work_pflop_h": 70, "release_h": 6, "deadline_h": 18, "max_accelerators": 48},
    {"id": "hangzhou-vertical", "tenant": "hangzhou", "region": "hangzhou", "family": "moe_llm", "mode": "elastic",
     "work_pflop_h": 20, "release_h": 12, "deadline_h": 24, "max_accelerators": 24, "data_gb": 400,
     "after": "hami-base"},
    {"id": "hami-train", "tenant": "programme", "region": "hami", "family": "dense_llm", "mode": "elastic",
     "work_pflop_h": 40, "release_h": 0, "deadline_h": 24, "max_accelerators": 32, "residency": "xinjiang"},
    # The sun over Hangzhou is free, and this job may use it.
    {"id": "hangzhou-finetune", "tenant": "hangzhou", "region": "hangzhou", "family": "dense_llm", "mode": "elastic",
     "work_pflop_h": 12, "release_h": 8, "deadline_h": 20, "max_accelerators": 24, "data_gb": 60},
    # Both would rather go west; at 1 Gbit/s each, the line carries one.
    {"id": "hangzhou-pretrain-a", "tenant": "startup", "region": "hangzhou", "family": "dense_llm", "mode": "elastic",
     "work_pflop_h": 30, "release_h": 0, "deadline_h": 24, "max_accelerators": 16, "data_gb": 400},
    {"id": "hangzhou-pretrain-b", "tenant": "startup", "region": "hangzhou", "family": "dense_llm", "mode": "elastic",
     "work_pflop_h": 30, "release_h": 0, "deadline_h": 24, "max_accelerators": 16, "data_gb": 400},
    {"id": "hangzhou-records", "tenant": "hangzhou", "region": "hangzhou", "family": "vision", "mode": "elastic",
     "work_pflop_h": 2, "release_h": 0, "deadline_h": 8, "max_accelerators": 8, "data_gb": 20,
     "residency": "zhejiang"},
]  # fmt: skip
SERVICES = [
    # 5 ms of round trip keep this one in Zhejiang: Hami is 44 ms away.
    {"id": "hangzhou-control", "tenant": "hangzhou", "region": "hangzhou", "family": "vision",
     "slo_class": "control", "slo_metric": "network_rtt", "slo_ms": 5, "kb_in_per_ktoken": 400, "kb_out_per_ktoken": 8},
    {"id": "hangzhou-chat", "tenant": "startup", "region": "hangzhou", "family": "moe_llm",
     "slo_class": "chat", "slo_metric": "ttft", "slo_ms": 200, "kb_in_per_ktoken": 8, "kb_out_per_ktoken": 8},
]  # fmt: skip
MEAN_TOKENS_PER_S = {"hangzhou-control": 6000.0, "hangzhou-chat": 1500.0}
JOB_DEFAULTS: Record = {"data_gb": 0, "move_gbps": 1, "residency": None, "after": None, "checkpoint_gb": 0}


def jobs() -> list[Record]:
    """Rows of `jobs`; a vertical moves the checkpoint of its base."""
    checkpoint = {"checkpoint_gb": value("checkpoint_gb_moe_llm")}
    return [{**JOB_DEFAULTS, **job, **(checkpoint if "after" in job else {})} for job in JOBS]


def regions() -> list[Record]:
    """Rows of `regions`."""
    row = table_row("clusters", "hami_yiwu")
    hami = {
        "id": "hami",
        "name": "Hami",
        "name_zh": "哈密",
        "province": "Xinjiang",
        "zone": "xinjiang",
        "latitude_deg": row["lat"],
        "longitude_deg": row["lon"],
        "population_million": value("hami_region_population"),
        "gdp_billion_yuan": value("hami_region_gdp"),
    }
    source = assumed("hami_region_population", "hami_region_gdp")
    return [build_zhejiang.region("hangzhou"), sourced(hami, "clusters/hami_yiwu", source)]


def clusters() -> list[Record]:
    """Rows of `clusters`: the municipal platform of Hangzhou, Jiashan, and Hami with a small grid connection."""
    drop = ("grid_limit_mw", "source", "quality")
    city = build_zhejiang.city_cluster("hangzhou", [])
    jiashan, hami = (build_zhejiang.shared_cluster(name, []) for name in ("jiashan", "hami_yiwu"))
    bare = [{key: cell for key, cell in one.items() if key not in drop} for one in (city, jiashan, hami)]
    carbon = [f"emission_factors/{carbon_key(str(one['province']))}" for one in bare]
    tariff = [supply(str(one["tariff"]))[0] for one in bare]
    return [
        sourced(
            {**bare[0], "grid_limit_mw": None},
            "demand_regions/hangzhou_city",
            tariff[0],
            carbon[0],
            assumed("rack_city"),
        ),
        sourced({**bare[1], "grid_limit_mw": None}, "clusters/yrd_demo", tariff[1], carbon[1]),
        sourced(
            {**bare[2], "grid_limit_mw": value("toy_hami_grid_mw")},
            "clusters/hami_yiwu",
            tariff[2],
            carbon[2],
            assumed("toy_hami_grid_mw"),
        ),
    ]


def contracts() -> list[Record]:
    """Rows of `contracts`: take-or-pay solar in Hangzhou, wind in Hami."""
    common = {"carbon_kg_per_kwh": value("renewable_carbon")}
    return [
        sourced(
            {
                "id": "hangzhou_city_solar",
                "cluster": "hangzhou_city",
                "energy": "solar",
                "capacity_mw": value("toy_solar_mw"),
                "price_yuan_per_kwh": value("east_solar_price"),
                **common,
                "take_or_pay": True,
                "profile": "zhejiang_solar",
            },
            "renewables_annual/zhejiang",
            assumed("toy_solar_mw", "east_solar_price", "renewable_carbon"),
        ),
        sourced(
            {
                "id": "hami_yiwu_wind",
                "cluster": "hami_yiwu",
                "energy": "wind",
                "capacity_mw": value("toy_hami_wind_mw"),
                "price_yuan_per_kwh": value("wind_price"),
                **common,
                "take_or_pay": False,
                "profile": "xinjiang_wind",
            },
            "renewables_annual/xinjiang",
            assumed("toy_hami_wind_mw", "wind_price", "renewable_carbon"),
        ),
    ]


def pools() -> list[Record]:
    """Rows of `pools`: one per cluster, every accelerator usable."""
    places = (("hangzhou_city", "ascend_910b"), ("jiashan", "h20"), ("hami_yiwu", "ascend_910c"))
    return [
        sourced(
            {
                "id": f"{cluster}/{chip_id}",
                "cluster": cluster,
                "chip": chip_id,
                "accelerators": value(f"toy_{cluster.split('_')[0]}_accelerators"),
                "availability": value("toy_availability"),
            },
            f"chips/{chip_id}",
            assumed(f"toy_{cluster.split('_')[0]}_accelerators", "toy_availability"),
        )
        for cluster, chip_id in places
    ]


def links() -> list[Record]:
    """Rows of `links`."""
    price = figure("network_costs", private_line(), "typical")
    local, private = assumed("local_line_price"), f"network_costs/{private_line()}"
    lines = (
        ("province", "hangzhou", "jiashan", "toy_province_gbps", value("local_line_price"), local),
        ("west", "hangzhou", "hami", "toy_west_gbps", price, private),
    )
    return [
        sourced(
            {
                "id": link_id,
                "from_place": here,
                "to_place": there,
                "bandwidth_gbps": value(width),
                "price_yuan_per_gb": yuan,
            },
            priced_by,
            assumed(width),
        )
        for link_id, here, there, width, yuan, priced_by in lines
    ]


def routes() -> list[Record]:
    """Rows of `routes`."""
    ways = {
        ("hangzhou", "hangzhou_city"): None,
        ("hangzhou", "jiashan"): "province",
        ("hangzhou", "hami_yiwu"): "west",
        ("hami", "hami_yiwu"): None,
        ("hami", "hangzhou_city"): "west",
        ("hami", "jiashan"): "west;province",
    }
    return [
        sourced({"region": here, "cluster": there, "links": way}, assumed("toy_west_gbps", "toy_province_gbps"))
        for (here, there), way in ways.items()
    ]


def demand() -> list[Record]:
    """Rows of `demand`: a mean rate times the measured shape of the day."""
    shape = [row["value"] for row in table("diurnal_shapes") if row["shape"] == "m_small"]
    return [
        {"service": name, "period": hour, "tokens_per_s": round(mean * float(shape[hour] or 0.0), 1)}
        for name, mean in MEAN_TOKENS_PER_S.items()
        for hour in range(HOURS)
    ]


def settings() -> Record:
    """`scenario.toml`."""
    made_up = assumed("toy_work")
    document = {
        "name": "toy",
        "title": "Two places, three clusters, one day of July",
        "description": "Small enough to check by hand. At noon an accelerator-hour in Hangzhou is free although the "
        "city's power is dear: its take-or-pay solar exceeds what all 64 accelerators could draw, and no more than "
        "54 of them have work that may run there. In Hami, where power is cheap, it costs what its energy costs.",
        "horizon": {
            "start": datetime(2026, 7, 15),
            "periods": named("assumptions", "toy_day_hours", "value", whole=True),
            "period_h": named("assumptions", "hour_period", "value"),
        },
        "prices": {
            "carbon_price_yuan_per_t": named("assumptions", "no_carbon_price", "value"),
            "unserved_multiple": named("assumptions", "unserved_multiple", "value", whole=True),
        },
        "capital": capital_settings(Ledger()),
        "latency": latency_settings(),
        "assumptions": ["toy_work: jobs, services and their demand are made up so that each rule shows once"],
    }
    work = {
        "jobs": made_up,
        "jobs.checkpoint_gb": f"{made_up};{assumed('checkpoint_gb_moe_llm')}",
        "services": made_up,
        "services.max_utilisation": assumed("max_utilisation"),
        "demand": f"{made_up};diurnal_shapes/m_small_*",
    }
    return with_sources(document, **work)


def tables() -> dict[str, list[Record]]:
    """Every table of the scenario."""
    tenants = (
        ("hangzhou", "Hangzhou", "city"),
        ("startup", "A start-up", "firm"),
        ("programme", "Programme", "programme"),
    )
    return {
        "regions": regions(),
        "clusters": clusters(),
        "contracts": contracts(),
        "chips": [chip(name) for name in CHIPS],
        "pools": pools(),
        "links": links(),
        "routes": routes(),
        "families": [family(name) for name in FAMILIES],
        "bindings": bindings(FAMILIES, CHIPS),
        "tenants": [
            sourced({"id": name, "name": title, "kind": kind}, assumed("toy_work")) for name, title, kind in tenants
        ],
        "jobs": jobs(),
        "services": [{**one, "max_utilisation": value("max_utilisation")} for one in SERVICES],
        "demand": demand(),
        "tariffs": tariff_rows(["zhejiang", "xinjiang"]),
        "renewables": renewable_rows(["zhejiang_solar", "xinjiang_wind"]),
        "carbon": carbon_rows([carbon_key("Zhejiang"), carbon_key("Xinjiang")]),
    }
