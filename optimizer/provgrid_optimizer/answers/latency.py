"""How near a plan's services are served: round trips, and how far each SLO is used."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from provgrid_models.bindings import Bindings
from provgrid_models.compile_services import metrics_ms
from provgrid_models.sites import compile_sites

if TYPE_CHECKING:
    from provgrid_models.problem import Floats
    from provgrid_models.scenario import Scenario
    from provgrid_optimizer.plan import Plan


@dataclass(frozen=True, kw_only=True)
class Nearness:
    """Round trip of the served tokens on average, and the largest share of its SLO that a service's metric takes.

    Both are NaN where no token is served.
    """

    mean_round_trip_ms: float
    slo_share: float


def nearness(plan: Plan, slo_of: Scenario | None = None) -> Nearness:
    """Look up how near a plan serves; shares are of the SLOs of `slo_of`, by default the plan's own scenario."""
    scenario, problem, allocation = plan.scenario, plan.problem, plan.allocation
    if scenario is None or not allocation.serve_service.size:
        return Nearness(mean_round_trip_ms=float("nan"), slo_share=float("nan"))
    services = slo_of.services if slo_of is not None else scenario.services
    row = {name: i for i, name in enumerate(services["id"])}
    of = np.array([row[name] for name in problem.labels.services or ()], dtype=np.int64)
    round_trip = compile_sites(scenario).round_trip_ms[problem.service_origin]
    service, pool = allocation.serve_service, allocation.serve_pool
    tokens = allocation.serve_units * problem.hours[allocation.serve_period]
    return Nearness(
        mean_round_trip_ms=float(tokens @ round_trip[service, pool] / tokens.sum()),
        slo_share=float(slo_shares(replace(scenario, services=services))[of[service], pool].max()),
    )


def slo_shares(scenario: Scenario) -> Floats:
    """Metric of each service in each pool over its SLO, shape (services, P); NaN where it is not known."""
    values_ms = metrics_ms(scenario, compile_sites(scenario), Bindings.of(scenario))
    return np.asarray(values_ms / scenario.services["slo_ms"].to_numpy(dtype=np.float64)[:, None], dtype=np.float64)
