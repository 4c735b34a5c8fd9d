"""A measurement: the record of a solve, and what was solved."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from typing import TYPE_CHECKING, Any

from provgrid.records import record
from provgrid_models.errors import ProvgridError
from provgrid_optimizer.options import SolveOptions, ignore_progress
from provgrid_optimizer.solve import find_engine, solve

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from provgrid_models.problem import Problem
    from provgrid_optimizer.options import OnProgress


def measure(
    build: Callable[[], Problem],
    engine: str,
    options: SolveOptions,
    instance: str,
    on_progress: OnProgress = ignore_progress,
) -> dict[str, Any]:
    """Build a problem and solve it in this process: one record, imports outside its times."""
    find_engine(engine)
    started = time.perf_counter()
    problem = build()
    build_s = time.perf_counter() - started
    plan = solve(problem, engine, options, on_progress, build_s=build_s)
    return {**record(plan), "scenario": instance, "instance": instance, "seed": options.seed}


def in_own_processes(command: Sequence[str], engines: Sequence[str]) -> list[dict[str, Any]]:
    """Measure each engine in a process of its own, so that each peak memory is the engine's.

    `command` are the arguments of a `provgrid` command that prints a list of records; `--engines` is added.

    Raises
    ------
    ProvgridError : the first engine that fails, in its own words and with its exit code.
    """
    records: list[dict[str, Any]] = []
    for engine in engines:
        call = [sys.executable, "-m", "provgrid", *command, "--engines", engine, "--json"]
        finished = subprocess.run(call, stdout=subprocess.PIPE, text=True, check=False)
        if finished.returncode:
            raise _failed(engine, finished.returncode)
        records += json.loads(finished.stdout)
    return records


def _failed(engine: str, code: int) -> ProvgridError:
    """Turn a child's exit code back into the error that it stands for; the child has said the rest on stderr."""
    kind = next((k for k in ProvgridError.__subclasses__() if k.exit_code == code), ProvgridError)
    return kind(f"engine {engine} ended with exit code {code}; its own message stands above")
