"""Re-evaluates the lower bound that saved prices prove: the Lagrangian of the rows that couple workloads.

L = sum of every job's and service's least cost on its own, plus every cluster's best supply and load, less what the
links and the carbon budget earn at their prices, less the floor. It holds for any prices >= 0 whose peak part stays
within the demand charge; the `after` rows are dropped, which only lowers it. Prices that break this are first brought
back (clipped at 0, peak prices scaled down), so that what is computed is always a bound.
"""

from __future__ import annotations

import numpy as np

from provgrid_optimizer.audit.case import AuditCase, Floats
from provgrid_optimizer.audit.evidence import index_map
from provgrid_optimizer.audit.kernels import jobs_least_cost, supply_least_cost, window_minima
from provgrid_optimizer.audit.plan import AuditedPlan, PlanPrices
from provgrid_optimizer.audit.report import Recorder, Rule, Where, here


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
    return PlanPrices(accelerator=ours["accelerator"], peak=ours["peak"], link=ours["link"], carbon=float(carbon))


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
    price = np.ascontiguousarray(prices.accelerator * case.weight)  # per accelerator-hour: h[t] pi[p,t] / period_h
    price_sum = np.zeros((case.n_pools, case.n_periods + 1))
    np.cumsum(price, axis=1, out=price_sum[:, 1:])
    length = case.route_length()
    transit_sum = np.zeros((*length.shape, case.n_periods + 1))
    np.cumsum(_route_prices(case, prices), axis=2, out=transit_sum[:, :, 1:])
    copies = case.weight[case.release]
    least = jobs_least_cost(
        case.job_kind,
        case.job_origin,
        case.work_pflop_h,
        case.release,
        case.deadline,
        case.max_accelerators,
        case.rigid,
        case.move_periods,
        case.move_gbps,
        copies * (case.data_gb + case.checkpoint_gb),
        copies * case.unserved_yuan,
        case.pinned_pool,
        case.kind_rate_pflops,
        np.ascontiguousarray(case.gb_yuan),  # one layout, so that Numba compiles once
        length > 0,
        transit_sum,
        case.pool_cluster,
        case.pool_most,
        case.period_h,
        price,
        price_sum,
        window_minima(price),
    )
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
        held = prices.accelerator[pools] / case.service_rate[s, pools][:, None] + case.service_yuan[s, pools][:, None]
        cheapest = (held * case.hours + traffic).min(axis=0, initial=np.inf)
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
