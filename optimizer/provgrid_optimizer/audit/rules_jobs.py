"""Rules of the training jobs: where they live, when they run, how much they do, and in which order."""

from __future__ import annotations

import numpy as np

from provgrid_models.reasons import REASON_TEXT, Reason
from provgrid_optimizer.audit.case import AuditCase, Floats, Ints
from provgrid_optimizer.audit.evidence import Evidence, busy, pairs_of_jobs
from provgrid_optimizer.audit.kernels import gang_faults, start_shares
from provgrid_optimizer.audit.report import RELATIVE_TOLERANCE, Recorder, Rule, here


def check_jobs(case: AuditCase, plan: Evidence, divisible: bool, recorder: Recorder) -> None:
    """Check every rule of the training jobs, under the divisible or the indivisible rule set."""
    check_shares(case, plan, divisible, recorder)
    check_pools(case, plan, recorder)
    check_windows(case, plan, recorder)
    check_work(case, plan, recorder)
    check_limits(case, plan, recorder)
    check_gangs(case, plan, divisible, recorder)
    if divisible:
        check_order_of_shares(case, plan, recorder)
    else:
        check_order(case, plan, recorder)


def check_shares(case: AuditCase, plan: Evidence, divisible: bool, recorder: Recorder) -> None:
    """sum_p z <= 1; 0 or 1 where jobs are indivisible; 1 where they are hard."""
    served = np.bincount(plan.pair_job, weights=plan.share, minlength=case.n_jobs)
    recorder.at_most(Rule.SHARE, served, 1.0, lambda j: case.names.of("job", j), "sum over pools")
    if not divisible:
        whole = np.where(plan.share > 0.5, 1.0, 0.0)
        recorder.equal(
            Rule.SHARE, plan.share, whole, lambda i: plan.where_pair(case.names, i), "the plan is indivisible"
        )
    hard = np.isinf(case.unserved_yuan)
    missing = hard & (served < 1.0 - RELATIVE_TOLERANCE)
    recorder.never(Rule.HARD, missing, served, 1.0, lambda j: case.names.of("job", j))


def check_pools(case: AuditCase, plan: Evidence, recorder: Recorder) -> None:
    """Place nothing (z = 0) in a pool that is closed to the job: binding, memory, residency, route, window, pin, ..."""
    recorder.never(
        Rule.POOL_CLOSED,
        (plan.share > RELATIVE_TOLERANCE) & (plan.reason > 0),
        plan.share,
        0.0,
        lambda i: plan.where_pair(case.names, i),
        lambda i: REASON_TEXT[Reason(int(plan.reason[i]))],
    )


def check_windows(case: AuditCase, plan: Evidence, recorder: Recorder) -> None:
    """Run nothing (n = 0) before the data is there and from the deadline on."""
    first = plan.start[plan.run_pair]
    end = case.deadline[plan.pair_job][plan.run_pair]
    runs = busy(plan)

    def where(k: int) -> str:
        return plan.where_run(case.names, k)

    recorder.never(
        Rule.WINDOW, runs & (plan.run_period < first), plan.run_period, first, where, here("its first period")
    )
    recorder.never(
        Rule.WINDOW, runs & (plan.run_period >= end), plan.run_period, end - 1, where, here("its last period")
    )


def check_work(case: AuditCase, plan: Evidence, recorder: Recorder) -> None:
    """sum_t period_h n = share * a, for elastic jobs; a rigid gang's rule says it for the rigid ones."""
    delivered = case.period_h * _per_pair(plan, plan.run_accelerators)
    countable = np.isfinite(plan.accelerator_hours)
    judged = countable & ~case.rigid[plan.pair_job]
    asked = plan.share * np.where(countable, plan.accelerator_hours, 0.0)
    recorder.equal(
        Rule.WORK,
        np.where(judged, delivered, 0.0),
        np.where(judged, asked, 0.0),
        lambda i: plan.where_pair(case.names, i),
        "accelerator-hours",
    )


def check_limits(case: AuditCase, plan: Evidence, recorder: Recorder) -> None:
    """Hold n <= max_accelerators * share in every period."""
    most = case.max_accelerators[plan.pair_job] * plan.share
    recorder.at_most(
        Rule.LIMIT,
        plan.run_accelerators,
        most[plan.run_pair],
        lambda k: plan.where_run(case.names, k),
        "accelerators of its share",
    )


def check_gangs(case: AuditCase, plan: Evidence, divisible: bool, recorder: Recorder) -> None:
    """Each rigid pair's profile is a sum of whole gangs that start, run for d periods and stop, shares adding up.

    The part that is running, r[t] = n[t] / gang = sum of the starts in (t - d, t], fixes every start:
    x[t] = r[t] - r[t - 1] + x[t - d]. In an indivisible plan this leaves one start of the whole gang.
    """
    durations = case.durations(plan.pair_job, plan.pair_pool)
    judged = np.flatnonzero(case.rigid[plan.pair_job] & (durations <= case.n_periods))
    lowest, total, highest = gang_faults(
        judged,
        plan.run_start,
        plan.run_period,
        plan.run_accelerators,
        case.max_accelerators[plan.pair_job],
        np.minimum(durations, case.n_periods).astype(np.int64),
        case.n_periods,
    )

    def where(i: int) -> str:
        return plan.where_pair(case.names, int(judged[i]))

    recorder.equal(Rule.GANG, total, plan.share[judged], where, "share that starts")
    recorder.at_most(Rule.GANG, -lowest, 0.0, where, "share of the gang that stops early")
    if not divisible:
        recorder.equal(Rule.GANG, highest, plan.share[judged], where, "share of the gang that starts at once")


def check_order(case: AuditCase, plan: Evidence, recorder: Recorder) -> None:
    """Indivisible: a vertical's first period comes after its base's last one and the checkpoint's way."""
    first = np.full(case.n_jobs, case.n_periods)
    last = np.full(case.n_jobs, -1)
    runs = busy(plan)
    job = plan.pair_job[plan.run_pair[runs]]
    np.minimum.at(first, job, plan.run_period[runs])
    np.maximum.at(last, job, plan.run_period[runs])
    served = np.bincount(plan.pair_job, weights=plan.share, minlength=case.n_jobs) > 0.5
    vertical = np.flatnonzero((case.after >= 0) & (served | (last >= 0)))
    base = case.after[vertical]

    def where(i: int) -> str:
        job, before = int(vertical[i]), int(base[i])
        return f"{case.names.of('job', job)} after {case.names.of('job', before)}"

    recorder.never(Rule.AFTER, ~served[base], 1.0, 0.0, where, here("its base is unserved"))
    earliest = last[base] + 1 + case.after_lag[vertical]
    too_soon = served[base] & (first[vertical] < earliest)
    recorder.never(Rule.AFTER, too_soon, first[vertical], earliest, where, here("first period"))


def check_order_of_shares(case: AuditCase, plan: Evidence, recorder: Recorder) -> None:
    """Divisible: share of the vertical started (rigid) or done (elastic) through t <= base done through t - 1 - lag."""
    of_job = pairs_of_jobs(plan, case.n_jobs)
    vertical = np.flatnonzero((case.after >= 0) & (np.diff(of_job) > 0))
    for v in vertical:
        base, lag = int(case.after[v]), int(case.after_lag[v])
        begun = _progress(case, plan, of_job, int(v), started=True)
        done = np.zeros(case.n_periods)
        delay = 1 + lag
        if delay < case.n_periods:
            done[delay:] = _progress(case, plan, of_job, base, started=False)[:-delay]
        late = int(np.argmax(begun - done))
        where = f"{case.names.of('job', int(v))} after {case.names.of('job', base)}, period {late}"
        recorder.at_most(Rule.AFTER, begun[late], done[late], here(where), "share")
    recorder.began(Rule.AFTER)


def _progress(case: AuditCase, plan: Evidence, of_job: Ints, job: int, *, started: bool) -> Floats:
    """Share of a job done through each period, shape (T,); of a rigid one, the share started where asked so."""
    share = np.zeros(case.n_periods)
    for i in range(of_job[job], of_job[job + 1]):
        rows = slice(plan.run_start[i], plan.run_start[i + 1])
        period, accelerators = plan.run_period[rows], plan.run_accelerators[rows]
        if not np.isfinite(plan.accelerator_hours[i]):
            continue
        if not case.rigid[job]:
            np.add.at(share, period, case.period_h * accelerators / plan.accelerator_hours[i])
            continue
        pair = plan.pair_job[i : i + 1], plan.pair_pool[i : i + 1]
        duration = int(min(case.durations(*pair)[0], case.n_periods))
        starts = start_shares(period, accelerators / case.max_accelerators[job], duration, case.n_periods)
        if started:
            share += starts[: case.n_periods]
        else:
            share[duration - 1 :] += starts[: case.n_periods - duration + 1]
    return np.cumsum(share)


def _per_pair(plan: Evidence, rows: Floats) -> Floats:
    """Sum of run rows over each pair, shape (N,)."""
    return np.bincount(plan.run_pair, weights=rows, minlength=plan.pair_job.size).astype(np.float64)
