"""`provgrid bench`: what engines do on frozen instances, one record per run."""

from __future__ import annotations

from typing import Annotated

import typer

from provgrid.cli import bench_gap, bench_peers, bench_results, bench_scale, bench_scenario
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
from provgrid.cli.console import output

app = typer.Typer(help="Measure engines on frozen instances.", no_args_is_help=True)
app.command("gap")(bench_gap.gap)
app.command("peers")(bench_peers.peers)
app.command("scale")(bench_scale.scale)
app.command("scenario")(bench_scenario.scenario)
app.command("all")(bench_results.fill_all)
app.command("page")(bench_results.page)


@app.callback()
def bench() -> None:
    """Measure engines on frozen instances."""


@app.command("reference")
def reference(
    jobs: Annotated[str, typer.Option(help="Training jobs, e.g. 200,1000.")] = "200",
    pools: Annotated[int, typer.Option(min=3, help="Pools.")] = 12,
    hours: Annotated[int, typer.Option(min=14, help="Periods of an hour.")] = 48,
    services: Annotated[int, typer.Option(min=0, help="Inference services.")] = 20,
    seeds: Seeds = "0",
    instance_seed: Annotated[
        int | None, typer.Option(min=0, help="Seed of the instance alone; default: that of the run.")
    ] = None,
    engines: Engines = "lp,heuristic",
    time_limit: TimeLimit = None,
    gap: Gap = None,
    threads: Threads = 2,
    as_json: AsJson = False,
) -> None:
    """Solve the reference instance, whose LP optima are known; several runs have a process each."""
    from provgrid_bench.reference import KNOWN_LP_OPTIMA, reference_instance
    from provgrid_optimizer.options import SolveOptions

    sizes, draws, names = whole_numbers(jobs, "--jobs", 1), whole_numbers(seeds, "--seed", 0), engine_names(engines)
    options = SolveOptions(gap=gap, time_limit_s=time_limit, threads=threads, seed=draws[0])
    if len(sizes) * len(draws) * len(names) == 1:
        draw = draws[0] if instance_seed is None else instance_seed
        records = measure_here(reference_instance(sizes[0], pools, hours, services, draw), names[0], options)
    else:
        shape = [f"--pools={pools}", f"--hours={hours}", f"--services={services}", *run_flags(options)]
        shape += [] if instance_seed is None else [f"--instance-seed={instance_seed}"]
        records = measure_apart(
            [
                ["bench", "reference", f"--jobs={size}", f"--seed={seed}", f"--engines={name}", *shape]
                for size in sizes
                for seed in draws
                for name in names
            ]
        )
    print_records(records, as_json)
    if not as_json and 0 in (draws if instance_seed is None else [instance_seed]):
        for size in sizes:
            known_yuan = KNOWN_LP_OPTIMA.get((size, pools, hours, services))
            if known_yuan is not None:
                output().print(f"known LP optimum of {size} jobs, drawn with seed 0: {known_yuan:,.4f} yuan")
