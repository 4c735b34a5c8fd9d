"""The frozen raw-array instance with known LP optima, as a `Problem`: someone else's model at the array level."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from provgrid_bench.record import Instance
from provgrid_bench.reference_instance import generate
from provgrid_models.problem import Problem

if TYPE_CHECKING:
    from provgrid_models.problem import Floats

# LP optima (z relaxed) by (jobs, pools, hours, services) at seed 0, from the instance's own documentation [yuan].
KNOWN_LP_OPTIMA: dict[tuple[int, int, int, int], float] = {
    (200, 12, 48, 20): 62_450.5041,
    (400, 12, 48, 40): 111_555.1152,
    (1000, 12, 48, 40): 190_349.8764,
    (3000, 12, 48, 40): 485_335.7166,
}


def reference_problem(jobs: int, pools: int, hours: int, services: int, seed: int = 0) -> Problem:
    """Draw the instance and state it as a problem, with the same optimum.

    Each job has a class (its speed in each pool) and an origin (its cost of moving, 1 GB of data) of its own; each
    pool is a cluster with a grid block and a renewable block; a service unit is a PFLOPS.
    """
    raw: dict[str, Any] = generate(jobs, pools, hours, services, seed)
    own = np.arange(jobs)
    # One more origin, where moving costs nothing, for the services: they pay service_yuan alone.
    gb_yuan = np.vstack([raw["move_cost"], np.zeros((1, pools))])
    return Problem(
        capacity=_hourly(raw["capacity"], hours),
        kw_per_accelerator=_hourly(raw["kw"], hours),
        pool_cluster=np.arange(pools),
        **_supply(raw, pools, hours),
        route_start=np.zeros((jobs + 1) * pools + 1, dtype=np.int64),
        gb_yuan=gb_yuan,
        job_class=own,
        class_rate_pflops=raw["efficiency"],
        job_origin=own,
        work_pflop_h=raw["work"],
        release=raw["release"],
        deadline=raw["deadline"],
        max_accelerators=raw["max_accelerators"],
        data_gb=np.ones(jobs),
        unserved_yuan=raw["job_penalty"] * raw["work"],
        demand=raw["demand"],
        service_rate=np.where(raw["eligible"], raw["service_efficiency"], 0.0),
        service_origin=np.full(services, jobs),
        service_yuan=raw["service_cost"],
        service_unserved_yuan=np.full(services, raw["service_penalty"]),
    )


def reference_instance(jobs: int, pools: int, hours: int, services: int, seed: int = 0) -> Instance:
    """Name the instance, to be measured."""
    return Instance(
        f"reference-{jobs}-{pools}-{hours}-{services}",
        lambda: (reference_problem(jobs, pools, hours, services, seed), None),
        seed,
    )


def _supply(raw: dict[str, Any], pools: int, hours: int) -> dict[str, Any]:
    """Grid blocks without a limit, one a pool, then renewable blocks at one price."""
    renewable = np.arange(2 * pools) >= pools
    return {
        "block_cluster": np.tile(np.arange(pools), 2),
        "block_limit_kw": np.vstack([np.full((pools, hours), np.inf), raw["renewable_kw"]]),
        "block_yuan_per_kwh": np.vstack([raw["tariff"], np.full((pools, hours), raw["renewable_price"])]),
        "block_is_grid": ~renewable,
    }


def _hourly(values: Floats, hours: int) -> Floats:
    """Repeat what holds in every hour, shape (n, T)."""
    return np.repeat(values[:, None], hours, axis=1)
