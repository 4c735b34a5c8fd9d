"""What one plan saves against another, on the work that both serve."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Protocol

import numpy as np

from provgrid_models.errors import ArrayError, OptionError
from provgrid_optimizer.evaluate import cluster_kwh, network, power_parts, rent, usage

if TYPE_CHECKING:
    from collections.abc import Sequence

    from provgrid_models.problem import Floats, Ints, Problem
    from provgrid_optimizer.allocation import Allocation
    from provgrid_optimizer.evaluate import Usage
    from provgrid_optimizer.plan import Plan

SERVED = 1.0 - 1e-9  # a job counts as served from this share of it on
SAME = 1e-9  # relative: work that differs by less is the same


class Decided(Protocol):
    """What costs are shared out of: a plan, or the bare decisions of one."""

    @property
    def problem(self) -> Problem:
        """What was decided on."""
        ...

    @property
    def allocation(self) -> Allocation:
        """What was decided."""
        ...

    @property
    def usage(self) -> Usage:
        """What the decisions use."""
        ...


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
    """Compare two indivisible plans of the same work, on what both serve; see `common_costs`.

    Unserved value is left out: what a plan does not serve is no saving.

    Raises
    ------
    OptionError : one of the plans is divisible; the cost of a relaxation is an ideal, never a saving.
    ArrayError : the plans belong to different work.
    """
    for one in (plan, baseline):
        if one.certificate.divisible:
            raise OptionError(f"{one.engine} is a relaxation, an ideal and no saving; compare plans instead")
    problem = plan.problem
    problem.check_same_sizes("capacity of the baseline", baseline.problem.capacity, problem.capacity.shape)
    if (problem.n_jobs, problem.n_services) != (baseline.problem.n_jobs, baseline.problem.n_services):
        raise ArrayError("the plans serve different jobs or services; compare plans of one scenario")
    return saving_of(plan, baseline)


def saving_of(plan: Decided, baseline: Decided) -> Saving:
    """Compare two indivisible plans, or the bare decisions of such, on the work that both serve; see `saving`."""
    mine, theirs = common_costs(plan, baseline)
    return Saving(plan_yuan=sum(mine.values()), baseline_yuan=sum(theirs.values()))


def common_costs(plan: Decided, other: Decided) -> tuple[dict[str, float], dict[str, float]]:
    """Return what the work that both plans serve costs in each, in yuan by component.

    A job is common as far as both plans serve it: whole or not at all in indivisible plans. Of a service in a period,
    the smaller of the two served amounts is common, taken from each plan's pools in proportion. Common work carries its
    own network cost, rent and subsidy, and of each cluster's energy, carbon and demand charge (above the idle floor)
    the share of its kilowatt-hours in those of all work there. Work of two problems is the same where it has the same
    name and the same size; where their periods differ, nothing is.
    """
    jobs, services = _matched(plan.problem, other.problem)
    shares = [_shares(one, at) for one, at in zip((plan, other), jobs, strict=True)]
    units = [_units(one, at) for one, at in zip((plan, other), services, strict=True)]
    share = np.minimum(*shares)
    unit = np.minimum(*units) if services[0].size else np.zeros(0)  # where periods differ, rows are of two lengths
    one, two = (
        _costs_of(one, _spread(share, job, (one.problem.n_jobs,)), _spread(unit, service, one.problem.demand.shape))
        for one, job, service in zip((plan, other), jobs, services, strict=True)
    )
    return one, two


def _matched(one: Problem, two: Problem) -> tuple[tuple[Ints, Ints], tuple[Ints, Ints]]:
    """Return the ids of jobs that are the same in both problems, and those of services."""
    if one is two:
        every_job, every_service = np.arange(one.n_jobs), np.arange(one.n_services)
        return (every_job, every_job), (every_service, every_service)
    if one.hours.shape != two.hours.shape or not np.allclose(one.hours, two.hours, rtol=SAME):
        nothing = np.zeros(0, dtype=np.int64)
        return (nothing, nothing), (nothing, nothing)
    jobs = _same_names(one.labels.jobs, one.n_jobs, two.labels.jobs, two.n_jobs)
    old, new = (p.work_pflop_h[at] * p.job_weight[at] for p, at in zip((one, two), jobs, strict=True))
    same = np.isclose(old, new, rtol=SAME, atol=0.0)
    services = _same_names(one.labels.services, one.n_services, two.labels.services, two.n_services)
    return (jobs[0][same], jobs[1][same]), services


def _same_names(one: Sequence[str] | None, n_one: int, two: Sequence[str] | None, n_two: int) -> tuple[Ints, Ints]:
    """Return the ids of what is called the same, in two problems; ids are names where there are none."""
    names = list(one if one is not None else range(n_one)), list(two if two is not None else range(n_two))
    at = {name: i for i, name in enumerate(names[1])}
    pairs = [(i, at[name]) for i, name in enumerate(names[0]) if name in at]
    found = np.array(pairs, dtype=np.int64).reshape(len(pairs), 2)
    return found[:, 0], found[:, 1]


def _shares(plan: Decided, jobs: Ints) -> Floats:
    """Share of each of these jobs that a plan serves; in an indivisible plan all of it or nothing."""
    share = plan.allocation.served_share(plan.problem)[jobs]
    return share if plan.allocation.divisible else (share >= SERVED).astype(np.float64)


def _units(plan: Decided, services: Ints) -> Floats:
    """Service units that a plan serves of these services, shape (n, T)."""
    return _served_units(plan.problem, plan.allocation)[services]


def _spread(values: Floats, at: Ints, shape: tuple[int, ...]) -> Floats:
    """Put values at their ids, 0 elsewhere."""
    spread = np.zeros(shape)
    if at.size:
        spread[at] = values
    return spread


def _served_units(problem: Problem, allocation: Allocation) -> Floats:
    """Service units that a plan serves, shape (S, T)."""
    served = np.zeros(problem.demand.shape)
    np.add.at(served, (allocation.serve_service, allocation.serve_period), allocation.serve_units)
    return served


def _costs_of(plan: Decided, share: Floats, units: Floats) -> dict[str, float]:
    """Yuan by component of these shares of jobs (J,) and service units (S, T) in one plan."""
    problem, common = plan.problem, _part(plan, share, units)
    job_rent, service_rent, job_public, service_public = rent(problem, common)
    held, all_held = usage(problem, common), plan.usage
    of_common = cluster_kwh(problem, held.job_accelerators + held.service_accelerators)
    of_all = cluster_kwh(problem, all_held.job_accelerators + all_held.service_accelerators)
    part = np.divide(of_common, of_all, out=np.zeros_like(of_all), where=of_all > 0)
    power = power_parts(problem, plan.allocation)
    return {
        "energy": float(power.energy_yuan @ part),
        "carbon": float(power.carbon_yuan @ part),
        "demand_charge": float(power.demand_charge_yuan @ part),
        "network": sum(network(problem, common)),
        "rent": job_rent + service_rent,
        "subsidy": 0.0 - (job_public + service_public),
    }


def _part(plan: Decided, share: Floats, units: Floats) -> Allocation:
    """Return so much of the allocation as these shares of jobs (J,) and service units (S, T) are."""
    problem, allocation = plan.problem, plan.allocation
    whole, served = allocation.served_share(problem), _served_units(problem, allocation)
    of_job = np.divide(share, whole, out=np.zeros_like(share), where=whole > 0)[allocation.job]
    of_unit = np.divide(units, served, out=np.zeros_like(units), where=served > 0)
    return replace(
        allocation,
        share=allocation.share * of_job,
        run_accelerators=allocation.run_accelerators * of_job[allocation.run_placement],
        serve_units=allocation.serve_units * of_unit[allocation.serve_service, allocation.serve_period],
    )
