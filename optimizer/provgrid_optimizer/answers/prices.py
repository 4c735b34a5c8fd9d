"""Marginal prices at a plan as a long table: what one more of each limit is worth, hour by hour, and how surely.

| kind | price of | unit |
|---|---|---|
| accelerator | one more accelerator held in a pool for an hour, its power included | yuan per accelerator-hour held |
| capacity | one more accelerator that a pool could give in an hour | yuan per accelerator-hour of capacity |
| energy | one more kW of load at a cluster for an hour | yuan per kWh |
| supply_limit | one more kW that a supply block could give for an hour; of grid: the power limit | yuan per kWh |
| peak | the hour's part of the demand charge | yuan per kWh of grid power, on top |
| link | one more Gbit/s of a link for an hour | yuan per Gbit/s-hour |
| carbon_budget | one more kg of carbon budget | yuan per kg |
| after | one more share of a job that may be done, or started, ahead of its base | yuan per share of the job |

Each stands for the whole weight of its period, per real hour. `low` is what one less is worth and `high` what one more
costs where the price is of a load; where it is of a limit, `low` is what one more saves, `high` what one less costs.
Where they differ, the price is `degenerate`: neither says it all, and a small change decides which of them counts.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from provgrid_models.arguments import checked_texts
from provgrid_models.errors import OptionError
from provgrid_optimizer.answers.sensitivity import SAME_PRICE, may_differ, slopes
from provgrid_optimizer.audit.plan import block_names
from provgrid_optimizer.highs import LIMIT_TOLERANCE
from provgrid_optimizer.plan_tables import named, when

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from provgrid_models.problem import Bools, Floats, Ints, Problem
    from provgrid_optimizer.answers.fixed import Remaining
    from provgrid_optimizer.options import SolveOptions

KINDS = ("accelerator", "capacity", "energy", "supply_limit", "peak", "link", "carbon_budget", "after")
OF_LOADS = ("accelerator", "energy")  # a price of one more load is a cost; that of one more limit is a saving
_ROUNDING = 1e-12  # yuan


@dataclass(frozen=True, kw_only=True)
class _Part:
    """Prices of one kind: where they stand in the program, and of what."""

    kind: str
    unit: str
    ids: Sequence[str]
    period: Ints
    place: Ints  # columns, or rows, of the program
    is_column: bool
    hours: Floats  # real hours that each stands for

    @property
    def sign(self) -> float:
        """What turns a derivative of the cost into the price."""
        return 1.0 if self.kind in OF_LOADS else -1.0


def marginal_prices(
    left: Remaining, *, ranges: bool | Collection[str] = False, options: SolveOptions | None = None
) -> pd.DataFrame:
    """Return kind, id, period, time, price, unit, basis, degenerate, low, high; see the module.

    Parameters
    ----------
    left : what remains of a plan, solved; its `kind` is the basis.
    ranges : find the exact `low` and `high` of every price that may be degenerate, by two small programs each; of all
        kinds, or of those named. Without them, `degenerate` is False only where the price is the same in every optimal
        dual solution, and `low` and `high` are missing where it is True; with them it is True where they differ.

    Beyond `fixed.MANY_COLUMNS` there is no vertex, and `degenerate`, `low` and `high` are missing everywhere.
    """
    wanted = _kinds(ranges)
    marks = may_differ(left, options)
    parts = [part for part in _parts(left.problem, left) if part.place.size]
    frames = [_frame(left, part, marks, part.kind in wanted, options) for part in parts]
    return pd.concat(frames, ignore_index=True)


def _kinds(ranges: bool | Collection[str]) -> Sequence[str]:
    """Return the kinds of price that ranges are asked for, or raise `OptionError` where there is none such."""
    if isinstance(ranges, bool):
        return KINDS if ranges else ()
    named = checked_texts("ranges", ranges, 'give True, or a list of kinds such as ["link"]')
    for kind in named:
        if kind not in KINDS:
            raise OptionError(f"there is no price of the kind {kind!r}; choose among {', '.join(KINDS)}")
    return named


def _parts(problem: Problem, left: Remaining) -> list[_Part]:
    """Every kind, in the order of the table."""
    labels, rows, columns = problem.labels, left.program.rows, left.program.columns
    clusters = labels.clusters
    blocks = block_names(clusters, labels.blocks or [str(b) for b in range(problem.n_blocks)], problem.block_cluster)
    held, limited = columns["used"], columns["g"]
    capped = np.flatnonzero(np.isfinite(problem.block_limit_kw.ravel()))
    block, at = np.divmod(capped, problem.n_periods)
    budget = rows["carbon"]

    def of_rows(kind: str, unit: str, block: str, names: Sequence[str] | None, item: str) -> _Part:
        ids, period = rows[block].ids[item], rows[block].ids["period"]
        per_hour = np.ones(period.size) if kind == "after" else problem.hours[period]
        return _Part(
            kind=kind,
            unit=unit,
            ids=_texts(names, ids),
            period=period,
            place=rows[block].at,
            is_column=False,
            hours=per_hour,
        )

    return [
        of_rows("accelerator", "yuan per accelerator-hour held", "capacity", labels.pools, "pool"),
        _Part(
            kind="capacity",
            unit="yuan per accelerator-hour of capacity",
            ids=_texts(labels.pools, held.ids["pool"]),
            period=held.ids["period"],
            place=held.at,
            is_column=True,
            hours=problem.hours[held.ids["period"]],
        ),
        of_rows("energy", "yuan per kWh", "balance", clusters, "cluster"),
        _Part(
            kind="supply_limit",
            unit="yuan per kWh",
            ids=_texts(blocks, block),
            period=at,
            place=limited.first + capped,
            is_column=True,
            hours=problem.hours[at],
        ),
        of_rows("peak", "yuan per kWh of grid power, on top", "peak", clusters, "cluster"),
        of_rows("link", "yuan per Gbit/s-hour", "link", labels.links, "link"),
        _Part(
            kind="carbon_budget",
            unit="yuan per kg",
            ids=["all"] * budget.size,
            period=np.full(budget.size, -1),
            place=budget.at,
            is_column=False,
            hours=np.ones(budget.size),
        ),
        of_rows("after", "yuan per share of the job", "after", labels.jobs, "job"),
    ]


def _texts(names: Sequence[str] | None, ids: Ints) -> list[str]:
    return [str(name) for name in named(names, ids)]


def _frame(
    left: Remaining, part: _Part, marks: tuple[Bools, Bools] | None, ranges: bool, options: SolveOptions | None
) -> pd.DataFrame:
    """Table of one kind."""
    duals = np.minimum(left.reduced_costs[part.place], 0.0) if part.is_column else left.row_duals[part.place]
    price = part.sign * duals / part.hours
    price = np.where(np.abs(price) < _ROUNDING, 0.0, price)
    low, high, degenerate = np.full(price.size, np.nan), np.full(price.size, np.nan), None
    if marks is not None:
        degenerate = _at_limit(left, part) & marks[0 if part.is_column else 1][part.place]
        low, high = (np.where(degenerate, np.nan, price) for _ in range(2))
        if ranges:
            low[degenerate], high[degenerate] = _ends(left, part, np.flatnonzero(degenerate), options)
            degenerate = ~(high - low <= SAME_PRICE * np.maximum(1.0, np.abs(price)))
    calendar = when(left.problem, np.maximum(part.period, 0)) | {"period": part.period}
    frame = pd.DataFrame({"kind": part.kind, "id": part.ids, **calendar, "price": price, "unit": part.unit})
    if "time" in frame:
        frame["time"] = frame["time"].where(part.period >= 0)
    frame["basis"] = left.kind
    frame["degenerate"] = pd.array([None] * price.size if degenerate is None else degenerate, dtype="boolean")
    frame["low"], frame["high"] = low, high
    return frame


def _at_limit(left: Remaining, part: _Part) -> Bools:
    """Whether the limit binds; a limit with room has the price 0 and no other."""
    program = left.program
    if part.is_column:
        at, upper = left.x[part.place], program.column_upper[part.place]
    else:
        at, upper = program.activity(left.x)[part.place], program.row_upper[part.place]
    return np.asarray(upper - at <= LIMIT_TOLERANCE * np.maximum(1.0, np.abs(at)), dtype=np.bool_)


def _ends(left: Remaining, part: _Part, chosen: Ints, options: SolveOptions | None) -> tuple[Floats, Floats]:
    """Least and most that each chosen price may be."""
    places = part.place[chosen].tolist()
    of_columns, of_rows = slopes(left, places if part.is_column else [], [] if part.is_column else places, options)
    found = of_columns if part.is_column else of_rows
    ends = part.sign * np.array([found[place] for place in places]).reshape(-1, 2) / part.hours[chosen][:, None]
    return ends.min(axis=1) + 0.0, ends.max(axis=1) + 0.0
