"""From a problem to an audited, certified plan: run an engine, prove its bound, audit it, hold policies beside it."""

from __future__ import annotations

import logging
import math
import time
from dataclasses import dataclass, replace
from importlib import import_module
from typing import TYPE_CHECKING, Any, cast

from provgrid_models.errors import (
    AuditError,
    InterruptedBeforePlanError,
    MissingSolverError,
    NoPlanError,
    OptionError,
    ProvgridError,
)
from provgrid_optimizer.audit import audit, case_from_arrays, case_from_scenario
from provgrid_optimizer.audit.plan import from_allocation
from provgrid_optimizer.audit.report import RELATIVE_TOLERANCE
from provgrid_optimizer.certificate import Certificate, captured_share, gap
from provgrid_optimizer.engine import Status
from provgrid_optimizer.evaluate import costs, usage
from provgrid_optimizer.interrupts import CtrlCWaits
from provgrid_optimizer.multipliers import Multipliers
from provgrid_optimizer.options import Progress, SolveOptions, ignore_progress
from provgrid_optimizer.plan import Plan, Timings
from provgrid_optimizer.warm import compile_kernels, compile_prices

if TYPE_CHECKING:
    from collections.abc import Callable

    from provgrid_models.problem import Problem
    from provgrid_models.scenario import Scenario
    from provgrid_optimizer.audit import AuditReport
    from provgrid_optimizer.certificate import BoundMethod
    from provgrid_optimizer.engine import Engine, EngineResult
    from provgrid_optimizer.evaluate import Costs, Usage
    from provgrid_optimizer.options import OnProgress

log = logging.getLogger("provgrid")

POLICIES = ("local", "cheapest", "greenest", "overflow", "siloed")

OPTIMAL_WITHIN = 1e-4  # gap above which a plan that a solver calls optimal is not called so
# Each engine is imported when it is asked for: Numba, HiGHS and PuLP are slow to load.
ENGINES: dict[str, str] = {
    "lp": "provgrid_optimizer.engines.lp:lp",
    "milp": "provgrid_optimizer.engines.milp:milp",
    "pulp-cbc": "provgrid_optimizer.engines.pulp_engines:pulp_cbc",
    "pulp-highs": "provgrid_optimizer.engines.pulp_engines:pulp_highs",
    "heuristic": "provgrid_optimizer.heuristic.engine:heuristic",
    **{name: f"provgrid_optimizer.engines.policies:{name}" for name in POLICIES},
}


def find_engine(name: str) -> Engine:
    """Return the engine of that name, or raise `OptionError`, or `MissingSolverError` where its solver is absent."""
    if not isinstance(name, str) or name not in ENGINES:
        raise OptionError(f"no engine {name!r}; choose one of {', '.join(ENGINES)}")
    module, function = ENGINES[name].split(":")
    try:
        return cast("Engine", getattr(import_module(module), function))
    except ModuleNotFoundError as error:
        if error.name is None or error.name.startswith("provgrid"):
            raise
        cure = f"install it with: python -m pip install {error.name}"
        raise MissingSolverError(f"engine {name} needs {error.name}, which is not installed; {cure}") from error


@dataclass(frozen=True, kw_only=True)
class Reference:
    """What plans of one problem are held against: prices that prove a bound."""

    multipliers: Multipliers | None = None


def solve(
    problem: Problem,
    engine: str = "heuristic",
    options: SolveOptions | None = None,
    on_progress: OnProgress = ignore_progress,
    *,
    scenario: Scenario | None = None,
    build_s: float = 0.0,
    reference: Reference | None = None,
    with_policies: bool = True,
) -> Plan:
    """Solve, prove, audit.

    Parameters
    ----------
    problem : the compiled problem.
    engine : a key of `ENGINES`.
    scenario : what the problem was compiled from; the audit reads it. Without it the audit reads the raw arrays.
    reference : prices that are known already, so that several engines on one problem share them.
    with_policies : run the policies too, for `captured`, as long as there is time left.

    Raises
    ------
    InfeasibleError, NoPlanError, SolverError, MissingSolverError : as the engine says.
    AuditError : the plan broke a rule; it is not returned.
    """
    options = options or SolveOptions()
    if options.time_limit_s == 0:
        raise NoPlanError("the time limit is 0 s, so there is no plan; give a longer one with --time-limit")
    engine_function = find_engine(engine)
    on_progress(Progress(0.0, "loading kernels; the first time on a machine compiles them"))
    compile_s = compile_kernels(with_policies=with_policies or engine in POLICIES)
    clock = _Clock(options.time_limit_s)
    result = engine_function(problem, options, on_progress)
    known = result.multipliers or (reference.multipliers if reference is not None else None)
    # From here on there is a plan: Ctrl-C cuts short what it is held against, and never the plan or its audit.
    status, prices_compile_s = result.status, 0.0
    if known is None:
        known, prices_compile_s, interrupted = _prices_of_heuristic(problem, options, on_progress, clock)
        status = Status.INTERRUPTED if interrupted else status
    solve_s = clock.elapsed_s() - result.compile_s - prices_compile_s

    started = time.perf_counter()
    policy_costs = None
    if with_policies and status is not Status.INTERRUPTED:
        try:
            policy_costs = policies(problem, clock.left_s)
        except KeyboardInterrupt:
            status = Status.INTERRUPTED
    policies_s = time.perf_counter() - started

    with CtrlCWaits() as ctrl_c:
        started = time.perf_counter()
        bound_yuan, drops = _prove(problem, known, options)
        solve_s += time.perf_counter() - started
        used = usage(problem, result.allocation)
        component_costs = costs(problem, result.allocation, used)
        best_yuan, method = _best_bound(result, component_costs.objective_yuan, bound_yuan)
        started = time.perf_counter()
        report = _audit(problem, scenario, result, known, component_costs, used, best_yuan, method, bound_yuan)
        audit_s = time.perf_counter() - started
    status = Status.INTERRUPTED if ctrl_c.asked else _as_proven(status, component_costs.objective_yuan, best_yuan)
    certificate = _certificate(
        problem, engine, result, status, component_costs, (best_yuan, method, bound_yuan, drops), policy_costs, report
    )
    return Plan(
        problem=problem,
        allocation=result.allocation,
        multipliers=known,
        certificate=certificate,
        component_costs=component_costs,
        usage=used,
        audit=report,
        options=options,
        timings=Timings(
            build_s=build_s,
            compile_s=compile_s + result.compile_s + prices_compile_s,
            solve_s=solve_s,
            policies_s=policies_s,
            audit_s=audit_s,
        ),
        scenario=scenario,
        log=result.log,
        history=result.history,
    )


def policies(problem: Problem, left_s: Callable[[], float] = lambda: math.inf) -> dict[str, float] | None:
    """Cost of every policy that finds a plan, in yuan; None where time ran out (`left_s`) before each had its turn."""
    found = {}
    for name in POLICIES:
        if left_s() <= 0:
            log.info("no time left for policy %s, so the plan is held against none", name)
            return None
        try:
            result = find_engine(name)(problem, SolveOptions(), ignore_progress)
        except ProvgridError as error:  # a simple rule may fail where an optimiser does not
            log.info("policy %s has no plan: %s", name, error)
            continue
        found[name] = costs(problem, result.allocation).objective_yuan
    return found


def held_against(plan: Plan, policy_costs: dict[str, float]) -> Plan:
    """Return the plan with a certificate that knows what the policies cost, in yuan by name."""
    certificate = plan.certificate
    best, captured = _captured(certificate.objective_yuan, certificate.bound_yuan, policy_costs)
    return replace(plan, certificate=replace(certificate, best_policy=best, captured=captured))


def _captured(
    objective_yuan: float, bound_yuan: float, policy_costs: dict[str, float] | None
) -> tuple[tuple[str, float] | None, float | None]:
    """Best policy, and the share of what it leaves above the bound that a plan has captured (design §2)."""
    if not policy_costs:
        return None, None
    best = min(policy_costs.items(), key=lambda item: item[1])
    return best, captured_share(objective_yuan, bound_yuan, best[1])


class _Clock:
    """Seconds since a solve began, and what is left of its time limit."""

    def __init__(self, limit_s: float | None) -> None:
        self._limit_s = math.inf if limit_s is None else limit_s
        self._started = time.perf_counter()

    def elapsed_s(self) -> float:
        return time.perf_counter() - self._started

    def left_s(self) -> float:
        return self._limit_s - self.elapsed_s()


def solve_to_its_end(problem: Problem, engine: str, options: SolveOptions, *more: Any, **named: Any) -> Plan:
    """Solve as one side of an answer: a plan that Ctrl-C has cut short is none, so that it is a `KeyboardInterrupt`."""
    try:
        return uninterrupted(solve(problem, engine, options, *more, **named))
    except InterruptedBeforePlanError as error:
        raise KeyboardInterrupt from error


def uninterrupted(plan: Plan) -> Plan:
    """Return a plan that an answer may count on; Ctrl-C, which ends the engine with the plan so far, is raised again.

    Raises `KeyboardInterrupt` where the plan is one that was stopped.
    """
    if plan.certificate.status == Status.INTERRUPTED:
        raise KeyboardInterrupt
    return plan


def _prices_of_heuristic(
    problem: Problem, options: SolveOptions, on_progress: OnProgress, clock: _Clock
) -> tuple[Multipliers, float, bool]:
    """Prices for an engine that has none of its own, seconds of compilation, and whether Ctrl-C ended the search.

    They take what is left of the time limit. Where nothing is left, or at Ctrl-C, prices of 0 prove what they can.
    """
    from provgrid_optimizer.heuristic.prices import dual_prices

    compile_s = 0.0
    try:
        if clock.left_s() > 0:
            compile_s = compile_prices()
            limit_s = None if options.time_limit_s is None else max(clock.left_s() + compile_s, 0.0)
            return dual_prices(problem, replace(options, time_limit_s=limit_s), on_progress), compile_s, False
    except KeyboardInterrupt:
        return Multipliers.zero(problem), compile_s, True
    return Multipliers.zero(problem), compile_s, False


def _prove(problem: Problem, multipliers: Multipliers, options: SolveOptions) -> tuple[float, tuple[str, ...]]:
    """Return the bound that the prices prove, and the rows that it leaves out."""
    from provgrid_optimizer.lagrangian import bound

    drops = ("after",) if multipliers.after.size and not multipliers.after.any() else ()
    return bound(problem, multipliers, threads=options.threads).total_yuan, drops


def _as_proven(status: Status, objective_yuan: float, bound_yuan: float) -> Status:
    """Return how a solve ended: what a solver calls optimal by its tolerances need not be where amounts are tiny."""
    unproven = status is Status.OPTIMAL and gap(objective_yuan, bound_yuan) > OPTIMAL_WITHIN
    return Status.FINISHED if unproven else status


def _best_bound(result: EngineResult, objective_yuan: float, bound_prices_yuan: float) -> tuple[float, BoundMethod]:
    """Return the best bound and its method: the prices' where they prove as much, for the audit can prove it again.

    A relaxation's own bound differs from its prices' by rounding at least; beyond that they prove less.
    """
    rounding = RELATIVE_TOLERANCE * max(abs(objective_yuan), 1.0) if result.bound_method == "lp" else 0.0
    if result.bound_yuan > bound_prices_yuan + rounding:
        return result.bound_yuan, result.bound_method
    return bound_prices_yuan, "prices" if math.isfinite(bound_prices_yuan) else "none"


def _audit(
    problem: Problem,
    scenario: Scenario | None,
    result: EngineResult,
    multipliers: Multipliers,
    component_costs: Costs,
    used: Usage,
    bound_yuan: float,
    bound_method: BoundMethod,
    bound_prices_yuan: float,
) -> AuditReport:
    """Audit the plan against its source, and refuse it if it breaks a rule."""
    case = case_from_arrays(problem) if scenario is None else case_from_scenario(scenario)
    plan = from_allocation(
        problem.labels,
        problem.block_cluster,
        result.allocation,
        multipliers=multipliers,
        costs=component_costs.by_component(),
        objective_yuan=component_costs.objective_yuan,
        bound_yuan=bound_yuan,
        bound_method=bound_method,
        bound_prices_yuan=bound_prices_yuan,
        traffic_gbps=used.traffic_gbps,
        constants_yuan=problem.constants_yuan,
    )
    report = audit(case, plan)
    if report.violations:
        more = f" (and {report.n_violations - 1} more)" if report.n_violations > 1 else ""
        raise AuditError(f"the plan broke a rule and is withheld: {report.violations[0]}{more}; report it")
    return report


def _certificate(
    problem: Problem,
    engine: str,
    result: EngineResult,
    status: Status,
    component_costs: Costs,
    bounds: tuple[float, BoundMethod, float, tuple[str, ...]],
    policy_costs: dict[str, float] | None,
    report: AuditReport,
) -> Certificate:
    """Put the evidence together."""
    objective_yuan = component_costs.objective_yuan
    bound_yuan, method, bound_prices_yuan, drops = bounds
    best, captured = _captured(objective_yuan, bound_yuan, policy_costs)
    return Certificate(
        engine=engine,
        status=status.value,
        divisible=result.allocation.divisible,
        objective_yuan=objective_yuan,
        bound_yuan=bound_yuan,
        bound_method=method,
        bound_prices_yuan=bound_prices_yuan,
        bound_drops=drops,
        gap=gap(objective_yuan, bound_yuan),
        gap_jobs=gap(objective_yuan, bound_yuan, component_costs.jobs_yuan),
        captured=captured,
        best_policy=best,
        audit_violations=report.n_violations,
        constants_yuan=problem.constants_yuan,
        passes=result.passes,
    )
