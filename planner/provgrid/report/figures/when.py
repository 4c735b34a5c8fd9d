"""The time axis that pictures share: Beijing time where the periods follow one another, else the periods themselves."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    import pandas as pd

    from provgrid.report.texts import Texts
    from provgrid_models.problem import Floats, Problem

MOST_TICKS = 14
HOUR_MS = 3.6e6
_DAY = {"en": "%-d %b", "zh": "%-m月%-d日"}


@dataclass(frozen=True)
class When:
    """Where periods lie on the axis. Period t spans positions t to t + 1, whatever hours it stands for."""

    axis: dict[str, Any]
    hover: str  # how a template writes an x
    first: float
    step: float

    def x(self, positions: Any) -> Floats:
        """Values on the axis of positions in periods."""
        return np.asarray(self.first + self.step * np.asarray(positions, dtype=np.float64))


def when(problem: Problem, say: Texts) -> When:
    """Lay out the time axis of a problem."""
    times, count = problem.labels.periods, problem.n_periods
    shared: dict[str, Any] = {"zeroline": False, "showgrid": False}
    if times is not None and _follow_one_another(times, problem.period_h):
        first = float(times[0].value // 1_000_000)  # milliseconds, which plotly takes for a date
        step = problem.period_h * HOUR_MS
        day = _DAY[say.lang]
        formats = [
            {"dtickrange": [None, 12 * HOUR_MS], "value": f"%H:%M<br>{day}"},
            {"dtickrange": [12 * HOUR_MS, None], "value": day},
        ]
        span = [first, first + step * count]
        kind = {"type": "date", "range": span, "tickformatstops": formats, "hoverformat": f"{day} %H:%M"}
        return When({"title": {"text": say("when.time")}, **kind, **shared}, "%{x|" + day + " %H:%M}", first, step)
    ticks, words = _ticks(times, count, say.lang)
    title = say("when.period" if times is None else "when.typical")
    kind = {"range": [0, count], "tickmode": "array", "tickvals": ticks, "ticktext": words}
    return When({"title": {"text": title}, **kind, **shared}, say("when.hover"), 0.0, 1.0)


def _follow_one_another(times: pd.DatetimeIndex, period_h: float) -> bool:
    steps = np.diff(times.to_numpy()) / np.timedelta64(1, "s")
    return bool(np.allclose(steps, period_h * 3600.0))


def _ticks(times: pd.DatetimeIndex | None, count: int, lang: str) -> tuple[list[int], list[str]]:
    """Positions and words: numbers of periods, or hours, with the day where one begins."""
    step = max(1, int(np.ceil(count / MOST_TICKS)))
    ticks = list(range(0, count, step))
    if times is None:
        return ticks, [str(tick) for tick in ticks]
    days = times.normalize()
    new_day = [0, *(np.flatnonzero(days[1:] != days[:-1]) + 1).tolist()]
    ticks = sorted({*new_day, *(tick for tick in ticks if all(abs(tick - day) >= step for day in new_day))})
    words = [times[tick].strftime("%H:%M") for tick in ticks]
    pattern = _DAY[lang].replace("%-d", "{0.day}").replace("%-m", "{0.month}")
    dated = {tick: pattern.format(times[tick]).replace("%b", times[tick].strftime("%b")) for tick in new_day}
    return ticks, [
        f"{word}<br>{dated[tick]}" if tick in dated else word for tick, word in zip(ticks, words, strict=True)
    ]
