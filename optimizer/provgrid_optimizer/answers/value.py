"""What one more accelerator, MW or Gbit/s is worth over the horizon: its price, how far that holds, and the curve.

A price alone misleads: it may hold for less than one unit, and one more may be worth less than one less costs. So the
price comes with the exact range that it holds in (`sensitivity`), and with the plan made again at other amounts.

All that is paid counts, constants too: the power that one more accelerator draws idle is taken off what it saves. What
it costs to buy is not. Positive yuan are saved.
"""

from __future__ import annotations

import math
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from provgrid_models.arguments import check_is, shown
from provgrid_models.errors import InfeasibleError, OptionError
from provgrid_optimizer.answers.changes import Change, change_of, change_of_class
from provgrid_optimizer.answers.fixed import is_one_program
from provgrid_optimizer.answers.holding import holds
from provgrid_optimizer.answers.relaxed import relaxed, savings
from provgrid_optimizer.answers.sensitivity import price, slope
from provgrid_optimizer.answers.value_result import Point, Price, Value
from provgrid_optimizer.answers.worth import Worth, worth
from provgrid_optimizer.engines.lp import MANY_COLUMNS, n_columns
from provgrid_optimizer.options import ignore_progress
from provgrid_optimizer.solve import find_engine, solve_to_its_end

if TYPE_CHECKING:
    from collections.abc import Sequence

    from provgrid_optimizer.answers.fixed import Remaining
    from provgrid_optimizer.options import OnProgress, SolveOptions
    from provgrid_optimizer.plan import Plan

PARTS = (0.05, 0.1, 0.25, 0.5, 1.0)  # of what is there, where no range is asked for
STEPS: dict[str, tuple[float, ...]] = {"deadline": (1.0,), "slo": (5.0,)}  # hours; ms


def value(
    plan: Plan,
    of: str | None = None,
    *,
    deadline: str | None = None,
    slo: str | None = None,
    more: Sequence[float] | None = None,
    engine: str | None = None,
    options: SolveOptions | None = None,
    on_progress: OnProgress = ignore_progress,
) -> Value:
    """Say what more of a pool, link or cluster is worth, or later deadlines, or looser SLOs; see `Plan.value`."""
    change = _asked(plan, of, deadline, slo)
    engine = engine or ("lp" if n_columns(plan.problem) <= MANY_COLUMNS else "heuristic")
    find_engine(engine)
    options = options or replace(plan.options, time_limit_s=None)
    amounts = _amounts(change, more)
    priced = change.index >= 0 and is_one_program(plan.problem, plan.allocation)
    return Value(
        kind=change.kind,
        id=change.id,
        unit=change.unit,
        present=change.present,
        members=change.members,
        price=price_of(plan.remaining, change) if priced else None,
        engine=engine,
        points=_curve(plan, change, amounts, engine, options, on_progress),
    )


def _asked(plan: Plan, of: str | None, deadline: str | None, slo: str | None) -> Change:
    """Find the one thing that was asked about."""
    given = [(name, what) for name, what in (("of", of), ("deadline", deadline), ("slo", slo)) if what is not None]
    if len(given) != 1:
        raise OptionError("a value is of one thing at a time; give one of the keywords of, deadline and slo")
    check_is(*given[0], str, "give a name or a pattern, as a text")
    if of is not None:
        return change_of(plan, of)
    if deadline is not None:
        return change_of_class(plan, "deadline", deadline)
    return change_of_class(plan, "slo", str(slo))


def _amounts(change: Change, more: Sequence[float] | None) -> list[float]:
    """Which amounts to plan again, ascending, 0 left out."""
    if more is None:
        parts = [float(f"{part * change.present:.3g}") for part in PARTS]
        if change.kind == "pool" and change.present > 1:
            parts = [float(round(part)) for part in parts]  # nobody buys a part of an accelerator
        more = STEPS.get(change.kind) or sorted({1.0, *parts} if change.present > 1 else {*parts} - {0.0} or {1.0})
    try:
        amounts = np.asarray(more, dtype=np.float64)
    except (TypeError, ValueError):
        amounts = np.array(None)
    if amounts.ndim != 1:
        raise OptionError(f"more is {shown(more)}, and no list of amounts; give one such as [10.0, 20.0]")
    if not np.isfinite(amounts).all():
        raise OptionError("an amount in the range is not a finite number; give each as a number")
    return sorted(set(amounts.tolist()) - {0.0})


def price_of(left: Remaining, change: Change) -> Price:
    """Price and range of the parameter that the change moves."""
    direction = change.direction(left)
    one_more = less = holds_from = holds_to = math.nan
    if left.vertex is not None:
        one_more, less = -slope(left, direction), slope(left, direction.reversed())
        holds_from, holds_to = holds(left, change, direction, one_more, less)
    return Price(
        basis=left.kind,
        price_yuan=-price(left, direction) + 0.0,
        one_more_yuan=one_more + 0.0,
        one_less_yuan=less + 0.0,
        holds_from=holds_from,
        holds_to=holds_to,
        idle_yuan=price(left, direction.of_loads(left)) + 0.0,
    )


def _curve(
    plan: Plan, change: Change, amounts: list[float], engine: str, options: SolveOptions, on_progress: OnProgress
) -> tuple[Point, ...]:
    """Plan again at every amount; work that is hard and has no plan there is worth -inf."""
    if not amounts:
        return ()
    if engine == "lp" and n_columns(plan.problem) <= MANY_COLUMNS:
        left = plan.remaining if plan.allocation.divisible else None
        before = relaxed(plan.problem, options, on_progress, left)
        saved = savings(before, change, amounts, options, on_progress)
    else:
        saved = _planned(plan, change, amounts, engine, options, on_progress)
    return tuple(Point.of(more, one) for more, one in zip(amounts, saved, strict=True))


def _planned(
    plan: Plan, change: Change, amounts: list[float], engine: str, options: SolveOptions, on_progress: OnProgress
) -> list[Worth]:
    """Worth of each amount by audited plans of an engine."""

    def planned(more: float) -> Plan:
        scenario, problem = change.scenario_at(more), change.problem_at(more)
        return solve_to_its_end(problem, engine, options, on_progress, scenario=scenario, with_policies=False)

    before, saved = plan if plan.engine == engine else planned(0.0), []
    for more in amounts:
        try:
            saved.append(worth(before, planned(more)))
        except InfeasibleError:
            saved.append(Worth(low_yuan=-math.inf, found_yuan=-math.inf, high_yuan=-math.inf))
    return saved
