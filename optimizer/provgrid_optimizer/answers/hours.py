"""Periods in words: runs of them, with the time of day where the problem has a calendar."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

if TYPE_CHECKING:
    from collections.abc import Iterable

    from provgrid_models.problem import Problem

RUNS_SHOWN = 3


def runs(periods: Iterable[int]) -> list[tuple[int, int]]:
    """First and last period of each run of consecutive periods."""
    every = np.unique(np.array(list(periods), dtype=np.int64))
    if not every.size:
        return []
    cut = np.flatnonzero(np.diff(every) > 1)
    firsts, lasts = np.concatenate([[0], cut + 1]), np.concatenate([cut, [every.size - 1]])
    return list(zip(every[firsts].tolist(), every[lasts].tolist(), strict=True))


def hours_text(problem: Problem, periods: Iterable[int]) -> str:
    """Say when, e.g. "2026-07-01 20:00 to 23:00"; more than three runs are cut short."""
    found = runs(periods)
    shown = ", ".join(_run_text(problem, first, last) for first, last in found[:RUNS_SHOWN])
    more = len(found) - RUNS_SHOWN
    return shown + (f" and {more} more" if more > 0 else "")


def _run_text(problem: Problem, first: int, last: int) -> str:
    """From the start of the first period to the end of the last."""
    if problem.labels.periods is None:
        return f"period {first}" if first == last else f"periods {first} to {last}"
    begin = problem.labels.periods[first]
    end = problem.labels.periods[last] + pd.Timedelta(hours=problem.period_h)
    same_day = (end - pd.Timedelta(seconds=1)).date() == begin.date()
    until = "24:00" if same_day and end.date() != begin.date() else f"{end:%H:%M}" if same_day else f"{end:%m-%d %H:%M}"
    return f"{begin:%Y-%m-%d %H:%M} to {until}"


def periods_text(problem: Problem, periods: Iterable[int]) -> str:
    """Say how many periods there are, and when: "2 periods: 2026-07-01 05:00 to 07:00"."""
    all_of_them = list(periods)
    return f"{len(all_of_them)} period{'s' if len(all_of_them) != 1 else ''}: {hours_text(problem, all_of_them)}"
