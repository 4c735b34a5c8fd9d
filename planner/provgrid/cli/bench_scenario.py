"""`provgrid bench scenario`: scenarios measured like the frozen instances, one record per run."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from provgrid.cli import completion
from provgrid.cli.bench_records import (
    AsJson,
    Engines,
    Gap,
    Seeds,
    Threads,
    TimeLimit,
    measure_all,
    print_records,
    runs_of,
)

if TYPE_CHECKING:
    from provgrid_bench.record import Instance
    from provgrid_models.problem import Problem
    from provgrid_models.scenario import Scenario


def scenario(
    scenarios: Annotated[
        list[str],
        typer.Argument(
            help="Folders, or built-in ones: toy, zhejiang, national-lite, national.",
            autocompletion=completion.scenarios,
        ),
    ],
    seeds: Seeds = "0",
    engines: Engines = "heuristic",
    time_limit: TimeLimit = None,
    gap: Gap = None,
    threads: Threads = 2,
    as_json: AsJson = False,
) -> None:
    """Solve scenarios; several runs have a process each, for the peak memory of each."""
    cases = [(place, lambda _draw, place=place: _instance(place)) for place in scenarios]
    print_records(measure_all("scenario", cases, runs_of(seeds, engines, gap, time_limit, threads)), as_json)


def _instance(place: str) -> Instance:
    """Make an instance of a scenario; the seed is the engine's alone."""
    from provgrid import api
    from provgrid_bench.record import Instance

    def build() -> tuple[Problem, Scenario]:
        loaded = api.load(place)
        return api.compile(loaded), loaded

    return Instance(place, build)
