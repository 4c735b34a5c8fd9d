"""What fills a cluster, which of its limits are reached when, and which work would come next."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from provgrid_optimizer.answers.alone import too_small
from provgrid_optimizer.answers.binding import Binding, full_carbon_budget, full_links, full_pools, full_supply
from provgrid_optimizer.answers.candidates import job_candidates, pool_name, service_candidates
from provgrid_optimizer.answers.job_prices import job_yuan, job_yuan_in, left_yuan, service_yuan

if TYPE_CHECKING:
    from provgrid_models.problem import Floats, Problem
    from provgrid_optimizer.answers.fixed import Remaining
    from provgrid_optimizer.multipliers import Multipliers
    from provgrid_optimizer.options import SolveOptions
    from provgrid_optimizer.plan import Plan

NEXT = 5  # workloads that are named as the next to come


@dataclass(frozen=True, kw_only=True)
class Resident:
    """Work in a cluster: its accelerator-hours over the horizon and their share of all that could be used there."""

    kind: str
    id: str
    pool: str
    accelerator_h: float
    share: float


@dataclass(frozen=True, kw_only=True)
class Arrival:
    """Work that is elsewhere or left, and could come: what it would cost more in this pool, at prices and solved."""

    kind: str
    id: str
    pool: str
    extra_yuan: float
    verified_yuan: float | None = None


@dataclass(frozen=True, kw_only=True)
class ClusterExplanation:
    """What fills a cluster, the most first; limits that are reached; who would come next, the cheapest first.

    `basis` and `verified` as in `WorkExplanation`; only the arrivals named are verified.
    """

    id: str
    text: str
    basis: str
    verified: str | None
    filled: tuple[Resident, ...]
    binding: tuple[Binding, ...]
    arrivals: tuple[Arrival, ...]

    @property
    def residents(self) -> pd.DataFrame:
        """Work that is there: kind, id, pool, accelerator_h, share."""
        return pd.DataFrame([asdict(one) for one in self.filled], columns=list(Resident.__annotations__))

    @property
    def limits(self) -> pd.DataFrame:
        """Binding limits: kind, id, periods (how many), price, unit, text."""
        rows = [(one.kind, one.id, len(one.periods), one.price, one.unit, one.text) for one in self.binding]
        return pd.DataFrame(rows, columns=["kind", "id", "periods", "price", "unit", "text"])

    @property
    def next(self) -> pd.DataFrame:
        """Work that would come next: kind, id, pool, extra_yuan, verified_yuan."""
        return pd.DataFrame([asdict(one) for one in self.arrivals], columns=list(Arrival.__annotations__))

    def to_dict(self) -> dict[str, Any]:
        """Plain values, ready for JSON."""
        return {
            "kind": "cluster",
            "id": self.id,
            "text": self.text,
            "basis": self.basis,
            "verified": self.verified,
            "residents": [asdict(one) for one in self.filled],
            "binding": [one.to_dict() for one in self.binding],
            "next": [asdict(one) for one in self.arrivals],
        }


def explain_cluster(
    plan: Plan, c: int, prices: Multipliers, against: Remaining | None, options: SolveOptions
) -> ClusterExplanation:
    """Explain a cluster at these prices; with `against` the arrivals named are also solved for."""
    problem = plan.problem
    pools = np.flatnonzero(problem.pool_cluster == c)
    always = np.ones(problem.n_periods, dtype=np.bool_)
    binding = full_carbon_budget(plan, prices) + full_pools(plan, prices, pools.tolist(), always)
    binding += full_supply(plan, prices, [c], always)
    binding += full_links(plan, prices, _links_to(problem, c), always)
    name = str(c) if problem.labels.clusters is None else str(problem.labels.clusters[c])
    filled = _residents(plan, pools)
    used_h, has_h = sum(one.accelerator_h for one in filled), float((problem.capacity[pools] @ problem.hours).sum())
    arrivals = _arrivals(plan, prices, pools)
    if against is not None:
        arrivals = [_verified(plan, one, prices, against, options) for one in arrivals]
    return ClusterExplanation(
        id=name,
        text=f"cluster {name}: {used_h:,.0f} of {has_h:,.0f} accelerator-hours used, {used_h / max(has_h, 1e-300):.1%}",
        basis=prices.basis,
        verified=None if against is None else against.kind,
        filled=filled,
        binding=tuple(binding),
        arrivals=tuple(arrivals),
    )


def _links_to(problem: Problem, c: int) -> list[int]:
    """Links on any route to a cluster."""
    routes = np.arange(problem.n_origins) * problem.n_clusters + c
    parts = [problem.route_link[problem.route_start[k] : problem.route_start[k + 1]] for k in routes.tolist()]
    return [int(link) for link in np.unique(np.concatenate([*parts, np.zeros(0, dtype=np.int64)]))]


def _residents(plan: Plan, pools: Any) -> tuple[Resident, ...]:
    problem, allocation = plan.problem, plan.allocation
    has_h = max(float((problem.capacity[pools] @ problem.hours).sum()), 1e-300)
    placement = allocation.run_placement
    job_h = np.bincount(
        placement,
        weights=allocation.run_accelerators * problem.hours[allocation.run_period],
        minlength=allocation.job.size,
    )
    found = [
        ("job", _label(problem.labels.jobs, allocation.job[i]), int(allocation.pool[i]), float(job_h[i]))
        for i in np.flatnonzero(np.isin(allocation.pool, pools)).tolist()
    ]
    held_h = np.zeros((problem.n_services, problem.n_pools))
    service, pool = allocation.serve_service, allocation.serve_pool
    held = (
        allocation.serve_units * problem.accelerators_per_unit[service, pool] * problem.hours[allocation.serve_period]
    )
    np.add.at(held_h, (service, pool), held)
    for s, p in np.argwhere(held_h[:, pools] > 0).tolist():
        found.append(("service", _label(problem.labels.services, s), int(pools[p]), float(held_h[s, pools[p]])))
    found.sort(key=lambda row: -row[3])
    return tuple(
        Resident(kind=kind, id=name, pool=pool_name(problem, p), accelerator_h=hours, share=hours / has_h)
        for kind, name, p, hours in found
    )


def _arrivals(plan: Plan, prices: Multipliers, pools: Any) -> list[Arrival]:
    """Work that is not there and would cost least more there, in a pool that could hold all of it were it empty."""
    problem, allocation = plan.problem, plan.allocation
    here = set(allocation.job[np.isin(allocation.pool, pools)].tolist())
    reasons = problem.reasons(slice(None))[:, pools]
    found = []
    for j in np.flatnonzero((reasons == 0).any(axis=1)).tolist():
        if j not in here:
            now = _job_now(plan, prices, j)
            opened = pools[reasons[j] == 0]
            yuan = job_yuan_in(problem, prices, j, opened) - now
            found += [(extra, j, p) for extra, p in zip(yuan.tolist(), opened.tolist(), strict=True)]
    arrivals = _service_arrivals(plan, prices, pools)
    coming: set[int] = set()
    for extra, j, p in sorted(one for one in found if np.isfinite(one[0])):
        if len(coming) == NEXT:
            break
        if j not in coming and not too_small(problem, j, p):
            coming.add(j)
            name = _label(problem.labels.jobs, j)
            arrivals.append(Arrival(kind="job", id=name, pool=pool_name(problem, p), extra_yuan=extra))
    return sorted((one for one in arrivals if np.isfinite(one.extra_yuan)), key=lambda one: one.extra_yuan)[:NEXT]


def _job_now(plan: Plan, prices: Multipliers, j: int) -> float:
    """Return what a job costs where it is at these prices, the part that is left included."""
    problem, allocation = plan.problem, plan.allocation
    mine = np.flatnonzero(allocation.job == j).tolist()
    placed = sum(float(allocation.share[i]) * job_yuan(problem, prices, j, int(allocation.pool[i])) for i in mine)
    left = 1.0 - sum(float(allocation.share[i]) for i in mine)
    return placed + (left * left_yuan(problem, j) if left > 1e-9 else 0.0)


def _service_arrivals(plan: Plan, prices: Multipliers, pools: Any) -> list[Arrival]:
    problem, allocation = plan.problem, plan.allocation
    opened = (problem.service_rate > 0) & np.isfinite(problem.service_yuan)
    found = []
    for s in np.flatnonzero(opened[:, pools].any(axis=1)).tolist():
        rows = allocation.serve_service == s
        if np.isin(allocation.serve_pool[rows], pools).any() or not rows.any():
            continue
        pool, period = allocation.serve_pool[rows], allocation.serve_period[rows]
        units: Floats = allocation.serve_units[rows] * problem.hours[period]
        now = sum(
            float(units[pool == p] @ service_yuan(problem, prices, s, p)[period[pool == p]])
            for p in np.unique(pool).tolist()
        )
        there = [
            (float(units @ service_yuan(problem, prices, s, p)[period]), p) for p in pools[opened[s, pools]].tolist()
        ]
        yuan, p = min(there)
        name = _label(problem.labels.services, s)
        found.append(Arrival(kind="service", id=name, pool=pool_name(problem, p), extra_yuan=yuan - now))
    return found


def _verified(plan: Plan, arrival: Arrival, prices: Multipliers, against: Remaining, options: SolveOptions) -> Arrival:
    problem = plan.problem
    names = problem.labels.jobs if arrival.kind == "job" else problem.labels.services
    item = int(arrival.id) if names is None else list(names).index(arrival.id)
    listed = job_candidates if arrival.kind == "job" else service_candidates
    found = next(one for one in listed(plan, item, prices, against, options) if one.pool == arrival.pool)
    return Arrival(**(asdict(arrival) | {"verified_yuan": found.verified_yuan}))


def _label(names: Any, i: int) -> str:
    return str(i) if names is None else str(names[i])
