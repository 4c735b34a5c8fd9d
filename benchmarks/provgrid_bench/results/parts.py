"""What is measured for the results page, part by part, and the bar that each part is held against."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

from provgrid_bench.peers.ladder import PEERS

SEEDS, ONCE = range(5), range(1)  # the relaxation's optimum does not hang on a seed
Call = tuple[str, ...]  # arguments of a `provgrid bench` command that prints a list of records


@dataclass(frozen=True, kw_only=True)
class Bar:
    """Upper limits for the median over seeds, `bound_yuan` a lower one; None = none is set."""

    gap: float | None = None
    solve_s: float | None = None
    peak_gb: float | None = None
    objective_yuan: float | None = None
    bound_yuan: float | None = None


@dataclass(frozen=True, kw_only=True)
class GapBar:
    """Largest loss against the best known value, and seconds, for each problem of a file."""

    loss: float
    solve_s: float


@dataclass(frozen=True, kw_only=True)
class Part:
    """Calls whose records go into one table; `files` are read from the data folder and end each call."""

    name: str
    table: Literal["solves", "gap", "peers"]
    calls: tuple[Call, ...] = ()
    files: tuple[str, ...] = ()
    bar: Bar = field(default_factory=Bar)
    gap_bar: GapBar | None = None


def _scale(jobs: int, bar: Bar, *more: str, name: str = "", seeds: range = SEEDS) -> Part:
    return Part(
        name=f"scale-{jobs}{name}",
        table="solves",
        calls=tuple(("scale", f"--jobs={jobs}", f"--seed={seed}", *more) for seed in seeds),
        bar=bar,
    )


def _reference(jobs: int, services: int, bar: Bar, engine: str = "heuristic", seeds: range = SEEDS) -> Part:
    instance = (f"--jobs={jobs}", f"--services={services}", "--instance-seed=0")  # whose optimum is known
    calls = tuple(("reference", *instance, f"--seed={seed}", f"--engines={engine}") for seed in seeds)
    return Part(name=_named(f"reference-{jobs}", engine), table="solves", calls=calls, bar=bar)


def _named(name: str, engine: str) -> str:
    return name if engine == "heuristic" else f"{name}-{engine}"


def _scenario(name: str, bar: Bar, engine: str = "heuristic", seeds: range = SEEDS) -> Part:
    return Part(
        name=_named(name, engine),
        table="solves",
        calls=tuple(("scenario", name, f"--engines={engine}", f"--seed={seed}") for seed in seeds),
        bar=bar,
    )


def _gap(name: str, files: tuple[str, ...], bar: GapBar) -> Part:
    return Part(name=name, table="gap", calls=(("gap", f"--time-limit={bar.solve_s:g}"),), files=files, gap_bar=bar)


PARTS: tuple[Part, ...] = (
    _scale(1_000, Bar(gap=0.06, solve_s=10)),
    _scale(10_000, Bar(gap=0.02, solve_s=20)),
    _scale(100_000, Bar(gap=0.01, solve_s=60, peak_gb=2)),
    _scale(1_000_000, Bar(gap=0.005, solve_s=300, peak_gb=8)),
    _scale(10_000, Bar(gap=0.04, solve_s=40), "--rigid=0.5", name="-rigid"),
    _scenario("national", Bar(gap=0.01, solve_s=20)),
    _scenario("zhejiang", Bar()),
    _scenario("toy", Bar()),
    _reference(200, 20, Bar()),
    _reference(400, 40, Bar()),
    _reference(1_000, 40, Bar(gap=0.015, solve_s=10, objective_yuan=193_000, bound_yuan=190_160)),
    _reference(3_000, 40, Bar(gap=0.01, solve_s=15)),
    _reference(1_000, 40, Bar(gap=1e-6, solve_s=10), "lp", ONCE),
    _reference(3_000, 40, Bar(gap=1e-6, solve_s=60), "lp", ONCE),
    _scale(1_000, Bar(gap=1e-6), "--engines=lp", name="-lp", seeds=ONCE),
    _scale(10_000, Bar(gap=0.001, solve_s=600), "--engines=lp", "--time-limit=570", name="-lp", seeds=ONCE),
    _scenario("zhejiang", Bar(), "lp", ONCE),
    _scenario("toy", Bar(), "lp", ONCE),
    _gap("gap-small", tuple(f"gap{number}.txt" for number in range(1, 13)), GapBar(loss=0.0, solve_s=1)),
    _gap("gap-a", ("gapa.txt",), GapBar(loss=0.001, solve_s=10)),
    _gap("gap-b", ("gapb.txt",), GapBar(loss=0.001, solve_s=10)),
    _gap("gap-c", ("gapc.txt",), GapBar(loss=0.001, solve_s=10)),
    _gap("gap-d", ("gapd.txt",), GapBar(loss=0.0015, solve_s=10)),
    *(Part(name=f"peers-{peer}", table="peers") for peer in PEERS),
)
