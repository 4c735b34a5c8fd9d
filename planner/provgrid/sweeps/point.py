"""A point of a sweep or of a front: what identifies it, how it is solved, and which figures are kept of it."""

from __future__ import annotations

import hashlib
import json
import math
import time
from dataclasses import asdict, dataclass, field, replace
from functools import cache
from typing import TYPE_CHECKING, Any, Literal

from provgrid import store
from provgrid.digests import code_digest, scenario_digest, tables_digest
from provgrid_models.errors import (
    AuditError,
    InfeasibleError,
    InterruptedBeforePlanError,
    NoPlanError,
    OptionError,
    ProvgridError,
    ScenarioError,
    SolverError,
)

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from provgrid_models.scenario import Scenario
    from provgrid_optimizer.options import SolveOptions
    from provgrid_optimizer.plan import Plan

COMPONENTS = ("energy", "carbon", "demand_charge", "network", "rent", "subsidy", "unserved")
# What a row depends on.
SOURCES = ("provgrid_seeds.loader", "provgrid_models", "provgrid_optimizer", "provgrid.sweeps.point")
PACKAGES = ("highspy", "numba", "numpy", "pulp")
BUDGET_ROUNDING = 1e-7  # relative: a budget that a plan has just met must not be infeasible by rounding
_seen: set[tuple[str, str]] = set()  # scenarios whose files this process has found to be those that were asked for
Goal = Literal["cost", "carbon", "cost,carbon"]

FAILURES: dict[type[ProvgridError], str] = {
    InfeasibleError: "infeasible",
    ScenarioError: "bad_scenario",
    NoPlanError: "no_plan",
    SolverError: "solver_failed",
    AuditError: "audit_failed",
}


@dataclass(frozen=True, kw_only=True)
class Point:
    """One plan to be made.

    `goal` is what is made small: cost; carbon first, then cost; or cost first, then carbon. `slo_factor` multiplies
    every SLO. With `keeps`, all work must be served but what `left` names. `hot_from` is the key of the point whose
    basis a solve starts from, and `basis` is that basis: where a solve starts is part of what identifies it.
    """

    scenario: str
    overrides: tuple[str, ...]
    engine: str
    options: SolveOptions
    scenario_sha256: str
    code_sha256: str
    goal: Goal = "cost"
    slo_factor: float = 1.0
    keeps: bool = False
    left: tuple[str, ...] = ()
    hot_from: str = ""
    basis: str = field(default="", compare=False, repr=False)

    @property
    def key(self) -> str:
        """SHA-256 of the scenario's files, the overrides, engine and options, and of the code that makes the row."""
        whole = [
            self.scenario_sha256,
            self.overrides,
            self.engine,
            asdict(self.options),
            self.code_sha256,
            [self.goal, self.slo_factor, self.keeps, self.left, self.hot_from],
        ]
        return hashlib.sha256(json.dumps(whole).encode()).hexdigest()


@dataclass(frozen=True, kw_only=True)
class Row:
    """What came of a point: figures of an audited plan, or the reason why there is none.

    `costs_yuan` sums to the objective. `constants_yuan` stands beside it: idle floor, take-or-pay, ports, and work that
    no pool could ever serve (`never_served_yuan`). `carbon_t` is what the work emits above the idle floor,
    `total_carbon_t` what the carbon budget counts. `round_trip_ms` is the mean of the served tokens, `slo_share` the
    largest share of its SLO (as the scenario has it) that a service's metric takes. `left` names work that is not
    served in whole. `basis` is for hot starts.
    """

    status: str
    reason: str = ""
    divisible: bool = False
    objective_yuan: float | None = None
    bound_yuan: float | None = None
    gap: float | None = None
    costs_yuan: Mapping[str, float] = field(default_factory=dict)
    never_served_yuan: float | None = None
    constants_yuan: float | None = None
    carbon_t: float | None = None
    total_carbon_t: float | None = None
    unserved_share: float | None = None
    round_trip_ms: float | None = None
    slo_share: float | None = None
    left: tuple[str, ...] = ()
    hot: bool = False
    seconds: float = 0.0
    basis: str = ""

    @property
    def has_plan(self) -> bool:
        """Whether there is a plan."""
        return self.objective_yuan is not None

    @property
    def total_yuan(self) -> float:
        """All that the plan pays, constants too; inf where there is no plan."""
        return math.inf if self.objective_yuan is None else self.objective_yuan + (self.constants_yuan or 0.0)

    def figures(self) -> dict[str, Any]:
        """Its columns in a table: what is measured, each with its unit."""
        known = {name: value for name, value in self.to_dict().items() if name not in ("costs_yuan", "basis", "left")}
        status, reason, seconds = known.pop("status"), known.pop("reason"), known.pop("seconds")
        costs = {f"{name}_yuan": self.costs_yuan.get(name) for name in COMPONENTS}
        return {"status": status, **known, **costs, "seconds": seconds, "reason": reason}

    def to_dict(self) -> dict[str, Any]:
        """Plain values, ready for JSON."""
        return asdict(self)


class Store(store.Store[Point, Row]):
    """A folder of rows, shared by all sweeps and fronts."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder, _read)


def _read(entry: Any) -> Row | None:
    return Row(**{**entry, "left": tuple(entry["left"])})


@cache
def code_sha256() -> str:
    """Identify the code that makes rows, the tables that it draws from, and the versions of what it calls."""
    from provgrid_optimizer.runs import versions

    known = versions()
    whole = [code_digest(*SOURCES), tables_digest(), *(known[name] for name in PACKAGES)]
    return hashlib.sha256(json.dumps(whole).encode()).hexdigest()


def make(point: Point) -> Row:
    """Solve and audit a point; a point without a plan says why.

    Raises
    ------
    OptionError : this process has other code, or reads another scenario, than the one that asks.
    KeyboardInterrupt : Ctrl-C came; what was found by then is no point of a sweep.
    MissingSolverError : the solver is not installed.
    """
    _check_same(point)
    started = time.perf_counter()
    try:
        row = _figures(point)
    except tuple(FAILURES) as error:
        if isinstance(error, InterruptedBeforePlanError):
            raise KeyboardInterrupt from error
        kind = next(name for failure, name in FAILURES.items() if isinstance(error, failure))
        row = Row(status=kind, reason=str(error))
    if row.status == "interrupted":
        raise KeyboardInterrupt
    return replace(row, seconds=time.perf_counter() - started)


def _check_same(point: Point) -> None:
    if code_sha256() != point.code_sha256:
        raise OptionError("a worker has another version of provgrid or of its packages; install the same everywhere")
    known = point.scenario, point.scenario_sha256
    if known not in _seen and scenario_digest(point.scenario) != point.scenario_sha256:
        raise OptionError(
            f"{point.scenario} is not the scenario that the sweep began with, here or on a worker; start the sweep "
            "again, and let workers elsewhere read the same files under the same path"
        )
    _seen.add(known)


def _figures(point: Point) -> Row:
    from provgrid_models.files import load_scenario
    from provgrid_optimizer.hot import hot_start

    loaded = load_scenario(point.scenario, point.overrides)
    with hot_start(point.basis) as hot:
        plan = _with_goal(point, _edited(point, loaded))
    return row_of(plan, loaded, hot=hot.used, basis=hot.left)


def _edited(point: Point, loaded: Scenario) -> Scenario:
    """Scale the SLOs, and let all work be hard that has to be kept."""
    jobs, services = loaded.jobs, loaded.services
    if point.slo_factor != 1.0:
        services = services.assign(slo_ms=services["slo_ms"] * point.slo_factor)
    if point.keeps:
        jobs, services = (
            frame.assign(hard=frame["hard"] | ~frame["id"].isin(point.left)) for frame in (jobs, services)
        )
    return replace(loaded, jobs=jobs, services=services)


def _with_goal(point: Point, scenario: Scenario) -> Plan:
    from provgrid_models.compile import compile_scenario
    from provgrid_optimizer.answers.lexicographic import least_carbon_at_kg, least_carbon_kg

    kg: float | None = None
    if point.goal == "carbon":
        kg = least_carbon_kg(compile_scenario(scenario), point.engine, point.options)
    plan = _solved(point, scenario if kg is None else with_budget(scenario, kg))
    if point.goal == "cost,carbon" and plan.certificate.divisible:
        kg = least_carbon_at_kg(plan.problem, plan.objective_yuan, point.options)
        return plan if kg is None else _solved(point, with_budget(scenario, kg))
    return plan


def with_budget(scenario: Scenario, kg: float) -> Scenario:
    """Limit the CO2 of all clusters, idle floor included."""
    tonnes = kg / 1000.0 * (1.0 + BUDGET_ROUNDING)
    limits = scenario.settings.limits.model_copy(update={"carbon_budget_t": tonnes})
    return replace(scenario, settings=scenario.settings.model_copy(update={"limits": limits}))


def _solved(point: Point, scenario: Scenario) -> Plan:
    from provgrid_models.compile import compile_scenario
    from provgrid_optimizer.solve import solve

    return solve(compile_scenario(scenario), point.engine, point.options, scenario=scenario, with_policies=False)


def row_of(plan: Plan, slo_of: Scenario, *, hot: bool = False, basis: str = "") -> Row:
    """Figures of a plan."""
    import numpy as np

    from provgrid_optimizer.answers.latency import nearness

    certificate, spent, problem = plan.certificate, plan.component_costs, plan.problem
    near = nearness(plan, slo_of)
    names = problem.labels.jobs or (), problem.labels.services or ()
    short = plan.allocation.unserved_units(problem) > 1e-9 * (1.0 + problem.demand)
    left = [name for name, _, _ in problem.never_served]
    left += [names[0][job] for job in np.flatnonzero(plan.allocation.unserved_jobs(problem)).tolist()]
    left += [names[1][service] for service in np.unique(np.nonzero(short)[0]).tolist()]
    return Row(
        status=certificate.status,
        divisible=certificate.divisible,
        objective_yuan=certificate.objective_yuan,
        bound_yuan=_finite(certificate.bound_yuan),
        gap=_finite(certificate.gap),
        costs_yuan=spent.by_component(),
        never_served_yuan=problem.never_served_yuan,
        constants_yuan=problem.constants_yuan,
        carbon_t=spent.carbon_kg / 1000.0,
        total_carbon_t=(spent.carbon_kg + spent.floor_kg) / 1000.0,
        unserved_share=plan.unserved_share,
        round_trip_ms=_finite(near.mean_round_trip_ms),
        slo_share=_finite(near.slo_share),
        left=tuple(sorted(left)),
        hot=hot,
        basis=basis,
    )


def _finite(value: float) -> float | None:
    """JSON knows no infinity and no NaN: what is not there is null."""
    return value if math.isfinite(value) else None
