"""What a plan uses and what it costs, component by component; the components sum to the objective."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from provgrid_optimizer.ranges import route_links

if TYPE_CHECKING:
    from provgrid_models.problem import Floats, Problem
    from provgrid_optimizer.allocation import Allocation

COMPONENTS = ("energy", "carbon", "demand_charge", "network", "rent", "subsidy", "unserved")


@dataclass(frozen=True, kw_only=True, eq=False)
class Usage:
    """What a plan holds and carries."""

    job_accelerators: Floats  # (P, T) held by training jobs
    service_accelerators: Floats  # (P, T) held by inference services
    load_kw: Floats  # (C, T) at the meter, idle floor included
    traffic_gbps: Floats  # (L, T)


@dataclass(frozen=True, kw_only=True)
class Costs:
    """Yuan by component, each above what the plan with no work would pay.

    `rent` is the capital of the accelerator-hours used, in full; `subsidy`, at most 0, is what the public purse bears
    of it and pays on top. `jobs_yuan` is the part of the training jobs: their own network, rent, subsidy and unserved
    value, and of each cluster's energy, carbon and demand charge the share of their kilowatt-hours in all that work
    draws there.
    """

    energy: float
    carbon: float
    demand_charge: float
    network: float
    rent: float
    subsidy: float
    unserved: float
    jobs_yuan: float
    carbon_kg: float  # above the floor
    floor_kg: float

    def by_component(self) -> dict[str, float]:
        """Component to yuan, in the order of `COMPONENTS`."""
        return {name: float(getattr(self, name)) for name in COMPONENTS}

    @property
    def objective_yuan(self) -> float:
        """The sum of the components."""
        return sum(self.by_component().values())


def usage(problem: Problem, allocation: Allocation) -> Usage:
    """Accelerators held, power drawn and traffic carried by a plan."""
    jobs = np.zeros(problem.capacity.shape)
    np.add.at(jobs, (allocation.pool[allocation.run_placement], allocation.run_period), allocation.run_accelerators)
    services = np.zeros(problem.capacity.shape)
    rate = problem.service_rate[allocation.serve_service, allocation.serve_pool]
    np.add.at(services, (allocation.serve_pool, allocation.serve_period), allocation.serve_units / rate)
    load_kw = problem.floor_kw.copy()
    np.add.at(load_kw, problem.pool_cluster, problem.kw_per_accelerator * (jobs + services))
    return Usage(
        job_accelerators=jobs,
        service_accelerators=services,
        load_kw=load_kw,
        traffic_gbps=traffic(problem, allocation),
    )


def traffic(problem: Problem, allocation: Allocation) -> Floats:
    """Traffic of data moves and services on every link, shape (L, T), Gbit/s."""
    steps = np.zeros((problem.n_links, problem.n_periods + 1))
    moving = np.flatnonzero(problem.move_periods[allocation.job] > 0)
    job, pool = allocation.job[moving], allocation.pool[moving]
    row, link = route_links(problem, problem.job_origin[job], pool)
    gbps = (allocation.share[moving] * problem.move_gbps[job])[row]
    first = problem.release[job][row]
    np.add.at(steps, (link, first), gbps)
    np.add.at(steps, (link, np.minimum(first + problem.move_periods[job][row], problem.n_periods)), -gbps)
    carried = np.cumsum(steps[:, :-1], axis=1)
    row, link = route_links(problem, problem.service_origin[allocation.serve_service], allocation.serve_pool)
    gbps = (problem.service_gbps[allocation.serve_service] * allocation.serve_units)[row]
    np.add.at(carried, (link, allocation.serve_period[row]), gbps)
    return carried


def costs(problem: Problem, allocation: Allocation, used: Usage | None = None) -> Costs:
    """Cost of a plan by component (problem.py gives the formula)."""
    used = usage(problem, allocation) if used is None else used
    floor = problem.floor_supply
    kwh = allocation.block_kw * problem.hours
    block_energy = (kwh * problem.block_yuan_per_kwh).sum(axis=1)
    block_kg = (kwh * problem.block_kg_per_kwh).sum(axis=1)
    job_network, service_network = network(problem, allocation)
    job_rent, service_rent, job_public, service_public = rent(problem, allocation)
    job_unserved, service_unserved = _unserved(problem, allocation)
    energy = float(block_energy.sum()) - floor.energy_yuan
    carbon_kg = float(block_kg.sum()) - floor.kg
    carbon = problem.carbon_yuan_per_kg * carbon_kg
    demand_charge = float(problem.demand_charge_yuan_per_kw @ allocation.peak_kw) - floor.demand_charge_yuan
    return Costs(
        energy=energy,
        carbon=carbon,
        demand_charge=demand_charge,
        network=job_network + service_network,
        rent=job_rent + service_rent,
        subsidy=0.0 - (job_public + service_public),  # and never -0
        unserved=job_unserved + service_unserved,
        jobs_yuan=job_network + job_rent - job_public + job_unserved + _job_power_yuan(problem, allocation, used),
        carbon_kg=carbon_kg,
        floor_kg=floor.kg,
    )


def network(problem: Problem, allocation: Allocation) -> tuple[float, float]:
    """Yuan for moving the jobs' data, and for the services' traffic."""
    gigabytes = (problem.job_weight * (problem.data_gb + problem.checkpoint_gb))[allocation.job]
    price = problem.gb_yuan[problem.job_origin[allocation.job], allocation.pool]
    jobs = float((allocation.share * gigabytes * price).sum())
    per_unit = problem.service_yuan[allocation.serve_service, allocation.serve_pool]
    services = float((problem.hours[allocation.serve_period] * per_unit * allocation.serve_units).sum())
    return jobs, services


def rent(problem: Problem, allocation: Allocation) -> tuple[float, float, float, float]:
    """Rent of the accelerator-hours that jobs and services use, and what the public purse bears of either's."""
    job_hours = allocation.share * problem.placed_accelerator_hours(allocation.job, allocation.pool)
    service, pool = allocation.serve_service, allocation.serve_pool
    unit_hours = allocation.serve_units * problem.hours[allocation.serve_period]
    service_hours = problem.accelerators_per_unit[service, pool] * unit_hours
    public = problem.public_yuan_per_h
    return (
        float(job_hours @ problem.rent_yuan_per_h[allocation.pool]),
        float(service_hours @ problem.rent_yuan_per_h[pool]),
        float(job_hours @ public[problem.job_tenant[allocation.job] + 1, allocation.pool]),
        float(service_hours @ public[problem.service_tenant[service] + 1, pool]),
    )


def _unserved(problem: Problem, allocation: Allocation) -> tuple[float, float]:
    """Yuan for jobs and service units that are left. Hard work has no price and is never left."""
    left = np.maximum(1.0 - allocation.served_share(problem), 0.0)
    soft = np.isfinite(problem.unserved_yuan)
    jobs = float((problem.job_weight * left * np.where(soft, problem.unserved_yuan, 0.0))[soft].sum())
    price = np.where(np.isfinite(problem.service_unserved_yuan), problem.service_unserved_yuan, 0.0)
    services = float(price @ (allocation.unserved_units(problem) @ problem.hours)) if price.size else 0.0
    return jobs, services


@dataclass(frozen=True, kw_only=True)
class PowerParts:
    """What all work adds to the power of each cluster, above the idle floor; each part has shape (C,)."""

    energy_yuan: Floats
    carbon_yuan: Floats
    demand_charge_yuan: Floats
    kg: Floats


def power_parts(problem: Problem, allocation: Allocation) -> PowerParts:
    """Energy, carbon and demand charge that all work adds at each cluster."""
    floor = problem.floor_supply
    kwh = (allocation.block_kw - floor.block_kw) * problem.hours

    def by_cluster(of_block: Floats) -> Floats:
        total = np.bincount(problem.block_cluster, weights=of_block.sum(axis=1), minlength=problem.n_clusters)
        return total.astype(np.float64)

    kg = by_cluster(kwh * problem.block_kg_per_kwh)
    return PowerParts(
        energy_yuan=by_cluster(kwh * problem.block_yuan_per_kwh),
        carbon_yuan=problem.carbon_yuan_per_kg * kg,
        demand_charge_yuan=problem.demand_charge_yuan_per_kw * (allocation.peak_kw - floor.peak_kw),
        kg=kg,
    )


def power_yuan(problem: Problem, allocation: Allocation) -> Floats:
    """Energy, carbon and demand charge that all work adds at each cluster, above the idle floor, shape (C,)."""
    parts = power_parts(problem, allocation)
    return parts.energy_yuan + parts.carbon_yuan + parts.demand_charge_yuan


def cluster_kwh(problem: Problem, accelerators: Floats) -> Floats:
    """Energy that accelerators (P, T) draw above the idle floor at each cluster over the horizon, shape (C,)."""
    by_pool = (problem.kw_per_accelerator * accelerators) @ problem.hours
    return np.bincount(problem.pool_cluster, weights=by_pool, minlength=problem.n_clusters).astype(np.float64)


def _job_power_yuan(problem: Problem, allocation: Allocation, used: Usage) -> float:
    """Training's part of energy, carbon and demand charge, cluster by cluster, by kilowatt-hours."""
    jobs = cluster_kwh(problem, used.job_accelerators)
    total = jobs + cluster_kwh(problem, used.service_accelerators)
    share = np.divide(jobs, total, out=np.zeros_like(jobs), where=total > 0)
    return float(power_yuan(problem, allocation) @ share)


def fastest_accelerator_hours(problem: Problem, chunk: int = 200_000) -> tuple[Floats, Floats]:
    """Accelerator-hours that each job (J,) and each service over the horizon (S,) needs at its fastest open pool.

    Real copies counted. It is the yardstick for `unserved_share`; work with no open pool counts 0.
    """
    jobs = np.zeros(problem.n_jobs)
    for first in range(0, problem.n_jobs, chunk):
        part = slice(first, min(first + chunk, problem.n_jobs))
        hours = np.where(problem.reasons(part) == 0, problem.accelerator_hours(part), np.inf)
        jobs[part] = hours.min(axis=1, initial=np.inf)
    jobs = np.where(np.isfinite(jobs), jobs * problem.job_weight, 0.0)
    best = problem.service_rate.max(axis=1, initial=0.0)
    services = np.where(best > 0, (problem.demand @ problem.hours) / np.where(best > 0, best, 1.0), 0.0)
    return jobs, services


def unserved_share(problem: Problem, allocation: Allocation) -> float:
    """Share of the asked accelerator-hours, each at its fastest open pool, that is left unserved."""
    jobs, services = fastest_accelerator_hours(problem)
    asked = float(jobs.sum() + services.sum())
    if asked <= 0:
        return 0.0
    left_jobs = float((jobs * np.maximum(1.0 - allocation.served_share(problem), 0.0)).sum())
    demanded = problem.demand @ problem.hours
    left_units = allocation.unserved_units(problem) @ problem.hours
    left_services = float((services * left_units / np.where(demanded > 0, demanded, 1.0)).sum())
    return (left_jobs + left_services) / asked
