"""`provgrid bench all` and `bench page`: fill the tables of results, and make the page that shows them."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from provgrid.cli import console
from provgrid.cli.bench_records import Threads
from provgrid.cli.console import Reporter, cannot_write, note, output, print_json

Folder = Annotated[Path, typer.Option("--results", help="Folder of the tables and of the page.")]
RESULTS = Path("benchmarks/results")  # in a checkout


def fill_all(
    only: Annotated[str | None, typer.Option(help="Parts, separated by commas; default: all.")] = None,
    again: Annotated[bool, typer.Option("--again", help="Measure what is in the tables already, too.")] = False,
    results: Folder = RESULTS,
    threads: Threads = 2,
    as_json: Annotated[bool, typer.Option("--json", help="Print the rows gained by part as JSON.")] = False,
) -> None:
    """Measure all that the page shows and is not in its tables yet; it can be stopped and started again."""
    from provgrid_bench.results.fill import DATA, choose, fill
    from provgrid_bench.results.parts import PARTS

    parts = choose(None if only is None else [name.strip() for name in only.split(",")])
    if only is None and len(parts) < len(PARTS):
        note(f"provgrid: {DATA} is not set, so the files of the OR-Library are left out")
    try:
        console.session.written.append(results)  # what there is after each run, whenever Ctrl-C comes
        with Reporter() as reporter:
            gained = fill(results, parts, threads=threads, again=again, say=reporter.stage)
    except OSError as error:
        raise cannot_write(results, error, "another folder with --results") from error
    if as_json:
        print_json(gained)
    else:
        for name, rows in gained.items():
            output().print(f"{name:<24}{rows:>4} rows")


def page(
    results: Folder = RESULTS,
    as_json: Annotated[bool, typer.Option("--json", help="Print the files as JSON.")] = False,
) -> None:
    """Make the page of results from its tables."""
    from provgrid_bench.results.page import make_page

    files = make_page(results)
    try:
        for name, text in files.items():
            (results / name).write_text(text, encoding="utf-8")
    except OSError as error:
        raise cannot_write(results, error, "another folder with --results") from error
    if as_json:
        print_json([str(results / name) for name in files])
    else:
        output().print(f"written: {', '.join(str(results / name) for name in files)}")
