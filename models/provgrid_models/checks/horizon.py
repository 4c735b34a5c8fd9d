"""The horizon and what has to fit it: blocks and profiles."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from provgrid_models.grids import KEYS
from provgrid_models.horizon import clock_hours
from provgrid_models.tables import LONG_TABLES, SEASONS

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from provgrid_models.checks.tables import Tables
    from provgrid_models.scenario import Horizon

# Tables of profiles, and who refers to them.
USERS = {
    "tariffs": ("clusters", "tariff"),
    "carbon": ("clusters", "carbon"),
    "renewables": ("contracts", "profile"),
}
ANY_HOUR = 24  # slot of rows that name no hour; rows that name no season go to slot len(SEASONS)


def usable_horizon(tables: Tables) -> Horizon | None:
    """Return the horizon, or None where there is none or `check_horizon` has an error to report about it."""
    if tables.settings is None:
        return None
    horizon = tables.settings.horizon
    zoned = any(start.tzinfo is not None for start in (horizon.start, *(block.start for block in horizon.blocks)))
    return None if zoned or _missing_periods(horizon) else horizon


def _missing_periods(horizon: Horizon) -> int:
    return horizon.periods - sum(block.periods for block in horizon.blocks) if horizon.blocks else 0


def check_horizon(tables: Tables) -> None:
    """Report blocks that do not sum to the periods, and times with a zone: all times are Beijing time."""
    if tables.settings is None:
        return
    horizon, file = tables.settings.horizon, tables.settings_file
    starts = {"horizon.start": horizon.start}
    starts.update({f"horizon.blocks.{i}.start": block.start for i, block in enumerate(horizon.blocks)})
    for row, start in starts.items():
        if start.tzinfo is not None:
            hint = "Times are Beijing time; write 2026-07-01T00:00:00."
            message = "a time has no zone suffix"
            tables.findings.error("time-zone", message, file=file, row=row, found=start.isoformat(), hint=hint)
    if _missing_periods(horizon):
        total = sum(block.periods for block in horizon.blocks)
        message = f"the blocks have {total} periods together, the horizon has {horizon.periods}"
        hint = "Make them equal."
        tables.findings.error("blocks-sum", message, file=file, row="horizon.blocks", hint=hint)
    if horizon.blocks and horizon.blocks[0].start.replace(tzinfo=None) != horizon.start.replace(tzinfo=None):
        message = f"the first block starts at {horizon.blocks[0].start.isoformat()}; the blocks count"
        found = horizon.start.isoformat()
        tables.findings.warning("blocks-start", message, file=file, row="horizon.start", found=found)


def check_profiles(tables: Tables) -> None:
    """Report profiles with a row that names both a period and the clock, and those in use that leave gaps."""
    for name in USERS:
        if not (tables.sound(name, *KEYS[name]) and tables.grid(name).rows):
            continue
        season, hour, period = (tables.values(name, column) for column in KEYS[name][1:])
        both = ((period >= 0) & ((season != "") | (hour >= 0))).to_numpy()
        message, hint = "a row names a period, or a season and an hour, not both", "Leave the others blank."
        tables.report(name, "period", both, "profile-key", message, hint=hint)
        horizon = usable_horizon(tables)
        if horizon is not None and not both.any():
            _check_complete(tables, name, horizon)


def _check_complete(tables: Tables, name: str, horizon: Horizon) -> None:
    """Profiles in use need a value for every period: by period, by season and hour, by one of them, or constant."""
    user, user_column = USERS[name]
    if not tables.sound(user, user_column):
        return
    codes, keys = pd.factorize(tables.values(name, KEYS[name][0]))
    used = np.flatnonzero(pd.Index(keys).isin(tables.values(user, user_column)))
    season, hour, period = (tables.values(name, column) for column in KEYS[name][1:])
    season_slot = season.map({word: i for i, word in enumerate(SEASONS)}).fillna(len(SEASONS)).astype(np.int64)
    hour_slot = hour.to_numpy() % (ANY_HOUR + 1)  # -1, any hour, goes to the last slot
    usable = (hour_slot <= ANY_HOUR) & np.isin(season, ["", *SEASONS])
    for i in used.tolist():
        rows = np.flatnonzero((codes == i) & usable)
        by_clock = np.zeros((len(SEASONS) + 1, ANY_HOUR + 1), dtype=np.bool_)
        clock_rows = rows[period.to_numpy()[rows] < 0]
        by_clock[season_slot.to_numpy()[clock_rows], hour_slot[clock_rows]] = True
        gaps = _gaps(by_clock, period.to_numpy()[rows], horizon)
        if gaps:
            more = f" and {len(gaps) - 3:,} more" if len(gaps) > 3 else ""
            tables.findings.error(
                "profile-incomplete",
                f"the horizon needs values that are missing: {', '.join(gaps[:3])}{more}",
                column=LONG_TABLES[name].columns[0].name,
                found=str(keys[i]),
                hint="Add them, or a row for all hours.",
                **tables.grid(name).places.at(int(np.argmax(codes == i))),
            )


def _gaps(by_clock: NDArray[np.bool_], given_periods: NDArray[np.int64], horizon: Horizon) -> list[str]:
    """Name what a profile lacks: seasons and hours where it follows the clock at all, periods elsewhere."""
    gap = np.zeros(horizon.periods, dtype=np.bool_)
    lacking: dict[str, None] = {}
    for season, hour, overlap_h in clock_hours(horizon):
        known = (overlap_h == 0) | by_clock[season, hour] | by_clock[-1, hour] | by_clock[season, -1] | by_clock[-1, -1]
        known[given_periods[(given_periods >= 0) & (given_periods < horizon.periods)]] = True
        gap |= ~known
        lacking.update(
            dict.fromkeys(f"{SEASONS[s]} hour {h}" for s, h in zip(season[~known], hour[~known], strict=True))
        )
    return list(lacking) if by_clock.any() else [f"period {t}" for t in np.flatnonzero(gap).tolist()]
