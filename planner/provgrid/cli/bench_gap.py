"""`provgrid bench gap`: generalised assignment problems of the OR-Library, one record per problem."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from provgrid.cli.console import Reporter, print_json, print_table


def gap(
    files: Annotated[list[Path], typer.Argument(help="Files in the format of the OR-Library, plain or .gz.")],
    best_known: Annotated[Path | None, typer.Option("--best-known", help="CSV of best known values.")] = None,
    time_limit: Annotated[float, typer.Option(min=0, help="Stop each problem after this many seconds.")] = 10.0,
    target: Annotated[float | None, typer.Option("--gap", min=0, help="Stop a problem at this gap.")] = None,
    seed: Annotated[int, typer.Option(min=0, help="Seed of the search.")] = 0,
    threads: Annotated[int, typer.Option(min=1, help="Threads to use.")] = 2,
    as_json: Annotated[bool, typer.Option("--json", help="Print a list of records as JSON.")] = False,
) -> None:
    """Solve generalised assignment problems; gap1 to gap12 are maximised, as published."""
    from provgrid_bench.gap import measure_files, read_best_known

    known = {} if best_known is None else read_best_known(best_known)
    records: list[dict[str, Any]] = []
    with Reporter() as reporter:
        reporter.stage("reading")
        for record in measure_files(files, known, time_limit_s=time_limit, gap=target, seed=seed, threads=threads):
            records.append(record)
            reporter.stage(f"{len(records)} problems solved")
    if as_json:
        print_json(records)
        return
    headings = ("sense", "size", "status", "objective", "best known", "bound", "gap", "solve, s")
    print_table(("instance",), headings, map(_cells, records))


def _cells(row: dict[str, Any]) -> tuple[str, ...]:
    """Return the cells of a problem's line."""
    return (
        row["instance"],
        row["sense"],
        f"{row['agents']} x {row['tasks']}",
        row["status"].replace("_", " "),
        f"{row['objective']:,.10g}",
        *("-" if row[name] is None else f"{row[name]:,.10g}" for name in ("best_known", "bound")),
        "-" if row["gap"] is None else f"{row['gap']:.3%}",
        f"{row['solve_s']:.2f}",
    )
