"""From a problem to an audited, certified plan: run an engine, prove its bound, audit it, hold policies beside it."""

from __future__ import annotations

import logging
import math
import time
from dataclasses import dataclass, replace
from importlib import import_module
from typing import TYPE_CHECKING, cast

from provgrid_models.errors import AuditError, MissingSolverError, NoPlanError, OptionError, ProvgridError
from provgrid_optimizer.audit import audit, case_from_arrays, case_from_scenario
from provgrid_optimizer.audit.plan import from_allocation
from provgrid_optimizer.audit.report import RELATIVE_TOLERANCE
from provgrid_optimizer.certificate import Certificate, captured_share, gap
from provgrid_optimizer.engine import Status
from provgrid_optimizer.evaluate import costs, usage
from provgrid_optimizer.options import SolveOptions, ignore_progress
from provgrid_optimizer.plan import Plan, Timings

if TYPE_CHECKING:
    from provgrid_models.problem import Problem
    from provgrid_models.scenario import Scenario
    from provgrid_optimizer.audit import AuditReport
    from provgrid_optimizer.certificate import BoundMethod
    from provgrid_optimizer.engine import Engine, EngineResult
    from provgrid_optimizer.evaluate import Costs, Usage
    from provgrid_optimizer.multipliers import Multipliers
    from provgrid_optimizer.options import OnProgress

log = logging.getLogger("provgrid")

POLICIES = ("local", "cheapest", "greenest", "overflow", "siloed")

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
    if name not in ENGINES:
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
    """What plans of one problem are held against: prices that prove a bound, and the cost of every policy."""

    multipliers: Multipliers | None = None
    policies: dict[str, float] | None = None


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
    reference : prices and policy costs that are known already, so that several engines on one problem share them.
    with_policies : run the policies too, for `captured`.

    Raises
    ------
    InfeasibleError, NoPlanError, SolverError, MissingSolverError : as the engine says.
    AuditError : the plan broke a rule; it is not returned.
    """
    options = options or SolveOptions()
    if options.time_limit_s == 0:
        raise NoPlanError("the time limit is 0 s, so there is no plan; give a longer one with --time-limit")
    reference = reference or Reference()
    started = time.perf_counter()
    result = find_engine(engine)(problem, options, on_progress)
    multipliers = result.multipliers or reference.multipliers or _prices_of_heuristic(problem, options, on_progress)
    bound_yuan, drops = _prove(problem, multipliers, options)
    solve_s = time.perf_counter() - started - result.compile_s

    started = time.perf_counter()
    policy_costs, status = reference.policies, result.status
    if policy_costs is None and with_policies:
        try:
            policy_costs = policies(problem)
        except KeyboardInterrupt:  # the plan is there already; only what it is held against is cut short
            status = Status.INTERRUPTED
    policies_s = time.perf_counter() - started

    used = usage(problem, result.allocation)
    component_costs = costs(problem, result.allocation, used)
    best_yuan, method = _best_bound(result, component_costs.objective_yuan, bound_yuan)
    report = _audit(problem, scenario, result, multipliers, component_costs, used, best_yuan, method, bound_yuan)
    certificate = _certificate(
        problem, engine, result, status, component_costs, (best_yuan, method, bound_yuan, drops), policy_costs, report
    )
    return Plan(
        problem=problem,
        allocation=result.allocation,
        multipliers=multipliers,
        certificate=certificate,
        component_costs=component_costs,
        usage=used,
        audit=report,
        options=options,
        timings=Timings(
            build_s=build_s,
            compile_s=result.compile_s,
            solve_s=solve_s,
            policies_s=policies_s,
            audit_s=report.seconds,
        ),
        scenario=scenario,
        log=result.log,
        history=result.history,
    )


def policies(problem: Problem) -> dict[str, float]:
    """Cost of every policy that finds a plan, in yuan."""
    found = {}
    for name in POLICIES:
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


def _prices_of_heuristic(problem: Problem, options: SolveOptions, on_progress: OnProgress) -> Multipliers:
    """Prices for an engine that has none of its own."""
    from provgrid_optimizer.heuristic.prices import dual_prices

    return dual_prices(problem, options, on_progress)


def _prove(problem: Problem, multipliers: Multipliers, options: SolveOptions) -> tuple[float, tuple[str, ...]]:
    """Return the bound that the prices prove, and the rows that it leaves out."""
    from provgrid_optimizer.lagrangian import bound

    drops = ("after",) if bool((problem.after >= 0).any()) else ()
    return bound(problem, multipliers, threads=options.threads).total_yuan, drops


def _best_bound(result: EngineResult, objective_yuan: float, bound_prices_yuan: float) -> tuple[float, BoundMethod]:
    """Return the best bound and its method: the prices' where they prove as much, for the audit can prove it again.

    A relaxation's own bound differs from its prices' by rounding at least; beyond that they have dropped rows.
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
