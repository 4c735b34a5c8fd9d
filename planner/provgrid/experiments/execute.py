"""Makes plans side by side, each in a process of its own with one thread; what is made is in the store at once."""

from __future__ import annotations

from typing import TYPE_CHECKING

from provgrid import making
from provgrid.experiments.plans import solve
from provgrid.making import missing
from provgrid.workers import crew_here

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from provgrid.experiments.plans import Experiment
    from provgrid.experiments.store import Store

__all__ = ["make", "missing"]


def make(experiments: Iterable[Experiment], store: Store, *, jobs: int, on_made: Callable[[Experiment], None]) -> None:
    """Make all plans that are not in the store.

    Raises
    ------
    ProvgridError : a plan cannot be made; those that were made by then are kept.
    WorkerLostError : a process ended without a word.
    OptionError : there would be no process.
    """
    making.check_jobs(jobs)
    todo = missing(experiments, store)
    if jobs == 1 or len(todo) < 2:
        making.make_here(todo, solve, store, on_made)
        return
    making.compile_once()
    with crew_here(min(jobs, len(todo))) as crew:
        making.make_side_by_side(todo, solve, store, crew, on_made)
