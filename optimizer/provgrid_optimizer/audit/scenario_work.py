"""The work of a scenario as a case's figures: jobs and services read from the tables once more, column by column."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from provgrid_models.capacity import rate_pflops
from provgrid_models.errors import ScenarioError
from provgrid_models.latency import meets_slo, metric_ms
from provgrid_models.reasons import Reason
from provgrid_optimizer.audit.case import ROUNDING
from provgrid_optimizer.audit.scenario_grid import Grid, positions

if TYPE_CHECKING:
    from provgrid_models.scenario import Scenario
    from provgrid_optimizer.audit.case import Bools, Floats, Ints

PRECISIONS = ("fp16", "fp8")


@dataclass(frozen=True)
class Ports:
    """The chip-model binding by position, shape (families, chips); NaN = never ported, or no such figure."""

    mfu: Floats
    tokens_per_s: Floats
    least_accelerators: Floats
    prefill_ms: Floats
    tpot_ms: Floats
    peak_tflops: Floats  # (precisions, chips)


def read_ports(scenario: Scenario) -> Ports:
    """Bindings, with the family's own latency figures where a binding has none."""
    family_at, chip_at = positions(scenario.families), positions(scenario.chips)
    shape = len(scenario.families), len(scenario.chips)
    mfu, tokens_per_s, least = np.full(shape, np.nan), np.full(shape, np.nan), np.ones(shape)
    prefill_ms = np.repeat([[family.prefill_ms] for family in scenario.families], shape[1], axis=1).astype(float)
    tpot_ms = np.repeat([[family.tpot_ms] for family in scenario.families], shape[1], axis=1).astype(float)
    for binding in scenario.bindings:
        if binding.port_yuan is not None and f"{binding.family}/{binding.chip}" not in scenario.settings.ports:
            continue
        at = family_at[binding.family], chip_at[binding.chip]
        mfu[at] = np.nan if binding.mfu is None else binding.mfu
        tokens_per_s[at] = np.nan if binding.tokens_per_s is None else binding.tokens_per_s
        least[at] = binding.min_accelerators
        prefill_ms[at] = prefill_ms[at] if binding.prefill_ms is None else binding.prefill_ms
        tpot_ms[at] = tpot_ms[at] if binding.tpot_ms is None else binding.tpot_ms
    peaks = [[chip.peak_fp16_tflops, chip.peak_fp8_tflops] for chip in scenario.chips]
    return Ports(mfu, tokens_per_s, least, prefill_ms, tpot_ms, np.array(peaks, dtype=np.float64).T)


def numbered(column: pd.Series[Any], names: Iterable[str], what: str, *, blank: bool = False) -> Ints:
    """Position of each text among the names; -1 for blank cells where these may be.

    Raises `ScenarioError` at any other text that is no name.
    """
    texts = texts_of(column)
    filled = texts != "" if blank else np.ones(texts.size, dtype=np.bool_)
    found = np.full(texts.size, -1, dtype=np.int64)
    found[filled] = pd.Index(np.array(list(names), dtype=object)).get_indexer(pd.Index(texts[filled]))
    lost = filled & (found < 0)
    if lost.any():
        raise ScenarioError(
            f"{what} names {texts[int(np.argmax(lost))]!r}, which the scenario does not have; solve again"
        )
    return found


def texts_of(column: pd.Series[Any]) -> NDArray[np.object_]:
    """Texts of a column as objects, which factorise fast; "" where a cell is blank."""
    return column.fillna("").to_numpy(dtype=object)


# Jobs ----------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class JobTable:
    """Jobs of the table that take part, and those of which no part can.

    `kind_yuan_per_pflop_h` (K,) is the market price of work on the cheapest chip that runs it at all; `after` holds
    rows of the table, `row` says which row each job is.
    """

    fields: dict[str, Any]
    row: Ints
    done: Bools  # (table rows,) finished before the plan starts
    outside: Bools  # (table rows,) starts after the horizon
    hopeless: Bools  # (table rows,) a window that holds no period
    kind_yuan_per_pflop_h: Floats
    kind: Ints  # (table rows,)
    work_pflop_h: Floats  # (table rows,) that counts
    release: Ints  # (table rows,)
    after: Ints  # (table rows,) row of the base, -1 = none


def read_jobs(scenario: Scenario, grid: Grid, ports: Ports) -> JobTable:
    """Jobs with their windows in periods, the work that counts, and what each kind does in each pool."""
    frame, horizon = scenario.jobs, scenario.settings.horizon
    number = {name: frame[name].to_numpy(dtype=np.float64) for name in _NUMBERS}
    kind, kind_fields, market = _kinds(scenario, grid, ports)
    release = np.ceil(number["release_h"] / horizon.period_h - ROUNDING).astype(np.int64)
    deadline = np.floor(number["deadline_h"] / horizon.period_h + ROUNDING).astype(np.int64)
    left = number["work_pflop_h"] - number["work_done_pflop_h"]
    done = left <= ROUNDING * number["work_pflop_h"]
    outside = ~done & (release >= horizon.periods)
    hopeless = ~done & ~outside & (deadline <= release)
    # Of a window that crosses the end, the part inside counts; so does that part of the work.
    inside = np.minimum(deadline, horizon.periods) - release
    part = np.where(deadline > horizon.periods, inside / np.maximum(deadline - release, 1), 1.0)
    after = numbered(frame["after"], texts_of(frame["id"]), "jobs.after", blank=True)
    freed = (after >= 0) & done[after]
    pinned = numbered(frame["pinned_pool"], positions(scenario.pools), "jobs.pinned_pool", blank=True)
    moved_gb = number["data_gb"] + np.where(freed, number["checkpoint_gb"], 0.0)
    checkpoint_gb = np.where(freed, 0.0, number["checkpoint_gb"])
    row = np.flatnonzero(~(done | outside | hopeless))
    columns = {
        "job_kind": kind,
        "job_origin": numbered(frame["region"], positions(scenario.regions), "jobs.region"),
        "work_pflop_h": left * part,
        "release": release,
        "deadline": np.minimum(deadline, horizon.periods),
        "max_accelerators": number["max_accelerators"],
        "rigid": texts_of(frame["mode"]) == "rigid",
        # What a running job needs is where it runs already.
        "data_gb": np.where(pinned >= 0, 0.0, moved_gb),
        "checkpoint_gb": np.where(pinned >= 0, 0.0, checkpoint_gb),
        "move_gbps": number["move_gbps"],
        "unserved_yuan": number["unserved_yuan"],
        "pinned_pool": pinned,
        "job_tenant": numbered(frame["tenant"], positions(scenario.tenants), "jobs.tenant", blank=True),
    }
    return JobTable(
        fields={name: column[row] for name, column in columns.items()} | kind_fields,
        row=row,
        done=done,
        outside=outside,
        hopeless=hopeless,
        kind_yuan_per_pflop_h=market,
        kind=kind,
        work_pflop_h=left * part,
        release=release,
        after=np.where(freed, -1, after),
    )


_NUMBERS = (
    "work_pflop_h",
    "work_done_pflop_h",
    "release_h",
    "deadline_h",
    "max_accelerators",
    "data_gb",
    "checkpoint_gb",
    "move_gbps",
    "unserved_yuan",
)


def _kinds(scenario: Scenario, grid: Grid, ports: Ports) -> tuple[Ints, dict[str, Any], Floats]:
    """Kind of each job, rate and reason of each kind in each pool, and its cheapest market price."""
    frame = scenario.jobs
    family = numbered(frame["family"], positions(scenario.families), "jobs.family")
    precision = numbered(frame["precision"], PRECISIONS, "jobs.precision")
    least, least_values = pd.factorize(frame["min_accelerators"])
    zone, zones = pd.factorize(texts_of(frame["residency"]))
    mixed = ((family * 2 + precision) * (len(least_values) + 1) + least) * (len(zones) + 1) + zone
    _, first, kind = np.unique(mixed, return_index=True, return_inverse=True)
    shape = first.size, grid.pool_chip.size
    rates, reasons, market = np.zeros(shape), np.zeros(shape, dtype=np.int64), np.full(first.size, np.inf)
    for k, j in enumerate(first.tolist()):
        on_chip = rate_pflops(ports.peak_tflops[precision[j]], ports.mfu[family[j]])[grid.pool_chip]
        ported = on_chip > 0
        needed = np.maximum(ports.least_accelerators[family[j]][grid.pool_chip], float(least_values[least[j]]))
        reasons[k] = _first_reason(ported, grid.pool_accelerators >= needed, _entry(grid, str(zones[zone[j]])))
        rates[k] = np.where(reasons[k] == 0, on_chip, 0.0)
        if ported.any():
            market[k] = (grid.pool_yuan_per_h[ported] / on_chip[ported]).min()
    return kind.astype(np.int64), {"kind_rate_pflops": rates, "kind_reason": reasons}, market


def _entry(grid: Grid, zone: str) -> Bools:
    """Pools that data bound to a zone may enter; none, where no cluster or region is in that zone."""
    return grid.may_enter.get(zone, np.zeros(grid.pool_chip.size, dtype=np.bool_))


def _first_reason(ported: Bools, large_enough: Bools, may_enter: Bools) -> Ints:
    """Why each pool is closed: never ported, then too small for the memory, then residency."""
    reason = np.where(may_enter, 0, int(Reason.RESIDENCY))
    reason = np.where(large_enough, reason, int(Reason.TOO_FEW_ACCELERATORS))
    return np.where(ported, reason, int(Reason.NO_BINDING)).astype(np.int64)


# Services ------------------------------------------------------------------------------------------------------

SECONDS_PER_HOUR = 3600.0
BITS_PER_KB = 8000.0


@dataclass(frozen=True)
class ServiceTable:
    """Every service of the table; `reachable` says whether any pool is open to it."""

    fields: dict[str, Any]
    reachable: Bools
    anywhere_yuan: Floats  # (S,) unserved value of a token/s for an hour over all pools that run the family, inf = none


def read_services(scenario: Scenario, grid: Grid, ports: Ports) -> ServiceTable:
    """Services with demand, rates, network prices and unserved values; a service unit is one token/s."""
    frame = scenario.services
    number = {name: frame[name].to_numpy(dtype=np.float64) for name in _SERVICE_NUMBERS}
    origin = numbered(frame["region"], positions(scenario.regions), "services.region")
    family = numbered(frame["family"], positions(scenario.families), "services.family")
    utilised = number["max_utilisation"][:, None] * ports.tokens_per_s[family][:, grid.pool_chip]
    reason = _service_reasons(scenario, grid, ports, origin, family)
    rate = np.where(reason == 0, utilised, 0.0)
    multiple = scenario.settings.prices.unserved_multiple
    by_rule, anywhere = (multiple * _cheapest(grid, r) for r in (rate, np.nan_to_num(utilised)))
    # yuan per million tokens to yuan per token/s and hour: an hour holds 3600 of each token/s.
    given = number["unserved_yuan_per_mtoken"] * SECONDS_PER_HOUR / 1e6
    hard = frame["hard"].to_numpy(dtype=np.bool_)
    value = np.where(np.isnan(given), by_rule, given)
    kb_per_token = (number["kb_in_per_ktoken"] + number["kb_out_per_ktoken"]) / 1000.0
    gb_per_hour = kb_per_token * SECONDS_PER_HOUR / 1e6
    gb_yuan = grid.fields["gb_yuan"][origin]
    free = np.where(np.isinf(gb_yuan), 0.0, gb_yuan)
    return ServiceTable(
        fields={
            "demand": _demand(scenario),
            "service_rate": rate,
            "service_reason": reason,
            "service_origin": origin,
            "service_yuan": np.where(np.isinf(gb_yuan), np.inf, free * gb_per_hour[:, None]),
            "service_gbps": kb_per_token * BITS_PER_KB / 1e9,
            "service_unserved_yuan": np.where(hard, np.inf, value),
            "service_tenant": numbered(frame["tenant"], positions(scenario.tenants), "services.tenant", blank=True),
        },
        reachable=(reason == 0).any(axis=1),
        anywhere_yuan=np.where(np.isnan(given), anywhere, given),
    )


_SERVICE_NUMBERS = (
    "max_utilisation",
    "kb_in_per_ktoken",
    "kb_out_per_ktoken",
    "slo_ms",
    "unserved_yuan_per_mtoken",
)


def _cheapest(grid: Grid, rate: Floats) -> Floats:
    """Least market price of the accelerators that one unit takes for an hour, shape (S,); inf where none runs it."""
    price = np.divide(grid.pool_yuan_per_h, rate, out=np.full(rate.shape, np.inf), where=rate > 0)
    return np.asarray(price.min(axis=1, initial=np.inf), dtype=np.float64)


def _service_reasons(scenario: Scenario, grid: Grid, ports: Ports, origin: Ints, family: Ints) -> Ints:
    """Why each pool is closed to each service, shape (S, P); 0 = open."""
    frame, switches = scenario.services, scenario.settings.switches
    zones = [str(zone) for zone in texts_of(frame["residency"])]
    reason = np.zeros((len(frame), grid.pool_chip.size), dtype=np.int64)
    for s, (f, zone) in enumerate(zip(family, zones, strict=True)):
        ported = ports.tokens_per_s[f][grid.pool_chip] > 0
        large_enough = grid.pool_accelerators >= ports.least_accelerators[f][grid.pool_chip]
        reason[s] = _first_reason(ported, large_enough, _entry(grid, zone))
    reason = np.where((reason == 0) & np.isinf(grid.fields["gb_yuan"][origin]), int(Reason.NO_ROUTE), reason)
    if not switches.latency:
        return reason
    metric = metric_ms(
        frame["slo_metric"].tolist(),
        grid.round_trip_ms[origin],
        ports.prefill_ms[family][:, grid.pool_chip],
        ports.tpot_ms[family][:, grid.pool_chip],
        queue_ms=scenario.settings.latency.queue_ms,
    )
    within = meets_slo(metric, frame["slo_ms"].to_numpy(dtype=np.float64))
    return np.where((reason == 0) & ~within, int(Reason.SLO), reason).astype(np.int64)


def _demand(scenario: Scenario) -> Floats:
    """Tokens/s asked by each service in each period, shape (S, T); rows after the horizon do not count."""
    frame, periods = scenario.demand, scenario.settings.horizon.periods
    asked = np.zeros((len(scenario.services), periods))
    inside = frame[frame["period"] < periods]
    service = numbered(inside["service"], texts_of(scenario.services["id"]), "demand.service")
    asked[service, inside["period"].to_numpy(dtype=np.int64)] = inside["tokens_per_s"].to_numpy(dtype=np.float64)
    return asked
