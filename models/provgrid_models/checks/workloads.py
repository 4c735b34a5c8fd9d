"""Jobs, services and demand: windows, chains, periods. Everything is vectorised; a million jobs take seconds."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from provgrid_models.checks.horizon import usable_horizon
from provgrid_models.findings import MOST_PER_KIND
from provgrid_models.horizon import weights

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
    weight = weights(horizon)
    inside = ~late & ~beyond & np.isfinite(release_h) & np.isfinite(deadline_h) & (release_h >= 0)
    if (weight == weight[0]).all() or not inside.any():
        return
    segment = np.concatenate([[0], np.cumsum(np.diff(weight) != 0)])
    first = np.ceil(np.where(inside, release_h, 0.0) / horizon.period_h - PERIOD_TOLERANCE).astype(np.int64)
    end = np.floor(np.where(inside, np.minimum(deadline_h, end_h), 0.0) / horizon.period_h + PERIOD_TOLERANCE)
    first = np.minimum(first, horizon.periods - 1)
    last = np.clip(end.astype(np.int64) - 1, first, horizon.periods - 1)
    spans = inside & (segment[first] != segment[last])
    message, hint = "the window spans periods of different weight", "End it with the block that it starts in."
    tables.report("jobs", "deadline_h", spans, "mixed-weights", message, hint=hint)


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
    """Every chain of `after` must end. Pointers are doubled until every finite chain has reached its end."""
    if not tables.sound("jobs", "id", "after") or "after" not in tables.grid("jobs").data:
        return
    names, blank = tables.grid("jobs").column("after")
    waiting = np.flatnonzero(~blank)
    ids = pd.Index(tables.values("jobs", "id"))
    if not len(waiting) or not ids.is_unique:
        return
    base = np.full(len(ids), -1, dtype=np.int64)
    base[waiting] = ids.get_indexer(pd.Index(names.iloc[waiting]))
    jump = base
    for _ in range(len(ids).bit_length() + 1):
        jump = np.where(jump >= 0, jump[jump], -1)
    seen: set[int] = set()
    for job in np.flatnonzero(jump >= 0).tolist():
        if len(seen) >= MOST_PER_KIND:
            return
        cycle = _cycle(base, int(jump[job]))
        if min(cycle) in seen:
            continue
        seen.add(min(cycle))
        _report_cycle(tables, ids, cycle)


def _cycle(base: NDArray[np.int64], job: int) -> list[int]:
    """Jobs of the cycle that `job` lies on, in order of waiting."""
    cycle = [job]
    while base[cycle[-1]] != job:
        cycle.append(int(base[cycle[-1]]))
    return cycle


def _report_cycle(tables: Tables, ids: pd.Index[Any], cycle: list[int]) -> None:
    first = cycle.index(min(cycle))
    chain = [str(ids[job]) for job in cycle[first:] + cycle[: first + 1]]
    shown = chain if len(chain) <= 6 else [*chain[:4], "...", chain[-1]]
    place = tables.grid("jobs").places.at(min(cycle))
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
        silent = (~services.isin(tables.values("demand", "service").unique())).to_numpy()
        message = "the service has no demand"
        hint = "Add rows to demand, or drop it."
        tables.report("services", "id", silent, "no-demand", message, hint=hint, severity="warning")


def _check_shares(tables: Tables) -> None:
    given = [(row, getattr(tenant, "share", None)) for row, tenant in tables.rows.get("tenants", ())]
    shares = [(row, share) for row, share in given if share is not None]
    total = sum(share for _, share in shares)
    if total > 1.0 + 1e-9:
        message = f"the shares of all tenants sum to {total:.6g}, above 1"
        place = tables.grid("tenants").places.at(shares[-1][0])
        tables.findings.error("shares-sum", message, column="share", hint="Lower them.", **place)
