"""Demand model: diurnal curves, regional weights, heavy-tailed sizes, windows; array in, array out (design §2).

`expand` applies it to a scenario whose `scenario.toml` has a `[generate]` table.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from provgrid_models.demand_settings import GenerateSettings as GenerateSettings

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

    from provgrid_models.scenario import Scenario

    Floats = NDArray[np.float64]

DAY_H = 24


def diurnal_curve(daily_total: float, shape: ArrayLike, start_h: ArrayLike, period_h: float) -> Floats:
    """Mean rate of each period, shape (T,), of a demand that follows a 24-hour shape.

    rate[t] = daily_total / 24 * mean of the shape over [start_h[t], start_h[t] + period_h), the shape scaled to a mean
    of 1 and constant within each hour. Over periods that tile one day, sum_t rate[t] * period_h = daily_total.

    Parameters
    ----------
    daily_total : units per day.
    shape : (24,) relative rate of each hour of the day; any scale.
    start_h : (T,) start of each period, hours after a midnight.
    period_h : length of a period [h], also above 24.

    Returns
    -------
    (T,) units per hour.

    Raises
    ------
    ValueError
        The shape has not 24 numbers, or one is negative, or all are 0.
    """
    hourly = np.asarray(shape, dtype=np.float64)
    if hourly.shape != (DAY_H,) or not np.isfinite(hourly).all() or (hourly < 0).any() or hourly.sum() <= 0:
        raise ValueError("a diurnal shape needs 24 numbers, none negative, not all 0")
    cumulative = np.concatenate([[0.0], np.cumsum(hourly / hourly.mean())])

    def integral(hours: Floats) -> Floats:
        days, rest = np.divmod(hours, DAY_H)
        return np.asarray(days * DAY_H + np.interp(rest, np.arange(DAY_H + 1), cumulative))

    start = np.asarray(start_h, dtype=np.float64)
    return daily_total / DAY_H * (integral(start + period_h) - integral(start)) / period_h


def regional_weights(
    figures: ArrayLike, shares: ArrayLike, growth_per_year: ArrayLike = 0.0, years: float = 0.0
) -> Floats:
    """Share of national demand in each region, shape (R,), summing to 1.

    w[r] ~ (1 + growth[r])^years * sum_i shares[i] * figures[i,r] / sum_r figures[i,r], scaled to sum to 1.

    Parameters
    ----------
    figures : (I, R) population, GDP, industry, ... of each region, any unit; not negative.
    shares : (I,) share of demand that follows each figure; any scale.
    growth_per_year : (R,) or scalar, fraction per year, above -1.
    years : years of growth.

    Raises
    ------
    ValueError
        A figure is negative or missing, or a figure with a share is 0 in every region.
    """
    values, follow = np.atleast_2d(np.asarray(figures, dtype=np.float64)), np.asarray(shares, dtype=np.float64)
    if not np.isfinite(values).all() or (values < 0).any():
        raise ValueError("regional figures must be numbers of at least 0")
    if follow.sum() <= 0 or (values[follow > 0].sum(axis=1) <= 0).any():
        raise ValueError("each figure that demand follows needs a positive sum")
    totals = np.where(values.sum(axis=1) > 0, values.sum(axis=1), 1.0)
    mixed = (follow[:, None] * values / totals[:, None]).sum(axis=0)
    grown = mixed * (1.0 + np.asarray(growth_per_year, dtype=np.float64)) ** years
    return np.asarray(grown / grown.sum())


def sizes_at(probability: ArrayLike, quantile_probability: ArrayLike, quantile: ArrayLike) -> Floats:
    """Sizes at the given probabilities of a heavy-tailed distribution known by its quantiles.

    The logarithm of the size is linear between two quantiles; below the first and above the last it is constant, so
    that a draw never leaves what was measured.

    Parameters
    ----------
    probability : (n,) in [0, 1], e.g. uniform draws.
    quantile_probability : (Q,) rising.
    quantile : (Q,) rising and above 0, any unit.
    """
    at, known = np.asarray(probability, dtype=np.float64), np.asarray(quantile_probability, dtype=np.float64)
    return np.asarray(np.exp(np.interp(at, known, np.log(np.asarray(quantile, dtype=np.float64)))))


def scaled_to_total(sizes: ArrayLike, largest: ArrayLike, total: float) -> tuple[Floats, float]:
    """Scale sizes by one factor so that, each cut at its largest, they sum to a total.

    Finds k with sum_j min(k * sizes[j], largest[j]) = total, exactly, by walking the sizes in the order in which they
    reach their limit.

    Returns
    -------
    The scaled sizes (n,), and k.

    Raises
    ------
    ValueError
        Even all sizes at their limit sum to less than the total.
    """
    size, limit = np.asarray(sizes, dtype=np.float64), np.asarray(largest, dtype=np.float64)
    if limit.sum() < total:
        raise ValueError(f"the limits sum to {limit.sum():.6g}, below the total of {total:.6g}")
    order = np.argsort(limit / size, kind="stable")
    cut_sum = np.concatenate([[0.0], np.cumsum(limit[order])[:-1]])  # those before are at their limit
    free_sum = np.cumsum(size[order][::-1])[::-1]
    factor = (total - cut_sum) / free_sum
    fits = factor <= limit[order] / size[order] * (1 + 1e-12)
    k = float(factor[int(np.argmax(fits))]) if fits.any() else float((limit / size).max())
    return np.minimum(k * size, limit), k


def windows(
    needed_h: ArrayLike, slack: ArrayLike, position: ArrayLike, first_h: ArrayLike, last_h: ArrayLike, period_h: float
) -> tuple[Floats, Floats]:
    """Release and deadline of jobs, whole periods inside [first_h, last_h].

    The window is slack * needed_h, rounded up to whole periods and cut at last_h - first_h; `position` in [0, 1] says
    where in the room that is left it stands, 0 = as early as possible.

    Returns
    -------
    release_h, deadline_h, each (n,), hours after the start of the horizon.
    """
    first, last = np.asarray(first_h, dtype=np.float64), np.asarray(last_h, dtype=np.float64)
    asked = np.ceil(np.asarray(needed_h, dtype=np.float64) * np.asarray(slack) / period_h - 1e-9) * period_h
    length = np.minimum(np.maximum(asked, period_h), last - first)
    room = np.floor((last - first - length) / period_h + 1e-9)
    offset = np.minimum(np.floor(np.asarray(position, dtype=np.float64) * (room + 1)), room) * period_h
    return first + offset, first + offset + length


def expand(scenario: Scenario) -> Scenario:
    """Fill `jobs`, `services` and `demand` as the scenario's `[generate]` table says; without one, change nothing.

    Drawn rows follow rows that are given. The result has an empty `[generate]` table, so that a saved scenario holds
    what was drawn and is not drawn again; `settings.assumptions` records the draw.

    Raises
    ------
    ScenarioError
        The `[generate]` table is wrong or names something that the scenario does not have.
    """
    if not scenario.settings.generate:
        return scenario
    from provgrid_models.demand_draw import drawn

    return drawn(scenario)
