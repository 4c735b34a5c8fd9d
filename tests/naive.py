"""Plain NumPy twins of the heuristic's kernels: slow, short, and written from the formulas of the model."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from provgrid_models.problem import Problem
from provgrid_optimizer.multipliers import Multipliers, verticals

Floats = NDArray[np.float64]


def cheapest_hours(price: Floats, periods: float) -> float:
    """Price of `periods` periods (a real number) at the cheapest of `price`, the last one in part."""
    ordered = np.sort(price)
    share = np.clip(periods - np.arange(ordered.size), 0.0, 1.0)
    return float(share @ ordered)


def cheapest_start(price: Floats, duration: int) -> tuple[float, int]:
    """Cheapest run of `duration` periods in a row: (price, index of its start)."""
    sums = [float(price[t : t + duration].sum()) for t in range(price.size - duration + 1)]
    return (min(sums), int(np.argmin(sums))) if sums else (np.inf, 0)


def random_prices(problem: Problem, seed: int) -> Multipliers:
    """Prices of every kind, peak prices within the demand charge."""
    random = np.random.default_rng(seed)
    peak = random.random(problem.floor_kw.shape) * (random.random(problem.floor_kw.shape) < 0.5)
    total = np.maximum(peak @ problem.hours, 1e-9)
    linked = np.isfinite(problem.link_gbps)[:, None]
    return Multipliers(
        accelerator=random.exponential(1.0, problem.capacity.shape) * (random.random(problem.capacity.shape) < 0.9),
        peak=peak * (problem.demand_charge_yuan_per_kw / total * random.random())[:, None],
        link=np.where(linked, random.exponential(0.2, (problem.n_links, problem.n_periods)), 0.0),
        carbon=float(random.random()) if np.isfinite(problem.carbon_budget_kg) else 0.0,
        after=random_order_prices(problem, random),
        vertical=verticals(problem),
        basis="dual",
    )


def random_order_prices(problem: Problem, random: np.random.Generator) -> Floats:
    """Prices of the order of jobs that matter beside what the verticals cost, many of them 0."""
    shape = (verticals(problem).size, problem.n_periods)
    size = problem.unserved_yuan[verticals(problem), None]
    size = np.where(np.isfinite(size), size, problem.work_pflop_h[verticals(problem), None])
    return np.asarray(random.exponential(0.1, shape) * size * (random.random(shape) < 0.5))


def bound(problem: Problem, prices: Multipliers) -> dict[str, float]:
    """The parts of the Lagrangian bound, one workload and one cluster-period at a time."""
    parts = {
        "jobs_yuan": sum(_job(problem, prices, j) for j in range(problem.n_jobs)),
        "services_yuan": sum(_service(problem, prices, s) for s in range(problem.n_services)),
        "supply_yuan": _supply(problem, prices) - problem.floor_yuan,
        "links_yuan": -sum(
            float(problem.link_gbps[i] * (prices.link[i] @ problem.hours))
            for i in range(problem.n_links)
            if prices.link[i].any()
        ),
        "carbon_yuan": -prices.carbon * problem.carbon_budget_kg if prices.carbon > 0 else 0.0,
    }
    return parts | {"total_yuan": sum(parts.values())}


def _job(problem: Problem, prices: Multipliers, j: int) -> float:
    one = np.array([j])
    begun, done = order_charges(problem, prices, j)
    costs = [problem.job_weight[j] * problem.unserved_yuan[j]]
    for p in np.flatnonzero(problem.reasons(one)[0] == 0):
        first, last = int(problem.start_periods(one)[0, p]), int(problem.deadline[j])
        price = (problem.hours * prices.accelerator[p])[first:last]
        cost = one_off_yuan(problem, j, int(p))
        for link in problem.route(int(problem.job_origin[j]), int(p)):
            moving = slice(int(problem.release[j]), first)
            if first > problem.release[j]:
                cost += problem.move_gbps[j] * float(problem.hours[moving] @ prices.link[link, moving])
        limit = problem.max_accelerators[j]
        if problem.rigid[j]:
            d = int(problem.durations(one)[0, p])
            starts = range(first, last - d + 1)
            cost += min(limit * price[s - first : s - first + d].sum() + begun[s] + done[s + d - 1] for s in starts)
        else:
            periods = problem.accelerator_hours(one)[0, p] / (limit * problem.period_h)
            ordered = (begun + done)[first:last] / periods  # of all that the job does, a full period does 1 / periods
            cost += cheapest_hours(limit * price + ordered, min(periods, price.size))
        costs.append(cost)
    return float(min(costs))


def accelerator_hour_yuan(problem: Problem, tenant: int, pool: int) -> float:
    """Rent of an accelerator-hour less what the public purse bears of it."""
    rent = float(problem.rent_yuan_per_h[pool])
    if tenant < 0:
        return rent
    return rent * (1.0 - float(problem.rent_discount[tenant, pool])) - float(problem.subsidy_yuan_per_h[tenant, pool])


def one_off_yuan(problem: Problem, j: int, p: int) -> float:
    """What job j pays in pool p whenever it runs: data moved, accelerator-hours held."""
    gigabytes = problem.data_gb[j] + problem.checkpoint_gb[j]
    hours = problem.work_pflop_h[j] / problem.class_rate_pflops[problem.job_class[j], p]
    moved = gigabytes * problem.gb_yuan[problem.job_origin[j], p]
    held = hours * accelerator_hour_yuan(problem, int(problem.job_tenant[j]), p)
    return float(problem.job_weight[j] * (moved + held))


def order_charges(problem: Problem, prices: Multipliers, j: int) -> tuple[Floats, Floats]:
    """What the `after` rows charge per share of job j that begins, and that is done, in each period: row by row."""
    begun, done = np.zeros(problem.n_periods), np.zeros(problem.n_periods)
    for v, row in zip(prices.vertical, prices.after, strict=True):
        for t, price in enumerate(row):
            if v == j:  # share of v through t ...
                begun[: t + 1] += price
            if problem.after[v] == j:  # ... at most the share of its base done through t - 1 - lag
                done[: max(t - problem.after_lag[v], 0)] -= price
    return begun, done


def _service(problem: Problem, prices: Multipliers, s: int) -> float:
    best = np.full(problem.n_periods, problem.service_unserved_yuan[s])
    for p in np.flatnonzero((problem.service_rate[s] > 0) & np.isfinite(problem.service_yuan[s])):
        beside = accelerator_hour_yuan(problem, int(problem.service_tenant[s]), int(p))
        price = problem.service_yuan[s, p] + (prices.accelerator[p] + beside) / problem.service_rate[s, p]
        for link in problem.route(int(problem.service_origin[s]), int(p)):
            price = price + problem.service_gbps[s] * prices.link[link]
        best = np.minimum(best, price)
    asked = problem.demand[s] > 0
    return float((problem.hours * problem.demand[s])[asked] @ best[asked])


def _supply(problem: Problem, prices: Multipliers) -> float:
    total = 0.0
    for c in range(problem.n_clusters):
        for t in range(problem.n_periods):
            total += problem.hours[t] * best_load(problem, prices, c, t)
    return total


def best_load(problem: Problem, prices: Multipliers, c: int, t: int) -> float:
    """Cheapest supply minus what accelerators earn: the convex cost of power met by the concave worth of load.

    With power drawn up to E, the blocks cost F(E) and the accelerators earn G(E - floor): both are piecewise linear,
    so the best E is one of their kinks.
    """
    own = np.flatnonzero(problem.block_cluster == c)
    price = problem.block_yuan_per_kwh[own, t]
    price = price + (problem.carbon_yuan_per_kg + prices.carbon) * problem.block_kg_per_kwh[own, t]
    price = price + prices.peak[c, t] * problem.block_is_grid[own]
    limit = problem.block_limit_kw[own, t]
    pools = np.flatnonzero(problem.pool_cluster == c)
    kw, size = problem.kw_per_accelerator[pools, t], problem.capacity[pools, t]
    earned = prices.accelerator[pools, t]
    free = -float((earned * size)[kw <= 0].sum())
    worth, load = earned[kw > 0] / kw[kw > 0], (kw * size)[kw > 0]
    floor = problem.floor_kw[c, t]
    kinks = np.concatenate([[0.0], np.cumsum(limit[np.argsort(price)]) - floor, np.cumsum(load[np.argsort(-worth)])])
    kinks = np.clip(kinks[np.isfinite(kinks)], 0.0, min(load.sum(), limit.sum() - floor))
    return free + min(_fill(price, limit, floor + e) + _fill(-worth, load, e) for e in kinks)


def _fill(price: Floats, limit: Floats, amount: float) -> float:
    """Cost of `amount`, cheapest first."""
    yuan = 0.0
    for i in np.argsort(price, kind="stable"):
        taken = min(amount, limit[i])
        yuan += price[i] * taken
        amount -= taken
    return yuan
