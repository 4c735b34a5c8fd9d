"""Fronts by the epsilon-constraint method: the cheapest plan that keeps another objective within a limit.

cost, carbon    the limit is the carbon budget, a row of the program
cost, latency   the limit is on the largest share of its SLO that a service's metric takes; it closes pools

Both ends are lexicographic: the cheapest plan, and of all that cost as little the best in the other objective; and the
best in the other objective, as cheaply as that can be. Between them the limit goes down in equal steps (carbon), or
through the values at which a pool closes to a service (latency): between two of those nothing changes.

Every plan of a front serves all that the cheapest plan serves, or else the greenest would leave all work undone.

References
----------
G. Mavrotas, "Effective implementation of the epsilon-constraint method in multi-objective mathematical programming
problems", Applied Mathematics and Computation 213 (2009).
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from provgrid.sweeps.point import BUDGET_ROUNDING
from provgrid.sweeps.results import SAME, Front
from provgrid.sweeps.run import Maker
from provgrid_models.errors import InfeasibleError, NoPlanError, OptionError
from provgrid_models.files import load_scenario
from provgrid_optimizer.answers.latency import slo_shares

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from provgrid.sweeps.point import Point, Row
    from provgrid.sweeps.run import Task

FEWEST, MOST = 2, 10_000
NONE_SERVED = "no service is served; give the pools that services may use more capacity, or take cost,carbon"
STEP_ROUNDING = 1e-9  # relative: a pool that is just near enough stays open
OTHERS = {"carbon": "total_carbon_t", "latency": "slo_share"}  # the other objective's column


def front(task: Task, objectives: Sequence[str], points: int) -> Front:
    """Find plans between two objectives; see `provgrid.pareto`."""
    if len(objectives) != 2 or objectives[0] != "cost" or objectives[1] not in OTHERS:
        raise OptionError(f"objectives are {','.join(objectives)}; give cost,carbon or cost,latency")
    if not FEWEST <= points <= MOST:
        raise OptionError(f"points is {points}; give {FEWEST} (the two ends) to {MOST:,}")
    find = _carbon if objectives[1] == "carbon" else _latency
    with Maker(task) as maker:
        limits, rows = find(maker, task.point(), points)
    other = OTHERS[objectives[1]]
    return Front(
        scenario=task.scenario,
        engine=task.engine,
        objectives=(objectives[0], objectives[1]),
        other=other,
        limits=tuple(limits),
        rows=tuple(rows),
        efficient=efficient(rows, other),
        made=maker.made,
        asked_gap=task.options.gap,
    )


def efficient(rows: Sequence[Row], other: str) -> tuple[bool, ...]:
    """Mark the points that no other one beats in one objective without being worse in the other.

    What differs by less than 1e-6, relative, is the same. Of points that are the same in both the first one counts.
    """
    kept = []
    for number, row in enumerate(rows):
        mine = row.total_yuan, getattr(row, other)
        kept.append(
            row.has_plan
            and not any(
                _beats((one.total_yuan, getattr(one, other)), mine, earlier=k < number)
                for k, one in enumerate(rows)
                if k != number and one.has_plan
            )
        )
    return tuple(kept)


def _beats(one: tuple[float, float], other: tuple[float, float], *, earlier: bool) -> bool:
    room = [SAME * max(abs(value), 1e-9) for value in other]
    no_worse = all(a <= b + tolerance for a, b, tolerance in zip(one, other, room, strict=True))
    better = any(a < b - tolerance for a, b, tolerance in zip(one, other, room, strict=True))
    return no_worse and (better or earlier)


def _carbon(maker: Maker, base: Point, points: int) -> tuple[list[float], list[Row]]:
    """Hold CO2 to less and less."""
    (cheapest,) = maker.make([replace(base, goal="cost,carbon")])
    most = _of(cheapest, cheapest.total_carbon_t)
    kept = replace(base, keeps=True, left=cheapest.left)
    (greenest,) = maker.make([replace(kept, goal="carbon")])
    least = _of(greenest, greenest.total_carbon_t)
    limits = np.linspace(most, min(least, most), points)[1:-1]
    between = maker.make([_within(kept, float(tonnes)) for tonnes in limits])
    return [most, *limits.tolist(), least], [cheapest, *between, greenest]


def _within(point: Point, tonnes: float) -> Point:
    limit = f"limits.carbon_budget_t={tonnes * (1.0 + BUDGET_ROUNDING)!r}"
    return replace(point, overrides=(*point.overrides, limit))


def _latency(maker: Maker, base: Point, points: int) -> tuple[list[float], list[Row]]:
    """Hold every service to a smaller and smaller share of its SLO, from where all pools are near enough."""
    scenario = load_scenario(base.scenario, base.overrides)
    if not len(scenario.services) or not scenario.settings.switches.latency:
        raise OptionError(f"scenario {scenario.name} holds no service to an SLO; take cost,carbon")
    shares = slo_shares(scenario)
    steps = np.unique(shares[np.isfinite(shares)]) * (1.0 + STEP_ROUNDING)
    (loosest,) = maker.make([replace(base, slo_factor=float(steps[-1]))])
    _of(loosest, loosest.slo_share)

    def at(step: int) -> Point:
        return replace(base, slo_factor=float(steps[step]), keeps=True, left=loosest.left)

    def cost(step: int) -> float:
        (row,) = maker.make([at(step)])
        return row.total_yuan

    last = steps.size - 1
    tightest = _first(last, lambda step: cost(step) < np.inf)
    cheap = loosest.total_yuan + SAME * max(abs(loosest.total_yuan), 1.0)
    cheapest = _first(last, lambda step: cost(step) <= cheap)
    chosen = np.unique(np.linspace(tightest, max(cheapest, tightest), points).round().astype(int))[::-1]
    rows = maker.make([at(int(step)) for step in chosen])
    return [float(steps[step]) for step in chosen], rows


def _first(last: int, holds: Callable[[int], bool]) -> int:
    """Return the first of 0 .. last for which something holds that holds for all after it, and for the last."""
    low, high = 0, last
    while low < high:
        middle = (low + high) // 2
        low, high = (low, middle) if holds(middle) else (middle + 1, high)
    return low


def _of(end: Row, value: float | None) -> float:
    """Return a figure of an end, without which there is no front."""
    if not end.has_plan or value is None:
        error = NoPlanError if end.status == "no_plan" else InfeasibleError
        raise error(f"the front has no end: {end.reason or NONE_SERVED}")
    return value
