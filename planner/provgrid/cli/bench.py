"""`provgrid bench`: frozen instances with known answers, one record per engine."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from provgrid.cli import bench_gap
from provgrid.cli.console import Reporter, output, print_json

app = typer.Typer(help="Measure engines on frozen instances.", no_args_is_help=True)
app.command("gap")(bench_gap.gap)


@app.callback()
def bench() -> None:
    """Measure engines on frozen instances."""


@app.command("reference")
def reference(
    jobs: Annotated[int, typer.Option(min=1, help="Training jobs.")] = 200,
    pools: Annotated[int, typer.Option(min=3, help="Pools.")] = 12,
    hours: Annotated[int, typer.Option(min=14, help="Periods of an hour.")] = 48,
    services: Annotated[int, typer.Option(min=0, help="Inference services.")] = 20,
    seed: Annotated[int, typer.Option(help="Seed of the instance and of the engines.")] = 0,
    engines: Annotated[str, typer.Option(help="Engines, separated by commas.")] = "lp,heuristic",
    time_limit: Annotated[float | None, typer.Option(help="Stop each engine after this many seconds.")] = None,
    threads: Annotated[int, typer.Option(help="Threads to use.")] = 2,
    as_json: Annotated[bool, typer.Option("--json", help="Print a list of records as JSON.")] = False,
) -> None:
    """Solve the reference instance, whose LP optima are known, each engine in a process of its own."""
    from provgrid_bench.record import in_own_processes, measure
    from provgrid_bench.reference import KNOWN_LP_OPTIMA, reference_problem
    from provgrid_optimizer.options import SolveOptions
    from provgrid_optimizer.solve import find_engine

    names = [name.strip() for name in engines.split(",")]
    for name in names:
        find_engine(name)
    options = SolveOptions(time_limit_s=time_limit, threads=threads, seed=seed)
    size = (jobs, pools, hours, services)
    with Reporter(time_limit_s=time_limit) as reporter:
        if len(names) == 1:
            reporter.stage(names[0])
            instance = f"reference-{jobs}-{pools}-{hours}-{services}"
            records = [measure(lambda: reference_problem(*size, seed), names[0], options, instance, reporter)]
        else:
            reporter.stage(f"measuring {engines}")
            flags = [f"--jobs={jobs}", f"--pools={pools}", f"--hours={hours}", f"--services={services}"]
            flags += [f"--seed={seed}", f"--threads={threads}"]
            flags += [] if time_limit is None else [f"--time-limit={time_limit}"]
            records = in_own_processes(["bench", "reference", *flags], names)
    if as_json:
        print_json(records)
    else:
        _print_table(records, KNOWN_LP_OPTIMA.get(size) if seed == 0 else None)


def _print_table(records: list[dict[str, Any]], known_yuan: float | None) -> None:
    """Print one line per engine."""
    from rich import box
    from rich.table import Table

    table = Table(box=box.SIMPLE_HEAD, show_edge=False, pad_edge=False)
    table.add_column("engine")
    for heading in (
        "status",
        "cost, yuan",
        "bound, yuan",
        "gap",
        "compile, s",
        "solve, s",
        "audit, s",
        "peak, MB",
    ):
        table.add_column(heading, justify="right")
    for row in records:
        bound, gap = row["bound_yuan"], row["gap"]
        table.add_row(
            row["engine"],
            row["status"],
            f"{row['objective_yuan']:,.2f}",
            "-" if bound is None else f"{bound:,.2f}",
            "-" if gap is None else f"{gap:.3%}",
            *(f"{row[name]:.2f}" for name in ("compile_s", "solve_s", "audit_s")),
            f"{row['peak_rss_mb']:,.0f}",
        )
    console = output()
    console.print(table)
    if known_yuan is not None:
        console.print(f"known LP optimum: {known_yuan:,.4f} yuan")
