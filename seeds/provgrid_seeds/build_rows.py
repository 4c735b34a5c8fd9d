"""Rows that the built-in scenarios share, made from the tables; each carries the rows that it was made from."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from provgrid_seeds import facts, loader
from provgrid_seeds.loader import figure, table_row

if TYPE_CHECKING:
    from datetime import datetime

Record = dict[str, Any]

CHIPS = ("h800", "a800", "h20", "ascend_910b", "ascend_910c", "kunlun_p800")
FAMILIES = {
    "dense_llm": "Dense language model, 70 B",
    "moe_llm": "Mixture-of-experts language model, 671 B",
    "reasoning": "Reasoning model, reinforcement learning",
    "vision": "Vision model, 7 B",
    "recommendation": "Recommendation and embedding model",
}
GANG_STEP = 8  # accelerators come in servers of eight


def value(assumption_id: str) -> float:
    """Value of a named assumption; a whole number as such."""
    number = loader.assumption(assumption_id).value
    return int(number) if number.is_integer() else number


def assumed(*assumption_ids: str) -> str:
    """Source cell that names assumptions."""
    return ";".join(f"assumptions/{one}" for one in assumption_ids)


def sourced(record: Record, *sources: str) -> Record:
    """Add the source cell, and the quality of its least sure row."""
    source = ";".join(sources)
    return {**record, "source": source, "quality": loader.weakest_quality(source)}


def chip(chip_id: str) -> Record:
    """Row of `chips`: peaks and power of the chips table, idle share of chips_efficiency, assumed rent."""
    row = table_row("chips", chip_id)
    busy_kw = figure("chips", chip_id, "tdp_w") / 1000.0
    fp8 = row["fp8_or_int8_tops_dense"]
    return sourced(
        {
            "id": chip_id,
            "name": row["name"],
            "vendor": row["vendor"],
            "origin": row["origin"],
            "peak_fp16_tflops": row["fp16_tflops_dense"],
            "peak_fp8_tflops": fp8,
            "memory_gb": row["memory_gb"],
            "busy_kw": busy_kw,
            "idle_kw": round(busy_kw * figure("chips_efficiency", "idle_share", "typical"), 6),
            "server_overhead": figure("chips_efficiency", "server_overhead", "typical"),
            "market_price_yuan_per_h": value(f"market_rent_{chip_id}"),
            "price_yuan": row["price_yuan"],
        },
        f"chips/{chip_id}",
        "chips_efficiency/idle_share",
        "chips_efficiency/server_overhead",
        assumed(f"market_rent_{chip_id}"),
    )


def family(family_id: str) -> Record:
    """Row of `families`."""
    ids = (f"prefill_ms_{family_id}", f"tpot_ms_{family_id}")
    return sourced(
        {"id": family_id, "name": FAMILIES[family_id], "prefill_ms": value(ids[0]), "tpot_ms": value(ids[1])},
        assumed(*ids),
    )


def bindings(families: tuple[str, ...], chips: tuple[str, ...]) -> list[Record]:
    """Rows of `bindings`: planning MFU of the chip's class, decode speed by memory bandwidth; see assumptions."""
    return [
        _no_binding(family_id, chip_id) if unported(family_id, chip_id) else binding(family_id, chip_id)
        for family_id in families
        for chip_id in chips
    ]


def unported(family_id: str, chip_id: str) -> bool:
    """Whether an assumption says that the family was never brought to the chip."""
    name = f"not_ported_{family_id}_{chip_id}"
    return any(row["id"] == name for row in loader.table("assumptions"))


def _no_binding(family_id: str, chip_id: str) -> Record:
    blank = {"family": family_id, "chip": chip_id, "mfu": None, "tokens_per_s": None, "min_accelerators": 1}
    return sourced(blank, assumed(f"not_ported_{family_id}_{chip_id}"))


def binding(family_id: str, chip_id: str) -> Record:
    """Row of `bindings` for a family that runs on the chip."""
    domestic = table_row("chips", chip_id)["origin"] == "CN"
    planning = "mfu_domestic" if domestic else "mfu_nvidia"
    per_h800 = figure("chips_efficiency", "decode_node_h800", "typical") / 8  # a node holds eight
    bandwidth = figure("chips", chip_id, "mem_bw_gb_s") / figure("chips", "h800", "mem_bw_gb_s")
    stack = value("decode_domestic_factor") if domestic else 1.0
    speed = per_h800 * bandwidth ** value("decode_by_bandwidth") * stack * value(f"decode_factor_{family_id}")
    memory_gb = figure("chips", chip_id, "memory_gb")
    return sourced(
        {
            "family": family_id,
            "chip": chip_id,
            "mfu": round(figure("chips_efficiency", planning, "typical") * value(f"mfu_factor_{family_id}"), 4),
            "tokens_per_s": round(speed, 1),
            "min_accelerators": math.ceil(value(f"weights_gb_{family_id}") / memory_gb),
        },
        f"chips_efficiency/{planning}",
        "chips_efficiency/decode_node_h800",
        f"chips/{chip_id}",
        assumed(
            f"mfu_factor_{family_id}",
            f"decode_factor_{family_id}",
            "decode_by_bandwidth",
            *(["decode_domestic_factor"] if domestic else []),
            f"weights_gb_{family_id}",
        ),
    )


def pool(cluster: str, chip_id: str, capacity_pflops: float, mix_id: str, *sources: str) -> Record:
    """Row of `pools`: the chip's part of a capacity, in whole servers."""
    accelerators = capacity_pflops * value(mix_id) * 1000.0 / figure("chips", chip_id, "fp16_tflops_dense")
    return sourced(
        {
            "id": f"{cluster}/{chip_id}",
            "cluster": cluster,
            "chip": chip_id,
            "accelerators": max(1, round(accelerators / GANG_STEP)) * GANG_STEP,
            "availability": value("availability"),
        },
        *sources,
        f"chips/{chip_id}",
        assumed(mix_id, "availability"),
    )


def full_load_mw(pools: list[Record], pue: float) -> float:
    """Power of all installed accelerators of a cluster when busy [MW]."""
    kilowatts = [
        one["accelerators"]
        * figure("chips", one["chip"], "tdp_w")
        / 1000.0
        * figure("chips_efficiency", "server_overhead", "typical")
        for one in pools
    ]
    return float(sum(kilowatts)) * pue / 1000.0


def contracts(cluster: str, province: str, load_mw: float) -> list[Record]:
    """Rows of `contracts`: solar and wind of a western site, sized by its full load."""
    return [
        sourced(
            {
                "id": f"{cluster}_{energy}",
                "cluster": cluster,
                "energy": energy,
                "capacity_mw": round(load_mw * value(f"hub_{energy}_share"), 3),
                "price_yuan_per_kwh": value(f"{energy}_price"),
                "carbon_kg_per_kwh": value("renewable_carbon"),
                "take_or_pay": False,
                "profile": f"{province}_{energy}",
            },
            f"renewables_annual/{province}",
            assumed(f"hub_{energy}_share", f"{energy}_price", "renewable_carbon"),
        )
        for energy in ("solar", "wind")
    ]


def supply(tariff: str) -> tuple[str, Record]:
    """Source and columns of a cluster's tariff and demand charge."""
    charge = figure("tariffs_source", tariff, "demand_charge_yuan_per_kw_month")
    return f"tariffs_source/{tariff}", {"tariff": tariff, "demand_charge_yuan_per_kw_month": charge}


def carbon_key(province: str) -> str:
    """Key into the carbon table: the id of the province's latest row of emission_factors."""
    return f"ef_{province.lower().replace(' ', '_')}_2023"


def tariff_rows(keys: list[str]) -> list[Record]:
    """Rows of `tariffs` for these keys: every season and hour."""
    return [
        {
            "tariff": row["province"],
            "season": row["season"],
            "hour": int(figure("tariffs", str(row["id"]), "hour")),
            "price_yuan_per_kwh": row["price_yuan_per_kwh"],
        }
        for row in loader.table("tariffs")
        if row["province"] in keys
    ]


def renewable_rows(profiles: list[str]) -> list[Record]:
    """Rows of `renewables` for profiles like `xinjiang_wind`: every season and hour."""
    return [
        {
            "profile": profile,
            "season": row["season"],
            "hour": int(figure("renewables", str(row["id"]), "hour")),
            "capacity_factor": row[f"{profile.rpartition('_')[2]}_cf"],
        }
        for profile in profiles
        for row in loader.table("renewables")
        if row["province"] == profile.rpartition("_")[0]
    ]


def carbon_rows(keys: list[str]) -> list[Record]:
    """Rows of `carbon`: one constant per key."""
    return [{"carbon": key, "carbon_kg_per_kwh": figure("emission_factors", key, "kgco2_per_kwh")} for key in keys]


def unique(names: list[str]) -> list[str]:
    """Names in order of appearance, once each."""
    return list(dict.fromkeys(names))


def latency_settings() -> Record:
    """Make the `[latency]` table: the rule of the latency table, and an assumed queue."""
    rules = {str(row["metric"]): str(row["id"]) for row in loader.table("latency") if row["kind"] == "rule"}
    return {
        "us_per_km": named("latency", rules["propagation in fibre us per km one-way"], "typical"),
        "route_factor": named("latency", rules["route factor: fibre path / great circle"], "typical"),
        "equipment_ms": named("latency", rules["equipment, core and metro access added one-way"], "typical"),
        "queue_ms": named("assumptions", "queue_ms", "value", whole=True),
    }


def week(start: datetime) -> Record:
    """Make the `[horizon]` table of a week of hours."""
    return {
        "start": start,
        "periods": named("assumptions", "week_hours", "value", whole=True),
        "period_h": named("assumptions", "hour_period", "value"),
    }


def capital_settings(read: Ledger) -> Record:
    """Make the `[capital]` table: what chips and sites cost to own."""
    names = (
        "discount_rate",
        "server_capital_factor",
        "chip_life_years",
        "site_yuan_per_kw",
        "site_life_years",
        "planned_utilisation",
    )
    return {name: read(f"capital_{name}") for name in names}


def in_words(*assumption_ids: str) -> list[str]:
    """Named assumptions as lines for `settings.assumptions`."""
    lines = []
    for one in assumption_ids:
        known = loader.assumption(one)
        lines.append(f"{one}: {known.statement}: {known.value:g} {known.unit} ({known.low:g} to {known.high:g})")
    return lines


class WholeNumber(int):
    """A whole number that remembers its source."""

    source: str


class Number(float):
    """A number that remembers its source."""

    source: str


def named(table: str, row_id: str, column: str, *, whole: bool = False) -> WholeNumber | Number:
    """Return one number of a table, with its source; as a whole number where `whole` and it is one."""
    number = figure(table, row_id, column)
    made = WholeNumber(number) if whole and number.is_integer() else Number(number)
    made.source = f"{table}/{row_id}"
    return made


def fact_value(fact_id: str) -> WholeNumber | Number:
    """Value of a fact of the documents, with its source; a whole number as such."""
    number = facts.fact(fact_id).value
    if number is None:
        raise KeyError(f"fact {fact_id!r} has no value")
    return derived(number, f"facts/{fact_id}")


def derived(number: float, *sources: str) -> WholeNumber | Number:
    """Return a number that was worked out, with the sources of what it was worked out from."""
    made = WholeNumber(number) if float(number).is_integer() else Number(number)
    made.source = ";".join(sources)
    return made


def with_sources(settings: Record, **tables: str) -> Record:
    """Add `[sources]`: that of every number that remembers one, by its path, and of whole tables."""
    found = dict(tables)

    def look(path: str, value: object) -> None:
        if isinstance(value, dict):
            for key, inner in value.items():
                look(f"{path}.{key}" if path else key, inner)
        elif isinstance(value, list):
            for i, inner in enumerate(value):
                look(f"{path}.{i}", inner)
        elif isinstance(value, WholeNumber | Number):
            found[path] = value.source

    look("", settings)
    generate = settings.pop("generate", None)
    return {**settings, "sources": found, **({} if generate is None else {"generate": generate})}


class Ledger:
    """Reads assumptions and remembers them, so that `settings.assumptions` lists exactly what was used."""

    def __init__(self) -> None:
        self.used: list[str] = []

    def __call__(self, assumption_id: str) -> WholeNumber | Number:
        """Value of a named assumption, remembered."""
        if assumption_id not in self.used:
            self.used.append(assumption_id)
        return named("assumptions", assumption_id, "value", whole=True)
