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
    engine_names,
    measure_apart,
    measure_here,
    print_records,
    run_flags,
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
    from provgrid_optimizer.options import SolveOptions

    sizes, draws, names = whole_numbers(jobs, "--jobs", 1), whole_numbers(seeds, "--seed", 0), engine_names(engines)
    options = SolveOptions(gap=gap, time_limit_s=time_limit, threads=threads, seed=draws[0])
    if len(sizes) * len(draws) * len(names) == 1:
        instance = scale_instance(sizes[0], pools, hours, services, draws[0], rigid)
        print_records(measure_here(instance, names[0], options), as_json)
        return
    shape = [f"--pools={pools}", f"--hours={hours}", f"--services={services}", f"--rigid={rigid}", *run_flags(options)]
    calls = [
        ["bench", "scale", f"--jobs={size}", f"--seed={seed}", f"--engines={name}", *shape]
        for size in sizes
        for seed in draws
        for name in names
    ]
    print_records(measure_apart(calls), as_json)
