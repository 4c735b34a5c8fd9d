"""`provgrid bench`: what engines do on frozen instances, one record per run."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Annotated

import typer

from provgrid.cli import bench_gap, bench_peers, bench_results, bench_scale, bench_scenario
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
from provgrid.cli.console import output

if TYPE_CHECKING:
    from provgrid_bench.record import Instance

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

    def instance(size: int, draw: int) -> Instance:
        return reference_instance(size, pools, hours, services, draw if instance_seed is None else instance_seed)

    sizes, runs = whole_numbers(jobs, "--jobs", 1), runs_of(seeds, engines, gap, time_limit, threads)
    shape = [f"--pools={pools}", f"--hours={hours}", f"--services={services}"]
    shape += [] if instance_seed is None else [f"--instance-seed={instance_seed}"]
    records = measure_all("reference", [(f"--jobs={size}", partial(instance, size)) for size in sizes], runs, shape)
    print_records(records, as_json)
    if not as_json and 0 in (runs.seeds if instance_seed is None else [instance_seed]):
        for size in sizes:
            known_yuan = KNOWN_LP_OPTIMA.get((size, pools, hours, services))
            if known_yuan is not None:
                output().print(f"known LP optimum of {size} jobs, drawn with seed 0: {known_yuan:,.4f} yuan")
