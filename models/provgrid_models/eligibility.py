"""Why each pool is closed to one job or service, with the figure found and the limit that it breaks.

Compiling keeps one reason code for each closed pair (`reasons.py`); the figures behind it are worked out again here,
by the models that set the code.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from provgrid_models.bindings import Bindings
from provgrid_models.compile_jobs import job_by_itself
from provgrid_models.compile_services import service_by_itself
from provgrid_models.reasons import REASON_TEXT, Reason
from provgrid_models.sites import compile_sites, positions

if TYPE_CHECKING:
    from collections.abc import Callable

    from provgrid_models.problem import Ints, Problem
    from provgrid_models.scenario import Scenario
    from provgrid_models.sites import Sites


@dataclass(frozen=True, kw_only=True)
class Exclusion:
    """One closed pool: the reason, the figure found and its limit in `unit` (None where it is no number), in words."""

    pool: str
    reason: Reason
    text: str
    found: float | None = None
    limit: float | None = None
    unit: str = ""

    def to_dict(self) -> dict[str, Any]:
        """Plain values, ready for JSON."""
        return asdict(self) | {"reason": self.reason.name.lower()}


def exclusions_of_job(scenario: Scenario, name: str) -> dict[str, Exclusion]:
    """Describe the closed pools of a job by pool id, whether or not it is in the compiled problem."""
    sites, bindings = compile_sites(scenario), Bindings.of(scenario)
    row = scenario.jobs[scenario.jobs["id"] == name].iloc[0]
    problem = job_by_itself(scenario, sites, bindings, name)
    if problem is None:
        hours = float(row["deadline_h"] - row["release_h"])
        text = f"the window of {hours:,.6g} h holds no whole period of {scenario.settings.horizon.period_h:,.6g} h"
        least_h = scenario.settings.horizon.period_h
        return {
            pool.id: Exclusion(
                pool=pool.id, reason=Reason.WINDOW_TOO_SHORT, text=text, found=hours, limit=least_h, unit="h"
            )
            for pool in scenario.pools
        }
    described = _describers_of_job(scenario, problem, sites, bindings, row)
    reasons = problem.reasons(np.array([0]))[0]
    return _described(scenario, reasons, described)


def exclusions_of_service(scenario: Scenario, name: str) -> dict[str, Exclusion]:
    """Describe the closed pools of a service by pool id, whether or not it is in the compiled problem."""
    sites, bindings = compile_sites(scenario), Bindings.of(scenario)
    row = scenario.services[scenario.services["id"] == name].iloc[0]
    reasons, metric_ms = service_by_itself(scenario, sites, bindings, name)
    slo_ms = float(row["slo_ms"])

    def slow(p: int) -> Exclusion:
        value_ms = float(metric_ms[p])
        what = {"network_rtt": "latency", "ttft": "time to first token", "tpot": "time per token"}[row["slo_metric"]]
        if np.isnan(value_ms):
            return _exclusion(scenario, p, Reason.SLO, f"{what} is unknown there")
        text = f"{what} {value_ms:,.4g} ms > {slo_ms:,.4g} ms"
        return _exclusion(scenario, p, Reason.SLO, text, found=value_ms, limit=slo_ms, unit="ms")

    common = _common(scenario, sites, bindings, row, least=1.0, what="tokens/s")
    return _described(scenario, reasons, common | {Reason.SLO: slow})


def exclusions_of_arrays(problem: Problem, reasons: Ints) -> dict[str, Exclusion]:
    """Describe the closed pools of a workload of a problem that came as arrays, by reasons (P,), without figures."""
    names = problem.labels.pools or [str(p) for p in range(problem.n_pools)]
    closed = np.flatnonzero(reasons != 0).tolist()
    return {
        names[p]: Exclusion(pool=names[p], reason=Reason(int(reasons[p])), text=REASON_TEXT[Reason(int(reasons[p]))])
        for p in closed
    }


def _described(
    scenario: Scenario, reasons: Ints, described: dict[Reason, Callable[[int], Exclusion]]
) -> dict[str, Exclusion]:
    closed = np.flatnonzero(reasons != 0).tolist()
    return {scenario.pools[p].id: described[Reason(int(reasons[p]))](p) for p in closed}


def _exclusion(scenario: Scenario, p: int, reason: Reason, text: str, **figures: Any) -> Exclusion:
    return Exclusion(pool=scenario.pools[p].id, reason=reason, text=text, **figures)


def _describers_of_job(
    scenario: Scenario, problem: Problem, sites: Sites, bindings: Bindings, row: Any
) -> dict[Reason, Callable[[int], Exclusion]]:
    """Return what to say of each reason that a job may have, by pool; `problem` has this job alone."""
    one = np.array([0])
    period_h = problem.period_h
    window_h = float(problem.deadline[0] - problem.release[0]) * period_h
    left_h = float(problem.deadline[0]) * period_h - problem.start_periods(one)[0] * period_h
    with np.errstate(invalid="ignore"):
        full_speed_h = problem.accelerator_hours(one)[0] / problem.max_accelerators[0]
        needed_h = problem.durations(one)[0] * period_h if problem.rigid[0] else full_speed_h

    def short(p: int) -> Exclusion:
        text = f"window {window_h:,.4g} h, work needs {needed_h[p]:,.4g} h"
        figures = {"found": float(needed_h[p]), "limit": window_h, "unit": "h"}
        return _exclusion(scenario, p, Reason.WINDOW_TOO_SHORT, text, **figures)

    def late(p: int) -> Exclusion:
        moving_h = window_h - float(left_h[p])
        text = f"window {window_h:,.4g} h, moving the data takes {moving_h:,.4g} h, work needs {needed_h[p]:,.4g} h"
        figures = {"found": float(needed_h[p]), "limit": float(left_h[p]), "unit": "h"}
        return _exclusion(scenario, p, Reason.NO_TIME_TO_MOVE, text, **figures)

    def large(p: int) -> Exclusion:
        gang, most = float(problem.max_accelerators[0]), float(problem.largest_capacity[p])
        text = f"gang of {gang:,.6g} accelerators, pool has {most:,.6g}"
        return _exclusion(scenario, p, Reason.GANG_TOO_LARGE, text, found=gang, limit=most, unit="accelerators")

    def elsewhere(p: int) -> Exclusion:
        return _exclusion(scenario, p, Reason.PINNED_ELSEWHERE, f"already runs in {row['pinned_pool']}")

    common = _common(scenario, sites, bindings, row, least=float(row["min_accelerators"]), what=str(row["precision"]))
    return common | {
        Reason.WINDOW_TOO_SHORT: short,
        Reason.NO_TIME_TO_MOVE: late,
        Reason.GANG_TOO_LARGE: large,
        Reason.PINNED_ELSEWHERE: elsewhere,
    }


def _common(
    scenario: Scenario, sites: Sites, bindings: Bindings, row: Any, *, least: float, what: str
) -> dict[Reason, Callable[[int], Exclusion]]:
    """Return what to say of the reasons that jobs and services share; `what` is the figure that a binding lacks."""
    family = positions(scenario.families)[row["family"]]
    zone_of = {cluster.id: cluster.zone for cluster in scenario.clusters}

    def unported(p: int) -> Exclusion:
        priced = [b for b in scenario.bindings if (b.family, b.chip) == (row["family"], scenario.pools[p].chip)]
        port = next((b for b in priced if b.port_yuan is not None), None)
        offer = "" if port is None else f"; a port costs {port.port_yuan:,.0f} yuan"
        text = f"no binding: {row['family']} has no {what} on {scenario.pools[p].chip}{offer}"
        return _exclusion(scenario, p, Reason.NO_BINDING, text)

    def small(p: int) -> Exclusion:
        needed = max(least, float(bindings.least_accelerators[family, sites.pool_chip[p]]))
        has = float(sites.pool_accelerators[p])
        text = f"needs {needed:,.6g} accelerators, pool has {has:,.6g}"
        return _exclusion(scenario, p, Reason.TOO_FEW_ACCELERATORS, text, found=needed, limit=has, unit="accelerators")

    def bound(p: int) -> Exclusion:
        zone = zone_of[scenario.pools[p].cluster]
        return _exclusion(
            scenario, p, Reason.RESIDENCY, f"data must stay in zone {row['residency']}, pool is in {zone}"
        )

    def apart(p: int) -> Exclusion:
        text = f"no route from {row['region']} to {scenario.pools[p].cluster}"
        return _exclusion(scenario, p, Reason.NO_ROUTE, text)

    return {
        Reason.NO_BINDING: unported,
        Reason.TOO_FEW_ACCELERATORS: small,
        Reason.RESIDENCY: bound,
        Reason.NO_ROUTE: apart,
    }
