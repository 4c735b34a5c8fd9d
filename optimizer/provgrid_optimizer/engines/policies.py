"""Policies: the simple rules that any optimiser has to beat. Each makes an indivisible plan that keeps every limit.

Services come first, then jobs as they arrive (by release; hard work first, a base before its verticals). Each goes to
the first pool on its list that has room, as early as it can. The rules differ in the lists alone:

local      the clusters of its own city and province; where there are none, the cluster that is cheapest to reach
cheapest   pools by what the work costs there at the cluster's mean energy price, network included
greenest   pools by the CO2 of the work there: of jobs in their first period, of services on the horizon's mean
overflow   its city, then its province, then the national hubs, then the rest; in each the cheapest to reach first
siloed     pools as in `cheapest`, but each tenant has only its own pools and its share of those that nobody owns
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

import numpy as np

from provgrid_models.energy import least_cost_supply
from provgrid_models.errors import NoPlanError
from provgrid_optimizer.engine import Engine, EngineResult, Status
from provgrid_optimizer.engines.policy_kernels import place_in_order, serve_all
from provgrid_optimizer.heuristic.arrays import arrays, by_depth
from provgrid_optimizer.heuristic.state import empty_state, to_allocation
from provgrid_optimizer.options import Progress

if TYPE_CHECKING:
    from collections.abc import Callable

    from provgrid_models.problem import Floats, Ints, Problem
    from provgrid_optimizer.allocation import Allocation
    from provgrid_optimizer.heuristic.arrays import Arrays
    from provgrid_optimizer.heuristic.state import State
    from provgrid_optimizer.options import OnProgress, SolveOptions

CHUNK = 100_000  # jobs whose lists are held at once
OWN_PROVINCE = 1  # the highest tier that counts as local


@dataclass(frozen=True)
class Rule:
    """How a policy ranks pools: lower scores first, inf = not on the list."""

    jobs: Callable[[Ints], Floats]  # job ids (n,) -> scores (n, P)
    services: Floats  # (S, P)


def _power(problem: Problem) -> tuple[Floats, Floats]:
    """Yuan and kg CO2 of an accelerator-hour in each pool and period, (P, T), on average up to full load."""
    load_kw = problem.floor_kw.copy()
    np.add.at(load_kw, problem.pool_cluster, problem.kw_per_accelerator * problem.capacity)
    most_kw = np.zeros(load_kw.shape)
    np.add.at(most_kw, problem.block_cluster, problem.block_limit_kw)
    full = least_cost_supply(problem, np.minimum(load_kw, most_kw))
    above_kw = full.block_kw - problem.floor_supply.block_kw
    price = problem.block_yuan_per_kwh + problem.carbon_yuan_per_kg * problem.block_kg_per_kwh

    def per_kwh(of_block: Floats) -> Floats:
        total, kw = np.zeros(load_kw.shape), np.zeros(load_kw.shape)
        np.add.at(total, problem.block_cluster, above_kw * of_block)
        np.add.at(kw, problem.block_cluster, above_kw)
        return np.where(kw > 0, total / np.where(kw > 0, kw, 1.0), 0.0)[problem.pool_cluster]

    kw = problem.kw_per_accelerator
    return kw * per_kwh(price), kw * per_kwh(problem.block_kg_per_kwh)


def _work(problem: Problem, jobs: Ints) -> Floats:
    """Accelerator-hours of each job in each pool, (n, P), inf where the pool is closed to it."""
    return np.where(problem.reasons(jobs) == 0, problem.accelerator_hours(jobs), np.inf)


def _per_unit(problem: Problem) -> Floats:
    """Accelerators for one unit of each service in each pool, (S, P), inf where the pool is closed to it."""
    rate = problem.service_rate
    return np.where(rate > 0, 1.0 / np.where(rate > 0, rate, 1.0), np.inf)


def _priced(work: Floats, price: Floats) -> Floats:
    """Work at a price by pool, (n, P); a closed pool stays inf, whatever the price: power may cost nothing or less."""
    at = np.broadcast_to(price, work.shape)
    priced: Floats = np.multiply(work, at, out=np.full(work.shape, np.inf), where=np.isfinite(work))
    return priced


def _cheapest(problem: Problem) -> Rule:
    yuan = _power(problem)[0].mean(axis=1)
    return Rule(
        lambda jobs: _priced(_work(problem, jobs), yuan) + problem.one_off_yuan_everywhere(jobs),
        _priced(_per_unit(problem), yuan) + problem.unit_yuan,
    )


def _greenest(problem: Problem) -> Rule:
    kg = _power(problem)[1]
    return Rule(
        lambda jobs: _priced(_work(problem, jobs), kg.T[problem.release[jobs]] + 1e-12),
        _priced(_per_unit(problem), kg.mean(axis=1) + 1e-12),
    )


def _reach(problem: Problem) -> Floats:
    """Rank of each pool for each origin by tier, then price of a GB, then energy price, (R, P)."""
    yuan = np.broadcast_to(_power(problem)[0].mean(axis=1), problem.gb_yuan.shape)
    order = np.lexsort((yuan, problem.gb_yuan, problem.origin_tier), axis=1)
    rank = np.empty(order.shape)
    np.put_along_axis(rank, order, np.arange(problem.n_pools, dtype=np.float64)[None, :], axis=1)
    return rank


def _by_origin(problem: Problem, rank: Floats) -> Rule:
    return Rule(
        lambda jobs: np.where(problem.reasons(jobs) == 0, rank[problem.job_origin[jobs]], np.inf),
        np.where(problem.service_rate > 0, rank[problem.service_origin], np.inf),
    )


def _overflow(problem: Problem) -> Rule:
    return _by_origin(problem, _reach(problem))


def _local(problem: Problem) -> Rule:
    rank = _reach(problem)
    near = problem.origin_tier <= OWN_PROVINCE
    nearest = problem.pool_cluster[np.argmin(problem.gb_yuan, axis=1)]
    fallback = problem.pool_cluster[None, :] == nearest[:, None]
    allowed = np.where(near.any(axis=1, keepdims=True), near, fallback)
    return _by_origin(problem, np.where(allowed, rank, np.inf))


RULES: dict[str, Callable[[Problem], Rule]] = {
    "local": _local,
    "cheapest": _cheapest,
    "greenest": _greenest,
    "overflow": _overflow,
    "siloed": _cheapest,
}


def _lists(scores: Floats) -> Ints:
    """Pools by score, (n, P), -1 where a list has ended."""
    order = np.argsort(scores, axis=1, kind="stable")
    return np.where(np.isinf(np.take_along_axis(scores, order, axis=1)), -1, order).astype(np.int64)


def _arrival(problem: Problem) -> Ints:
    """Jobs in the order in which they are placed: hard work and its bases first, then by release."""
    depth = by_depth(problem)
    hard, release = np.isinf(problem.unserved_yuan), problem.release.copy()
    for level in range(int(depth.max(initial=0)), 0, -1):
        at = np.flatnonzero(depth == level)
        np.logical_or.at(hard, problem.after[at], hard[at])
    for level in range(1, int(depth.max(initial=0)) + 1):
        at = np.flatnonzero(depth == level)
        release[at] = np.maximum(release[at], release[problem.after[at]])
    return np.lexsort((problem.deadline, depth, release, ~hard))


def _silos(problem: Problem) -> list[tuple[int, Floats]]:
    """Each tenant, -1 for work without one, and the accelerators that are its own, (P, T)."""
    shared = (problem.pool_tenant < 0)[:, None] * problem.capacity
    silos = [
        (tenant, share * shared + (problem.pool_tenant == tenant)[:, None] * problem.capacity)
        for tenant, share in enumerate(problem.tenant_share)
    ]
    nobody = max(1.0 - float(problem.tenant_share.sum()), 0.0) if silos else 1.0
    return [*silos, (-1, nobody * shared)]


def _place(laid_out: Arrays, state: State, rule: Rule, services: Ints, jobs: Ints) -> None:
    """Serve these services, then place these jobs, in the order given."""
    serve_all(laid_out, state, services, _lists(rule.services[services]))
    for first in range(0, jobs.size, CHUNK):
        part = jobs[first : first + CHUNK]
        place_in_order(laid_out, state, part, _lists(rule.jobs(part)))


def _place_in_silos(problem: Problem, laid_out: Arrays, state: State, rule: Rule, services: Ints, jobs: Ints) -> None:
    """Place all work, each tenant's on its own accelerators; generation by generation, as bases may be another's."""
    depth, silos = by_depth(problem), _silos(problem)
    held = np.zeros((len(silos), *problem.capacity.shape))
    for level in range(int(depth.max(initial=0)) + 1):
        for silo, (tenant, own) in enumerate(silos):
            before = state.used.copy()
            limits = np.minimum(before - held[silo] + own, problem.capacity)
            limits.setflags(write=False)  # as in the problem: Numba compiles anew for an array that is writable
            mine = laid_out._replace(supply=laid_out.supply._replace(capacity=limits))
            its_services = services[problem.service_tenant[services] == tenant] if level == 0 else services[:0]
            its_jobs = jobs[(problem.job_tenant[jobs] == tenant) & (depth[jobs] == level)]
            _place(mine, state, rule, its_services, its_jobs)
            held[silo] += state.used - before


def _refuse_unserved_hard(name: str, problem: Problem, allocation: Allocation) -> None:
    """Raise `NoPlanError` where the rule leaves hard work; another plan may still serve it."""
    left = np.flatnonzero(np.isinf(problem.unserved_yuan) & allocation.unserved_jobs(problem))
    if left.size:
        label = problem.labels.jobs[left[0]] if problem.labels.jobs is not None else left[0]
        raise NoPlanError(f"policy {name} cannot serve hard job {label}; try --engine heuristic")
    short = allocation.unserved_units(problem) > 1e-9 * np.maximum(problem.demand, 1.0)
    hard = np.flatnonzero(np.isinf(problem.service_unserved_yuan) & short.any(axis=1))
    if hard.size:
        label = problem.labels.services[hard[0]] if problem.labels.services is not None else hard[0]
        period = int(np.argmax(short[hard[0]]))
        raise NoPlanError(f"policy {name} cannot serve hard service {label} in period {period}; try --engine heuristic")


def place_by_rule(name: str, problem: Problem, laid_out: Arrays) -> State:
    """Place all work by the rule of that name, one of `RULES`; hard work may be left out."""
    rule, state = RULES[name](problem), empty_state(problem)
    services = np.argsort(np.isfinite(problem.service_unserved_yuan), kind="stable")
    jobs = _arrival(problem)
    if name == "siloed":
        _place_in_silos(problem, laid_out, state, rule, services, jobs)
    else:
        _place(laid_out, state, rule, services, jobs)
    return state


def _solve(name: str, problem: Problem, options: SolveOptions, on_progress: OnProgress) -> EngineResult:
    """Place all work by one rule."""
    on_progress(Progress(0.0, name))
    allocation = to_allocation(problem, place_by_rule(name, problem, arrays(problem)))
    _refuse_unserved_hard(name, problem, allocation)
    return EngineResult(status=Status.FINISHED, allocation=allocation, passes=1)


local: Engine = partial(_solve, "local")
cheapest: Engine = partial(_solve, "cheapest")
greenest: Engine = partial(_solve, "greenest")
overflow: Engine = partial(_solve, "overflow")
siloed: Engine = partial(_solve, "siloed")
