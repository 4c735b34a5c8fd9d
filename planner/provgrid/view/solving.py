"""One solve in a process of its own: what it is told, and what it tells while it works."""

from __future__ import annotations

import logging
import os
import shlex
import signal
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from provgrid.view.shelf import folder_name
from provgrid.why import asking_why
from provgrid.workers import end_with
from provgrid_models.errors import NoPlanError, OptionError, ProvgridError
from provgrid_optimizer.interrupts import CtrlCWaits, caused_by_ctrl_c, listen
from provgrid_optimizer.options import Progress, SolveOptions

if TYPE_CHECKING:
    from collections.abc import Callable
    from multiprocessing.connection import Connection
    from pathlib import Path

    from provgrid_optimizer.plan import Plan

log = logging.getLogger(__name__)

EVERY_S = 0.1  # between two reports of progress
TRIES = 20  # for a name that somebody else may take at the same moment


@dataclass(frozen=True, kw_only=True)
class Order:
    """What to solve: the scenario of a run with other figures, and where the new run goes.

    `runs_as_typed` is the runs folder as one would name it on the command line.
    """

    base: str
    scenario: Path
    overrides: tuple[str, ...]
    engine: str
    options: SolveOptions
    runs: Path
    runs_as_typed: str

    @property
    def scenario_as_typed(self) -> str:
        """The scenario's folder as one would name it on the command line."""
        return f"{self.runs_as_typed}/{self.base}/scenario"

    @property
    def command(self) -> str:
        """The command that does the same."""
        options = self.options
        stops = {"--gap": options.gap, "--time-limit": options.time_limit_s, "--passes": options.passes}
        words = ["provgrid", "solve", self.scenario_as_typed, "--engine", self.engine]
        words += [word for name, value in stops.items() if value is not None for word in (name, f"{value:g}")]
        words += ["--threads", str(options.threads)] if options.threads != SolveOptions.threads else []
        words += ["--seed", str(options.seed)] if options.seed else []
        words += [word for override in self.overrides for word in ("--set", override)]
        return shlex.join(words)


def work(order: Order, alive: Connection, pipe: Connection) -> None:
    """Solve, tell, and write the run; the body of the process.

    It tells tuples: ("stage", word), ("ready",) from when SIGINT keeps the best plan, ("progress", Progress),
    ("done", name of the run, status) or ("failed", sentence).
    """
    # A Ctrl-C of the terminal is for the page, which then asks this process to keep its plan.
    os.setpgid(0, 0)
    end_with(alive)
    try:
        _solve(order, lambda *message: pipe.send(message))
    except ProvgridError as error:
        pipe.send(("failed", str(error)))
    except (KeyboardInterrupt, Exception) as error:
        if caused_by_ctrl_c(error):
            pipe.send(("failed", str(NoPlanError("interrupted before there was any plan; nothing was written"))))
            return
        log.exception("a solve failed")
        pipe.send(("failed", f"{type(error).__name__}: {' '.join(str(error).split())}"))


def _solve(order: Order, tell: Callable[..., Any]) -> None:
    tell("stage", "loading")
    from provgrid import api
    from provgrid_optimizer.solve import find_engine, solve

    find_engine(order.engine)
    tell("stage", "reading")
    started = time.perf_counter()
    scenario = api.load(order.scenario, order.overrides)
    tell("stage", "compiling")
    with asking_why(order.scenario_as_typed, order.overrides):
        problem = api.compile(scenario)
        build_s = time.perf_counter() - started
        listen()
        tell("ready")
        plan = solve(problem, order.engine, order.options, _Teller(tell), scenario=scenario, build_s=build_s)
    with CtrlCWaits():
        found = plan.certificate
        tell(
            "progress", Progress(plan.timings.solve_s, "writing", found.objective_yuan, found.bound_yuan, found.passes)
        )
        written = _write(plan, order.runs)
        tell("done", written.name, plan.certificate.status)
    signal.signal(signal.SIGINT, signal.SIG_IGN)


class _Teller:
    """Passes an engine's reports on, not more often than anybody could read them."""

    def __init__(self, tell: Callable[..., Any]) -> None:
        self._tell = tell
        self._stage, self._told_at = "", 0.0

    def __call__(self, progress: Progress) -> None:
        now = time.monotonic()
        if progress.stage != self._stage or now - self._told_at >= EVERY_S:
            self._stage, self._told_at = progress.stage, now
            self._tell("progress", progress)


def _write(plan: Plan, runs: Path) -> Path:
    """Write a plan under the next free name."""
    from provgrid_optimizer.run_folder import next_run_folder
    from provgrid_optimizer.runs import save_plan

    assert plan.scenario is not None
    for _ in range(TRIES):
        folder = next_run_folder(runs, folder_name(plan.scenario.name), plan.engine)
        try:
            return save_plan(plan, folder)
        except OptionError:
            continue
    raise OptionError(f"no free name for a run in {runs}; remove some runs and solve again")
