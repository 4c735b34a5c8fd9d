"""Corruptions of what is claimed of a plan: costs, bound, figures, and the prices that prove the bound."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.random import Generator

from audit_corruptions.making import TEN_TOLERANCES, Corruption, pick, registry, too_much, with_value
from provgrid_optimizer.audit import AuditCase, AuditedPlan, Rule
from provgrid_optimizer.audit.bound import bound

CORRUPTIONS: list[tuple[Rule, Corruption]] = []
breaks = registry(CORRUPTIONS)


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
    stranger = pick(random, case.after < 0)
    if stranger is None or not plan.prices.vertical.size:
        return None
    row = int(random.integers(plan.prices.vertical.size))
    return replace(plan, prices=replace(plan.prices, vertical=with_value(plan.prices.vertical, row, stranger)))


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
