"""The latency ladder: what it costs that services must be near, step by step as every SLO is relaxed.

A plan that keeps a tighter limit keeps a looser one. So no step costs more than the one before: where the engine finds
nothing better, the plan of the step before stands.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from provgrid_models.errors import OptionError
from provgrid_optimizer.answers.worth import Bench, with_fixed_values

if TYPE_CHECKING:
    from collections.abc import Sequence

    from provgrid_models.scenario import Scenario
    from provgrid_optimizer.plan import Plan

STEPS_MS = (5.0, 10.0, 20.0, 50.0, 100.0)


@dataclass(frozen=True, kw_only=True)
class Rung:
    """A step of the ladder: every SLO `added_ms` looser.

    `cost_yuan` is all that the plan pays, constants too; no plan pays less than `bound_yuan` (-inf without a bound).
    `never_served_yuan` is among the constants: work that no pool could ever serve, which is not in `unserved_share`.
    `opened_pairs` counts services and pools that the tightest step keeps apart; `unlocked_accelerator_h` is the service
    work that runs in such pairs.
    """

    added_ms: float
    cost_yuan: float
    bound_yuan: float
    unserved_share: float
    never_served_yuan: float
    opened_pairs: int
    unlocked_accelerator_h: float


@dataclass(frozen=True, kw_only=True)
class Ladder:
    """Rungs from the scenario's own SLOs to the loosest. `divisible` = the costs are ideals of a relaxation."""

    engine: str
    divisible: bool
    rungs: tuple[Rung, ...]

    @property
    def table(self) -> pd.DataFrame:
        """One row for each rung, with what it saves against the first: saved_yuan."""
        table = pd.DataFrame([vars(rung) for rung in self.rungs])
        return table.assign(saved_yuan=table["cost_yuan"].iloc[0] - table["cost_yuan"])

    def to_dict(self) -> dict[str, Any]:
        """Plain values, ready for JSON."""
        rows = [
            {name: value if np.isfinite(value) else None for name, value in row.items()}
            for row in self.table.to_dict("records")
        ]
        return {"engine": self.engine, "divisible": self.divisible, "rungs": rows}


def latency_ladder(scenario: Scenario, added_ms: Sequence[float] = STEPS_MS, bench: Bench | None = None) -> Ladder:
    """Plan a scenario with its own SLOs, and with all of them looser by each of these steps [ms].

    Raises
    ------
    OptionError : the scenario holds no service to an SLO, or a step is not above 0.
    """
    if not len(scenario.services) or not scenario.settings.switches.latency:
        raise OptionError(
            f"scenario {scenario.name} holds no service to an SLO, nothing to relax; give one a metric and slo_ms"
        )
    steps = sorted({float(step) for step in added_ms})
    if not steps or not np.isfinite(steps).all() or steps[0] <= 0:
        raise OptionError("a ladder needs steps above 0 ms, such as 5, 10, 20; give some of those")
    bench, fixed = bench or Bench(), with_fixed_values(scenario)
    first = bench.plan(fixed)
    rungs = [_rung(0.0, first, first, None)]
    for step in steps:
        rungs.append(_rung(step, bench.plan(relaxed_by(fixed, step)), first, rungs[-1]))
    return Ladder(engine=bench.engine, divisible=first.certificate.divisible, rungs=tuple(rungs))


def relaxed_by(scenario: Scenario, added_ms: float) -> Scenario:
    """Return the scenario with every SLO so much looser."""
    services = scenario.services.assign(slo_ms=scenario.services["slo_ms"] + added_ms)
    return replace(scenario, services=services)


def _rung(added_ms: float, plan: Plan, first: Plan, before: Rung | None) -> Rung:
    """Describe a step, or carry the plan of the one before over where that is no dearer."""
    constants, was = plan.problem.constants_yuan, _rates(first, plan)
    closed, opened = was <= 0, plan.problem.service_rate > 0
    service, pool = plan.allocation.serve_service, plan.allocation.serve_pool
    hours = plan.allocation.serve_units * plan.problem.hours[plan.allocation.serve_period]
    held = hours * plan.problem.accelerators_per_unit[service, pool]
    found = Rung(
        added_ms=added_ms,
        cost_yuan=plan.objective_yuan + constants,
        bound_yuan=plan.certificate.bound_yuan + constants,
        unserved_share=plan.unserved_share,
        never_served_yuan=plan.problem.never_served_yuan,
        opened_pairs=int((closed & opened).sum()),
        unlocked_accelerator_h=float(held[closed[service, pool]].sum()),
    )
    if before is None or found.cost_yuan <= before.cost_yuan:
        return found
    return replace(before, added_ms=added_ms, bound_yuan=found.bound_yuan, opened_pairs=found.opened_pairs)


def _rates(first: Plan, plan: Plan) -> np.ndarray:
    """Rates of the first plan's services in the order of another's, which may have more; 0 where there was none."""
    known = {name: row for row, name in enumerate(first.problem.labels.services or ())}
    rows = [known.get(name, -1) for name in plan.problem.labels.services or ()]
    rates = np.vstack([first.problem.service_rate, np.zeros((1, plan.problem.n_pools))])
    return np.asarray(rates[rows])
