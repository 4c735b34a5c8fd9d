"""Services and their demand as the arrays of a `Problem`."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from provgrid_models.bindings import Bindings, text_codes
from provgrid_models.capacity import close, open_rates
from provgrid_models.compile_jobs import dominating_reason
from provgrid_models.errors import ASK_WHY, InfeasibleError
from provgrid_models.latency import meets_slo, metric_ms
from provgrid_models.problem import Bools, Floats, Ints
from provgrid_models.reasons import REASON_TEXT, Reason
from provgrid_models.sites import positions
from provgrid_models.words import counted

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from provgrid_models.scenario import Scenario
    from provgrid_models.sites import Sites

# A token/s for an hour is 3600 tokens, 3.6 thousand; a GB is 10^6 kB; a kB per thousand tokens is 8 bit per token.
GB_PER_KB_AND_HOUR = 3.6e-6
GBPS_PER_KB = 8e-9
TOKENS_PER_HOUR = 3600.0
TOKENS_PER_MTOKEN = 1e6


@dataclass(frozen=True)
class CompiledServices:
    """The services' part of a problem."""

    fields: Mapping[str, Any]
    labels: list[str]
    never_served: tuple[tuple[str, str, float], ...]
    asked_accelerator_h: Floats  # (N,) per tenant, each service at its fastest open pool
    notes: tuple[str, ...]


def compile_services(scenario: Scenario, sites: Sites, bindings: Bindings) -> CompiledServices:
    """Compile services and demand; the rules are in `compile.compile_scenario`."""
    frame = scenario.services
    names = frame["id"].to_numpy(dtype=object)
    if not len(frame):
        return CompiledServices({}, [], (), np.zeros(len(scenario.tenants)), ())
    origin = text_codes(frame["region"], positions(scenario.regions), "services")
    family = text_codes(frame["family"], positions(scenario.families), "services")
    tenant = text_codes(frame["tenant"], positions(scenario.tenants), "services")
    demand, notes = _demand(scenario)
    filled = frame["max_utilisation"].to_numpy(dtype=np.float64)
    traffic_kb = (frame["kb_in_per_ktoken"] + frame["kb_out_per_ktoken"]).to_numpy(dtype=np.float64)
    rate, reason = _open_pools(scenario, sites, bindings, family, origin)
    rate = rate * filled[:, None]

    hard = frame["hard"].to_numpy(dtype=np.bool_)
    per_unit = TOKENS_PER_HOUR / TOKENS_PER_MTOKEN
    given = frame["unserved_yuan_per_mtoken"].to_numpy(dtype=np.float64) * per_unit
    multiple = scenario.settings.prices.unserved_multiple
    by_rule = multiple * _cheapest(rate, sites)
    anywhere = multiple * _cheapest(bindings.tokens_per_s[family][:, sites.pool_chip] * filled[:, None], sites)
    staying = (reason == 0).any(axis=1)
    hours = sites.fields["period_h"] * sites.fields["weight"]
    units = demand @ hours
    never = _never_served(names, reason, units, np.where(np.isnan(given), anywhere, given), hard & (units > 0))

    fastest = rate.max(axis=1)
    asked = np.where(staying, units / np.where(staying, fastest, 1.0), 0.0)
    owned = tenant >= 0
    gb_yuan = sites.fields["gb_yuan"][origin]
    reached = np.where(np.isinf(gb_yuan), 0.0, gb_yuan) * (traffic_kb * GB_PER_KB_AND_HOUR)[:, None]
    unserved = np.where(hard, np.inf, np.where(np.isnan(given), by_rule, given))
    return CompiledServices(
        fields={
            "demand": demand[staying],
            "service_rate": rate[staying],
            "service_reason": reason[staying],
            "service_origin": origin[staying],
            "service_yuan": np.where(np.isinf(gb_yuan), np.inf, reached)[staying],
            "service_gbps": (traffic_kb * GBPS_PER_KB)[staying],
            "service_unserved_yuan": unserved[staying],
            "service_tenant": tenant[staying],
        },
        labels=names[staying].tolist(),
        never_served=never,
        asked_accelerator_h=np.bincount(tenant[owned], weights=asked[owned], minlength=len(scenario.tenants)).astype(
            np.float64
        ),
        notes=notes,
    )


def _demand(scenario: Scenario) -> tuple[Floats, tuple[str, ...]]:
    """Return tokens/s of every service in every period, shape (S, T); what no row asks for is 0."""
    frame, periods = scenario.demand, scenario.settings.horizon.periods
    demand = np.zeros((len(scenario.services), periods))
    place = {name: i for i, name in enumerate(scenario.services["id"])}
    service = text_codes(frame["service"], place, "demand")
    period = frame["period"].to_numpy(dtype=np.int64)
    inside = (period >= 0) & (period < periods) & (service >= 0)
    demand[service[inside], period[inside]] = frame["tokens_per_s"].to_numpy(dtype=np.float64)[inside]
    beyond = int((period >= periods).sum())
    late = counted(beyond, "row of demand lies", "rows of demand lie")
    return demand, (f"{late} after the horizon and left out",) if beyond else ()


def _open_pools(
    scenario: Scenario, sites: Sites, bindings: Bindings, family: Ints, origin: Ints
) -> tuple[Floats, Ints]:
    """Tokens/s of a full accelerator of every service in every pool, and the reasons for closed ones: (S, P)."""
    frame, switches = scenario.services, scenario.settings.switches
    rate, reason = open_rates(
        bindings.tokens_per_s[family],
        bindings.least_accelerators[family],
        np.ones(len(frame)),
        sites.pool_chip,
        sites.pool_accelerators,
    )
    zones = [str(zone) for zone in frame["residency"].fillna("")]
    rate, reason = close(rate, reason, sites.leaves_zone(zones, switches.residency), Reason.RESIDENCY)
    rate, reason = close(rate, reason, np.isinf(sites.fields["gb_yuan"][origin]), Reason.NO_ROUTE)
    if not switches.latency:
        return rate, reason
    values_ms = metrics_ms(scenario, sites, bindings)
    return close(rate, reason, ~meets_slo(values_ms, frame["slo_ms"].to_numpy(dtype=np.float64)), Reason.SLO)


def metrics_ms(scenario: Scenario, sites: Sites, bindings: Bindings) -> Floats:
    """Return what each service's SLO bounds, in every pool, shape (S, P) [ms]; NaN = unknown."""
    frame = scenario.services
    origin = text_codes(frame["region"], positions(scenario.regions), "services")
    family = text_codes(frame["family"], positions(scenario.families), "services")
    return metric_ms(
        frame["slo_metric"].tolist(),
        sites.round_trip_ms[origin],
        bindings.prefill_ms[family][:, sites.pool_chip],
        bindings.tpot_ms[family][:, sites.pool_chip],
        queue_ms=scenario.settings.latency.queue_ms,
    )


def service_by_itself(scenario: Scenario, sites: Sites, bindings: Bindings, name: str) -> tuple[Ints, Floats]:
    """Reason code of one service in every pool, 0 = open, and its latency metric there [ms]: (P,) each."""
    alone = replace(scenario, services=scenario.services[scenario.services["id"] == name].reset_index(drop=True))
    origin = text_codes(alone.services["region"], positions(scenario.regions), "services")
    family = text_codes(alone.services["family"], positions(scenario.families), "services")
    reason = _open_pools(alone, sites, bindings, family, origin)[1]
    return reason[0], metrics_ms(alone, sites, bindings)[0]


def _cheapest(rate: Floats, sites: Sites) -> Floats:
    """Market price of the accelerators that a token/s takes for an hour, in the cheapest pool; inf where none runs."""
    runs = rate > 0
    return np.asarray(np.where(runs, sites.pool_yuan_per_h / np.where(runs, rate, 1.0), np.inf).min(axis=1))


def _never_served(
    names: NDArray[Any], reason: Ints, units: Floats, unit_yuan: Floats, hard: Bools
) -> tuple[tuple[str, str, float], ...]:
    """List the services that no pool could ever serve with their reason and yuan; raise where one of them is hard.

    `units` (S,) are (tokens/s)-hours over the horizon, `unit_yuan` (S,) the yuan of one, inf = unknown.
    """
    listed = []
    for s in np.flatnonzero((reason > 0).all(axis=1)):
        why = REASON_TEXT[Reason(int(dominating_reason(reason[s : s + 1])[0]))]
        if hard[s]:
            raise InfeasibleError(
                f"service {names[s]} is hard and no pool can ever serve it: {why}; "
                f"change its SLO, residency or family, or let hard be false{ASK_WHY}"
            )
        known = np.isfinite(unit_yuan[s])
        value = "" if known else "; no chip here runs its family, so its value is unknown and counts as 0"
        listed.append((str(names[s]), why + value, float(units[s] * unit_yuan[s]) if known else 0.0))
    return tuple(listed)
