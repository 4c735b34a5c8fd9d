"""Ways to corrupt a plan: each breaks one named rule by more than ten times the audit's tolerance.

A corruption takes a case and a plan that passes its audit, and returns the corrupted plan, or `None` where the plan
has nothing that it could break (no link, no gang, ...). The sizes are drawn, from just above ten tolerances upwards.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.random import Generator

from provgrid_optimizer.audit import AuditCase, AuditedPlan, Rule
from provgrid_optimizer.audit.bound import bound

Corruption = Callable[[AuditCase, AuditedPlan, Generator], AuditedPlan | None]
CORRUPTIONS: list[tuple[Rule, Corruption]] = []
TEN_TOLERANCES = 1.2e-5


def breaks(rule: Rule) -> Callable[[Corruption], Corruption]:
    """Register a corruption under the rule that it breaks."""

    def register(corruption: Corruption) -> Corruption:
        CORRUPTIONS.append((rule, corruption))
        return corruption

    return register


def too_much(random: Generator, limit: float) -> float:
    """Draw an amount of more than ten tolerances at a limit, up to half of it."""
    return float(max(abs(limit), 1.0) * np.exp(random.uniform(np.log(TEN_TOLERANCES), np.log(0.5))))


def _pick(random: Generator, mask: Any) -> int | None:
    at = np.flatnonzero(mask)
    return int(random.choice(at)) if at.size else None


def _with(array: Any, at: int, value: float) -> Any:
    changed = np.array(array)
    changed[at] = value
    return changed


def _add(plan: AuditedPlan, table: str, **row: float) -> AuditedPlan:
    changes = {}
    for column, value in row.items():
        name = f"{table}_{column}"
        changes[name] = np.append(getattr(plan, name), value)
    for name in changes:  # ids stay integers
        changes[name] = changes[name].astype(getattr(plan, name).dtype)
    return replace(plan, **changes)


def _drop(plan: AuditedPlan, table: str, gone: Any) -> AuditedPlan:
    names = [name for name in plan.__dataclass_fields__ if name.startswith(f"{table}_")]
    return replace(plan, **{name: getattr(plan, name)[~gone] for name in names})


def _runs_of(plan: AuditedPlan, placement: int) -> Any:
    job, pool = plan.placement_job[placement], plan.placement_pool[placement]
    return (plan.run_job == job) & (plan.run_pool == pool)


def _placement(case: AuditCase, plan: AuditedPlan, random: Generator, *, rigid: bool) -> int | None:
    share = plan.placement_share > 0.05
    return _pick(random, share & (case.rigid[plan.placement_job] == rigid))


# Where jobs live -----------------------------------------------------------------------------------------------


@breaks(Rule.POOL_CLOSED)
def job_moved_to_a_closed_pool(case: AuditCase, plan: AuditedPlan, random: Generator) -> AuditedPlan | None:
    pools = np.arange(case.n_pools)
    for i in random.permutation(plan.placement_job.size):
        job = np.full(case.n_pools, plan.placement_job[i])
        pool = _pick(random, case.reasons(job, pools) > 0)
        if pool is not None and plan.placement_share[i] > TEN_TOLERANCES:
            runs = _runs_of(plan, i)
            return replace(
                plan,
                placement_pool=_with(plan.placement_pool, i, pool),
                run_pool=np.where(runs, pool, plan.run_pool),
            )
    return None


@breaks(Rule.POOL_CLOSED)
def service_served_in_a_closed_pool(case: AuditCase, plan: AuditedPlan, random: Generator) -> AuditedPlan | None:
    closed = np.argwhere((case.service_rate <= 0) | np.isinf(case.service_yuan))
    if not closed.size:
        return None
    service, pool = random.choice(closed)
    period = random.integers(case.n_periods)
    return _add(plan, "serve", service=service, pool=pool, period=period, units=too_much(random, 1.0))


@breaks(Rule.SHARE)
def job_placed_twice(case: AuditCase, plan: AuditedPlan, random: Generator) -> AuditedPlan | None:
    i = _pick(random, plan.placement_share > 0.5)
    if i is None or case.n_pools == 1:
        return None
    other = (plan.placement_pool[i] + random.integers(1, case.n_pools)) % case.n_pools
    return _add(plan, "placement", job=plan.placement_job[i], pool=other, share=1.0)


@breaks(Rule.SHARE)
def share_above_one(case: AuditCase, plan: AuditedPlan, random: Generator) -> AuditedPlan | None:
    served = np.bincount(plan.placement_job, weights=plan.placement_share, minlength=case.n_jobs)
    i = _pick(random, served[plan.placement_job] > 1.0 - 1e-9)
    if i is None:
        return None
    return replace(
        plan,
        placement_share=_with(plan.placement_share, i, plan.placement_share[i] + too_much(random, 1.0)),
    )


@breaks(Rule.SHARE)
def share_split_in_an_indivisible_plan(case: AuditCase, plan: AuditedPlan, random: Generator) -> AuditedPlan | None:
    i = None if plan.divisible else _pick(random, plan.placement_share == 1.0)
    return (
        None
        if i is None
        else replace(plan, placement_share=_with(plan.placement_share, i, 1.0 - too_much(random, 1.0)))
    )


@breaks(Rule.DUPLICATE)
def placement_row_repeated(case: AuditCase, plan: AuditedPlan, random: Generator) -> AuditedPlan | None:
    i = _pick(random, plan.placement_share > 0)
    if i is None:
        return None
    return _add(plan, "placement", job=plan.placement_job[i], pool=plan.placement_pool[i], share=0.0)


@breaks(Rule.DUPLICATE)
def run_row_repeated(case: AuditCase, plan: AuditedPlan, random: Generator) -> AuditedPlan | None:
    k = _pick(random, plan.run_accelerators > 0)
    if k is None:
        return None
    return _add(
        plan,
        "run",
        job=plan.run_job[k],
        pool=plan.run_pool[k],
        period=plan.run_period[k],
        accelerators=plan.run_accelerators[k],
    )


@breaks(Rule.HARD)
def hard_job_left_unserved(case: AuditCase, plan: AuditedPlan, random: Generator) -> AuditedPlan | None:
    i = _pick(random, np.isinf(case.unserved_yuan[plan.placement_job]))
    if i is None:
        return None
    job = plan.placement_job[i]
    return _drop(_drop(plan, "placement", plan.placement_job == job), "run", plan.run_job == job)


@breaks(Rule.HARD)
def hard_service_left_unserved(case: AuditCase, plan: AuditedPlan, random: Generator) -> AuditedPlan | None:
    hard = np.isinf(case.service_unserved_yuan[plan.serve_service])
    k = _pick(random, hard & (plan.serve_units > 2 * TEN_TOLERANCES))
    return None if k is None else _drop(plan, "serve", np.arange(plan.serve_units.size) == k)


# When they run -------------------------------------------------------------------------------------------------


@breaks(Rule.WORK)
def hour_removed(case: AuditCase, plan: AuditedPlan, random: Generator) -> AuditedPlan | None:
    k = _pick(random, ~case.rigid[plan.run_job] & _notable(case, plan))
    return None if k is None else _drop(plan, "run", np.arange(plan.run_job.size) == k)


@breaks(Rule.WORK)
def hour_added(case: AuditCase, plan: AuditedPlan, random: Generator) -> AuditedPlan | None:
    i = _placement(case, plan, random, rigid=False)
    if i is None:
        return None
    job, pool = plan.placement_job[i], plan.placement_pool[i]
    used = plan.run_period[_runs_of(plan, i)]
    period = _pick(random, ~np.isin(np.arange(case.n_periods), used))
    if period is None:
        return None
    asked = float(case.accelerator_hours(np.array([job]), np.array([pool]))[0])
    more = too_much(random, asked) / case.period_h
    return _add(plan, "run", job=job, pool=pool, period=period, accelerators=more)


@breaks(Rule.LIMIT)
def more_accelerators_than_the_job_may_use(case: AuditCase, plan: AuditedPlan, random: Generator) -> AuditedPlan | None:
    k = _pick(random, plan.run_accelerators > 0)
    if k is None:
        return None
    most = float(case.max_accelerators[plan.run_job[k]])
    return replace(plan, run_accelerators=_with(plan.run_accelerators, k, most + too_much(random, most)))


@breaks(Rule.WINDOW)
def run_before_its_window(case: AuditCase, plan: AuditedPlan, random: Generator) -> AuditedPlan | None:
    first = case.starts(plan.run_job, plan.run_pool)
    k = _pick(random, first > 0)
    if k is None:
        return None
    return replace(plan, run_period=_with(plan.run_period, k, random.integers(first[k])))


@breaks(Rule.WINDOW)
def run_after_its_deadline(case: AuditCase, plan: AuditedPlan, random: Generator) -> AuditedPlan | None:
    end = case.deadline[plan.run_job]
    k = _pick(random, end < case.n_periods)
    return (
        None
        if k is None
        else replace(plan, run_period=_with(plan.run_period, k, random.integers(end[k], case.n_periods)))
    )


@breaks(Rule.GANG)
def gang_shortened(case: AuditCase, plan: AuditedPlan, random: Generator) -> AuditedPlan | None:
    i = _placement(case, plan, random, rigid=True)
    if i is None:
        return None
    runs = np.flatnonzero(_runs_of(plan, i))
    return _drop(plan, "run", np.arange(plan.run_job.size) == runs[np.argmax(plan.run_period[runs])])


@breaks(Rule.GANG)
def gang_lengthened(case: AuditCase, plan: AuditedPlan, random: Generator) -> AuditedPlan | None:
    i = _placement(case, plan, random, rigid=True)
    if i is None:
        return None
    runs = np.flatnonzero(_runs_of(plan, i))
    last = runs[np.argmax(plan.run_period[runs])]
    if plan.run_period[last] + 1 >= case.n_periods:
        return None
    return _add(
        plan,
        "run",
        job=plan.run_job[last],
        pool=plan.run_pool[last],
        period=plan.run_period[last] + 1,
        accelerators=plan.run_accelerators[last],
    )


@breaks(Rule.GANG)
def gang_split(case: AuditCase, plan: AuditedPlan, random: Generator) -> AuditedPlan | None:
    if plan.divisible:
        return None
    for i in random.permutation(plan.placement_job.size):
        runs = np.flatnonzero(_runs_of(plan, i))
        last = runs[np.argmax(plan.run_period[runs])]
        if case.rigid[plan.placement_job[i]] and runs.size > 1 and plan.run_period[last] + 1 < case.n_periods:
            return replace(plan, run_period=_with(plan.run_period, last, plan.run_period[last] + 1))
    return None


@breaks(Rule.GANG)
def gang_thinned(case: AuditCase, plan: AuditedPlan, random: Generator) -> AuditedPlan | None:
    i = _placement(case, plan, random, rigid=True)
    if i is None:
        return None
    fewer = 1.0 - too_much(random, 1.0) / plan.placement_share[i] / 2
    return replace(plan, run_accelerators=np.where(_runs_of(plan, i), fewer, 1.0) * plan.run_accelerators)


@breaks(Rule.AFTER)
def base_dropped(case: AuditCase, plan: AuditedPlan, random: Generator) -> AuditedPlan | None:
    served = np.bincount(plan.placement_job, weights=plan.placement_share, minlength=case.n_jobs)
    vertical = _pick(random, (case.after >= 0) & (served > 0.01))
    if vertical is None:
        return None
    base = case.after[vertical]
    return _drop(_drop(plan, "placement", plan.placement_job == base), "run", plan.run_job == base)


@breaks(Rule.AFTER)
def vertical_before_its_base(case: AuditCase, plan: AuditedPlan, random: Generator) -> AuditedPlan | None:
    last = np.full(case.n_jobs, -1)
    np.maximum.at(last, plan.run_job, plan.run_period)
    base = case.after[plan.run_job]
    k = None if plan.divisible else _pick(random, (base >= 0) & (last[base] >= 0))
    return None if k is None else replace(plan, run_period=_with(plan.run_period, k, last[base[k]]))


def _notable(case: AuditCase, plan: AuditedPlan) -> Any:
    """Run rows that are more than ten tolerances of their job's accelerator-hours."""
    asked = case.accelerator_hours(plan.run_job, plan.run_pool)
    return plan.run_accelerators * case.period_h > TEN_TOLERANCES * np.maximum(asked, 1.0)


# What they share -----------------------------------------------------------------------------------------------


@breaks(Rule.CAPACITY)
def capacity_exceeded_by_a_job(case: AuditCase, plan: AuditedPlan, random: Generator) -> AuditedPlan | None:
    k = _pick(random, plan.run_accelerators > 0)
    if k is None:
        return None
    there = float(case.capacity[plan.run_pool[k], plan.run_period[k]])
    return replace(plan, run_accelerators=_with(plan.run_accelerators, k, there + too_much(random, there)))


@breaks(Rule.CAPACITY)
def capacity_exceeded_by_a_service(case: AuditCase, plan: AuditedPlan, random: Generator) -> AuditedPlan | None:
    k = _pick(random, plan.serve_units > 0)
    if k is None:
        return None
    there = float(case.capacity[plan.serve_pool[k], plan.serve_period[k]])
    units = (there + too_much(random, there)) * case.service_rate[plan.serve_service[k], plan.serve_pool[k]]
    return replace(plan, serve_units=_with(plan.serve_units, k, units))


@breaks(Rule.DEMAND)
def service_overserved(case: AuditCase, plan: AuditedPlan, random: Generator) -> AuditedPlan | None:
    k = _pick(random, plan.serve_units > 0)
    if k is None:
        return None
    asked = float(case.demand[plan.serve_service[k], plan.serve_period[k]])
    return replace(plan, serve_units=_with(plan.serve_units, k, asked + too_much(random, asked)))


@breaks(Rule.BALANCE)
def power_not_supplied(case: AuditCase, plan: AuditedPlan, random: Generator) -> AuditedPlan | None:
    k = _pick(random, plan.supply_kw > 1.0)
    if k is None:
        return None
    supplied = np.zeros(case.floor_kw.shape)
    np.add.at(supplied, (case.block_cluster[plan.supply_block], plan.supply_period), plan.supply_kw)
    here = supplied[case.block_cluster[plan.supply_block[k]], plan.supply_period[k]]
    less = min(too_much(random, here), plan.supply_kw[k])
    return replace(plan, supply_kw=_with(plan.supply_kw, k, plan.supply_kw[k] - less)) if less > 1e-4 * here else None


@breaks(Rule.SUPPLY_LIMIT)
def block_over_its_limit(case: AuditCase, plan: AuditedPlan, random: Generator) -> AuditedPlan | None:
    limit = case.block_limit_kw[plan.supply_block, plan.supply_period]
    k = _pick(random, np.isfinite(limit))
    return (
        None
        if k is None
        else replace(plan, supply_kw=_with(plan.supply_kw, k, limit[k] + too_much(random, float(limit[k]))))
    )


@breaks(Rule.PEAK)
def peak_understated(case: AuditCase, plan: AuditedPlan, random: Generator) -> AuditedPlan | None:
    grid = np.zeros(case.floor_kw.shape)
    is_grid = case.block_is_grid[plan.supply_block]
    at = case.block_cluster[plan.supply_block[is_grid]], plan.supply_period[is_grid]
    np.add.at(grid, at, plan.supply_kw[is_grid])
    peak = grid.max(axis=1)
    c = _pick(random, peak > 1.0)
    return None if c is None else replace(plan, peak_kw=_with(plan.peak_kw, c, peak[c] - too_much(random, peak[c])))


@breaks(Rule.CARBON_BUDGET)
def dirtier_power(case: AuditCase, plan: AuditedPlan, random: Generator) -> AuditedPlan | None:
    """Let one block draw as much more as takes the carbon above its budget."""
    if not np.isfinite(case.carbon_budget_kg):
        return None
    rate = (case.block_kg_per_kwh * case.hours)[plan.supply_block, plan.supply_period]
    k = _pick(random, rate > 0)
    if k is None:
        return None
    missing = case.carbon_budget_kg - float(rate @ plan.supply_kw) + too_much(random, case.carbon_budget_kg)
    return replace(plan, supply_kw=_with(plan.supply_kw, k, plan.supply_kw[k] + missing / rate[k]))


@breaks(Rule.LINK_LIMIT)
def link_overloaded(case: AuditCase, plan: AuditedPlan, random: Generator) -> AuditedPlan | None:
    for k in random.permutation(plan.serve_units.size):
        service, pool = plan.serve_service[k : k + 1], plan.serve_pool[k : k + 1]
        _, links = case.route_rows(case.service_origin[service], pool)
        gbps = case.service_gbps[service[0]]
        narrow = case.link_gbps[links].min(initial=np.inf)
        if gbps > 1e-3 and np.isfinite(narrow):
            units = (narrow + too_much(random, narrow)) / gbps
            return replace(plan, serve_units=_with(plan.serve_units, k, units))
    return None


@breaks(Rule.MISSING_LINK)
def traffic_on_a_missing_link(case: AuditCase, plan: AuditedPlan, random: Generator) -> AuditedPlan | None:
    link = case.link_gbps.size + random.integers(3)
    return _add(plan, "traffic", link=link, period=random.integers(case.n_periods), gbps=too_much(random, 1.0))


@breaks(Rule.TRAFFIC)
def traffic_misstated(case: AuditCase, plan: AuditedPlan, random: Generator) -> AuditedPlan | None:
    k = _pick(random, plan.traffic_gbps > 1e-3)
    if k is None:
        return None
    other = plan.traffic_gbps[k] + too_much(random, plan.traffic_gbps[k])
    return replace(plan, traffic_gbps=_with(plan.traffic_gbps, k, other))


# Nonsense ------------------------------------------------------------------------------------------------------


@breaks(Rule.UNKNOWN_ID)
def unknown_id(case: AuditCase, plan: AuditedPlan, random: Generator) -> AuditedPlan | None:
    columns = {"run_job": case.n_jobs, "run_pool": case.n_pools, "run_period": case.n_periods}
    columns |= {"serve_service": case.demand.shape[0], "serve_pool": case.n_pools, "serve_period": case.n_periods}
    columns |= {"placement_job": case.n_jobs, "supply_block": case.block_cluster.size}
    name = str(random.choice([name for name in columns if getattr(plan, name).size] or ["supply_block"]))
    rows = getattr(plan, name)
    stranger = random.choice([-1, columns[name] + random.integers(5)])
    return replace(plan, **{name: _with(rows, random.integers(rows.size), stranger)})


@breaks(Rule.NOT_FINITE)
def not_a_number(case: AuditCase, plan: AuditedPlan, random: Generator) -> AuditedPlan | None:
    columns = ["placement_share", "run_accelerators", "serve_units", "supply_kw", "peak_kw", "traffic_gbps"]
    name = str(random.choice([name for name in columns if getattr(plan, name).size]))
    rows = getattr(plan, name)
    value = random.choice([np.nan, np.inf, -np.inf])
    return replace(plan, **{name: _with(rows, random.integers(rows.size), value)})


@breaks(Rule.NEGATIVE)
def negative_amount(case: AuditCase, plan: AuditedPlan, random: Generator) -> AuditedPlan | None:
    columns = ["placement_share", "run_accelerators", "serve_units", "supply_kw", "peak_kw", "traffic_gbps"]
    name = str(random.choice([name for name in columns if getattr(plan, name).size]))
    rows = getattr(plan, name)
    return replace(plan, **{name: _with(rows, random.integers(rows.size), -too_much(random, 1.0))})


# What is claimed -----------------------------------------------------------------------------------------------


@breaks(Rule.COST)
def cost_understated(case: AuditCase, plan: AuditedPlan, random: Generator) -> AuditedPlan | None:
    """Understate one component, and the objective with it, so that the sum still holds."""
    name = str(random.choice(list(plan.costs)))
    less = too_much(random, plan.costs[name])
    costs = {**plan.costs, name: plan.costs[name] - less}
    return replace(plan, costs=costs, objective_yuan=plan.objective_yuan - less)


@breaks(Rule.COST)
def unserved_work_hidden(case: AuditCase, plan: AuditedPlan, random: Generator) -> AuditedPlan | None:
    unserved = plan.costs["unserved"]
    if unserved < TEN_TOLERANCES:
        return None
    return replace(plan, costs={**plan.costs, "unserved": 0.0}, objective_yuan=plan.objective_yuan - unserved)


@breaks(Rule.COST)
def cost_component_missing(case: AuditCase, plan: AuditedPlan, random: Generator) -> AuditedPlan | None:
    name = str(random.choice(list(plan.costs)))
    return replace(plan, costs={other: yuan for other, yuan in plan.costs.items() if other != name})


@breaks(Rule.COST)
def cost_shifted_to_an_invented_component(case: AuditCase, plan: AuditedPlan, random: Generator) -> AuditedPlan | None:
    discount = too_much(random, plan.objective_yuan)
    return replace(plan, costs={**plan.costs, "discount": -discount}, objective_yuan=plan.objective_yuan - discount)


@breaks(Rule.OBJECTIVE)
def objective_understated(case: AuditCase, plan: AuditedPlan, random: Generator) -> AuditedPlan | None:
    return replace(plan, objective_yuan=plan.objective_yuan - too_much(random, plan.objective_yuan))


@breaks(Rule.CONSTANTS)
def constants_understated(case: AuditCase, plan: AuditedPlan, random: Generator) -> AuditedPlan | None:
    return replace(plan, constants_yuan=plan.constants_yuan - too_much(random, plan.constants_yuan))


@breaks(Rule.BOUND)
def bound_overstated(case: AuditCase, plan: AuditedPlan, random: Generator) -> AuditedPlan | None:
    return replace(plan, bound_prices_yuan=plan.bound_prices_yuan + too_much(random, plan.bound_prices_yuan))


@breaks(Rule.BOUND)
def best_bound_overstated(case: AuditCase, plan: AuditedPlan, random: Generator) -> AuditedPlan | None:
    return replace(plan, bound_yuan=plan.bound_prices_yuan + too_much(random, plan.bound_prices_yuan))


@breaks(Rule.CERTIFICATE)
def figure_misstated(case: AuditCase, plan: AuditedPlan, random: Generator) -> AuditedPlan | None:
    assert plan.claims is not None
    figures = dict(plan.claims.figures)
    name = str(random.choice(list(figures)))
    figures[name] = random.choice([np.nan, figures[name] - too_much(random, figures[name])])
    return replace(plan, claims=replace(plan.claims, figures=figures))


@breaks(Rule.BOUND)
def bound_without_prices(case: AuditCase, plan: AuditedPlan, random: Generator) -> AuditedPlan | None:
    return replace(plan, prices=None)


@breaks(Rule.BOUND_ABOVE_OBJECTIVE)
def bound_above_the_objective(case: AuditCase, plan: AuditedPlan, random: Generator) -> AuditedPlan | None:
    return replace(plan, bound_yuan=plan.objective_yuan + too_much(random, plan.objective_yuan))


@breaks(Rule.MULTIPLIERS)
def negative_multiplier(case: AuditCase, plan: AuditedPlan, random: Generator) -> AuditedPlan | None:
    assert plan.prices is not None
    name = str(random.choice(["accelerator", "peak", "link", "carbon", "after"]))
    if name == "carbon":
        return replace(plan, prices=replace(plan.prices, carbon=-too_much(random, 1.0)))
    table = getattr(plan.prices, name)
    if not table.size:
        return None
    broken = np.array(table)
    value = random.choice([np.nan, -too_much(random, 1.0)])
    broken[tuple(random.integers(size) for size in table.shape)] = value
    return replace(plan, prices=replace(plan.prices, **{name: broken}))


@breaks(Rule.MULTIPLIERS)
def order_of_a_job_that_has_none(case: AuditCase, plan: AuditedPlan, random: Generator) -> AuditedPlan | None:
    assert plan.prices is not None
    stranger = _pick(random, case.after < 0)
    if stranger is None or not plan.prices.vertical.size:
        return None
    row = int(random.integers(plan.prices.vertical.size))
    return replace(plan, prices=replace(plan.prices, vertical=_with(plan.prices.vertical, row, stranger)))


@breaks(Rule.BOUND)
def prices_of_an_order_that_prove_less(case: AuditCase, plan: AuditedPlan, random: Generator) -> AuditedPlan | None:
    """Dearer by a factor: most prices of an order prove little when they are far too high."""
    assert plan.prices is not None
    if not plan.prices.after.any():
        return None
    factor = 100.0 * (1.0 + random.random())
    changed = replace(plan, prices=replace(plan.prices, after=plan.prices.after * factor))
    ours = bound(case, changed.prices)
    lower = plan.bound_prices_yuan - ours > TEN_TOLERANCES * max(abs(ours), 1.0)
    return changed if lower else None


@breaks(Rule.MULTIPLIERS)
def peak_prices_above_the_demand_charge(case: AuditCase, plan: AuditedPlan, random: Generator) -> AuditedPlan | None:
    assert plan.prices is not None
    c, t = random.integers(case.n_clusters), random.integers(case.n_periods)
    peak = np.array(plan.prices.peak)
    left = case.demand_charge_yuan_per_kw[c] - float(peak[c] @ case.hours)
    peak[c, t] += (left + too_much(random, case.demand_charge_yuan_per_kw[c])) / case.hours[t]
    return replace(plan, prices=replace(plan.prices, peak=peak))
