"""What optimising saves against a simple rule, and what moving work out of its own province saves."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from provgrid_models.compile import compile_scenario
from provgrid_models.errors import InfeasibleError, NoPlanError, OptionError
from provgrid_optimizer.answers.compare import Comparison
from provgrid_optimizer.answers.worth import Bench, Worth, with_fixed_values, worth
from provgrid_optimizer.options import SolveOptions
from provgrid_optimizer.solve import POLICIES, Reference, solve_to_its_end

if TYPE_CHECKING:
    from provgrid_models.scenario import Scenario
    from provgrid_optimizer.plan import Plan


@dataclass(frozen=True, kw_only=True, eq=False)
class Against:
    """A plan, a policy's plan of the same scenario, and the same engine's plan with all work held at home.

    At home means in the work's own province (see `held_at_home`). Work that cannot be served there is left, at the
    value that the scenario gives it. `home` is None where hard work cannot be held there, or no plan was found in
    the time that the plan itself had; `home_reason` says which.
    """

    plan: Plan
    policy: Plan
    home: Plan | None
    home_reason: str = ""

    @property
    def optimising(self) -> Comparison:
        """From the policy to the plan."""
        return Comparison(before=self.policy, after=self.plan)

    @property
    def moving(self) -> Comparison | None:
        """From work held at home to the plan."""
        return None if self.home is None else Comparison(before=self.home, after=self.plan)

    @property
    def optimising_worth(self) -> Worth | None:
        """What the plan saves against the policy, and what the best plan could save; None for a relaxation.

        A policy costs what it costs. So the saving that was found is sure, and the bound says how much more there is.
        """
        if self.plan.certificate.divisible:
            return None
        found = self.policy.objective_yuan - self.plan.objective_yuan
        return Worth(low_yuan=found, found_yuan=found, high_yuan=self.most_yuan)

    @property
    def most_yuan(self) -> float:
        """The most that any plan could save against the policy: policy - bound; all that a relaxation can say."""
        return self.policy.objective_yuan - self.plan.certificate.bound_yuan

    @property
    def moving_worth(self) -> Worth | None:
        """What letting work leave its province saves, in the interval that both plans and bounds leave open."""
        return None if self.home is None else worth(self.home, self.plan)

    def to_dict(self) -> dict[str, Any]:
        """Plain values, ready for JSON."""
        moving = self.moving
        return {
            "policy": self.policy.engine,
            "optimising": _plain(self.optimising_worth) | {"most_yuan": _known(self.most_yuan)},
            "optimising_comparison": self.optimising.to_dict(),
            "moving": _plain(self.moving_worth),
            "moving_comparison": None if moving is None else moving.to_dict(),
            "home_reason": self.home_reason or None,
        }


def against(plan: Plan, policy: str) -> Against:
    """Solve the policy and the work held at home for a plan; raises as `Plan.against` does."""
    if policy not in POLICIES:
        raise OptionError(f"no policy {policy!r}; choose one of {', '.join(POLICIES)}")
    scenario = plan.scenario
    if scenario is None:
        raise OptionError("a plan of bare arrays has no provinces to hold work in; solve a scenario")
    by_rule = solve_to_its_end(
        plan.problem,
        policy,
        SolveOptions(threads=plan.options.threads),
        scenario=scenario,
        reference=Reference(multipliers=plan.multipliers),
        with_policies=False,
    )
    bench = Bench(engine=plan.engine, options=plan.options)
    try:
        home, reason = bench.plan(held_at_home(with_fixed_values(scenario))), ""
    except InfeasibleError as error:
        home, reason = None, f"it cannot all stay at home: {error}"
    except NoPlanError as error:
        home, reason = None, f"whether it could all stay at home is not known: {error}"
    return Against(plan=plan, policy=by_rule, home=home, home_reason=reason)


def held_at_home(scenario: Scenario) -> Scenario:
    """Close every route that leaves a region's own province.

    A region without a cluster in its province keeps the one that a GB is cheapest to bring to, of equals the first.
    Work that already runs elsewhere cannot be held either, and is left.
    """
    problem = compile_scenario(scenario)
    clusters = {cluster.id: c for c, cluster in enumerate(scenario.clusters)}
    gb_yuan = np.full((problem.n_origins, problem.n_clusters), np.inf)
    gb_yuan[:, problem.pool_cluster] = problem.gb_yuan
    home = np.array(
        [
            [
                one.region == region.id or (one.province or one.id) == (region.province or region.id)
                for one in scenario.clusters
            ]
            for region in scenario.regions
        ]
    ) & np.isfinite(gb_yuan)
    nearest = np.arange(problem.n_clusters) == gb_yuan.argmin(axis=1)[:, None]
    home = np.where(home.any(axis=1, keepdims=True), home, nearest)
    regions = {region.id: r for r, region in enumerate(scenario.regions)}
    kept = tuple(route for route in scenario.routes if home[regions[route.region], clusters[route.cluster]])
    return replace(scenario, routes=kept)


def _plain(found: Worth | None) -> dict[str, Any]:
    if found is None:
        return {}
    return {name: _known(getattr(found, name)) for name in ("low_yuan", "found_yuan", "high_yuan")}


def _known(yuan: float) -> float | None:
    """JSON knows no infinity: without a bound there is no such figure."""
    return yuan if np.isfinite(yuan) else None
