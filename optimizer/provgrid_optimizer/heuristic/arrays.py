"""The problem as the kernels read it: factored, linear in jobs, jobs sorted by window."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

if TYPE_CHECKING:
    from provgrid_models.problem import Bools, Floats, Ints, Problem

CHUNKS = 4  # parts that a pass over many jobs is split into, whatever the thread count
MANY_JOBS = 2_000  # below, one part: threads would cost more than they bring


class Jobs(NamedTuple):
    """What a kernel needs of the jobs, in the problem's own order, and the groups of jobs with the same window.

    A group holds the jobs with the same (release, move periods, deadline), so that the hours of its windows are
    sorted once for all of them: jobs `order[group_start[g] : group_start[g + 1]]`.
    """

    period_h: float
    job_class: Ints  # (J,)
    origin: Ints  # (J,)
    work: Floats  # (J,) PFLOP-hours
    limit: Floats  # (J,) max_accelerators; the gang of a rigid job
    rigid: Bools  # (J,)
    release: Ints  # (J,)
    deadline: Ints  # (J,)
    move_periods: Ints  # (J,) 0 where no route has links
    move_gbps: Floats  # (J,)
    gigabytes: Floats  # (J,) moved once, weighted by the copies that the job stands for
    unserved_yuan: Floats  # (J,) weighted, inf = hard
    pinned: Ints  # (J,)
    hours_per_work: Floats  # (K, P) accelerator-hours per PFLOP-hour, inf = closed
    gb_yuan: Floats  # (R, P)
    account: Ints  # (J,) whose terms hold for which class of job
    account_yuan: Floats  # (A, P) yuan per PFLOP-hour beside power and network, 0 where closed
    weighted_work: Floats  # (J,) PFLOP-hours of all copies that the job stands for
    paid_back: float  # the most yuan below 0 that accounts could come to: rounding grows with it
    remote: Bools  # (R, P) the route has links
    largest: Floats  # (P,) the most accelerators a pool ever has
    order: Ints  # (J,)
    group_start: Ints  # (G + 1,)
    group_chunk: Ints  # (chunks + 1,) groups of each chunk


class Network(NamedTuple):
    """Routes: the links from origin r to pool p are link[start[r * C + cluster[p]] : start[... + 1]]."""

    clusters: int
    pool_cluster: Ints  # (P,)
    route_start: Ints  # (R * C + 1,)
    route_link: Ints
    link_gbps: Floats  # (L,)


class Supply(NamedTuple):
    """Clusters with their pools and supply blocks, both as index lists by cluster."""

    hours: Floats  # (T,)
    capacity: Floats  # (P, T)
    kw: Floats  # (P, T)
    floor_kw: Floats  # (C, T)
    pool_start: Ints  # (C + 1,)
    pool_list: Ints  # (P,)
    block_start: Ints  # (C + 1,)
    block_list: Ints  # (B,)
    block_limit_kw: Floats  # (B, T)
    block_yuan: Floats  # (B, T) yuan/kWh, carbon price included
    block_kg: Floats  # (B, T)
    block_is_grid: Bools  # (B,)
    demand_charge: Floats  # (C,)
    limit_kw: Floats  # (C, T) all blocks together
    carbon_budget_kg: float


class Services(NamedTuple):
    """Services hour by hour; closed pairs have inf accelerators per unit."""

    demand: Floats  # (S, T)
    per_unit: Floats  # (S, P) accelerators held per service unit, inf = closed
    yuan: Floats  # (S, P) network and accelerators, beside power, per unit and hour; 0 where closed
    gbps: Floats  # (S,)
    origin: Ints  # (S,)
    unserved_yuan: Floats  # (S,)
    paid_back: float  # the most yuan below 0 that `yuan` could come to


class Chain(NamedTuple):
    """Which job comes after which: the verticals of job j are vertical[start[j] : start[j + 1]]."""

    after: Ints  # (J,) base, -1 = none
    lag: Ints  # (J,) periods between the base's last and the vertical's first
    start: Ints  # (J + 1,)
    vertical: Ints
    leave: Ints  # (J,) latest end of a base that leaves its verticals time; its deadline where that can't be


class Arrays(NamedTuple):
    """Everything that the kernels read."""

    jobs: Jobs
    network: Network
    supply: Supply
    services: Services
    chain: Chain


def arrays(problem: Problem) -> Arrays:
    """Lay a problem out for the kernels; memory is linear in jobs."""
    return Arrays(_jobs(problem), _network(problem), _supply(problem), _services(problem), _chain(problem))


def _jobs(problem: Problem) -> Jobs:
    rate = problem.class_rate_pflops
    with np.errstate(divide="ignore"):
        hours_per_work = np.where(rate > 0, 1.0 / rate, np.inf)
    remote = problem.route_length > 0
    move = problem.move_periods if bool(remote.any()) else np.zeros(problem.n_jobs, dtype=np.int64)
    order = np.lexsort((problem.deadline, move, problem.release)).astype(np.int64)
    keys = np.stack([problem.release[order], move[order], problem.deadline[order]])
    new = np.ones(problem.n_jobs, dtype=bool)
    new[1:] = (np.diff(keys, axis=1) != 0).any(axis=0)
    group_start = np.append(np.flatnonzero(new), problem.n_jobs).astype(np.int64)
    ideal = np.linspace(0, problem.n_jobs, (CHUNKS if problem.n_jobs > MANY_JOBS else 1) + 1)
    group_chunk = np.searchsorted(group_start, ideal).astype(np.int64)
    group_chunk[0], group_chunk[-1] = 0, group_start.size - 1
    account, account_yuan = _accounts(problem)
    weighted_work = problem.job_weight * problem.work_pflop_h
    return Jobs(
        period_h=float(problem.period_h),
        job_class=problem.job_class,
        origin=problem.job_origin,
        work=problem.work_pflop_h,
        limit=problem.max_accelerators,
        rigid=problem.rigid,
        release=problem.release,
        deadline=problem.deadline,
        move_periods=move,
        move_gbps=problem.move_gbps,
        gigabytes=problem.job_weight * (problem.data_gb + problem.checkpoint_gb),
        unserved_yuan=problem.job_weight * problem.unserved_yuan,
        pinned=problem.pinned_pool,
        hours_per_work=hours_per_work,
        gb_yuan=problem.gb_yuan,
        account=account,
        account_yuan=account_yuan,
        weighted_work=weighted_work,
        paid_back=float(weighted_work @ -account_yuan.min(axis=1, initial=0.0)[account]),
        remote=np.ascontiguousarray(remote),
        largest=problem.largest_capacity,
        order=order,
        group_start=group_start,
        group_chunk=group_chunk,
    )


def _accounts(problem: Problem) -> tuple[Ints, Floats]:
    """Account of each job (J,), one for each pair of class and tenant, and its yuan per PFLOP-hour (A, P)."""
    held = problem.held_yuan_per_h
    if not held.any():  # nothing to pay: one row for all
        return np.zeros(problem.n_jobs, dtype=np.int64), np.zeros((1, problem.n_pools))
    pairs, account = np.unique(problem.job_class * held.shape[0] + problem.job_tenant + 1, return_inverse=True)
    job_class, tenant = np.divmod(pairs, held.shape[0])
    rate = problem.class_rate_pflops[job_class]
    yuan = np.divide(held[tenant], rate, out=np.zeros(rate.shape), where=rate > 0)
    return account.astype(np.int64), yuan


def _network(problem: Problem) -> Network:
    return Network(
        clusters=problem.n_clusters,
        pool_cluster=problem.pool_cluster,
        route_start=problem.route_start,
        route_link=problem.route_link,
        link_gbps=problem.link_gbps,
    )


def _by_cluster(cluster: Ints, clusters: int) -> tuple[Ints, Ints]:
    """Start and members of each cluster's list."""
    start = np.zeros(clusters + 1, dtype=np.int64)
    np.cumsum(np.bincount(cluster, minlength=clusters), out=start[1:])
    return start, np.argsort(cluster, kind="stable").astype(np.int64)


def _supply(problem: Problem) -> Supply:
    pool_start, pool_list = _by_cluster(problem.pool_cluster, problem.n_clusters)
    block_start, block_list = _by_cluster(problem.block_cluster, problem.n_clusters)
    limit_kw = np.zeros(problem.floor_kw.shape)
    np.add.at(limit_kw, problem.block_cluster, problem.block_limit_kw)
    return Supply(
        hours=problem.hours,
        capacity=problem.capacity,
        kw=problem.kw_per_accelerator,
        floor_kw=problem.floor_kw,
        pool_start=pool_start,
        pool_list=pool_list,
        block_start=block_start,
        block_list=block_list,
        block_limit_kw=problem.block_limit_kw,
        block_yuan=problem.block_yuan_per_kwh + problem.carbon_yuan_per_kg * problem.block_kg_per_kwh,
        block_kg=problem.block_kg_per_kwh,
        block_is_grid=problem.block_is_grid,
        demand_charge=problem.demand_charge_yuan_per_kw,
        limit_kw=limit_kw,
        carbon_budget_kg=float(problem.carbon_budget_kg),
    )


def _services(problem: Problem) -> Services:
    rate = problem.service_rate
    open_pair = (rate > 0) & np.isfinite(problem.service_yuan)
    yuan = np.where(open_pair, problem.unit_yuan, 0.0)
    return Services(
        demand=problem.demand,
        per_unit=np.where(open_pair, 1.0 / np.where(rate > 0, rate, 1.0), np.inf),
        yuan=yuan,
        gbps=problem.service_gbps,
        origin=problem.service_origin,
        unserved_yuan=problem.service_unserved_yuan,
        paid_back=float(-yuan.min(axis=1, initial=0.0) @ (problem.demand @ problem.hours)),
    )


def _chain(problem: Problem) -> Chain:
    verticals = np.flatnonzero(problem.after >= 0)
    start, order = _by_cluster(problem.after[verticals], problem.n_jobs)
    return Chain(
        after=problem.after,
        lag=problem.after_lag if verticals.size else np.zeros(problem.n_jobs, dtype=np.int64),
        start=start,
        vertical=verticals[order],
        leave=_leave(problem, verticals),
    )


def _leave(problem: Problem, verticals: Ints) -> Ints:
    """Latest end of each base after which its verticals still fit at their fastest open pool, shape (J,).

    It guides placement and forbids nothing: a vertical that is hopeless anyway does not hurry its base.
    """
    leave = problem.deadline.copy()
    bases = np.unique(problem.after[verticals])
    chained = np.union1d(verticals, bases)
    periods = np.full(problem.n_jobs, np.inf)
    needed = np.where(problem.rigid[chained, None], problem.durations(chained), _full_periods(problem, chained))
    periods[chained] = np.where(problem.reasons(chained) == 0, needed, np.inf).min(axis=1, initial=np.inf)
    depth = by_depth(problem)
    for level in range(int(depth.max(initial=0)), 0, -1):
        jobs = verticals[(depth[verticals] == level) & np.isfinite(periods[verticals])]
        base = problem.after[jobs]
        end = leave[jobs] - np.ceil(periods[jobs]).astype(np.int64) - problem.after_lag[jobs]
        in_time = problem.release[base] + periods[base] <= end
        np.minimum.at(leave, base[in_time], end[in_time])
    return leave


def _full_periods(problem: Problem, jobs: Ints) -> Floats:
    """Periods at full speed that each elastic job needs in each pool, shape (n, P)."""
    hours = problem.accelerator_hours(jobs)
    return np.asarray(hours / (problem.max_accelerators[jobs, None] * problem.period_h))


def by_depth(problem: Problem) -> Ints:
    """Count the bases before each job, shape (J,): 0 for a job that waits for none."""
    depth = np.zeros(problem.n_jobs, dtype=np.int64)
    at = problem.after
    while (at >= 0).any():
        depth += at >= 0
        at = np.where(at >= 0, problem.after[np.maximum(at, 0)], -1)
    return depth
