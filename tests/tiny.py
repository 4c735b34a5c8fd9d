"""A scenario small enough to check by hand: two regions, three clusters, three pools, twelve hours.

    east (zone east) ── metro 200 Gbit/s, 0.01 yuan/GB ── prov_c (provincial, zone east)
      └ city_a (city of east, same place)
    east ── backbone 100 Gbit/s, 0.1 yuan/GB ── west (zone west), home of hub_b (national hub, solar from 8 to 11 h)

    pool          chip   accelerators   llm in training          llm in inference
    city_a/fast   fast   20             1 * 0.5 = 0.5 PFLOPS     100 tokens/s
    hub_b/fast    fast   100            0.5 PFLOPS               100 tokens/s
    prov_c/small  small  50             0.5 * 0.4 = 0.2 PFLOPS   40 tokens/s

`tiny_scenario(**changes)` takes one keyword per field of `Scenario`:

    tiny_scenario(settings={"switches": {"links": False}})          merged into scenario.toml
    tiny_scenario(clusters={"hub_b": {"pue": 1.5}})                 changes columns of the row with that id
    tiny_scenario(jobs={"base": None, "gang": {"hard": True}})      None drops a row
    tiny_scenario(jobs=[job("a", work_pflop_h=3.0)])                a list replaces the table
    tiny_scenario(demand={"chat": 50.0, "batch": [1.0] * 12})       tokens/s by service, constant or by period
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from provgrid_models.scenario import SHORT_TABLES, Scenario, Settings
from provgrid_models.tables import LONG_TABLES

PERIODS = 12

SETTINGS: dict[str, Any] = {
    "name": "tiny",
    "horizon": {"start": "2026-07-01T00:00:00", "periods": PERIODS},
    "latency": {"us_per_km": 5.0, "route_factor": 1.5, "equipment_ms": 1.0, "queue_ms": 20.0},
}

SHORT: dict[str, list[dict[str, Any]]] = {
    "regions": [
        {"id": "east", "province": "Donghai", "zone": "east", "latitude_deg": 30.0, "longitude_deg": 120.0},
        {"id": "west", "province": "Xishan", "zone": "west", "latitude_deg": 40.0, "longitude_deg": 100.0},
    ],
    "clusters": [
        {
            "id": "city_a",
            "province": "Donghai",
            "region": "east",
            "zone": "east",
            "tier": "city",
            "latitude_deg": 30.0,
            "longitude_deg": 120.0,
            "pue": 1.5,
            "tariff": "east",
            "carbon": "east",
        },
        {
            "id": "hub_b",
            "province": "Xishan",
            "zone": "west",
            "tier": "national_hub",
            "latitude_deg": 40.0,
            "longitude_deg": 100.0,
            "pue": 1.2,
            "tariff": "west",
            "carbon": "west",
            "grid_limit_mw": 1.0,
            "demand_charge_yuan_per_kw_month": 36.5,
        },
        {
            "id": "prov_c",
            "province": "Donghai",
            "zone": "east",
            "tier": "provincial",
            "latitude_deg": 29.0,
            "longitude_deg": 121.0,
            "pue": 1.25,
            "tariff": "east",
            "carbon": "east",
        },
    ],
    "contracts": [
        {
            "id": "sun",
            "cluster": "hub_b",
            "energy": "solar",
            "capacity_mw": 0.04,
            "price_yuan_per_kwh": 0.2,
            "profile": "sun",
        },
    ],
    "chips": [
        {
            "id": "fast",
            "peak_fp16_tflops": 1000.0,
            "peak_fp8_tflops": 2000.0,
            "memory_gb": 64.0,
            "busy_kw": 0.9,
            "idle_kw": 0.1,
            "server_overhead": 1.25,
            "market_price_yuan_per_h": 10.0,
        },
        {
            "id": "small",
            "peak_fp16_tflops": 500.0,
            "memory_gb": 32.0,
            "busy_kw": 0.5,
            "idle_kw": 0.1,
            "market_price_yuan_per_h": 3.0,
        },
    ],
    "pools": [
        {"id": "city_a/fast", "cluster": "city_a", "chip": "fast", "accelerators": 20.0},
        {"id": "hub_b/fast", "cluster": "hub_b", "chip": "fast", "accelerators": 125.0, "availability": 0.8},
        {"id": "prov_c/small", "cluster": "prov_c", "chip": "small", "accelerators": 50.0},
    ],
    "links": [
        {"id": "metro", "bandwidth_gbps": 200.0, "price_yuan_per_gb": 0.01},
        {"id": "backbone", "bandwidth_gbps": 100.0, "price_yuan_per_gb": 0.1},
    ],
    "routes": [
        {"region": "east", "cluster": "city_a"},
        {"region": "east", "cluster": "hub_b", "links": "backbone"},
        {"region": "east", "cluster": "prov_c", "links": "metro"},
        {"region": "west", "cluster": "city_a", "links": "backbone"},
        {"region": "west", "cluster": "hub_b"},
        {"region": "west", "cluster": "prov_c", "links": "backbone;metro"},
    ],
    "expansions": [],
    "families": [
        {"id": "llm", "prefill_ms": 50.0, "tpot_ms": 30.0},
        {"id": "vision"},
    ],
    "bindings": [
        {"family": "llm", "chip": "fast", "mfu": 0.5, "tokens_per_s": 100.0, "min_accelerators": 8.0},
        {"family": "llm", "chip": "small", "mfu": 0.4, "tokens_per_s": 40.0, "tpot_ms": 60.0},
        {"family": "vision", "chip": "fast", "mfu": 0.25},
    ],
    "tenants": [{"id": "city", "kind": "city", "share": 0.5}, {"id": "firm"}],
}


def job(name: str, **changes: Any) -> dict[str, Any]:
    """Build a row of the jobs table: 10 PFLOP-hours of llm from the east, elastic, within the whole horizon."""
    row = {
        "id": name,
        "tenant": "city",
        "region": "east",
        "family": "llm",
        "work_pflop_h": 10.0,
        "release_h": 0.0,
        "deadline_h": float(PERIODS),
        "max_accelerators": 10.0,
    }
    return row | changes


def service(name: str, **changes: Any) -> dict[str, Any]:
    """Build a row of the services table: llm for users in the east, round trip within 100 ms."""
    row = {"id": name, "tenant": "firm", "region": "east", "family": "llm", "slo_ms": 100.0}
    return row | changes


LONG: dict[str, list[dict[str, Any]]] = {
    # East: 0.5 yuan, but 0.8 from 8 to 11 h. West: 0.3 yuan at all hours.
    "tariffs": [
        *(
            {"tariff": "east", "season": "summer", "hour": h, "price_yuan_per_kwh": 0.8 if 8 <= h < 12 else 0.5}
            for h in range(24)
        ),
        {"tariff": "west", "price_yuan_per_kwh": 0.3},
    ],
    "carbon": [
        {"carbon": "east", "carbon_kg_per_kwh": 0.6},
        {"carbon": "west", "carbon_kg_per_kwh": 0.8},
    ],
    "renewables": [{"profile": "sun", "period": t, "capacity_factor": 0.5 if t >= 8 else 0.0} for t in range(PERIODS)],
    "jobs": [
        # 20 PFLOP-h = 40 accelerator-hours on fast, 100 on small; 90 GB at 1 Gbit/s = 0.2 h on the way
        job("base", work_pflop_h=20.0, data_gb=90.0, move_gbps=1.0),
        # 15 PFLOP-h = 30 accelerator-hours on fast: the gang of 10 runs 3 hours; on small 75: 8 hours
        job("gang", tenant="firm", region="west", mode="rigid", work_pflop_h=15.0, release_h=2.0, deadline_h=10.0),
        # after `base`; 5 PFLOP-h = 10 accelerator-hours on fast; its data may not leave the east
        job("vertical", work_pflop_h=5.0, after="base", checkpoint_gb=45.0, residency="east"),
    ],
    "services": [
        service(
            "chat", slo_class="instant", slo_ms=10.0, kb_in_per_ktoken=5.0, kb_out_per_ktoken=5.0, residency="east"
        ),
        service("batch", region="west", slo_class="relaxed", slo_metric="ttft", slo_ms=500.0, max_utilisation=0.8),
    ],
    "demand": [
        {"service": name, "period": t, "tokens_per_s": tokens_per_s}
        for name, tokens_per_s in (("chat", 210.0), ("batch", 800.0))
        for t in range(PERIODS)
    ],
}


def long_table(name: str, rows: Sequence[Mapping[str, Any]]) -> pd.DataFrame:
    """Build the frame of a long table: every column, its type, defaults where a row is silent."""
    frame = {}
    for column in LONG_TABLES[name].columns:
        if column.required and any(column.name not in row for row in rows):
            raise KeyError(f"{name} needs {column.name}")
        values = [row.get(column.name, column.default) for row in rows]
        kind: Any = {"text": "str", "number": np.float64, "integer": np.int64, "flag": np.bool_}[column.kind]
        frame[column.name] = pd.Series(values, dtype=kind)
    unknown = {key for row in rows for key in row} - set(frame)
    if unknown:
        raise KeyError(f"{name} has no column {sorted(unknown)}")
    return pd.DataFrame(frame)


def tiny_scenario(**changes: Any) -> Scenario:
    """Build the scenario described at the top of this module, with changes by table."""
    unknown = set(changes) - {"settings", *SHORT_TABLES, *LONG_TABLES}
    if unknown:
        raise KeyError(f"a scenario has no table {sorted(unknown)}")
    tables: dict[str, Any] = {}
    for name, row_class in SHORT_TABLES.items():
        rows = _changed(SHORT[name], changes.get(name, {}), "id")
        tables[name] = tuple(row if isinstance(row, row_class) else row_class.model_validate(row) for row in rows)
    for name, table in LONG_TABLES.items():
        change = changes.get(name, {})
        if isinstance(change, pd.DataFrame):
            tables[name] = change
        elif name == "demand" and isinstance(change, Mapping):
            tables[name] = long_table(name, _demand(change))
        else:
            tables[name] = long_table(name, _changed(LONG[name], change, table.key[0]))
    return Scenario(settings=Settings.model_validate(_merged(SETTINGS, changes.get("settings", {}))), **tables)


def _changed(rows: list[dict[str, Any]], change: Any, key: str) -> list[Any]:
    """Return the rows with columns changed by id, or the list that replaces them."""
    if not isinstance(change, Mapping):
        return list(change)
    if not change:
        return rows
    names = {row[key] for row in rows}
    if set(change) - names:
        raise KeyError(f"no row {sorted(set(change) - names)} among {sorted(names)}")
    return [row | change.get(row[key], {}) for row in rows if change.get(row[key], {}) is not None]


def _demand(change: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Return the demand rows with those of the named services replaced; None drops them."""
    rows = [row for row in LONG["demand"] if row["service"] not in change]
    for name, tokens_per_s in change.items():
        if tokens_per_s is not None:
            by_period = np.broadcast_to(np.asarray(tokens_per_s, dtype=float), (PERIODS,))
            rows += [{"service": name, "period": t, "tokens_per_s": float(v)} for t, v in enumerate(by_period)]
    return rows


def _merged(base: Mapping[str, Any], change: Mapping[str, Any]) -> dict[str, Any]:
    merged = dict(base)
    for key, value in change.items():
        both = isinstance(value, Mapping) and isinstance(merged.get(key), Mapping)
        merged[key] = _merged(merged[key], value) if both else value
    return merged
