"""What a plan is judged against: the caller's figures, and the audit's own arithmetic on them.

`case_from_arrays` copies the raw fields of a `Problem` and none of its derived ones; `scenario_case.py` builds the same
from a scenario. Whatever follows from the figures (accelerator-hours, windows, durations, closed pools) is derived
here, a second time, for the pairs that a plan uses.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, cast

import numpy as np
from numpy.typing import NDArray

from provgrid_models.energy import least_cost_supply
from provgrid_models.reasons import Reason
from provgrid_optimizer.audit.plan import Names

if TYPE_CHECKING:
    from provgrid_models.problem import Problem

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]

ROUNDING = 1e-9  # what rounding may add to a number of periods, relative and absolute
LONGEST = 1e12  # periods: longer than any horizon, and far from where integers end
GIGABIT_PER_GIGABYTE = 8.0
SECONDS_PER_HOUR = 3600.0


def whole_periods(periods: Floats) -> Floats:
    """Round a number of periods up, forgiving what rounding added to a whole number."""
    return np.ceil(periods - ROUNDING * np.maximum(1.0, np.where(np.isfinite(periods), periods, 1.0)))


def _counted_periods(periods: Floats) -> Ints:
    """Whole periods as integers; what takes longer than any horizon is cut, for integers have an end."""
    return whole_periods(np.minimum(periods, LONGEST)).astype(np.int64)


@dataclass(frozen=True, kw_only=True)
class AuditCase:
    """Figures that a plan is judged against; shapes in the index letters of `Problem`.

    Jobs of one kind (K) have the same rate in every pool and the same reasons for closed pools. The route of origin
    r to cluster c is `route_link[route_start[r * C + c] : route_start[r * C + c + 1]]`.
    """

    names: Names
    # Time
    period_h: float
    weight: Floats  # (T,)
    # Pools and supply
    capacity: Floats  # (P, T)
    kw_per_accelerator: Floats  # (P, T)
    pool_cluster: Ints  # (P,)
    rent_yuan_per_h: Floats  # (P,)
    rent_discount: Floats  # (N, P)
    subsidy_yuan_per_h: Floats  # (N, P)
    floor_kw: Floats  # (C, T)
    block_cluster: Ints  # (B,)
    block_limit_kw: Floats  # (B, T)
    block_yuan_per_kwh: Floats  # (B, T)
    block_kg_per_kwh: Floats  # (B, T)
    block_is_grid: Bools  # (B,)
    demand_charge_yuan_per_kw: Floats  # (C,)
    carbon_yuan_per_kg: float
    carbon_budget_kg: float
    # Network
    link_gbps: Floats  # (L,)
    route_start: Ints  # (R * C + 1,)
    route_link: Ints
    gb_yuan: Floats  # (R, P) inf = no route
    # Jobs
    job_kind: Ints  # (J,)
    kind_rate_pflops: Floats  # (K, P)
    kind_reason: Ints  # (K, P)
    route_reason: Ints  # (R, P)
    job_origin: Ints  # (J,)
    work_pflop_h: Floats  # (J,)
    release: Ints  # (J,)
    deadline: Ints  # (J,)
    max_accelerators: Floats  # (J,)
    rigid: Bools  # (J,)
    data_gb: Floats  # (J,)
    move_gbps: Floats  # (J,)
    unserved_yuan: Floats  # (J,) inf = hard
    after: Ints  # (J,)
    checkpoint_gb: Floats  # (J,)
    pinned_pool: Ints  # (J,)
    job_tenant: Ints  # (J,) -1 = nobody's
    # Services
    demand: Floats  # (S, T)
    service_rate: Floats  # (S, P)
    service_reason: Ints  # (S, P)
    service_origin: Ints  # (S,)
    service_yuan: Floats  # (S, P)
    service_gbps: Floats  # (S,)
    service_unserved_yuan: Floats  # (S,)
    service_tenant: Ints  # (S,)
    # Beside the objective
    never_served: tuple[tuple[str, str, float], ...] = ()
    take_or_pay_yuan: float = 0.0
    ports_yuan: float = 0.0
    # Derived once
    hours: Floats = field(init=False)  # (T,) real hours of each period
    move_periods: Ints = field(init=False)  # (J,) periods that data is on its way
    after_lag: Ints = field(init=False)  # (J,) periods that a base's checkpoint is on its way
    pool_most: Floats = field(init=False)  # (P,) the most accelerators that a pool ever has
    floor_costs: dict[str, float] = field(init=False)  # what the plan with no work pays, by component
    floor_kg: float = field(init=False)  # CO2 of the plan with no work
    floor_cluster_yuan: Floats = field(init=False)  # (C,) what the plan with no work pays at each cluster

    def __post_init__(self) -> None:
        gigabytes_per_period = self.move_gbps * self.period_h * SECONDS_PER_HOUR / GIGABIT_PER_GIGABYTE

        def put(name: str, value: object) -> None:
            object.__setattr__(self, name, value)

        put("hours", self.period_h * self.weight)
        put("move_periods", _counted_periods(self.data_gb / gigabytes_per_period))
        put("after_lag", _counted_periods(self.checkpoint_gb / gigabytes_per_period))
        put("pool_most", self.capacity.max(axis=1, initial=0.0))
        # The energy model reads the supply figures by name, and these are the same here; design §2 lets the audit
        # use the models, and only its tie-breaks say how the floor's cost splits into components.
        floor = least_cost_supply(cast("Problem", _SupplyFigures(self)), self.floor_kw)
        costs = {
            "energy": floor.energy_yuan,
            "carbon": floor.carbon_yuan,
            "demand_charge": floor.demand_charge_yuan,
        }
        put("floor_costs", costs)
        put("floor_kg", floor.kg)
        put("floor_cluster_yuan", self.power_yuan(floor.block_kw, floor.peak_kw))

    def power_yuan(self, block_kw: Floats, peak_kw: Floats) -> Floats:
        """Energy, carbon and demand charge of each cluster, floor included, (C,)."""
        price = self.block_yuan_per_kwh + self.carbon_yuan_per_kg * self.block_kg_per_kwh
        yuan = self.demand_charge_yuan_per_kw * peak_kw
        np.add.at(yuan, self.block_cluster, (block_kw * price) @ self.hours)
        return yuan

    @property
    def n_clusters(self) -> int:
        """Number of clusters."""
        return int(self.floor_kw.shape[0])

    @property
    def n_pools(self) -> int:
        """Number of pools."""
        return int(self.capacity.shape[0])

    @property
    def n_periods(self) -> int:
        """Number of periods."""
        return int(self.capacity.shape[1])

    @property
    def n_jobs(self) -> int:
        """Number of jobs."""
        return int(self.work_pflop_h.size)

    @property
    def floor_yuan(self) -> float:
        """What the plan with no work pays."""
        return sum(self.floor_costs.values())

    @property
    def constants_yuan(self) -> float:
        """What no plan can change: idle floor, take-or-pay contracts, ports, and work that no pool could ever serve."""
        return self.floor_yuan + self.take_or_pay_yuan + self.ports_yuan + sum(yuan for _, _, yuan in self.never_served)

    def route_length(self) -> Ints:
        """Links on the way from each origin to each cluster, shape (R, C)."""
        return np.diff(self.route_start).reshape(-1, self.n_clusters)

    def accelerator_hours(self, job: Ints, pool: Ints) -> Floats:
        """Accelerator-hours that each job needs in each pool of these pairs, inf where the pool cannot run it."""
        rate = self.kind_rate_pflops[self.job_kind[job], pool]
        runs = rate > 0
        return np.where(runs, self.work_pflop_h[job] / np.where(runs, rate, 1.0), np.inf)

    def public_share(self, tenant: Ints, pool: Ints) -> Floats:
        """Yuan of an accelerator-hour of each tenant in each pool of these pairs that the public purse bears."""
        public = np.zeros(pool.size)
        owned = tenant >= 0
        t, p = tenant[owned], pool[owned]
        public[owned] = self.rent_yuan_per_h[p] * self.rent_discount[t, p] + self.subsidy_yuan_per_h[t, p]
        return public

    def held_yuan_per_h(self) -> Floats:
        """Cost of an accelerator-hour beside its power, shape (N + 1, P); the last row is nobody's work."""
        own = self.rent_yuan_per_h * (1.0 - self.rent_discount) - self.subsidy_yuan_per_h
        return np.vstack([own, self.rent_yuan_per_h])

    def durations(self, job: Ints, pool: Ints) -> Floats:
        """Whole periods that each rigid job holds its gang, inf where the pool cannot run it."""
        gang_h = self.max_accelerators[job] * self.period_h
        return np.maximum(whole_periods(self.accelerator_hours(job, pool) / gang_h), 1.0)

    def starts(self, job: Ints, pool: Ints) -> Ints:
        """First period in which each job may run: its release, after the data has moved."""
        moves = self.route_length()[self.job_origin[job], self.pool_cluster[pool]] > 0
        return self.release[job] + np.where(moves, self.move_periods[job], 0)

    def reasons(self, job: Ints, pool: Ints) -> Ints:
        """Why each pair is closed (`Reason`), 0 where it is open."""
        origin, kind, rigid = self.job_origin[job], self.job_kind[job], self.rigid[job]
        gang_h = self.max_accelerators[job] * self.period_h
        flowing = self.accelerator_hours(job, pool) / gang_h
        periods = np.where(rigid, self.durations(job, pool), flowing * (1.0 - ROUNDING))
        reason = np.zeros(job.size, dtype=np.int64)
        # Later lines win, so the first reason to name comes last.
        reason[periods > self.deadline[job] - self.starts(job, pool)] = Reason.NO_TIME_TO_MOVE
        reason[periods > self.deadline[job] - self.release[job]] = Reason.WINDOW_TOO_SHORT
        too_large = rigid & (self.max_accelerators[job] > self.pool_most[pool] * (1.0 + ROUNDING))
        reason[too_large] = Reason.GANG_TOO_LARGE
        reason = np.where(np.isinf(self.gb_yuan[origin, pool]), np.maximum(self.route_reason[origin, pool], 1), reason)
        portless = self.kind_rate_pflops[kind, pool] <= 0
        reason = np.where(portless, np.maximum(self.kind_reason[kind, pool], 1), reason)
        pinned = self.pinned_pool[job]
        return np.where((pinned >= 0) & (pinned != pool), int(Reason.PINNED_ELSEWHERE), reason)

    def route_rows(self, origin: Ints, pool: Ints) -> tuple[Ints, Ints]:
        """One entry for each link of each (origin, pool) pair: the position of the pair, and the link."""
        route = origin * self.n_clusters + self.pool_cluster[pool]
        first, length = self.route_start[route], self.route_start[route + 1] - self.route_start[route]
        pair = np.repeat(np.arange(origin.size), length)
        before = np.cumsum(length) - length
        return pair, self.route_link[first[pair] + np.arange(pair.size) - before[pair]]


class _SupplyFigures:
    """The figures that the energy model asks for, under the names that it asks for them."""

    def __init__(self, case: AuditCase) -> None:
        from provgrid_models.problem import Labels

        self.labels = Labels(clusters=case.names.clusters)
        self._case = case

    def __getattr__(self, name: str) -> Any:
        return getattr(self._case, name)


_SAME_NAME = (
    "weight",
    "capacity",
    "kw_per_accelerator",
    "pool_cluster",
    "rent_yuan_per_h",
    "rent_discount",
    "subsidy_yuan_per_h",
    "floor_kw",
    "block_cluster",
    "block_limit_kw",
    "block_yuan_per_kwh",
    "block_kg_per_kwh",
    "block_is_grid",
    "demand_charge_yuan_per_kw",
    "link_gbps",
    "route_start",
    "route_link",
    "gb_yuan",
    "route_reason",
    "job_origin",
    "work_pflop_h",
    "release",
    "deadline",
    "max_accelerators",
    "rigid",
    "data_gb",
    "move_gbps",
    "unserved_yuan",
    "after",
    "checkpoint_gb",
    "pinned_pool",
    "job_tenant",
    "demand",
    "service_rate",
    "service_reason",
    "service_origin",
    "service_yuan",
    "service_gbps",
    "service_unserved_yuan",
    "service_tenant",
)


def case_from_arrays(problem: Problem) -> AuditCase:
    """Case of a problem that came as arrays: its raw fields, and nothing that it derives."""
    return AuditCase(
        names=Names.from_labels(problem.labels, problem.block_cluster),
        period_h=problem.period_h,
        carbon_yuan_per_kg=problem.carbon_yuan_per_kg,
        carbon_budget_kg=problem.carbon_budget_kg,
        job_kind=problem.job_class,
        kind_rate_pflops=problem.class_rate_pflops,
        kind_reason=problem.class_reason,
        never_served=problem.never_served,
        take_or_pay_yuan=problem.take_or_pay_yuan,
        ports_yuan=problem.ports_yuan,
        **{name: getattr(problem, name) for name in _SAME_NAME},
    )
