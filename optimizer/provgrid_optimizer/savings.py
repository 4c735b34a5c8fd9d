"""What one plan saves against another, on the work that both serve."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from provgrid_models.errors import ArrayError, OptionError
from provgrid_optimizer.evaluate import cluster_kwh, power_yuan

if TYPE_CHECKING:
    from provgrid_models.problem import Bools, Floats, Problem
    from provgrid_optimizer.allocation import Allocation
    from provgrid_optimizer.plan import Plan

SERVED = 1.0 - 1e-9  # a job counts as served from this share of it on


@dataclass(frozen=True, kw_only=True)
class Saving:
    """Cost of the work that both plans serve, by plan.

    `share` is 1 - plan_yuan / baseline_yuan; None where the baseline serves the common work for nothing or less.
    """

    plan_yuan: float
    baseline_yuan: float

    @property
    def share(self) -> float | None:
        """Saved part of the baseline's cost."""
        return 1.0 - self.plan_yuan / self.baseline_yuan if self.baseline_yuan > 0 else None


def saving(plan: Plan, baseline: Plan) -> Saving:
    """Compare two indivisible plans of one problem on the work that both serve.

    A job is common if both plans serve it. Of a service in a period, the smaller of the two served amounts is common,
    taken from each plan's pools in proportion. Common work carries its own network cost, rent and
    subsidy, and of each cluster's energy, carbon and demand charge (above the idle floor) the share of its
    kilowatt-hours in those of all work there. Unserved value is left out: what a plan does not serve is no saving.

    Raises
    ------
    OptionError : one of the plans is divisible; the cost of a relaxation is an ideal, never a saving.
    ArrayError : the plans belong to problems of different sizes.
    """
    for one in (plan, baseline):
        if one.certificate.divisible:
            raise OptionError(f"{one.engine} is a relaxation, an ideal and no saving; compare plans instead")
    problem = plan.problem
    problem.check_same_sizes("capacity of the baseline", baseline.problem.capacity, problem.capacity.shape)
    if (problem.n_jobs, problem.n_services) != (baseline.problem.n_jobs, baseline.problem.n_services):
        raise ArrayError("the plans serve different jobs or services; compare plans of one scenario")
    jobs = (plan.allocation.served_share(problem) >= SERVED) & (baseline.allocation.served_share(problem) >= SERVED)
    units = np.minimum(_served_units(problem, plan.allocation), _served_units(problem, baseline.allocation))
    return Saving(
        plan_yuan=_common_yuan(plan, jobs, units),
        baseline_yuan=_common_yuan(baseline, jobs, units),
    )


def _served_units(problem: Problem, allocation: Allocation) -> Floats:
    """Service units that a plan serves, shape (S, T)."""
    served = np.zeros(problem.demand.shape)
    np.add.at(served, (allocation.serve_service, allocation.serve_period), allocation.serve_units)
    return served


def _common_yuan(plan: Plan, jobs: Bools, units: Floats) -> float:
    """Network, rent, subsidy and power cost of the common jobs (J,) and service units (S, T) in one plan."""
    problem, allocation = plan.problem, plan.allocation
    common = jobs[allocation.job]
    one_off = allocation.share * problem.one_off_yuan(allocation.job, allocation.pool)
    service, pool, period = allocation.serve_service, allocation.serve_pool, allocation.serve_period
    served = _served_units(problem, allocation)
    part = np.divide(units, served, out=np.zeros_like(units), where=served > 0)[service, period]
    sent = problem.hours[period] * problem.unit_yuan[service, pool] * allocation.serve_units * part

    accelerators = np.zeros(problem.capacity.shape)
    held = allocation.run_accelerators * common[allocation.run_placement]
    np.add.at(accelerators, (allocation.pool[allocation.run_placement], allocation.run_period), held)
    serving = allocation.serve_units * part / problem.service_rate[service, pool]
    np.add.at(accelerators, (pool, period), serving)
    of_common = cluster_kwh(problem, accelerators)
    of_all = cluster_kwh(problem, plan.usage.job_accelerators + plan.usage.service_accelerators)
    share = np.divide(of_common, of_all, out=np.zeros_like(of_all), where=of_all > 0)
    return float(one_off[common].sum() + sent.sum() + power_yuan(problem, allocation) @ share)
