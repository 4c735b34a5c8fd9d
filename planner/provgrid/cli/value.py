"""`provgrid value`: what one more accelerator, Gbit/s or MW is worth, one hour of deadline, or a few ms of SLO."""

from __future__ import annotations

import math
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from provgrid.cli import completion
from provgrid.cli.console import Reporter, cannot_write, output, print_json, print_table
from provgrid_models.errors import OptionError
from provgrid_models.words import counted

if TYPE_CHECKING:
    from provgrid_optimizer.answers.value_result import Price, Value

MANY_POINTS = 1_000
RANGES = "from:to:step, such as 0:200:20, or one amount, such as 20"


def value(
    run: Annotated[
        Path,
        typer.Argument(help="Run folder that solve or demo has written.", autocompletion=completion.runs),
    ],
    of: Annotated[
        str | None,
        typer.Option(
            "--of",
            help="Pool, link or cluster; pool:NAME and so on where names are shared.",
            autocompletion=completion.ids_of("pools", "links", "clusters"),
        ),
    ] = None,
    deadline: Annotated[
        str | None, typer.Option(help="Instead: jobs whose deadline moves, an id pattern or column=value,... (hours).")
    ] = None,
    slo: Annotated[
        str | None, typer.Option(help="Instead: services whose SLO moves, an id pattern or column=value,... (ms).")
    ] = None,
    span: Annotated[
        str | None, typer.Option("--range", help="How much more to plan again: from:to:step, or one amount.")
    ] = None,
    engine: Annotated[
        str | None,
        typer.Option(
            help="What plans again; default: lp where it is one program, else heuristic.",
            autocompletion=completion.engines,
        ),
    ] = None,
    gap: Annotated[float | None, typer.Option(help="Stop each plan within this fraction of its bound.")] = None,
    time_limit: Annotated[float | None, typer.Option(help="Stop each plan after this many seconds.")] = None,
    passes: Annotated[int | None, typer.Option(help="Stop each plan after this many improvement passes.")] = None,
    threads: Annotated[int, typer.Option(help="Threads to use.")] = 2,
    seed: Annotated[int, typer.Option(help="Seed of all random choices.")] = 0,
    plot: Annotated[Path | None, typer.Option(help="Write the picture to this file, one HTML page.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print one record as JSON.")] = False,
) -> None:
    """Say what more of something is worth over the horizon: its price, how far that holds, and the curve."""
    from provgrid import api
    from provgrid_optimizer.options import SolveOptions

    more = None if span is None else parse_range(span)
    _check_asked_once(of, deadline, slo)
    if plot is not None and plot.suffix.lower() not in (".html", ".htm"):
        raise OptionError(f"--plot writes an HTML page, and {plot} is no name for one; give one that ends in .html")
    options = SolveOptions(gap=gap, time_limit_s=time_limit, passes=passes, threads=threads, seed=seed)
    with Reporter(time_limit_s=time_limit, passes=passes) as reporter:
        reporter.stage(f"reading {run}")
        plan = api.open(run)
        found = plan.value(
            of, deadline=deadline, slo=slo, more=more, engine=engine, options=options, on_progress=reporter
        )
    if plot is not None:
        _write_plot(found, plot)
    if as_json:
        print_json({"run": str(run), **found.to_dict()})
        return
    _print(found)
    if plot is not None:
        output().print(f"picture: {plot}")


def _check_asked_once(of: str | None, deadline: str | None, slo: str | None) -> None:
    """Raise `OptionError` where nothing was asked about, or several things."""
    asked = [f"--{name}" for name, one in (("of", of), ("deadline", deadline), ("slo", slo)) if one is not None]
    if len(asked) != 1:
        found = f"{' and '.join(asked)} are given together" if asked else "nothing is asked about"
        raise OptionError(f"{found}; give one of --of, --deadline and --slo")


def parse_range(text: str) -> list[float]:
    """Read "from:to:step", both ends included, or one amount. Raises `OptionError` at anything else."""
    try:
        numbers = [float(part) for part in text.split(":")]
    except ValueError:
        numbers = []
    if len(numbers) == 1 and math.isfinite(numbers[0]):
        return numbers
    if len(numbers) != 3 or not all(map(math.isfinite, numbers)):
        raise OptionError(f"the range is {text!r}; give {RANGES}")
    first, last, step = numbers
    if step <= 0:
        raise OptionError(f"the range {text} has a step of {step:g}; let it be above 0: {RANGES}")
    if last < first:
        raise OptionError(f"the range {text} goes down, from {first:g} to {last:g}; give the lower end first: {RANGES}")
    steps = math.floor((last - first) / step + 1e-9)
    if steps >= MANY_POINTS:
        raise OptionError(f"the range {text} has {steps + 1:,} points, each a plan; give at most {MANY_POINTS:,}")
    return [first + step * k for k in range(steps + 1)]


def _print(found: Value) -> None:
    """Print the price in words and the curve as a table."""
    say = output().print
    if found.kind in ("deadline", "slo"):
        say(f"{found.id}: {counted(found.members, 'job' if found.kind == 'deadline' else 'service')}")
    else:
        say(f"{found.id}: {found.present:,.6g} {found.unit} there now")
    if found.price is not None:
        _print_price(found.price, found.unit)
    elif found.kind not in ("deadline", "slo"):
        say("the relaxation is too large to be one program, so that it has no price here; the curve is planned")
    exact = all(point.low_yuan == point.high_yuan or found.engine == "lp" for point in found.points)
    left = [f"more {found.unit}"]
    right = ["by the price", "saved, yuan", *([] if exact else ["at least", "at most"])]
    rows = []
    for point in found.points:
        predicted = "" if found.price is None else _yuan(found.price.predicts(point.more))
        ends = [] if exact else [_yuan(point.low_yuan), _yuan(point.high_yuan)]
        rows.append([f"{point.more:,.6g}", predicted, _yuan(point.found_yuan), *ends])
    say("")
    print_table(left, right, rows)
    say(f"planned again by {found.engine}; positive yuan are saved over the horizon")
    if found.kind == "pool" and any(point.more > 0 and round(point.found_yuan, 2) < 0 for point in found.points):
        say("more can cost: accelerators that are added draw power when idle, which is paid for and counts against the")
        say("power that the cluster may draw, so that less of it may be left for work")
    if found.engine == "lp" and found.price is not None and found.price.basis == "fixed-lp":
        say("lp lets every job move and be divided, so that it may save more, or less, than the price at this plan")


def _print_price(price: Price, unit: str) -> None:
    """Say the price, its range and its basis."""
    say = output().print
    basis = "the relaxation" if price.basis == "lp" else "this plan's jobs kept where they are"
    to = "" if math.isinf(price.holds_to) else f" up to {price.holds_to:,.4g}"
    down = f"{abs(price.holds_from):,.4g}"
    if price.degenerate is None:
        say(f"one more {_saves(price.price_yuan, 'about ')} ({basis}; too large for the range that holds in)")
    elif price.degenerate:
        one_more, one_less = _saves(price.one_more_yuan), _saves(-price.one_less_yuan)
        more = f"each one more {one_more},{to or ' for any number'} more"
        less = f"each one less {one_less}, down to {down} less: the price is degenerate"
        say(f"{more if math.isfinite(price.one_more_yuan) else 'any more leaves no plan'} ({basis})")
        say(less if math.isfinite(price.one_less_yuan) else f"any less leaves no plan ({basis})")
    else:
        say(f"one more {_saves(price.price_yuan)} ({basis})")
        say(f"that holds from {down} less to{to.removeprefix(' up to') or ' any number'} more {unit}")
    if price.idle_yuan:
        say(f"{_yuan(price.idle_yuan)} yuan are taken off in that for the power that one more draws idle")


def _saves(yuan: float, about: str = "") -> str:
    """Say what is saved, or what it costs where that is negative; nothing is "saves 0.00"."""
    return f"{'costs' if round(yuan, 2) < 0 else 'saves'} {about}{_yuan(abs(yuan))} yuan"


def _yuan(number: float) -> str:
    if math.isinf(number):
        return "no plan" if number < 0 else "the plan"
    return "0.00" if round(number, 2) == 0 else f"{number:,.2f}"


def _write_plot(found: Value, path: Path) -> None:
    """Write the picture with everything that it needs in one file."""
    from provgrid.plot import figure
    from provgrid.report.figures.value import value as drawn

    picture = figure(drawn(found))
    try:
        path.write_text(picture.to_html(include_plotlyjs=True, full_html=True), encoding="utf-8")
    except OSError as error:
        raise cannot_write(path, error, "another file with --plot") from error
