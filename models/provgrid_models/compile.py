"""Scenario to problem: names become positions, tables become arrays, rules become reasons for closed pools."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from provgrid_models.bindings import Bindings, ported
from provgrid_models.capital import ports_yuan
from provgrid_models.compile_jobs import compile_jobs
from provgrid_models.compile_services import compile_services
from provgrid_models.energy import least_cost_supply
from provgrid_models.errors import InfeasibleError
from provgrid_models.horizon import periods
from provgrid_models.problem import Floats, Labels, Problem
from provgrid_models.sites import KG_PER_T, compile_sites

if TYPE_CHECKING:
    from provgrid_models.scenario import Scenario

GREENEST_YUAN_PER_KG = 1e6  # a carbon price that no tariff outweighs
ROUNDING = 1e-9  # relative


def compile_scenario(scenario: Scenario) -> Problem:
    """Compile a scenario to the arrays that engines read.

    The rules, with the period length D in hours:

    - release = ceil(release_h / D), deadline = floor(deadline_h / D). Of a window that crosses the end of the horizon
      the job counts work * (periods inside / periods of the whole window). `work_done` is taken off first.
    - A job that is done leaves, and its verticals are free: its checkpoint moves with their data. A job that starts
      after the horizon leaves, and its verticals too. A job that is pinned to a pool has its data and checkpoint there.
    - Unserved work costs `unserved_multiple` times the market price of its accelerator-hours in the cheapest open
      pool, those of a service counted at its `max_utilisation`. Hard work costs inf.
    - What no pool could ever serve leaves, with its verticals, and is listed in `never_served` with its reason and
      its yuan (by the same rule over all pools of a chip that runs its family, times the weight of its periods).
    - Origins are the regions; a route costs the sum of its links; a pair without a row has no route. A service loads
      its links with the traffic of both directions.
    - A service's accelerators serve tokens_per_s * max_utilisation each.
    - A tenant without a share gets what the given shares leave, in proportion to the accelerator-hours it asks for.

    Raises `ScenarioError` at a reference that leads nowhere, `InfeasibleError` at hard work that no pool can serve and
    at a carbon budget below what the idle floor emits at the least.
    """
    sites, bindings = compile_sites(scenario), Bindings.of(scenario)
    jobs = compile_jobs(scenario, sites, bindings)
    services = compile_services(scenario, sites, bindings)
    blocks = ["grid"] * len(scenario.clusters) + [contract.energy for contract in scenario.contracts]
    problem = Problem(
        **sites.fields,
        **jobs.fields,
        **services.fields,
        tenant_share=_tenant_shares(scenario, jobs.asked_accelerator_h + services.asked_accelerator_h),
        never_served=jobs.never_served + services.never_served,
        notes=jobs.notes + services.notes,
        ports_yuan=ports_yuan(scenario, ported(scenario)),
        labels=Labels(
            pools=[pool.id for pool in scenario.pools],
            clusters=[cluster.id for cluster in scenario.clusters],
            blocks=blocks,
            links=[link.id for link in scenario.links],
            origins=[region.id for region in scenario.regions],
            jobs=jobs.labels,
            services=services.labels,
            tenants=[tenant.id for tenant in scenario.tenants],
            periods=periods(scenario.settings.horizon),
        ),
    )
    _check_carbon_budget(problem)
    return problem


def _check_carbon_budget(problem: Problem) -> None:
    """Raise `InfeasibleError` where the idle floor alone, supplied as greenly as can be, breaks the carbon budget."""
    if np.isinf(problem.carbon_budget_kg):
        return
    greenest_kg = least_cost_supply(problem, problem.floor_kw, GREENEST_YUAN_PER_KG).kg
    if greenest_kg > problem.carbon_budget_kg * (1.0 + ROUNDING):
        raise InfeasibleError(
            f"limits.carbon_budget_t is {problem.carbon_budget_kg / KG_PER_T:,.6g} t and the idle accelerators alone "
            f"emit at least {greenest_kg / KG_PER_T:,.6g} t; raise the budget or contract greener power"
        )


def _tenant_shares(scenario: Scenario, asked_accelerator_h: Floats) -> Floats:
    """Share of every tenant in the shared pools, shape (N,)."""
    given = np.array([np.nan if t.share is None else t.share for t in scenario.tenants], dtype=np.float64)
    blank = np.isnan(given)
    if not blank.any():
        return given
    left = max(0.0, 1.0 - float(np.nansum(given)))
    asked = np.where(blank, asked_accelerator_h, 0.0)
    part = asked / asked.sum() if asked.sum() > 0 else blank / blank.sum()
    return np.where(blank, left * part, given)
