"""`provgrid study`: what an option of the planner is worth, by plans of both sides that each passed their audit."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from provgrid.cli import completion
from provgrid.cli.console import Reporter, output, print_json
from provgrid.cli.many_plans import Gap, Passes, ScenarioName, Seed, TimeLimit, never_served, share_left

if TYPE_CHECKING:
    from collections.abc import Callable

    from provgrid_optimizer.answers.worth import Worth

app = typer.Typer(
    help="What sharing, porting, efficiency, open data zones and looser SLOs are worth.", no_args_is_help=True
)

Engine = Annotated[
    str,
    typer.Option(help="Engine for every plan; lp compares relaxations, exactly.", autocompletion=completion.engines),
]
Threads = Annotated[int, typer.Option(help="Threads to use.")]
Overrides = Annotated[list[str] | None, typer.Option("--set", help="Override, e.g. prices.basis=full.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print one record as JSON.")]


@app.callback()
def study() -> None:
    """Say what sharing, porting, efficiency, open data zones and looser SLOs are worth."""


@app.command("pooling")
def pooling(
    scenario: ScenarioName,
    engine: Engine = "heuristic",
    gap: Gap = None,
    time_limit: TimeLimit = None,
    passes: Passes = None,
    threads: Threads = 2,
    seed: Seed = 0,
    overrides: Overrides = None,
    as_json: AsJson = False,
) -> None:
    """Pool all capacity, and hold it against tenants that each keep to their own."""
    from provgrid import studies

    found = _run(studies.pooling, scenario, overrides, engine, (gap, time_limit, passes, threads, seed))
    record = found.to_dict()
    if as_json:
        print_json({"study": "pooling", "scenario": scenario, **record})
        return
    say = output().print
    for name in ("siloed", "pooled"):
        side = record[name]
        layers = ", ".join(f"{tier.replace('_', ' ')} {share:.0%}" for tier, share in side["layers"].items())
        left = share_left(side["unserved_share"], side["never_served_yuan"])
        say(f"{name:<8}{side['objective_yuan']:>16,.0f} yuan · unserved {left} · {layers}")
    share = "" if record["saving_share"] is None else f", {record['saving_share']:.1%} less"
    before, after = record["common_work_siloed_yuan"], record["common_work_pooled_yuan"]
    say(f"the work that both serve costs {after:,.0f} instead of {before:,.0f} yuan{share}")
    _say_never_served([record[name]["never_served_yuan"] for name in ("siloed", "pooled")])


@app.command("ports")
def ports(
    scenario: ScenarioName,
    port: Annotated[list[str] | None, typer.Option(help="Candidate to try, family/chip; default: all.")] = None,
    engine: Engine = "heuristic",
    gap: Gap = None,
    time_limit: TimeLimit = None,
    passes: Passes = None,
    threads: Threads = 2,
    seed: Seed = 0,
    overrides: Overrides = None,
    as_json: AsJson = False,
) -> None:
    """Rank candidate ports by what each saves minus its share of cost, each by a plan of its own."""
    from provgrid import studies

    ranked = _run(studies.ports, scenario, overrides, engine, (gap, time_limit, passes, threads, seed), port or ())
    if as_json:
        print_json({"study": "ports", "scenario": scenario, "ports": [one.to_dict() for one in ranked]})
        return
    say = output().print
    say(f"{'port':<32}{'saves':>14}{'costs':>12}{'net':>14}  net at least, at most [yuan over the horizon]")
    for one in ranked:
        net = one.net
        say(
            f"{one.port:<32}{one.saved.found_yuan:>14,.0f}{one.cost_yuan:>12,.0f}{net.found_yuan:>14,.0f}"
            f"  {net.low_yuan:,.0f}, {net.high_yuan:,.0f}"
        )


@app.command("efficiency")
def efficiency(
    scenario: ScenarioName,
    percent: Annotated[float, typer.Option(help="How much more of each [%].")] = 10.0,
    engine: Engine = "heuristic",
    gap: Gap = None,
    time_limit: TimeLimit = None,
    passes: Passes = None,
    threads: Threads = 2,
    seed: Seed = 0,
    overrides: Overrides = None,
    as_json: AsJson = False,
) -> None:
    """Hold better software on every chip against more of every chip."""
    from provgrid import studies

    stops = (gap, time_limit, passes, threads, seed)
    found = _run(studies.efficiency, scenario, overrides, engine, stops, percent / 100.0)
    if as_json:
        print_json({"study": "efficiency", "scenario": scenario, **found.to_dict()})
        return
    say = output().print
    say(f"{percent:g} % more efficiency {_in_words(found.efficiency)}")
    say(f"{percent:g} % more of every pool {_in_words(found.chips)}")
    if found.chips_capital_yuan is not None:
        say(f"and takes {found.chips_capital_yuan:,.0f} yuan of capital over the horizon")


@app.command("zones")
def zones(
    scenario: ScenarioName,
    open_zones: Annotated[str, typer.Option("--open", help="Zones that come to count as one, e.g. guangdong,macao.")],
    engine: Engine = "heuristic",
    gap: Gap = None,
    time_limit: TimeLimit = None,
    passes: Passes = None,
    threads: Threads = 2,
    seed: Seed = 0,
    overrides: Overrides = None,
    as_json: AsJson = False,
) -> None:
    """Open data zones to each other, and say what that saves."""
    from provgrid import studies

    names = [name.strip() for name in open_zones.split(",") if name.strip()]
    found = _run(studies.zones, scenario, overrides, engine, (gap, time_limit, passes, threads, seed), names)
    if as_json:
        print_json({"study": "zones", "scenario": scenario, **found.to_dict()})
        return
    output().print(f"opening {', '.join(found.zones)} {_in_words(found.worth)}")


@app.command("ladder")
def ladder(
    scenario: ScenarioName,
    added_ms: Annotated[str, typer.Option("--ms", help="How much looser every SLO gets, step by step.")] = "",
    engine: Engine = "heuristic",
    gap: Gap = None,
    time_limit: TimeLimit = None,
    passes: Passes = None,
    threads: Threads = 2,
    seed: Seed = 0,
    overrides: Overrides = None,
    as_json: AsJson = False,
) -> None:
    """Relax every SLO step by step, and say what each step saves and how much work it sets free."""
    from provgrid import studies

    stops, steps = (gap, time_limit, passes, threads, seed), _milliseconds(added_ms)
    found = _run(studies.ladder, scenario, overrides, engine, stops, steps)
    if as_json:
        print_json({"study": "ladder", "scenario": scenario, **found.to_dict()})
        return
    say = output().print
    say(f"{'every SLO looser by':<20}{'cost, yuan':>16}{'saves, yuan':>16}{'unserved':>10}{'unlocked, acc.-h':>18}")
    for rung in found.table.itertuples():
        say(
            f"{f'{rung.added_ms:g} ms':<20}{rung.cost_yuan:>16,.0f}{rung.saved_yuan:>16,.0f}"
            f"{share_left(rung.unserved_share, rung.never_served_yuan):>10}{rung.unlocked_accelerator_h:>18,.0f}"
        )
    _say_never_served([rung.never_served_yuan for rung in found.rungs])


def _say_never_served(values_yuan: list[float]) -> None:
    """Print what stands beside the shares that are marked; nothing where none is."""
    if footnote := never_served(values_yuan):
        output().print(footnote)


def _milliseconds(text: str) -> tuple[float, ...]:
    """Read steps such as 5,10,20."""
    from provgrid_models.errors import OptionError

    try:
        return tuple(float(part) for part in text.split(",") if part.strip())
    except ValueError as error:
        raise OptionError(f"--ms {text} holds no list of numbers; give steps such as 5,10,20") from error


def _run(
    answer: Callable[..., Any],
    name: str,
    overrides: list[str] | None,
    engine: str,
    stops: tuple[float | None, float | None, int | None, int, int],
    *asked: Any,
) -> Any:
    """Load the scenario and let a study of `provgrid.studies` plan it; `asked` is what the study takes beside it."""
    from provgrid import api
    from provgrid.why import asking_why
    from provgrid_optimizer.solve import find_engine

    how: dict[str, Any] = dict(zip(("gap", "time_limit", "passes", "threads", "seed"), stops, strict=True))
    find_engine(engine)
    reporting = Reporter(time_limit_s=how["time_limit"], passes=how["passes"])
    with reporting as reporter, asking_why(name, overrides or ()):
        reporter.stage(f"reading {name}")
        return answer(api.load(name, overrides or ()), *asked, engine=engine, on_progress=reporter, **how)


def _in_words(worth: Worth) -> str:
    """Say what is saved, and between which ends it must lie; less than nothing saved is a cost."""
    costs = worth.found_yuan <= -0.5  # yuan are shown whole
    low, high = (-worth.high_yuan, -worth.low_yuan) if costs else (worth.low_yuan, worth.high_yuan)
    verb, more = ("costs", " more") if costs else ("saves", "")
    yuan = f"{abs(worth.found_yuan):,.0f} yuan{more}"
    return f"{verb} {yuan} over the horizon (surely between {low:,.0f} and {high:,.0f})"
