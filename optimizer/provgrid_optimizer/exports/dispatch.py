"""What an external dispatcher needs of a plan: where and when each job goes, and what it would cost elsewhere."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from provgrid_models.reasons import REASON_TEXT, Reason
from provgrid_models.words import counted
from provgrid_optimizer.answers.candidates import pool_name, ranked_for_job

if TYPE_CHECKING:
    from provgrid_models.problem import Bools, Ints, Problem
    from provgrid_optimizer.answers.candidates import Candidate
    from provgrid_optimizer.plan import Plan

FORMAT = 1
SERVED = 1e-6  # a smaller share of a job that is left counts as served
SAME = 1e-9  # accelerators that differ less, relative, are one step of a profile


@dataclass(frozen=True, kw_only=True)
class Step:
    """So many accelerators from one period on, for some periods; `start` is Beijing time, None without a calendar."""

    period: int
    periods: int
    start: str | None
    accelerators: float


@dataclass(frozen=True, kw_only=True)
class Placement:
    """A pool in which a job runs: which share of its work, and its accelerators hour by hour."""

    pool: str
    cluster: str
    share: float
    profile: tuple[Step, ...]


@dataclass(frozen=True, kw_only=True)
class Assignment:
    """One job: where it goes, and every pool ranked by what all of it would cost more there at the plan's prices.

    `release` is the first period that it may run in, `deadline` the one by which it must have ended.
    """

    job: str
    tenant: str | None
    rigid: bool
    release: int
    deadline: int
    unserved_share: float
    placements: tuple[Placement, ...]
    candidates: tuple[Candidate, ...]


@dataclass(frozen=True, kw_only=True)
class Dispatch:
    """A plan for an external dispatcher. `to_dict` is `dispatch.json`, whose JSON Schema is `dispatch_schema()`."""

    scenario: str | None
    engine: str
    status: str
    start: str | None
    period_h: float
    periods: int
    price_basis: str
    cluster_of_pool: dict[str, str]
    jobs: tuple[Assignment, ...]
    never_served: tuple[tuple[str, str, float], ...]

    def __repr__(self) -> str:
        return f"<Dispatch of {self.scenario or 'arrays'} by {self.engine}: {counted(len(self.jobs), 'job')}>"

    @cached_property
    def alternatives(self) -> pd.DataFrame:
        """One row for each job and pool: job, rank (0 where closed), pool, cluster, share, extra_yuan, reason."""
        rows = []
        for one in self.jobs:
            opened = [candidate for candidate in one.candidates if candidate.exclusion is None]
            for rank, candidate in enumerate(opened, start=1):
                cluster = self.cluster_of_pool.get(candidate.pool, "")
                rows.append((one.job, rank, candidate.pool, cluster, candidate.share, candidate.extra_yuan, ""))
            rows += [
                (one.job, 0, candidate.pool, self.cluster_of_pool[candidate.pool], 0.0, None, _reason(candidate))
                for candidate in one.candidates
                if candidate.exclusion is not None
            ]
        return pd.DataFrame(rows, columns=["job", "rank", "pool", "cluster", "share", "extra_yuan", "reason"])

    def to_dict(self) -> dict[str, Any]:
        """Plain values, ready for JSON, as `dispatch_schema` describes them."""
        used = {_reason(c) for one in self.jobs for c in one.candidates if c.exclusion is not None}
        return {
            "format": FORMAT,
            "scenario": self.scenario,
            "engine": self.engine,
            "status": self.status,
            "horizon": {"start": self.start, "period_h": self.period_h, "periods": self.periods},
            "price_basis": self.price_basis,
            "reasons": {one.name.lower(): REASON_TEXT[one] for one in Reason if one.name.lower() in used},
            "jobs": [self._job(one) for one in self.jobs],
            "never_served": [
                {"id": workload, "reason": reason, "unserved_yuan": yuan}
                for workload, reason, yuan in self.never_served
            ],
        }

    def _job(self, one: Assignment) -> dict[str, Any]:
        excluded: dict[str, list[str]] = {}
        for candidate in one.candidates:
            if candidate.exclusion is not None:
                excluded.setdefault(_reason(candidate), []).append(candidate.pool)
        opened = [candidate for candidate in one.candidates if candidate.exclusion is None]
        return {
            "id": one.job,
            "tenant": one.tenant,
            "mode": "rigid" if one.rigid else "elastic",
            "release_period": one.release,
            "deadline_period": one.deadline,
            "unserved_share": one.unserved_share,
            "placements": [
                {
                    "pool": placement.pool,
                    "cluster": placement.cluster,
                    "share": placement.share,
                    "profile": [
                        {
                            "period": step.period,
                            "periods": step.periods,
                            "start": step.start,
                            "accelerators": step.accelerators,
                        }
                        for step in placement.profile
                    ],
                }
                for placement in one.placements
            ],
            "alternatives": [
                {"pool": c.pool, "cluster": self.cluster_of_pool[c.pool], "extra_yuan": c.extra_yuan}
                for c in opened
                if c.pool and c.share <= SERVED
            ],
            "unserved_extra_yuan": next((c.extra_yuan for c in opened if not c.pool), None),
            "excluded": excluded,
        }


def dispatch(plan: Plan) -> Dispatch:
    """Say for every job where the plan has it, and rank every other pool by its extra cost at the plan's prices."""
    problem, labels = plan.problem, plan.problem.labels
    reasons = problem.reasons(slice(None))
    names = [pool_name(problem, p) for p in range(problem.n_pools)]
    clusters = [str(c) if labels.clusters is None else labels.clusters[c] for c in problem.pool_cluster.tolist()]
    placements = _placements(plan, names, clusters)
    served = plan.allocation.served_share(problem)
    jobs = []
    for j in range(problem.n_jobs):
        tenant, left = int(problem.job_tenant[j]), 1.0 - float(served[j])
        jobs.append(
            Assignment(
                job=str(j) if labels.jobs is None else labels.jobs[j],
                tenant=None if tenant < 0 else str(tenant) if labels.tenants is None else labels.tenants[tenant],
                rigid=bool(problem.rigid[j]),
                release=int(problem.release[j]),
                deadline=int(problem.deadline[j]),
                unserved_share=left if left > SERVED else 0.0,
                placements=tuple(placements.get(j, ())),
                candidates=ranked_for_job(plan, j, plan.multipliers, reasons[j]),
            )
        )
    return Dispatch(
        scenario=None if plan.scenario is None else plan.scenario.name,
        engine=plan.engine,
        status=plan.certificate.status,
        start=_times(problem)[0],
        period_h=problem.period_h,
        periods=problem.n_periods,
        price_basis=plan.multipliers.basis,
        cluster_of_pool=dict(zip(names, clusters, strict=True)),
        jobs=tuple(jobs),
        never_served=problem.never_served,
    )


def _placements(plan: Plan, names: list[str], clusters: list[str]) -> dict[int, list[Placement]]:
    """Placements of each job, with the steps of its profile."""
    problem, allocation = plan.problem, plan.allocation
    times = _times(problem)
    first = np.flatnonzero(_step_starts(problem, allocation.run_placement, plan))
    length = np.diff(np.append(first, allocation.run_period.size))
    period = allocation.run_period[first]
    steps: dict[int, list[Step]] = {}
    for placement, start, periods, accelerators in zip(
        allocation.run_placement[first].tolist(),
        period.tolist(),
        length.tolist(),
        allocation.run_accelerators[first].tolist(),
        strict=True,
    ):
        step = Step(period=start, periods=periods, start=times[start], accelerators=accelerators)
        steps.setdefault(placement, []).append(step)
    found: dict[int, list[Placement]] = {}
    for i, (j, p, share) in enumerate(
        zip(allocation.job.tolist(), allocation.pool.tolist(), allocation.share.tolist(), strict=True)
    ):
        placed = Placement(pool=names[p], cluster=clusters[p], share=share, profile=tuple(steps.get(i, ())))
        found.setdefault(j, []).append(placed)
    return found


def _step_starts(problem: Problem, placement: Ints, plan: Plan) -> Bools:
    """Whether each run row begins a step: another placement, a pause, other accelerators, or a calendar's leap."""
    rows = plan.allocation
    starts = np.ones(placement.size, dtype=np.bool_)
    if placement.size > 1:
        before, now = rows.run_accelerators[:-1], rows.run_accelerators[1:]
        starts[1:] = (np.diff(placement) != 0) | (np.diff(rows.run_period) != 1) | (np.abs(now - before) > SAME * now)
        if problem.labels.periods is not None:
            hours = np.diff(problem.labels.periods) / pd.Timedelta(hours=1)
            leap = np.append(False, ~np.isclose(hours, problem.period_h))
            starts |= leap[rows.run_period]
    return starts


def _times(problem: Problem) -> list[str | None]:
    """Start of each period, Beijing time; nothing where the problem has no calendar."""
    if problem.labels.periods is None:
        return [None] * problem.n_periods
    return [f"{time.isoformat()}+08:00" for time in problem.labels.periods]


def _reason(candidate: Candidate) -> str:
    return "" if candidate.exclusion is None else candidate.exclusion.reason.name.lower()
