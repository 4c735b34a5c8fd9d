"""The case of a scenario: its tables read once more, through the four models and nothing of the compiler."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from provgrid_models.reasons import REASON_TEXT, Reason
from provgrid_optimizer.audit.case import AuditCase
from provgrid_optimizer.audit.plan import Names, block_names
from provgrid_optimizer.audit.scenario_grid import Grid, read_grid
from provgrid_optimizer.audit.scenario_work import JobTable, ServiceTable, read_jobs, read_ports, read_services

if TYPE_CHECKING:
    from provgrid_models.scenario import Scenario
    from provgrid_optimizer.audit.case import Bools, Floats, Ints


def case_from_scenario(scenario: Scenario) -> AuditCase:
    """Case of a resolved scenario (its generated demand is in its tables).

    Work that no pool could ever serve leaves the case, with its verticals, and is listed in `never_served`; unserved
    work costs what its row says, else `unserved_multiple` times the market price of its accelerator-hours in the
    cheapest open pool; hard work has no price. Linear in the jobs: pools are gone through one at a time.
    """
    grid, ports = read_grid(scenario), read_ports(scenario)
    jobs, services = read_jobs(scenario, grid, ports), read_services(scenario, grid, ports)
    names = Names(
        jobs=scenario.jobs["id"].iloc[jobs.row].tolist(),
        services=scenario.services["id"][services.reachable].tolist(),
        pools=[pool.id for pool in scenario.pools],
        clusters=[cluster.id for cluster in scenario.clusters],
        blocks=block_names(
            [cluster.id for cluster in scenario.clusters],
            ["grid"] * len(scenario.clusters) + [contract.energy for contract in scenario.contracts],
            grid.fields["block_cluster"],
        ),
        links=[link.id for link in scenario.links],
    )
    fields = grid.fields | jobs.fields | {name: rows[services.reachable] for name, rows in services.fields.items()}
    draft = AuditCase(names=names, after=np.full(jobs.row.size, -1), **fields)
    outcome = _outcome(scenario, draft, jobs, grid)
    never = _never_served_jobs(scenario, jobs, outcome, grid) + _never_served_services(scenario, services, draft.hours)
    return _without(draft, outcome, never)


@dataclass(frozen=True)
class _Outcome:
    stays: Bools  # of the draft's jobs
    after: Ints  # of the draft's jobs, in the draft's positions
    unserved_yuan: Floats  # of the draft's jobs
    never: Bools  # of the table's rows


def _outcome(scenario: Scenario, draft: AuditCase, jobs: JobTable, grid: Grid) -> _Outcome:
    """Decide which jobs take part, and what leaving one costs."""
    cheapest = np.full(draft.n_jobs, np.inf)
    every = np.arange(draft.n_jobs)
    for p in range(draft.n_pools):
        pool = np.full(draft.n_jobs, p)
        is_open = draft.reasons(every, pool) == 0
        price = draft.accelerator_hours(every, pool) * grid.pool_yuan_per_h[p]
        cheapest = np.where(is_open, np.minimum(cheapest, price), cheapest)
    never = jobs.hopeless.copy()
    never[jobs.row] = np.isinf(cheapest)
    gone = never | jobs.outside
    while True:  # down every chain of verticals
        base_never = (jobs.after >= 0) & never[jobs.after] & ~gone
        base_gone = (jobs.after >= 0) & gone[jobs.after] & ~gone & ~jobs.done
        if not base_gone.any():
            break
        never |= base_never & base_gone
        gone |= base_gone
    position = np.full(jobs.after.size, -1)
    position[jobs.row] = every
    after = jobs.after[jobs.row]
    given = draft.unserved_yuan
    by_rule = scenario.settings.prices.unserved_multiple * cheapest
    hard = scenario.jobs["hard"].to_numpy(dtype=np.bool_)[jobs.row]
    return _Outcome(
        stays=~gone[jobs.row],
        after=np.where(after >= 0, position[after], -1),
        unserved_yuan=np.where(hard, np.inf, np.where(np.isnan(given), by_rule, given)),
        never=never,
    )


def _never_served_jobs(
    scenario: Scenario, jobs: JobTable, outcome: _Outcome, grid: Grid
) -> tuple[tuple[str, str, float], ...]:
    """Jobs that no pool could ever serve, with the yuan that leaving them costs; unknown value counts as 0."""
    rows = np.flatnonzero(outcome.never)
    market = jobs.work_pflop_h[rows] * jobs.kind_yuan_per_pflop_h[jobs.kind[rows]]
    by_rule = np.where(np.isinf(market), 0.0, scenario.settings.prices.unserved_multiple * market)
    given = scenario.jobs["unserved_yuan"].to_numpy(dtype=np.float64)[rows]
    yuan = grid.fields["weight"][jobs.release[rows]] * np.where(np.isnan(given), by_rule, given)
    ids = scenario.jobs["id"].to_numpy()[rows]
    return tuple((str(name), "no pool could ever serve it", float(y)) for name, y in zip(ids, yuan, strict=True))


def _never_served_services(
    scenario: Scenario, services: ServiceTable, hours: Floats
) -> tuple[tuple[str, str, float], ...]:
    """Services that no pool could ever serve, likewise."""
    listed = []
    for s in np.flatnonzero(~services.reachable).tolist():
        reason = services.fields["service_reason"][s]
        value = float(services.anywhere_yuan[s])
        yuan = float(services.fields["demand"][s] @ hours) * value if np.isfinite(value) else 0.0
        listed.append((str(scenario.services["id"].iloc[s]), REASON_TEXT[Reason(int(reason.max()))], yuan))
    return tuple(listed)


_OF_JOBS = (
    "job_kind",
    "job_origin",
    "work_pflop_h",
    "release",
    "deadline",
    "max_accelerators",
    "rigid",
    "data_gb",
    "move_gbps",
    "checkpoint_gb",
    "pinned_pool",
    "job_tenant",
)


def _without(draft: AuditCase, outcome: _Outcome, never: tuple[tuple[str, str, float], ...]) -> AuditCase:
    """Drop the jobs that do not stay; bases are counted among those that do."""
    stays = outcome.stays
    position = np.where(stays, np.cumsum(stays) - 1, -1)
    after = np.where(outcome.after >= 0, position[outcome.after], -1)[stays]
    job_names = draft.names.jobs or ()
    names = [name for name, kept in zip(job_names, stays.tolist(), strict=True) if kept]
    return replace(
        draft,
        names=replace(draft.names, jobs=names),
        after=after,
        unserved_yuan=outcome.unserved_yuan[stays],
        never_served=never,
        **{name: getattr(draft, name)[stays] for name in _OF_JOBS},
    )
