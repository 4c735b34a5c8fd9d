"""Single changes that let work be served that otherwise cannot be, each as small as will do."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from provgrid_models.bindings import ported
from provgrid_models.reasons import Reason
from provgrid_optimizer.answers.asked import REFUSALS, amount_needed, fits
from provgrid_optimizer.answers.edits import Edit, cell_of, row_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from provgrid_models.scenario import Scenario
    from provgrid_optimizer.answers.asked import Asked
    from provgrid_optimizer.answers.conflict import Conflict, Work
    from provgrid_optimizer.options import SolveOptions

DIGITS = 6  # of an amount; it is rounded up there
WORK_STEPS = 1000  # parts of a job's work
HALVINGS = 8  # of a step that is refused, before the limit is left as it is


def working_changes(scenario: Scenario, conflict: Conflict, asked: Asked, options: SolveOptions) -> list[Edit]:
    """List the single changes after which all of what is asked can be served, the smallest first.

    What is tried: the limits of the conflict; of its work the window, a job's accelerators, the SLO, the rules of
    residency and order, and ports that have a price; pools that are too small for it. Numbers come before rules, by the
    share of the step in what is there; that the work asks for less is only said where nothing else helps. Each change
    was tried by a solve of its own.
    """
    found = [change for change in _limits(scenario, conflict, asked, options) if change is not None]
    for work in conflict.work:
        found += [c for c in _of_work(scenario, work, asked, options) if c is not None]
    if not found:
        less = (_asks_less(scenario, work, asked, options) for work in conflict.work)
        found = [change for change in less if change is not None]
    distinct = {change.override: change for change in found}
    return sorted(distinct.values(), key=lambda c: math.inf if c.share is None else c.share)


def rounded_up(amount: float) -> float:
    """Round up to six digits; what is that near to a shorter number is that number."""
    if amount <= 0:
        return 0.0
    scale = 10.0 ** (DIGITS - 1 - math.floor(math.log10(amount)))
    return math.ceil(amount * scale * (1.0 - 1e-9)) / scale


# Limits --------------------------------------------------------------------------------------------------------


def _limits(scenario: Scenario, conflict: Conflict, asked: Asked, options: SolveOptions) -> Iterator[Edit | None]:
    for kind, name in dict.fromkeys((limit.kind, limit.id) for limit in conflict.limits):
        if kind == "after":
            base = str(cell_of(scenario, "jobs", name, "after"))
            yield _rule(scenario, "jobs", name, "after", base, asked, options)
            continue
        for change in _limit_cells(scenario, kind, name):
            yield _least(scenario, change, asked, options)


def _limit_cells(scenario: Scenario, kind: str, name: str) -> Iterator[Edit]:
    """Cells of the scenario behind a limit, before any step."""
    if kind == "capacity":
        yield _cell("pools", name, "accelerators", row_of(scenario, "pools", name).accelerators, "accelerators")
    elif kind == "link":
        yield _cell("links", name, "bandwidth_gbps", row_of(scenario, "links", name).bandwidth_gbps, "Gbit/s")
    elif kind == "carbon":
        yield _cell("limits", "", "carbon_budget_t", scenario.settings.limits.carbon_budget_t or 0.0, "t")
    elif kind == "power":
        grid_mw = row_of(scenario, "clusters", name).grid_limit_mw
        if grid_mw is not None:
            yield _cell("clusters", name, "grid_limit_mw", grid_mw, "MW")
        for contract in scenario.contracts:
            if contract.cluster == name:
                yield _cell("contracts", contract.id, "capacity_mw", contract.capacity_mw, "MW")


def _cell(table: str, name: str, column: str, before: float, unit: str) -> Edit:
    return Edit(table=table, id=name, column=column, before=before, after=before, unit=unit, size=before)


def _least(
    scenario: Scenario, change: Edit, asked: Asked, options: SolveOptions, least: float | None = None
) -> Edit | None:
    """Raise a limit as little as will do, whole accelerators at a time; None where no amount will.

    With `least`, no less than this is asked for.
    """
    if least is not None and (enough := _checked(scenario, change.to(least), asked, options)):
        return enough
    start = float(change.before if least is None else least)
    more = _more_needed(scenario, change, start, asked, options)
    if more is None:
        return None
    after = math.ceil(start + more - 1e-6) * 1.0 if change.unit == "accelerators" else start + rounded_up(more)
    return _checked(scenario, change.to(float(f"{after:.12g}")), asked, options)


def _more_needed(scenario: Scenario, change: Edit, start: float, asked: Asked, options: SolveOptions) -> float | None:
    """Find how much more than `start` a limit has to be, None where no amount is enough.

    Limits move in proportion to a step. Where it is refused, as more idle accelerators may break a carbon budget, half
    of it says the same.
    """
    here, step = change.to(start).applied(scenario), float(change.before) or 1.0
    for _ in range(HALVINGS):
        try:
            times = amount_needed(here, change.to(start + step).applied(scenario), asked, options)
        except REFUSALS:
            step /= 2.0
        else:
            return None if times is None else times * step
    return None


def _checked(scenario: Scenario, change: Edit, asked: Asked, options: SolveOptions) -> Edit | None:
    """Return the change if the work can be served after it."""
    return change if change.before != change.after and fits(change.applied(scenario), asked, options) else None


# Work ----------------------------------------------------------------------------------------------------------


def _of_work(scenario: Scenario, work: Work, asked: Asked, options: SolveOptions) -> Iterator[Edit | None]:
    table = "jobs" if work.kind == "job" else "services"
    if work.kind == "job":
        yield from _window(scenario, work.id, asked, options)
        yield _wider(scenario, work.id, asked, options)
        base = str(cell_of(scenario, "jobs", work.id, "after") or "")
        if base:
            yield _rule(scenario, "jobs", work.id, "after", base, asked, options)
    for shut in work.exclusions:
        if shut.reason is Reason.SLO and shut.found is not None and not math.isnan(shut.found):
            before = float(cell_of(scenario, table, work.id, "slo_ms"))
            yield _checked(
                scenario, _cell(table, work.id, "slo_ms", before, "ms").to(rounded_up(shut.found)), asked, options
            )
        elif shut.reason is Reason.RESIDENCY:
            zone = str(cell_of(scenario, table, work.id, "residency"))
            yield _rule(scenario, table, work.id, "residency", zone, asked, options)
        elif shut.reason is Reason.NO_BINDING:
            yield from _ports(scenario, table, work.id, shut.pool, asked, options)
        elif shut.reason in (Reason.TOO_FEW_ACCELERATORS, Reason.GANG_TOO_LARGE) and shut.found is not None:
            pool = row_of(scenario, "pools", shut.pool)
            enough = math.ceil(shut.found / pool.availability - 1e-9) * 1.0 if pool.availability else math.inf
            if math.isfinite(enough):
                change = _cell("pools", pool.id, "accelerators", pool.accelerators, "accelerators")
                yield _least(scenario, change, asked, options, least=enough)


def _rule(
    scenario: Scenario, table: str, name: str, column: str, before: str, asked: Asked, options: SolveOptions
) -> Edit | None:
    change = Edit(table=table, id=name, column=column, before=before, after="", unit="", size=0.0)
    return _checked(scenario, change, asked, options)


def _ports(
    scenario: Scenario, table: str, name: str, pool: str, asked: Asked, options: SolveOptions
) -> Iterator[Edit | None]:
    family, chip = str(cell_of(scenario, table, name, "family")), row_of(scenario, "pools", pool).chip
    there = ported(scenario)
    for row in scenario.bindings:
        if (row.family, row.chip) == (family, chip) and row.port_yuan is not None and row not in there:
            port = f"{family}/{chip}"
            every = ", ".join(f'"{one}"' for one in (*scenario.settings.ports, port))
            change = Edit(table="ports", id=port, column="ports", before="", after=f"[{every}]", unit="yuan", size=0.0)
            yield _checked(scenario, change, asked, options)


def _window(scenario: Scenario, name: str, asked: Asked, options: SolveOptions) -> Iterator[Edit | None]:
    """Try a later deadline and an earlier release, in whole periods."""
    horizon = scenario.settings.horizon
    release_h, deadline_h = (float(cell_of(scenario, "jobs", name, c)) for c in ("release_h", "deadline_h"))
    first, last = math.ceil(release_h / horizon.period_h - 1e-9), math.floor(deadline_h / horizon.period_h + 1e-9)
    size = max(deadline_h - release_h, horizon.period_h)
    for column, before, ends in (
        ("deadline_h", deadline_h, range(last + 1, horizon.periods + 1)),
        ("release_h", release_h, range(first - 1, -1, -1)),
    ):
        change = Edit(table="jobs", id=name, column=column, before=before, after=before, unit="h", size=size)
        yield _first_that_fits(_ending(change, ends, horizon.period_h), len(ends), scenario, asked, options)


def _ending(change: Edit, ends: range, period_h: float) -> Callable[[int], Edit]:
    """Return the change to the k-th of these periods."""
    return lambda k: change.to(ends[k] * period_h)


def _wider(scenario: Scenario, name: str, asked: Asked, options: SolveOptions) -> Edit | None:
    """More accelerators at a time, for an elastic job."""
    if cell_of(scenario, "jobs", name, "mode") == "rigid":
        return None
    before = float(cell_of(scenario, "jobs", name, "max_accelerators"))
    most = max(pool.accelerators * pool.availability for pool in scenario.pools)
    change = _cell("jobs", name, "max_accelerators", before, "accelerators")
    least = math.floor(before) + 1.0
    return _first_that_fits(lambda k: change.to(least + k), math.ceil(most - before), scenario, asked, options)


def _first_that_fits(
    step: Callable[[int], Edit], count: int, scenario: Scenario, asked: Asked, options: SolveOptions
) -> Edit | None:
    """Find the first of so many steps that will do, where all after it do too, by halving."""
    if count <= 0 or not fits(step(count - 1).applied(scenario), asked, options):
        return None
    low, high = 0, count - 1
    while low < high:
        middle = (low + high) // 2
        if fits(step(middle).applied(scenario), asked, options):
            high = middle
        else:
            low = middle + 1
    return step(high)


def _asks_less(scenario: Scenario, work: Work, asked: Asked, options: SolveOptions) -> Edit | None:
    """Find the least part of its work, or of a service's demand, that has to go."""
    if work.kind == "service":
        part = amount_needed(scenario, scenario, asked, options, asks_less=work.id)
        if part is None:
            return None
        change = Edit(table="demand", id=work.id, column="tokens_per_s", before=1.0, after=1.0, unit="", size=1.0)
        return _checked(scenario, change.to(1.0 - rounded_up(part)), asked, options)
    before = float(cell_of(scenario, "jobs", work.id, "work_pflop_h"))
    change = _cell("jobs", work.id, "work_pflop_h", before, "PFLOP-hours")
    return _first_that_fits(
        lambda k: change.to(before * (1.0 - (k + 1) / WORK_STEPS)), WORK_STEPS - 1, scenario, asked, options
    )
