"""Processes that work side by side, one thread each, and end with the process that started them."""

from __future__ import annotations

import contextlib
import os
import signal
import threading
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass
from multiprocessing import get_context, resource_tracker
from typing import TYPE_CHECKING, ParamSpec, TypeVar

from provgrid_models.errors import WorkerLostError
from provgrid_optimizer.interrupts import CtrlCWaits

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from concurrent.futures import Executor, Future
    from multiprocessing.connection import Connection

Made = TypeVar("Made")
Given = ParamSpec("Given")


@dataclass
class Crew:
    """Processes that work for this one, here or elsewhere: `hands` is how many things are worth handing out at once."""

    executor: Executor
    hands: int

    def result(self, future: Future[Made]) -> Made:
        """Return what was made. Raises what its maker raised, and `WorkerLostError` where nobody has made it."""
        return future.result()

    def check(self) -> None:
        """Raise `WorkerLostError` where nobody is left to work."""


@contextlib.contextmanager
def crew_here(jobs: int) -> Iterator[Crew]:
    """Yield processes of this machine, for a caller that keeps what they make; raises as `processes` does."""
    try:
        with processes(jobs) as pool:
            yield Crew(pool, jobs)
    except WorkerLostError as error:
        raise WorkerLostError(f"{error}; what was finished is kept") from error


class Pool(ProcessPoolExecutor):
    """A pool whose processes are started whole, and never hear a terminal's Ctrl-C: it is for who started them."""

    def submit(self, fn: Callable[Given, Made], /, *args: Given.args, **kwargs: Given.kwargs) -> Future[Made]:
        """Hand something out, which may start a process; Ctrl-C meanwhile is raised after it."""
        with CtrlCWaits() as interrupts, deaf_children():
            future = super().submit(fn, *args, **kwargs)
        if interrupts.asked:
            raise KeyboardInterrupt
        return future


@contextlib.contextmanager
def deaf_children() -> Iterator[None]:
    """Let processes that this thread starts be born with Ctrl-C blocked, where the system knows how to block it."""
    if not hasattr(signal, "pthread_sigmask"):
        yield
        return
    resource_tracker.ensure_running()  # it would be started with the first process, and then unblock Ctrl-C
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


@contextlib.contextmanager
def processes(jobs: int) -> Iterator[Pool]:
    """Yield a pool of fresh processes; after an error or Ctrl-C, what is not finished is dropped.

    Raises
    ------
    WorkerLostError : a process ended without a word.
    """
    context = get_context("spawn")  # a forked process would share the solvers' threads
    # The processes read to the end of this pipe, which comes when it is closed here, or when this process is no more.
    here, there = context.Pipe(duplex=False)
    pool = Pool(jobs, mp_context=context, initializer=end_with, initargs=(here,))
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


def end_with(pipe: Connection) -> None:
    """Leave Ctrl-C to the process at the other end, and end with it: the pool alone would wait for ever."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)

    def watch() -> None:
        with contextlib.suppress(EOFError, OSError):
            pipe.recv_bytes()
        os._exit(1)

    threading.Thread(target=watch, daemon=True).start()
