"""Western sites with the coast's power: the same machines at the same place, at another tariff and PUE."""

from __future__ import annotations

import csv

from provgrid_seeds import loader

TARIFF, SITE = "zhejiang", "hangzhou"  # what stands for the coast


def western_sites(scenario: str) -> tuple[str, ...]:
    """Sites of a built-in scenario that the table of clusters counts as western."""
    text = loader.scenario_folder(scenario).joinpath("clusters.csv").read_text(encoding="utf-8")
    known = [row["id"] for row in csv.DictReader(text.splitlines())]
    return tuple(one for one in known if loader.table_row("clusters", one)["role"] == "west")


def coastal_power(scenario: str) -> tuple[str, ...]:
    """Return overrides that give western sites the coast's tariff and PUE, and take their contracts away."""
    pue = loader.figure("clusters", SITE, "pue_typical")
    sites = western_sites(scenario)
    tariffs = tuple(f"clusters.{one}.tariff={TARIFF}" for one in sites)
    return (*tariffs, *(f"clusters.{one}.pue={pue:g}" for one in sites), *_without_contracts(scenario, sites))


def _without_contracts(scenario: str, sites: tuple[str, ...]) -> tuple[str, ...]:
    text = loader.scenario_folder(scenario).joinpath("contracts.csv").read_text(encoding="utf-8")
    held = {row["cluster"] for row in csv.DictReader(text.splitlines())}
    return tuple(f"contracts.{one}_*.capacity_mw=0" for one in sites if one in held)
