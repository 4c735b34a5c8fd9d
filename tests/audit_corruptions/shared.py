"""Corruptions of what all work shares: capacity, power, carbon and links."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.random import Generator

from audit_corruptions.making import Corruption, add, pick, registry, too_much, with_value
from provgrid_optimizer.audit import AuditCase, AuditedPlan, Rule

CORRUPTIONS: list[tuple[Rule, Corruption]] = []
breaks = registry(CORRUPTIONS)


@breaks(Rule.CAPACITY)
def capacity_exceeded_by_a_job(case: AuditCase, plan: AuditedPlan, random: Generator) -> AuditedPlan | None:
    k = pick(random, plan.run_accelerators > 0)
    if k is None:
        return None
    there = float(case.capacity[plan.run_pool[k], plan.run_period[k]])
    return replace(plan, run_accelerators=with_value(plan.run_accelerators, k, there + too_much(random, there)))


@breaks(Rule.CAPACITY)
def capacity_exceeded_by_a_service(case: AuditCase, plan: AuditedPlan, random: Generator) -> AuditedPlan | None:
    k = pick(random, plan.serve_units > 0)
    if k is None:
        return None
    there = float(case.capacity[plan.serve_pool[k], plan.serve_period[k]])
    units = (there + too_much(random, there)) * case.service_rate[plan.serve_service[k], plan.serve_pool[k]]
    return replace(plan, serve_units=with_value(plan.serve_units, k, units))


@breaks(Rule.DEMAND)
def service_overserved(case: AuditCase, plan: AuditedPlan, random: Generator) -> AuditedPlan | None:
    k = pick(random, plan.serve_units > 0)
    if k is None:
        return None
    asked = float(case.demand[plan.serve_service[k], plan.serve_period[k]])
    return replace(plan, serve_units=with_value(plan.serve_units, k, asked + too_much(random, asked)))


@breaks(Rule.BALANCE)
def power_not_supplied(case: AuditCase, plan: AuditedPlan, random: Generator) -> AuditedPlan | None:
    k = pick(random, plan.supply_kw > 1.0)
    if k is None:
        return None
    supplied = np.zeros(case.floor_kw.shape)
    np.add.at(supplied, (case.block_cluster[plan.supply_block], plan.supply_period), plan.supply_kw)
    here = supplied[case.block_cluster[plan.supply_block[k]], plan.supply_period[k]]
    less = min(too_much(random, here), plan.supply_kw[k])
    return (
        replace(plan, supply_kw=with_value(plan.supply_kw, k, plan.supply_kw[k] - less)) if less > 1e-4 * here else None
    )


@breaks(Rule.SUPPLY_LIMIT)
def block_over_its_limit(case: AuditCase, plan: AuditedPlan, random: Generator) -> AuditedPlan | None:
    limit = case.block_limit_kw[plan.supply_block, plan.supply_period]
    k = pick(random, np.isfinite(limit))
    return (
        None
        if k is None
        else replace(plan, supply_kw=with_value(plan.supply_kw, k, limit[k] + too_much(random, float(limit[k]))))
    )


@breaks(Rule.PEAK)
def peak_understated(case: AuditCase, plan: AuditedPlan, random: Generator) -> AuditedPlan | None:
    grid = np.zeros(case.floor_kw.shape)
    is_grid = case.block_is_grid[plan.supply_block]
    at = case.block_cluster[plan.supply_block[is_grid]], plan.supply_period[is_grid]
    np.add.at(grid, at, plan.supply_kw[is_grid])
    peak = grid.max(axis=1)
    c = pick(random, peak > 1.0)
    return (
        None if c is None else replace(plan, peak_kw=with_value(plan.peak_kw, c, peak[c] - too_much(random, peak[c])))
    )


@breaks(Rule.CARBON_BUDGET)
def dirtier_power(case: AuditCase, plan: AuditedPlan, random: Generator) -> AuditedPlan | None:
    """Let one block draw as much more as takes the carbon above its budget."""
    if not np.isfinite(case.carbon_budget_kg):
        return None
    rate = (case.block_kg_per_kwh * case.hours)[plan.supply_block, plan.supply_period]
    k = pick(random, rate > 0)
    if k is None:
        return None
    missing = case.carbon_budget_kg - float(rate @ plan.supply_kw) + too_much(random, case.carbon_budget_kg)
    return replace(plan, supply_kw=with_value(plan.supply_kw, k, plan.supply_kw[k] + missing / rate[k]))


@breaks(Rule.LINK_LIMIT)
def link_overloaded(case: AuditCase, plan: AuditedPlan, random: Generator) -> AuditedPlan | None:
    for k in random.permutation(plan.serve_units.size):
        service, pool = plan.serve_service[k : k + 1], plan.serve_pool[k : k + 1]
        _, links = case.route_rows(case.service_origin[service], pool)
        gbps = case.service_gbps[service[0]]
        narrow = case.link_gbps[links].min(initial=np.inf)
        if gbps > 1e-3 and np.isfinite(narrow):
            units = (narrow + too_much(random, narrow)) / gbps
            return replace(plan, serve_units=with_value(plan.serve_units, k, units))
    return None


@breaks(Rule.MISSING_LINK)
def traffic_on_a_missing_link(case: AuditCase, plan: AuditedPlan, random: Generator) -> AuditedPlan | None:
    link = case.link_gbps.size + random.integers(3)
    return add(plan, "traffic", link=link, period=random.integers(case.n_periods), gbps=too_much(random, 1.0))


@breaks(Rule.TRAFFIC)
def traffic_misstated(case: AuditCase, plan: AuditedPlan, random: Generator) -> AuditedPlan | None:
    k = pick(random, plan.traffic_gbps > 1e-3)
    if k is None:
        return None
    other = plan.traffic_gbps[k] + too_much(random, plan.traffic_gbps[k])
    return replace(plan, traffic_gbps=with_value(plan.traffic_gbps, k, other))
