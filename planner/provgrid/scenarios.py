"""The built-in scenarios, smallest first."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from provgrid_models.scenario import Scenario

__all__ = ["names", "national", "national_lite", "systems", "toy", "zhejiang"]


def names() -> tuple[str, ...]:
    """List the built-in scenarios, smallest first."""
    from provgrid_seeds.loader import scenario_names

    return scenario_names()


def systems() -> tuple[str, ...]:
    """List the scenarios of the documents' systems, thin layers over the others; load them by name."""
    from provgrid_seeds.loader import system_names

    return system_names()


def toy() -> Scenario:
    """Load two regions, three clusters, one day: small enough to check by hand."""
    return _built_in("toy")


def zhejiang() -> Scenario:
    """Load a province for a week: its cities, its own clusters and its partners in the west."""
    return _built_in("zhejiang")


def national_lite() -> Scenario:
    """Load the country as nine regions, work in divisible classes, two typical days that stand for a year."""
    return _built_in("national-lite")


def national() -> Scenario:
    """Load the country for a week: 31 provinces of demand, 21 clusters, thousands of indivisible training jobs."""
    return _built_in("national")


def _built_in(name: str) -> Scenario:
    from provgrid.api import load

    return load(name)
