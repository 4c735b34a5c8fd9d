"""Columns of the long tables: type, unit, default, range and meaning, as data.

The loader, the checks, the JSON Schema and the documentation all read this one description.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

import numpy as np


@dataclass(frozen=True)
class Column:
    """One column. `required` columns have no default; `blank` says whether an empty cell is allowed.

    A blank number is NaN, a blank text is "" in the loaded frame. `choices` and `reference` restrict texts;
    `reference` is "table.column" of the table that must hold the value.
    """

    name: str
    kind: Literal["text", "number", "integer", "flag"]
    meaning: str
    required: bool = False
    default: Any = None
    blank: bool = False
    low: float = -np.inf
    low_open: bool = False
    high: float = np.inf
    choices: tuple[str, ...] = ()
    reference: str = ""


@dataclass(frozen=True)
class LongTable:
    """A table that stays columnar. `key` columns identify a row; empty = rows need no identity."""

    name: str
    columns: tuple[Column, ...]
    key: tuple[str, ...]
    meaning: str = ""

    @property
    def column(self) -> dict[str, Column]:
        """Columns by name."""
        return {c.name: c for c in self.columns}


SEASONS = ("winter", "spring", "summer", "autumn")


def season_of_month(month: int) -> str:
    """Season of a calendar month: December to February is winter, and so on."""
    return SEASONS[month % 12 // 3]


def _profile(name: str, key: str, value: Column, meaning: str) -> LongTable:
    """Build a profile: constant (neither column given), by season and hour, or by period."""
    return LongTable(
        name,
        (
            Column(key, "text", "name that clusters or contracts refer to", required=True),
            Column("season", "text", "season of the period's month", default="", blank=True, choices=SEASONS),
            Column("hour", "integer", "hour of the day, Beijing time", default=-1, blank=True, low=0, high=23),
            Column("period", "integer", "period of the horizon, 0-based", default=-1, blank=True, low=0),
            value,
        ),
        key=(key, "season", "hour", "period"),
        meaning=f"{meaning}: one figure, or one by season and hour of the day, or one by period.",
    )


LONG_TABLES: dict[str, LongTable] = {
    "tariffs": _profile(
        "tariffs",
        "tariff",
        Column("price_yuan_per_kwh", "number", "price of grid energy", required=True, low=-5, high=20),
        "What grid energy costs",
    ),
    "renewables": _profile(
        "renewables",
        "profile",
        Column("capacity_factor", "number", "output over nameplate", required=True, low=0, high=1),
        "What renewables give",
    ),
    "carbon": _profile(
        "carbon",
        "carbon",
        Column("carbon_kg_per_kwh", "number", "CO2 of one kWh of grid energy", required=True, low=0, high=5),
        "What grid energy emits",
    ),
    "jobs": LongTable(
        "jobs",
        (
            Column("id", "text", "name of the job", required=True),
            Column("tenant", "text", "whose job it is", default="", blank=True, reference="tenants.id"),
            Column("region", "text", "where its data is", required=True, reference="regions.id"),
            Column("family", "text", "model family", required=True, reference="families.id"),
            Column("precision", "text", "number format", default="fp16", choices=("fp16", "fp8")),
            Column("mode", "text", "elastic or rigid", default="elastic", choices=("elastic", "rigid")),
            Column("work_pflop_h", "number", "work [PFLOP-hours]", required=True, low=0, low_open=True),
            Column("release_h", "number", "earliest start, hours after the horizon's", required=True, low=0),
            Column("deadline_h", "number", "latest end, hours after the horizon's start", required=True, low=0),
            Column(
                "max_accelerators",
                "number",
                "elastic: most accelerators; rigid: gang",
                required=True,
                low=0,
                low_open=True,
            ),
            Column("min_accelerators", "number", "pools with fewer are too small", default=1.0, low=0),
            Column("data_gb", "number", "data moved once from the region to the pool [GB]", default=0.0, low=0),
            Column("move_gbps", "number", "rate at which it moves [Gbit/s]", default=10.0, low=0, low_open=True),
            Column("residency", "text", "data zone that it may not leave; blank = any", default="", blank=True),
            Column(
                "after",
                "text",
                "base job that must finish first",
                default="",
                blank=True,
                reference="jobs.id",
            ),
            Column("checkpoint_gb", "number", "checkpoint of the base that moves first [GB]", default=0.0, low=0),
            Column("hard", "flag", "must be served", default=False),
            Column(
                "unserved_yuan",
                "number",
                "cost of leaving it; blank = by rule",
                default=np.nan,
                blank=True,
                low=0,
            ),
            Column("work_done_pflop_h", "number", "work already done [PFLOP-hours]", default=0.0, low=0),
            Column(
                "pinned_pool",
                "text",
                "pool that it already runs in",
                default="",
                blank=True,
                reference="pools.id",
            ),
        ),
        key=("id",),
        meaning="Training jobs.",
    ),
    "services": LongTable(
        "services",
        (
            Column("id", "text", "name of the service", required=True),
            Column("tenant", "text", "whose service it is", default="", blank=True, reference="tenants.id"),
            Column("region", "text", "where its users are", required=True, reference="regions.id"),
            Column("family", "text", "model family", required=True, reference="families.id"),
            Column("slo_class", "text", "name of its latency class, for reports", default="", blank=True),
            Column(
                "slo_metric",
                "text",
                "what the SLO bounds",
                default="network_rtt",
                choices=("network_rtt", "ttft", "tpot"),
            ),
            Column("slo_ms", "number", "SLO [ms]", required=True, low=0, low_open=True),
            Column(
                "max_utilisation",
                "number",
                "share of its accelerators it may fill",
                default=0.7,
                low=0,
                low_open=True,
                high=1,
            ),
            Column("kb_in_per_ktoken", "number", "kB received per thousand tokens", default=0.0, low=0),
            Column("kb_out_per_ktoken", "number", "kB sent per thousand tokens", default=0.0, low=0),
            Column("residency", "text", "data zone that it may not leave; blank = any", default="", blank=True),
            Column("hard", "flag", "must be served", default=False),
            Column(
                "unserved_yuan_per_mtoken",
                "number",
                "cost of a million unserved tokens; blank = by rule",
                default=np.nan,
                blank=True,
                low=0,
            ),
        ),
        key=("id",),
        meaning="Inference services; how much each asks for stands in demand.",
    ),
    "demand": LongTable(
        "demand",
        (
            Column("service", "text", "service that asks", required=True, reference="services.id"),
            Column("period", "integer", "period of the horizon, 0-based", required=True, low=0),
            Column(
                "tokens_per_s",
                "number",
                "tokens asked for in every second of the period",
                required=True,
                low=0,
            ),
        ),
        key=("service", "period"),
        meaning="What each service asks for, period by period; a period that is left out asks for nothing.",
    ),
}
