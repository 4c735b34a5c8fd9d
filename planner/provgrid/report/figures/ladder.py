"""Latency ladder: what the plan costs as every SLO is relaxed, and how much work that sets free."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from provgrid.report.figures import theme as look
from provgrid.report.figures.canvas import LEGEND_BELOW, drawing
from provgrid.report.figures.scale import scale
from provgrid.report.numbers import Numbers
from provgrid.report.texts import texts

if TYPE_CHECKING:
    from provgrid.report.figures.canvas import Drawing, Trace
    from provgrid.report.texts import Texts
    from provgrid_optimizer.answers.ladder import Ladder


def ladder(found: Ladder, lang: str = "en", theme: str = "light") -> Drawing:
    """Draw a ladder: cost and bound above, unlocked work below, one step of the axis for each rung."""
    say, table = texts(lang), found.table
    numbers = Numbers(say.lang)
    cost_yuan, saved_yuan = table["cost_yuan"].to_list(), table["saved_yuan"].to_list()
    unit = scale(float(table["cost_yuan"].abs().max()), lang)
    hours = scale(float(table["unlocked_accelerator_h"].max()), lang)
    steps = [say("ladder.own") if ms == 0 else f"+{ms:g}" for ms in table["added_ms"]]
    cost, bound = (table[f"{name}_yuan"].to_numpy(float) / unit.divisor for name in ("cost", "bound"))
    bound = np.where(np.isfinite(bound), bound, np.nan)
    low, high = float(np.nanmin(np.r_[cost, bound])), float(cost.max())
    room = 0.15 * max(high - low, 0.01 * abs(high), 1e-9)
    traces: list[Trace] = [
        {
            "type": "scatter",
            "mode": "lines+markers+text",
            "x": steps,
            "y": cost,
            "name": say("ladder.cost_ideal" if found.divisible else "ladder.cost"),
            "text": [
                numbers.number(cost_yuan[0]),
                *(_less(yuan, numbers, say) for yuan in saved_yuan[1:]),
            ],
            "textposition": "top center",
            "cliponaxis": False,
            "line": {"color": look.BLUE, "width": 2.4, "shape": "hvh"},
            "marker": {"symbol": "circle", "size": 9, "color": look.BLUE},
            "hovertemplate": "%{x} ms: %{y:,.5~g}<extra></extra>",
        },
        {
            "type": "scatter",
            "mode": "lines+markers",
            "x": steps,
            "y": bound,
            "name": say("ladder.bound"),
            "line": {"color": look.ORANGE, "width": 2, "dash": "dash", "shape": "hvh"},
            "marker": {"symbol": "diamond-open", "size": 12, "color": look.ORANGE, "line": {"width": 2}},
            "hovertemplate": "%{x} ms: %{y:,.4~g}<extra></extra>",
        },
        {
            "type": "bar",
            "x": steps,
            "y": table["unlocked_accelerator_h"].to_numpy(float) / hours.divisor,
            "yaxis": "y2",
            "name": say("ladder.unlocked"),
            "width": 0.5,
            "marker": {"color": look.GREEN, "pattern": look.hatch("/", look.GREEN)},
            "hovertemplate": "%{x} ms: %{y:,.4~g}<extra></extra>",
        },
    ]
    best, last = float(table["saved_yuan"].iloc[-1]), float(table["added_ms"].iloc[-1])
    first = float(table["saved_yuan"].iloc[1]) if len(table) > 1 else 0.0
    return drawing(
        traces,
        title=say("ladder.title_ideal" if found.divisible else "ladder.title"),
        answer=say(
            "ladder.answer",
            first=numbers.number(first),
            first_ms=f"{table['added_ms'].iloc[min(1, len(table) - 1)]:g}",
            last=numbers.number(best),
            last_ms=f"{last:g}",
            share=numbers.percent(best / float(table["cost_yuan"].iloc[0]) if table["cost_yuan"].iloc[0] else 0.0),
        ),
        theme=theme,
        layout={
            "height": 540,
            "xaxis": {"type": "category", "title": {"text": say("ladder.x")}, "anchor": "y2", "showgrid": False},
            "yaxis": {
                "domain": [0.38, 1],
                "title": {"text": say("ladder.y", scale=unit.word)},
                "range": [low - room, high + 1.6 * room],
                "tickformat": ",~r",
            },
            "yaxis2": {"domain": [0, 0.27], "title": {"text": say("ladder.y_unlocked", scale=hours.word)}}
            | {"rangemode": "tozero", "tickformat": ",~r", "nticks": 4},
            "legend": LEGEND_BELOW,
            "margin": {"b": 92},
        },
        narrow={"margin.b": 130, "height": 560},
        narrow_traces={0: {"textfont.size": 8.5}},
    )


def _less(yuan: float, numbers: Numbers, say: Texts) -> str:
    """Write what a step takes off the cost, or adds to it; nothing has no sign."""
    text = numbers.number(abs(yuan))
    if text == "0":
        return text
    return say("ladder.saved", yuan=text) if yuan > 0 else f"+{text}"
