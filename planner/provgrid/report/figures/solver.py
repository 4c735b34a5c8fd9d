"""Solver: how the best plan and the proven bound came together while the engine worked."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from provgrid.report.figures import theme as look
from provgrid.report.figures.canvas import LEGEND_BELOW, drawing
from provgrid.report.figures.names import Names
from provgrid.report.figures.scale import scale

if TYPE_CHECKING:
    from provgrid.report.figures.canvas import Drawing
    from provgrid_optimizer.plan import Plan

EARLIEST_S = 0.01  # where the axis of seconds begins


def solver_table(plan: Plan) -> pd.DataFrame:
    """Return what was known when: seconds, objective_yuan, bound_yuan (NaN before there is one), gap.

    Gap = (objective - bound) / max(|objective|, 1 yuan). The last row is the certificate; engines that keep no history
    have it alone.
    """
    certificate = plan.certificate
    rows = [*plan.history]
    last = max([plan.timings.solve_s, *(seconds for seconds, *_ in rows)])
    rows.append((last, certificate.objective_yuan, certificate.bound_yuan))
    table = pd.DataFrame(rows, columns=["seconds", "objective_yuan", "bound_yuan"]).replace([np.inf, -np.inf], np.nan)
    size = table["objective_yuan"].abs().clip(lower=1.0)
    return table.assign(gap=(table["objective_yuan"] - table["bound_yuan"]) / size)


def solver(plan: Plan, lang: str = "en", theme: str = "light") -> Drawing:
    """Draw objective and bound over time, and the gap below."""
    table, names = solver_table(plan), Names(plan, lang)
    say = names.say
    unit = scale(float(table["objective_yuan"].abs().max()), lang)
    seconds = np.maximum(table["seconds"].to_numpy(float), EARLIEST_S)
    alone = len(table) == 1
    shared: dict[str, Any] = {"type": "scatter", "x": seconds, "mode": "markers" if alone else "lines+markers"}
    best = shared | {
        "name": say("solver.objective"),
        "y": table["objective_yuan"].to_numpy(float) / unit.divisor,
        "line": {"color": look.BLUE, "width": 2.2, "shape": "hv"},
        "marker": {"symbol": "circle", "size": _last_only(table, 9), "color": look.BLUE},
        "hovertemplate": "%{y:,.5~g}",
    }
    bound = shared | {
        "name": say("solver.bound"),
        "y": table["bound_yuan"].to_numpy(float) / unit.divisor,
        "line": {"color": look.ORANGE, "width": 2.2, "shape": "hv", "dash": "dash"},
        "marker": {"symbol": "diamond-open", "size": _last_only(table, 13), "color": look.ORANGE, "line": {"width": 2}},
        "hovertemplate": "%{y:,.5~g}",
    }
    gap = shared | {
        "name": say("solver.gap"),
        "y": 100 * table["gap"].clip(lower=0.0).to_numpy(float),
        "yaxis": "y2",
        "line": {"color": look.GREEN, "width": 2.2, "shape": "hv", "dash": "dot"},
        "marker": {"symbol": "square", "size": _last_only(table, 8), "color": look.GREEN},
        "hovertemplate": "%{y:.2f} %",
    }
    asked = plan.options.gap
    goal = (
        []
        if asked is None
        else [
            {"type": "line", "xref": "paper", "x0": 0, "x1": 1, "yref": "y2", "y0": 100 * asked, "y1": 100 * asked}
            | {"line": {"width": 1.2, "dash": "dash"}}
        ]
    )
    span = [math.log10(seconds[0] * 0.8), math.log10(seconds[-1] * 1.15)]
    axis = {"type": "log", "range": span, "nticks": 5}  # 1, 2, 5 rather than every digit
    if alone:
        axis = {"type": "linear", "range": [0.0, 1.5 * seconds[-1]]}
    known = table[["objective_yuan", "bound_yuan"]].to_numpy(float) / unit.divisor
    low, high = float(np.nanmin(known)), float(np.nanmax(known))
    room = 0.06 * max(high - low, 0.5 * abs(high), 1e-9)
    widest = 100 * float(np.nan_to_num(table["gap"].to_numpy(float)).max())
    return drawing(
        [best, bound, gap],
        title=say("solver.title" if not plan.certificate.divisible else "solver.title_ideal"),
        answer=_answer(plan, names),
        theme=theme,
        layout={
            "height": 560,
            "hovermode": "x unified",
            "xaxis": {"title": {"text": say("solver.x" if alone else "solver.x_log")}, "anchor": "y2", **axis}
            | {"hoverformat": ".3~g", "tickformat": "~g"},
            "yaxis": {"domain": [0.36, 1], "title": {"text": say("solver.y", scale=unit.word)}, "tickformat": ",~r"}
            | {"range": [low - room, high + room]},
            "yaxis2": {"domain": [0, 0.28], "title": {"text": say("solver.y_gap")}}
            | {"range": [0, 1.08 * max(widest, 1.0)]},
            "legend": LEGEND_BELOW,
            "margin": {"b": 92},
            "shapes": goal,
        },
    )


def _last_only(table: pd.DataFrame, size: int) -> list[int]:
    """Mark the last point alone."""
    return [0] * (len(table) - 1) + [size]


def _answer(plan: Plan, names: Names) -> str:
    certificate, say, numbers = plan.certificate, names.say, names.numbers
    told = say(
        "solver.answer",
        engine=say.name("engines", plan.engine),
        cost=numbers.number(certificate.objective_yuan),
        seconds=numbers.number(plan.timings.solve_s),
    )
    if math.isfinite(certificate.bound_yuan):
        bound, gap = numbers.number(certificate.bound_yuan), numbers.percent(certificate.gap)
        told += say("solver.answer_bound", bound=bound, gap=gap)
    else:
        told += say("solver.answer_unbound")
    return told
