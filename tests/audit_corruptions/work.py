"""Corruptions of where jobs live and services are served, and of when jobs run."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
from numpy.random import Generator

from audit_corruptions.making import (
    TEN_TOLERANCES,
    Corruption,
    add,
    drop,
    pick,
    registry,
    runs_of,
    too_much,
    with_value,
)
from provgrid_optimizer.audit import AuditCase, AuditedPlan, Rule

CORRUPTIONS: list[tuple[Rule, Corruption]] = []
breaks = registry(CORRUPTIONS)


@breaks(Rule.POOL_CLOSED)
def job_moved_to_a_closed_pool(case: AuditCase, plan: AuditedPlan, random: Generator) -> AuditedPlan | None:
    pools = np.arange(case.n_pools)
    for i in random.permutation(plan.placement_job.size):
        job = np.full(case.n_pools, plan.placement_job[i])
        pool = pick(random, case.reasons(job, pools) > 0)
        if pool is not None and plan.placement_share[i] > TEN_TOLERANCES:
            runs = runs_of(plan, i)
            return replace(
                plan,
                placement_pool=with_value(plan.placement_pool, i, pool),
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
    return add(plan, "serve", service=service, pool=pool, period=period, units=too_much(random, 1.0))


@breaks(Rule.SHARE)
def job_placed_twice(case: AuditCase, plan: AuditedPlan, random: Generator) -> AuditedPlan | None:
    i = pick(random, plan.placement_share > 0.5)
    if i is None or case.n_pools == 1:
        return None
    other = (plan.placement_pool[i] + random.integers(1, case.n_pools)) % case.n_pools
    return add(plan, "placement", job=plan.placement_job[i], pool=other, share=1.0)


@breaks(Rule.SHARE)
def share_above_one(case: AuditCase, plan: AuditedPlan, random: Generator) -> AuditedPlan | None:
    served = np.bincount(plan.placement_job, weights=plan.placement_share, minlength=case.n_jobs)
    i = pick(random, served[plan.placement_job] > 1.0 - 1e-9)
    if i is None:
        return None
    return replace(
        plan,
        placement_share=with_value(plan.placement_share, i, plan.placement_share[i] + too_much(random, 1.0)),
    )


@breaks(Rule.SHARE)
def share_split_in_an_indivisible_plan(case: AuditCase, plan: AuditedPlan, random: Generator) -> AuditedPlan | None:
    i = None if plan.divisible else pick(random, plan.placement_share == 1.0)
    return (
        None
        if i is None
        else replace(plan, placement_share=with_value(plan.placement_share, i, 1.0 - too_much(random, 1.0)))
    )


@breaks(Rule.DUPLICATE)
def placement_row_repeated(case: AuditCase, plan: AuditedPlan, random: Generator) -> AuditedPlan | None:
    i = pick(random, plan.placement_share > 0)
    if i is None:
        return None
    return add(plan, "placement", job=plan.placement_job[i], pool=plan.placement_pool[i], share=0.0)


@breaks(Rule.DUPLICATE)
def run_row_repeated(case: AuditCase, plan: AuditedPlan, random: Generator) -> AuditedPlan | None:
    k = pick(random, plan.run_accelerators > 0)
    if k is None:
        return None
    return add(
        plan,
        "run",
        job=plan.run_job[k],
        pool=plan.run_pool[k],
        period=plan.run_period[k],
        accelerators=plan.run_accelerators[k],
    )


@breaks(Rule.HARD)
def hard_job_left_unserved(case: AuditCase, plan: AuditedPlan, random: Generator) -> AuditedPlan | None:
    i = pick(random, np.isinf(case.unserved_yuan[plan.placement_job]))
    if i is None:
        return None
    job = plan.placement_job[i]
    return drop(drop(plan, "placement", plan.placement_job == job), "run", plan.run_job == job)


@breaks(Rule.HARD)
def hard_service_left_unserved(case: AuditCase, plan: AuditedPlan, random: Generator) -> AuditedPlan | None:
    hard = np.isinf(case.service_unserved_yuan[plan.serve_service])
    k = pick(random, hard & (plan.serve_units > 2 * TEN_TOLERANCES))
    return None if k is None else drop(plan, "serve", np.arange(plan.serve_units.size) == k)


@breaks(Rule.WORK)
def hour_removed(case: AuditCase, plan: AuditedPlan, random: Generator) -> AuditedPlan | None:
    k = pick(random, ~case.rigid[plan.run_job] & _notable(case, plan))
    return None if k is None else drop(plan, "run", np.arange(plan.run_job.size) == k)


@breaks(Rule.WORK)
def hour_added(case: AuditCase, plan: AuditedPlan, random: Generator) -> AuditedPlan | None:
    i = _placement(case, plan, random, rigid=False)
    if i is None:
        return None
    job, pool = plan.placement_job[i], plan.placement_pool[i]
    used = plan.run_period[runs_of(plan, i)]
    period = pick(random, ~np.isin(np.arange(case.n_periods), used))
    if period is None:
        return None
    asked = float(case.accelerator_hours(np.array([job]), np.array([pool]))[0])
    more = too_much(random, asked) / case.period_h
    return add(plan, "run", job=job, pool=pool, period=period, accelerators=more)


@breaks(Rule.LIMIT)
def more_accelerators_than_the_job_may_use(case: AuditCase, plan: AuditedPlan, random: Generator) -> AuditedPlan | None:
    k = pick(random, plan.run_accelerators > 0)
    if k is None:
        return None
    most = float(case.max_accelerators[plan.run_job[k]])
    return replace(plan, run_accelerators=with_value(plan.run_accelerators, k, most + too_much(random, most)))


@breaks(Rule.WINDOW)
def run_before_its_window(case: AuditCase, plan: AuditedPlan, random: Generator) -> AuditedPlan | None:
    first = case.starts(plan.run_job, plan.run_pool)
    k = pick(random, first > 0)
    if k is None:
        return None
    return replace(plan, run_period=with_value(plan.run_period, k, random.integers(first[k])))


@breaks(Rule.WINDOW)
def run_after_its_deadline(case: AuditCase, plan: AuditedPlan, random: Generator) -> AuditedPlan | None:
    end = case.deadline[plan.run_job]
    k = pick(random, end < case.n_periods)
    return (
        None
        if k is None
        else replace(plan, run_period=with_value(plan.run_period, k, random.integers(end[k], case.n_periods)))
    )


@breaks(Rule.GANG)
def gang_shortened(case: AuditCase, plan: AuditedPlan, random: Generator) -> AuditedPlan | None:
    i = _placement(case, plan, random, rigid=True)
    if i is None:
        return None
    runs = np.flatnonzero(runs_of(plan, i))
    return drop(plan, "run", np.arange(plan.run_job.size) == runs[np.argmax(plan.run_period[runs])])


@breaks(Rule.GANG)
def gang_lengthened(case: AuditCase, plan: AuditedPlan, random: Generator) -> AuditedPlan | None:
    i = _placement(case, plan, random, rigid=True)
    if i is None:
        return None
    runs = np.flatnonzero(runs_of(plan, i))
    last = runs[np.argmax(plan.run_period[runs])]
    if plan.run_period[last] + 1 >= case.n_periods:
        return None
    return add(
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
        runs = np.flatnonzero(runs_of(plan, i))
        last = runs[np.argmax(plan.run_period[runs])]
        if case.rigid[plan.placement_job[i]] and runs.size > 1 and plan.run_period[last] + 1 < case.n_periods:
            return replace(plan, run_period=with_value(plan.run_period, last, plan.run_period[last] + 1))
    return None


@breaks(Rule.GANG)
def gang_thinned(case: AuditCase, plan: AuditedPlan, random: Generator) -> AuditedPlan | None:
    i = _placement(case, plan, random, rigid=True)
    if i is None:
        return None
    fewer = 1.0 - too_much(random, 1.0) / plan.placement_share[i] / 2
    return replace(plan, run_accelerators=np.where(runs_of(plan, i), fewer, 1.0) * plan.run_accelerators)


@breaks(Rule.AFTER)
def base_dropped(case: AuditCase, plan: AuditedPlan, random: Generator) -> AuditedPlan | None:
    served = np.bincount(plan.placement_job, weights=plan.placement_share, minlength=case.n_jobs)
    vertical = pick(random, (case.after >= 0) & (served > 0.01))
    if vertical is None:
        return None
    base = case.after[vertical]
    return drop(drop(plan, "placement", plan.placement_job == base), "run", plan.run_job == base)


@breaks(Rule.AFTER)
def vertical_before_its_base(case: AuditCase, plan: AuditedPlan, random: Generator) -> AuditedPlan | None:
    last = np.full(case.n_jobs, -1)
    np.maximum.at(last, plan.run_job, plan.run_period)
    base = case.after[plan.run_job]
    k = None if plan.divisible else pick(random, (base >= 0) & (last[base] >= 0))
    return None if k is None else replace(plan, run_period=with_value(plan.run_period, k, last[base[k]]))


def _notable(case: AuditCase, plan: AuditedPlan) -> Any:
    """Run rows that are more than ten tolerances of their job's accelerator-hours."""
    asked = case.accelerator_hours(plan.run_job, plan.run_pool)
    return plan.run_accelerators * case.period_h > TEN_TOLERANCES * np.maximum(asked, 1.0)


def _placement(case: AuditCase, plan: AuditedPlan, random: Generator, *, rigid: bool) -> int | None:
    share = plan.placement_share > 0.05
    return pick(random, share & (case.rigid[plan.placement_job] == rigid))
