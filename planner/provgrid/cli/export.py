"""`provgrid export`: a run in the formats that others read."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from provgrid import exits
from provgrid.cli import completion, console
from provgrid.cli.console import Reporter, cannot_write, check_writable, print_json
from provgrid_optimizer.exports.formats import DISPATCH, FORMATS, TABLES
from provgrid_optimizer.interrupts import CtrlCWaits

FOLDER = Path("exports")  # where exports go that are not named
ONLY_HELP = f"Write this alone, again for more: {', '.join((*TABLES, DISPATCH))}."


def export(
    run: Annotated[Path, typer.Argument(help="Run folder.", autocompletion=completion.runs)],
    to: Annotated[
        str,
        typer.Option(
            help="csv, parquet or xlsx: tables, hourly capacity curves and dispatch.json; "
            "mps: the program, for another solver.",
            autocompletion=completion.among(FORMATS),
        ),
    ] = "csv",
    only: Annotated[
        list[str] | None, typer.Option(help=ONLY_HELP, autocompletion=completion.among((*TABLES, DISPATCH)))
    ] = None,
    folder: Annotated[Path | None, typer.Option("-o", "--output", help="Folder; default: exports/<run>-<to>.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print one record as JSON.")] = False,
) -> int:
    """Write a plan for others to read and to act on: tables, capacity curves, ranked clusters for each job."""
    from provgrid import api
    from provgrid_optimizer.exports.write import check_asked
    from provgrid_optimizer.exports.write import export as export_plan
    from provgrid_optimizer.run_folder import check_free

    final = folder or FOLDER / f"{run.resolve().name}-{to}"
    check_asked(to, only or ())
    try:
        check_free(final)
    except OSError as error:
        raise cannot_write(final, error) from error
    check_writable(final)
    with Reporter() as reporter:
        reporter.stage(f"reading {run}")
        plan = api.open(run)
        reporter.stage(f"writing {to}")
        with CtrlCWaits() as interrupts:
            try:
                export_plan(plan, final, to=to, only=only or ())
            except OSError as error:
                raise cannot_write(final, error) from error
        console.session.written.append(final)
    files = sorted(path.name for path in final.iterdir())
    if as_json:
        print_json({"run": str(run), "to": to, "folder": str(final), "files": files})
    else:
        print(f"{final}: {', '.join(files)}")
    return exits.INTERRUPTED if interrupts.asked else exits.SOLVED
