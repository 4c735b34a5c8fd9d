"""Jobs, services and demand: windows, chains, periods. Everything is vectorised; a million jobs take seconds."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from provgrid_models.chains import cycle_members
from provgrid_models.checks.horizon import usable_horizon
from provgrid_models.findings import MOST_PER_KIND

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from provgrid_models.checks.tables import Tables

PERIOD_TOLERANCE = 1e-9  # periods that rounding may add to an hour


def check_workloads(tables: Tables) -> None:
    """Check jobs, services and demand against each other and against the horizon."""
    _check_windows(tables)
    _check_work(tables)
    _check_after(tables)
    _check_demand(tables)
    _check_shares(tables)


def _check_windows(tables: Tables) -> None:
    if not tables.sound("jobs", "release_h", "deadline_h"):
        return
    release_h, deadline_h = (tables.values("jobs", name).to_numpy() for name in ("release_h", "deadline_h"))
    message, hint = "the deadline is not after the release", "Hours count from the start of the horizon."
    late = deadline_h <= release_h
    tables.report("jobs", "deadline_h", late, "empty-window", message, hint=hint)
    horizon = usable_horizon(tables)
    if horizon is None:
        return
    end_h = horizon.periods * horizon.period_h
    beyond = release_h >= end_h
    message, hint = f"the horizon ends at {end_h:g} h; such jobs take no part", "Lengthen the horizon."
    tables.report("jobs", "release_h", beyond, "beyond-horizon", message, hint=hint, severity="warning")
    cut = ~late & ~beyond & (deadline_h > end_h + PERIOD_TOLERANCE)
    message = f"the horizon ends at {end_h:g} h; only the part of the work counts that the window has before it"
    hint = "Lengthen the horizon, or end the window with it."
    tables.report("jobs", "deadline_h", cut, "cut-window", message, hint=hint, severity="warning")
    inside = ~late & ~beyond & np.isfinite(release_h) & np.isfinite(deadline_h) & (release_h >= 0)
    if len(horizon.blocks) < 2 or not inside.any():
        return
    block = np.repeat(np.arange(len(horizon.blocks)), [one.periods for one in horizon.blocks])
    first = np.ceil(np.where(inside, release_h, 0.0) / horizon.period_h - PERIOD_TOLERANCE).astype(np.int64)
    end = np.floor(np.where(inside, np.minimum(deadline_h, end_h), 0.0) / horizon.period_h + PERIOD_TOLERANCE)
    first = np.minimum(first, horizon.periods - 1)
    last = np.clip(end.astype(np.int64) - 1, first, horizon.periods - 1)
    spans = inside & (block[first] != block[last])
    message = "the window spans two blocks of the horizon, which need not follow one another"
    hint = "End it with the block that it starts in."
    tables.report("jobs", "deadline_h", spans, "window-over-blocks", message, hint=hint)


def _check_work(tables: Tables) -> None:
    if tables.sound("jobs", "min_accelerators", "max_accelerators"):
        least, most = (tables.values("jobs", name) for name in ("min_accelerators", "max_accelerators"))
        message = "it is above max_accelerators"
        hint = "Raise max_accelerators or lower min_accelerators."
        tables.report(
            "jobs", "min_accelerators", ((least > most) & (most > 0)).to_numpy(), "min-above-max", message, hint=hint
        )
    if tables.sound("jobs", "work_done_pflop_h", "work_pflop_h"):
        done, work = (tables.values("jobs", name) for name in ("work_done_pflop_h", "work_pflop_h"))
        message = "it is above work_pflop_h"
        tables.report("jobs", "work_done_pflop_h", ((done > work) & (work > 0)).to_numpy(), "done-above-work", message)


def _check_after(tables: Tables) -> None:
    """Every chain of `after` must end; each cycle is reported once, at its first row."""
    if not tables.sound("jobs", "id", "after") or "after" not in tables.grid("jobs").data:
        return
    names, blank = tables.grid("jobs").column("after")
    waiting = np.flatnonzero(~blank)
    ids = pd.Index(tables.values("jobs", "id"))
    if not len(waiting) or not ids.is_unique:
        return
    base = np.full(len(ids), -1, dtype=np.int64)
    base[waiting] = ids.get_indexer(pd.Index(names.iloc[waiting]))
    seen: set[int] = set()
    cycles = 0
    for job in cycle_members(base).tolist():
        if job in seen:
            continue
        cycle = _cycle(base, job)
        seen.update(cycle)
        cycles += 1
        if cycles <= MOST_PER_KIND:
            _report_cycle(tables, ids, cycle)
    if cycles > MOST_PER_KIND:
        message = f"{cycles - MOST_PER_KIND:,} more circles of jobs that wait for each other"
        file = tables.grid("jobs").places.files[0]
        tables.findings.error("after-cycle", message, file=file, column="after", count=cycles - MOST_PER_KIND)


def _cycle(base: NDArray[np.int64], job: int) -> list[int]:
    """Jobs of the cycle that `job` lies on, in order of waiting."""
    cycle = [job]
    while base[cycle[-1]] != job:
        cycle.append(int(base[cycle[-1]]))
    return cycle


def _report_cycle(tables: Tables, ids: pd.Index[Any], cycle: list[int]) -> None:
    chain = [str(ids[job]) for job in [*cycle, cycle[0]]]
    shown = chain if len(chain) <= 6 else [*chain[:4], "...", chain[-1]]
    place = tables.grid("jobs").places.at(cycle[0])
    message = f"the job waits for itself: {' after '.join(shown)}"
    tables.findings.error("after-cycle", message, column="after", found=chain[1], hint="Break the chain.", **place)


def _check_demand(tables: Tables) -> None:
    if not tables.sound("demand", "service", "period"):
        return
    if tables.settings is not None:
        periods = tables.settings.horizon.periods
        beyond = (tables.values("demand", "period") >= periods).to_numpy()
        message = f"the horizon has periods 0 to {periods - 1}"
        hint = "Periods count from 0."
        tables.report("demand", "period", beyond, "beyond-horizon", message, hint=hint)
    if tables.sound("services", "id"):
        services = tables.values("services", "id")
        rows = services.map(tables.values("demand", "service").value_counts()).fillna(0).to_numpy()
        message = "the service has no demand"
        hint = "Add rows to demand, or drop it."
        tables.report("services", "id", rows == 0, "no-demand", message, hint=hint, severity="warning")
        if tables.settings is not None:
            some = (rows > 0) & (rows < tables.settings.horizon.periods)
            message = f"demand has no row for some of the {tables.settings.horizon.periods} periods; they count as 0"
            hint = "Add the missing rows, with 0 where nothing is asked."
            tables.report("services", "id", some, "gaps-in-demand", message, hint=hint, severity="warning")


def _check_shares(tables: Tables) -> None:
    given = [(row, getattr(tenant, "share", None)) for row, tenant in tables.rows.get("tenants", ())]
    shares = [(row, share) for row, share in given if share is not None]
    total = sum(share for _, share in shares)
    if total > 1.0 + 1e-9:
        message = f"the shares of all tenants sum to {total:.6g}, above 1"
        place = tables.grid("tenants").places.at(shares[-1][0])
        tables.findings.error("shares-sum", message, column="share", hint="Lower them.", **place)
