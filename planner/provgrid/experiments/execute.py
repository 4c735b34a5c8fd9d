"""Makes plans side by side, each in a process of its own with one thread; what is made is in the store at once."""

from __future__ import annotations

from concurrent.futures import FIRST_COMPLETED, wait
from pathlib import Path
from typing import TYPE_CHECKING

from provgrid.experiments.plans import Experiment, solve
from provgrid.experiments.store import Store
from provgrid.workers import processes, writing
from provgrid_models.errors import OptionError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable


def missing(experiments: Iterable[Experiment], store: Store) -> list[Experiment]:
    """Return what is not in the store, each once, in the order given."""
    return [one for one in dict.fromkeys(experiments) if store.get(one) is None]


def make(experiments: Iterable[Experiment], store: Store, *, jobs: int, on_made: Callable[[Experiment], None]) -> None:
    """Make all plans that are not in the store.

    Raises
    ------
    ProvgridError : a plan cannot be made; those that were made by then are kept.
    WorkerLostError : a process ended without a word.
    OptionError : there would be no process.
    """
    if jobs < 1:
        raise OptionError(f"jobs is {jobs}; give a whole number of at least 1")
    todo = missing(experiments, store)
    if not todo:
        return
    if jobs == 1 or len(todo) == 1:
        for experiment in todo:
            store.put(experiment, solve(experiment))
            on_made(experiment)
        return
    _compile_once()
    _make_side_by_side(todo, store, min(jobs, len(todo)), on_made)


def _make_side_by_side(todo: list[Experiment], store: Store, jobs: int, on_made: Callable[[Experiment], None]) -> None:
    with processes(jobs) as pool:
        waiting = {pool.submit(_make_one, experiment, store.folder): experiment for experiment in todo}
        while waiting:
            done, _ = wait(waiting, return_when=FIRST_COMPLETED)
            for future in done:
                future.result()
                on_made(waiting.pop(future))


def _make_one(experiment: Experiment, folder: Path) -> None:
    """Make and keep one plan, in a process of the pool."""
    outcome = solve(experiment)
    with writing:
        Store(folder).put(experiment, outcome)


def _compile_once() -> None:
    """Fill Numba's cache before there are processes that would each do so."""
    from provgrid_optimizer.warm import compile_kernels

    compile_kernels(with_policies=False)
