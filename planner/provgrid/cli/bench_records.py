"""What the measuring commands share: options, lists of numbers, one process per run, the table of records."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from provgrid.cli.console import Reporter, output, print_json
from provgrid_models.errors import OptionError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from provgrid_bench.record import Instance
    from provgrid_optimizer.options import SolveOptions

Seeds = Annotated[str, typer.Option("--seed", help="Seeds of instance and engine, separated by commas.")]
Engines = Annotated[str, typer.Option(help="Engines, separated by commas.")]
TimeLimit = Annotated[float | None, typer.Option(help="Stop each run after this many seconds.")]
Gap = Annotated[float | None, typer.Option("--gap", help="Stop each run within this fraction of its bound.")]
Threads = Annotated[int, typer.Option(help="Threads to use.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print a list of records as JSON.")]


def whole_numbers(text: str, option: str, least: int) -> list[int]:
    """Read "1,2,3", or raise `OptionError` naming the option."""
    numbers = []
    for word in text.split(","):
        number = int(word) if word.strip().removeprefix("-").isdecimal() else least - 1
        if number < least:
            raise OptionError(
                f"{option} holds {word.strip()!r}; give whole numbers of at least {least}, separated by commas"
            )
        numbers.append(number)
    return numbers


def engine_names(text: str) -> list[str]:
    """Read "lp,heuristic", or raise `OptionError` where there is no such engine."""
    from provgrid_optimizer.solve import find_engine

    names = [name.strip() for name in text.split(",")]
    for name in names:
        find_engine(name)
    return names


def run_flags(options: SolveOptions) -> list[str]:
    """Return the options of a run, all but its seed, as a command takes them."""
    flags = [f"--threads={options.threads}"]
    flags += [] if options.time_limit_s is None else [f"--time-limit={options.time_limit_s}"]
    return flags + ([] if options.gap is None else [f"--gap={options.gap}"])


def measure_here(instance: Instance, engine: str, options: SolveOptions) -> list[dict[str, Any]]:
    """Measure one run in this process."""
    from provgrid_bench.record import measure

    with Reporter(time_limit_s=options.time_limit_s) as reporter:
        reporter.stage(f"{engine} on {instance.name}")
        return [measure(instance, engine, options, reporter)]


def measure_apart(calls: Sequence[Sequence[str]]) -> list[dict[str, Any]]:
    """Measure several runs, each a `provgrid` command in a process of its own."""
    from provgrid_bench.record import in_own_processes

    with Reporter() as reporter:
        return in_own_processes(calls, reporter.stage)


def print_records(records: list[dict[str, Any]], as_json: bool) -> None:
    """Print the records as JSON, or as a table with one line each."""
    if as_json:
        print_json(records)
        return
    from rich import box
    from rich.table import Table

    table = Table(box=box.SIMPLE_HEAD, show_edge=False, pad_edge=False)
    table.add_column("instance")
    table.add_column("engine")
    headings = ("seed", "status", "cost, yuan", "bound, yuan", "gap", "compile, s", "solve, s", "audit, s", "peak, MB")
    for heading in headings:
        table.add_column(heading, justify="right")
    for row in records:
        bound, gap = row["bound_yuan"], row["gap"]
        table.add_row(
            row["instance"],
            row["engine"],
            str(row["seed"]),
            row["status"],
            f"{row['objective_yuan']:,.2f}",
            "-" if bound is None else f"{bound:,.2f}",
            "-" if gap is None else f"{gap:.3%}",
            *(f"{row[name]:.2f}" for name in ("compile_s", "solve_s", "audit_s")),
            f"{row['peak_rss_mb']:,.0f}",
        )
    output().print(table)
