"""Rows of the report's tables, as frames: one function a table, each from a plan and what stands beside it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from provgrid.report.scarcity import one_more_yuan
from provgrid_optimizer.answers.ledger import provinces
from provgrid_optimizer.evaluate import power_parts

if TYPE_CHECKING:
    from collections.abc import Sequence

    from provgrid.report.subject import Subject
    from provgrid_models.problem import Floats, Ints, Problem

FULL = 1.0 - 1e-6  # a pool or link counts as full from this share of what it has
ROUNDING_YUAN_PER_H = 1e-6  # a price below this is none
WORTHLESS_YUAN = 0.01  # what a horizon's sum must reach to be worth a word
SECONDS_PER_H = 3600.0
GB_PER_GBPS_H = 450.0  # 3600 s / 8 bit


def ids(labels: Sequence[str] | None, count: int) -> list[str]:
    """Names of all rows of one kind; their numbers where the problem came without names."""
    return [str(k) for k in range(count)] if labels is None else list(labels)


def ratio(part: Floats, whole: Floats) -> Floats:
    """Divide where there is something to divide by, 0 elsewhere."""
    return np.divide(part, whole, out=np.zeros(np.shape(part)), where=np.asarray(whole) > 0)


def policies(subject: Subject) -> pd.DataFrame:
    """List the plan, the policies and the bound: cost, what the plan saves against each, unserved work and carbon."""
    plan, certificate = subject.plan, subject.certificate
    rows: list[dict[str, Any]] = [
        {
            "way": "this_plan",
            "cost_yuan": certificate.objective_yuan,
            "plan_saving": np.nan,
            "unserved_share": plan.unserved_share,
            "carbon_t": plan.component_costs.carbon_kg / 1000.0,
        }
    ]
    rows += [
        {
            "way": name,
            "cost_yuan": one.objective_yuan,
            "plan_saving": subject.savings.get(name, np.nan),
            "unserved_share": one.unserved_share,
            "carbon_t": one.component_costs.carbon_kg / 1000.0,
        }
        for name, one in sorted(subject.policies.items(), key=lambda item: item[1].objective_yuan)
    ]
    if np.isfinite(certificate.bound_yuan):
        rows.append({"way": "bound", "cost_yuan": certificate.bound_yuan})
    return pd.DataFrame(rows).astype({"plan_saving": float})


def costs(subject: Subject) -> pd.DataFrame:
    """List the cost by component, and the constants that stand beside the objective."""
    table, objective = subject.plan.costs, subject.certificate.objective_yuan
    share = np.where(table["in_objective"], table["cost_yuan"] / objective if objective else 0.0, np.nan)
    counts = np.where(table["in_objective"], "in_objective", "beside")
    return pd.DataFrame(
        {"component": table["component"], "counts": counts, "cost_yuan": table["cost_yuan"], "cost_share": share}
    )


def used_accelerators(subject: Subject) -> Floats:
    """Accelerators that work holds in each pool and period, shape (P, T)."""
    return np.asarray(subject.plan.usage.job_accelerators + subject.plan.usage.service_accelerators)


def clusters(subject: Subject) -> pd.DataFrame:
    """Say what each cluster has, how much of it works, what it draws and what that costs."""
    plan, problem = subject.plan, subject.plan.problem
    hours = problem.hours
    parts = power_parts(problem, plan.allocation)

    def of_pools(values: Floats) -> Floats:
        return np.bincount(problem.pool_cluster, weights=values, minlength=problem.n_clusters).astype(np.float64)

    def of_blocks(values: Floats, only: Any = slice(None)) -> Floats:
        kept = np.zeros(problem.n_blocks)
        kept[only] = values[only]
        return np.bincount(problem.block_cluster, weights=kept, minlength=problem.n_clusters).astype(np.float64)

    held = of_pools(used_accelerators(subject) @ hours)
    offered = of_pools(problem.capacity @ hours)
    kwh = plan.allocation.block_kw @ hours
    drawn = of_blocks(kwh)
    frame = pd.DataFrame(
        {
            "cluster": ids(problem.labels.clusters, problem.n_clusters),
            "accelerators": of_pools(problem.largest_capacity),
            "accelerator_h": held,
            "utilisation": ratio(held, offered),
            "training_share": ratio(of_pools(plan.usage.job_accelerators @ hours), held),
            "energy_mwh": drawn / 1000.0,
            "contract_share": ratio(of_blocks(kwh, ~problem.block_is_grid), drawn),
            "grid_peak_mw": plan.allocation.peak_kw / 1000.0,
            "power_cost_yuan": parts.energy_yuan + parts.carbon_yuan + parts.demand_charge_yuan,
            "carbon_t": parts.kg / 1000.0,
        }
    )
    if plan.scenario is not None:
        frame.insert(1, "province", [one.province for one in plan.scenario.clusters])
        frame.insert(2, "tier", [one.tier for one in plan.scenario.clusters])
    return frame


def pools(subject: Subject) -> pd.DataFrame:
    """Say what each pool has, how full it is, and what one more accelerator would be worth, idle power taken off."""
    problem, hours = subject.plan.problem, subject.plan.problem.hours
    held, found = used_accelerators(subject), subject.scarcity
    price = subject.plan.multipliers.accelerator
    return pd.DataFrame(
        {
            "pool": ids(problem.labels.pools, problem.n_pools),
            "accelerators": problem.largest_capacity,
            "accelerator_h": held @ hours,
            "utilisation": ratio(held @ hours, problem.capacity @ hours),
            "full_h": ((held >= FULL * problem.capacity) & (problem.capacity > 0)) @ hours,
            "mean_price_yuan_per_accelerator_h": price @ hours / hours.sum(),
            "highest_price_yuan_per_accelerator_h": price.max(axis=1),
            "one_more_yuan": one_more_yuan(found, problem, subject.plan.scenario),
            "one_more_h": (found.yuan_per_h > ROUNDING_YUAN_PER_H) @ hours,
        }
    )


def jobs(subject: Subject) -> pd.DataFrame:
    """Say where each training job lives, from when to when; one row for what is left of each that is not served."""
    plan, problem = subject.plan, subject.plan.problem
    table = plan.jobs
    position = {name: k for k, name in enumerate(ids(problem.labels.jobs, problem.n_jobs))}
    at = np.array([position[str(name)] for name in table["job"]], dtype=np.int64)
    frame = pd.DataFrame({"job": table["job"].astype(str)})
    if plan.scenario is not None:
        given = plan.scenario.jobs.set_index("id").loc[table["job"]]
        for column in ("tenant", "region", "family"):
            frame[column] = given[column].to_numpy()
    frame["pool"] = table["pool"].to_numpy()
    frame["share"] = table["share"].to_numpy()
    frame["accelerator_h"] = table["accelerator_h"].to_numpy()
    frame["first_period"] = table["first_period"].where(table["first_period"] >= 0).to_numpy()
    frame["last_period"] = table["last_period"].where(table["last_period"] >= 0).to_numpy()
    frame["latest_period"] = problem.deadline[at] - 1
    if (problem.after >= 0).any():
        names = np.array([*position, ""], dtype=object)
        frame["base"] = names[problem.after[at]]
    return frame


def services(subject: Subject) -> pd.DataFrame:
    """Say what each inference service asks, how much of it is served, and where most of it is."""
    plan, problem = subject.plan, subject.plan.problem
    asked = problem.demand @ problem.hours
    left = plan.allocation.unserved_units(problem) @ problem.hours
    hours = np.zeros((problem.n_services, problem.n_pools))
    allocation = plan.allocation
    units = allocation.serve_units * problem.hours[allocation.serve_period]
    held = units * problem.accelerators_per_unit[allocation.serve_service, allocation.serve_pool]
    np.add.at(hours, (allocation.serve_service, allocation.serve_pool), held)
    names = ids(problem.labels.services, problem.n_services)
    frame = pd.DataFrame({"service": names})
    if plan.scenario is not None:
        given = plan.scenario.services.set_index("id").loc[names]
        for column in ("tenant", "region", "family", "slo_class", "slo_metric", "slo_ms"):
            frame[column] = given[column].to_numpy()
    pool = np.array([*ids(problem.labels.pools, problem.n_pools), None], dtype=object)
    most = np.where(hours.max(axis=1, initial=0.0) > 0, hours.argmax(axis=1), -1) if problem.n_pools else 0
    frame["asked_mtokens"] = asked * SECONDS_PER_H / 1e6
    frame["served_share"] = 1.0 - ratio(left, asked)
    frame["accelerator_h"] = hours.sum(axis=1)
    frame["most_in_pool"] = pool[most]
    frame["most_in_pool_share"] = ratio(hours.max(axis=1, initial=0.0), hours.sum(axis=1))
    return frame


def links(subject: Subject) -> pd.DataFrame:
    """Say how much each link carries, how full it gets, and what one more Gbit/s would be worth."""
    problem, hours = subject.plan.problem, subject.plan.problem.hours
    carried, price = subject.plan.usage.traffic_gbps, subject.plan.multipliers.link
    limit = problem.link_gbps
    bounded = np.isfinite(limit) & (limit > 0)
    load = np.where(bounded, carried.max(axis=1, initial=0.0) / np.where(bounded, limit, 1.0), np.nan)
    return pd.DataFrame(
        {
            "link": ids(problem.labels.links, problem.n_links),
            "bandwidth_gbps": np.where(np.isfinite(limit), limit, np.nan),
            "carried_gb": carried @ hours * GB_PER_GBPS_H,
            "mean_gbps": carried @ hours / hours.sum(),
            "highest_load_share": load,
            "full_h": (carried >= FULL * limit[:, None]) @ hours,
            "one_more_gbps_yuan": price @ hours,
        }
    )


def held_by_pair(subject: Subject) -> pd.DataFrame:
    """List the accelerator-hours held by pair of provinces: from_province, to_province, accelerator_h."""
    plan, problem, allocation = subject.plan, subject.plan.problem, subject.plan.allocation
    held = np.zeros((problem.n_origins, problem.n_pools))
    run = allocation.run_placement
    hours = allocation.run_accelerators * problem.hours[allocation.run_period]
    np.add.at(held, (problem.job_origin[allocation.job[run]], allocation.pool[run]), hours)
    service, pool = allocation.serve_service, allocation.serve_pool
    units = allocation.serve_units * problem.hours[allocation.serve_period]
    np.add.at(held, (problem.service_origin[service], pool), units * problem.accelerators_per_unit[service, pool])
    home, there = provinces(plan)
    frame = pd.DataFrame(
        {
            "from_province": np.repeat(home, problem.n_pools),
            "to_province": np.tile(there, problem.n_origins),
            "accelerator_h": held.ravel(),
        }
    )
    return frame.groupby(["from_province", "to_province"], as_index=False).sum()


def ledger(subject: Subject) -> pd.DataFrame:
    """Say who computes for whom, by pair of provinces; money in one column."""
    table = subject.plan.ledger
    money = ["energy_yuan", "carbon_yuan", "demand_charge_yuan", "transfer_yuan", "rent_yuan", "subsidy_yuan"]
    return pd.DataFrame(
        {
            "from_province": table["from_province"],
            "to_province": table["to_province"],
            "jobs": table["jobs"],
            "accelerator_h": table["accelerator_h"],
            "moved_gb": table["gb"],
            "energy_mwh": table["energy_kwh"] / 1000.0,
            "tariff_yuan_per_kwh": table["tariff_yuan_per_kwh"],
            "carbon_t": table["kg"] / 1000.0,
            "cost_yuan": table[money].sum(axis=1),
        }
    )


def contracts(subject: Subject) -> pd.DataFrame:
    """List the energy that each contract offered, and how much of it nobody took."""
    table = subject.plan.curtailed
    return pd.DataFrame(
        {
            "cluster": table["cluster"].astype(str),
            "energy": table["energy"].astype(str),
            "offered_mwh": table["offered_kwh"] / 1000.0,
            "taken_mwh": table["taken_kwh"] / 1000.0,
            "curtailed_share": table["curtailed_share"],
        }
    )


def open_pools(problem: Problem, some_jobs: Ints) -> Ints:
    """Count how many pools are open to each of these jobs."""
    return np.asarray((problem.reasons(some_jobs) == 0).sum(axis=1), dtype=np.int64)
