"""`provgrid compare`: what differs between two plans, or what one saves against a policy and against staying home."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from provgrid.cli import completion
from provgrid.cli.console import Reporter, output, print_json, print_table
from provgrid_models.errors import OptionError

if TYPE_CHECKING:
    from collections.abc import Sequence

    import pandas as pd

    from provgrid_models.problem import Floats
    from provgrid_optimizer.answers.against import Against
    from provgrid_optimizer.answers.compare import Comparison
    from provgrid_optimizer.plan import Plan

MOST_LINES = 15  # of differences and of flows that are shown; --json has them all
Name = Annotated[
    str,
    typer.Argument(
        help="Run folder; or a scenario, which is then planned.", autocompletion=completion.runs_or_scenarios
    ),
]


def compare(
    before: Name,
    after: Annotated[
        str | None,
        typer.Argument(
            help="What to compare it with: another run folder, or a scenario.",
            autocompletion=completion.runs_or_scenarios,
        ),
    ] = (None),
    against: Annotated[
        str | None,
        typer.Option(
            help="Policy to hold the plan against: local, cheapest, greenest, overflow, siloed.",
            autocompletion=completion.policies,
        ),
    ] = None,
    engine: Annotated[
        str | None,
        typer.Option(
            help="Engine for what is planned here; default: as in the run, or heuristic.",
            autocompletion=completion.engines,
        ),
    ] = None,
    gap: Annotated[float | None, typer.Option(help="Stop each plan within this fraction of its bound.")] = None,
    time_limit: Annotated[float | None, typer.Option(help="Stop each plan after this many seconds.")] = None,
    passes: Annotated[int | None, typer.Option(help="Stop each plan after this many improvement passes.")] = None,
    seed: Annotated[int | None, typer.Option(help="Seed of all random choices.")] = None,
    overrides: Annotated[
        list[str] | None, typer.Option("--set", help="Override of the scenarios planned here.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print everything as JSON.")] = False,
) -> None:
    """Show what differs in the inputs, in the cost by component, and in who computes for whom."""
    if (after is None) == (against is None):
        raise OptionError("compare takes two plans, or one plan and --against POLICY; give one of the two")
    asked = {"engine": engine, "gap": gap, "time_limit": time_limit, "passes": passes, "seed": seed}
    with Reporter(time_limit_s=time_limit, passes=passes) as reporter:
        plans = _plans([before] if after is None else [before, after], asked, overrides or [], reporter)
        if against is not None:
            reporter.stage(f"planning with {against}, and with all work at home")
            held = plans[0].against(against)
    if against is not None:
        print_json(held.to_dict()) if as_json else _print_against(held)
        return
    found = plans[0].compare(plans[1])
    print_json(found.to_dict()) if as_json else _print(found)


def _plans(names: Sequence[str], asked: dict[str, Any], overrides: list[str], reporter: Reporter) -> list[Plan]:
    """Open the runs, then plan the scenarios as the first run was planned, where nothing else is asked."""
    from provgrid import api
    from provgrid.why import asking_why
    from provgrid_optimizer.solve import uninterrupted

    plans: dict[int, Plan] = {}
    for number, name in enumerate(names):
        if (Path(name) / "manifest.json").is_file():
            reporter.stage(f"reading {name}")
            plans[number] = api.open(name)
    if overrides and len(plans) == len(names):
        raise OptionError("--set changes what is planned here, and both plans are runs already; give a scenario")
    run = next(iter(plans.values()), None)
    known: dict[str, Any] = {}
    if run is not None:
        options = run.options
        known = {"engine": run.engine, "gap": options.gap, "time_limit": options.time_limit_s}
        known |= {"passes": options.passes, "seed": options.seed}
    how = known | {name: value for name, value in asked.items() if value is not None}
    for number, name in enumerate(names):
        if number not in plans:
            reporter.stage(f"planning {name}")
            scenario = api.load(name, overrides)
            with asking_why(name, overrides):
                plans[number] = uninterrupted(api.solve(scenario, policies=False, on_progress=reporter, **how))
    return [plans[number] for number in range(len(names))]


def _print(found: Comparison) -> None:
    from provgrid_optimizer.plan_tables import records

    say = output().print
    inputs, flows = found.inputs, found.flows
    say("inputs that differ" if len(inputs) else "the inputs are the same", style="bold")
    rows = records(inputs.head(MOST_LINES))
    for row in rows:
        place = " ".join(part for part in (row["where"], row["row"], row["column"]) if part)
        change = "" if row["kind"] in ("added", "removed") else f": {_text(row['before'])} -> {_text(row['after'])}"
        say(f"  {row['kind']:<8}{place}{change}")
    _print_more(inputs)
    say()
    _print_waterfall(found)
    say(_on_common_work(found))
    say()
    say("flows that changed, the largest first" if len(flows) else "no flow changed", style="bold")
    left, right = ("work", "tenant", "region", "cluster"), ("accelerator-h", "now", "change", "MWh change")
    if not len(flows):
        return
    print_table(
        left,
        right,
        [
            [
                *(str(row[name]) for name in left),
                f"{row['accelerator_h_before']:,.0f}",
                f"{row['accelerator_h_after']:,.0f}",
                _change(row["accelerator_h_change"], 4),
                _change(row["mwh_change"], 3),
            ]
            for row in flows.head(MOST_LINES).to_dict("records")
        ],
    )
    _print_more(flows)


def _print_waterfall(found: Comparison, before: str = "", after: str = "") -> None:
    """Print the waterfall with its sums, and what is left unserved."""
    table = found.waterfall
    amounts = [name for name in table.columns if name.endswith("_yuan")]
    shown = table[(table[amounts] != 0.0).any(axis=1)]
    rows = [[row["component"], *(_whole(row[name]) for name in amounts)] for row in shown.to_dict("records")]
    rows.append(["in all", *(_whole(table[name].sum()) for name in amounts)])
    engines = found.before.engine, found.after.engine
    names = [before or engines[0], after or engines[1]] if engines[0] != engines[1] or before else ["before", "after"]
    print_table(["yuan"], [*names, "on common work", "on other work", "unserved", "difference"], rows)
    if not _adds_up(shown[amounts].to_numpy(float)):
        output().print("rounded to whole yuan, so that rows and columns may add up to a little more or less")
    constant = [str(row["component"]) for row in shown.to_dict("records") if not row["in_objective"]]
    if constant:
        named = [f"{name}: work that no pool can serve" if name == "never_served" else name for name in constant]
        output().print(f"in all: constants too ({', '.join(named)}), which solve shows beside its cost")
    _print_left(found)


def _print_left(found: Comparison) -> None:
    """Print the shares that are left, and beside them work that no pool can serve, which is in neither share."""
    from provgrid_optimizer.answers.unserved import never_in_words

    plans = found.before, found.after
    before, after = (never_in_words(plan) or "none" for plan in plans)
    beside = ", of what some pool can serve" if any(plan.problem.never_served for plan in plans) else ""
    say = output().print
    say(f"unserved: {plans[0].unserved_share:.2%} before, {plans[1].unserved_share:.2%} after{beside}")
    if beside:
        say(f"work that no pool can serve, in neither share: {before} before, {after} after")


def _on_common_work(found: Comparison) -> str:
    """Say what is saved on the work that both plans serve, which is all that may be called a saving."""
    saving = found.saving
    if saving is None:
        return "one of the two is a relaxation: a bound and an ideal, its cost is no saving"
    if saving.plan_yuan == saving.baseline_yuan == 0:
        return "the two serve no work in common that costs anything"
    share = "" if saving.share is None else f", {abs(saving.share):.1%} {'less' if saving.share >= 0 else 'more'}"
    return f"the work that both serve costs {saving.plan_yuan:,.0f} instead of {_yuan(saving.baseline_yuan)}{share}"


def _print_against(held: Against) -> None:
    say, found = output().print, held.optimising_worth
    say(f"what optimising saves, against {held.policy.engine}", style="bold")
    say(_on_common_work(held.optimising))
    if found is None:
        say(f"with the value of unserved work, no plan can be more than {_yuan(held.most_yuan)} better")
    else:
        best = f"the best plan would be {_yuan(found.high_yuan)} better at most"
        say(f"with the value of unserved work, the plan is {_yuan(found.found_yuan)} better, and {best}")
    _print_waterfall(held.optimising)
    say()
    say("what moving work out of its own province saves", style="bold")
    moving, worth = held.moving, held.moving_worth
    if moving is None or worth is None:
        say(held.home_reason)
        return
    say(_on_common_work(moving))
    between = f"between the best plans it is from {worth.low_yuan:,.0f} to {_yuan(worth.high_yuan)}"
    say(f"with the value of unserved work, moving is worth {_yuan(worth.found_yuan)}; {between}")
    _print_waterfall(moving, "at home", "free")


def _yuan(value: float) -> str:
    return f"{value:,.0f} yuan"


def _change(value: float, digits: int) -> str:
    """Difference with its sign, to so many digits, never as a power of ten; next to nothing is 0."""
    if abs(value) < 1e-4:
        return "0"
    return f"{value:+,.0f}" if abs(value) >= 10**digits else f"{value:+,.{digits}g}"


def _adds_up(yuan: Floats) -> bool:
    """Whether amounts that are shown in whole yuan add up as shown, (rows, AMOUNTS): across, and down to the sums."""
    import numpy as np

    whole = np.round(np.vstack([yuan, yuan.sum(axis=0)]))
    before, after, *parts, difference = whole.T
    across = (after - before == difference).all() and (sum(parts) == difference).all()
    return bool(across and (whole[:-1].sum(axis=0) == whole[-1]).all())


def _whole(value: float) -> str:
    """Amount without decimals, and without the sign of a rounding error."""
    text = f"{value:,.0f}"
    return "0" if text == "-0" else text


def _print_more(table: pd.DataFrame) -> None:
    if len(table) > MOST_LINES:
        output().print(f"  and {len(table) - MOST_LINES} more, see --json")


def _text(value: Any) -> str:
    return "none" if value is None else f"{value:g}" if isinstance(value, float) else str(value)
