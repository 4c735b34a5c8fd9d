"""`provgrid bench scenario`: scenarios measured like the frozen instances, one record per run."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from provgrid.cli.bench_records import (
    AsJson,
    Engines,
    Gap,
    Seeds,
    Threads,
    TimeLimit,
    engine_names,
    measure_apart,
    measure_here,
    print_records,
    run_flags,
    whole_numbers,
)

if TYPE_CHECKING:
    from provgrid_models.problem import Problem
    from provgrid_models.scenario import Scenario


def scenario(
    scenarios: Annotated[list[str], typer.Argument(help="Folders, or built-in ones: toy, zhejiang, national.")],
    seeds: Seeds = "0",
    engines: Engines = "heuristic",
    time_limit: TimeLimit = None,
    gap: Gap = None,
    threads: Threads = 2,
    as_json: AsJson = False,
) -> None:
    """Solve scenarios; several runs have a process each, for the peak memory of each."""
    from provgrid import api
    from provgrid_bench.record import Instance
    from provgrid_optimizer.options import SolveOptions

    draws, names = whole_numbers(seeds, "--seed", 0), engine_names(engines)
    options = SolveOptions(gap=gap, time_limit_s=time_limit, threads=threads, seed=draws[0])
    if len(scenarios) * len(draws) * len(names) == 1:

        def build() -> tuple[Problem, Scenario]:
            loaded = api.load(scenarios[0])
            return api.compile(loaded), loaded

        print_records(measure_here(Instance(scenarios[0], build), names[0], options), as_json)
        return
    calls = [
        ["bench", "scenario", place, f"--seed={seed}", f"--engines={name}", *run_flags(options)]
        for place in scenarios
        for seed in draws
        for name in names
    ]
    print_records(measure_apart(calls), as_json)
