"""`provgrid bench peers`: other solvers and the heuristic, on the largest size that each can do in time."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from provgrid.cli.bench_records import AsJson, Threads, whole_numbers
from provgrid.cli.console import Reporter, print_json, print_table
from provgrid_models.errors import OptionError


def peers(
    names: Annotated[str | None, typer.Option("--peers", help="Peers, separated by commas; default: all.")] = None,
    sizes: Annotated[str | None, typer.Option(help="Training jobs, ascending, e.g. 200,1000,3000.")] = None,
    pools: Annotated[int, typer.Option(min=3, help="Pools.")] = 12,
    hours: Annotated[int, typer.Option(min=14, help="Periods of an hour.")] = 48,
    services: Annotated[int, typer.Option(min=1, help="Inference services.")] = 40,
    seed: Annotated[int, typer.Option(min=0, help="Seed of instance and solver.")] = 0,
    time_limit: Annotated[float, typer.Option(min=0, help="Seconds that a run may take, build and solve.")] = 300.0,
    threads: Threads = 2,
    as_json: AsJson = False,
) -> None:
    """Let peers climb the sizes of the reference instance until a run takes too long."""
    from provgrid_bench.peers.ladder import PEERS, SIZES, Run, climb

    asked = list(PEERS) if names is None else [name.strip() for name in names.split(",")]
    for name in asked:
        if name not in PEERS:
            raise OptionError(f"no peer {name!r}; choose among {', '.join(PEERS)}")
    steps = list(SIZES) if sizes is None else sorted(whole_numbers(sizes, "--sizes", 1))
    records: list[dict[str, Any]] = []
    with Reporter() as reporter:
        for name in asked:
            reporter.stage(name)
            runs = [
                Run(
                    peer=name,
                    jobs=jobs,
                    pools=pools,
                    hours=hours,
                    services=services,
                    seed=seed,
                    threads=threads,
                    time_limit_s=time_limit,
                )
                for jobs in steps
            ]
            for record in climb(runs, {}):
                records.append(record)
                reporter.stage(f"{name}: {record['jobs']} jobs {record['status']}")
    if as_json:
        print_json(records)
        return
    headings = ("jobs", "status", "cost, yuan", "gap", "build, s", "solve, s", "peak, MB")
    print_table(("peer",), headings, map(_cells, records))


def _cells(row: dict[str, Any]) -> tuple[str, ...]:
    """Return the cells of a run's line."""
    cost, gap = row["objective_yuan"], row["gap"]
    return (
        row["peer"],
        f"{row['jobs']:,}",
        row["status"].replace("_", " "),
        "-" if cost is None else f"{cost:,.2f}",
        "-" if gap is None else f"{gap:.3%}",
        *("-" if row[name] is None else f"{row[name]:.2f}" for name in ("build_s", "solve_s")),
        "-" if row["peak_rss_mb"] is None else f"{row['peak_rss_mb']:,.0f}",
    )
