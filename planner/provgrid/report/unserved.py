"""Work that a plan leaves, and why: what no pool could ever do, and what no room was found for."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from provgrid.report.rows import ids, open_pools
from provgrid_optimizer.answers.alone import holds_whole
from provgrid_optimizer.answers.binding import carbon_budget_text
from provgrid_optimizer.evaluate import fastest_accelerator_hours

if TYPE_CHECKING:
    from provgrid.report.subject import Subject
    from provgrid.report.wording import Wording
    from provgrid_models.problem import Problem

LEFT = 1e-9  # a smaller part is rounding


def share_left(share: float, problem: Problem, wording: Wording) -> str:
    """Say a share that a plan of a problem leaves, and what it is of where some work is in neither of its sides."""
    percent = wording.numbers.percent(share)
    return wording.say("unserved.of_some_pool", share=percent) if problem.never_served else percent


def unserved(subject: Subject, wording: Wording) -> pd.DataFrame:
    """Return a row for each workload that is left, in whole or part: what it is, why, how much, and what that costs."""
    problem, allocation, say = subject.plan.problem, subject.plan.allocation, wording.say
    rows = [
        {"workload": name, "work": "never", "why": wording.phrase(reason), "cost_yuan": yuan}
        for name, reason, yuan in problem.never_served
    ]
    job_h, service_h = fastest_accelerator_hours(problem)
    share = np.maximum(1.0 - allocation.served_share(problem), 0.0)
    left = np.flatnonzero(share > LEFT)
    names = ids(problem.labels.jobs, problem.n_jobs)
    opened = open_pools(problem, left)
    # A relaxation may divide a job, so that a pool too small for all of it could still do a part.
    able = opened if allocation.divisible else holds_whole(problem, left).sum(axis=1)
    no_room = "unserved.carbon" if carbon_budget_text(subject.plan) else "unserved.no_room"
    for job, pools, large in zip(left.tolist(), opened.tolist(), able.tolist(), strict=True):
        base = int(problem.after[job])
        if base >= 0 and share[base] > LEFT:
            why = say("unserved.base", base=names[base])
        else:
            why = say(no_room, pools=large) if large else say("unserved.too_small", pools=pools)
        yuan = float(problem.unserved_yuan[job] * problem.job_weight[job] * share[job])
        rows.append(
            {
                "workload": names[job],
                "work": "training",
                "why": why,
                "share": float(share[job]),
                "accelerator_h": float(job_h[job] * share[job]),
                "cost_yuan": yuan,
            }
        )
    units = allocation.unserved_units(problem) @ problem.hours
    asked = problem.demand @ problem.hours
    names = ids(problem.labels.services, problem.n_services)
    for service in np.flatnonzero(units > LEFT * np.maximum(asked, 1.0)).tolist():
        part = float(units[service] / asked[service])
        rows.append(
            {
                "workload": names[service],
                "work": "inference",
                "why": say(no_room, pools=int((problem.service_rate[service] > 0).sum())),
                "share": part,
                "accelerator_h": float(service_h[service] * part),
                "cost_yuan": float(problem.service_unserved_yuan[service] * units[service]),
            }
        )
    columns: dict[str, Any] = dict.fromkeys(("workload", "work", "why"), object)
    numbers: dict[str, Any] = dict.fromkeys(("share", "accelerator_h", "cost_yuan"), np.float64)
    return pd.DataFrame(rows, columns=[*columns, *numbers]).astype(columns | numbers)
