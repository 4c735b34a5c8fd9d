"""Rules of what all work shares: services, pools, power, links, carbon."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from provgrid_models.reasons import REASON_TEXT, Reason
from provgrid_optimizer.audit.case import AuditCase, Floats
from provgrid_optimizer.audit.evidence import Evidence
from provgrid_optimizer.audit.report import Recorder, Rule, Where, here


@dataclass(frozen=True, kw_only=True)
class Use:
    """What the plan's work uses, by the audit's own arithmetic."""

    accelerators: Floats  # (P, T)
    job_accelerators: Floats  # (P, T) of these, held by training jobs
    load_kw: Floats  # (C, T) idle floor included
    grid_kw: Floats  # (C, T) as the plan draws it
    traffic_gbps: Floats  # (L, T)
    served: Floats  # (S, T) service units


def measure(case: AuditCase, plan: Evidence) -> Use:
    """Add up what the plan's rows hold, draw and carry."""
    periods = case.n_periods
    slot = plan.pair_pool[plan.run_pair] * periods + plan.run_period
    by_jobs = np.bincount(slot, weights=plan.run_accelerators, minlength=case.capacity.size).astype(np.float64)
    rate = case.service_rate[plan.serve_service, plan.serve_pool]
    # Where a service has no rate in a pool, the pool is closed to it, and that rule speaks.
    by_service = np.divide(plan.serve_units, rate, out=np.zeros_like(plan.serve_units), where=rate > 0)
    slot = plan.serve_pool * periods + plan.serve_period
    held = by_jobs + np.bincount(slot, weights=by_service, minlength=case.capacity.size)
    accelerators = held.astype(np.float64).reshape(case.capacity.shape)
    load_kw = case.floor_kw.copy()
    np.add.at(load_kw, case.pool_cluster, case.kw_per_accelerator * accelerators)
    grid_kw = np.zeros(case.floor_kw.shape)
    grid = np.flatnonzero(case.block_is_grid)
    np.add.at(grid_kw, case.block_cluster[grid], plan.block_kw[grid])
    served = np.zeros(case.demand.shape)
    np.add.at(served, (plan.serve_service, plan.serve_period), plan.serve_units)
    return Use(
        accelerators=accelerators,
        job_accelerators=by_jobs.reshape(case.capacity.shape),
        load_kw=load_kw,
        grid_kw=grid_kw,
        traffic_gbps=_traffic(case, plan),
        served=served,
    )


def _traffic(case: AuditCase, plan: Evidence) -> Floats:
    """Gbit/s of data moves (from release until they are done) and of services on every link, shape (L, T)."""
    periods = case.n_periods
    slots = case.link_gbps.size * periods
    moves = np.flatnonzero((case.move_periods[plan.pair_job] > 0) & (plan.share != 0))
    job = plan.pair_job[moves]
    row, link = case.route_rows(case.job_origin[job], plan.pair_pool[moves])
    first, end = case.release[job][row], np.minimum(case.release + case.move_periods, periods)[job][row]
    entry = np.repeat(np.arange(row.size), end - first)
    before = np.cumsum(end - first) - (end - first)
    period = first[entry] + np.arange(entry.size) - before[entry]
    gbps = (plan.share[moves] * case.move_gbps[job])[row][entry]
    moved = np.bincount(link[entry] * periods + period, weights=gbps, minlength=slots)
    row, link = case.route_rows(case.service_origin[plan.serve_service], plan.serve_pool)
    gbps = (plan.serve_units * case.service_gbps[plan.serve_service])[row]
    served = np.bincount(link * periods + plan.serve_period[row], weights=gbps, minlength=slots)
    return np.asarray(moved + served, dtype=np.float64).reshape(case.link_gbps.size, periods)


def check_services(case: AuditCase, plan: Evidence, use: Use, recorder: Recorder) -> None:
    """sum_p y <= demand, = demand where it is hard; y = 0 in pools that are closed to the service."""

    def where(k: int) -> str:
        return plan.where_serve(case.names, k)

    rate = case.service_rate[plan.serve_service, plan.serve_pool]
    price = case.service_yuan[plan.serve_service, plan.serve_pool]
    reason = case.service_reason[plan.serve_service, plan.serve_pool]
    closed = (rate <= 0) | np.isinf(price)
    recorder.never(
        Rule.POOL_CLOSED,
        closed & (plan.serve_units > 0),
        plan.serve_units,
        0.0,
        where,
        lambda k: REASON_TEXT[Reason(max(int(reason[k]), 1))] if reason[k] > 0 else "closed",
    )
    at = _cell(case, "service")
    recorder.at_most(Rule.DEMAND, use.served, case.demand, at, "service units")
    hard = np.isinf(case.service_unserved_yuan)[:, None]
    recorder.at_most(Rule.HARD, np.where(hard, case.demand, 0.0), use.served, at, "service units asked, served")


def check_power(case: AuditCase, plan: Evidence, use: Use, recorder: Recorder) -> None:
    """Capacity, energy balance, block limits, peak and carbon budget."""
    recorder.at_most(Rule.CAPACITY, use.accelerators, case.capacity, _cell(case, "pool"), "accelerators")
    supplied = np.zeros(case.floor_kw.shape)
    np.add.at(supplied, case.block_cluster, plan.block_kw)
    recorder.equal(Rule.BALANCE, supplied, use.load_kw, _cell(case, "cluster"), "kW supplied, kW drawn")
    recorder.at_most(Rule.SUPPLY_LIMIT, plan.block_kw, case.block_limit_kw, _block(case), "kW")
    recorder.at_most(Rule.PEAK, use.grid_kw, plan.peak_kw[:, None], _cell(case, "cluster"), "kW of grid power")
    kg = float(((plan.block_kw * case.block_kg_per_kwh) @ case.hours).sum())
    recorder.at_most(Rule.CARBON_BUDGET, kg, case.carbon_budget_kg, here("all clusters"), "kg")


def check_network(case: AuditCase, plan: Evidence, use: Use, recorder: Recorder) -> None:
    """Bandwidth, by our own traffic; and the traffic that the plan claims."""
    at = _cell(case, "link")
    recorder.at_most(Rule.LINK_LIMIT, use.traffic_gbps, case.link_gbps[:, None], at, "Gbit/s")
    recorder.equal(Rule.TRAFFIC, plan.traffic_gbps, use.traffic_gbps, at, "Gbit/s claimed, Gbit/s carried")


def _cell(case: AuditCase, kind: str) -> Where:
    """Name a flat position of a (things, T) array."""
    return lambda i: f"{case.names.of(kind, i // case.n_periods)}, period {i % case.n_periods}"


def _block(case: AuditCase) -> Where:
    """Name a flat position of a (B, T) array."""

    def where(i: int) -> str:
        block, period = divmod(i, case.n_periods)
        cluster = case.names.of("cluster", int(case.block_cluster[block]))
        return f"{cluster}, block {block}, period {period}"

    return where
