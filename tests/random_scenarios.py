"""Random scenarios on the places of `tiny`: every rule of compiling can bite, alone or together."""

from __future__ import annotations

from typing import Any

import numpy as np

from provgrid_models.scenario import Scenario
from tiny import SHORT, job, service, tiny_scenario


def random_scenario(seed: int) -> Scenario:
    """Draw up to 8 jobs (chains, pins, finished work, windows across the end), services, routes, switches, periods."""
    rng = np.random.default_rng(seed)
    services = [_service(rng, s) for s in range(int(rng.integers(0, 4)))]
    return tiny_scenario(
        jobs=[_job(rng, j) for j in range(int(rng.integers(0, 9)))],
        services=services,
        # Every other period, and one row after the horizon of 12.
        demand=[
            {"service": row["id"], "period": period, "tokens_per_s": float(rng.uniform(0, 99))}
            for row in services
            for period in range(0, 14, 2)
        ],
        routes=[row for row in SHORT["routes"] if rng.random() < 0.85],
        contracts={"sun": {"take_or_pay": bool(rng.random() < 0.5)}},
        settings={
            "prices": {
                "carbon_price_yuan_per_t": float(rng.choice([0.0, 80.0])),
                "basis": str(rng.choice(["energy", "operating", "full"])),
            },
            "switches": {
                **{name: bool(rng.random() < 0.7) for name in ("links", "latency", "demand_charge", "residency")},
                "open_zones": [["east", "west"]] if rng.random() < 0.3 else [],
            },
            "horizon": {"period_h": float(rng.choice([1.0, 1.0, 0.75, 1.5, 2.0]))},  # some straddle clock hours
        }
        | _capital(rng),
        chips={"fast": {"price_yuan": float(rng.uniform(1e4, 3e5))}, "small": {"price_yuan": 4e4}},
        tenants={
            "city": {"rent_discount": float(rng.uniform(0, 1))},
            "firm": {
                "subsidy_yuan_per_accelerator_h": float(rng.uniform(0, 3)),
                "terms_province": str(rng.choice(["Donghai", "Xishan"])),
            },
        },
    )


def _capital(rng: np.random.Generator) -> dict[str, Any]:
    return {"capital": {"discount_rate": float(rng.choice([0.0, 0.06])), "planned_utilisation": 0.4}}


def _job(rng: np.random.Generator, j: int) -> dict[str, Any]:
    release_h = float(rng.integers(0, 15))
    return job(
        f"job{j}",
        tenant=str(rng.choice(["", "city", "firm"])),
        region=str(rng.choice(["east", "west"])),
        family=str(rng.choice(["llm", "vision"])),
        precision=str(rng.choice(["fp16", "fp8"], p=[0.7, 0.3])),
        mode=str(rng.choice(["elastic", "rigid"])),
        work_pflop_h=float(rng.uniform(1, 40)),
        release_h=release_h,
        deadline_h=release_h + float(rng.uniform(0, 14)),
        max_accelerators=float(rng.choice([4.0, 10.0, 30.0, 60.0])),
        min_accelerators=float(rng.choice([1.0, 8.0, 25.0])),
        data_gb=float(rng.choice([0.0, 500.0, 3000.0])),
        move_gbps=float(rng.choice([1.0, 10.0])),
        residency=str(rng.choice(["", "east", "west"])),
        after=f"job{rng.integers(0, j)}" if j and rng.random() < 0.4 else "",
        checkpoint_gb=float(rng.choice([0.0, 300.0])),
        unserved_yuan=float(rng.choice([np.nan, 50.0])),
        work_done_pflop_h=float(rng.choice([0.0, 0.0, 3.0, 100.0])),
        pinned_pool=str(rng.choice(["", "", "", "city_a/fast"])),
        hard=bool(rng.random() < 0.03),
    )


def _service(rng: np.random.Generator, s: int) -> dict[str, Any]:
    return service(
        f"service{s}",
        region=str(rng.choice(["east", "west"])),
        family=str(rng.choice(["llm", "vision"], p=[0.8, 0.2])),
        slo_metric=str(rng.choice(["network_rtt", "ttft", "tpot"])),
        slo_ms=float(rng.uniform(1, 120)),
        max_utilisation=float(rng.uniform(0.3, 1.0)),
        kb_in_per_ktoken=5.0,
        residency=str(rng.choice(["", "east"])),
        unserved_yuan_per_mtoken=float(rng.choice([np.nan, 3.0])),
    )
