"""From a problem to its linear program: one function for each family of rows in `problem.py`, all of it vectorised.

Columns: z placed share, n accelerators of elastic jobs, s starts of rigid jobs, u unserved share, y served units,
v unserved units, used accelerators held in a pool, g power of a supply block, D grid peak; and where jobs come after
others: done and begun, a job's share that is done, or started, through a period.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from provgrid_optimizer.matrix.after import add_after
from provgrid_optimizer.matrix.program import Builder, LinearProgram
from provgrid_optimizer.matrix.selection import everything
from provgrid_optimizer.ranges import expand, route_links

if TYPE_CHECKING:
    from provgrid_models.problem import Floats, Ints, Problem
    from provgrid_optimizer.matrix.pairs import Pairs
    from provgrid_optimizer.matrix.selection import Selection


def assemble(problem: Problem, *, divisible: bool, selection: Selection | None = None) -> LinearProgram:
    """Assemble the program; with `divisible` it is the relaxation, else placements and starts are whole.

    With a `selection` it has those columns only. Raises `InfeasibleError` where the idle floor alone exceeds what a
    cluster can draw.
    """
    building = Assembly(problem, Builder(), selection or everything(problem), divisible)
    _place(building)
    _run_elastic(building)
    _start_rigid(building)
    _serve(building)
    _hold(building)
    _supply(building)
    _carry(building)
    _emit(building)
    add_after(building.problem, building.builder, building.pairs, divisible=divisible)
    return building.builder.program(offset=-problem.floor_yuan)


@dataclass(frozen=True)
class Assembly:
    """What every family of rows reads and writes."""

    problem: Problem
    builder: Builder
    selection: Selection
    divisible: bool

    @property
    def pairs(self) -> Pairs:
        """The pairs that take part."""
        return self.selection.pairs


def _place(building: Assembly) -> None:
    """Share: sum_p z[j,p] + u[j] = 1. Hard jobs have no u."""
    problem, builder, pairs = building.problem, building.builder, building.pairs
    placed = builder.add_columns(
        "z", {"job": pairs.job, "pool": pairs.pool}, cost=pairs.one_off_yuan, upper=1.0, integer=not building.divisible
    )
    soft = np.flatnonzero(np.isfinite(problem.unserved_yuan))
    left = builder.add_columns(
        "u", {"job": soft}, cost=problem.job_weight[soft] * problem.unserved_yuan[soft], upper=1.0
    )
    share = builder.add_rows("share", {"job": np.arange(problem.n_jobs)}, equal=1.0)
    builder.add_entries(share.first + pairs.job, placed.at, 1.0)
    builder.add_entries(share.first + soft, left.at, 1.0)


def _run_elastic(building: Assembly) -> None:
    """Work: sum_t period_h n[j,p,t] = a[j,p] z[j,p]. Limit: n[j,p,t] <= max_accelerators[j] z[j,p]."""
    problem, builder, pairs = building.problem, building.builder, building.pairs
    pair, period = building.selection.run_pair, building.selection.run_period
    job, placed = pairs.job[pair], builder.columns["z"].first + pair
    run = builder.add_columns(
        "n",
        {"pair": pair, "job": job, "pool": pairs.pool[pair], "period": period},
        upper=problem.max_accelerators[job],
    )
    elastic = np.flatnonzero(~pairs.rigid)
    work = builder.add_rows("work", {"job": pairs.job[elastic], "pool": pairs.pool[elastic]}, equal=0.0)
    row_of_pair = np.full(pairs.job.size, -1)
    row_of_pair[elastic] = work.at
    builder.add_entries(row_of_pair[pair], run.at, problem.period_h)
    full = np.bincount(building.selection.full_pair, minlength=pairs.job.size)[elastic]
    done_h = problem.period_h * problem.max_accelerators[pairs.job[elastic]] * full
    builder.add_entries(work.at, builder.columns["z"].first + elastic, done_h - pairs.accelerator_hours[elastic])
    limited = np.flatnonzero(building.selection.run_limited)
    limit = builder.add_rows("limit", {name: ids[limited] for name, ids in run.ids.items()}, at_most=0.0)
    builder.add_entries(limit.at, run.first + limited, 1.0)
    builder.add_entries(limit.at, placed[limited], -problem.max_accelerators[job[limited]])


def _start_rigid(building: Assembly) -> None:
    """Start: sum_t s[j,p,t] = z[j,p]."""
    builder, pairs = building.builder, building.pairs
    pair, period = building.selection.start_pair, building.selection.start_period
    started = builder.add_columns(
        "s",
        {"pair": pair, "job": pairs.job[pair], "pool": pairs.pool[pair], "period": period},
        upper=1.0,
        integer=not building.divisible,
    )
    rigid = np.flatnonzero(pairs.rigid)
    start = builder.add_rows("start", {"job": pairs.job[rigid], "pool": pairs.pool[rigid]}, equal=0.0)
    row_of_pair = np.full(pairs.job.size, -1)
    row_of_pair[rigid] = start.at
    builder.add_entries(row_of_pair[pair], started.at, 1.0)
    builder.add_entries(start.at, builder.columns["z"].first + rigid, -1.0)


def _serve(building: Assembly) -> None:
    """Demand: sum_p y[s,p,t] + v[s,t] = demand[s,t]. Hard services have no v."""
    problem, builder, hours = building.problem, building.builder, building.problem.hours
    chosen = building.selection.served
    service, pool, period = chosen.service, chosen.pool, chosen.period
    asked_service, asked_period = np.nonzero(problem.demand > 0)
    served = builder.add_columns(
        "y",
        {"service": service, "pool": pool, "period": period},
        cost=hours[period] * problem.unit_yuan[service, pool],
    )
    soft = np.flatnonzero(np.isfinite(problem.service_unserved_yuan[asked_service]))
    left = builder.add_columns(
        "v",
        {"service": asked_service[soft], "period": asked_period[soft]},
        cost=hours[asked_period[soft]] * problem.service_unserved_yuan[asked_service[soft]],
    )
    demand = builder.add_rows(
        "demand",
        {"service": asked_service, "period": asked_period},
        equal=problem.demand[asked_service, asked_period],
    )
    row = np.full(problem.demand.shape, -1)
    row[asked_service, asked_period] = demand.at
    builder.add_entries(row[service, period], served.at, 1.0)
    builder.add_entries(demand.first + soft, left.at, 1.0)


def _hold(building: Assembly) -> None:
    """Capacity: used[p,t] = sum_j n + sum_j gang * running + sum_s y / service_rate, used[p,t] <= capacity[p,t].

    With `used` as a column of its own, the dual of its row is the whole price of an accelerator, power included, and
    each n, s and y touches one row here instead of one for the capacity and one for the power balance.
    """
    problem, builder, pairs = building.problem, building.builder, building.pairs
    periods = problem.n_periods
    pool, period = np.divmod(np.arange(problem.n_pools * periods), periods)
    ids = {"pool": pool, "period": period}
    used = builder.add_columns("used", ids, upper=problem.capacity.ravel())
    hold = builder.add_rows("capacity", ids, equal=0.0)
    builder.add_entries(hold.at, used.at, 1.0)

    run = builder.columns["n"]
    builder.add_entries(_row(hold.first, periods, run.ids["pool"], run.ids["period"]), run.at, -1.0)

    full_pair, full_period = building.selection.full_pair, building.selection.full_period
    rows = _row(hold.first, periods, pairs.pool[full_pair], full_period)
    builder.add_entries(rows, builder.columns["z"].first + full_pair, -problem.max_accelerators[pairs.job[full_pair]])

    started = builder.columns["s"]
    start, step = expand(pairs.duration[started.ids["pair"]])
    rows = _row(hold.first, periods, started.ids["pool"][start], started.ids["period"][start] + step)
    builder.add_entries(rows, started.first + start, -problem.max_accelerators[started.ids["job"][start]])

    served = builder.columns["y"]
    rate = problem.service_rate[served.ids["service"], served.ids["pool"]]
    builder.add_entries(_row(hold.first, periods, served.ids["pool"], served.ids["period"]), served.at, -1.0 / rate)


def _supply(building: Assembly) -> None:
    """Balance: sum_b g = floor + sum_p kw used, with g <= block_limit_kw. Peak: sum of grid g <= D."""
    problem, builder, hours = building.problem, building.builder, building.problem.hours
    periods = problem.n_periods
    price = problem.block_yuan_per_kwh + problem.carbon_yuan_per_kg * problem.block_kg_per_kwh
    block, period = np.divmod(np.arange(problem.n_blocks * periods), periods)
    drawn = builder.add_columns(
        "g", {"block": block, "period": period}, cost=(hours * price).ravel(), upper=problem.block_limit_kw.ravel()
    )
    cluster, at = np.divmod(np.arange(problem.n_clusters * periods), periods)
    balance = builder.add_rows("balance", {"cluster": cluster, "period": at}, equal=problem.floor_kw.ravel())
    builder.add_entries(_row(balance.first, periods, problem.block_cluster[block], period), drawn.at, 1.0)
    used = builder.columns["used"]
    rows = _row(balance.first, periods, problem.pool_cluster[used.ids["pool"]], used.ids["period"])
    builder.add_entries(rows, used.at, -problem.kw_per_accelerator.ravel())

    charged = np.flatnonzero(problem.demand_charge_yuan_per_kw > 0)
    peak = builder.add_columns("D", {"cluster": charged}, cost=problem.demand_charge_yuan_per_kw[charged])
    rank = np.full(problem.n_clusters, -1)
    rank[charged] = np.arange(charged.size)
    ids = {"cluster": np.repeat(charged, periods), "period": np.tile(np.arange(periods), charged.size)}
    below = builder.add_rows("peak", ids, at_most=0.0)
    billed = np.flatnonzero(problem.block_is_grid[block] & (rank[problem.block_cluster[block]] >= 0))
    rows = _row(below.first, periods, rank[problem.block_cluster[block[billed]]], period[billed])
    builder.add_entries(rows, drawn.first + billed, 1.0)
    builder.add_entries(below.at, peak.first + rank[ids["cluster"]], -1.0)


def _carry(building: Assembly) -> None:
    """Link: data moves (at move_gbps from a job's release) and services load every link of their route."""
    problem, builder, pairs = building.problem, building.builder, building.pairs
    periods = problem.n_periods
    limited = np.flatnonzero(np.isfinite(problem.link_gbps))
    rank = np.full(problem.n_links, -1)
    rank[limited] = np.arange(limited.size)
    ids = {"link": np.repeat(limited, periods), "period": np.tile(np.arange(periods), limited.size)}
    traffic = builder.add_rows("link", ids, at_most=problem.link_gbps[ids["link"]])

    placed = builder.columns["z"]
    owner, link = route_links(problem, problem.job_origin[pairs.job], pairs.pool)
    passing, step = expand(problem.move_periods[pairs.job[owner]] * (rank[link] >= 0))
    pair, link = owner[passing], link[passing]
    rows = _row(traffic.first, periods, rank[link], problem.release[pairs.job[pair]] + step)
    builder.add_entries(rows, placed.first + pair, problem.move_gbps[pairs.job[pair]])

    served = builder.columns["y"]
    owner, link = route_links(problem, problem.service_origin[served.ids["service"]], served.ids["pool"])
    owner, link = owner[rank[link] >= 0], link[rank[link] >= 0]
    rows = _row(traffic.first, periods, rank[link], served.ids["period"][owner])
    builder.add_entries(rows, served.first + owner, problem.service_gbps[served.ids["service"][owner]])


def _emit(building: Assembly) -> None:
    """Carbon: sum_bt h[t] block_kg_per_kwh g <= carbon_budget_kg, where there is a budget."""
    problem, builder = building.problem, building.builder
    budgets = int(np.isfinite(problem.carbon_budget_kg))
    budget = builder.add_rows("carbon", {"budget": np.arange(budgets)}, at_most=problem.carbon_budget_kg)
    if budgets:
        kg: Floats = (problem.hours * problem.block_kg_per_kwh).ravel()
        builder.add_entries(np.full(kg.size, budget.first), builder.columns["g"].at, kg)


def _row(first: int, periods: int, item: Ints, period: Ints) -> Ints:
    """Row of (item, period) in a block of rows that runs over all periods of each item."""
    return first + item * periods + period
