"""`provgrid explain`: why work is where it is, what fills a cluster, and why hard work cannot be served."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from provgrid.cli import completion
from provgrid.cli.console import Reporter, output, print_json, print_table
from provgrid_models.errors import OptionError
from provgrid_models.words import counted

if TYPE_CHECKING:
    from collections.abc import Sequence

    from provgrid_optimizer.answers.binding import Binding
    from provgrid_optimizer.answers.conflict import Conflict
    from provgrid_optimizer.answers.explain import WorkExplanation
    from provgrid_optimizer.answers.explain_cluster import ClusterExplanation
    from provgrid_optimizer.answers.infeasible import Infeasibility

SHOWN = 12  # rows of a table
SMALLEST_YUAN = 0.005  # less is shown as 0.00
BASES = {
    "lp": "marginal prices of the relaxation",
    "fixed-lp": "marginal prices at this plan, its choices fixed",
    "dual": "prices of the bound",
}


def explain(
    what: Annotated[
        str,
        typer.Argument(help="Run folder; with --infeasible a scenario.", autocompletion=completion.runs_or_scenarios),
    ],
    job: Annotated[
        str | None, typer.Option(help="Why this job is where it is.", autocompletion=completion.ids_of("jobs"))
    ] = None,
    service: Annotated[
        str | None,
        typer.Option(help="Why this service is served where it is.", autocompletion=completion.ids_of("services")),
    ] = None,
    cluster: Annotated[
        str | None,
        typer.Option(
            help="What fills this cluster, and what would come next.", autocompletion=completion.ids_of("clusters")
        ),
    ] = None,
    verify: Annotated[
        bool, typer.Option("--verify", help="Solve for every figure too, and for what would serve unserved work.")
    ] = False,
    infeasible: Annotated[
        bool, typer.Option("--infeasible", help="Why a scenario's hard work cannot be served, and the smallest fix.")
    ] = False,
    overrides: Annotated[
        list[str] | None, typer.Option("--set", help="Override of the scenario, with --infeasible.")
    ] = None,
    time_limit: Annotated[
        float, typer.Option(help="Seconds for each search among whole jobs, with --infeasible.")
    ] = 30.0,
    threads: Annotated[int, typer.Option(help="Threads to use, with --infeasible.")] = 2,
    as_json: Annotated[bool, typer.Option("--json", help="Print the answer as JSON.")] = False,
) -> None:
    """Say why: of a run why a job, a service or a cluster's work is there; of a scenario why it is infeasible."""
    asked = [name for name, value in (("job", job), ("service", service), ("cluster", cluster)) if value is not None]
    if len(asked) + infeasible != 1:
        raise OptionError(
            "ask one thing at a time; give --job, --service or --cluster of a run, or --infeasible of a scenario"
        )
    if infeasible:
        if verify:
            raise OptionError("--verify goes with --job, --service and --cluster; --infeasible always verifies its fix")
        found = _infeasible(what, overrides or (), time_limit, threads)
        print_json(found.to_dict()) if as_json else _show_infeasible(found, _pasted(what, overrides or (), found))
        return
    if overrides:
        raise OptionError("--set goes with --infeasible; a run holds its own scenario")
    _explain_run(Path(what), asked[0], str(job or service or cluster), verify, as_json)


# A run ---------------------------------------------------------------------------------------------------------


def _explain_run(run: Path, kind: str, name: str, verify: bool, as_json: bool) -> None:
    from provgrid import api

    with Reporter() as reporter:
        reporter.stage(f"reading {run}")
        explanations = api.open(run).explain
        reporter.stage(f"explaining {kind} {name}")
        if kind == "cluster":
            cluster = explanations.cluster(name, verify=verify)
        else:
            work = (explanations.job if kind == "job" else explanations.service)(name, verify=verify)
    if kind == "cluster":
        print_json(cluster.to_dict()) if as_json else _show_cluster(cluster)
    else:
        print_json(work.to_dict()) if as_json else _show_work(work)


def _show_work(found: WorkExplanation) -> None:
    say = output().print
    say(found.text)
    say(f"extra cost of moving all of it, yuan, at {BASES[found.basis]}{_solved(found.verified)}")
    rows = []
    for one in found.candidates[:SHOWN]:
        # A pool where it does not fit has no price worth showing.
        extra = "-" if one.extra_yuan is None or one.fits is False else _signed(one.extra_yuan)
        solved = "-" if one.verified_yuan is None else _signed(one.verified_yuan)
        share = f"{one.share:.1%}" if one.share else ""
        rows.append([one.pool or "(unserved)", one.text, share, extra] + [solved] * (found.verified is not None))
    print_table(["pool", ""], ["share", "at prices"] + ["solved"] * (found.verified is not None), rows)
    _more(len(found.candidates))
    shown = [one.extra_yuan for one in found.candidates[:SHOWN] if one.extra_yuan is not None and one.fits is not False]
    if found.verified is None and any(yuan < -SMALLEST_YUAN for yuan in shown):
        say("below 0: these prices do not prove that a move gains; ask --verify")
    _show_limits(found.binding)
    if found.unserved_share and found.verified is None:
        say("for what would serve the rest, ask with --verify")
    if found.unserved_share and found.verified is not None:
        if not found.remedies:
            say("no single change that was tried serves the rest")
            return
        say("single changes that serve all of it beside all that is served, each solved:")
        print_table(
            ["change"],
            ["cost, yuan"],
            [[one.text, _signed(one.extra_yuan)] for one in found.remedies[:SHOWN]],
        )
        _more(len(found.remedies))


def _show_limits(binding: Sequence[Binding]) -> None:
    say = output().print
    if not binding:
        say("no limit is reached")
        return
    say("limits that are reached:")
    for one in binding[:SHOWN]:
        price = f" · {one.price:,.4g} {one.unit}" if one.price else ""
        say(f"  {one.text}{price}")
    _more(len(binding))


def _show_cluster(found: ClusterExplanation) -> None:
    say = output().print
    say(found.text)
    rows = [[one.id, one.pool, f"{one.accelerator_h:,.0f}", f"{one.share:.1%}"] for one in found.filled[:SHOWN]]
    print_table(["work", "pool"], ["accelerator-hours", "share"], rows)
    _more(len(found.filled))
    _show_limits(found.binding)
    if not found.arrivals:
        say("no other work could come")
        return
    say(f"next to come: extra cost of moving there, yuan, at {BASES[found.basis]}{_solved(found.verified)}")
    rows = []
    for one in found.arrivals:
        solved = "no room" if one.verified_yuan is None else _signed(one.verified_yuan)
        rows.append([one.id, one.pool, _signed(one.extra_yuan)] + [solved] * (found.verified is not None))
    print_table(["work", "pool"], ["at prices"] + ["solved"] * (found.verified is not None), rows)


def _signed(yuan: float) -> str:
    """Amount with its sign, and without that of a rounding error."""
    return "+0.00" if abs(yuan) < SMALLEST_YUAN else f"{yuan:+,.2f}"


def _solved(verified: str | None) -> str:
    """Say what was solved for each pool."""
    if verified is None:
        return ""
    free = "all else free" if verified == "lp" else "all other choices fixed"
    return f", and by a solve with {free}"


def _more(count: int) -> None:
    if count > SHOWN:
        output().print(f"  and {count - SHOWN:,} more; see all with --json")


# A scenario ----------------------------------------------------------------------------------------------------


def _infeasible(scenario: str, overrides: Sequence[str], time_limit_s: float, threads: int) -> Infeasibility:
    from provgrid import api
    from provgrid_optimizer.answers.infeasible import explain_infeasible
    from provgrid_optimizer.options import SolveOptions

    options = SolveOptions(time_limit_s=time_limit_s, threads=threads)
    with Reporter() as reporter:
        reporter.stage(f"reading {scenario}")
        loaded = api.load(scenario, overrides)
        reporter.stage("looking for conflicts")
        return explain_infeasible(loaded, options)


def _pasted(scenario: str, overrides: Sequence[str], found: Infeasibility) -> str:
    """Return the fix as options of `solve`; "" where the scenario's own files do not hold what it changes.

    Work that a scenario draws has no row to set before it is drawn.
    """
    from provgrid_models.files import read_scenario

    fix = [change.override for change in found.fix]
    if not fix or read_scenario(scenario, [*overrides, *fix])[0] is None:
        return ""
    return " ".join(f"--set '{change}'" for change in fix)


def _show_infeasible(found: Infeasibility, pasted: str) -> None:
    say = output().print
    hard = f"{counted(found.hard_jobs, 'hard job')} and {counted(found.hard_services, 'hard service')}"
    if found.feasible:
        none = not (found.hard_jobs or found.hard_services)
        say(f"{found.scenario} is feasible: {'it has no hard work' if none else f'its {hard} can all be served'}")
        if found.whole in ("too many to try", "not known within the time limit"):
            say(f"when jobs may be divided over pools; whole jobs: {found.whole}")
        return
    if found.without_work:
        say(f"{found.scenario} is infeasible with no work at all: its idle accelerators alone break a limit")
        say(f"  {found.without_work}")
        return
    say(f"{found.scenario} is infeasible: not all of its {hard} can be served")
    for i, step in enumerate(found.steps, start=1):
        say("")
        say(f"conflict {i} of {len(found.steps)}; without any one of these there is none:")
        _show_conflict(step.conflict)
        if not step.changes:
            say("no single change that was tried ends it")
            continue
        say("single changes that end it, the smallest first:")
        rows = [[change.text, "" if change.share is None else f"{change.share:.1%}"] for change in step.changes[:SHOWN]]
        print_table(["change"], ["step"], rows)
        _more(len(step.changes))
    if found.fixed:
        say("")
        say(f"smallest fix, checked by a solve: {pasted or '; '.join(change.text for change in found.fix)}")


def _show_conflict(conflict: Conflict) -> None:
    say = output().print
    for work in conflict.work:
        say(f"  {work.text}")
        for shut in work.exclusions:
            say(f"      not in {shut.pool}: {shut.text}")
    for limit in conflict.limits:
        say(f"  {limit.text}")
    if not conflict.divisible:
        say("  divided over pools it would fit, whole it does not")
