"""`provgrid claims`: what the documents say, put to the test."""

from __future__ import annotations

import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from provgrid import exits
from provgrid.cli import console
from provgrid.cli.console import Reporter, cannot_write, check_writable, note, output, print_json
from provgrid.cli.solve import RUNS
from provgrid_models.errors import OptionError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from provgrid.experiments.declared import Claim
    from provgrid.experiments.plans import Experiment
    from provgrid.experiments.results import ClaimResult, Claims, TestResult

FOLDER = RUNS / "claims"


def claims(
    ids: Annotated[list[str] | None, typer.Argument(help="Claims to examine; default: all. Names: --list.")] = None,
    jobs: Annotated[int, typer.Option(help="Plans made at the same time, each on one core.")] = 2,
    national: Annotated[
        bool, typer.Option("--national", help="The headline claims on national, by the heuristic: minutes more.")
    ] = False,
    again: Annotated[bool, typer.Option("--again", help="Make plans anew that were made before.")] = False,
    page: Annotated[Path | None, typer.Option(help="Write the page of all claims to this file.")] = None,
    folder: Annotated[Path, typer.Option("--plans", help="Where plans are kept, so that a stopped run goes on.")] = (
        FOLDER
    ),
    names: Annotated[bool, typer.Option("--list", help="List the claims and examine nothing.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print the results as JSON.")] = False,
) -> int:
    """Compute a verdict on each claim, on three cost bases, from audited plans; a stopped run goes on."""
    from provgrid.experiments.catalogue import catalogue, chosen
    from provgrid.experiments.catalogue.national import on_national

    if names:
        _list(catalogue(), as_json=as_json)
        return exits.SOLVED
    if page is not None and ids:
        raise OptionError("--page shows all claims; leave their names away")
    picked = chosen(on_national() if national and page is None else catalogue(), ids or [])
    check_writable(folder, "another folder with --plans")
    results = _examine(picked, folder, jobs=jobs, again=again)
    if page is not None:
        headline = _examine(on_national(), folder, jobs=jobs, again=again) if national else None
        _write_page(page, results, headline)
    if as_json:
        print_json(results.to_dict())
    elif len(results.claims) == 1:
        _print_claim(results.claims[0])
    else:
        _print_overview(results)
    return exits.SOLVED


def _examine(picked: Sequence[Claim], folder: Path, *, jobs: int, again: bool) -> Claims:
    """Examine claims with a progress bar."""
    from provgrid.experiments.examine import examine, first_wave
    from provgrid.experiments.execute import missing
    from provgrid.experiments.store import Store
    from provgrid_optimizer.options import Progress

    store = Store(folder)
    first = first_wave(picked)
    if again:
        store.forget(first)
    todo, started, made = len(missing(first, store)), time.perf_counter(), 0
    if todo:
        console.session.written.append(folder)  # what there is after each plan, whenever Ctrl-C comes

    with Reporter(passes=max(todo, 1)) as reporter:

        def on_made(experiment: Experiment) -> None:
            nonlocal made
            made += 1
            more = f"{made}/{todo} plans" if made <= todo else f"{made - todo} plans where verdicts turn"
            reporter(Progress(time.perf_counter() - started, f"{more} ({experiment.scenario})", passes=made))

        reporter.stage(f"0/{todo} plans")
        return examine(picked, store, jobs=jobs, on_made=on_made)


def _write_page(path: Path, results: Claims, headline: Claims | None) -> None:
    from provgrid.experiments.page import page
    from provgrid_seeds.loader import assumption

    try:
        path.write_text(page(results, headline, assumption("platform_share_national").value), encoding="utf-8")
    except OSError as error:
        raise cannot_write(path, error, "another file with --page") from error
    note(f"written: {path}")


def _list(known: Sequence[Claim], *, as_json: bool) -> None:
    if as_json:
        print_json([{"id": one.id, "title": one.title, "tests": [test.id for test in one.tests]} for one in known])
        return
    for one in known:
        output().print(f"{one.id:<32}{one.title}")


def _print_overview(results: Claims) -> None:
    """Print one row for each test, and the claims that have none."""
    from provgrid.experiments import texts
    from provgrid.experiments.declared import BASES

    def row(first: str, cells: Sequence[str]) -> str:
        return f"{first:<26}" + "".join(f"{cell:<38}" for cell in cells).rstrip()

    screen = output()
    screen.print(row("", BASES))
    for claim in results.claims:
        screen.print(claim.title, style="bold")
        for test in claim.tests:
            found = {one.basis: texts.short(test, one) for one in test.by_basis}
            screen.print(row(f"  {test.id}", [found.get(basis, "-") for basis in BASES]))
        if not claim.tests:
            screen.print("  cannot be tested")
    screen.print("what each verdict rests on, its conditions and how to repeat it: provgrid claims ID")


def _print_claim(claim: ClaimResult) -> None:
    """Print everything on one claim."""
    from provgrid.experiments import texts

    screen = output()
    screen.print(claim.title, style="bold")
    screen.print(f"{claim.says} ({texts.source(claim)})")
    if claim.untestable:
        screen.print(f"cannot be tested: {claim.untestable}")
    for test in claim.tests:
        screen.print()
        screen.print(f"{test.id}: {test.question}", style="bold")
        screen.print(f"holds if: {test.limit}")
        screen.print(test.choice)
        _print_bases(test)


def _print_bases(test: TestResult) -> None:
    from provgrid.experiments import texts

    screen = output()
    for one in test.by_basis:
        screen.print(f"  {texts.BASIS_WORDS[one.basis]}: {one.words}", style="bold")
        for line in texts.computed(test, one):
            screen.print(f"    {line}")
        for each in one.sensitivities:
            screen.print(f"    {texts.sensitivity(test, each)}")
        screen.print(f"    {texts.evidence(one)}; again:")
        for plan in (one.a, one.b):
            if plan is not None:
                screen.print(f"      {plan.command}")
