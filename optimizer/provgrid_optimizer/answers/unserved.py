"""What a plan leaves, by name and by what it is worth, and why."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from provgrid_models.words import counted
from provgrid_optimizer.answers.binding import carbon_budget_text
from provgrid_optimizer.answers.candidates import ranked_for_job
from provgrid_optimizer.plan_tables import named

if TYPE_CHECKING:
    from provgrid_optimizer.plan import Plan

LEFT = 1e-6  # a smaller share of work counts as served


@dataclass(frozen=True, kw_only=True)
class Unserved:
    """A job or a service of which `unserved_share` is left, at `unserved_yuan`, and why."""

    kind: str
    id: str
    unserved_share: float
    unserved_yuan: float
    reason: str


def unserved(plan: Plan) -> pd.DataFrame:
    """Return a row for each job and service that is left in whole or in part, the dearest first.

    `never_served` marks work that no pool could ever serve; its value stands beside the objective.
    """
    problem, allocation = plan.problem, plan.allocation
    left = 1.0 - allocation.served_share(problem)
    jobs = np.flatnonzero(left > LEFT)
    asked = problem.demand @ problem.hours
    units = allocation.unserved_units(problem) @ problem.hours
    services = np.flatnonzero(units > LEFT * np.maximum(asked, 1e-300))
    parts = [
        _part("job", named(problem.labels.jobs, jobs), left[jobs], (left * problem.job_weight)[jobs], jobs, plan),
        _part(
            "service",
            named(problem.labels.services, services),
            units[services] / asked[services],
            units[services],
            services,
            plan,
        ),
    ]
    parts += [_never(plan)] if problem.never_served else []
    table = pd.concat([part for part in parts if len(part)] or parts[:1], ignore_index=True)
    return table.sort_values("unserved_yuan", ascending=False, kind="stable", ignore_index=True)


def never_in_words(plan: Plan) -> str:
    """Count the work that no pool could ever serve, with its value: "2 jobs (13,073 yuan)"; "" where there is none."""
    if not plan.problem.never_served:
        return ""
    kinds = list(_never(plan)["kind"])
    parts = [counted(kinds.count(kind), kind) for kind in ("job", "service") if kind in kinds]
    return f"{' and '.join(parts)} ({plan.problem.never_served_yuan:,.0f} yuan)"


def largest(plan: Plan, count: int) -> tuple[Unserved, ...]:
    """Return the dearest of what is left, each with its reason."""
    found = []
    for kind, name, share, yuan, never in plan.unserved.head(count).itertuples(index=False, name=None):
        why = _never_reason(plan, name) if never else _job_reason(plan, name) if kind == "job" else _short(plan, name)
        found.append(Unserved(kind=kind, id=str(name), unserved_share=share, unserved_yuan=yuan, reason=why))
    return tuple(found)


def _part(
    kind: str, ids: np.ndarray, share: np.ndarray, amount: np.ndarray, rows: np.ndarray, plan: Plan
) -> pd.DataFrame:
    problem = plan.problem
    yuan = problem.unserved_yuan if kind == "job" else problem.service_unserved_yuan
    return pd.DataFrame(
        {
            "kind": kind,
            "id": ids,
            "unserved_share": share,
            "unserved_yuan": amount * yuan[rows],
            "never_served": False,
        }
    )


def _never(plan: Plan) -> pd.DataFrame:
    names, _, yuan = zip(*plan.problem.never_served, strict=True)
    services = set() if plan.scenario is None else set(plan.scenario.services["id"])
    kinds = ["service" if name in services else "job" for name in names]
    columns = {"kind": kinds, "id": names, "unserved_share": 1.0, "unserved_yuan": yuan, "never_served": True}
    return pd.DataFrame(columns)


def _never_reason(plan: Plan, name: str) -> str:
    return next(f"no pool can ever serve it: {why}" for one, why, _ in plan.problem.never_served if one == name)


def _job_reason(plan: Plan, name: object) -> str:
    """Say how many pools are open to a job, and what the cheapest would cost at the plan's prices."""
    problem = plan.problem
    j = int(name) if problem.labels.jobs is None else list(problem.labels.jobs).index(str(name))  # type: ignore[call-overload]
    reasons = problem.reasons(np.array([j]))[0]
    ranked = ranked_for_job(plan, j, plan.multipliers, reasons)
    opened = [one for one in ranked if one.exclusion is None and one.pool and one.extra_yuan is not None]
    if not opened:
        return "no open pool has it in its window"
    # A relaxation may divide the job, so that a pool too small for all of it could still do a part.
    able = opened if plan.allocation.divisible else [one for one in opened if not one.too_small]
    if not able:
        why = f"{opened[0].pool}: {opened[0].too_small}"
        count = "the one pool open to it is" if len(opened) == 1 else f"all {len(opened):,} pools open to it are"
        return f"{count} too small to do it in its window, even empty: {why}"
    best = min(able, key=lambda one: float(one.extra_yuan or 0.0))
    count = f"{len(able):,} pools are open to it" if len(able) > 1 else "one pool is open to it"
    if small := len(opened) - len(able):
        count = f"{count} and large enough, {counted(small, 'more is', 'more are')} too small even empty"
    if best.extra_yuan is not None and best.extra_yuan > 0:
        return f"{count}; {best.pool}, the cheapest, would cost {best.extra_yuan:,.0f} yuan more than leaving it"
    why = carbon_budget_text(plan) or "the plan has no room for it there"
    return f"{count}, and {why}; {best.pool} would be the cheapest"


def _short(plan: Plan, name: object) -> str:
    """Say for how many hours a service is short, and how many pools are open to it."""
    problem = plan.problem
    s = int(name) if problem.labels.services is None else list(problem.labels.services).index(str(name))  # type: ignore[call-overload]
    short = plan.allocation.unserved_units(problem)[s] > LEFT * problem.demand[s].max()
    opened = int(((problem.service_rate[s] > 0) & np.isfinite(problem.service_yuan[s])).sum())
    pools = counted(opened, "pool is open to it", "pools are open to it")
    why = carbon_budget_text(plan)
    return f"short in {int(short.sum())} of {counted(problem.n_periods, 'period')}; {pools}{why and f', and {why}'}"
