"""The capital model: what an accelerator-hour in use has to earn for its chip and its site, and the terms of tenants.

A year's share of a price P that lasts n years at a discount rate r is P * r / (1 - (1 + r)^-n). Rent spreads that of
the chip (with its server, network and storage) and that of the site (building, power, cooling) over the hours that an
accelerator is planned to be in use, so that capital becomes a price per accelerator-hour that work uses.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from provgrid_models.errors import ScenarioError
from provgrid_models.horizon import weights

if TYPE_CHECKING:
    from collections.abc import Iterable

    from provgrid_models.problem import Floats, Ints
    from provgrid_models.scenario import Binding, Scenario

HOURS_PER_YEAR = 8760.0


def annuity(price: Floats | float, life_years: float, discount_rate: float) -> Floats:
    """Yearly payment that pays a price off over its life, P * r / (1 - (1 + r)^-n); P / n where r is 0."""
    factor = discount_rate / -np.expm1(-life_years * np.log1p(discount_rate)) if discount_rate > 0 else 1.0 / life_years
    return np.asarray(np.asarray(price, dtype=np.float64) * factor)


def rent_yuan_per_h(
    chip_yuan: Floats, site_yuan_per_kw: Floats, kw: Floats, *, lives: tuple[float, float], rate: float, in_use: float
) -> Floats:
    """Capital of an accelerator-hour in use: (annuity of chip + annuity of site * kW) / (8760 h * share in use).

    Parameters
    ----------
    chip_yuan : price of an accelerator with its part of server, network and storage.
    site_yuan_per_kw : building, power and cooling.
    kw : what a busy accelerator draws at the meter, server overhead and PUE included.
    lives : years that the chip and the site last.
    rate : discount rate per year.
    in_use : share of all hours that an accelerator is planned to be in use.
    """
    chip_life, site_life = lives
    yearly = annuity(chip_yuan, chip_life, rate) + annuity(site_yuan_per_kw, site_life, rate) * kw
    return np.asarray(yearly / (HOURS_PER_YEAR * in_use))


def compile_terms(scenario: Scenario, pool_cluster: Ints) -> dict[str, Any]:
    """Rent of every pool and the terms of every tenant there, as fields of `Problem`.

    Raises `ScenarioError` where the cost basis is full and a chip in use has no price.
    """
    provinces = np.array([cluster.province for cluster in scenario.clusters], dtype=object)[pool_cluster]
    valid = np.array(
        [[t.terms_province is None or t.terms_province == here for here in provinces] for t in scenario.tenants],
        dtype=np.float64,
    ).reshape(len(scenario.tenants), pool_cluster.size)
    discount = np.array([t.rent_discount for t in scenario.tenants], dtype=np.float64)
    subsidy = np.array([t.subsidy_yuan_per_accelerator_h for t in scenario.tenants], dtype=np.float64)
    return {
        "rent_yuan_per_h": _counted_rents(scenario),
        "rent_discount": valid * discount[:, None],
        "subsidy_yuan_per_h": valid * subsidy[:, None],
    }


def ports_yuan(scenario: Scenario, rows: Iterable[Binding]) -> float:
    """Cost of these ports over the horizon: of each the yearly share, times the years that the horizon stands for."""
    years = float(weights(scenario.settings.horizon).sum()) * scenario.settings.horizon.period_h / HOURS_PER_YEAR
    rate = scenario.settings.capital.discount_rate
    return years * sum(float(annuity(row.port_yuan or 0.0, row.port_life_years, rate)) for row in rows)


def rents(scenario: Scenario) -> Floats:
    """Rent of every pool at full cost, shape (P,); NaN where its chip has no price."""
    capital = scenario.settings.capital
    by_id = {one.id: one for one in scenario.chips}, {one.id: one for one in scenario.clusters}
    chips = [by_id[0][pool.chip] for pool in scenario.pools]
    clusters = [by_id[1][pool.cluster] for pool in scenario.pools]
    price = np.array([np.nan if chip.price_yuan is None else chip.price_yuan for chip in chips], dtype=np.float64)
    site = [capital.site_yuan_per_kw if one.site_yuan_per_kw is None else one.site_yuan_per_kw for one in clusters]
    kw = [chip.busy_kw * chip.server_overhead * one.pue for chip, one in zip(chips, clusters, strict=True)]
    return rent_yuan_per_h(
        price * capital.server_capital_factor,
        np.array(site, dtype=np.float64),
        np.array(kw, dtype=np.float64),
        lives=(capital.chip_life_years, capital.site_life_years),
        rate=capital.discount_rate,
        in_use=capital.planned_utilisation,
    )


def _counted_rents(scenario: Scenario) -> Floats:
    """Rent of every pool, shape (P,): 0 unless the cost basis is full."""
    if scenario.settings.prices.basis != "full":
        return np.zeros(len(scenario.pools))
    full = rents(scenario)
    if np.isnan(full).any():
        chip = scenario.pools[int(np.argmax(np.isnan(full)))].chip
        raise ScenarioError(
            f"chip {chip} has no price_yuan, so work on it has no full cost; "
            "give it a price, take its pools out, or use prices.basis operating"
        )
    return full
