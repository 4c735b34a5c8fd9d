"""Jobs of a scenario as the arrays of a `Problem`, columns in and columns out: never a loop over jobs."""

from __future__ import annotations

from dataclasses import dataclass, fields, replace
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from provgrid_models.bindings import PRECISIONS, Bindings, text_codes
from provgrid_models.capacity import close, open_rates, rate_pflops
from provgrid_models.chains import last_in_chain
from provgrid_models.errors import ASK_WHY, InfeasibleError, ScenarioError
from provgrid_models.problem import Bools, Floats, Ints, Problem
from provgrid_models.reasons import REASON_TEXT, Reason
from provgrid_models.sites import positions

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from provgrid_models.scenario import Scenario
    from provgrid_models.sites import Sites

PAIRS_PER_CHUNK = 2_000_000  # (job, pool) pairs whose reasons are worked out at once: about 150 MB
ROUNDING = 1e-9  # of a period, and of a job's work

# What becomes of a job
IN_PLAN, DONE, OUTSIDE, NEVER = range(4)


@dataclass(frozen=True)
class JobColumns:
    """One entry a job; the names and units are those of `Problem`."""

    row: Ints  # in the jobs table
    job_class: Ints
    job_origin: Ints
    job_tenant: Ints
    work_pflop_h: Floats
    release: Ints
    deadline: Ints
    max_accelerators: Floats
    rigid: Bools
    data_gb: Floats
    move_gbps: Floats
    unserved_yuan: Floats  # NaN = by rule
    after: Ints  # position among all jobs of the table
    checkpoint_gb: Floats
    pinned_pool: Ints

    def take(self, which: Any) -> JobColumns:
        """Return some of the jobs; `after` still counts among all."""
        return replace(self, **{f.name: getattr(self, f.name)[which] for f in fields(self)})


@dataclass(frozen=True)
class CompiledJobs:
    """The jobs' part of a problem."""

    fields: Mapping[str, Any]
    labels: list[str]
    never_served: tuple[tuple[str, str, float], ...]
    asked_accelerator_h: Floats  # (N,) per tenant, each job at its fastest open pool
    notes: tuple[str, ...]


@dataclass(frozen=True)
class _Classes:
    """Job classes: unique (family, precision, min_accelerators, residency)."""

    rate: Floats  # (K, P) PFLOPS, 0 = closed
    reason: Ints  # (K, P)
    yuan_per_pflop_h: Floats  # (K,) cheapest market price on any chip that a pool has; inf = never ported


def compile_jobs(scenario: Scenario, sites: Sites, bindings: Bindings) -> CompiledJobs:
    """Compile the jobs table; the rules are in `compile.compile_scenario`."""
    frame, horizon = scenario.jobs, scenario.settings.horizon
    names = frame["id"].to_numpy(dtype=object)
    if not len(frame):
        return CompiledJobs({}, [], (), np.zeros(len(scenario.tenants)), ())
    code, classes = _classes(scenario, sites, bindings)
    jobs, fate, share = _within_horizon(_columns(scenario, code), frame, horizon.periods)
    jobs = _after_done(jobs, fate)
    why = np.where(fate == NEVER, int(Reason.WINDOW_TOO_SHORT), 0)
    placed = np.flatnonzero(fate == IN_PLAN)
    openness = _open_pools(jobs.take(placed), classes, sites)
    why[placed] = openness.why
    fate[placed[openness.why > 0]] = NEVER
    fate = _verticals_follow(jobs.after, fate)

    hard = frame["hard"].to_numpy(dtype=np.bool_)
    never = _never_served(jobs, fate, why, hard, classes, names, scenario, sites)
    multiple = scenario.settings.prices.unserved_multiple
    by_rule = np.full(len(frame), np.nan)
    by_rule[placed] = multiple * openness.cheapest_yuan
    unserved = np.where(np.isnan(jobs.unserved_yuan), by_rule, jobs.unserved_yuan)
    jobs = replace(jobs, unserved_yuan=np.where(hard, np.inf, unserved))

    asked = np.zeros(len(frame))
    asked[placed] = openness.least_accelerator_h * sites.fields["weight"][jobs.release[placed]]
    staying = fate == IN_PLAN
    return CompiledJobs(
        fields=_problem_fields(jobs, staying) | {"class_rate_pflops": classes.rate, "class_reason": classes.reason},
        labels=names[staying].tolist(),
        never_served=never,
        asked_accelerator_h=_by_tenant(jobs.job_tenant[staying], asked[staying], len(scenario.tenants)),
        notes=_notes(jobs.work_pflop_h, share, fate, horizon.periods * horizon.period_h),
    )


def _by_tenant(tenant: Ints, amount: Floats, count: int) -> Floats:
    owned = tenant >= 0
    return np.bincount(tenant[owned], weights=amount[owned], minlength=count).astype(np.float64)


# Columns -------------------------------------------------------------------------------------------------------


def _classes(scenario: Scenario, sites: Sites, bindings: Bindings) -> tuple[Ints, _Classes]:
    """Class of every job, and what each class may do in each pool."""
    frame = scenario.jobs
    family = text_codes(frame["family"], positions(scenario.families), "jobs")
    precision = text_codes(frame["precision"], {name: i for i, name in enumerate(PRECISIONS)}, "jobs")
    least_code, least = pd.factorize(frame["min_accelerators"])
    zone_code, zones = pd.factorize(frame["residency"].fillna(""))
    mixed = ((family * len(PRECISIONS) + precision) * len(least) + least_code) * len(zones) + zone_code
    code, distinct = pd.factorize(mixed, sort=True)
    first = np.zeros(len(distinct), dtype=np.int64)
    first[code[::-1]] = np.arange(len(frame))[::-1]
    rate_on_chip = rate_pflops(bindings.peak_tflops[precision[first]], bindings.mfu[family[first]])
    rate, reason = open_rates(
        rate_on_chip,
        bindings.least_accelerators[family[first]],
        np.asarray(least, dtype=np.float64)[least_code[first]],
        sites.pool_chip,
        sites.pool_accelerators,
    )
    leaves = sites.leaves_zone([str(z) for z in zones], scenario.settings.switches.residency)
    rate, reason = close(rate, reason, leaves[zone_code[first]], Reason.RESIDENCY)
    in_pool = rate_on_chip[:, sites.pool_chip]
    price = np.where(in_pool > 0, sites.pool_yuan_per_h / np.where(in_pool > 0, in_pool, 1.0), np.inf)
    return code, _Classes(rate, reason, price.min(axis=1, initial=np.inf))


def _columns(scenario: Scenario, code: Ints) -> JobColumns:
    """Read the table: texts become positions, hours become periods, `work_done` is taken off."""
    frame, period_h = scenario.jobs, scenario.settings.horizon.period_h

    def numbers(name: str) -> Floats:
        return frame[name].to_numpy(dtype=np.float64)

    pinned = text_codes(frame["pinned_pool"], positions(scenario.pools), "jobs")
    running = pinned >= 0
    return JobColumns(
        row=np.arange(len(frame)),
        job_class=code,
        job_origin=text_codes(frame["region"], positions(scenario.regions), "jobs"),
        job_tenant=text_codes(frame["tenant"], positions(scenario.tenants), "jobs"),
        work_pflop_h=numbers("work_pflop_h") - numbers("work_done_pflop_h"),
        release=np.ceil(numbers("release_h") / period_h - ROUNDING).astype(np.int64),
        deadline=np.floor(numbers("deadline_h") / period_h + ROUNDING).astype(np.int64),
        max_accelerators=numbers("max_accelerators"),
        rigid=(frame["mode"] == "rigid").to_numpy(dtype=np.bool_),
        data_gb=np.where(running, 0.0, numbers("data_gb")),
        move_gbps=numbers("move_gbps"),
        unserved_yuan=numbers("unserved_yuan"),
        after=_bases(frame),
        checkpoint_gb=np.where(running, 0.0, numbers("checkpoint_gb")),
        pinned_pool=pinned,
    )


def _bases(frame: pd.DataFrame) -> Ints:
    """Row of the job that each job comes after, -1 = none."""
    after = frame["after"].fillna("")
    waits = np.flatnonzero((after != "").to_numpy(dtype=np.bool_))
    bases = np.full(len(frame), -1, dtype=np.int64)
    if not waits.size:
        return bases
    ids = pd.Index(frame["id"])
    if not ids.is_unique:
        raise ScenarioError(f'jobs: the id "{ids[ids.duplicated()][0]}" stands twice; every job needs its own')
    bases[waits] = ids.get_indexer(pd.Index(after.iloc[waits]))
    lost = waits[bases[waits] < 0]
    if lost.size:
        raise ScenarioError(f'jobs row {lost[0] + 1}: after is "{after.iloc[lost[0]]}", which is no job; name one')
    return bases


# Windows -------------------------------------------------------------------------------------------------------


def _within_horizon(jobs: JobColumns, frame: pd.DataFrame, periods: int) -> tuple[JobColumns, NDArray[np.int8], Floats]:
    """Clip windows to the horizon and work to the share (J,) of the window that lies inside; what leaves has a fate."""
    fate = np.full(len(frame), IN_PLAN, dtype=np.int8)
    fate[jobs.deadline <= jobs.release] = NEVER
    fate[jobs.release >= periods] = OUTSIDE
    fate[jobs.work_pflop_h <= ROUNDING * frame["work_pflop_h"].to_numpy(dtype=np.float64)] = DONE
    crosses = (jobs.deadline > periods) & (fate == IN_PLAN)
    whole = np.maximum(jobs.deadline - jobs.release, 1)
    share = np.where(crosses, (periods - jobs.release) / whole, 1.0)
    clipped = replace(jobs, work_pflop_h=jobs.work_pflop_h * share, deadline=np.minimum(jobs.deadline, periods))
    return clipped, fate, share


def _notes(work_pflop_h: Floats, share: Floats, fate: NDArray[np.int8], horizon_h: float) -> tuple[str, ...]:
    """Say in words what the horizon and finished work leave out; `work_pflop_h` is what lies inside."""
    notes = []
    crosses = (share < 1.0) & (fate == IN_PLAN)
    if crosses.any():
        inside, whole = work_pflop_h[crosses].sum(), (work_pflop_h[crosses] / share[crosses]).sum()
        notes.append(
            f"jobs whose window crosses the end of the horizon of {horizon_h:g} h: {int(crosses.sum()):,}; "
            f"{inside:,.6g} of their {whole:,.6g} PFLOP-hours lie inside and count"
        )
    for number, what in ((OUTSIDE, "start after the horizon, or whose base does"), (DONE, "are done already")):
        if (fate == number).any():
            notes.append(f"jobs that {what}, and take no part: {int((fate == number).sum()):,}")
    return tuple(notes)


def _after_done(jobs: JobColumns, fate: NDArray[np.int8]) -> JobColumns:
    """Free the verticals of a finished base: its checkpoint moves with their data from their release."""
    freed = (jobs.after >= 0) & (fate[jobs.after] == DONE)
    return replace(
        jobs,
        after=np.where(freed, -1, jobs.after),
        data_gb=jobs.data_gb + np.where(freed, jobs.checkpoint_gb, 0.0),
        checkpoint_gb=np.where(freed, 0.0, jobs.checkpoint_gb),
    )


def _verticals_follow(after: Ints, fate: NDArray[np.int8]) -> NDArray[np.int8]:
    """Verticals of a base that leaves the problem leave it too, down every chain."""
    leads = fate[last_in_chain(after, (fate != IN_PLAN) | (after < 0))]
    return np.where((leads == NEVER) | (leads == OUTSIDE), leads, fate)


# Open pools ----------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class _Openness:
    why: Ints  # dominating reason where every pool is closed, 0 where one is open
    cheapest_yuan: Floats  # market price of the accelerator-hours in the cheapest open pool, inf = none
    least_accelerator_h: Floats  # accelerator-hours in the fastest open pool, 0 = none


def _open_pools(jobs: JobColumns, classes: _Classes, sites: Sites) -> _Openness:
    """Ask a problem of these jobs which pools are open, a chunk at a time."""
    count = jobs.row.size
    why, cheapest, least = np.zeros(count, dtype=np.int64), np.full(count, np.inf), np.zeros(count)
    if not count:
        return _Openness(why, cheapest, least)
    problem = _by_themselves(jobs, classes, sites)
    step = max(1, PAIRS_PER_CHUNK // problem.n_pools)
    for begin in range(0, count, step):
        chunk = slice(begin, begin + step)
        reason = problem.reasons(chunk)
        hours = np.where(reason == 0, problem.accelerator_hours(chunk), np.inf)
        fewest = hours.min(axis=1)
        least[chunk] = np.where(np.isinf(fewest), 0.0, fewest)
        cheapest[chunk] = (hours * sites.pool_yuan_per_h).min(axis=1)
        shut = np.flatnonzero(np.isinf(fewest))
        why[begin + shut] = dominating_reason(reason[shut])
    return _Openness(why, cheapest, least)


def _by_themselves(jobs: JobColumns, classes: _Classes, sites: Sites) -> Problem:
    """Return a problem of these jobs in which none waits for another."""
    count = jobs.row.size
    everyone = replace(jobs, after=np.full(count, -1, dtype=np.int64), unserved_yuan=np.zeros(count))
    return Problem(
        **sites.fields,
        **_problem_fields(everyone, np.ones(count, dtype=np.bool_)),
        class_rate_pflops=classes.rate,
        class_reason=classes.reason,
    )


def job_by_itself(scenario: Scenario, sites: Sites, bindings: Bindings, name: str) -> Problem | None:
    """Return a problem of this one job, waiting for none, even where no pool is open to it.

    None where it is done already, starts after the horizon, or its window holds no whole period.
    """
    frame = scenario.jobs
    mine = frame[frame["id"] == name].reset_index(drop=True)
    base = frame[frame["id"] == mine["after"].iloc[0]]
    if (base["work_pflop_h"] - base["work_done_pflop_h"] <= ROUNDING * base["work_pflop_h"]).any():
        mine = mine.assign(data_gb=mine["data_gb"] + mine["checkpoint_gb"])  # as `_after_done` says
    alone = replace(scenario, jobs=mine.assign(after=""))
    code, classes = _classes(alone, sites, bindings)
    jobs, fate, _ = _within_horizon(_columns(alone, code), alone.jobs, alone.settings.horizon.periods)
    return _by_themselves(jobs, classes, sites) if (fate == IN_PLAN).all() else None


def dominating_reason(reason: Ints) -> Ints:
    """Return the most frequent reason of each row (n, P); ties go to the check that comes last.

    That a pinned job runs elsewhere says nothing about the pool that it is pinned to, so it only counts alone.
    """
    counts = np.stack([(reason == code).sum(axis=1) for code in range(len(Reason))], axis=1)
    counts[:, int(Reason.OPEN)] = 0
    elsewhere = int(Reason.PINNED_ELSEWHERE)
    others = counts.sum(axis=1) - counts[:, elsewhere]
    counts[:, elsewhere] = np.where(others > 0, 0, counts[:, elsewhere])
    return np.asarray(len(Reason) - 1 - np.argmax(counts[:, ::-1], axis=1), dtype=np.int64)


def _never_served(
    jobs: JobColumns,
    fate: NDArray[np.int8],
    why: Ints,
    hard: Bools,
    classes: _Classes,
    names: NDArray[Any],
    scenario: Scenario,
    sites: Sites,
) -> tuple[tuple[str, str, float], ...]:
    """List the jobs that no pool could ever serve with their reason and yuan; raise where one of them is hard."""
    out = np.flatnonzero(fate == NEVER)
    weight = sites.fields["weight"][jobs.release[out]]
    market = jobs.work_pflop_h[out] * classes.yuan_per_pflop_h[jobs.job_class[out]]
    by_rule = np.where(np.isinf(market), 0.0, scenario.settings.prices.unserved_multiple * market)
    given = jobs.unserved_yuan[out]
    yuan = weight * np.where(np.isnan(given), by_rule, given)
    texts = np.array([REASON_TEXT[reason] for reason in Reason], dtype=object)[why[out]]
    orphans = np.flatnonzero(why[out] == 0)
    texts[orphans] = [f"its base {base} cannot be served" for base in names[jobs.after[out[orphans]]]]
    _no_hard_job(names[out[hard[out]]], texts[hard[out]])
    unknown = np.isinf(market) & np.isnan(given)
    texts[unknown] += "; no chip here runs its family, so its value is unknown and counts as 0"
    return tuple(zip(names[out].tolist(), texts.tolist(), yuan.tolist(), strict=True))


def _no_hard_job(names: NDArray[Any], reasons: NDArray[Any]) -> None:
    """Raise `InfeasibleError` naming the first of the hard jobs that no pool can serve."""
    if names.size:
        raise InfeasibleError(
            f"job {names[0]} is hard and no pool can ever serve it: {reasons[0]}; "
            f"change its window, residency or family, or let hard be false{ASK_WHY}"
        )


def _problem_fields(jobs: JobColumns, staying: Bools) -> dict[str, Any]:
    """Return the jobs that stay, under the names of `Problem`, with `after` counted among them."""
    position = np.cumsum(staying) - 1
    kept = jobs.take(staying)
    after = np.where(kept.after >= 0, position[kept.after], -1)
    return {f.name: getattr(kept, f.name) for f in fields(kept) if f.name != "row"} | {"after": after}
