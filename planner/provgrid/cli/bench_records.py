"""What the measuring commands share: options, lists of numbers, one process per run, the table of records."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any

import typer

from provgrid.cli.console import Reporter, print_json, print_table
from provgrid_models.errors import OptionError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

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


@dataclass(frozen=True)
class Runs:
    """Which runs are asked for: every case with each seed and engine."""

    seeds: list[int]
    engines: list[str]
    options: SolveOptions


def runs_of(seeds: str, engines: str, gap: float | None, time_limit: float | None, threads: int) -> Runs:
    """Read the options of the command line, or raise `OptionError`."""
    from provgrid_optimizer.options import SolveOptions
    from provgrid_optimizer.solve import find_engine

    draws, names = whole_numbers(seeds, "--seed", 0), [name.strip() for name in engines.split(",")]
    for name in names:
        find_engine(name)
    return Runs(draws, names, SolveOptions(gap=gap, time_limit_s=time_limit, threads=threads, seed=draws[0]))


def measure_all(
    command: str, cases: Sequence[tuple[str, Callable[[int], Instance]]], runs: Runs, shape: Sequence[str] = ()
) -> list[dict[str, Any]]:
    """Measure every case with each seed and engine: a single run here, several in a process each.

    A case is its argument of `provgrid bench <command>` and what makes its instance of a seed.
    """
    from provgrid_bench.record import in_own_processes, measure

    options = runs.options
    if len(cases) * len(runs.seeds) * len(runs.engines) == 1:
        instance, engine = cases[0][1](runs.seeds[0]), runs.engines[0]
        with Reporter(time_limit_s=options.time_limit_s) as reporter:
            reporter.stage(f"{engine} on {instance.name}")
            return [measure(instance, engine, options, reporter)]
    flags = [*shape, f"--threads={options.threads}"]
    flags += [] if options.time_limit_s is None else [f"--time-limit={options.time_limit_s}"]
    flags += [] if options.gap is None else [f"--gap={options.gap}"]
    with Reporter() as reporter:
        return in_own_processes(
            [
                ["bench", command, argument, f"--seed={seed}", f"--engines={name}", *flags]
                for argument, _ in cases
                for seed in runs.seeds
                for name in runs.engines
            ],
            reporter.stage,
        )


def print_records(records: list[dict[str, Any]], as_json: bool) -> None:
    """Print the records as JSON, or as a table with one line each."""
    if as_json:
        print_json(records)
        return
    headings = ("seed", "status", "cost, yuan", "bound, yuan", "gap", "compile, s", "solve, s", "audit, s", "peak, MB")
    print_table(("instance", "engine"), headings, map(_cells, records))


def _cells(row: dict[str, Any]) -> tuple[str, ...]:
    """Return the cells of a record's line."""
    bound, gap = row["bound_yuan"], row["gap"]
    return (
        row["instance"],
        row["engine"],
        str(row["seed"]),
        row["status"].replace("_", " "),
        f"{row['objective_yuan']:,.2f}",
        "-" if bound is None else f"{bound:,.2f}",
        "-" if gap is None else f"{gap:.3%}",
        *(f"{row[name]:.2f}" for name in ("compile_s", "solve_s", "audit_s")),
        f"{row['peak_rss_mb']:,.0f}",
    )
