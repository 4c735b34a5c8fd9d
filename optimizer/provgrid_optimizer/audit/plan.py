"""The plan as the audit reads it: plain rows of integers and numbers, and what was claimed about them."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from provgrid_models.problem import Labels
    from provgrid_optimizer.allocation import Allocation
    from provgrid_optimizer.multipliers import Multipliers

Integers = NDArray[np.integer[Any]]
Floats = NDArray[np.float64]


@dataclass(frozen=True, kw_only=True)
class Names:
    """Ids behind the integers of a plan or a case, in index order. `None` means that integers stand for themselves.

    A block is named `cluster/block`, with `#2`, `#3`, ... where a cluster has several of one name.
    """

    jobs: Sequence[str] | None = None
    services: Sequence[str] | None = None
    pools: Sequence[str] | None = None
    clusters: Sequence[str] | None = None
    blocks: Sequence[str] | None = None
    links: Sequence[str] | None = None

    def of(self, kind: str, index: int) -> str:
        """Name of one thing, e.g. `of("job", 3)` is "job qwen-7b" or "job 3"."""
        names: Sequence[str] | None = getattr(self, f"{kind}s")
        return f"{kind} {index if names is None or not 0 <= index < len(names) else names[index]}"

    @classmethod
    def from_labels(cls, labels: Labels, block_cluster: Integers | None = None) -> Names:
        """Names that a compiled problem's labels give; blocks stay numbers without their clusters."""
        return cls(
            jobs=labels.jobs,
            services=labels.services,
            pools=labels.pools,
            clusters=labels.clusters,
            blocks=None
            if block_cluster is None or labels.blocks is None
            else block_names(labels.clusters, labels.blocks, block_cluster),
            links=labels.links,
        )


def block_names(clusters: Sequence[str] | None, blocks: Sequence[str], block_cluster: Integers) -> list[str]:
    """`cluster/block` of every block, repeats told apart; clusters are numbers where they have no names."""
    seen: dict[str, int] = {}
    names = []
    for cluster, block in zip(block_cluster.tolist(), blocks, strict=True):
        name = f"{cluster if clusters is None else clusters[cluster]}/{block}"
        seen[name] = seen.get(name, 0) + 1
        names.append(name if seen[name] == 1 else f"{name}#{seen[name]}")
    return names


@dataclass(frozen=True, kw_only=True)
class PlanPrices:
    """The multipliers saved with a plan: >= 0, indexed as the plan's names say."""

    accelerator: Floats  # (P, T) yuan per accelerator-hour
    peak: Floats  # (C, T) yuan per kW-hour of grid power
    link: Floats  # (L, T) yuan per Gbit/s-hour
    carbon: float  # yuan per kg, on the budget
    after: Floats  # (V, T) yuan per share of a job that comes after another
    vertical: Integers  # (V,) which job that is


def _empty_integers() -> Integers:
    return np.zeros(0, dtype=np.int64)


def _empty_floats() -> Floats:
    return np.zeros(0)


@dataclass(frozen=True, kw_only=True)
class Claims:
    """What a run states beside its rows, costs and bounds, all of which follows from those.

    `figures` holds gap, gap_jobs, unserved_share, jobs_yuan, carbon_kg and floor_kg; `constants` the parts of the
    constants; `captured` is held against `best_policy_yuan`. The columns belong to the placement and serve rows.
    """

    engine: str
    figures: Mapping[str, float]
    constants: Mapping[str, float]
    captured: float | None
    best_policy_yuan: float | None
    placement_accelerator_h: Floats  # (N,)
    serve_accelerators: Floats  # (Y,)


@dataclass(frozen=True, kw_only=True)
class AuditedPlan:
    """A plan and its claims. Rows may come in any order; an index outside its range is an unknown id, not an error.

    Attributes
    ----------
    divisible : which rule set holds: shares may be fractions, or each job lives in one pool.
    placement_* : job, pool and share (N,).
    run_* : job, pool, period and accelerators (M,).
    serve_* : service, pool, period and service units (Y,).
    supply_* : block, period and kW (B * T at most).
    peak_kw : D[c], the grid peak billed, (C,).
    traffic_* : link, period and Gbit/s, as claimed.
    costs : claimed yuan per component; `objective_yuan` is their sum.
    bound_yuan : the best bound claimed; NaN where there is none.
    bound_method : what proves it, as `Certificate` says; only a solver's own may lie above that of the prices.
    bound_prices_yuan : the bound that `prices` are claimed to prove; NaN where there is none.
    claims : what a run states beside; None for a plan that is not a run yet.
    """

    divisible: bool
    names: Names = field(default_factory=Names)
    placement_job: Integers = field(default_factory=_empty_integers)
    placement_pool: Integers = field(default_factory=_empty_integers)
    placement_share: Floats = field(default_factory=_empty_floats)
    run_job: Integers = field(default_factory=_empty_integers)
    run_pool: Integers = field(default_factory=_empty_integers)
    run_period: Integers = field(default_factory=_empty_integers)
    run_accelerators: Floats = field(default_factory=_empty_floats)
    serve_service: Integers = field(default_factory=_empty_integers)
    serve_pool: Integers = field(default_factory=_empty_integers)
    serve_period: Integers = field(default_factory=_empty_integers)
    serve_units: Floats = field(default_factory=_empty_floats)
    supply_block: Integers = field(default_factory=_empty_integers)
    supply_period: Integers = field(default_factory=_empty_integers)
    supply_kw: Floats = field(default_factory=_empty_floats)
    peak_kw: Floats = field(default_factory=_empty_floats)
    traffic_link: Integers = field(default_factory=_empty_integers)
    traffic_period: Integers = field(default_factory=_empty_integers)
    traffic_gbps: Floats = field(default_factory=_empty_floats)
    costs: Mapping[str, float] = field(default_factory=dict)
    objective_yuan: float = math.nan
    constants_yuan: float = math.nan
    bound_yuan: float = math.nan
    bound_method: str = "prices"
    bound_prices_yuan: float = math.nan
    prices: PlanPrices | None = None
    claims: Claims | None = None

    @classmethod
    def from_allocation(
        cls,
        labels: Labels,
        allocation: Allocation,
        *,
        traffic_gbps: Floats,
        costs: Mapping[str, float],
        objective_yuan: float,
        constants_yuan: float,
        bound_yuan: float = math.nan,
        bound_method: str = "prices",
        bound_prices_yuan: float = math.nan,
        multipliers: Multipliers | None = None,
        block_cluster: Integers | None = None,
        claims: Claims | None = None,
    ) -> AuditedPlan:
        """Copy an engine's decisions and what is claimed about them; nothing is computed here.

        `traffic_gbps` is the claimed traffic, shape (L, T); a bound that is missing (-inf) becomes NaN.
        `block_cluster` (B,) names the supply blocks after their clusters; without it they are numbers.
        """
        runs = np.diff(allocation.run_start)
        block, supply_period = np.nonzero(allocation.block_kw)
        link, traffic_period = np.nonzero(traffic_gbps)
        return cls(
            divisible=allocation.divisible,
            names=Names.from_labels(labels, block_cluster),
            placement_job=allocation.job,
            placement_pool=allocation.pool,
            placement_share=allocation.share,
            run_job=np.repeat(allocation.job.astype(np.int32), runs),
            run_pool=np.repeat(allocation.pool.astype(np.int32), runs),
            run_period=allocation.run_period,
            run_accelerators=allocation.run_accelerators,
            serve_service=allocation.serve_service,
            serve_pool=allocation.serve_pool,
            serve_period=allocation.serve_period,
            serve_units=allocation.serve_units,
            supply_block=block,
            supply_period=supply_period,
            supply_kw=allocation.block_kw[block, supply_period],
            peak_kw=allocation.peak_kw,
            traffic_link=link,
            traffic_period=traffic_period,
            traffic_gbps=traffic_gbps[link, traffic_period],
            costs=dict(costs),
            objective_yuan=objective_yuan,
            constants_yuan=constants_yuan,
            bound_yuan=math.nan if bound_yuan == -math.inf else bound_yuan,
            bound_method=bound_method,
            claims=claims,
            bound_prices_yuan=math.nan if bound_prices_yuan == -math.inf else bound_prices_yuan,
            prices=None
            if multipliers is None
            else PlanPrices(
                accelerator=multipliers.accelerator,
                peak=multipliers.peak,
                link=multipliers.link,
                carbon=multipliers.carbon,
                after=multipliers.after,
                vertical=multipliers.vertical,
            ),
        )


def from_allocation(labels: Labels, block_cluster: Integers, allocation: Allocation, **claims: Any) -> AuditedPlan:
    """`AuditedPlan.from_allocation` with the supply blocks named after their clusters."""
    return AuditedPlan.from_allocation(labels, allocation, block_cluster=block_cluster, **claims)
