"""Rows of jobs that come after others.

For each job that takes part, done[j,t] (and begun[j,t] for a rigid vertical) is its share that is done (started)
through period t. The recursion done[t] = done[t-1] + what is done in t keeps the rows short.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from provgrid_models.problem import Ints, Problem
    from provgrid_optimizer.matrix.pairs import Pairs
    from provgrid_optimizer.matrix.program import Block, Builder


def add_after(problem: Problem, builder: Builder, pairs: Pairs, *, divisible: bool) -> None:
    """After: the vertical's share through t <= its base's share done through t - 1 - after_lag[vertical].

    Indivisible, an elastic base has to be wholly done: a whole number finished[b,t] <= done[b,t] takes the place of
    its share. A rigid base is done at once.
    """
    vertical = np.flatnonzero(problem.after >= 0)
    base = np.unique(problem.after[vertical])
    done = _cumulative(
        problem, builder, "done", np.union1d(base, vertical[~problem.rigid[vertical]]), *_done(problem, builder, pairs)
    )
    started = builder.columns["s"]
    begun = _cumulative(
        problem,
        builder,
        "begun",
        vertical[problem.rigid[vertical]],
        started.at,
        started.ids["job"],
        started.ids["period"],
        np.ones(started.size),
    )
    whole = base[~problem.rigid[base]] if not divisible else base[:0]
    finished = _finished(problem, builder, done, whole)

    periods = problem.n_periods
    ids = {"job": np.repeat(vertical, periods), "period": np.tile(np.arange(periods), vertical.size)}
    rows = builder.add_rows("after", ids, at_most=0.0)
    mine = np.where(
        problem.rigid[ids["job"]],
        _column(problem, begun, ids["job"], ids["period"]),
        _column(problem, done, ids["job"], ids["period"]),
    )
    builder.add_entries(rows.at, mine, 1.0)
    earlier = ids["period"] - 1 - problem.after_lag[ids["job"]]
    there = np.flatnonzero(earlier >= 0)
    base_job = problem.after[ids["job"][there]]
    theirs = np.where(
        np.isin(base_job, whole),
        _column(problem, finished, base_job, earlier[there]),
        _column(problem, done, base_job, earlier[there]),
    )
    builder.add_entries(rows.first + there, theirs, -1.0)


def _done(problem: Problem, builder: Builder, pairs: Pairs) -> tuple[Ints, Ints, Ints, np.ndarray]:
    """List what does the jobs' work: column, job, period at whose end it is done, and the share it does."""
    run, started = builder.columns["n"], builder.columns["s"]
    pair = started.ids["pair"]
    return (
        np.concatenate([run.at, started.at]),
        np.concatenate([run.ids["job"], started.ids["job"]]),
        np.concatenate([run.ids["period"], started.ids["period"] + pairs.duration[pair] - 1]),
        np.concatenate([problem.period_h / pairs.accelerator_hours[run.ids["pair"]], np.ones(started.size)]),
    )


def _cumulative(
    problem: Problem,
    builder: Builder,
    kind: str,
    jobs: Ints,
    column: Ints,
    job: Ints,
    period: Ints,
    share: np.ndarray,
) -> Block:
    """Columns c[j,t] with c[j,t] = c[j,t-1] + the shares of j's columns in period t."""
    periods = problem.n_periods
    ids = {"job": np.repeat(jobs, periods), "period": np.tile(np.arange(periods), jobs.size)}
    total = builder.add_columns(kind, ids, upper=1.0)
    rows = builder.add_rows(kind, ids, equal=0.0)
    builder.add_entries(rows.at, total.at, 1.0)
    later = np.flatnonzero(ids["period"] > 0)
    builder.add_entries(rows.first + later, total.first + later - 1, -1.0)
    taking_part = np.isin(job, jobs)
    place = np.searchsorted(jobs, job[taking_part]) * periods + period[taking_part]
    builder.add_entries(rows.first + place, column[taking_part], -share[taking_part])
    return total


def _finished(problem: Problem, builder: Builder, done: Block, jobs: Ints) -> Block:
    """Whole numbers finished[j,t] <= done[j,t]."""
    periods = problem.n_periods
    ids = {"job": np.repeat(jobs, periods), "period": np.tile(np.arange(periods), jobs.size)}
    finished = builder.add_columns("finished", ids, upper=1.0, integer=True)
    rows = builder.add_rows("finished", ids, at_most=0.0)
    builder.add_entries(rows.at, finished.at, 1.0)
    builder.add_entries(rows.at, _column(problem, done, ids["job"], ids["period"]), -1.0)
    return finished


def _column(problem: Problem, block: Block, job: Ints, period: Ints) -> Ints:
    """Column of (job, period) in a block that runs over all periods of its jobs; any column for other jobs."""
    jobs = block.ids["job"][:: problem.n_periods]
    return block.first + np.searchsorted(jobs, job) * problem.n_periods + period
