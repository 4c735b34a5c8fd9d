"""Random small problems in which every rule of the model can bind: a seeded builder and a hypothesis strategy."""

from __future__ import annotations

from typing import Any

import numpy as np
from hypothesis import strategies as st
from numpy.random import Generator

from provgrid_models.problem import Problem


def random_problem(
    seed: int,
    *,
    jobs: int = 5,
    pools: int = 4,
    clusters: int = 2,
    periods: int = 8,
    services: int = 2,
    origins: int = 2,
    rigid: bool = True,
    elastic: bool = True,
    links: bool = True,
    after: bool = True,
    demand_charge: bool = True,
    carbon_budget: bool = True,
    weights: bool = True,
    negative_prices: bool = True,
    hard: bool = False,
    rent: bool = True,
) -> Problem:
    """Draw a problem; the switches say which rules it may hold. Without `hard` the empty plan is always feasible."""
    random = np.random.default_rng(seed)
    clusters = min(clusters, pools)
    parts: dict[str, Any] = {
        "period_h": float(random.choice([0.5, 1.0, 2.0])),
        "weight": random.uniform(0.5, 3.0, periods).round(2) if weights and random.random() < 0.5 else np.ones(periods),
    }
    parts |= _pools(random, pools, clusters, periods)
    parts |= _supply(random, parts, clusters, periods, demand_charge, negative_prices)
    parts |= _network(random, pools, clusters, origins, links, parts["pool_cluster"])
    parts |= _jobs(random, parts, jobs, pools, periods, origins, rigid=rigid, elastic=elastic, links=links, hard=hard)
    parts["after"], parts["checkpoint_gb"] = _after(random, jobs, after)
    parts |= _services(random, services, pools, periods, origins, parts["gb_yuan"], links, hard)
    if carbon_budget and random.random() < 0.5:
        parts["carbon_budget_kg"] = _carbon_budget(random, parts)
    if rent and random.random() < 0.5:
        parts |= _terms(random, pools)
    return Problem(**parts)


def _pools(random: Generator, pools: int, clusters: int, periods: int) -> dict[str, Any]:
    """Every cluster has a pool; capacities move a little, and some pools are shut for a period."""
    pool_cluster = np.concatenate([np.arange(clusters), random.integers(0, clusters, pools - clusters)])
    capacity = np.round(random.uniform(4, 24, (pools, 1)) * random.uniform(0.7, 1.0, (pools, periods)), 1)
    capacity[random.random((pools, periods)) < 0.04] = 0.0
    return {
        "pool_cluster": pool_cluster,
        "capacity": capacity,
        "kw_per_accelerator": random.uniform(0.4, 1.3, (pools, 1)) * random.uniform(0.9, 1.1, (pools, periods)),
        "pool_tenant": np.where(random.random(pools) < 0.3, random.integers(0, 2, pools), -1),
        "tenant_share": np.array([0.6, 0.4]),
    }


def _supply(
    random: Generator, parts: dict[str, Any], clusters: int, periods: int, demand_charge: bool, negative_prices: bool
) -> dict[str, Any]:
    """A grid block per cluster that covers the floor, and up to two renewable blocks."""
    full_kw = np.zeros((clusters, periods))
    np.add.at(full_kw, parts["pool_cluster"], parts["capacity"] * parts["kw_per_accelerator"])
    floor_kw = full_kw.mean(axis=1, keepdims=True) * random.uniform(0.1, 0.4, (clusters, periods))
    block_cluster, limit, price, intensity, is_grid = [], [], [], [], []
    for c in range(clusters):
        bounded = random.random() < 0.5
        block_cluster.append(c)
        limit.append(floor_kw[c] + full_kw[c] * random.uniform(0.4, 1.1) if bounded else np.full(periods, np.inf))
        price.append(random.uniform(0.3, 0.9) * random.uniform(0.5, 1.6, periods))
        intensity.append(random.uniform(0.3, 0.9) * random.uniform(0.8, 1.2, periods))
        is_grid.append(True)
        for _ in range(int(random.integers(0, 3))):
            block_cluster.append(c)
            limit.append(full_kw[c].max() * random.uniform(0.0, 0.8, periods) * (random.random(periods) < 0.8))
            # Now and then power is worth less than nothing.
            surplus = random.random() < 0.1 and negative_prices
            price.append(np.full(periods, -0.05 if surplus else random.uniform(0.05, 0.7)))
            intensity.append(np.full(periods, random.choice([0.0, 0.02])))
            is_grid.append(False)
    return {
        "floor_kw": floor_kw,
        "block_cluster": np.array(block_cluster),
        "block_limit_kw": np.array(limit),
        "block_yuan_per_kwh": np.array(price),
        "block_kg_per_kwh": np.array(intensity),
        "block_is_grid": np.array(is_grid),
        "demand_charge_yuan_per_kw": random.uniform(0.0, 2.0, clusters) * (demand_charge and random.random() < 0.7),
        "carbon_yuan_per_kg": float(random.choice([0.0, 0.1, 0.4])),
    }


def _network(
    random: Generator, pools: int, clusters: int, origins: int, links: bool, pool_cluster: Any
) -> dict[str, Any]:
    """One route per origin and cluster: at home without links, else one or two of three, some missing."""
    count = 3 if links else 0
    home = random.integers(0, clusters, origins)
    route_start, route_link, price = [0], [], np.zeros((origins, clusters))
    for r in range(origins):
        for c in range(clusters):
            if c != home[r] and random.random() < 0.12:
                price[r, c] = np.inf
            elif c != home[r]:
                price[r, c] = random.uniform(0.0, 0.05)
                if links:
                    route_link += random.choice(count, size=int(random.integers(1, 3)), replace=False).tolist()
            route_start.append(len(route_link))
    return {
        "link_gbps": np.where(random.random(count) < 0.2, np.inf, random.uniform(0.5, 3.0, count)),
        "route_start": np.array(route_start),
        "route_link": np.array(route_link, dtype=np.int64),
        "gb_yuan": price[:, pool_cluster],
        "origin_tier": random.integers(0, 4, (origins, pools)),
    }


def _jobs(
    random: Generator,
    parts: dict[str, Any],
    jobs: int,
    pools: int,
    periods: int,
    origins: int,
    *,
    rigid: bool,
    elastic: bool,
    links: bool,
    hard: bool,
) -> dict[str, Any]:
    """Jobs that ask for a part of a pool over a part of the horizon."""
    classes = 3
    rate = random.uniform(0.15, 0.45, (classes, pools)) * (random.random((classes, pools)) < 0.85)
    release = random.integers(0, max(1, periods - 2), jobs)
    deadline = np.minimum(periods, release + random.integers(2, periods + 1, jobs))
    maximum = np.ceil(random.uniform(0.5, 8.0, jobs))
    held_h = parts["period_h"] * np.maximum(1, deadline - release)
    work = maximum * held_h * random.uniform(0.1, 0.7, jobs) * 0.3
    unserved = work * random.uniform(1.0, 12.0, jobs)
    if hard:
        unserved[random.random(jobs) < 0.25] = np.inf
    is_rigid = random.random(jobs) < 0.5 if rigid and elastic else np.full(jobs, rigid)
    # Without links there is nothing to wait for, so data only costs money there.
    move_gbps = np.where(random.random(jobs) < 0.25, np.inf, random.uniform(0.3, 2.0, jobs))
    return {
        "job_class": random.integers(0, classes, jobs),
        "class_rate_pflops": rate,
        "job_origin": random.integers(0, origins, jobs),
        "work_pflop_h": work,
        "release": release,
        "deadline": deadline,
        "max_accelerators": maximum,
        "rigid": is_rigid,
        "data_gb": random.uniform(0, 900, jobs) * parts["period_h"] * (random.random(jobs) < 0.6),
        "move_gbps": move_gbps if links else np.full(jobs, np.inf),
        "unserved_yuan": unserved,
        "pinned_pool": np.where(random.random(jobs) < 0.1, random.integers(0, pools, jobs), -1),
        "job_tenant": random.integers(-1, 2, jobs),
    }


def _after(random: Generator, jobs: int, after: bool) -> tuple[Any, Any]:
    """Give some jobs a base among the jobs before them, some of these with a checkpoint that takes time to move."""
    base = np.array([int(random.integers(0, j)) if j and random.random() < 0.35 else -1 for j in range(jobs)])
    base = base if after else np.full(jobs, -1)
    checkpoint = np.where((base >= 0) & (random.random(jobs) < 0.5), random.uniform(0, 300, jobs), 0.0)
    return base, checkpoint


def _services(
    random: Generator, services: int, pools: int, periods: int, origins: int, gb_yuan: Any, links: bool, hard: bool
) -> dict[str, Any]:
    """Services with a daily shape; a pool is closed to them by latency, residency or a missing route."""
    origin = random.integers(0, origins, services)
    open_pool = (random.random((services, pools)) < 0.8) & np.isfinite(gb_yuan[origin])
    shape = 1 + 0.5 * np.sin(2 * np.pi * (np.arange(periods) + random.uniform(0, periods)) / periods)
    unserved = random.uniform(0.5, 6.0, services)
    if hard:
        unserved[random.random(services) < 0.25] = np.inf
    return {
        "demand": random.uniform(0.5, 6.0, (services, 1)) * shape * random.uniform(0.8, 1.2, (services, periods)),
        "service_rate": random.uniform(0.3, 1.5, (services, pools)) * open_pool,
        "service_origin": origin,
        "service_yuan": np.where(open_pool, random.uniform(0, 0.2, (services, pools)), np.inf),
        "service_gbps": random.uniform(0.0, 0.4, services) * links,
        "service_unserved_yuan": unserved,
        "service_tenant": random.integers(-1, 2, services),
    }


def _terms(random: Generator, pools: int) -> dict[str, Any]:
    """Rent for some pools; one of the two tenants has it discounted, and now and then is paid more than it owes."""
    return {
        "rent_yuan_per_h": random.uniform(0.0, 4.0, pools) * (random.random(pools) < 0.8),
        "rent_discount": random.uniform(0.0, 1.0, (2, pools)) * (random.random((2, 1)) < 0.6),
        "subsidy_yuan_per_h": random.uniform(0.0, 2.0, (2, pools)) * (random.random((2, 1)) < 0.4),
    }


def _carbon_budget(random: Generator, parts: dict[str, Any]) -> float:
    """Draw what the floor emits from its dirtiest blocks, plus a part of what full pools would emit on top."""
    hours = parts["period_h"] * parts["weight"]
    kg, limit, cluster = parts["block_kg_per_kwh"], parts["block_limit_kw"], parts["block_cluster"]
    floor_kg = full_kg = 0.0
    for c, floor in enumerate(parts["floor_kw"]):
        here = np.flatnonzero(cluster == c)
        for t, hour in enumerate(hours):
            left = floor[t]
            for b in here[np.argsort(-kg[here, t])]:
                drawn = min(left, limit[b, t])
                floor_kg += hour * kg[b, t] * drawn
                left -= drawn
            pools = parts["pool_cluster"] == c
            load = (parts["kw_per_accelerator"][pools, t] * parts["capacity"][pools, t]).sum()
            full_kg += hour * kg[here, t].max() * load
    return float(floor_kg + random.uniform(0.02, 0.4) * full_kg)


@st.composite
def problems(draw: st.DrawFn, *, max_jobs: int = 7, max_periods: int = 10, **fixed: Any) -> Problem:
    """Draw sizes, switches and a seed; `fixed` keywords of `random_problem` are not drawn."""
    drawn: dict[str, Any] = {
        "jobs": draw(st.integers(0, max_jobs)),
        "pools": draw(st.integers(1, 5)),
        "clusters": draw(st.integers(1, 3)),
        "periods": draw(st.integers(2, max_periods)),
        "services": draw(st.integers(0, 3)),
        "origins": draw(st.integers(1, 3)),
        "rigid": draw(st.booleans()),
        "links": draw(st.booleans()),
        "after": draw(st.booleans()),
        "demand_charge": draw(st.booleans()),
        "carbon_budget": draw(st.booleans()),
        "weights": draw(st.booleans()),
        "rent": draw(st.booleans()),
    }
    return random_problem(draw(st.integers(0, 2**32 - 1)), **(drawn | fixed))
