"""Makes plans side by side, each in a process of its own with one thread; what is made is in the store at once."""

from __future__ import annotations

import os
import threading
from concurrent.futures import FIRST_COMPLETED, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from multiprocessing import get_context, parent_process
from multiprocessing.connection import wait as wait_for
from pathlib import Path
from typing import TYPE_CHECKING

from provgrid.experiments.plans import Experiment, solve
from provgrid.experiments.store import Store
from provgrid_models.errors import WorkerLostError

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
    """
    todo = missing(experiments, store)
    if not todo:
        return
    if jobs == 1 or len(todo) == 1:
        for experiment in todo:
            store.put(experiment, solve(experiment))
            on_made(experiment)
        return
    _compile_once()
    pool = ProcessPoolExecutor(min(jobs, len(todo)), mp_context=get_context("spawn"), initializer=_end_with_parent)
    try:
        waiting = {pool.submit(_make_one, experiment, store.folder): experiment for experiment in todo}
        while waiting:
            done, _ = wait(waiting, return_when=FIRST_COMPLETED)
            for future in done:
                future.result()
                on_made(waiting.pop(future))
    except BrokenProcessPool as error:
        message = "a process that made a plan was lost, perhaps for want of memory; start again, with fewer --jobs"
        raise WorkerLostError(message) from error
    finally:
        # What waits is dropped; what runs is waited for, so that its plan is kept.
        pool.shutdown(wait=True, cancel_futures=True)


def _make_one(experiment: Experiment, folder: Path) -> None:
    """Make and keep one plan, in a process of the pool."""
    Store(folder).put(experiment, solve(experiment))


def _compile_once() -> None:
    """Fill Numba's cache before there are processes that would each do so."""
    from provgrid_optimizer.warm import compile_kernels

    compile_kernels(with_policies=False)


def _end_with_parent() -> None:
    """Leave Ctrl-C to the parent, and end when it does, however it ends: the pool alone would wait for ever."""
    import signal

    signal.signal(signal.SIGINT, signal.SIG_IGN)
    parent = parent_process()
    assert parent is not None

    def watch() -> None:
        wait_for([parent.sentinel])
        os._exit(1)

    threading.Thread(target=watch, daemon=True).start()
