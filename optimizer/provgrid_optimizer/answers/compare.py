"""Two plans side by side: what differs in what was asked, in what it costs, and in where the work goes."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import pandas as pd

from provgrid_models.arguments import check_is
from provgrid_optimizer import plan_tables
from provgrid_optimizer.answers.flows import flow_changes
from provgrid_optimizer.answers.inputs import input_differences
from provgrid_optimizer.savings import Saving, common_costs

if TYPE_CHECKING:
    from provgrid_optimizer.plan import Plan

LEFT = ("unserved", "never_served")  # components that are the value of work that is left


@dataclass(frozen=True, kw_only=True, eq=False)
class Comparison:
    """What changes from one plan to another. Amounts are after minus before.

    `inputs`: settings, rows and options that differ. `waterfall`: cost by component, constants below, see its
    docstring. `flows`: the flows that changed, the largest first.
    """

    before: Plan
    after: Plan

    def __post_init__(self) -> None:
        from provgrid_optimizer.plan import Plan

        check_is("what to compare a plan with", self.after, Plan, "give a plan, of a saved run: pg.open(...)")

    @cached_property
    def inputs(self) -> pd.DataFrame:
        """Differences of the inputs: kind, where, row, column, before, after."""
        return input_differences(self.before, self.after)

    @cached_property
    def flows(self) -> pd.DataFrame:
        """Changed flows by work, tenant, region and cluster: accelerator-hours and MWh before, after and change."""
        return flow_changes(self.before, self.after)

    @cached_property
    def waterfall(self) -> pd.DataFrame:
        """Cost by component: before_yuan, after_yuan, difference_yuan, and the three parts that this is the sum of.

        `common_yuan` is the difference on the work that both plans serve, `other_yuan` that of work which only one of
        them serves, and of constants (`in_objective` False), `unserved_yuan` that of the value of what they leave.
        The column `difference_yuan` sums to the difference of all that the plans pay.
        """
        sides = [plan_tables.costs(one.problem, one.component_costs) for one in (self.before, self.after)]
        common = common_costs(self.before, self.after)
        rows = []
        for (name, old, inside), new in zip(
            sides[0].itertuples(index=False, name=None), sides[1]["cost_yuan"], strict=True
        ):
            difference, left = new - old, name in LEFT
            shared = common[1].get(name, 0.0) - common[0].get(name, 0.0)
            parts = (0.0, 0.0, difference) if left else (shared, difference - shared, 0.0)
            rows.append((name, inside, old, new, *parts, difference))
        return pd.DataFrame(rows, columns=["component", "in_objective", *AMOUNTS])

    @property
    def difference_yuan(self) -> float:
        """Difference of all that the plans pay, constants too."""
        return self._paid(self.after) - self._paid(self.before)

    @property
    def saving(self) -> Saving | None:
        """What `after` saves on the work that both serve; None where one of them is a relaxation and saves nothing."""
        if self.before.certificate.divisible or self.after.certificate.divisible:
            return None
        old, new = common_costs(self.before, self.after)
        return Saving(plan_yuan=sum(new.values()), baseline_yuan=sum(old.values()))

    def to_dict(self) -> dict[str, Any]:
        """Plain values, ready for JSON."""
        saving = self.saving
        return {
            "before": side(self.before),
            "after": side(self.after),
            "difference_yuan": self.difference_yuan,
            "common_work": None
            if saving is None
            else {
                "before_yuan": saving.baseline_yuan,
                "after_yuan": saving.plan_yuan,
                "saving_share": saving.share,
            },
            "inputs": plan_tables.records(self.inputs),
            "waterfall": plan_tables.records(self.waterfall),
            "flows": plan_tables.records(self.flows),
        }

    @staticmethod
    def _paid(plan: Plan) -> float:
        return plan.objective_yuan + plan.problem.constants_yuan


AMOUNTS = ("before_yuan", "after_yuan", "common_yuan", "other_yuan", "unserved_yuan", "difference_yuan")


def side(plan: Plan) -> dict[str, Any]:
    """Say what a plan is, for a comparison's record."""
    certificate = plan.certificate
    return {
        "scenario": None if plan.scenario is None else plan.scenario.name,
        "engine": plan.engine,
        "status": certificate.status,
        "divisible": certificate.divisible,
        "objective_yuan": certificate.objective_yuan,
        "bound_yuan": certificate.bound_yuan if certificate.bound_yuan > float("-inf") else None,
        "constants_yuan": plan.problem.constants_yuan,
        "unserved_share": plan.unserved_share,
        "carbon_t": (plan.component_costs.carbon_kg + plan.component_costs.floor_kg) / 1000.0,
    }
