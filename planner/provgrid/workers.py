"""Processes that work side by side, one thread each, and end with the process that started them."""

from __future__ import annotations

import contextlib
import os
import signal
import threading
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from multiprocessing import get_context
from typing import TYPE_CHECKING

from provgrid_models.errors import WorkerLostError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from multiprocessing.connection import Connection

writing = threading.Lock()  # held by a worker while it may not be ended


@contextlib.contextmanager
def processes(jobs: int) -> Iterator[ProcessPoolExecutor]:
    """Yield a pool of fresh processes; after an error or Ctrl-C, what is not finished is dropped.

    Raises
    ------
    WorkerLostError : a process ended without a word.
    """
    context = get_context("spawn")  # a forked process would share the solvers' threads
    # The processes read to the end of this pipe, which comes when it is closed here, or when this process is no more.
    here, there = context.Pipe(duplex=False)
    pool = ProcessPoolExecutor(jobs, mp_context=context, initializer=_end_with, initargs=(here,))
    try:
        yield pool
        pool.shutdown(wait=True)
    except BrokenProcessPool as error:
        message = "a process that made a plan was lost, perhaps for want of memory; start again, with fewer --jobs"
        raise WorkerLostError(message) from error
    finally:
        there.close()
        pool.shutdown(wait=True, cancel_futures=True)
        here.close()


def _end_with(pipe: Connection) -> None:
    """Leave Ctrl-C to the process at the other end, and end with it: the pool alone would wait for ever."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)

    def watch() -> None:
        with contextlib.suppress(EOFError, OSError):
            pipe.recv_bytes()
        with writing:
            os._exit(1)

    threading.Thread(target=watch, daemon=True).start()
