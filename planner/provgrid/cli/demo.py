"""`provgrid demo`: a real province, solved by every engine that needs no patience, side by side."""

from __future__ import annotations

import math
import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from provgrid import exits
from provgrid.cli import console
from provgrid.cli.console import FIRST_USE, Reporter, note, output, print_json
from provgrid.cli.report import write_beside
from provgrid_models.errors import ProvgridError
from provgrid_models.words import counted
from provgrid_optimizer.interrupts import CtrlCWaits

if TYPE_CHECKING:
    from provgrid_models.problem import Problem
    from provgrid_models.scenario import Scenario
    from provgrid_optimizer.plan import Plan

SCENARIO = "zhejiang"
SHOWN = "heuristic"  # the plan that is kept


def demo(
    run_folder: Annotated[
        Path | None, typer.Option("-o", "--output", help="Run folder of the heuristic's plan; default: a new one.")
    ] = None,
    threads: Annotated[int, typer.Option(help="Threads to use.")] = 2,
    seed: Annotated[int, typer.Option(help="Seed of all random choices.")] = 0,
    with_report: Annotated[
        bool, typer.Option("--report/--no-report", help="Write report.html into the run folder.")
    ] = True,
    as_json: Annotated[bool, typer.Option("--json", help="Print a list of records as JSON.")] = False,
) -> int:
    """Solve Zhejiang with the relaxation, the heuristic and every policy, and keep the heuristic's plan."""
    from provgrid import api
    from provgrid.cli.solve import check_run_folder, write
    from provgrid.records import record
    from provgrid_optimizer.warm import compile_all

    check_run_folder(run_folder)
    with Reporter(lines=not as_json) as reporter:
        reporter.stage(f"loading kernels ({FIRST_USE})")
        compile_all()
        reporter.stage(f"reading {SCENARIO}")
        started = time.perf_counter()
        scenario = api.load(SCENARIO)
        problem = api.compile(scenario)
        build_s = time.perf_counter() - started
        plans = side_by_side(problem, scenario, reporter, threads=threads, seed=seed, build_s=build_s)
        reporter.stage("writing the run")
        with CtrlCWaits():
            written = write(plans[SHOWN], run_folder)
            page = write_beside(plans[SHOWN], written) if with_report and not console.session.interrupts else None
    if as_json:
        print_json([record(plan, written if name == SHOWN else None) for name, plan in plans.items()])
    else:
        _print_table(plans, scenario, written)
        if page is not None:
            output().print(f"report: {page} (Chinese: report RUN --lang zh)")
    return exits.INTERRUPTED if console.session.interrupts else exits.SOLVED


def side_by_side(
    problem: Problem, scenario: Scenario, reporter: Reporter, *, threads: int, seed: int, build_s: float
) -> dict[str, Plan]:
    """Solve one problem by the relaxation, the heuristic and every policy, nothing twice.

    The policies' bound is that of the heuristic's prices, and all plans are held against the same policies.
    A policy that finds no plan is left out, and said so. Ctrl-C ends the list where it is; once the heuristic's plan
    is there it is no error, but then nothing is held against policies of which some are missing.

    Raises
    ------
    KeyboardInterrupt : stopped before the heuristic had a plan.
    ProvgridError : the relaxation or the heuristic has no plan.
    """
    from provgrid_optimizer.options import SolveOptions
    from provgrid_optimizer.solve import POLICIES, Reference, held_against, solve

    options = SolveOptions(threads=threads, seed=seed)
    plans: dict[str, Plan] = {}
    reference = Reference()
    for number, name in enumerate(("lp", SHOWN, *POLICIES), start=1):
        reporter.stage(name, prefix=f"{number}/{len(POLICIES) + 2} {name}: ")
        try:
            plans[name] = solve(
                problem,
                name,
                options,
                reporter,
                scenario=scenario,
                build_s=build_s,
                reference=reference,
                with_policies=False,
            )
        except KeyboardInterrupt:
            if SHOWN not in plans:
                raise
            return plans
        except ProvgridError as error:
            if name not in POLICIES:
                raise
            if not console.session.interrupts:
                note(f"policy {name} has no plan: {error}")
        if console.session.interrupts:
            if SHOWN not in plans:
                raise KeyboardInterrupt
            return plans
        if name == SHOWN:
            reference = Reference(multipliers=plans[name].multipliers)
    costs = {name: plan.objective_yuan for name, plan in plans.items() if name in POLICIES}
    return {name: held_against(plan, costs) for name, plan in plans.items()}


def _print_table(plans: dict[str, Plan], scenario: Scenario, written: Path) -> None:
    """Print all plans in at most 15 lines."""
    from rich import box
    from rich.table import Table

    problem = plans[SHOWN].problem
    table = Table(box=box.SIMPLE_HEAD, show_edge=False, pad_edge=False, collapse_padding=True)
    table.add_column("engine", no_wrap=True)
    for heading in ("cost, yuan", "saving*", "unserved", "CO2, t", "gap", "captured", "s"):
        table.add_column(heading, justify="right", no_wrap=True)
    for name, plan in plans.items():
        table.add_row(
            "lp (the ideal)" if plan.certificate.divisible else name,
            f"{plan.objective_yuan:,.0f}",
            _saving(plan, plans.get("local")),
            f"{plan.unserved_share:.2%}",
            f"{plan.component_costs.carbon_kg / 1000:,.0f}",
            _percent(plan.certificate.gap),
            _percent(plan.certificate.captured),
            f"{plan.timings.solve_s:.1f}",
            style="bold" if name == SHOWN else None,
        )
    console = output()
    console.print(scenario.settings.title or scenario.name)
    console.print(
        f"{counted(problem.n_jobs, 'training job')}, {counted(problem.n_services, 'service')}, "
        f"{counted(problem.n_pools, 'pool')}, {problem.n_periods} h; every plan audited"
    )
    console.print(table)
    console.print("* against local, on the work that both serve; lp is a bound, so it saves nothing")
    if problem.never_served:
        yuan = f"{problem.never_served_yuan:,.0f} yuan of work"
        console.print(f"unserved: of what some pool can serve; no pool can serve {yuan}")
    console.print("captured: share of the best policy's excess over the bound that is gone; s: time")
    console.print(f"run folder: {written} (check it again: provgrid audit RUN)")


def _saving(plan: Plan, local: Plan | None) -> str:
    """Format the saving against `local`: a dash for the relaxation and where there is nothing to compare with."""
    from provgrid_optimizer.savings import saving

    if local is None or plan is local or plan.certificate.divisible:
        return "-"
    return _percent(saving(plan, local).share)


def _percent(share: float | None) -> str:
    return "-" if share is None or not math.isfinite(share) else f"{share:.2%}"
