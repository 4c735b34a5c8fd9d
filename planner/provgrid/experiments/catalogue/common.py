"""What the tests share: groups of sites, and the overrides that make plans comparable."""

from __future__ import annotations

import csv
from typing import TYPE_CHECKING

from provgrid.experiments.declared import SCENARIO, Input, Lever, assumed, times
from provgrid_seeds import loader
from provgrid_seeds.build_national_lite import REGIONS, SITES, region_of
from provgrid_seeds.loader import figure

if TYPE_CHECKING:
    from collections.abc import Iterable

    from provgrid.experiments.declared import Figures

WEST = ("southwest", "inner_mongolia", "northwest", "xinjiang")
COAST = ("lower_yangtze", "zhejiang", "south_coast")
WESTERN_TARIFFS = ("sichuan", "guizhou", "neimenggu_west", "gansu", "ningxia", "qinghai", "xinjiang")
SMALLEST = 0.01  # of a cost: what is less than a hundredth is less than the inputs are known

TRAINING_ALONE = ("demand.*.tokens_per_s=0",)
DOMESTIC_CHIPS = ("pools.*/h800.accelerators=0",)


def sites_in(*regions: str) -> tuple[str, ...]:
    """Sites that lie in these regions."""
    return tuple(site for site in SITES if region_of(site) in regions)


def part_of_training(share: float) -> tuple[str, ...]:
    """Return overrides that leave a part of every training class, its data and its rates."""
    scaled = ("work_pflop_h", "max_accelerators", "data_gb", "move_gbps")
    # A hundredth of a small class may be less than one accelerator, the least that a job has by default.
    return ("jobs.*.min_accelerators=0", *(f"jobs.*.{column}*={share:g}" for column in scaled))


def confined_to(*regions: str) -> tuple[str, ...]:
    """Return overrides that keep all training in these regions, wherever its data is."""
    group = ", ".join(f'"{one}"' for one in regions)
    return (f"switches.open_zones=[[{group}]]", f"jobs.*.residency={regions[0]}")


def at_home(*tables: str) -> tuple[str, ...]:
    """Return overrides that keep the work of these tables in its own region."""
    return tuple(f"{table}.{region}-*.residency={region}" for table in tables for region in REGIONS)


def closed(*sites: str) -> tuple[str, ...]:
    """Return overrides that take sites out."""
    return tuple(f"pools.{site}/*.accelerators=0" for site in sites)


def scaled_tariffs(factor: float, tariffs: Iterable[str] = WESTERN_TARIFFS) -> tuple[str, ...]:
    """Return overrides that multiply grid tariffs."""
    return tuple(f"tariffs.{one}.price_yuan_per_kwh*={factor:g}" for one in tariffs)


def total(name: str, sites: Iterable[str]) -> str:
    """Keys of a figure at sites, joined: `sum_of` adds them up."""
    return " ".join(f"{name}:{site}" for site in sites)


def sum_of(figures: Figures, keys: str) -> float:
    """Sum of the figures that `total` names."""
    return sum(figures[key] for key in keys.split())


def why_energy(a: Figures, b: Figures) -> str:
    """Split a change of energy into PUE and chips."""
    pue = (b["work_mwh"] / b["it_mwh"]) / (a["work_mwh"] / a["it_mwh"])
    chips = b["it_mwh"] / a["it_mwh"]
    return f"energy x{b['work_mwh'] / a['work_mwh']:.3f} = PUE x{pue:.3f} · chips and families x{chips:.3f}"


def why_carbon(a: Figures, b: Figures) -> str:
    """Split a change of CO2 into emission factor, PUE and chips."""
    intensity = (b["work_carbon_t"] / b["work_mwh"]) / (a["work_carbon_t"] / a["work_mwh"])
    pue = (b["work_mwh"] / b["it_mwh"]) / (a["work_mwh"] / a["it_mwh"])
    chips = b["it_mwh"] / a["it_mwh"]
    change = b["work_carbon_t"] / a["work_carbon_t"]
    return f"CO2 x{change:.3f} = emission factor x{intensity:.3f} · PUE x{pue:.3f} · chips and families x{chips:.3f}"


def why_cost(a: Figures, b: Figures) -> str:
    """Split a change of cost into its components, in million yuan."""
    names = ("energy", "demand_charge", "network", "rent", "unserved")
    parts = [
        f"{name.replace('_', ' ')} {(b[f'{name}_yuan'] - a[f'{name}_yuan']) / 1e6:+.3g}"
        for name in names
        if abs(b[f"{name}_yuan"] - a[f"{name}_yuan"]) > 500.0
    ]
    return "B less A, million yuan: " + (", ".join(parts) or "no difference")


# Inputs that many tests share ----------------------------------------------------------------------------------


def western_tariffs() -> Input:
    """Western grid tariffs over those of the tables, which know the mean within 15 % only."""
    mean = figure("tariffs_source", "xinjiang", "mean_all_hours")
    low, high = (figure("tariffs_source", "xinjiang", f"price_{end}") / mean for end in ("low", "high"))
    return Input(
        source="tariffs_source/xinjiang",
        label="western grid tariffs over those of the tables",
        unit="",
        value=1.0,
        low=round(low, 3),
        high=round(high, 3),
        levers=tuple(Lever(path=f"tariffs.{one}.price_yuan_per_kwh*=") for one in WESTERN_TARIFFS),
    )


def private_line() -> Input:
    """Price of bulk data between provinces."""
    row = "net_19"
    known = {end: figure("network_costs", row, end) for end in ("low", "typical", "high")}
    return Input(
        source=f"network_costs/{row}",
        label="the price of bulk data over a private line",
        unit="yuan/GB",
        value=known["typical"],
        low=known["low"],
        high=known["high"],
        levers=times(known["typical"], "links.*.price_yuan_per_gb"),
        bases=("operating", "full"),
    )


def wind() -> Input:
    """Wind power that western sites have contracted."""
    return assumed("hub_wind_share", *times(assumed("hub_wind_share").value, "contracts.*_wind.capacity_mw"))


def planned_utilisation() -> Input:
    """How well accelerators are used, and so what an hour of one costs."""
    return assumed("capital_planned_utilisation", Lever(path="capital.planned_utilisation="), bases=("full",))


def rows(table: str) -> list[dict[str, str]]:
    """Rows of a table of the scenario that the tests run on, as texts."""
    text = loader.scenario_folder(SCENARIO).joinpath(f"{table}.csv").read_text(encoding="utf-8")
    return list(csv.DictReader(text.splitlines()))


def installed(pool: str) -> float:
    """Accelerators of a pool of that scenario."""
    return next(float(row["accelerators"]) for row in rows("pools") if row["id"] == pool)
