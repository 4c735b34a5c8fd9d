"""What a run states beside its rows, costs and bounds: each figure is worked out again from those."""

from __future__ import annotations

import math
from collections.abc import Mapping

import numpy as np

from provgrid_optimizer.audit.case import AuditCase, Floats, Ints
from provgrid_optimizer.audit.evidence import Evidence, index_map
from provgrid_optimizer.audit.plan import AuditedPlan, Claims, Integers
from provgrid_optimizer.audit.report import Recorder, Rule, Where, here
from provgrid_optimizer.audit.rules_grid import Use
from provgrid_optimizer.audit.rules_money import job_hours
from provgrid_optimizer.certificate import SOLVERS_OWN, captured_share, gap

PAIRS_AT_ONCE = 2_000_000
OWN_BOUND = {"lp": ("lp", "pulp-cbc", "pulp-highs"), "milp": ("milp",)}


def check_claims(
    case: AuditCase, plan: AuditedPlan, claims: Claims, evidence: Evidence, use: Use, recorder: Recorder
) -> None:
    """Hold every figure against our own. Gaps are those of the objective and bound claimed, which have their rules."""
    recorder.began(Rule.CERTIFICATE)
    jobs_yuan = _jobs_yuan(case, evidence, use)
    bound_yuan = -math.inf if math.isnan(plan.bound_yuan) else plan.bound_yuan
    kg = float(((evidence.block_kw * case.block_kg_per_kwh) @ case.hours).sum())
    figures = {
        "gap": gap(plan.objective_yuan, bound_yuan),
        # By the claimed cost of the jobs, which is held against ours: the gap may be large beside a small one.
        "gap_jobs": gap(plan.objective_yuan, bound_yuan, claims.figures.get("jobs_yuan", jobs_yuan)),
        "unserved_share": _unserved_share(case, evidence, use),
        "jobs_yuan": jobs_yuan,
        "carbon_kg": kg - case.floor_kg,
        "floor_kg": case.floor_kg,
    }
    constants = {
        "idle_floor": case.floor_yuan,
        "take_or_pay": case.take_or_pay_yuan,
        "ports": case.ports_yuan,
        "never_served": sum(yuan for _, _, yuan in case.never_served),
    }
    _same(claims.figures, figures, recorder)
    _same(claims.constants, constants, recorder)
    best_yuan = claims.best_policy_yuan
    captured = None if best_yuan is None else captured_share(plan.objective_yuan, bound_yuan, best_yuan)
    none = math.inf  # stands for None, which no share is
    _same(
        {"captured": none if claims.captured is None else claims.captured},
        {"captured": none if captured is None else captured},
        recorder,
    )
    own = plan.bound_method in SOLVERS_OWN
    untrue = claims.engine not in OWN_BOUND[plan.bound_method] if own else plan.bound_method not in ("prices", "none")
    untrue |= math.isfinite(plan.bound_yuan) == (plan.bound_method == "none")
    note = here(f"engine {claims.engine} has no bound by {plan.bound_method}")
    recorder.never(Rule.CERTIFICATE, untrue, plan.bound_yuan, math.nan, here("bound_method"), note)
    _check_columns(case, plan, claims, recorder)


def _same(claimed: Mapping[str, float], ours: Mapping[str, float], recorder: Recorder) -> None:
    """Every figure is claimed, is what we find, and no other is claimed."""
    names = [*ours, *sorted(set(claimed) - set(ours))]
    _equal(
        np.array([float(claimed.get(name, math.nan)) for name in names]),
        np.array([float(ours.get(name, math.nan)) for name in names]),
        lambda i: names[i],
        recorder,
    )


def _equal(theirs: Floats, ours: Floats, where: Where, recorder: Recorder) -> None:
    """Figures are equal within the tolerance, infinities exactly; a NaN is equal to nothing."""
    finite = np.isfinite(theirs) & np.isfinite(ours)
    recorder.never(Rule.CERTIFICATE, ~finite & (theirs != ours), theirs, ours, where)
    recorder.equal(Rule.CERTIFICATE, np.where(finite, theirs, 0.0), np.where(finite, ours, 0.0), where)


def _jobs_yuan(case: AuditCase, plan: Evidence, use: Use) -> float:
    """Training's own network, rent, subsidy and unserved value, and its kilowatt-hours' share of each power bill."""
    job = plan.pair_job
    price = case.gb_yuan[case.job_origin[job], plan.pair_pool]
    known = np.isfinite(price)  # no route has no price: such rows break another rule
    gigabytes = plan.share * case.weight[case.release[job]] * (case.data_gb + case.checkpoint_gb)[job]
    served = np.bincount(job, weights=plan.share, minlength=case.n_jobs)
    soft = np.isfinite(case.unserved_yuan)
    value = case.weight[case.release[soft]] * case.unserved_yuan[soft]
    by_jobs, by_all = _cluster_kwh(case, use.job_accelerators), _cluster_kwh(case, use.accelerators)
    share = np.divide(by_jobs, by_all, out=np.zeros_like(by_jobs), where=by_all > 0)
    power = (case.power_yuan(plan.block_kw, plan.peak_kw) - case.floor_cluster_yuan) @ share
    held = case.rent_yuan_per_h[plan.pair_pool] - case.public_share(case.job_tenant[job], plan.pair_pool)
    one_off = gigabytes[known] @ price[known] + job_hours(case, plan) @ held
    return float(one_off + value @ np.clip(1.0 - served[soft], 0.0, None) + power)


def _cluster_kwh(case: AuditCase, accelerators: Floats) -> Floats:
    """Kilowatt-hours that accelerators (P, T) draw at each cluster, (C,)."""
    kwh = np.zeros(case.n_clusters)
    np.add.at(kwh, case.pool_cluster, (case.kw_per_accelerator * accelerators) @ case.hours)
    return kwh


def _unserved_share(case: AuditCase, plan: Evidence, use: Use) -> float:
    """Share of the asked accelerator-hours, each at its fastest open pool and with its real copies, that is left."""
    asked = _fastest_hours(case)
    left = asked @ np.clip(1.0 - np.bincount(plan.pair_job, weights=plan.share, minlength=case.n_jobs), 0.0, None)
    best = case.service_rate.max(axis=1, initial=0.0)
    weight = np.divide(case.hours, best[:, None], out=np.zeros(case.demand.shape), where=best[:, None] > 0)
    total = float(asked.sum() + (weight * case.demand).sum())
    left_units = np.clip(case.demand - use.served, 0.0, None)
    return float(left + (weight * left_units).sum()) / total if total > 0 else 0.0


def _fastest_hours(case: AuditCase) -> Floats:
    """Accelerator-hours of each job at its fastest open pool, (J,); 0 where none is open."""
    hours = np.zeros(case.n_jobs)
    step = max(PAIRS_AT_ONCE // max(case.n_pools, 1), 1)
    for first in range(0, case.n_jobs, step):
        jobs = np.arange(first, min(first + step, case.n_jobs))
        job, pool = np.repeat(jobs, case.n_pools), np.tile(np.arange(case.n_pools), jobs.size)
        needed = np.where(case.reasons(job, pool) == 0, case.accelerator_hours(job, pool), np.inf)
        hours[jobs] = needed.reshape(jobs.size, case.n_pools).min(axis=1, initial=np.inf)
    return np.where(np.isfinite(hours), hours * case.weight[case.release], 0.0)


def _check_columns(case: AuditCase, plan: AuditedPlan, claims: Claims, recorder: Recorder) -> None:
    """Columns that repeat in other units what the rows say; rows of unknown things have their own rule."""
    stated = (claims.placement_accelerator_h.size, claims.serve_accelerators.size)
    if stated != (np.size(plan.placement_job), np.size(plan.serve_units)):
        recorder.never(Rule.CERTIFICATE, True, stated[0], np.size(plan.placement_job), here("rows of the columns"))
        return
    pools = 1 + max(int(np.max(ids, initial=0)) for ids in (plan.placement_pool, plan.run_pool))
    placed = np.asarray(plan.placement_job, np.int64) * pools + plan.placement_pool
    ran = np.asarray(plan.run_job, np.int64) * pools + plan.run_pool
    keys, at = np.unique(np.concatenate([placed, ran]), return_inverse=True)
    held = np.bincount(at[placed.size :], weights=plan.run_accelerators, minlength=keys.size)[at[: placed.size]]

    def job(i: int) -> str:
        return f"accelerator_h of {plan.names.of('job', int(plan.placement_job[i]))}"

    def service(i: int) -> str:
        return f"accelerators of {plan.names.of('service', int(plan.serve_service[i]))}, row {i}"

    _equal(
        np.asarray(claims.placement_accelerator_h, np.float64), (held * case.period_h).astype(np.float64), job, recorder
    )
    services = index_map(plan.names.services, case.names.services, case.demand.shape[0])
    ours = index_map(plan.names.pools, case.names.pools, case.n_pools)
    s, p = (_looked_up(m, ids) for m, ids in ((services, plan.serve_service), (ours, plan.serve_pool)))
    rate = np.where((s >= 0) & (p >= 0), case.service_rate[s, p], 0.0) if s.size else np.zeros(0)
    states = np.asarray(claims.serve_accelerators, np.float64)
    held_by = np.divide(plan.serve_units, rate, out=states.copy(), where=rate > 0)
    _equal(states, held_by, service, recorder)


def _looked_up(ours: Ints, ids: Integers) -> Ints:
    """Our index of each of their ids, -1 for a stranger."""
    known = (ids >= 0) & (ids < ours.size)
    return np.where(known, ours[np.where(known, ids, 0)], -1) if ours.size else np.full(ids.shape, -1)
