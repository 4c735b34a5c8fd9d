"""`national-lite`: the country in nine regions and two typical days, its work in classes that are divisible by nature.

Made from the tables and assumptions of `national`. A class of jobs stands for many, and any part of it may go
anywhere, so that the relaxation's optimum is the answer and no ideal. Neighbouring sites are one, and each site has
two pools: what it holds of imported chips, counted as one of them of the same FP16 capacity, and likewise of domestic.
"""

from __future__ import annotations

from datetime import datetime

from provgrid_seeds import build_national, loader
from provgrid_seeds.build_rows import (
    FAMILIES,
    GANG_STEP,
    Ledger,
    Record,
    assumed,
    bindings,
    capital_settings,
    carbon_rows,
    chip,
    contracts,
    family,
    full_load_mw,
    in_words,
    latency_settings,
    named,
    renewable_rows,
    sourced,
    tariff_rows,
    unique,
    value,
    with_sources,
)
from provgrid_seeds.loader import figure, table_row

REGIONS = {  # the first province gives the place
    "north": ("beijing", "tianjin", "hebei", "shandong", "liaoning", "jilin", "heilongjiang"),
    "lower_yangtze": ("shanghai", "jiangsu", "anhui"),
    "zhejiang": ("zhejiang",),
    "south_coast": ("guangdong", "fujian", "guangxi", "hainan"),
    "central": ("hubei", "hunan", "henan", "jiangxi"),
    "southwest": ("sichuan", "chongqing", "guizhou", "yunnan", "tibet"),
    "inner_mongolia": ("inner_mongolia", "shanxi"),
    "northwest": ("gansu", "ningxia", "qinghai", "shaanxi"),
    "xinjiang": ("xinjiang",),
}
SITES = {  # and the neighbours whose capacity it stands for
    "zhangjiakou": (),
    "beijing": (),
    "shanghai": ("yrd_demo",),
    "wuhu": (),
    "hangzhou": (),
    "shaoguan": (),
    "shenzhen": (),
    "wuhan": (),
    "tianfu": ("chongqing",),
    "guian": (),
    "horinger": ("ulanqab",),
    "qingyang": (),
    "zhongwei": (),
    "xining_haidong": (),
    "hami_yiwu": (),
    "tacheng_toli": ("karamay", "urumqi"),
}
STANDS_FOR = {  # the chip that all of its origin are counted as
    "h800": ("h800", "a800", "h20"),
    "ascend_910c": ("ascend_910c", "ascend_910b", "kunlun_p800"),
}
TRAINED = {  # the family that each group of families is counted as
    "dense_llm": ("dense_llm", "vision"),
    "moe_llm": ("moe_llm", "reasoning"),
    "recommendation": ("recommendation",),
}
RESIDENT = ("dense_llm", "moe_llm")  # what may be bound to its region: it runs on every site's chips
SERVED = {  # class: family, metric, limit, shape, and the classes that it stands for
    "near": ("vision", "network_rtt", "national_video", "m_small", ("control",)),
    "prompt": ("moe_llm", "ttft", "chat", "m_small", ("chat", "embedding")),
    "patient": ("dense_llm", "ttft", "agent", "deepseek_r1", ("agent", "reasoning")),
}
DAYS = {"winter": datetime(2026, 1, 14), "summer": datetime(2026, 7, 15)}
DAY_H = 24.0
DAYS_A_WEEK = 7


def region(name: str) -> Record:
    """Row of `regions`: its first province's place, and the sum of its provinces' figures."""
    rows = [table_row("demand_regions", one) for one in REGIONS[name]]
    first = rows[0]
    return sourced(
        {
            "id": name,
            "name": name.replace("_", " ").capitalize(),
            "province": name,
            "zone": name,
            "latitude_deg": first["lat"],
            "longitude_deg": first["lon"],
            "population_million": round(_sum(name, "population_million"), 2),
            "gdp_billion_yuan": round(_sum(name, "gdp_bn_yuan"), 2),
            "demand_weight": round(_sum(name, "demand_weight_default"), 5),
        },
        *(f"demand_regions/{one}" for one in REGIONS[name]),
    )


def _sum(name: str, column: str) -> float:
    return sum(figure("demand_regions", one, column) for one in REGIONS[name])


def region_of(site: str) -> str:
    """Region that a site lies in."""
    province = build_national.zone_of(table_row("clusters", site)["province"])
    return next(name for name, provinces in REGIONS.items() if province in provinces)


def pools_of(site: str) -> list[Record]:
    """Rows of `pools` of a site: imported and domestic chips, each counted as one type."""
    parts = (site, *SITES[site])
    known = {str(row["id"]) for row in loader.table("assumptions")}
    rows = []
    for counted_as, chips in STANDS_FOR.items():
        mixes = {f"chip_mix_{part}_{one}": part for part in parts for one in chips if f"chip_mix_{part}_{one}" in known}
        pflops = sum(figure("clusters", part, "capacity_pflops") * value(mix) for mix, part in mixes.items())
        accelerators = pflops * value("platform_share_national") * 1000.0
        accelerators /= figure("chips", counted_as, "fp16_tflops_dense")
        rows.append(
            sourced(
                {
                    "id": f"{site}/{counted_as}",
                    "cluster": site,
                    "chip": counted_as,
                    "accelerators": max(1, round(accelerators / GANG_STEP)) * GANG_STEP,
                    "availability": value("availability"),
                },
                *(f"clusters/{part}" for part in parts),
                f"chips/{counted_as}",
                assumed("platform_share_national", *mixes, "availability"),
            )
        )
    return rows


def cluster(site: str, pools: list[Record]) -> Record:
    """Row of `clusters`: as in `national`, in the zone of its region."""
    row = build_national.cluster(table_row("clusters", site), pools)
    zone = region_of(site)
    return {**row, "province": zone, "zone": zone, "region": zone if row["tier"] == "city" else None}


def network(regions: list[Record], clusters: list[Record]) -> tuple[list[Record], list[Record]]:
    """Rows of `links` and `routes`: as in `national`, a region with the bandwidth of all its provinces."""
    links, routes = build_national.network(regions, clusters)
    wide = {f"{name}_out": len(provinces) for name, provinces in REGIONS.items()}
    wide |= {f"{site}_in": 1 + len(neighbours) for site, neighbours in SITES.items()}
    return [{**link, "bandwidth_gbps": link["bandwidth_gbps"] * wide[link["id"]]} for link in links], routes


def demand_shares(regions: list[Record], read: Ledger) -> dict[str, float]:
    """Share of the country's demand in each region, by the same weights as in `national`."""
    columns = {
        "gdp_billion_yuan": read("gen_any_weight_gdp"),
        "population_million": read("gen_any_weight_population"),
        "demand_weight": read("gen_any_weight_industry"),
    }
    totals = {column: sum(float(one[column]) for one in regions) for column in columns}
    mixed = {
        one["id"]: sum(part * float(one[column]) / totals[column] for column, part in columns.items())
        for one in regions
    }
    whole = sum(mixed.values())
    return {name: share / whole for name, share in mixed.items()}


def jobs(pools: list[Record], shares: dict[str, float], read: Ledger) -> list[Record]:
    """Rows of `jobs`: for each region, family and day one class, and one of those bound to the region.

    Work is `gen_national_training_share` of what all pools can do in the day. A class runs in no less time than its
    jobs at full gang would: the day over the mean slack of their windows.
    """
    usable = sum(one["accelerators"] * one["availability"] for one in pools)
    accelerator_h = read("gen_national_training_share") * usable * DAY_H
    slack = (read("gen_any_window_slack_low") + read("gen_any_window_slack_high")) / 2
    jobs_a_day = read("gen_national_jobs") / DAYS_A_WEEK
    low, high = read("gen_any_data_gb_low"), read("gen_any_data_gb_high")
    data_gb = (low * high) ** 0.5  # the middle of a range that is drawn by its logarithm
    resident = read("gen_national_resident_share")
    rows = []
    for day, season in enumerate(DAYS):
        for name, share in shares.items():
            for counted_as, families in TRAINED.items():
                part = share * sum(read(f"gen_any_family_share_{one}") for one in families)
                bound = resident if counted_as in RESIDENT else 0.0
                for suffix, of_class in (("", 1.0 - bound), ("-resident", bound)):
                    hours = accelerator_h * part * of_class
                    if hours > 0:
                        rows.append(
                            {
                                "id": f"{name}-{counted_as}-{season}{suffix}",
                                "tenant": name,
                                "region": name,
                                "family": counted_as,
                                "mode": "elastic",
                                "work_pflop_h": round(hours * _mean_pflops(pools, counted_as), 1),
                                "release_h": day * DAY_H,
                                "deadline_h": (day + 1) * DAY_H,
                                "max_accelerators": round(hours * slack / DAY_H, 1),
                                "data_gb": round(jobs_a_day * part * of_class * data_gb, 1),
                                "move_gbps": round(jobs_a_day * part * of_class * read("gen_any_move_gbps"), 2),
                                "residency": name if suffix else None,
                            }
                        )
    return rows


def _mean_pflops(pools: list[Record], family_id: str) -> float:
    """Mean rate in training of an accelerator over the pools that a family is ported to."""
    mfu = {row["chip"]: row["mfu"] for row in bindings((family_id,), tuple(STANDS_FOR))}
    held = [(one["accelerators"] * one["availability"], one["chip"]) for one in pools if mfu[one["chip"]]]
    rate = sum(n * mfu[name] * figure("chips", name, "fp16_tflops_dense") / 1000.0 for n, name in held)
    return float(rate / sum(n for n, _ in held))


def services(pools: list[Record], shares: dict[str, float], read: Ledger) -> tuple[list[Record], list[Record]]:
    """Rows of `services` and `demand`: three classes a region, with the measured shapes of a day."""
    usable = sum(one["accelerators"] * one["availability"] for one in pools)
    held = read("gen_national_inference_share") * usable
    known = [f"gen_any_class_share_{one}" for *_, classes in SERVED.values() for one in classes]
    whole = sum(read(one) for one in known)
    filled = read("max_utilisation")
    text, image = read("gen_any_kb_per_ktoken_text"), read("gen_any_kb_in_per_ktoken_image")
    rows, asked = [], []
    periods = round(value("lite_day_periods"))
    for name, share in shares.items():
        for class_id, (family_id, metric, limit, shape, classes) in SERVED.items():
            part = share * sum(read(f"gen_any_class_share_{one}") for one in classes) / whole
            service = f"{name}-{class_id}"
            rows.append(
                {
                    "id": service,
                    "tenant": name,
                    "region": name,
                    "family": family_id,
                    "slo_class": class_id,
                    "slo_metric": metric,
                    "slo_ms": read(f"gen_any_slo_ms_{limit}"),
                    "max_utilisation": filled,
                    "kb_in_per_ktoken": image if family_id == "vision" else text,
                    "kb_out_per_ktoken": text,
                }
            )
            mean = held * part * filled * _mean_tokens_per_s(pools, family_id)
            curve = _curve(shape)
            asked += [
                {"service": service, "period": day * periods + t, "tokens_per_s": round(mean * curve[t], 1)}
                for day in range(len(DAYS))
                for t in range(periods)
            ]
    return rows, asked


def _mean_tokens_per_s(pools: list[Record], family_id: str) -> float:
    """Mean rate in inference of an accelerator over the pools that a family is ported to."""
    speed = {row["chip"]: row["tokens_per_s"] for row in bindings((family_id,), tuple(STANDS_FOR))}
    held = [(one["accelerators"] * one["availability"], one["chip"]) for one in pools if speed[one["chip"]]]
    return float(sum(n * speed[name] for n, name in held) / sum(n for n, _ in held))


def _curve(shape: str) -> list[float]:
    """Rate in each period of a day over the mean of the day."""
    hourly = [float(row["value"] or 0.0) for row in loader.table("diurnal_shapes") if row["shape"] == shape]
    mean, step = sum(hourly) / len(hourly), round(value("lite_period_h"))
    return [sum(hourly[h : h + step]) / step / mean for h in range(0, len(hourly), step)]


def settings() -> Record:
    """`scenario.toml`."""
    read = Ledger()
    work = _work(read)
    asked = assumed(*read.used)
    capital = capital_settings(read)
    block = {
        "periods": named("assumptions", "lite_day_periods", "value", whole=True),
        "weight": named("assumptions", "lite_day_weight", "value"),
    }
    document = {
        "name": "national-lite",
        "title": "East Data, West Computing in classes: a year in two typical days",
        "description": f"{len(REGIONS)} regions ask and {len(SITES)} sites supply, as in national. Jobs come in "
        "classes that are divisible by nature: each stands for many, and any part of it may go anywhere, so the "
        "optimum of the relaxation (engine lp) is the answer, not an ideal. Each site's imported chips are counted as "
        "h800, its domestic chips as ascend_910c, of the same FP16 capacity. Money and energy are those of a year.",
        "horizon": {
            "start": next(iter(DAYS.values())),
            "periods": named("assumptions", "lite_periods", "value", whole=True),
            "period_h": named("assumptions", "lite_period_h", "value"),
            "blocks": [{"start": start, **block} for start in DAYS.values()],
        },
        "prices": {
            "carbon_price_yuan_per_t": named("assumptions", "no_carbon_price", "value"),
            "unserved_multiple": read("unserved_multiple"),
        },
        "capital": capital,
        "latency": latency_settings(),
        "assumptions": in_words(*read.used, "platform_share_national", "queue_ms"),
    }
    chips = ";".join(f"chips/{one}" for one in STANDS_FOR)
    regions = ";".join(f"demand_regions/{one}" for provinces in REGIONS.values() for one in provinces)
    whole_tables = {name: f"{asked};{chips};{regions}" for name in work if name != "regions"}
    whole_tables["demand"] += ";diurnal_shapes/*"
    return with_sources(document, **whole_tables)


def _work(read: Ledger) -> dict[str, list[Record]]:
    """Tables of what is asked for."""
    regions = [region(name) for name in REGIONS]
    pools = [record for site in SITES for record in pools_of(site)]
    shares = demand_shares(regions, read)
    rows, asked = services(pools, shares, read)
    return {"regions": regions, "jobs": jobs(pools, shares, read), "services": rows, "demand": asked}


def tables() -> dict[str, list[Record]]:
    """Every table of the scenario."""
    work = _work(Ledger())
    pools = {site: pools_of(site) for site in SITES}
    clusters = [cluster(site, pools[site]) for site in SITES]
    pue = {one["id"]: one["pue"] for one in clusters}
    contracted = [
        record
        for name, province in build_national.WITH_CONTRACTS.items()
        if name in SITES
        for record in contracts(name, province, full_load_mw(pools[name], pue[name]))
    ]
    links, routes = network(work["regions"], clusters)
    used = unique([*TRAINED, *(family_id for family_id, *_ in SERVED.values())])
    return {
        **work,
        "clusters": clusters,
        "contracts": contracted,
        "chips": [chip(name) for name in STANDS_FOR],
        "pools": [record for records in pools.values() for record in records],
        "links": links,
        "routes": routes,
        "families": [family(name) for name in FAMILIES if name in used],
        "bindings": bindings(tuple(name for name in FAMILIES if name in used), tuple(STANDS_FOR)),
        "tenants": [
            sourced({"id": one["id"], "name": one["name"], "kind": "province"}, one["source"])
            for one in work["regions"]
        ],
        "tariffs": tariff_rows(unique([one["tariff"] for one in clusters])),
        "renewables": renewable_rows(unique([one["profile"] for one in contracted])),
        "carbon": carbon_rows(unique([one["carbon"] for one in clusters])),
    }
