"""Re-evaluates the lower bound that saved prices prove: the Lagrangian of the rows that couple workloads.

L = sum of every job's and service's least cost on its own, plus every cluster's best supply and load, less what the
links and the carbon budget earn at their prices, less the floor. A job that comes after another pays for the share of
it that is there (rigid: started) by period t the price of t; its base earns it for what it has done in time. The bound
holds for any prices >= 0 whose peak part stays within the demand charge. Prices that break this are first brought back
(clipped at 0, peak prices scaled down, prices of an order that there is none of left out), so that what is computed is
always a bound.
"""

from __future__ import annotations

import numpy as np

from provgrid_optimizer.audit.case import AuditCase, Floats, Ints
from provgrid_optimizer.audit.evidence import index_map
from provgrid_optimizer.audit.kernels import jobs_least_cost, ordered_least_cost, supply_least_cost, window_minima
from provgrid_optimizer.audit.plan import AuditedPlan, PlanPrices
from provgrid_optimizer.audit.report import Recorder, Rule, Where, here

PAIRS_AT_ONCE = 200_000  # of jobs in an order and pools


def check_prices(case: AuditCase, plan: AuditedPlan, recorder: Recorder) -> PlanPrices | None:
    """Check that the saved prices can prove a bound, and return them in our order, brought within their range."""
    given = plan.prices
    if given is None:
        return None
    recorder.began(Rule.MULTIPLIERS)
    periods = case.n_periods
    tables = {
        "accelerator": ("pool", case.n_pools),
        "peak": ("cluster", case.n_clusters),
        "link": ("link", case.link_gbps.size),
    }
    ours = {name: np.zeros((rows, periods)) for name, (_, rows) in tables.items()}
    for name, (kind, rows) in tables.items():
        theirs = np.asarray(getattr(given, name), dtype=np.float64)
        at = index_map(getattr(plan.names, f"{kind}s"), getattr(case.names, f"{kind}s"), rows)

        def where(i: int, name: str = name, kind: str = kind) -> str:
            return f"{name} price of {plan.names.of(kind, i // periods)}, period {i % periods}"

        if theirs.shape != (at.size, periods) or (at < 0).any():
            recorder.never(Rule.MULTIPLIERS, True, theirs.size, rows * periods, here(f"{name} prices"))
            continue
        ours[name][at] = _usable(theirs, where, recorder)
    carbon = _usable(np.array([given.carbon]), here("carbon price"), recorder)[0]
    billed = ours["peak"] @ case.hours
    charge = case.demand_charge_yuan_per_kw
    recorder.at_most(
        Rule.MULTIPLIERS, billed, charge, lambda c: f"peak prices of {case.names.of('cluster', c)}", "demand charge"
    )
    ours["peak"] *= np.minimum(1.0, charge / np.maximum(billed, 1e-300))[:, None]
    vertical = np.flatnonzero(case.after >= 0)
    return PlanPrices(
        accelerator=ours["accelerator"],
        peak=ours["peak"],
        link=ours["link"],
        carbon=float(carbon),
        after=_order_prices(case, plan, given, vertical, recorder),
        vertical=vertical,
    )


def _order_prices(case: AuditCase, plan: AuditedPlan, given: PlanPrices, vertical: Ints, recorder: Recorder) -> Floats:
    """Prices of the order of jobs, a row for each of our verticals."""
    theirs, job = np.asarray(given.after, dtype=np.float64), np.asarray(given.vertical, dtype=np.int64)
    ours = np.zeros((vertical.size, case.n_periods))
    known = index_map(plan.names.jobs, case.names.jobs, case.n_jobs)
    if theirs.shape != (job.size, case.n_periods) or np.unique(job).size != job.size:
        recorder.never(Rule.MULTIPLIERS, True, theirs.size, ours.size, here("after prices"))
        return ours
    there = (job >= 0) & (job < known.size)
    at = np.where(there, known[np.where(there, job, 0)], -1) if known.size else np.full(job.size, -1)
    row = np.searchsorted(vertical, at)
    ordered = np.isin(at, vertical)

    def where(i: int) -> str:
        return f"after price of {plan.names.of('job', int(job[i // case.n_periods]))}, period {i % case.n_periods}"

    def stranger(i: int) -> str:
        return f"after prices of {plan.names.of('job', int(job[i]))}, which comes after none"

    recorder.never(Rule.MULTIPLIERS, ~ordered, theirs.sum(axis=1), 0.0, stranger)
    usable = _usable(theirs, where, recorder)
    ours[row[ordered]] = usable[ordered]
    return ours


def _usable(prices: Floats, where: Where, recorder: Recorder) -> Floats:
    """Prices, 0 where one is negative or no number; both are violations."""
    recorder.never(Rule.MULTIPLIERS, ~np.isfinite(prices), prices, 0.0, where)
    finite = np.where(np.isfinite(prices), prices, 0.0)
    recorder.at_most(Rule.MULTIPLIERS, -finite, 0.0, where, "below 0")
    return np.maximum(finite, 0.0)


def bound(case: AuditCase, prices: PlanPrices) -> float:
    """Lower bound on every plan's objective, in yuan; -inf where a price rests on a limit that there is none of."""
    link_hours = prices.link @ case.hours
    priced = link_hours > 0
    if np.isinf(case.link_gbps[priced]).any() or (prices.carbon > 0 and np.isinf(case.carbon_budget_kg)):
        return -np.inf
    jobs = _jobs(case, prices)
    services = _services(case, prices)
    supply = float((_supply(case, prices) @ case.hours).sum())
    earned = float(link_hours[priced] @ case.link_gbps[priced])
    if prices.carbon > 0:
        earned += prices.carbon * case.carbon_budget_kg
    return jobs + services + supply - earned - case.floor_yuan


def _jobs(case: AuditCase, prices: PlanPrices) -> float:
    """Sum of every job's least cost: unserved, or its cheapest pool and hours or start."""
    if case.n_jobs == 0:
        return 0.0
    ordered = np.union1d(prices.vertical, case.after[prices.vertical]).astype(np.int64)
    alone = np.setdiff1d(np.arange(case.n_jobs), ordered)
    price = np.ascontiguousarray(prices.accelerator * case.weight)  # per accelerator-hour: h[t] pi[p,t] / period_h
    price_sum = np.zeros((case.n_pools, case.n_periods + 1))
    np.cumsum(price, axis=1, out=price_sum[:, 1:])
    length = case.route_length()
    transit_sum = np.zeros((*length.shape, case.n_periods + 1))
    np.cumsum(_route_prices(case, prices), axis=2, out=transit_sum[:, :, 1:])
    copies = case.weight[case.release]
    least = jobs_least_cost(
        case.job_kind[alone],
        case.job_origin[alone],
        case.work_pflop_h[alone],
        case.release[alone],
        case.deadline[alone],
        case.max_accelerators[alone],
        case.rigid[alone],
        case.move_periods[alone],
        case.move_gbps[alone],
        (copies * (case.data_gb + case.checkpoint_gb))[alone],
        (copies * case.unserved_yuan)[alone],
        case.pinned_pool[alone],
        case.kind_rate_pflops,
        np.ascontiguousarray(case.gb_yuan),  # one layout, so that Numba compiles once
        copies[alone] * case.work_pflop_h[alone],
        case.job_tenant[alone],
        case.held_yuan_per_h(),
        length > 0,
        transit_sum,
        case.pool_cluster,
        case.pool_most,
        case.period_h,
        price,
        price_sum,
        window_minima(price),
    )
    return float(least.sum()) + _ordered_jobs(case, prices, ordered, price, transit_sum)


def _ordered_jobs(case: AuditCase, prices: PlanPrices, ordered: Ints, price: Floats, transit_sum: Floats) -> float:
    """Sum of the least costs of the jobs in an order, whose starts and hours have prices of their own."""
    begun, done = np.zeros((2, ordered.size, case.n_periods))
    for v, row in zip(prices.vertical, prices.after, strict=True):
        place, base = np.searchsorted(ordered, [v, case.after[v]])
        # What is there in t counts in the rows of t and of all periods after it.
        still = row.sum() - np.cumsum(row) + row
        own = begun if case.rigid[v] else done
        own[place] += still
        first = min(1 + int(case.after_lag[v]), case.n_periods)
        done[base, : case.n_periods - first] -= still[first:]
    total = 0.0
    step = max(PAIRS_AT_ONCE // max(case.n_pools, 1), 1)
    for at in range(0, ordered.size, step):
        part = slice(at, min(at + step, ordered.size))
        total += _least_of_ordered(case, ordered[part], begun[part], done[part], price, transit_sum)
    return total


def _least_of_ordered(
    case: AuditCase, jobs: Ints, begun: Floats, done: Floats, price: Floats, transit_sum: Floats
) -> float:
    """Sum over some jobs of the least of unserved and all open pools, at their own prices (n, T) on top."""
    copies = case.weight[case.release[jobs]]
    row, pool = np.repeat(np.arange(jobs.size), case.n_pools), np.tile(np.arange(case.n_pools), jobs.size)
    open_pair = case.reasons(jobs[row], pool) == 0
    row, pool = row[open_pair], pool[open_pair]
    job = jobs[row]
    first, release = case.starts(job, pool), case.release[job]
    route = case.job_origin[job], case.pool_cluster[pool]
    moving = transit_sum[*route, first] - transit_sum[*route, release]
    moved = first > release
    fixed = copies[row] * (case.data_gb + case.checkpoint_gb)[job] * case.gb_yuan[case.job_origin[job], pool]
    fixed += np.where(moved, np.where(moved, case.move_gbps[job], 0.0) * moving, 0.0)
    fixed += copies[row] * case.accelerator_hours(job, pool) * case.held_yuan_per_h()[case.job_tenant[job], pool]
    run = ordered_least_cost(
        row,
        pool,
        first,
        case.deadline[job],
        case.accelerator_hours(job, pool),
        np.where(case.rigid[job], case.durations(job, pool), 0.0).astype(np.int64),
        case.max_accelerators[job] * case.period_h,
        price,
        begun,
        done,
    )
    least = copies * case.unserved_yuan[jobs]
    np.minimum.at(least, row, fixed + run)
    return float(least.sum())


def _route_prices(case: AuditCase, prices: PlanPrices) -> Floats:
    """Yuan per Gbit/s on each route in each period, real hours included, shape (R, C, T)."""
    length = case.route_length()
    on_route = np.zeros((length.size, case.n_periods))
    np.add.at(on_route, np.repeat(np.arange(length.size), length.ravel()), (prices.link * case.hours)[case.route_link])
    return on_route.reshape(*length.shape, case.n_periods)


def _services(case: AuditCase, prices: PlanPrices) -> float:
    """Sum over services and periods of demand at the cheapest of unserved and all open pools."""
    total = 0.0
    on_route = _route_prices(case, prices)
    for s in range(case.demand.shape[0]):
        pools = np.flatnonzero((case.service_rate[s] > 0) & np.isfinite(case.service_yuan[s]))
        traffic = on_route[case.service_origin[s], case.pool_cluster[pools]] * case.service_gbps[s]
        beside = case.held_yuan_per_h()[case.service_tenant[s], pools][:, None]
        held = (prices.accelerator[pools] + beside) / case.service_rate[s, pools][:, None]
        cheapest = ((held + case.service_yuan[s, pools][:, None]) * case.hours + traffic).min(axis=0, initial=np.inf)
        unserved = np.broadcast_to(case.service_unserved_yuan[s], case.hours.shape) * case.hours
        asked = case.demand[s] > 0
        total += float(case.demand[s, asked] @ np.minimum(cheapest, unserved)[asked])
    return total


def _supply(case: AuditCase, prices: PlanPrices) -> Floats:
    """Each cluster's least supply cost minus worth of load, shape (C, T), yuan per hour."""
    per_kg = case.carbon_yuan_per_kg + prices.carbon
    peak = np.where(case.block_is_grid[:, None], prices.peak[case.block_cluster], 0.0)
    return supply_least_cost(
        case.floor_kw,
        case.block_cluster,
        case.block_limit_kw,
        case.block_yuan_per_kwh + per_kg * case.block_kg_per_kwh + peak,
        case.pool_cluster,
        case.capacity,
        case.kw_per_accelerator,
        prices.accelerator,
    )
