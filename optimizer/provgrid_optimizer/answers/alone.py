"""Whether a pool could do all of one job, were it empty: by its size within the job's window, and nothing else.

Compiling does not close a pool for that: the relaxation divides work over pools, so that a pool which is too small for
all of a job may still do a part. A whole job has no place there, and an answer that called the pool open would send
its reader looking for room that there cannot be.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from provgrid_models.problem import Bools, Floats, Ints, Problem

ROUNDING = 1e-6  # of a job's work: a pool is called too small only if it is by more than any solver's tolerance
AT_ONCE = 10_000  # jobs whose pools are looked at together, for the memory's sake


def too_small(problem: Problem, j: int, p: int) -> str:
    """Say why a pool, even empty, could not do all of a job that it is open to; "" where it could."""
    start, end = int(problem.start_periods(np.array([j]))[0, p]), int(problem.deadline[j])
    capacity = problem.capacity[p, start:end]
    most, work_h = float(problem.max_accelerators[j]), float(problem.accelerator_hours(np.array([j]))[0, p])
    if problem.rigid[j]:
        return _no_stretch(problem, j, p, capacity >= most * (1.0 - ROUNDING))
    usable = np.minimum(capacity, most)
    if float(usable.sum()) * problem.period_h >= work_h * (1.0 - ROUNDING):
        return ""
    window = _window(problem, j, start)
    widest = float(usable.max(initial=0.0))
    if widest > float(usable.min(initial=np.inf)) or not widest:
        held = float(usable.sum()) * problem.period_h
        return f"{window} with {held:,.4g} accelerator-hours here, the work needs {work_h:,.4g}"
    return f"{window}, the work needs {work_h / widest:,.4g} h on this pool's {widest:,.6g} accelerators"


def holds_whole(problem: Problem, jobs: Ints) -> Bools:
    """Whether each pool is open to each of these jobs and could do all of it, were it empty; shape (n, P)."""
    able = problem.reasons(jobs) == 0
    changing = np.ptp(problem.capacity, axis=1) > 0
    usable = np.minimum(problem.max_accelerators[jobs, None], problem.largest_capacity[None, :])
    window_h = (problem.deadline[jobs, None] - problem.start_periods(jobs)) * problem.period_h
    with np.errstate(invalid="ignore"):
        enough = usable * window_h >= problem.accelerator_hours(jobs) * (1.0 - ROUNDING)
    # A gang that is open to a pool of one size fits there: compiling has looked at its width and its window.
    able &= enough | problem.rigid[jobs, None]
    for row, p in np.argwhere(able & changing[None, :]).tolist():
        able[row, p] = not too_small(problem, int(jobs[row]), p)
    return np.asarray(able, dtype=np.bool_)


def fit_somewhere(problem: Problem) -> Bools:
    """Whether each job has at least one pool that could do all of it, were it empty; shape (J,)."""
    parts = [
        holds_whole(problem, np.arange(first, min(first + AT_ONCE, problem.n_jobs))).any(axis=1)
        for first in range(0, problem.n_jobs, AT_ONCE)
    ]
    return np.concatenate(parts) if parts else np.zeros(0, dtype=np.bool_)


def _no_stretch(problem: Problem, j: int, p: int, wide: Bools) -> str:
    """Say that a gang finds its accelerators nowhere for long enough in one piece; "" where it does."""
    needed = int(problem.durations(np.array([j]))[0, p])
    longest = _longest_run(wide)
    if longest >= needed:
        return ""
    start = int(problem.start_periods(np.array([j]))[0, p])
    gang = f"{float(problem.max_accelerators[j]):,.6g}"
    held_h, there_h = needed * problem.period_h, longest * problem.period_h
    return (
        f"{_window(problem, j, start)}, its gang of {gang} is held for {held_h:,.4g} h in one piece, "
        f"and this pool has {gang} accelerators for {there_h:,.4g} h at most"
    )


def _window(problem: Problem, j: int, start: int) -> str:
    """Name a job's window, and what moving its data takes off it."""
    window_h = float(problem.deadline[j] - problem.release[j]) * problem.period_h
    moving_h = float(start - problem.release[j]) * problem.period_h
    return f"window {window_h:,.4g} h" + (f" less {moving_h:,.4g} h for moving its data" if moving_h else "")


def _longest_run(true: Bools) -> int:
    """Length of the longest run of true values."""
    edges: Floats = np.diff(np.concatenate([[0.0], true.astype(np.float64), [0.0]]))
    firsts, lasts = np.flatnonzero(edges > 0), np.flatnonzero(edges < 0)
    return int((lasts - firsts).max(initial=0))
