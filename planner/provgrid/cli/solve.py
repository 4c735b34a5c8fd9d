"""`provgrid solve`: one scenario, one engine, one run folder."""

from __future__ import annotations

import shlex
import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from provgrid import exits
from provgrid.cli import completion, console
from provgrid.cli.console import FIRST_USE, Reporter, cannot_write, check_writable, note, output, print_json
from provgrid.cli.report import write_beside
from provgrid.why import asking_why
from provgrid_models.errors import OptionError
from provgrid_optimizer.interrupts import CtrlCWaits

if TYPE_CHECKING:
    from collections.abc import Sequence

    from provgrid.draws import Task
    from provgrid.spread import Uncertainty
    from provgrid_optimizer.plan import Plan

DRAWS, JOBS = 50, 2  # of --uncertain
RUNS = Path("runs")  # where runs go that are not named
SHOWN_LEFT = 3  # jobs and services that are left, by name


def solve(
    scenario: Annotated[
        str,
        typer.Argument(
            help="Folder of a scenario, or a built-in one: toy, zhejiang, national-lite, national.",
            autocompletion=completion.scenarios,
        ),
    ],
    engine: Annotated[
        str,
        typer.Option(
            help="heuristic, lp (the relaxation), milp, pulp-cbc, pulp-highs; "
            "or a policy: local, cheapest, greenest, overflow, siloed.",
            autocompletion=completion.engines,
        ),
    ] = "heuristic",
    gap: Annotated[float | None, typer.Option(help="Stop within this fraction of the bound, e.g. 0.01.")] = None,
    time_limit: Annotated[float | None, typer.Option(help="Stop after this many seconds.")] = None,
    passes: Annotated[int | None, typer.Option(help="Stop after this many improvement passes.")] = None,
    threads: Annotated[int, typer.Option(help="Threads to use.")] = 2,
    seed: Annotated[int, typer.Option(help="Seed of all random choices.")] = 0,
    overrides: Annotated[
        list[str] | None, typer.Option("--set", help="Override, e.g. prices.carbon_price_yuan_per_t=80.")
    ] = None,
    run_folder: Annotated[
        Path | None, typer.Option("-o", "--output", help="Run folder; default: runs/<scenario>-<engine>-<n>.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print one record as JSON.")] = False,
    no_policies: Annotated[bool, typer.Option("--no-policies", help="Skip the policies, and with them captured.")] = (
        False
    ),
    uncertain: Annotated[
        bool, typer.Option("--uncertain", help="Also draw every assumed figure in its range, and show the spread.")
    ] = False,
    with_report: Annotated[bool, typer.Option("--report", help="Also write report.html into the run folder.")] = False,
    draws: Annotated[int | None, typer.Option(help=f"Draws of --uncertain; default: {DRAWS}.")] = None,
    jobs: Annotated[
        int | None, typer.Option(help=f"Processes of --uncertain, one thread each; default: {JOBS}.")
    ] = None,
) -> int:
    """Solve a scenario, prove how good the plan is, audit it, and write it as a run folder."""
    from provgrid import api
    from provgrid.draws import check_draws, task_of
    from provgrid.records import record
    from provgrid_optimizer.options import SolveOptions
    from provgrid_optimizer.solve import find_engine
    from provgrid_optimizer.solve import solve as solve_problem

    options = SolveOptions(gap=gap, time_limit_s=time_limit, passes=passes, threads=threads, seed=seed)
    _check_uncertain(uncertain, draws, jobs)
    draws, jobs = DRAWS if draws is None else draws, JOBS if jobs is None else jobs
    check_run_folder(run_folder)
    with Reporter(time_limit_s=time_limit, passes=passes) as reporter:
        reporter.stage("loading solvers")
        find_engine(engine)
        reporter.stage(f"reading {scenario}")
        started = time.perf_counter()
        loaded = api.load(scenario, overrides or ())
        task = None
        if uncertain:
            check_draws(draws, seed, jobs)
            task = task_of(scenario, overrides or (), engine, options, loaded)
        with asking_why(scenario, overrides or ()):
            reporter.stage("compiling")
            problem = api.compile(loaded)
            build_s = time.perf_counter() - started
            reporter.stage(f"solving with {engine} ({FIRST_USE})")
            plan = solve_problem(
                problem,
                engine,
                options,
                reporter,
                scenario=loaded,
                build_s=build_s,
                with_policies=not no_policies,
            )
        reporter.stage("writing the run")
        # A plan is there: from here on Ctrl-C waits until it is written.
        with CtrlCWaits() as interrupts:
            written = write(plan, run_folder)
            page = write_beside(plan, written) if with_report and not interrupts.asked else None
    spread = None
    interrupted = interrupts.asked or plan.certificate.status == "interrupted"
    if task is not None and not interrupted:
        spread = _uncertain(task, plan, draws, jobs)
    if as_json:
        print_json(record(plan, written) | ({} if spread is None else {"uncertain": spread.to_dict()}))
    else:
        output().print(plan.summary())
        _print_left(plan, written)
        _print_exact(plan, scenario, overrides or ())
        if spread is not None:
            output().print(spread.summary())
        output().print(f"run folder: {written}")
        if page is not None:
            output().print(f"report: {page}")
    code = exits.INTERRUPTED if interrupted else exits.exit_code(plan.certificate, gap)
    if code == exits.STOPPED:
        note(_why_stopped(plan, gap))
    return code


def _print_left(plan: Plan, run: Path) -> None:
    """Name the work that is left, the dearest first and why, and what compiling left out."""
    from provgrid_optimizer.answers.unserved import largest

    say = output().print
    shown = largest(plan, SHOWN_LEFT)
    if shown:
        count = len(plan.unserved)
        say(f"left unserved: {count:,} {'job or service' if count == 1 else 'jobs and services'}, the dearest first")
    for one in shown:
        part = "" if one.unserved_share > 0.9995 else f" {_part(one.unserved_share)} of it,"
        say(f"  {one.kind} {one.id}:{part} {one.unserved_yuan:,.0f} yuan; {one.reason}")
    if shown:
        say(f"  see why: provgrid explain {shlex.quote(str(run))} --{shown[0].kind} {shlex.quote(shown[0].id)}")
    for note_text in plan.problem.notes:
        say(f"note: {note_text}")


def _print_exact(plan: Plan, scenario: str, overrides: Sequence[str]) -> None:
    """Name the exact engine where the plan is far from proven, and small enough for it."""
    from provgrid_optimizer.answers.exactly import EXACT, worth_solving_exactly

    if worth_solving_exactly(plan):
        words = ["provgrid", "solve", scenario, *(word for one in overrides for word in ("--set", one))]
        output().print(f"for a better plan, or a proof of this one: {shlex.join(words)} {EXACT}")


def _part(share: float) -> str:
    """Share in per cent; what is left is never shown as nothing."""
    return "less than 0.1%" if share < 0.0005 else f"{share:.1%}"


def _uncertain(task: Task, plan: Plan, draws: int, jobs: int) -> Uncertainty:
    """Solve the scenario again with other figures, and show how far it has come."""
    from provgrid.draws import uncertain
    from provgrid_optimizer.options import Progress

    with Reporter(passes=draws) as reporter:
        return uncertain(
            task,
            draws=draws,
            seed=plan.options.seed,
            jobs=jobs,
            named=plan,
            on_progress=lambda done, total: reporter(Progress(0.0, f"draw {done} of {total}", passes=done)),
        )


def _check_uncertain(uncertain: bool, draws: int | None, jobs: int | None) -> None:
    """Raise `OptionError` where an option says how to draw and nothing is drawn."""
    for name, given in (("draws", draws), ("jobs", jobs)):
        if given is not None and not uncertain:
            raise OptionError(f"--{name} {given} says how --uncertain draws; add --uncertain, or leave it away")


def check_run_folder(run_folder: Path | None) -> None:
    """Raise `OptionError` where a run could not be written, or would overwrite something."""
    from provgrid_optimizer.run_folder import check_free

    if run_folder is None:
        check_writable(RUNS)
        return
    try:
        check_free(run_folder)
    except OSError as error:
        raise cannot_write(run_folder, error) from error
    check_writable(run_folder)


def write(plan: Plan, run_folder: Path | None) -> Path:
    """Write a plan under the name that was asked, or under the next free one in `runs/`."""
    from provgrid_optimizer.run_folder import next_run_folder
    from provgrid_optimizer.runs import save_plan

    name = plan.scenario.name if plan.scenario is not None else "problem"
    folder = run_folder or next_run_folder(RUNS, name, plan.engine)
    try:
        written = save_plan(plan, folder)
    except OSError as error:
        raise cannot_write(folder, error) from error
    console.session.written.append(written)
    return written


def _why_stopped(plan: Plan, asked_gap: float | None) -> str:
    """One line on a plan that is not what was asked for."""
    from provgrid_optimizer.engine import status_text

    certificate = plan.certificate
    cut_short = certificate.status in ("time_limit", "passes_reached")
    ended = status_text(certificate.status) if cut_short else f"{plan.engine} ended by itself"
    if asked_gap is None:
        return f"provgrid: {ended} at gap {certificate.gap:.2%}; the plan is written"
    advice = "give more time or passes" if cut_short else "try another engine or seed, more time changes nothing"
    return (
        f"provgrid: {ended} at gap {certificate.gap:.2%}, above the {asked_gap:.2%} that was asked; "
        f"the plan is written; for a better one {advice}"
    )
