"""`provgrid report`: one HTML file on a run, or on several side by side."""

from __future__ import annotations

import gc
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from provgrid import exits
from provgrid.cli import completion
from provgrid.cli.console import Reporter, cannot_write, output, print_json

if TYPE_CHECKING:
    from collections.abc import Iterator

    from provgrid_optimizer.plan import Plan

NAME = "report.html"
NAMES = {"zh": "report.zh.html"}  # of other languages, so that none replaces the English one


def report(
    runs: Annotated[
        list[Path],
        typer.Argument(help="Run folders that solve or demo has written.", autocompletion=completion.runs),
    ],
    lang: Annotated[str, typer.Option(help="Language: en or zh.")] = "en",
    file: Annotated[
        Path | None,
        typer.Option(
            "-o",
            "--output",
            help=f"File to write, anew where it is there; default: {NAME}, or {NAMES['zh']}, "
            "in the (first) run folder.",
        ),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print where the report is, as JSON.")] = False,
) -> int:
    """Write a report that opens without a network: verdict, answers, pictures, tables, assumptions, manifest."""
    with _no_collection():
        return _write(runs, lang, file, as_json=as_json)


@contextmanager
def _no_collection() -> Iterator[None]:
    """Collect no cycles meanwhile: it takes a fifth of the time of a report, and its process ends with it."""
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            gc.enable()


def _write(runs: list[Path], lang: str, file: Path | None, *, as_json: bool) -> int:
    from provgrid.report.page import write_report
    from provgrid.report.subject import subject_of_run
    from provgrid.report.texts import language

    known = language(lang)
    target = file or runs[0] / NAMES.get(known, NAME)
    with Reporter() as reporter:
        subjects = []
        for run in runs:
            reporter.stage(f"reading {run}")
            subjects.append(subject_of_run(run))
        reporter.stage("writing the report")
        try:
            written = write_report(subjects, target, known)
        except OSError as error:
            raise cannot_write(target, error, "another file with -o") from error
    if as_json:
        print_json(
            {"report": str(written), "lang": known, "runs": [str(run) for run in runs], "bytes": written.stat().st_size}
        )
    else:
        output().print(f"report: {written}")
    return exits.SOLVED


def write_beside(plan: Plan, folder: Path) -> Path:
    """Write the report of a plan into the run folder that it was just saved in, with the audit of what stands there."""
    from provgrid.report.page import write_report
    from provgrid.report.subject import subject_of_saved
    from provgrid_optimizer.runs import passed_audit

    saved = replace(plan, audit=passed_audit(folder))
    try:
        return write_report([subject_of_saved(saved, folder)], folder / NAME, "en")
    except OSError as error:
        raise cannot_write(folder / NAME, error) from error
