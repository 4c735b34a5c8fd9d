"""The compiled problem: plain arrays, the only thing that an engine reads.

Index sets: jobs J, pools P, clusters C, periods T, supply blocks B, links L, origins R (places where demand starts),
job classes K, services S. All indices are 0-based integers; `labels` maps them back to names.

With h[t] = period_h * weight[t] and w_j = weight[release_j] the program is (design §2)

    min  sum_j  w_j * (((data_gb + checkpoint_gb)[j] gb_yuan[r_j,p] + a[j,p] held[n_j,p]) z[j,p]
                       + unserved_yuan[j] u[j])
       + sum_st h[t] ((service_yuan[s,p] + held[n_s,p] / service_rate[s,p]) y[s,p,t] + service_unserved_yuan[s] v[s,t])
       + sum_bt h[t] (block_yuan_per_kwh + carbon_yuan_per_kg * block_kg_per_kwh)[b,t] g[b,t]
       + sum_c  demand_charge_yuan_per_kw[c] D[c]  -  floor_yuan
    s.t. work          sum_t period_h n[j,p,t] = a[j,p] z[j,p]      a = work_pflop_h / class_rate_pflops
         start         sum_t s[j,p,t] = z[j,p]                      rigid jobs, duration d = ceil(a / (gang period_h))
         share         sum_p z[j,p] + u[j] = 1
         limit         n[j,p,t] <= max_accelerators[j] z[j,p]
         demand        sum_p y[s,p,t] + v[s,t] = demand[s,t]
         capacity      sum_j n + sum_j gang * running + sum_s y / service_rate <= capacity[p,t]
         balance       sum_{b in c} g[b,t] = floor_kw[c,t] + sum_{p in c} kw_per_accelerator[p,t] * used[p,t]
         supply        0 <= g[b,t] <= block_limit_kw[b,t]
         peak          sum_{grid b in c} g[b,t] <= D[c]
         link          traffic[l,t] <= link_gbps[l]
         carbon        sum_bt h[t] block_kg_per_kwh g <= carbon_budget_kg
         after         share of the vertical done through t <= share of its base through t - 1 - after_lag[vertical]

`floor_yuan` is the cost of the plan with no work, so that the objective is what the work adds. An accelerator-hour of
tenant n costs held[n,p] = (1 - rent_discount[n,p]) rent_yuan_per_h[p] - subsidy_yuan_per_h[n,p] beside its power.
"""

from __future__ import annotations

from dataclasses import dataclass, field, fields
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from provgrid_models.errors import ArrayError
from provgrid_models.reasons import Reason
from provgrid_models.words import counted

if TYPE_CHECKING:
    from collections.abc import Sequence

    import pandas as pd

    from provgrid_models.energy import Supply

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]

WINDOW_TOLERANCE = 1e-9  # accelerator-hours that rounding may add to a window, relative
NEVER_MOVED = 2.0**40  # periods on the way that end after every horizon, few enough to be added up


def _floats(
    *shape: str, unit: str, default: Any = None, low: float = 0.0, high: float = np.inf, infinite: bool = False
) -> Any:
    limits = {"low": low, "high": high, "infinite": infinite}
    return field(default=default, metadata={"shape": shape, "unit": unit, "dtype": np.float64, **limits})


def _ints(*shape: str, below: str = "", low: int = 0, default: Any = None) -> Any:
    return field(default=default, metadata={"shape": shape, "dtype": np.int64, "low": low, "below": below})


def _bools(*shape: str, default: Any = None) -> Any:
    return field(default=default, metadata={"shape": shape, "dtype": np.bool_})


@dataclass(frozen=True, eq=False)
class Labels:
    """Names of the integer ids, in id order. `None` means that ids stand for themselves.

    A `Problem` checks them: one name for each id, and none twice but for blocks, which clusters tell apart.
    """

    pools: Sequence[str] | None = None
    clusters: Sequence[str] | None = None
    blocks: Sequence[str] | None = None  # "grid", "solar", "wind", ... per block
    links: Sequence[str] | None = None
    origins: Sequence[str] | None = None
    jobs: Sequence[str] | None = None
    services: Sequence[str] | None = None
    tenants: Sequence[str] | None = None
    periods: pd.DatetimeIndex | None = None  # Beijing time, start of each period


@dataclass(frozen=True, kw_only=True, eq=False)
class Problem:
    """The compiled problem. Every array is checked once, here; engines trust it.

    Only `capacity` and, for a cluster that is to cost anything, its supply blocks must be given; whatever is left
    out is empty or neutral (no floor, no links, no demand charge, one pool per cluster).
    `metadata` of each field holds its shape in index letters, its unit and its range.
    """

    # Time
    period_h: float = 1.0
    weight: Floats = _floats("T", unit="real periods per model period")
    # Pools
    capacity: Floats = _floats("P", "T", unit="accelerators")
    kw_per_accelerator: Floats = _floats("P", "T", unit="kW above the idle floor, at the meter")
    pool_cluster: Ints = _ints("P", below="C")
    pool_tenant: Ints = _ints("P", low=-1, below="N")  # owner, -1 = shared
    rent_yuan_per_h: Floats = _floats("P", unit="yuan per accelerator-hour used, capital, power not included")
    # Supply: one row per block; a cluster has one or more
    floor_kw: Floats = _floats("C", "T", unit="kW")
    block_cluster: Ints = _ints("B", below="C")
    block_limit_kw: Floats = _floats("B", "T", unit="kW", infinite=True)
    block_yuan_per_kwh: Floats = _floats("B", "T", unit="yuan/kWh", low=-np.inf)
    block_kg_per_kwh: Floats = _floats("B", "T", unit="kg CO2/kWh")
    block_is_grid: Bools = _bools("B")
    demand_charge_yuan_per_kw: Floats = _floats("C", unit="yuan per kW of peak over the whole horizon")
    carbon_yuan_per_kg: float = 0.0
    carbon_budget_kg: float = np.inf
    # Network: the route of origin r to cluster c is route_link[route_start[r*C+c] : route_start[r*C+c+1]]
    link_gbps: Floats = _floats("L", unit="Gbit/s", infinite=True)
    route_start: Ints = _ints("R*C+1")
    route_link: Ints = _ints("route_links", below="L")
    gb_yuan: Floats = _floats("R", "P", unit="yuan/GB, inf = no route", infinite=True)
    # Jobs
    job_class: Ints = _ints("J", below="K")
    class_rate_pflops: Floats = _floats("K", "P", unit="PFLOPS per accelerator, 0 = closed")
    job_origin: Ints = _ints("J", below="R")
    work_pflop_h: Floats = _floats("J", unit="PFLOP-hours")
    release: Ints = _ints("J", below="T")
    deadline: Ints = _ints("J", below="T+1")
    max_accelerators: Floats = _floats("J", unit="accelerators")
    rigid: Bools = _bools("J")
    data_gb: Floats = _floats("J", unit="GB")
    move_gbps: Floats = _floats("J", unit="Gbit/s")
    unserved_yuan: Floats = _floats("J", unit="yuan, inf = hard", infinite=True)
    after: Ints = _ints("J", low=-1, below="J")  # the base job, -1 = none
    checkpoint_gb: Floats = _floats("J", unit="GB, the base's checkpoint, moves once the base has finished")
    pinned_pool: Ints = _ints("J", low=-1, below="P")
    job_tenant: Ints = _ints("J", low=-1, below="N")
    # Services
    demand: Floats = _floats("S", "T", unit="service units, e.g. tokens/s")
    service_rate: Floats = _floats("S", "P", unit="service units per accelerator held, 0 = closed")
    service_origin: Ints = _ints("S", below="R")
    service_yuan: Floats = _floats("S", "P", unit="yuan per service unit and hour, network", infinite=True)
    service_gbps: Floats = _floats("S", unit="Gbit/s per service unit")
    service_unserved_yuan: Floats = _floats("S", unit="yuan per service unit and hour, inf = hard", infinite=True)
    service_tenant: Ints = _ints("S", low=-1, below="N")
    # Tenants: the share of every unowned pool that each holds when nobody shares
    tenant_share: Floats = _floats("N", unit="fraction")
    # What the public purse bears of each tenant's accelerator-hours
    rent_discount: Floats = _floats("N", "P", unit="fraction of the rent", high=1.0)
    subsidy_yuan_per_h: Floats = _floats("N", "P", unit="yuan per accelerator-hour used")
    # Overflow order: 0 = own city, 1 = own province, 2 = national hub, 3 = elsewhere
    origin_tier: Ints = _ints("R", "P")
    # Why pairs are closed (models/reasons.py); 0 where they are open
    class_reason: Ints = _ints("K", "P")
    route_reason: Ints = _ints("R", "P")
    service_reason: Ints = _ints("S", "P")
    # Beside the objective
    never_served: tuple[tuple[str, str, float], ...] = ()  # (workload, reason, yuan): no pool could ever serve it
    notes: tuple[str, ...] = ()  # what compiling left out, in words, for the report
    take_or_pay_yuan: float = 0.0
    ports_yuan: float = 0.0  # ports that were opened, their share over the horizon
    labels: Labels = field(default_factory=Labels)

    def __post_init__(self) -> None:
        from provgrid_models.problem_checks import complete

        for name, value in complete(self).items():
            object.__setattr__(self, name, value)

    def __repr__(self) -> str:
        work = f"{counted(self.n_jobs, 'job')}, {counted(self.n_services, 'service')}"
        sites = f"{counted(self.n_pools, 'pool')}, {counted(self.n_clusters, 'cluster')}"
        return f"<Problem: {work}, {sites}, {counted(self.n_periods, 'period')}>"

    # Sizes -----------------------------------------------------------------------------------------------------

    @property
    def n_pools(self) -> int:
        """Number of pools."""
        return int(self.capacity.shape[0])

    @property
    def n_periods(self) -> int:
        """Number of periods."""
        return int(self.capacity.shape[1])

    @property
    def n_clusters(self) -> int:
        """Number of clusters."""
        return int(self.floor_kw.shape[0])

    @property
    def n_blocks(self) -> int:
        """Number of blocks."""
        return int(self.block_cluster.shape[0])

    @property
    def n_links(self) -> int:
        """Number of links."""
        return int(self.link_gbps.shape[0])

    @property
    def n_jobs(self) -> int:
        """Number of jobs."""
        return int(self.work_pflop_h.shape[0])

    @property
    def n_services(self) -> int:
        """Number of services."""
        return int(self.demand.shape[0])

    @property
    def n_origins(self) -> int:
        """Number of origins."""
        return int(self.gb_yuan.shape[0])

    # Derived ---------------------------------------------------------------------------------------------------

    @cached_property
    def hours(self) -> Floats:
        """h[t] = period_h * weight[t], real hours that period t stands for, shape (T,)."""
        return np.asarray(self.period_h * self.weight)

    @cached_property
    def job_weight(self) -> Floats:
        """How many real jobs each job stands for, shape (J,): the weight of its release period."""
        return self.weight[self.release]

    @cached_property
    def route_length(self) -> Ints:
        """Links on the way from each origin to each pool, shape (R, P); 0 = same place."""
        per_cluster = np.diff(self.route_start).reshape(self.n_origins, self.n_clusters)
        return per_cluster[:, self.pool_cluster]

    @cached_property
    def move_periods(self) -> Ints:
        """Periods that each job's data is on the way, where its route has links, shape (J,)."""
        return self._periods_on_the_way(self.data_gb)

    @cached_property
    def after_lag(self) -> Ints:
        """Periods that a base's checkpoint is on the way to each vertical, shape (J,)."""
        return self._periods_on_the_way(self.checkpoint_gb)

    def _periods_on_the_way(self, gigabytes: Floats) -> Ints:
        with np.errstate(over="ignore"):
            periods = gigabytes * 8.0 / (3600.0 * self.period_h * self.move_gbps)
        return np.ceil(np.minimum(periods, NEVER_MOVED) - WINDOW_TOLERANCE).astype(np.int64)

    def one_off_yuan_everywhere(self, jobs: slice | Ints) -> Floats:
        """`one_off_yuan` of each job in each pool, shape (n, P); inf where there is no route."""
        job = np.arange(self.n_jobs)[jobs, None]
        pool = np.broadcast_to(np.arange(self.n_pools), (job.shape[0], self.n_pools))
        reached = np.isfinite(self.gb_yuan[self.job_origin[job], pool])
        with np.errstate(invalid="ignore"):  # nothing times an infinite price
            return np.where(reached, self.one_off_yuan(np.broadcast_to(job, pool.shape), pool), np.inf)

    @cached_property
    def public_yuan_per_h(self) -> Floats:
        """What the public purse bears of an accelerator-hour, shape (1 + N, P); row 0 is work without a tenant."""
        nobody = np.zeros((1, self.n_pools))
        return np.concatenate([nobody, self.rent_discount * self.rent_yuan_per_h + self.subsidy_yuan_per_h])

    @cached_property
    def held_yuan_per_h(self) -> Floats:
        """What an accelerator-hour costs beside its power, public money taken off, shape (1 + N, P)."""
        return np.asarray(self.rent_yuan_per_h - self.public_yuan_per_h)

    def placed_accelerator_hours(self, job: Ints, pool: Ints) -> Floats:
        """Accelerator-hours of these pairs of job and pool, all copies; 0 where the class is closed, shape (n,)."""
        rate = self.class_rate_pflops[self.job_class[job], pool]
        hours = np.divide(self.work_pflop_h[job], rate, out=np.zeros(rate.shape), where=rate > 0)
        return np.asarray(self.job_weight[job] * hours, dtype=np.float64)

    def one_off_yuan(self, job: Ints, pool: Ints) -> Floats:
        """Cost of a job in a pool whenever it runs: data and checkpoint moved, accelerator-hours held, (n,)."""
        gigabytes = self.job_weight[job] * (self.data_gb[job] + self.checkpoint_gb[job])
        held = self.placed_accelerator_hours(job, pool) * self.held_yuan_per_h[self.job_tenant[job] + 1, pool]
        return np.asarray(gigabytes * self.gb_yuan[self.job_origin[job], pool] + held)

    @cached_property
    def accelerators_per_unit(self) -> Floats:
        """Accelerators that a service unit holds in each pool, shape (S, P); 0 where the pool is closed to it."""
        rate = self.service_rate
        return np.divide(1.0, rate, out=np.zeros(rate.shape), where=rate > 0)

    @cached_property
    def unit_yuan(self) -> Floats:
        """What a service unit costs for an hour beside power: network and accelerators held, shape (S, P)."""
        return self.service_yuan + self.accelerators_per_unit * self.held_yuan_per_h[self.service_tenant + 1]

    @cached_property
    def largest_capacity(self) -> Floats:
        """The most accelerators that each pool ever has, shape (P,)."""
        return np.asarray(self.capacity.max(axis=1))

    @cached_property
    def floor_supply(self) -> Supply:
        """The plan with no work: least-cost supply of the idle floor."""
        from provgrid_models.energy import least_cost_supply

        return least_cost_supply(self, self.floor_kw)

    @property
    def floor_yuan(self) -> float:
        """Cost of the plan with no work: energy, carbon price and demand charge of the idle floor."""
        return self.floor_supply.total_yuan

    @property
    def never_served_yuan(self) -> float:
        """Unserved value of the work that no pool could ever serve."""
        return sum(yuan for _, _, yuan in self.never_served)

    @property
    def constants_yuan(self) -> float:
        """What stands beside the objective: idle floor, take-or-pay, ports, work that no pool could ever serve."""
        return self.floor_yuan + self.take_or_pay_yuan + self.ports_yuan + self.never_served_yuan

    def start_periods(self, jobs: slice | Ints) -> Ints:
        """First period in which each job may run in each pool, shape (n, P): its release, plus the move."""
        moves = self.route_length[self.job_origin[jobs]] > 0
        return self.release[jobs, None] + np.where(moves, self.move_periods[jobs, None], 0)

    def accelerator_hours(self, jobs: slice | Ints) -> Floats:
        """a[j,p] = work / rate, shape (n, P), in accelerator-hours; inf where the class is closed."""
        rate = self.class_rate_pflops[self.job_class[jobs]]
        with np.errstate(divide="ignore"):
            return np.where(rate > 0, self.work_pflop_h[jobs, None] / np.where(rate > 0, rate, 1.0), np.inf)

    def durations(self, jobs: slice | Ints) -> Floats:
        """Periods that a rigid gang is held in each pool, shape (n, P): ceil(a / (gang * period_h)); inf if closed."""
        periods = self.accelerator_hours(jobs) / (self.max_accelerators[jobs, None] * self.period_h)
        return np.ceil(periods * (1.0 - WINDOW_TOLERANCE) - WINDOW_TOLERANCE).clip(min=1.0)

    def reasons(self, jobs: slice | Ints) -> Ints:
        """Reason code of every pair of these jobs with every pool, shape (n, P); 0 = open."""
        job_class, origin = self.job_class[jobs], self.job_origin[jobs]
        start = self.start_periods(jobs)
        window = self.deadline[jobs, None] - start
        rigid = self.rigid[jobs, None]
        needed = np.where(
            rigid,
            self.durations(jobs),
            self.accelerator_hours(jobs)
            / np.maximum(self.max_accelerators[jobs, None] * self.period_h, 1e-300)
            * (1.0 - WINDOW_TOLERANCE),
        )
        pinned = self.pinned_pool[jobs, None]
        pools = np.arange(self.n_pools)[None, :]
        gang_too_large = rigid & (
            self.max_accelerators[jobs, None] > self.largest_capacity[None, :] * (1 + WINDOW_TOLERANCE)
        )
        checks: list[tuple[Any, Any]] = [
            ((pinned >= 0) & (pinned != pools), int(Reason.PINNED_ELSEWHERE)),
            (self.class_rate_pflops[job_class] <= 0, np.maximum(self.class_reason[job_class], 1)),
            (np.isinf(self.gb_yuan[origin]), np.maximum(self.route_reason[origin], 1)),
            (gang_too_large, int(Reason.GANG_TOO_LARGE)),
            (needed > self.deadline[jobs, None] - self.release[jobs, None], int(Reason.WINDOW_TOO_SHORT)),
            (needed > window, int(Reason.NO_TIME_TO_MOVE)),
        ]
        shape = start.shape
        return np.select(
            [np.broadcast_to(c, shape) for c, _ in checks], [np.broadcast_to(r, shape) for _, r in checks], 0
        ).astype(np.int64)

    def route(self, origin: int, pool: int) -> Ints:
        """Links, in order, from an origin to a pool's cluster."""
        k = origin * self.n_clusters + int(self.pool_cluster[pool])
        return self.route_link[self.route_start[k] : self.route_start[k + 1]]

    def check_same_sizes(self, name: str, array: NDArray[Any], shape: tuple[int, ...]) -> None:
        """Raise `ArrayError` where an array that belongs to this problem has another shape."""
        if array.shape != shape:
            raise ArrayError(f"{name} has shape {array.shape}; this problem needs {shape}")

    @classmethod
    def array_fields(cls) -> dict[str, Any]:
        """Metadata of every array field: shape in index letters, unit, dtype, range."""
        return {f.name: f.metadata for f in fields(cls) if "shape" in f.metadata}
