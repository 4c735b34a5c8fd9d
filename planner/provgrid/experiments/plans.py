"""Plans of experiments: what identifies one, how it is solved, and which figures are kept of it."""

from __future__ import annotations

import hashlib
import json
import shlex
from dataclasses import asdict, dataclass
from functools import cache
from typing import TYPE_CHECKING, Any

from provgrid.digests import code_digest, scenario_digest, tables_digest

if TYPE_CHECKING:
    from collections.abc import Mapping

    from provgrid_optimizer.plan import Plan

# What a plan's figures depend on.
SOURCES = ("provgrid_seeds.loader", "provgrid_models", "provgrid_optimizer", "provgrid.experiments.plans")
SMALLEST_SHARE = 1e-9


@dataclass(frozen=True)
class Experiment:
    """One plan to be made: equal experiments are solved once."""

    scenario: str
    overrides: tuple[str, ...]
    engine: str

    @property
    def content(self) -> str:
        """SHA-256 of the scenario's files, the overrides and the engine."""
        whole = [files_digest(self.scenario), list(self.overrides), self.engine]
        return hashlib.sha256(json.dumps(whole).encode()).hexdigest()

    @property
    def key(self) -> str:
        """SHA-256 of the content, of the tables that work is drawn from, and of the code that makes the plan."""
        return hashlib.sha256((self.content + tables_digest() + code_digest(*SOURCES)).encode()).hexdigest()

    @property
    def command(self) -> str:
        """Command that makes the same plan."""
        words = ["provgrid", "solve", self.scenario, "--engine", self.engine, "--no-policies"]
        return shlex.join([*words, *(word for one in self.overrides for word in ("--set", one))])


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """Figures of an audited plan. `figures` are those of `figures_of`."""

    scenario: str
    overrides: tuple[str, ...]
    engine: str
    status: str
    divisible: bool
    objective_yuan: float
    bound_yuan: float
    gap: float
    audit_rules: int
    audit_violations: int
    figures: Mapping[str, float]

    def to_dict(self) -> dict[str, Any]:
        """Plain values, ready for JSON."""
        return asdict(self)


def solve(experiment: Experiment) -> Outcome:
    """Make a plan and audit it.

    Raises
    ------
    ProvgridError : the scenario is wrong, there is no plan, or the plan failed its audit.
    """
    from provgrid_models.compile import compile_scenario
    from provgrid_models.files import load_scenario
    from provgrid_optimizer.options import SolveOptions
    from provgrid_optimizer.solve import solve as solve_problem

    scenario = load_scenario(experiment.scenario, experiment.overrides)
    options = SolveOptions(threads=1)
    problem = compile_scenario(scenario)
    plan = solve_problem(problem, experiment.engine, options, scenario=scenario, with_policies=False)
    certificate = plan.certificate
    return Outcome(
        scenario=experiment.scenario,
        overrides=experiment.overrides,
        engine=experiment.engine,
        status=certificate.status,
        divisible=certificate.divisible,
        objective_yuan=certificate.objective_yuan,
        bound_yuan=certificate.bound_yuan,
        gap=certificate.gap,
        audit_rules=len(plan.audit.checks),
        audit_violations=certificate.audit_violations,
        figures=figures_of(plan),
    )


def figures_of(plan: Plan) -> dict[str, float]:
    """Figures of a plan, by name; those after a colon are of one cluster.

    training_h : accelerator-hours of training. work_mwh : energy at the meter that the work draws above the idle
    floor, it_mwh : the same before PUE. grid_mwh : all power from the grid. carbon_t : CO2 of all power.
    never_served_yuan : unserved value of work that no pool could ever serve, which stands beside the objective.
    unserved_training, unserved_tokens : shares of the PFLOP-hours and of the tokens that are asked for.
    """
    import numpy as np

    problem, scenario, used = plan.problem, plan.scenario, plan.usage
    assert scenario is not None
    names = [cluster.id for cluster in scenario.clusters]
    pue = np.array([cluster.pue for cluster in scenario.clusters])

    def by_cluster(of_pool: Any) -> Any:
        return np.bincount(problem.pool_cluster, weights=of_pool, minlength=len(names))

    held = used.job_accelerators + used.service_accelerators
    work_kwh = by_cluster((problem.kw_per_accelerator * held) @ problem.hours)
    block_kwh = plan.allocation.block_kw @ problem.hours
    kg = (plan.allocation.block_kw * problem.block_kg_per_kwh) @ problem.hours
    figures = {
        "training_h": by_cluster(used.job_accelerators @ problem.hours),
        "work_mwh": work_kwh / 1000.0,
        "it_mwh": work_kwh / 1000.0 / pue,
        "grid_mwh": np.bincount(
            problem.block_cluster, weights=block_kwh * problem.block_is_grid / 1000.0, minlength=len(names)
        ),
        "carbon_t": np.bincount(problem.block_cluster, weights=kg / 1000.0, minlength=len(names)),
    }
    flat = {f"{name}:{one}": float(of) for name, array in figures.items() for one, of in zip(names, array, strict=True)}
    flat |= {name: float(array.sum()) for name, array in figures.items()}
    flat["never_served_yuan"] = problem.never_served_yuan
    flat["work_carbon_t"] = plan.component_costs.carbon_kg / 1000.0
    flat |= {f"{name}_yuan": yuan for name, yuan in plan.component_costs.by_component().items()}
    return flat | _unserved(plan)


def _unserved(plan: Plan) -> dict[str, float]:
    """Shares of training and of tokens that are left, what no pool could ever serve included."""
    import numpy as np

    problem, scenario = plan.problem, plan.scenario
    assert scenario is not None
    frame = scenario.jobs
    release = np.ceil(frame["release_h"].to_numpy() / problem.period_h - SMALLEST_SHARE).astype(np.int64)
    inside = release < problem.n_periods
    asked = float(
        (frame["work_pflop_h"].to_numpy() * inside) @ problem.weight[np.minimum(release, problem.weight.size - 1)]
    )
    share = np.minimum(plan.allocation.served_share(problem), 1.0)
    done = float((problem.job_weight * problem.work_pflop_h) @ share) if problem.n_jobs else 0.0
    period = scenario.demand["period"].to_numpy()
    at = period < problem.n_periods
    tokens = float(scenario.demand["tokens_per_s"].to_numpy()[at] @ problem.hours[period[at]])
    served = float(((problem.demand - plan.allocation.unserved_units(problem)) @ problem.hours).sum())
    return {
        "unserved_training": max(1.0 - done / asked, 0.0) if asked > 0 else 0.0,
        "unserved_tokens": max(1.0 - served / tokens, 0.0) if tokens > 0 else 0.0,
    }


@cache
def files_digest(scenario: str) -> str:
    """SHA-256 of a scenario's files, read once: plans of one run rest on the same."""
    return scenario_digest(scenario)
