"""The frozen family of large instances as a `Problem`, memory linear in jobs."""

from __future__ import annotations

import numpy as np

from provgrid_bench.record import Instance
from provgrid_bench.scale_instance import generate
from provgrid_models.problem import Problem


def scale_problem(
    jobs: int, pools: int = 20, hours: int = 168, services: int = 40, seed: int = 0, rigid_share: float = 0.0
) -> Problem:
    """Map `scale_instance.generate` to a problem.

    One cluster per pool with two supply blocks, contracted renewables and unlimited grid; families become job
    classes and regions become origins, so that no array is jobs x pools. Service units are PFLOPS.
    """
    raw = generate(jobs, pools, hours, services, seed, rigid_share)
    flat = np.ones((1, hours))
    renewables = np.repeat([raw["renewable_price"]], pools)[:, None] * flat
    return Problem(
        capacity=raw["capacity"][:, None] * flat,
        kw_per_accelerator=raw["kw"][:, None] * flat,
        pool_cluster=np.arange(pools),
        floor_kw=np.zeros((pools, hours)),
        block_cluster=np.tile(np.arange(pools), 2),
        block_limit_kw=np.concatenate([raw["renewable_kw"], np.full((pools, hours), np.inf)]),
        block_yuan_per_kwh=np.concatenate([renewables, raw["tariff"]]),
        block_is_grid=np.repeat([False, True], pools),
        gb_yuan=raw["gb_price"],
        job_class=raw["family"],
        class_rate_pflops=raw["efficiency"],
        job_origin=raw["origin"],
        work_pflop_h=raw["work"],
        release=raw["release"],
        deadline=raw["deadline"],
        max_accelerators=raw["max_accelerators"],
        rigid=raw["rigid"],
        data_gb=raw["data_gb"],
        move_gbps=np.full(jobs, np.inf),
        unserved_yuan=raw["job_penalty"] * raw["work"],
        demand=raw["demand"],
        service_rate=np.where(raw["eligible"], raw["service_efficiency"], 0.0),
        service_origin=raw["service_region"],
        service_yuan=raw["service_cost"],
        service_unserved_yuan=np.full(services, raw["service_penalty"]),
    )


def scale_instance(jobs: int, pools: int, hours: int, services: int, seed: int, rigid_share: float) -> Instance:
    """Name the instance, to be measured."""
    rigid = f"-rigid{100 * rigid_share:g}" if rigid_share else ""
    return Instance(
        f"scale-{jobs}-{pools}-{hours}-{services}{rigid}",
        lambda: (scale_problem(jobs, pools, hours, services, seed, rigid_share), None),
        seed,
        rigid_share,
    )
