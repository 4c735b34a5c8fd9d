"""The results page: everything on it is computed from the tables beside it."""

from __future__ import annotations

import statistics
from typing import TYPE_CHECKING

from provgrid_bench.peers.ladder import OURS, PEERS, Run, in_time
from provgrid_bench.reference import KNOWN_LP_OPTIMA
from provgrid_bench.results.drawing import Line, draw
from provgrid_bench.results.parts import PARTS, Part
from provgrid_bench.results.tables import read_table

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from provgrid_bench.results.tables import Row

PAGE, PICTURE = "README.md", "time.svg"
MANY_JOBS = 100_000  # from here on the time is held against that of one full pass
NAMES = {
    "pulp-cbc": "PuLP + CBC",
    "pulp-highs": "PuLP + HiGHS",
    "highs-simplex": "HiGHS, arrays, dual simplex",
    "highs-ipm": "HiGHS, arrays, interior point",
    "linopy-highs": "linopy + HiGHS",
    "pdlp": "OR-tools PDLP, arrays",
    "lp": "provgrid lp",
    "heuristic": "provgrid heuristic",
}
INTRODUCTION = """\
# What was measured

Made from the tables in this folder by `provgrid bench page`; `provgrid bench all` (or `make bench`) fills them, part by
part, and goes on where it was stopped. To measure anew, give it an empty folder with `--results`, or name parts with
`--only` and `--again`. Every row holds the command that made it and the load of the machine before it. Times are
seconds of the clock: `solve` is all from arrays to the plan with its bound, imports and Numba's compilation apart.
Each run is a process of its own, whose peak memory is its own.
"""


def make_page(folder: Path) -> dict[str, str]:
    """Return the files of the page, by name, from the tables of a folder."""
    solves, gap, peers = (read_table(folder, name) for name in ("solves", "gap", "peers"))
    sections = [INTRODUCTION, _machine(read_table(folder, "machine"), [*solves, *gap, *peers])]
    sections += [*_bars(solves), _worth(solves), _relaxation(solves), _gap(gap), _peers(peers)]
    return {PAGE: "\n".join(section for section in sections if section), PICTURE: _picture(solves, peers)}


def _table(headings: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Render a Markdown table, the first column to the left."""
    lines = [headings, ["---", *["--:"] * (len(headings) - 1)], *rows]
    return "".join(f"| {' | '.join(line)} |\n" for line in lines)


def _machine(machines: list[Row], rows: list[Row]) -> str:
    if not machines or not rows:
        return ""
    m = machines[0]
    days = sorted(str(row["measured"])[:10] for row in rows)
    most = max(row["load"] for row in rows)
    versions = ", ".join(f"{name} {m[name]}" for name in ("numpy", "numba", "highspy", "pulp"))
    return (
        f"Machine: {m['processor']}, {m['cores']} cores, {m['memory_gb']} GB, {m['system']}, Python {m['python']}, "
        f"{versions}. Measured from {days[0]} to {days[-1]}; load before a run at most {most:g}.\n"
    )


def _of(part: Part, rows: list[Row]) -> list[Row]:
    return [row for row in rows if row["part"] == part.name]


def _median(rows: list[Row], column: str) -> float | None:
    """Median of a column; None where a row has no value, for a median without it would flatter."""
    values = [row[column] for row in rows]
    return None if not values or any(value is None for value in values) else statistics.median(values)


def _held(value: float | None, bar: float | None, show: Callable[[float], str], least: bool = False) -> str:
    """Show a value against its bar, with a word where it misses it."""
    if value is None:
        return "–"
    if bar is None:
        return show(value)
    met = value >= bar if least else value <= bar
    return f"{show(value)} ({'≥' if least else '≤'} {show(bar)}{'' if met else ', **missed**'})"


def _percent(value: float | None) -> str:
    if value is None:
        return "–"
    if abs(value) < 1e-6:  # rounding, and the tolerance of solvers
        return "0 %"
    digits = 4 if abs(value) < 1e-5 else 3 if abs(value) < 0.001 else 2
    return f"{100 * value:.{digits}f} %"


def _seconds(value: float | None) -> str:
    return "–" if value is None else f"{value:.3g}" if value < 100 else f"{value:.0f}"


def _yuan(value: float) -> str:
    return f"{value:,.0f}"


def _bars(solves: list[Row]) -> list[str]:
    """Medians over seeds against the bars: the heuristic, and the relaxation."""
    plans = (
        "Medians over seeds; in brackets the bar. Gap: (cost − bound) / cost, of an audited plan and a proved bound."
    )
    ideal = "The same for the relaxation, by engine `lp`: what it found, and the bound that its prices prove."
    return [
        _bars_of("heuristic", f"## The heuristic against its bars\n\n{plans}", solves),
        _bars_of("lp", f"## The LP against its bars\n\n{ideal}", solves),
    ]


def _bars_of(engine: str, text: str, solves: list[Row]) -> str:
    rows = []
    for part in PARTS:
        runs = [row for row in _of(part, solves) if row["engine"] == engine]
        if not runs:
            continue
        bar, peak = part.bar, _median(runs, "peak_rss_mb")
        violations = sum(int(row["audit_violations"]) for row in runs)
        rows.append(
            [
                part.name,
                f"{len(runs)} of {len(part.calls)}",
                _held(_median(runs, "objective_yuan"), bar.objective_yuan, _yuan),
                _held(_median(runs, "bound_yuan"), bar.bound_yuan, _yuan, least=True),
                _held(_median(runs, "gap"), bar.gap, _percent),
                _percent(max((row["gap"] for row in runs if row["gap"] is not None), default=None)),
                _held(_median(runs, "solve_s"), bar.solve_s, _seconds),
                _held(None if peak is None else peak / 1e3, bar.peak_gb, lambda gb: f"{gb:.2g}"),
                str(violations),
            ]
        )
    if not rows:
        return ""
    headings = ["part", "runs", "cost, yuan", "bound, yuan", "gap", "worst gap", "solve, s", "peak, GB", "violations"]
    return f"{text}\n\n{_table(headings, rows)}"


def _worth(solves: list[Row]) -> str:
    """Show what the plan and its proof are worth, as medians."""
    rows = []
    for part in PARTS:
        runs = [row for row in _of(part, solves) if row["engine"] == "heuristic"]
        if not runs:
            continue
        many = runs[0]["jobs"] >= MANY_JOBS
        fractions = ("gap_jobs", "captured", "gap_energy_prices", "gap_cheapest", "unserved_share")
        times = ("audit_s", "pass_s")
        rows.append(
            [
                part.name,
                *(_percent(_median(runs, name)) for name in fractions),
                *(_seconds(_median(runs, name)) for name in times),
                _seconds(_median(runs, "solve_over_pass")) if many else "",
            ]
        )
    if not rows:
        return ""
    text = (
        "`gap, jobs`: the same distance over the cost of the training jobs alone. `captured`: the share of what the "
        "best policy leaves above the bound. `energy prices`: the gap of the same plan where the bound knows prices of "
        "energy alone, the best of the cheapest block, the dearest, and the plan's prices cut off at the dearest; what "
        "lies between is what scarcity prices prove. `cheapest`: the gap of policy `cheapest`. `pass`: one full pass "
        "over all jobs, services, pools and hours; from 100,000 jobs on, the whole solve in passes.\n"
    )
    headings = ["part", "gap, jobs", "captured", "energy prices", "cheapest", "unserved", "audit, s", "pass, s"]
    return f"## What the plan and its proof are worth\n\n{text}\n{_table([*headings, 'solve / pass'], rows)}"


def _relaxation(solves: list[Row]) -> str:
    """Bounds against the optimum of the relaxation, which an elastic bound cannot exceed."""
    optima = {"-".join(map(str, ("reference", *size))): optimum for size, optimum in KNOWN_LP_OPTIMA.items()}
    optima |= {row["instance"]: row["objective_yuan"] for row in solves if _is_optimum(row)}
    rows = []
    for instance, optimum in optima.items():
        bounds = [
            row["bound_yuan"]
            for row in solves
            if row["instance"] == instance
            and row["engine"] == "heuristic"
            and row["instance_seed"] in (None, 0)
            and row["bound_yuan"] is not None
        ]
        if bounds:
            below = [(optimum - bound) / max(abs(optimum), 1.0) for bound in bounds]
            rows.append(
                [
                    instance,
                    f"{optimum:,.2f}",
                    f"{statistics.median(bounds):,.2f}",
                    _held(statistics.median(below), 0.003, _percent),
                    _percent(max(below)),
                ]
            )
    if not rows:
        return ""
    headings = ["instance", "LP optimum, yuan", "bound, yuan", "below", "at worst"]
    return f"## The bound against the optimum of the relaxation\n\n{_table(headings, rows)}"


def _is_optimum(row: Row) -> bool:
    return row["engine"] == "lp" and row["gap"] is not None and row["gap"] <= 1e-6


def _gap(gap: list[Row]) -> str:
    """Generalised assignment: each part against its bar, then each problem of the larger files."""
    summary, single = [], []
    for part in PARTS:
        runs = _of(part, gap)
        if not runs or part.gap_bar is None:
            continue
        losses = [row["above_best_known"] for row in runs if row["above_best_known"] is not None]
        wrong = sum(1 for row in runs if row["audit_violations"] or row["bound"] is None)
        summary.append(
            [
                part.name,
                str(len(runs)),
                str(sum(1 for loss in losses if loss <= 0)),
                _held(max(losses, default=None), part.gap_bar.loss, _percent),
                _percent(max((row["gap"] for row in runs if row["gap"] is not None), default=None)),
                # A clock that is asked at 10 s says a little more.
                _held(max(row["solve_s"] for row in runs), 1.1 * part.gap_bar.solve_s, _seconds),
                str(wrong),
            ]
        )
        if len(part.files) == 1:
            single += [
                [
                    row["instance"],
                    f"{row['agents']:.0f} × {row['tasks']:.0f}",
                    *(
                        "–" if row[name] is None else f"{row[name]:,.10g}"
                        for name in ("objective", "best_known", "bound")
                    ),
                    _percent(row["above_best_known"]),
                    _percent(row["gap"]),
                    _seconds(row["solve_s"]),
                ]
                for row in runs
            ]
    if not summary:
        return ""
    headings = ["part", "problems", "at best known", "worst loss", "worst gap", "longest, s", "without proof"]
    more = ["problem", "size", "objective", "best known", "bound", "loss", "gap", "solve, s"]
    tables = f"{_table(headings, summary)}\n{_table(more, single)}" if single else _table(headings, summary)
    return f"## Generalised assignment, OR-Library\n\nLoss: distance to the best known value.\n\n{tables}"


def _peers(peers: list[Row]) -> str:
    """Each peer on the largest size that it finishes in time, and the heuristic on the same."""
    if not peers:
        return ""
    ours = {(row["peer"], row["instance"]): row for row in peers if row["peer"] in OURS and in_time(row)}
    rows = []
    for peer in PEERS:
        done = [row for row in peers if row["peer"] == peer and in_time(row)]
        if not done:
            tried = [row for row in peers if row["peer"] == peer]
            if tried:
                rows.append([NAMES[peer], f"none ({tried[0]['jobs']:,.0f}: {tried[0]['status']})", *["–"] * 9])
            continue
        best = max(done, key=lambda row: row["jobs"])
        rows.append(_peer_row(peer, best, [ours.get((engine, best["instance"])) for engine in OURS], peers))
    headings = ["peer", "largest size, jobs", "next size", "build, s", "solve, s", "peak, MB", "gap"]
    headings += [f"{engine} there, s (gap)" for engine in OURS]
    headings += [f"ratio to {engine}" for engine in OURS]
    limit_s = peers[0]["time_limit_s"]
    reference = Run(peer="heuristic", jobs=1)
    text = (
        f"The largest reference instance (jobs × {reference.pools} pools × {reference.hours} h, "
        f"{reference.services} services) that each finishes in {limit_s:g} s, build and solve together. All but the "
        "heuristic solve the divisible relaxation, `lp` to its optimum; the heuristic's plan is indivisible, and its "
        "gap is proved. The last columns are the time of provgrid's engines on that size, and the ratio to it. PDLP "
        "stops at a relative accuracy of 1e-4, with GLOP's presolve, without which it is far slower; its gap is the "
        "distance of its point, costed here, to its own dual objective. linopy's model is written by hand with whole "
        "arrays and handed to HiGHS in memory.\n"
    )
    return f"## Side by side\n\n{text}\n![time against size]({PICTURE})\n\n{_table(headings, rows)}"


def _peer_row(peer: str, best: Row, ours: Sequence[Row | None], peers: list[Row]) -> list[str]:
    """One line of the table of peers."""
    later = [row for row in peers if row["peer"] == peer and row["jobs"] > best["jobs"]]
    beyond = "–"
    if later:
        took = later[0]["total_s"] or later[0]["solve_s"]
        beyond = f"{later[0]['jobs']:,.0f}: {later[0]['status']}, {_seconds(took)} s"
    held = [None if row is None or row["peer"] == peer else row for row in ours]
    return [
        NAMES[peer],
        f"{best['jobs']:,.0f}",
        beyond,
        _seconds(best["build_s"]),
        _seconds(best["solve_s"]),
        "–" if best["peak_rss_mb"] is None else f"{best['peak_rss_mb']:,.0f}",
        _percent(best["gap"]),
        *("–" if row is None else f"{_seconds(row['total_s'])} ({_percent(row['gap'])})" for row in held),
        *("–" if row is None else f"{best['total_s'] / row['total_s']:,.3g} ×" for row in held),
    ]


def _picture(solves: list[Row], peers: list[Row]) -> str:
    """Draw time against jobs: each peer on the reference instance, the heuristic on the scale family too."""
    lines = []
    for peer in PEERS:
        points = sorted((row["jobs"], row["total_s"]) for row in peers if row["peer"] == peer and in_time(row))
        lines.append(Line(NAMES[peer], tuple(points), bold=peer in OURS))
    scale: dict[float, list[float]] = {}
    for row in solves:
        if row["instance"].startswith("scale-") and row["engine"] == "heuristic" and row["rigid_share"] == 0:
            scale.setdefault(row["jobs"], []).append(row["solve_s"])
    points = [(jobs, statistics.median(seconds)) for jobs, seconds in sorted(scale.items())]
    lines.append(Line("heuristic, scale family", tuple(points), bold=True))
    limit_s = peers[0]["time_limit_s"] if peers else 300.0
    return draw(lines, limit_s, "training jobs", "build and solve, s")
