"""All work of a plan in one table: who asks, in which class, where and when it runs, and what power it draws."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from provgrid.report.figures.names import ids

if TYPE_CHECKING:
    from provgrid_models.problem import Floats
    from provgrid_optimizer.plan import Plan

RIGID, ELASTIC, SERVICE = "training_rigid", "training_elastic", "service"
MOST_CLASSES = 7  # that a reader can tell apart
OTHER = "other_services"


def work(plan: Plan) -> pd.DataFrame:
    """Return a row for each job or service, pool and period with work in it.

    Columns: demand_class, region, pool, cluster (categories in the problem's order), period, accelerators,
    accelerator_h (real hours: a period counts as many times as it stands for), energy_kwh (at the meter, above the idle
    floor).
    """
    problem, training, inference = plan.problem, plan.training, plan.inference
    names = {
        "job": ids(problem.labels.jobs, problem.n_jobs),
        "service": ids(problem.labels.services, problem.n_services),
        "pool": ids(problem.labels.pools, problem.n_pools),
    }
    job, service = _codes(training["job"], names["job"]), _codes(inference["service"], names["service"])
    pool = np.concatenate([_codes(table["pool"], names["pool"]) for table in (training, inference)])
    period = np.concatenate([training["period"], inference["period"]]).astype(np.int64)
    held = np.concatenate([training["accelerators"], inference["accelerators"]]).astype(np.float64)
    classes, of_service = _service_classes(plan)
    demand_class = np.concatenate([np.where(problem.rigid[job], 0, 1), of_service[service] + 2])
    origin = np.concatenate([problem.job_origin[job], problem.service_origin[service]])
    hours = held * problem.hours[period]
    return pd.DataFrame(
        {
            "demand_class": _category(demand_class, [RIGID, ELASTIC, *classes]),
            "region": _category(origin, ids(problem.labels.origins, problem.n_origins)),
            "pool": _category(pool, names["pool"]),
            "cluster": _category(problem.pool_cluster[pool], ids(problem.labels.clusters, problem.n_clusters)),
            "period": period,
            "accelerators": held,
            "accelerator_h": hours,
            "energy_kwh": hours * problem.kw_per_accelerator[pool, period],
        }
    )


def by_cluster(plan: Plan, of_pools: Floats) -> Floats:
    """Sum an array of shape (P, T) over the pools of each cluster, shape (C, T)."""
    found = np.zeros((plan.problem.n_clusters, plan.problem.n_periods))
    np.add.at(found, plan.problem.pool_cluster, of_pools)
    return found


def used_accelerators(plan: Plan) -> Floats:
    """Accelerators in use in each pool and period, shape (P, T), from the plan's tables."""
    problem, used = plan.problem, np.zeros(plan.problem.capacity.shape)
    names = ids(problem.labels.pools, problem.n_pools)
    for table in (plan.training, plan.inference):
        at = _codes(table["pool"], names), table["period"].to_numpy()
        np.add.at(used, at, table["accelerators"].to_numpy(float))
    return used


def _category(codes: np.ndarray, names: list[str]) -> pd.Categorical[str]:
    return pd.Categorical.from_codes(codes.astype(np.int64), pd.Index(names))


def _codes(column: pd.Series, names: list[str]) -> np.ndarray:
    """Position of each name in `names`."""
    codes, known = pd.factorize(column)
    return np.asarray(pd.Index(names).get_indexer(pd.Index(known.astype(str))), dtype=np.int64)[codes]


def _service_classes(plan: Plan) -> tuple[list[str], np.ndarray]:
    """Classes of the services, the largest demand first, and the class of each service, shape (S,).

    Where there are too many to tell apart, the smallest share a class of their own.
    """
    problem, scenario = plan.problem, plan.scenario
    if scenario is None:
        return [SERVICE], np.zeros(problem.n_services, dtype=np.int64)
    known = dict(zip(scenario.services["id"], scenario.services["slo_class"], strict=True))
    of_service = pd.Series([known[name] or SERVICE for name in ids(problem.labels.services, problem.n_services)])
    asked = pd.Series(problem.demand @ problem.hours).groupby(of_service).sum().sort_values(ascending=False)
    most = MOST_CLASSES - 2
    kept = list(asked.index) if len(asked) <= most else [*asked.index[: most - 1], OTHER]
    place = {name: kept.index(name) if name in kept else len(kept) - 1 for name in asked.index}
    return kept, of_service.map(place).to_numpy(dtype=np.int64)
