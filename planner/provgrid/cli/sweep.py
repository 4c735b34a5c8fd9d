"""`provgrid sweep` and `provgrid pareto`: many plans of one scenario, kept as they are made."""

from __future__ import annotations

import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from provgrid import exits
from provgrid.cli import completion, console
from provgrid.cli.console import Reporter, cannot_write, check_writable, note, output, print_json, print_table
from provgrid.cli.many_plans import Gap, Passes, ScenarioName, Seed, TimeLimit, never_served, share_left, span
from provgrid.cli.solve import RUNS
from provgrid_models.words import counted

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from provgrid.sweeps.point import Row
    from provgrid.sweeps.results import Front, Sweep

FOLDER = RUNS / "points"
MOST_REASONS = 5  # points without a plan, by name

Engine = Annotated[
    str,
    typer.Option(help="Engine for every point: heuristic, lp, milp, or a policy.", autocompletion=completion.engines),
]
Overrides = Annotated[list[str] | None, typer.Option("--set", help="Override that holds at every point.")]
Jobs = Annotated[int, typer.Option(help="Processes, one thread each.")]
Dask = Annotated[str | None, typer.Option(help="Address of a Dask scheduler, whose workers make the plans instead.")]
Folder = Annotated[Path, typer.Option("--points-in", help="Where points are kept, so that a stopped run goes on.")]
Again = Annotated[bool, typer.Option("--again", help="Make points anew that were made before.")]
Output = Annotated[Path | None, typer.Option("-o", "--output", help="Write the table to this .csv or .parquet file.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print the result as JSON.")]


def sweep(
    scenario: ScenarioName,
    vary: Annotated[
        list[str],
        typer.Option(help="What varies: prices.carbon_price_yuan_per_t=0:300:50, 'pools.*/h20.accelerators*=0.5,1,2'."),
    ],
    engine: Engine = "heuristic",
    gap: Gap = None,
    time_limit: TimeLimit = None,
    passes: Passes = None,
    seed: Seed = 0,
    overrides: Overrides = None,
    jobs: Jobs = 2,
    dask: Dask = None,
    folder: Folder = FOLDER,
    again: Again = False,
    cold: Annotated[bool, typer.Option("--cold", help="Solve every point from nothing (engine lp).")] = False,
    table: Output = None,
    as_json: AsJson = False,
) -> int:
    """Plan a scenario at every combination of varied values; stopped at any time, the same command goes on."""
    from provgrid import api

    stops: dict[str, Any] = {
        "gap": gap,
        "time_limit": time_limit,
        "passes": passes,
        "seed": seed,
        "set": overrides or (),
    }
    where: dict[str, Any] = {"jobs": jobs, "dask": dask, "folder": folder, "again": again}
    found: Sweep = _watched(
        lambda on_made: api.sweep(scenario, vary, engine=engine, hot=not cold, on_made=on_made, **stops, **where),
        folder,
        table,
    )
    _hand_over(found, table, as_json=as_json)
    if not as_json:
        _print_rows(_headings(found.keys), [[_text(value) for value in values] for values in found.values], found.rows)
        if found.checks:
            worst = max(one.difference for one in found.checks)
            output().print(
                f"{len(found.checks)} of the points that started hot solved again: {worst:.1g} apart at most"
            )
        output().print(_counts(found, folder))
    return _ended(found)


def pareto(
    scenario: ScenarioName,
    objectives: Annotated[str, typer.Option(help="cost,carbon or cost,latency.")] = "cost,carbon",
    points: Annotated[int, typer.Option(help="Points of the front, the two ends included.")] = 7,
    engine: Engine = "lp",
    gap: Gap = None,
    time_limit: TimeLimit = None,
    passes: Passes = None,
    seed: Seed = 0,
    overrides: Overrides = None,
    jobs: Jobs = 2,
    dask: Dask = None,
    folder: Folder = FOLDER,
    again: Again = False,
    table: Output = None,
    as_json: AsJson = False,
) -> int:
    """Find the plans between the cheapest and the greenest, or the nearest; each the cheapest within its limit."""
    from provgrid import api

    names = [name.strip() for name in objectives.split(",")]
    stops: dict[str, Any] = {
        "gap": gap,
        "time_limit": time_limit,
        "passes": passes,
        "seed": seed,
        "set": overrides or (),
    }
    where: dict[str, Any] = {"jobs": jobs, "dask": dask, "folder": folder, "again": again}
    found: Front = _watched(
        lambda on_made: api.pareto(scenario, names, points=points, engine=engine, on_made=on_made, **stops, **where),
        folder,
        table,
    )
    _hand_over(found, table, as_json=as_json)
    if not as_json:
        unit = "t CO2 at most" if found.other == "total_carbon_t" else "SLO share at most"
        left = [[mark, f"{limit:,.6g}"] for mark, limit in zip(found.marks, found.limits, strict=True)]
        _print_rows(["", unit], left, found.rows)
        if found.rows and all(row.divisible for row in found.rows):
            output().print("divisible: a relaxation, the ideal that plans are held against, not plans")
        output().print(_counts(found, folder))
    return _ended(found)


def _watched(run: Callable[[Callable[[int, int], None]], Any], folder: Path, table: Path | None) -> Any:
    """Run with a progress bar, after a look at whether everything can be written."""
    from provgrid.sweeps.results import check_output
    from provgrid_optimizer.options import Progress

    if table is not None:
        check_output(table)
    check_writable(folder, "another folder with --points-in")
    console.session.written.append(folder)  # what there is after each point, whenever Ctrl-C comes
    started = time.perf_counter()
    with Reporter() as reporter:
        reporter.stage("reading the scenario")
        return run(lambda done, total: reporter(Progress(time.perf_counter() - started, f"{done} of {total} points")))


def _hand_over(found: Sweep | Front, table: Path | None, *, as_json: bool) -> None:
    if table is not None:
        try:
            found.save(table)
        except OSError as error:
            raise cannot_write(table, error, "another file with -o") from error
    if as_json:
        print_json(found.to_dict())


def _counts(found: Sweep | Front, folder: Path) -> str:
    """Say how many points there are, how many of them have no plan, and how many were not there before."""
    lost = sum(not row.has_plan for row in found.rows)
    without = f", {lost:,} without a plan" if lost else ""
    return f"{counted(len(found.rows), 'point')}{without}; {found.made:,} made now, kept in {folder}"


def _headings(keys: Sequence[str]) -> list[str]:
    """Name each varied key by its column, or in full where two would be called the same."""
    columns = [key.rpartition(".")[2] for key in keys]
    return [key if columns.count(column) > 1 else column for key, column in zip(keys, columns, strict=True)]


def _print_rows(headings: Sequence[str], left: Sequence[Sequence[str]], rows: Sequence[Row]) -> None:
    """Print the figures that a reader looks at first; all of them are in the table that --output writes."""
    figures = ("yuan in all", "gap", "unserved", "t CO2 in all", "round trip, ms", "s", "status")
    print_table(headings, figures, [[*first, *_cells(row)] for first, row in zip(left, rows, strict=True)])
    for footnote in (_constants(rows), never_served([row.never_served_yuan or 0.0 for row in rows])):
        if footnote:
            output().print(footnote)
    for line in _reasons(headings, left, rows):
        output().print(line)


def _constants(rows: Sequence[Row]) -> str:
    """Say how much of what is shown in all are constants, which solve shows beside its cost; "" where none are."""
    planned = [row for row in rows if row.has_plan]
    yuan = [row.constants_yuan or 0.0 for row in planned]
    tonnes = [(row.total_carbon_t or 0.0) - (row.carbon_t or 0.0) for row in planned]
    if not any(yuan) and not any(tonnes):
        return ""
    return (
        f"in all: {span(yuan, ',.0f')} yuan and {span(tonnes, ',.4g')} t of it are constants (idle floor and "
        "such), which solve shows beside its cost"
    )


def _reasons(headings: Sequence[str], left: Sequence[Sequence[str]], rows: Sequence[Row]) -> list[str]:
    """Say of each point that has no plan why, named by what stands left in its row."""
    lost = [(first, row) for first, row in zip(left, rows, strict=True) if not row.has_plan]
    lines = []
    for first, row in lost[:MOST_REASONS]:
        named = " · ".join(f"{heading} {text}" for heading, text in zip(headings, first, strict=True) if text)
        lines.append(f"{named}: {row.reason}")
    if len(lost) > MOST_REASONS:
        lines.append(f"and {counted(len(lost) - MOST_REASONS, 'more point')} without a plan; see --json")
    return lines


def _cells(row: Row) -> list[str]:
    if not row.has_plan:
        return ["-"] * 5 + [f"{row.seconds:.1f}", row.status.replace("_", " ")]
    gap = "-" if row.gap is None else f"{row.gap:.2%}"
    trip = "-" if row.round_trip_ms is None else f"{row.round_trip_ms:.1f}"
    carbon, status = f"{row.total_carbon_t:,.4g}", row.status.replace("_", " ")
    left = share_left(row.unserved_share or 0.0, row.never_served_yuan)
    return [f"{row.total_yuan:,.0f}", gap, left, carbon, trip, f"{row.seconds:.1f}", status]


def _text(value: Any) -> str:
    return f"{value:g}" if isinstance(value, float) else str(value)


def _ended(found: Sweep | Front) -> int:
    from provgrid.sweeps.results import advice

    code = found.exit_code
    if code != exits.SOLVED:
        note(f"provgrid: {advice(found.rows, code)}")
    return code
