"""The province as one computer: what it gains over tenants that each keep to their own."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from provgrid_models.compile import compile_scenario
from provgrid_optimizer.answers.worth import Bench
from provgrid_optimizer.options import SolveOptions
from provgrid_optimizer.savings import saving
from provgrid_optimizer.solve import Reference, solve_to_its_end

if TYPE_CHECKING:
    from provgrid_models.scenario import Scenario
    from provgrid_optimizer.plan import Plan
    from provgrid_optimizer.savings import Saving

TIERS = ("city", "province", "national_hub", "elsewhere")  # as Problem.origin_tier counts them


@dataclass(frozen=True, kw_only=True)
class Pooling:
    """Two plans of the same work: pooled, where all share all, and siloed, where each tenant has its own.

    `saving` compares the cost of the work that both serve; what each leaves is in its `unserved_share`, without what
    no pool could ever serve.
    """

    pooled: Plan
    siloed: Plan
    saving: Saving

    def to_dict(self) -> dict[str, Any]:
        """Plain values, ready for JSON."""
        return {
            "common_work_pooled_yuan": self.saving.plan_yuan,
            "common_work_siloed_yuan": self.saving.baseline_yuan,
            "saving_share": self.saving.share,
            "pooled": _side(self.pooled),
            "siloed": _side(self.siloed),
        }


def pooling_gain(scenario: Scenario, bench: Bench | None = None) -> Pooling:
    """Plan the scenario with all pools shared, and by the policy `siloed`, and compare the two.

    Raises
    ------
    OptionError : the engine is a relaxation, whose cost is no saving.
    """
    bench = bench or Bench()
    pooled = bench.plan(scenario)
    siloed = solve_to_its_end(
        compile_scenario(scenario),
        "siloed",
        SolveOptions(threads=bench.options.threads),
        scenario=scenario,
        reference=Reference(multipliers=pooled.multipliers),
        with_policies=False,
    )
    return Pooling(pooled=pooled, siloed=siloed, saving=saving(pooled, siloed))


def layers(plan: Plan) -> dict[str, float]:
    """Share of the accelerator-hours that each layer of services gives: the work's own city, its province, hubs."""
    problem, allocation = plan.problem, plan.allocation
    hours = np.zeros(len(TIERS))
    run = allocation.run_placement
    tier = problem.origin_tier[problem.job_origin[allocation.job[run]], allocation.pool[run]]
    np.add.at(hours, tier, allocation.run_accelerators * problem.hours[allocation.run_period])
    service, pool = allocation.serve_service, allocation.serve_pool
    held = allocation.serve_units * problem.accelerators_per_unit[service, pool]
    tier = problem.origin_tier[problem.service_origin[service], pool]
    np.add.at(hours, tier, held * problem.hours[allocation.serve_period])
    return dict(zip(TIERS, (hours / max(float(hours.sum()), 1e-300)).tolist(), strict=True))


def _side(plan: Plan) -> dict[str, Any]:
    certificate = plan.certificate
    return {
        "engine": certificate.engine,
        "objective_yuan": certificate.objective_yuan,
        "bound_yuan": certificate.bound_yuan,
        "unserved_share": plan.unserved_share,
        "unserved_yuan": plan.component_costs.unserved,
        "never_served_yuan": plan.problem.never_served_yuan,
        "layers": layers(plan),
    }
