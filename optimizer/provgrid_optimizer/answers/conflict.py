"""A conflict in the planner's words: which hard work, which limits when, and the pools that are closed to the work."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from provgrid_models.eligibility import exclusions_of_job, exclusions_of_service
from provgrid_optimizer.answers.hours import hours_text
from provgrid_optimizer.answers.irreducible import divided_clash, irreducible, whole_clash
from provgrid_optimizer.answers.terms import KINDS, terms_of
from provgrid_optimizer.matrix import assemble

if TYPE_CHECKING:
    from provgrid_models.eligibility import Exclusion
    from provgrid_models.problem import Problem
    from provgrid_models.scenario import Scenario
    from provgrid_optimizer.answers.hardened import Hardened
    from provgrid_optimizer.answers.terms import Terms
    from provgrid_optimizer.options import SolveOptions


@dataclass(frozen=True, kw_only=True)
class Work:
    """Hard work of a conflict: `kind` is job or service; a job's periods are its window, a service's those that clash.

    `exclusions` are the pools that are closed to it, each with its reason and figures.
    """

    kind: str
    id: str
    region: str
    periods: tuple[int, ...]
    text: str
    exclusions: tuple[Exclusion, ...]

    def to_dict(self) -> dict[str, Any]:
        """Plain values, ready for JSON."""
        return asdict(self) | {
            "periods": list(self.periods),
            "exclusions": [one.to_dict() for one in self.exclusions],
        }


@dataclass(frozen=True, kw_only=True)
class Limit:
    """A limit of a conflict: `kind` is capacity, power, link, carbon or after, `id` whose it is, and when it holds."""

    kind: str
    id: str
    periods: tuple[int, ...]
    text: str

    def to_dict(self) -> dict[str, Any]:
        """Plain values, ready for JSON."""
        return asdict(self) | {"periods": list(self.periods)}


@dataclass(frozen=True, kw_only=True)
class Conflict:
    """Hard work and limits that cannot hold together; without any one of them (in any one period) the others can.

    `divisible` is False where the work would fit if it were divided over pools, and whole it does not: limits then
    count over all their periods.
    """

    work: tuple[Work, ...]
    limits: tuple[Limit, ...]
    divisible: bool

    @property
    def table(self) -> pd.DataFrame:
        """One row for each member: what, kind, id, periods, text, and for closed pools their reason."""
        rows = [("work", one.kind, one.id, len(one.periods), one.text) for one in self.work]
        rows += [("limit", one.kind, one.id, len(one.periods), one.text) for one in self.limits]
        rows += [
            ("closed pool", shut.reason.name.lower(), shut.pool, 0, f"{one.id}: {shut.text}")
            for one in self.work
            for shut in one.exclusions
        ]
        return pd.DataFrame(rows, columns=["member", "kind", "id", "periods", "text"])

    def to_dict(self) -> dict[str, Any]:
        """Plain values, ready for JSON."""
        return {
            "divisible": self.divisible,
            "work": [one.to_dict() for one in self.work],
            "limits": [one.to_dict() for one in self.limits],
        }


def find_conflict(scenario: Scenario, found: Hardened, options: SolveOptions, *, divisible: bool) -> Conflict | None:
    """Name an irreducible conflict among the work that must be served, or None where it fits.

    Raises `NoPlanError` where the time limit ends the search among whole jobs.
    """
    problem = found.problem
    if found.closed:
        kind, name = found.closed[0]
        return Conflict(work=(_closed_work(scenario, problem, kind, name),), limits=(), divisible=True)
    program = assemble(problem, divisible=divisible)
    terms = terms_of(problem, program)
    terms = terms if divisible else terms.over_all_periods()
    members = irreducible(terms, (divided_clash if divisible else whole_clash)(program, terms, options))
    if members is None:
        return None
    return _in_words(scenario, problem, terms, np.flatnonzero(members), divisible=divisible)


def _in_words(scenario: Scenario, problem: Problem, terms: Terms, members: Any, *, divisible: bool) -> Conflict:
    gathered: dict[tuple[str, int], list[int]] = {}
    for k in members.tolist():
        gathered.setdefault((KINDS[terms.kind[k]], int(terms.item[k])), []).append(int(terms.period[k]))
    work = []
    limits = []
    for (kind, item), periods in gathered.items():
        when = tuple(sorted(t for t in periods if t >= 0))
        if kind == "job":
            work.append(_job(scenario, problem, item))
        elif kind == "service":
            work.append(_service(scenario, problem, item, when or tuple(np.flatnonzero(problem.demand[item]).tolist())))
        else:
            limits.append(_limit(problem, kind, item, when))
    return Conflict(work=tuple(work), limits=tuple(limits), divisible=divisible)


def _closed_work(scenario: Scenario, problem: Problem, kind: str, name: str) -> Work:
    """Hard work that no pool could ever serve, or whose base none could."""
    frame = scenario.jobs if kind == "job" else scenario.services
    region = str(frame.loc[frame["id"] == name, "region"].iloc[0])
    shut = exclusions_of_job(scenario, name) if kind == "job" else exclusions_of_service(scenario, name)
    why = "no pool can ever serve it"
    if len(shut) < len(scenario.pools):
        base = frame.loc[frame["id"] == name, "after"].iloc[0]
        why = f"no pool can ever serve its base {base}"
        shut = exclusions_of_job(scenario, str(base))
    return Work(
        kind=kind,
        id=name,
        region=region,
        periods=(),
        text=f"hard {kind} {name} of {region}: {why}",
        exclusions=tuple(shut.values()),
    )


def _job(scenario: Scenario, problem: Problem, j: int) -> Work:
    name = str((problem.labels.jobs or [])[j])
    region = scenario.regions[int(problem.job_origin[j])].id
    window = range(int(problem.release[j]), int(problem.deadline[j]))
    base = "" if problem.after[j] < 0 else f", after {(problem.labels.jobs or [])[int(problem.after[j])]}"
    mode = "a gang of" if problem.rigid[j] else "at most"
    text = (
        f"hard job {name} of {region}: {problem.work_pflop_h[j]:,.6g} PFLOP-hours on {mode} "
        f"{problem.max_accelerators[j]:,.6g} accelerators from {hours_text(problem, window)}{base}"
    )
    shut = tuple(exclusions_of_job(scenario, name).values())
    return Work(kind="job", id=name, region=region, periods=tuple(window), text=text, exclusions=shut)


def _service(scenario: Scenario, problem: Problem, s: int, periods: tuple[int, ...]) -> Work:
    name = str((problem.labels.services or [])[s])
    region = scenario.regions[int(problem.service_origin[s])].id
    asked = problem.demand[s, list(periods)]
    least, most = float(asked.min()), float(asked.max())
    figure = f"{most:,.6g}" if least == most else f"{least:,.6g} to {most:,.6g}"
    text = f"hard service {name} of {region}: {figure} tokens/s from {hours_text(problem, periods)}"
    shut = tuple(exclusions_of_service(scenario, name).values())
    return Work(kind="service", id=name, region=region, periods=periods, text=text, exclusions=shut)


def _limit(problem: Problem, kind: str, item: int, periods: tuple[int, ...]) -> Limit:
    """Say what a limit is; without periods it holds over all of the horizon."""
    labels, at = problem.labels, list(periods) or list(range(problem.n_periods))
    when = f" from {hours_text(problem, at)}" if periods else ""
    if kind == "capacity":
        name = str((labels.pools or [])[item])
        text = f"pool {name} has {_range(problem.capacity[item, at])} accelerators{when}"
    elif kind == "power":
        name = str((labels.clusters or [])[item])
        blocks = np.flatnonzero(problem.block_cluster == item).tolist()
        parts = [f"{(labels.blocks or [])[b]} {_range(problem.block_limit_kw[b, at])} kW" for b in blocks]
        floor = _range(problem.floor_kw[item, at])
        text = f"cluster {name} can draw {', '.join(parts)}{when}, of which idle accelerators take {floor} kW"
    elif kind == "link":
        name = str((labels.links or [])[item])
        text = f"link {name} carries {problem.link_gbps[item]:,.6g} Gbit/s{when}"
    elif kind == "after":
        name = str((labels.jobs or [])[item])
        base = (labels.jobs or [])[int(problem.after[item])]
        text = f"job {name} starts after job {base} has finished"
    else:
        name = "carbon budget"
        text = f"all clusters may emit {problem.carbon_budget_kg / 1000.0:,.6g} t of CO2"
    return Limit(kind=kind, id=name, periods=periods, text=text)


def _range(values: Any) -> str:
    least, most = float(values.min()), float(values.max())
    if np.isinf(most):
        return "any"
    return f"{most:,.6g}" if least == most else f"{least:,.6g} to {most:,.6g}"
