"""Solves that pages asked for: one at a time, each in a process of its own, a few waiting, and no more."""

from __future__ import annotations

import asyncio
import contextlib
import os
import secrets
import signal
import time
from collections import deque
from dataclasses import dataclass, field
from multiprocessing import get_context
from typing import TYPE_CHECKING, Any, Literal

from provgrid.view.refusals import RefusedError
from provgrid.view.solving import work
from provgrid.workers import deaf_children

if TYPE_CHECKING:
    from multiprocessing.connection import Connection
    from multiprocessing.context import SpawnProcess

    from provgrid.view.solving import Order
    from provgrid_optimizer.options import Progress

State = Literal["waiting", "running", "stopping", "done", "cancelled", "failed"]
ENDED: tuple[State, ...] = ("done", "cancelled", "failed")

MOST_WAITING = 4
MOST_REMEMBERED = 60  # solves, ended ones too
PATIENCE_S = 15.0  # when the page closes, for a plan to be kept


@dataclass(eq=False)
class Solve:
    """A solve as its page sees it. `run` is the name of the run that it wrote, `message` why there is none."""

    id: str
    order: Order
    state: State = "waiting"
    stage: str = ""
    progress: Progress | None = None
    run: str = ""
    status: str = ""
    message: str = ""
    ready: bool = False
    began_s: float | None = None
    ended_s: float | None = None
    version: int = 0
    changed: asyncio.Event = field(default_factory=asyncio.Event)

    @property
    def elapsed_s(self) -> float:
        """Seconds since it began to run."""
        if self.began_s is None:
            return 0.0
        return (time.monotonic() if self.ended_s is None else self.ended_s) - self.began_s

    def change(self, **changes: Any) -> None:
        """Change something, and wake whoever waits for that."""
        for name, value in changes.items():
            setattr(self, name, value)
        self.version += 1
        woken, self.changed = self.changed, asyncio.Event()
        woken.set()


class Desk:
    """Takes orders, runs them one after the other, and knows what became of them."""

    def __init__(self) -> None:
        self.solves: dict[str, Solve] = {}
        self._queue: deque[Solve] = deque()
        self._wake = asyncio.Event()
        self._running: Solve | None = None
        self._process: SpawnProcess | None = None
        self._task: asyncio.Task[None] | None = None

    def open(self) -> None:
        """Start to work; the loop has to run."""
        self._task = asyncio.create_task(self._work())

    def check_room(self) -> None:
        """Raise `RefusedError` where as many solves wait as may."""
        waiting = len(self._queue) - (self._running is None)  # the first at an idle desk is about to run
        if waiting >= MOST_WAITING:
            raise RefusedError(429, "queue_full", waiting=waiting)

    def take(self, order: Order) -> Solve:
        """Take an order; `RefusedError` where as many wait as may."""
        self.check_room()
        solve = Solve(secrets.token_hex(8), order)
        self.solves[solve.id] = solve
        for old in [key for key, one in self.solves.items() if one.state in ENDED][:-MOST_REMEMBERED]:
            del self.solves[old]
        self._queue.append(solve)
        self._wake.set()
        return solve

    def find(self, id: str) -> Solve:  # noqa: A002
        """Return a solve; `RefusedError` where there is none of that name."""
        if id not in self.solves:
            raise RefusedError(404, "no_solve")
        return self.solves[id]

    def place(self, solve: Solve) -> int:
        """How many solves come before this one, the running one too."""
        return (self._queue.index(solve) if solve in self._queue else 0) + (self._running not in (None, solve))

    def cancel(self, solve: Solve) -> None:
        """Stop a solve: what waits is dropped, what runs keeps the best plan that it has."""
        if solve in self._queue:
            self._queue.remove(solve)
            solve.change(state="cancelled")
            self._moved()
        elif solve is self._running and solve.state == "running":
            solve.change(state="stopping")
            self._stop(solve)

    async def close(self) -> None:
        """End everything: what runs may keep its plan if it is quick, what waits is dropped."""
        for solve in list(self._queue):
            self.cancel(solve)
        if self._running is not None:
            self.cancel(self._running)
        deadline_s = time.monotonic() + PATIENCE_S
        while self._running is not None and time.monotonic() < deadline_s:
            await asyncio.sleep(0.05)
        if self._process is not None:
            self._process.kill()
        if self._task is not None:
            self._task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._task

    def _stop(self, solve: Solve) -> None:
        """Ask the process for its best plan, or end it where it cannot have one yet."""
        if self._process is None or self._process.pid is None:
            return
        if solve.ready:
            with contextlib.suppress(ProcessLookupError):
                os.kill(self._process.pid, signal.SIGINT)
        else:
            self._process.kill()

    def _moved(self) -> None:
        """Let those who wait know that they have moved up."""
        for waiting in self._queue:
            waiting.change()

    async def _work(self) -> None:
        while True:
            while not self._queue:
                self._wake.clear()
                await self._wake.wait()
            solve = self._running = self._queue.popleft()
            solve.change(state="running", stage="loading", began_s=time.monotonic())
            self._moved()
            try:
                await self._run(solve)
            except OSError as error:
                solve.change(state="failed", message=f"no process could be started ({error.strerror or error})")
            finally:
                self._running = self._process = None
                if solve.state not in ENDED:
                    solve.change(state="failed", message="")
                solve.ended_s = time.monotonic()

    async def _run(self, solve: Solve) -> None:
        """Run one solve to its end, whatever that is."""
        context = get_context("spawn")  # a forked process would share this one's threads
        watched, alive = context.Pipe(duplex=False)
        heard, told = context.Pipe(duplex=False)
        process = self._process = context.Process(
            target=work, name=f"solve-{solve.id}", args=(solve.order, watched, told), daemon=True
        )
        try:
            await asyncio.to_thread(_start, process)
            told.close()
            watched.close()
            while (message := await asyncio.to_thread(_next, heard)) is not None:
                self._hear(solve, message)
            await asyncio.to_thread(process.join)
        finally:
            alive.close()
            heard.close()
        if solve.state == "stopping":
            solve.change(state="cancelled")
        elif solve.state not in ENDED:
            solve.change(state="failed", message="lost")

    def _hear(self, solve: Solve, message: tuple[Any, ...]) -> None:
        """Take note of what the process tells."""
        kind, *rest = message
        if solve.state in ENDED:
            return
        if kind == "stage":
            solve.change(stage=rest[0])
        elif kind == "ready":
            solve.change(ready=True)
            if solve.state == "stopping":  # it was asked to stop while this was on its way
                self._stop(solve)
        elif kind == "progress":
            solve.change(stage=rest[0].stage, progress=rest[0])
        elif kind == "done":
            solve.change(state="done", run=rest[0], status=rest[1], ended_s=time.monotonic())
        else:
            state: State = "cancelled" if solve.state == "stopping" else "failed"
            solve.change(state=state, message=rest[0], ended_s=time.monotonic())


def _start(process: SpawnProcess) -> None:
    with deaf_children():
        process.start()


def _next(heard: Connection) -> tuple[Any, ...] | None:
    """Return the next message of a process, None when it has ended."""
    try:
        message: tuple[Any, ...] = heard.recv()
    except (EOFError, OSError):
        return None
    return message
