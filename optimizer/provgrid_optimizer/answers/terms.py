"""What a planner could change about a program: hard work and limits, one term each, and the program without some.

A term is a hard job, a hard service in a period, or a limit: the accelerators of a pool, the power of a cluster or the
bandwidth of a link in a period, the carbon budget, or a job's wait for its base. All other rows only say what words
mean, and stay.
"""

from __future__ import annotations

from dataclasses import dataclass, fields, replace
from typing import TYPE_CHECKING

import numpy as np

from provgrid_models.problem import Labels, Problem

if TYPE_CHECKING:
    from provgrid_models.problem import Bools, Floats, Ints
    from provgrid_optimizer.matrix import LinearProgram

KINDS = ("job", "service", "capacity", "power", "link", "carbon", "after")
WORK = 2  # how many of the kinds are work; the others are limits


@dataclass(frozen=True)
class Terms:
    """Term k is `KINDS[kind[k]]` number `item[k]` in period `period[k]`, -1 = over all of the horizon.

    `of_column` (n,) says whose limit a column's upper limit is and `of_row` (m,) whose row it is, -1 = no term's.
    """

    kind: Ints  # (K,)
    item: Ints
    period: Ints
    of_column: Ints
    of_row: Ints

    @property
    def size(self) -> int:
        """How many terms there are."""
        return int(self.kind.size)

    def limits(self, program: LinearProgram, kept: Bools) -> tuple[Floats, Floats, Floats]:
        """Upper limits of columns and both limits of rows of the program with these terms only."""
        gone = np.append(~kept, False)  # what belongs to no term stays
        free = gone[self.of_row]
        return (
            np.where(gone[self.of_column], np.inf, program.column_upper),
            np.where(free, -np.inf, program.row_lower),
            np.where(free, np.inf, program.row_upper),
        )

    def over_all_periods(self) -> Terms:
        """One term for each kind and item."""
        distinct, merged = np.unique(np.stack([self.kind, self.item]), axis=1, return_inverse=True)
        place = np.append(merged.ravel(), -1)
        return Terms(
            kind=distinct[0],
            item=distinct[1],
            period=np.full(distinct.shape[1], -1),
            of_column=place[self.of_column],
            of_row=place[self.of_row],
        )


def terms_of(problem: Problem, program: LinearProgram) -> Terms:
    """Give numbers to the terms of a whole program: work first, then limits, each in the order of its periods."""
    columns, rows = program.columns, program.rows
    hard_job, hard_service = np.isinf(problem.unserved_yuan), np.isinf(problem.service_unserved_yuan)
    parts: list[tuple[str, bool, Ints, Ints, Ints]] = []  # kind, whether columns, places, items, periods

    def add(kind: str, in_columns: bool, places: Ints, items: Ints, periods: Ints | int) -> None:
        parts.append((kind, in_columns, places, items, np.broadcast_to(periods, items.shape)))

    share, demand = rows["share"], rows["demand"]
    chosen = hard_job[share.ids["job"]]
    add("job", False, share.at[chosen], share.ids["job"][chosen], -1)
    chosen = hard_service[demand.ids["service"]]
    add("service", False, demand.at[chosen], demand.ids["service"][chosen], demand.ids["period"][chosen])
    used, power = columns["used"], columns["g"]
    add("capacity", True, used.at, used.ids["pool"], used.ids["period"])
    limited = np.isfinite(program.column_upper[power.slice])
    add(
        "power",
        True,
        power.at[limited],
        problem.block_cluster[power.ids["block"]][limited],
        power.ids["period"][limited],
    )
    add("link", False, rows["link"].at, rows["link"].ids["link"], rows["link"].ids["period"])
    add("carbon", False, rows["carbon"].at, rows["carbon"].ids["budget"], -1)
    add("after", False, rows["after"].at, rows["after"].ids["job"], -1)
    return _numbered(program, parts)


def _numbered(program: LinearProgram, parts: list[tuple[str, bool, Ints, Ints, Ints]]) -> Terms:
    keys = [np.stack([np.full(i.size, KINDS.index(kind)), i, t]) for kind, _, _, i, t in parts]
    distinct, inverse = np.unique(np.concatenate(keys, axis=1), axis=1, return_inverse=True)
    inverse = inverse.ravel()
    of_column, of_row = np.full(program.n_columns, -1), np.full(program.n_rows, -1)
    begin = 0
    for _, in_columns, places, _, _ in parts:
        (of_column if in_columns else of_row)[places] = inverse[begin : begin + places.size]
        begin += places.size
    return Terms(kind=distinct[0], item=distinct[1], period=distinct[2], of_column=of_column, of_row=of_row)


def only_work(problem: Problem, jobs: Ints, services: Ints) -> Problem:
    """Return the problem with these jobs, ascending and with all their bases, and these services."""
    position = np.full(problem.n_jobs + 1, -1)
    position[jobs] = np.arange(jobs.size)
    changed = {}
    for name, meta in Problem.array_fields().items():
        which = {"J": jobs, "S": services}.get(meta["shape"][0])
        if which is not None:
            changed[name] = getattr(problem, name)[which]
    changed["after"] = position[problem.after[jobs]]
    labels = problem.labels
    kept = {f.name: getattr(labels, f.name) for f in fields(Labels)}
    kept["jobs"] = None if labels.jobs is None else [labels.jobs[j] for j in jobs.tolist()]
    kept["services"] = None if labels.services is None else [labels.services[s] for s in services.tolist()]
    return replace(problem, labels=Labels(**kept), **changed)


def hard_work(problem: Problem) -> tuple[Ints, Ints]:
    """Hard jobs with all that they wait for, hard or not, and hard services."""
    taking_part = np.isinf(problem.unserved_yuan)
    while True:
        bases = problem.after[taking_part]
        grown = taking_part.copy()
        grown[bases[bases >= 0]] = True
        if (grown == taking_part).all():
            return np.flatnonzero(taking_part), np.flatnonzero(np.isinf(problem.service_unserved_yuan))
        taking_part = grown
