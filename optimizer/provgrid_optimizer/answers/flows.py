"""Who computes for whom, by kind of work, tenant and region: accelerator-hours and energy at each cluster."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

if TYPE_CHECKING:
    from collections.abc import Sequence

    from provgrid_models.problem import Ints
    from provgrid_optimizer.plan import Plan

KEYS = ["work", "tenant", "region", "cluster"]
NOBODY = "none"


def flows(plan: Plan) -> pd.DataFrame:
    """Return accelerator-hours and MWh above the idle floor by work, tenant, region and cluster.

    Work is `elastic training`, `rigid training`, or the SLO class of a service (`inference` where it has none).
    """
    problem, allocation = plan.problem, plan.allocation
    run, period = allocation.run_placement, allocation.run_period.astype(np.int64)
    job, pool = allocation.job[run], allocation.pool[run]
    trained = _rows(
        plan,
        np.where(problem.rigid[job], "rigid training", "elastic training"),
        problem.job_tenant[job],
        problem.job_origin[job],
        pool,
        period,
        allocation.run_accelerators,
    )
    service, pool = allocation.serve_service, allocation.serve_pool
    served = _rows(
        plan,
        _classes(plan)[service],
        problem.service_tenant[service],
        problem.service_origin[service],
        pool,
        allocation.serve_period,
        allocation.serve_units * problem.accelerators_per_unit[service, pool],
    )
    return pd.concat([trained, served]).groupby(KEYS, as_index=False).sum()


def flow_changes(before: Plan, after: Plan) -> pd.DataFrame:
    """Return the flows that differ between two plans, those of the most accelerator-hours first.

    Columns: work, tenant, region, cluster, and accelerator-hours and MWh before, after, and their difference.
    """
    columns = ["accelerator_h", "mwh"]
    both = flows(before).merge(flows(after), on=KEYS, how="outer", suffixes=("_before", "_after"))
    numbers = [f"{name}_{side}" for name in columns for side in ("before", "after")]
    both[numbers] = both[numbers].astype(np.float64).fillna(0.0)
    for name in columns:
        both[f"{name}_change"] = both[f"{name}_after"] - both[f"{name}_before"]
    size = both["accelerator_h_change"].abs()
    least = 1e-9 * max(float(both[numbers].to_numpy().max(initial=0.0)), 1.0)
    order = np.lexsort((np.arange(len(both)), -size.to_numpy()))
    return both.iloc[order][(size.iloc[order] > least).to_numpy()].reset_index(drop=True)


def _rows(
    plan: Plan, work: Any, tenant: Ints, origin: Ints, pool: Ints, period: Ints, accelerators: Any
) -> pd.DataFrame:
    problem, labels = plan.problem, plan.problem.labels
    hours = accelerators * problem.hours[period]
    return pd.DataFrame(
        {
            "work": np.asarray(work, dtype=object),
            "tenant": np.where(tenant < 0, NOBODY, _names(labels.tenants, np.maximum(tenant, 0))),
            "region": _names(labels.origins, origin),
            "cluster": _names(labels.clusters, problem.pool_cluster[pool]),
            "accelerator_h": hours,
            "mwh": hours * problem.kw_per_accelerator[pool, period] / 1000.0,
        }
    )


def _names(labels: Sequence[str] | None, ids: Ints) -> Any:
    """Names of ids, or the ids as text where there are none."""
    if not labels:
        return ids.astype(str).astype(object)
    return np.asarray(labels, dtype=object)[ids]


def _classes(plan: Plan) -> Any:
    """SLO class of each service."""
    names, scenario = plan.problem.labels.services, plan.scenario
    if names is None or scenario is None:
        return np.full(plan.problem.n_services, "inference", dtype=object)
    of = dict(zip(scenario.services["id"], scenario.services["slo_class"], strict=True))
    return np.array([of.get(name) or "inference" for name in names], dtype=object)
