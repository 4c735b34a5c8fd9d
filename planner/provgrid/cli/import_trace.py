"""`provgrid import`: a public trace as jobs and services, with everything that was assumed on the way."""

from __future__ import annotations

import shlex
from contextlib import contextmanager
from dataclasses import fields, replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from provgrid import exits
from provgrid.cli import completion, console
from provgrid.cli.console import Reporter, cannot_write, check_writable, print_json
from provgrid_models.errors import OptionError
from provgrid_optimizer.interrupts import CtrlCWaits

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    import pandas as pd

    from provgrid_models.importers.core import Imported
    from provgrid_models.importers.options import PlaceOptions, TraceOptions
    from provgrid_models.importers.place import Placed
    from provgrid_models.scenario import Scenario

SHOWN_BAD_ROWS = 10
INTO = "--into"
SUGGESTED = "zhejiang"  # a scenario to place work in, where none was named
WARN_FROM = 0.05  # of the work
ALWAYS_COUNTED = ("files", "rows_read", "rows_kept")


def _known_format(kind: str) -> str:
    """Refuse an unknown format before anything that only an import of a known one needs is asked for."""
    from provgrid_models import importers

    if kind not in importers.OPTIONS:
        raise OptionError(f"there is no format {kind!r}; choose one of {', '.join(importers.KINDS)}")
    return kind


def import_trace(
    kind: Annotated[
        str,
        typer.Argument(
            help="Format of the trace: philly, openb, azure-llm or servegen.",
            autocompletion=completion.among(("philly", "openb", "azure-llm", "servegen")),
            callback=_known_format,
        ),
    ],
    files: Annotated[list[Path], typer.Argument(help="Files (servegen: folders) of the trace.")],
    output: Annotated[Path, typer.Option("-o", "--output", help="Folder to write; it must be empty or not exist.")],
    into: Annotated[
        str | None,
        typer.Option(
            help="Scenario, folder or built-in name, that the work is placed in.", autocompletion=completion.scenarios
        ),
    ] = None,
    given: Annotated[
        list[str] | None,
        typer.Option(
            "--option",
            help="Option of the format, e.g. max_jobs=2000, mfu=0.35, region_map=vc1:hangzhou. hours=N reads N "
            "hours from start=..., by default midnight before the trace's first row (azure-llm: length of the "
            "demand). All of them: docs/questions/import.md.",
        ),
    ] = None,
    placing: Annotated[
        list[str] | None,
        typer.Option("--place", help="Option of --into, e.g. target_utilisation=0.5, scale=2, keep=true."),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print one record as JSON.")] = False,
) -> int:
    """Turn a public trace into jobs and services; with --into, make a scenario that solves.

    With --into, max_jobs counts the jobs that are released within the scenario's horizon.
    """
    from provgrid import api
    from provgrid_models import importers
    from provgrid_models.importers.write import report
    from provgrid_models.overlay import IMPORT_REPORT

    options = _options(importers.OPTIONS[kind], given or (), kind)
    place = _options(importers.PlaceOptions, placing or (), INTO)
    if placing and into is None:
        raise OptionError("--place says how work is placed in a scenario; name one with --into")
    if output.exists() and (not output.is_dir() or any(output.iterdir())):
        raise OptionError(f"{output} is not empty; give a folder that is empty or does not exist")
    check_writable(output)
    if into is not None:
        options, place = _counted_in_horizon(options, place)
    placed = None
    with Reporter() as reporter:
        reporter.stage(f"reading {kind}")
        with _bad_rows_first(silent=as_json):
            imported = importers.import_trace(kind, files, options)
            if into is not None:
                reporter.stage(f"placing the work in {into}")
                placed = importers.placed(imported, api.load(into), place)
        reporter.stage("writing the tables")
        with CtrlCWaits() as interrupts:
            _write(imported, placed, output)
        reporter.stage("looking for room")
        no_room = [] if placed is None or interrupts.asked else _without_room(placed.scenario)
        warnings = [] if placed is None else [*placed.warnings, *no_room]
    code = exits.INTERRUPTED if interrupts.asked else exits.SOLVED
    assumptions = imported.assumptions if placed is None else placed.scenario.settings.assumptions
    if as_json:
        found = {"warnings": warnings, "folder": str(output), "into": into}
        print_json({**report(imported), "assumptions": list(assumptions), **found})
        return code
    print("assumed:")
    for line in imported.assumptions if placed is None else placed.assumptions:
        print(f"  {line}")
    print(f"rows: {_counts_text(imported.counts)}")
    _print_bad_rows(imported.bad_rows)
    listed = "every assumption" if imported.bad_rows.empty else "every assumption, and every row that is listed"
    print(f"{listed}: {output / IMPORT_REPORT}")
    if placed is None:
        _print_tables_alone(kind, files, given or (), output)
    else:
        _print_placed(placed, warnings, output)
    return code


def _counted_in_horizon(options: TraceOptions, place: PlaceOptions) -> tuple[TraceOptions, PlaceOptions]:
    """Let `max_jobs` of the trace count where the work is placed: jobs outside the horizon would be lost anyway."""
    most = getattr(options, "max_jobs", None)
    if most is None or place.max_jobs is not None:
        return options, place
    return replace(options, max_jobs=None), replace(place, max_jobs=most, seed=place.seed or options.seed)  # type: ignore[call-arg]


def _counts_text(counts: dict[str, int]) -> str:
    """How many rows were read, and what became of them; nothing is said of what did not occur."""
    said = {name: number for name, number in counts.items() if number or name in ALWAYS_COUNTED}
    return ", ".join(f"{name.replace('_', ' ')} {number:,}" for name, number in said.items())


def _print_tables_alone(kind: str, files: Sequence[Path], given: Sequence[str], output: Path) -> None:
    """Say that tables of work are no scenario yet, and what makes one of them."""
    names = ", ".join(sorted(path.name for path in output.glob("*.csv")))
    print(f"written to {output}: {names}; work alone, no scenario yet: it has no regions, clusters or chips")
    options = [word for one in given for word in ("--option", one)]
    command = shlex.join(["provgrid", "import", kind, *map(str, files), *options])
    print(f"next, to place it in a scenario: {command} --into {SUGGESTED} -o {shlex.quote(f'{output}-{SUGGESTED}')}")


def _print_placed(placed: Placed, warnings: Sequence[str], output: Path) -> None:
    """Say what is in the scenario, what to be careful about, and what to do with it."""
    for line in warnings:
        print(f"warning: {line}")
    scenario, folder = placed.scenario, shlex.quote(str(output))
    print(f"written to {output}: {len(scenario.jobs):,} jobs and {len(scenario.services):,} services in its horizon")
    print(f"next: provgrid solve {folder}; where each number comes from: provgrid facts --scenario {folder}")


def _without_room(scenario: Scenario) -> list[str]:
    """Warn of jobs that no pool could do, were it empty: no plan serves them, and nothing else says so at once."""
    from provgrid import api
    from provgrid_optimizer.answers.alone import fit_somewhere

    jobs = scenario.jobs
    if jobs.empty:
        return []
    problem = api.compile(scenario)
    with_room = {name for name, fits in zip(problem.labels.jobs or (), fit_somewhere(problem), strict=True) if fits}
    lost = ~jobs["id"].isin(with_room)
    share = float(jobs.loc[lost, "work_pflop_h"].sum() / jobs["work_pflop_h"].sum())
    if share < WARN_FROM:
        return []
    return [
        f"{int(lost.sum()):,} of {len(jobs):,} jobs ({share:.0%} of the work) fit no pool even when it is empty, their "
        "accelerators are too many or their windows too short, and no plan serves them whole; keep jobs smaller with "
        "--place scale=1 or a lower target_utilisation, give them longer with --option deadline_slack or "
        "least_slack_h, or take a larger scenario"
    ]


def _write(imported: Imported, placed: Placed | None, output: Path) -> None:
    """Write the tables, or the scenario that the work was placed in if it passes its checks, beside the report.

    Raises
    ------
    ScenarioError : the scenario would not load; nothing is written.
    OptionError : the folder cannot be written.
    """
    from provgrid_models.files import check_loaded, save_scenario, scenario_error
    from provgrid_models.importers.write import write_report, write_tables

    scenario = None if placed is None else placed.scenario
    findings = [] if scenario is None else check_loaded(scenario)
    if any(finding.severity == "error" for finding in findings):
        raise scenario_error(f"to be written to {output}", findings)
    try:
        if scenario is None:
            write_tables(imported, output)
        else:
            save_scenario(scenario, output)
            write_report(imported, output, scenario.settings.assumptions)
    except OSError as error:
        raise cannot_write(output, error) from error
    console.session.written.append(output)


@contextmanager
def _bad_rows_first(*, silent: bool) -> Iterator[None]:
    """List the bad rows of a trace that has no good one before it is refused; silently where JSON is printed."""
    from provgrid_models.importers.core import NoGoodRowError

    try:
        yield
    except NoGoodRowError as error:
        if not silent:
            _print_bad_rows(error.bad_rows)
        raise


def _print_bad_rows(bad: pd.DataFrame) -> None:
    """List the first bad rows, and count the rest."""
    from provgrid_models.importers.core import bad_row_text

    for row in bad.head(SHOWN_BAD_ROWS).itertuples(index=False):
        print(f"  {bad_row_text(row)}")
    if len(bad) > SHOWN_BAD_ROWS:
        print(f"  and {len(bad) - SHOWN_BAD_ROWS:,} more")


def _options(kind: type[Any], given: Sequence[str], of: str) -> Any:
    """Build options from `name=value` texts; what is unknown or does not fit is an `OptionError`."""
    from pydantic import TypeAdapter, ValidationError

    from provgrid_models.importers.options import PlaceOptions
    from provgrid_models.validation import explained

    known = sorted(f.name for f in fields(kind))
    values: dict[str, Any] = {}
    for text in given:
        name, equals, value = text.partition("=")
        if not equals:
            raise OptionError(f"option {text!r} has no value; write it as name=value")
        if name not in known:
            elsewhere = of != INTO and name in {f.name for f in fields(PlaceOptions)}
            advice = f"it is one of {INTO}: --place {text}" if elsewhere else f"it has {', '.join(known)}"
            raise OptionError(f"{of} has no option {name}; {advice}")
        values[name] = _mapping(name, value) if name == "region_map" else value
        if name == "qos":
            values[name] = tuple(value.split(","))
    try:
        return TypeAdapter(kind).validate_python(values)
    except ValidationError as error:
        first = error.errors()[0]
        raise OptionError(
            f"option {first['loc'][0]}={first['input']}: {explained(first)[1].lower()}; see provgrid import --help"
        ) from None


def _mapping(name: str, text: str) -> dict[str, str]:
    """Read `a:b,c:d` as a mapping."""
    pairs = [pair.partition(":") for pair in text.split(",")]
    if not all(colon for _, colon, _ in pairs):
        raise OptionError(f"option {name}={text} holds no pairs; write it as {name}=from:to,from:to")
    mapping: dict[str, str] = {}
    for source, _, target in pairs:
        if mapping.setdefault(source, target) != target:
            raise OptionError(f"option {name}={text} leads {source} to {mapping[source]} and to {target}; keep one")
    return mapping
