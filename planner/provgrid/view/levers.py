"""Levers: the figures of a scenario that planners move most, each with its limits and the `--set` that moves it."""

from __future__ import annotations

import json
import math
import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

from provgrid.view.refusals import RefusedError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    import pandas as pd

    from provgrid_models.scenario import Scenario

Kind = Literal["number", "factor", "switch", "zones"]
Group = Literal["carbon", "power", "capacity", "slo", "residency"]
Value = float | bool | tuple[str, ...]

HIGHEST_CARBON_PRICE_YUAN_PER_T = 10_000.0
HIGHEST_POWER_FACTOR = 10.0
MOST_ACCELERATORS = 10_000_000.0
SHORTEST_SLO_MS, LONGEST_SLO_MS = 0.001, 3_600_000.0
# The twelve provincial units of the western region, as the strategy for developing the west draws it.
WESTERN = (
    *("Chongqing", "Gansu", "Guangxi", "Guizhou", "Inner Mongolia", "Ningxia", "Qinghai", "Shaanxi", "Sichuan"),
    *("Tibet", "Xinjiang", "Yunnan"),
)
# Keys that `--set` can name one row by: its own marks and blanks at the ends would be read as something else.
NAMEABLE = re.compile(r"(?!.*\.\.)[^\s=:*.]([^=:*\n]*[^\s=:*.])?")
MARKS = "-_/"
MOST_NAMED = 6  # services of one lever
MOST_PATHS = 60  # of one lever: a longer command is not one that anybody would type


@dataclass(frozen=True, kw_only=True)
class Lever:
    """One figure that may be moved.

    `name` is what it is of (a pool, a class), `paths` are the keys of `--set`, `low` and `high` the limits of a number.
    `choices` are the zones of a lever of zones, and `others` the groups of zones that stay as they are beside it.
    `details` fill its line of explanation.
    """

    key: str
    group: Group
    kind: Kind
    paths: tuple[str, ...]
    current: Value
    name: str = ""
    low: float = 0.0
    high: float = math.inf
    choices: tuple[str, ...] = ()
    others: tuple[tuple[str, ...], ...] = ()
    details: Mapping[str, Any] = field(default_factory=dict)

    def value(self, asked: Any) -> Value:
        """Check a value that somebody asks for.

        Raises
        ------
        RefusedError : it is of a wrong type, or out of the limits.
        """
        if self.kind == "switch":
            if not isinstance(asked, bool):
                raise RefusedError(400, "lever_switch", lever=self.key, found=_shown(asked))
            return asked
        if self.kind == "zones":
            return self._zones(asked)
        if isinstance(asked, bool) or not isinstance(asked, int | float):
            raise RefusedError(400, "lever_number", lever=self.key, found=_shown(asked))
        # An integer may be too large for a float, and then for every limit.
        if not self.low <= asked <= self.high:
            raise RefusedError(422, "lever_range", lever=self.key, found=_shown(asked), low=self.low, high=self.high)
        return float(asked)

    def _zones(self, asked: Any) -> tuple[str, ...]:
        if not isinstance(asked, list) or not all(isinstance(zone, str) for zone in asked):
            raise RefusedError(400, "lever_zones", lever=self.key, found=_shown(asked))
        unknown = next((zone for zone in asked if zone not in self.choices), None)
        if unknown is not None:
            raise RefusedError(422, "lever_zone", lever=self.key, found=_shown(unknown))
        chosen = tuple(zone for zone in self.choices if zone in asked)
        if len(chosen) == 1:
            raise RefusedError(422, "lever_one_zone", lever=self.key)
        return chosen

    def overrides(self, value: Value) -> tuple[str, ...]:
        """Return the arguments of `--set` that give the lever this value."""
        if isinstance(value, bool):
            return tuple(f"{path}={'true' if value else 'false'}" for path in self.paths)
        if isinstance(value, tuple):
            groups = [list(group) for group in (value, *self.others) if group]
            return tuple(f"{path}={json.dumps(groups, ensure_ascii=False)}" for path in self.paths)
        text = str(int(value)) if value.is_integer() else repr(value)
        sign = "*=" if self.kind == "factor" else "="
        return tuple(f"{path}{sign}{text}" for path in self.paths)


def levers_of(scenario: Scenario) -> tuple[Lever, ...]:
    """Return the levers of a scenario, with its own figures as they are now."""
    carbon = Lever(
        key="carbon",
        group="carbon",
        kind="number",
        paths=("prices.carbon_price_yuan_per_t",),
        current=scenario.settings.prices.carbon_price_yuan_per_t,
        high=HIGHEST_CARBON_PRICE_YUAN_PER_T,
    )
    return carbon, *_power(scenario), *_pools(scenario), *_slos(scenario.services), *_residency(scenario)


def overrides_of(levers: Sequence[Lever], asked: Mapping[str, Any]) -> tuple[str, ...]:
    """Return the arguments of `--set` for the levers that are to move, in the order of the levers.

    Raises
    ------
    RefusedError : there is no such lever, or its value is wrong.
    """
    known = {lever.key: lever for lever in levers}
    unknown = next((key for key in asked if key not in known), None)
    if unknown is not None:
        raise RefusedError(422, "lever_unknown", lever=_shown(unknown))
    values = {key: known[key].value(value) for key, value in asked.items()}
    return tuple(
        argument
        for key, lever in known.items()
        if key in values and values[key] != lever.current
        for argument in lever.overrides(values[key])
    )


def pattern_of(ids: Sequence[str], among: Iterable[str]) -> str | None:
    """Find the shortest `*end` or `beginning*` that stands for these ids and for no other; None where there is none.

    It is cut at one of the marks that ids are made with, if it can be: `*-chat` rather than `*zhou-chat`.
    """
    others = set(among) - set(ids)
    backwards = [name[::-1] for name in others]
    end = _shortest(_beginning([name[::-1] for name in ids]), backwards)
    if end:
        return f"*{end[::-1]}"
    start = _shortest(_beginning(ids), others)
    return f"{start}*" if start else None


def _shortest(affix: str, others: Iterable[str]) -> str | None:
    """Return the shortest part from the beginning of an affix that none of the others begins with."""
    cuts = [i + 1 for i, letter in enumerate(affix) if letter in MARKS and i > 0]
    parts = [part for cut in (*cuts, len(affix)) if (part := affix[:cut]) and NAMEABLE.fullmatch(part)]
    return next((part for part in parts if not any(other.startswith(part) for other in others)), None)


def _beginning(texts: Sequence[str]) -> str:
    """Return the letters that all of these begin with."""
    first, last = min(texts), max(texts)
    return first[: next((i for i, (a, b) in enumerate(zip(first, last, strict=False)) if a != b), len(first))]


def _power(scenario: Scenario) -> Iterator[Lever]:
    """One factor for the grid's prices in the west, and one for those elsewhere; contracts keep their own."""
    sides: dict[str, dict[str, list[str]]] = {"west": {}, "east": {}}
    for cluster in scenario.clusters:
        side = "west" if cluster.province in WESTERN else "east"
        sides[side].setdefault(cluster.tariff, []).append(cluster.id)
    # A tariff that both pay can only move with both, and counts as the east's.
    for tariff in [name for name in sides["west"] if name in sides["east"]]:
        sides["east"][tariff] += sides["west"].pop(tariff)
    mean_yuan_per_kwh = scenario.tariffs.groupby("tariff")["price_yuan_per_kwh"].mean()
    for side, tariffs in sides.items():
        named = {tariff: clusters for tariff, clusters in tariffs.items() if NAMEABLE.fullmatch(tariff)}
        if named:
            prices = mean_yuan_per_kwh[list(named)]
            yield Lever(
                key=f"power.{side}",
                group="power",
                kind="factor",
                paths=tuple(f"tariffs.{tariff}.price_yuan_per_kwh" for tariff in named),
                current=1.0,
                name=side,
                high=HIGHEST_POWER_FACTOR,
                details={
                    "clusters": tuple(cluster for clusters in named.values() for cluster in clusters),
                    "low_yuan_per_kwh": float(prices.min()),
                    "high_yuan_per_kwh": float(prices.max()),
                },
            )


def _pools(scenario: Scenario) -> Iterator[Lever]:
    for pool in scenario.pools:
        if NAMEABLE.fullmatch(pool.id):
            yield Lever(
                key=f"capacity.{pool.id}",
                group="capacity",
                kind="number",
                paths=(f"pools.{pool.id}.accelerators",),
                current=float(pool.accelerators),
                name=pool.id,
                high=MOST_ACCELERATORS,
                details={"cluster": pool.cluster, "chip": pool.chip},
            )


def _slos(services: pd.DataFrame) -> Iterator[Lever]:
    """One lever for the services that share a class, a metric and a figure."""
    every = [str(name) for name in services["id"]]
    for (slo_class, metric, slo_ms), rows in services.groupby(["slo_class", "slo_metric", "slo_ms"], sort=False):
        ids, current_ms = [str(name) for name in rows["id"]], float(str(slo_ms))
        pattern = pattern_of(ids, every) if len(ids) > 1 else None
        named = [pattern] if pattern else [name for name in ids if NAMEABLE.fullmatch(name)]
        if pattern or (len(named) == len(ids) and len(ids) <= MOST_PATHS):
            yield Lever(
                key=f"slo.{slo_class}.{metric}.{current_ms:.12g}",
                group="slo",
                kind="number",
                paths=tuple(f"services.{name}.slo_ms" for name in named),
                current=current_ms,
                name=str(slo_class),
                low=SHORTEST_SLO_MS,
                high=LONGEST_SLO_MS,
                details={"metric": str(metric), "services": len(ids), "ids": tuple(ids[:MOST_NAMED])},
            )


def _residency(scenario: Scenario) -> Iterator[Lever]:
    """Whether data stays in its zone at all, and which zones count as one."""
    bound = {str(zone) for table in (scenario.jobs, scenario.services) for zone in table["residency"] if zone}
    if not bound:
        return
    switches = scenario.settings.switches
    yield Lever(
        key="residency",
        group="residency",
        kind="switch",
        paths=("switches.residency",),
        current=switches.residency,
        details={"bound": tuple(sorted(bound))},
    )
    groups = switches.open_zones
    yield Lever(
        key="zones",
        group="residency",
        kind="zones",
        paths=("switches.open_zones",),
        current=groups[0] if groups else (),
        choices=tuple(sorted(bound | {one.zone for one in scenario.clusters} | {one.zone for one in scenario.regions})),
        others=groups[1:],
    )


def _shown(value: Any) -> str:
    """Write what was found on one line, and not too long."""
    try:
        text = json.dumps(value, ensure_ascii=False, default=str)
    except (ValueError, RecursionError):  # too many digits, too deep
        text = type(value).__name__
    text = "".join(letter if letter.isprintable() else "?" for letter in text)
    return text if len(text) <= 60 else f"{text[:60]}..."
