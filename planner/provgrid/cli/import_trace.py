"""`provgrid import`: a public trace as jobs and services, with everything that was assumed on the way."""

from __future__ import annotations

from dataclasses import fields
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from provgrid import exits
from provgrid.cli import completion, console
from provgrid.cli.console import Reporter, cannot_write, check_writable, print_json
from provgrid_models.errors import OptionError
from provgrid_optimizer.interrupts import CtrlCWaits

if TYPE_CHECKING:
    from collections.abc import Sequence

    from provgrid_models.importers.core import Imported
    from provgrid_models.scenario import Scenario

SHOWN_BAD_ROWS = 10


def import_trace(
    kind: Annotated[
        str,
        typer.Argument(
            help="Format of the trace: philly, openb, azure-llm or servegen.",
            autocompletion=completion.among(("philly", "openb", "azure-llm", "servegen")),
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
            "demand).",
        ),
    ] = None,
    placing: Annotated[
        list[str] | None,
        typer.Option("--place", help="Option of --into, e.g. target_utilisation=0.5, scale=2, keep=true."),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print one record as JSON.")] = False,
) -> int:
    """Turn a public trace into jobs and services; with --into, make a scenario that solves."""
    from provgrid import api
    from provgrid_models import importers
    from provgrid_models.importers.write import REPORT_FILE, report

    if kind not in importers.OPTIONS:
        raise OptionError(f"there is no format {kind!r}; choose one of {', '.join(importers.KINDS)}")
    options = _options(importers.OPTIONS[kind], given or (), kind)
    place = _options(importers.PlaceOptions, placing or (), "--into")
    if placing and into is None:
        raise OptionError("--place says how work is placed in a scenario; name one with --into")
    if output.exists() and (not output.is_dir() or any(output.iterdir())):
        raise OptionError(f"{output} is not empty; give a folder that is empty or does not exist")
    check_writable(output)
    scenario = None
    with Reporter() as reporter:
        reporter.stage(f"reading {kind}")
        imported = importers.import_trace(kind, files, options)
        if into is not None:
            reporter.stage(f"placing the work in {into}")
            scenario = importers.into(imported, api.load(into), place)
        reporter.stage("writing the tables")
        with CtrlCWaits() as interrupts:
            _write(imported, scenario, output)
    code = exits.INTERRUPTED if interrupts.asked else exits.SOLVED
    assumptions = imported.assumptions if scenario is None else scenario.settings.assumptions
    if as_json:
        print_json({**report(imported), "assumptions": list(assumptions), "folder": str(output), "into": into})
        return code
    print("assumed:")
    for line in assumptions:
        print(f"  {line}")
    print(f"rows: {', '.join(f'{name} {number:,}' for name, number in imported.counts.items())}")
    _print_bad_rows(imported.bad_rows)
    print(f"every assumption and every bad row: {output / REPORT_FILE}")
    print(f"written to {output}" + ("" if into is None else f"; next: provgrid solve {output}"))
    return code


def _write(imported: Imported, scenario: Scenario | None, output: Path) -> None:
    """Write the tables, or the scenario that the work was placed in if it passes its checks, beside the report.

    Raises
    ------
    ScenarioError : the scenario would not load; nothing is written.
    OptionError : the folder cannot be written.
    """
    from provgrid_models.files import check_loaded, save_scenario, scenario_error
    from provgrid_models.importers.write import write_report, write_tables

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


def _print_bad_rows(bad: Any) -> None:
    """List the first bad rows, and count the rest."""
    for row in bad.head(SHOWN_BAD_ROWS).itertuples(index=False):
        print(f"  {row.file}:{row.line} column {row.column}: {row.problem} (found {row.found!r})")
    if len(bad) > SHOWN_BAD_ROWS:
        print(f"  and {len(bad) - SHOWN_BAD_ROWS:,} more")


def _options(kind: type[Any], given: Sequence[str], of: str) -> Any:
    """Build options from `name=value` texts; what is unknown or does not fit is an `OptionError`."""
    from pydantic import TypeAdapter, ValidationError

    known = sorted(f.name for f in fields(kind))
    values: dict[str, Any] = {}
    for text in given:
        name, equals, value = text.partition("=")
        if not equals:
            raise OptionError(f"option {text!r} has no value; write it as name=value")
        if name not in known:
            raise OptionError(f"{of} has no option {name}; it has {', '.join(known)}")
        values[name] = _mapping(name, value) if name == "region_map" else value
        if name == "qos":
            values[name] = tuple(value.split(","))
    try:
        return TypeAdapter(kind).validate_python(values)
    except ValidationError as error:
        first = error.errors()[0]
        raise OptionError(
            f"option {first['loc'][0]}={first['input']}: {first['msg'].lower()}; see provgrid import --help"
        ) from None


def _mapping(name: str, text: str) -> dict[str, str]:
    """Read `a:b,c:d` as a mapping."""
    pairs = [pair.partition(":") for pair in text.split(",")]
    if not all(colon for _, colon, _ in pairs):
        raise OptionError(f"option {name}={text} holds no pairs; write it as {name}=from:to,from:to")
    return {source: target for source, _, target in pairs}
