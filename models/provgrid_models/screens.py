"""Capacity screens: cheap proofs that some work cannot be served, before anything is solved.

Every screen relaxes the problem (each workload at its fastest open pool, all pools that anyone of a group may use
pooled together), so whatever it reports is true of every plan. Findings are warnings: unserved work is allowed, at
its price. They are errors where hard work alone is too much, or where a limit is broken with no work at all.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

import numpy as np

from provgrid_models.findings import Finding, Findings, Severity
from provgrid_models.reasons import CURE_TEXT

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from provgrid_models.problem import Bools, Floats, Ints, Problem
    from provgrid_models.scenario import Scenario

TOLERANCE = 1e-6  # relative; what rounding may explain
MOST_MARKS = 256  # window borders that the job screen tells apart; longer horizons are screened more coarsely
SHOWN_PER_SCREEN = 20


def screens(scenario: Scenario, problem: Problem) -> list[Finding]:
    """Compare what is asked for with what can be reached: services, jobs, totals, links, power."""
    findings = Findings()
    _report_never_served(scenario, problem, findings)
    _screen_services(scenario, problem, findings)
    _screen_jobs(scenario, problem, findings)
    _screen_total(problem, findings)
    _screen_links(scenario, problem, findings)
    _screen_power(scenario, problem, findings)
    return list(findings)


def _report_never_served(scenario: Scenario, problem: Problem, findings: Findings) -> None:
    """List what left the problem at the id that it has in its table: jobs come first, and those left are not in it."""
    if not problem.never_served:
        return
    unplaced_jobs = set(scenario.jobs["id"]) - set(problem.labels.jobs or ())
    n_jobs = 0
    for workload, _, _ in problem.never_served:
        if workload not in unplaced_jobs:
            break
        unplaced_jobs.remove(workload)  # the next one of this name is a service
        n_jobs += 1
    parts: dict[Literal["jobs", "services"], tuple[tuple[str, str, float], ...]] = {
        "jobs": problem.never_served[:n_jobs],
        "services": problem.never_served[n_jobs:],
    }
    for table, entries in parts.items():
        for workload, reason, yuan in entries[:SHOWN_PER_SCREEN]:
            message = f"no pool can ever serve it: {reason} ({yuan:,.0f} yuan)"
            hint = _cure(scenario, table, workload, reason)
            findings.warning(
                "never-served", message, file=_file(scenario, table), column="id", found=workload, hint=hint
            )
        left_out = len(entries) - SHOWN_PER_SCREEN
        if left_out > 0:
            message = f"{left_out:,} more {table} that no pool can ever serve"
            findings.warning("never-served", message, file=_file(scenario, table), column="id", count=left_out)


def _cure(scenario: Scenario, table: Literal["jobs", "services"], workload: str, reason: str) -> str:
    """Say what would open a pool to a workload that none can serve, for the reason that stands against it."""
    frame = getattr(scenario, table)
    family = frame["family"][frame["id"] == workload].iloc[0]
    return CURE_TEXT.get(reason.partition(";")[0], CURE_TEXT[""]).format(family=family)


# Services ------------------------------------------------------------------------------------------------------


def open_services(problem: Problem) -> Bools:
    """Pools that each service may use, shape (S, P)."""
    return np.asarray((problem.service_rate > 0) & np.isfinite(problem.service_yuan))


def _fastest(rate: Floats, is_open: Bools) -> Floats:
    """Highest rate over open pools, shape (rows,); inf where none is open, so that nothing is asked for."""
    best = np.where(is_open, rate, 0.0).max(axis=1, initial=0.0)
    return np.where(best > 0, best, np.inf)


def _screen_services(scenario: Scenario, problem: Problem, findings: Findings) -> None:
    """Accelerators that each (region, latency class) asks for in a period against those that it can reach."""
    if not problem.n_services:
        return
    is_open = open_services(problem)
    asked = problem.demand / _fastest(problem.service_rate, is_open)[:, None]
    hard = np.isinf(problem.service_unserved_yuan)
    classes = _service_classes(scenario, problem)
    groups = {key: i for i, key in enumerate(dict.fromkeys(zip(problem.service_origin.tolist(), classes, strict=True)))}
    group = np.array([groups[key] for key in zip(problem.service_origin.tolist(), classes, strict=True)])
    for (origin, name), i in groups.items():
        members = group == i
        can_reach = problem.capacity[is_open[members].any(axis=0)].sum(axis=0)
        place = f"the {name} class in {_origin_name(scenario, problem, origin)}"
        for asks, severity in _hard_first(asked, members, hard):
            t = _worst(asks.sum(axis=0), can_reach)
            if t is None:
                continue
            total = asks.sum(axis=0)[t]
            message = (
                f"{place} can reach {_count(can_reach[t])} accelerators and asks for {_count(total)} at period {t}"
            )
            findings.add(severity, "class-capacity", message, file=_file(scenario, "demand"), hint=_hint(severity))
            break


def _service_classes(scenario: Scenario, problem: Problem) -> list[str]:
    """Name of each compiled service's latency class: the one given, or its SLO."""
    frame = scenario.services
    named = {
        row.id: row.slo_class or f"{row.slo_ms:g} ms"
        for row in frame[["id", "slo_class", "slo_ms"]].itertuples(index=False)
    }
    labels = problem.labels.services or frame["id"].tolist()
    return [str(named[label]) for label in labels]


def _hard_first(asked: Floats, members: Bools, hard: Bools) -> list[tuple[Floats, Severity]]:
    """Hard members alone, which must fit, then all of them, which should."""
    return [(asked[members & hard], "error"), (asked[members], "warning")]


def _worst(asked: Floats, can_reach: Floats) -> int | None:
    """Position at which most is missing, None where nothing is."""
    missing = asked - can_reach * (1 + TOLERANCE)
    t = int(np.argmax(missing))
    return t if missing[t] > TOLERANCE else None


# Jobs ----------------------------------------------------------------------------------------------------------


def least_accelerator_hours(problem: Problem) -> tuple[Floats, Bools]:
    """Accelerator-hours of each job at its fastest reachable pool, (J,), and pools open to (region, class), (R, K, P).

    Windows and gang sizes are left out: the pools are those that the model, the chip and the route allow.
    """
    reachable = np.isfinite(problem.gb_yuan)[:, None, :] & (problem.class_rate_pflops > 0)[None, :, :]
    best = np.where(reachable, problem.class_rate_pflops[None, :, :], 0.0).max(axis=2, initial=0.0)
    rate = best[problem.job_origin, problem.job_class]
    with np.errstate(divide="ignore"):
        hours = np.where(rate > 0, problem.work_pflop_h / np.where(rate > 0, rate, 1.0), 0.0)
    return hours, reachable


def _screen_jobs(scenario: Scenario, problem: Problem, findings: Findings) -> None:
    """Accelerator-hours of a region's jobs that lie inside a window against those that its pools have in it."""
    if not problem.n_jobs:
        return
    asked_h, reachable = least_accelerator_hours(problem)
    marks = np.unique(
        np.linspace(0, problem.n_periods, min(problem.n_periods, MOST_MARKS) + 1).round().astype(np.int64)
    )
    first = np.searchsorted(marks, problem.release, side="right") - 1
    end = np.searchsorted(marks, problem.deadline, side="left")
    hard = np.isinf(problem.unserved_yuan)
    for origin in np.unique(problem.job_origin).tolist():
        here = problem.job_origin == origin
        used_classes = np.unique(problem.job_class[here])
        pools = reachable[origin, used_classes].any(axis=0)
        has_h = _between(problem.capacity[pools].sum(axis=0) * problem.period_h, marks)
        for members, severity in ((here & hard, "error"), (here, "warning")):
            asks_h = _inside(first[members], end[members], asked_h[members], len(marks))
            missing = asks_h - has_h * (1 + TOLERANCE)
            i, k = (int(x) for x in np.unravel_index(int(np.argmax(missing)), missing.shape))
            if missing[i, k] <= TOLERANCE:
                continue
            who = "hard jobs" if severity == "error" else "jobs"
            message = (
                f"{who} in {_origin_name(scenario, problem, origin)} can reach {_count(has_h[i, k])} accelerator-hours "
                f"in periods {marks[i]} to {marks[k] - 1} and ask for {_count(asks_h[i, k])} there"
            )
            place = _file(scenario, "jobs")
            findings.add(severity, "job-capacity", message, file=place, hint=_hint(severity))  # type: ignore[arg-type]
            break


def _inside(first: Ints, end: Ints, amount: Floats, marks: int) -> Floats:
    """Sum of the amounts whose window lies in [marks[i], marks[k]), for every i and k: shape (marks, marks)."""
    table = np.zeros((marks, marks))
    np.add.at(table, (first, end), amount)
    from_first_on = np.cumsum(table[::-1], axis=0)[::-1]
    return np.asarray(np.cumsum(from_first_on, axis=1))


def _between(amount: Floats, marks: Ints) -> Floats:
    """Sum of the amounts in periods [marks[i], marks[k]), shape (marks, marks); inf where the window is empty."""
    total = np.concatenate([[0.0], np.cumsum(amount)])[marks]
    between = total[None, :] - total[:, None]
    return np.where(marks[None, :] > marks[:, None], between, np.inf)


# Totals, links, power ------------------------------------------------------------------------------------------


def _screen_total(problem: Problem, findings: Findings) -> None:
    """All that is asked for against all capacity, weighted."""
    job_h = least_accelerator_hours(problem)[0] if problem.n_jobs else np.zeros(0)
    asked_h = float((job_h * problem.weight[problem.release]).sum())
    real_h = problem.period_h * problem.weight
    if problem.n_services:
        rate = _fastest(problem.service_rate, open_services(problem))
        asked_h += float(((problem.demand / rate[:, None]) @ real_h).sum())
    has_h = float((problem.capacity @ real_h).sum())
    if asked_h > has_h * (1 + TOLERANCE):
        message = f"all work asks for {_count(asked_h)} accelerator-hours, all pools have {_count(has_h)}"
        findings.warning("total-capacity", message, file="pools.csv", hint=_hint("warning"))


def must_use(problem: Problem) -> NDArray[np.bool_]:
    """Links that a service's traffic cannot avoid, shape (S, L): those on the routes to all of its open pools."""
    is_open = open_services(problem)
    pool_in_cluster = problem.pool_cluster[:, None] == np.arange(problem.n_clusters)
    cluster_open = is_open @ pool_in_cluster
    on_route = np.zeros((problem.gb_yuan.shape[0], problem.n_clusters, problem.n_links), dtype=np.bool_)
    pair = np.repeat(np.arange(len(problem.route_start) - 1), np.diff(problem.route_start))
    on_route[pair // problem.n_clusters, pair % problem.n_clusters, problem.route_link] = True
    needed = np.zeros((problem.n_services, problem.n_links), dtype=np.bool_)
    for s in range(problem.n_services):
        if cluster_open[s].any():
            needed[s] = on_route[problem.service_origin[s], cluster_open[s]].all(axis=0)
    return needed


def _screen_links(scenario: Scenario, problem: Problem, findings: Findings) -> None:
    """Traffic that cannot avoid a link against its bandwidth."""
    if not (problem.n_links and problem.n_services):
        return
    traffic_gbps = problem.demand * problem.service_gbps[:, None]
    hard, needed = np.isinf(problem.service_unserved_yuan), must_use(problem)
    for link in range(problem.n_links):
        limit_gbps = np.full(problem.n_periods, problem.link_gbps[link])
        for asks, severity in _hard_first(traffic_gbps, needed[:, link], hard):
            t = _worst(asks.sum(axis=0), limit_gbps)
            if t is not None:
                message = (
                    f"link {scenario.links[link].id} carries {limit_gbps[t]:,.6g} Gbit/s and services that have no "
                    f"other way ask for {asks.sum(axis=0)[t]:,.6g} at period {t}"
                )
                findings.add(severity, "link-capacity", message, file="links.csv", hint=_hint(severity))
                break


def _screen_power(scenario: Scenario, problem: Problem, findings: Findings) -> None:
    """Supply of each cluster against its idle floor, which must fit, and against the floor plus full load."""
    supply_kw = np.zeros((problem.n_clusters, problem.n_periods))
    np.add.at(supply_kw, problem.block_cluster, problem.block_limit_kw)
    full_kw = np.zeros_like(supply_kw)
    np.add.at(full_kw, problem.pool_cluster, problem.capacity * problem.kw_per_accelerator)
    for c, cluster in enumerate(scenario.clusters):
        floor_kw = problem.floor_kw[c]
        for asked_kw, what, severity in (
            (floor_kw, "its idle accelerators draw", "error"),
            (floor_kw + full_kw[c], "at full load it draws", "warning"),
        ):
            t = _worst(asked_kw, supply_kw[c])
            if t is not None:
                message = (
                    f"cluster {cluster.id} can be supplied with {supply_kw[c, t] / 1000:,.6g} MW and {what} "
                    f"{asked_kw[t] / 1000:,.6g} MW at period {t}"
                )
                hint = "Raise grid_limit_mw or contract more power."
                findings.add(severity, "power", message, file="clusters.csv", hint=hint)  # type: ignore[arg-type]
                break


# Words ---------------------------------------------------------------------------------------------------------


def _file(scenario: Scenario, table: str) -> str:
    """Name of the file that holds a long table, or would if the scenario were saved."""
    parquet = f"{table}.parquet"
    return parquet if scenario.folder is not None and (scenario.folder / parquet).exists() else f"{table}.csv"


def _origin_name(scenario: Scenario, problem: Problem, origin: int) -> str:
    """Name of a region as a person calls it."""
    region = scenario.regions[origin]
    return region.name or region.id


def _count(number: float) -> str:
    """Accelerators, or hours of them, with as many digits as help."""
    return f"{number:,.0f}" if number >= 100 else f"{number:,.4g}"


def _hint(severity: Severity) -> str:
    if severity == "error":
        return "Hard work has to fit: add pools, relax its limits, or let hard be false."
    return "What does not fit stays unserved, at its price."
