"""When the plan runs: the start of every period, its weight, and profiles laid out over the periods."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from provgrid_models.errors import ScenarioError
from provgrid_models.tables import SEASONS, season_of_month

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from provgrid_models.problem import Floats, Ints
    from provgrid_models.scenario import Horizon

SLIVER = 1e-9  # of a period: what the rounding of times may leave over


def periods(horizon: Horizon) -> pd.DatetimeIndex:
    """Start of every period, Beijing time, shape (T,)."""
    if not horizon.blocks:
        return pd.DatetimeIndex(_block_starts(horizon.start, horizon.periods, horizon.period_h))
    blocks = [_block_starts(block.start, block.periods, horizon.period_h) for block in horizon.blocks]
    _check_blocks(horizon)
    return pd.DatetimeIndex(np.concatenate(blocks))


def weights(horizon: Horizon) -> Floats:
    """How many real periods each period stands for, shape (T,)."""
    if not horizon.blocks:
        return np.ones(horizon.periods)
    _check_blocks(horizon)
    return np.repeat([block.weight for block in horizon.blocks], [block.periods for block in horizon.blocks])


def block_ends(horizon: Horizon) -> Ints:
    """Return the period after the last one of the block that each period lies in, shape (T,)."""
    lengths = [block.periods for block in horizon.blocks] or [horizon.periods]
    return np.repeat(np.cumsum(lengths), lengths)


def profile_values(
    frame: pd.DataFrame, key: str, value: str, names: Sequence[str], horizon: Horizon, table: str
) -> Floats:
    """Value of each named profile in every period, shape (names, T).

    A row may name a period, a season and an hour of the day, one of the two, or nothing (a constant); the narrower
    row wins. A period that touches several clock hours takes their mean, weighted by how long it lies in each. Raises
    `ScenarioError` at the first gap.
    """
    wanted = pd.Index(list(names))
    profile = wanted.get_indexer(pd.Index(frame[key].to_numpy(dtype=object)))
    rows = frame[profile >= 0]
    profile = profile[profile >= 0]
    season = _season_codes(rows["season"])
    hour = rows["hour"].to_numpy(dtype=np.int64)
    period = rows["period"].to_numpy(dtype=np.int64)
    figures = rows[value].to_numpy(dtype=np.float64)
    # One slot more than there are seasons and hours: the last stands for "any".
    by_clock = np.full((len(wanted), len(SEASONS) + 1, 25), np.nan)
    clock = period < 0
    by_clock[profile[clock], season[clock], hour[clock]] = figures[clock]
    values = _over_the_clock(by_clock, horizon)
    named = (period >= 0) & (period < horizon.periods)
    values[profile[named], period[named]] = figures[named]
    if np.isnan(values).any():
        n, t = (int(i) for i in np.argwhere(np.isnan(values))[0])
        raise ScenarioError(
            f"{table}: {key} {wanted[n]} has no value for period {t} ({periods(horizon)[t]:%Y-%m-%d %H:%M}); "
            "add a row for its season and hour, for the period, or a constant"
        )
    return values


def clock_hours(horizon: Horizon) -> Iterator[tuple[Ints, Ints, Floats]]:
    """Yield the clock hours that each period touches, the first of every period, then the second, and so on.

    Each is a season (T,), counted as in `SEASONS`, an hour of the day (T,) and the hours of overlap (T,), 0 = none.
    """
    starts = periods(horizon)
    first = starts.floor("h")
    begin_h = ((starts - first) / pd.Timedelta(hours=1)).to_numpy(dtype=np.float64)
    end_h = begin_h + horizon.period_h
    season_of = np.array([SEASONS.index(season_of_month(month)) for month in range(1, 13)])
    shortest_h = SLIVER * horizon.period_h
    for k in range(int(np.ceil(end_h.max() - shortest_h))):
        at = first + pd.Timedelta(hours=k)
        overlap_h = np.minimum(end_h, k + 1.0) - np.maximum(begin_h, float(k))
        yield season_of[at.month - 1], at.hour.to_numpy(), np.where(overlap_h > shortest_h, overlap_h, 0.0)


def _block_starts(start: object, count: int, period_h: float) -> np.ndarray:
    return np.datetime64(start, "ns") + (np.arange(count) * (period_h * 3.6e12)).astype("timedelta64[ns]")  # type: ignore[call-overload,no-any-return]


def _check_blocks(horizon: Horizon) -> None:
    there = sum(block.periods for block in horizon.blocks)
    if there != horizon.periods:
        raise ScenarioError(
            f"scenario.toml: horizon.blocks have {there} periods together, horizon.periods is {horizon.periods}; "
            "make them equal"
        )


def _season_codes(season: pd.Series) -> np.ndarray:
    """Position of each season in `SEASONS`; -1, any season, where the cell is blank."""
    return pd.Index(SEASONS).get_indexer(pd.Index(season.to_numpy(dtype=object)))


def _over_the_clock(by_clock: Floats, horizon: Horizon) -> Floats:
    """Lay profiles by season and hour, (names, seasons + any, hours + any), over the periods: (names, T)."""
    values = np.zeros((by_clock.shape[0], horizon.periods))
    inside_h = np.zeros(horizon.periods)
    for season, hour, overlap_h in clock_hours(horizon):
        layer = by_clock[:, season, hour]
        for wider in (by_clock[:, -1, hour], by_clock[:, season, -1], by_clock[:, -1, -1, None]):
            layer = np.where(np.isnan(layer), wider, layer)
        values += np.where(overlap_h > 0, layer * overlap_h, 0.0)
        inside_h += overlap_h
    return np.asarray(values / inside_h)
