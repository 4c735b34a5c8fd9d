"""Rules of what a plan claims about money: each cost component, their sum, the constants, and the bound."""

from __future__ import annotations

import math

import numpy as np

from provgrid_optimizer.audit.bound import bound, check_prices
from provgrid_optimizer.audit.case import AuditCase, Floats
from provgrid_optimizer.audit.evidence import Evidence
from provgrid_optimizer.audit.plan import AuditedPlan
from provgrid_optimizer.audit.report import Recorder, Rule, here
from provgrid_optimizer.audit.rules_grid import Use
from provgrid_optimizer.certificate import SOLVERS_OWN


def recomputed_costs(case: AuditCase, plan: Evidence, use: Use) -> dict[str, float]:
    """Yuan of each component, by the audit's own arithmetic; power is above what the floor alone would pay."""
    kwh = plan.block_kw * case.hours
    carbon = case.carbon_yuan_per_kg * float((kwh * case.block_kg_per_kwh).sum())
    return {
        "energy": float((kwh * case.block_yuan_per_kwh).sum()) - case.floor_costs["energy"],
        "carbon": carbon - case.floor_costs["carbon"],
        "demand_charge": float(case.demand_charge_yuan_per_kw @ plan.peak_kw) - case.floor_costs["demand_charge"],
        "network": _network(case, plan),
        **_rent(case, plan),
        "unserved": _unserved(case, plan, use),
    }


def _network(case: AuditCase, plan: Evidence) -> float:
    """Sum what data and checkpoints cost to move, for all that a job stands for, plus the services' traffic."""
    job = plan.pair_job
    price = case.gb_yuan[case.job_origin[job], plan.pair_pool]
    gigabytes = plan.share * case.weight[case.release[job]] * (case.data_gb + case.checkpoint_gb)[job]
    per_unit = case.service_yuan[plan.serve_service, plan.serve_pool]
    unit_hours = plan.serve_units * case.hours[plan.serve_period]
    # No route has no price: such rows break another rule and cost nothing here.
    jobs = gigabytes[np.isfinite(price)] @ price[np.isfinite(price)]
    services = unit_hours[np.isfinite(per_unit)] @ per_unit[np.isfinite(per_unit)]
    return float(jobs + services)


def job_hours(case: AuditCase, plan: Evidence) -> Floats:
    """Accelerator-hours that the work of each pair takes, all its copies, (N,); none where the pool cannot run it."""
    asked = np.where(np.isfinite(plan.accelerator_hours), plan.accelerator_hours, 0.0)
    return np.asarray(plan.share * case.weight[case.release[plan.pair_job]] * asked)


def _rent(case: AuditCase, plan: Evidence) -> dict[str, float]:
    """Rent of all accelerator-hours that work takes, and what the public purse bears, below 0."""
    rate = case.service_rate[plan.serve_service, plan.serve_pool]
    held = np.divide(plan.serve_units, rate, out=np.zeros_like(plan.serve_units), where=rate > 0)
    hours = np.concatenate([job_hours(case, plan), held * case.hours[plan.serve_period]])
    pool = np.concatenate([plan.pair_pool, plan.serve_pool])
    tenant = np.concatenate([case.job_tenant[plan.pair_job], case.service_tenant[plan.serve_service]])
    return {
        "rent": float(hours @ case.rent_yuan_per_h[pool]),
        "subsidy": -float(hours @ case.public_share(tenant, pool)),
    }


def _unserved(case: AuditCase, plan: Evidence, use: Use) -> float:
    """Value of the jobs and service units that are left; hard work has none, and its own rule."""
    served = np.bincount(plan.pair_job, weights=plan.share, minlength=case.n_jobs)
    soft = np.isfinite(case.unserved_yuan)
    value = case.weight[case.release[soft]] * case.unserved_yuan[soft]
    jobs = value @ np.clip(1.0 - served[soft], 0.0, None)
    soft = np.isfinite(case.service_unserved_yuan)
    left = np.clip(case.demand[soft] - use.served[soft], 0.0, None) @ case.hours
    return float(jobs + case.service_unserved_yuan[soft] @ left)


def check_costs(case: AuditCase, claimed: AuditedPlan, costs: dict[str, float], recorder: Recorder) -> None:
    """Each claimed component is what we find, no other is claimed, and objective and constants follow."""
    names = [*costs, *sorted(set(claimed.costs) - set(costs))]
    theirs = np.array([float(claimed.costs.get(name, math.nan)) for name in names])
    ours = np.array([costs.get(name, 0.0) for name in names])
    recorder.never(Rule.COST, ~np.isfinite(theirs), theirs, ours, lambda i: names[i], here("no number claimed"))
    known = np.isfinite(theirs)
    recorder.equal(Rule.COST, np.where(known, theirs, ours), ours, lambda i: f"{names[i]} [yuan]")
    objective = float(claimed.objective_yuan)
    recorder.never(Rule.OBJECTIVE, not math.isfinite(objective), objective, 0.0, here("objective"), here("yuan"))
    claimed_sum = float(theirs[known].sum())
    for total, note in (
        (claimed_sum, "sum of the costs claimed"),
        (sum(costs.values()), "sum of the costs recomputed"),
    ):
        recorder.equal(Rule.OBJECTIVE, objective, total, here("objective [yuan]"), note)
    constants = float(claimed.constants_yuan)
    recorder.never(Rule.CONSTANTS, not math.isfinite(constants), constants, 0.0, here("constants"), here("yuan"))
    recorder.equal(Rule.CONSTANTS, constants, case.constants_yuan, here("constants [yuan]"))


def check_bound(case: AuditCase, claimed: AuditedPlan, objective_yuan: float, recorder: Recorder) -> float:
    """Check the bound claimed: no higher than the saved prices prove, nor than the plan's own cost. Return ours.

    A best bound above that of the prices has to be a solver's own (`SOLVERS_OWN`), which is only held against the cost.
    """
    recorder.began(Rule.BOUND)
    recorder.began(Rule.BOUND_ABOVE_OBJECTIVE)
    prices = check_prices(case, claimed, recorder)
    ours = math.nan if prices is None else bound(case, prices)
    proven = -math.inf if prices is None else ours
    note = "what the saved prices prove" if prices is not None else "no prices were saved"
    by_prices = {"bound of the prices": claimed.bound_prices_yuan}
    if claimed.bound_method not in SOLVERS_OWN:
        by_prices["best bound"] = claimed.bound_yuan
    for name, value in by_prices.items():
        if not math.isnan(value):
            recorder.at_most(Rule.BOUND, value, proven, here(f"{name} [yuan]"), note)
    bounds = {"best bound": claimed.bound_yuan, "bound of the prices": claimed.bound_prices_yuan, "our bound": ours}
    for name, value in bounds.items():
        if not math.isnan(value):
            recorder.at_most(
                Rule.BOUND_ABOVE_OBJECTIVE, value, objective_yuan, here(f"{name} [yuan]"), "cost of this plan"
            )
    return ours
