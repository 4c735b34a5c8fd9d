"""`provgrid bench scale`: the frozen family of large instances, one record per run."""

from __future__ import annotations

from typing import Annotated

import typer

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
    whole_numbers,
)


def scale(
    jobs: Annotated[str, typer.Option(help="Training jobs, e.g. 1000,10000.")] = "1000",
    pools: Annotated[int, typer.Option(min=3, help="Pools.")] = 20,
    hours: Annotated[int, typer.Option(min=9, help="Periods of an hour.")] = 168,
    services: Annotated[int, typer.Option(min=1, help="Inference services.")] = 40,
    seeds: Seeds = "0",
    rigid: Annotated[float, typer.Option(min=0, max=1, help="Share of jobs that are rigid, e.g. 0.5.")] = 0.0,
    engines: Engines = "heuristic",
    time_limit: TimeLimit = None,
    gap: Gap = None,
    threads: Threads = 2,
    as_json: AsJson = False,
) -> None:
    """Solve instances of the frozen scale family; several runs have a process each, for the peak memory of each."""
    from provgrid_bench.scale import scale_instance

    shape = [f"--pools={pools}", f"--hours={hours}", f"--services={services}", f"--rigid={rigid}"]
    cases = [
        (f"--jobs={size}", lambda draw, size=size: scale_instance(size, pools, hours, services, draw, rigid))
        for size in whole_numbers(jobs, "--jobs", 1)
    ]
    print_records(measure_all("scale", cases, runs_of(seeds, engines, gap, time_limit, threads), shape), as_json)
