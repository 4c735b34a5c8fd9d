"""Value of capacity: what more of something saves, by its price within the price's range, and planned again."""

from __future__ import annotations

import math
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
    from provgrid_optimizer.answers.value_result import Price, Value

BEYOND = 0.1  # how far the picture goes beyond the points, as a part of them


def value(found: Value, lang: str = "en", theme: str = "light") -> Drawing:
    """Draw the curve of a value."""
    say = texts(lang)
    numbers = Numbers(say.lang)
    table = found.table[np.isfinite(found.table["found_yuan"].to_numpy(float))]
    more = [0.0, *table["more"]]
    ends = min(more), max(more)
    room = BEYOND * max(ends[1] - ends[0], 1e-9)
    span = (ends[0] - room if ends[0] < 0 else 0.0, ends[1] + room)
    unit = scale(float(table["found_yuan"].abs().max()) if len(table) else 0.0, lang)
    traces = [_curve(found, say, unit.divisor)]
    if found.price is not None:
        traces += _tangent(found.price, span, say, unit.divisor)
    reach = span[1] - span[0]
    return drawing(
        traces,
        title=say(f"value.title_{found.kind if found.kind in ('deadline', 'slo') else 'more'}", name=found.id),
        answer=_answer(found, say, numbers),
        theme=theme,
        layout={
            "height": 500,
            "xaxis": {"title": {"text": say("value.x", unit=_unit(found, say))}, "zeroline": True}
            | {"range": [span[0] - 0.02 * reach, span[1]]},
            "yaxis": {"title": {"text": say("value.y", scale=unit.word)}, "tickformat": ",~r"},
            "legend": LEGEND_BELOW,
            "margin": {"b": 100},
            "shapes": _range(found.price, span),
        },
        narrow={"margin.b": 130},
    )


def _unit(found: Value, say: Texts) -> str:
    return say.name("value_unit", found.kind)


def _curve(found: Value, say: Texts, divisor: float) -> Trace:
    """Points planned again, each with the interval that plans and bounds leave open."""
    table = found.table[np.isfinite(found.table["found_yuan"].to_numpy(float))]
    rows = [(0.0, 0.0, 0.0, 0.0), *table[["more", "low_yuan", "found_yuan", "high_yuan"]].itertuples(index=False)]
    more, low, yuan, high = np.array(sorted(rows), dtype=np.float64).T
    return {
        "type": "scatter",
        "mode": "lines+markers",
        "x": more,
        "y": yuan / divisor,
        "error_y": {"type": "data", "symmetric": False, "thickness": 1.2, "width": 4}
        | {"array": (high - yuan) / divisor, "arrayminus": (yuan - low) / divisor},
        "name": say("value.planned", engine=say.name("engines", found.engine)),
        "line": {"color": look.BLUE, "width": 2},
        "marker": {"symbol": "circle", "size": 9, "color": look.BLUE},
        "hovertemplate": "%{x:+,.4~g}: %{y:,.4~g}<extra></extra>",
    }


def _tangent(price: Price, span: tuple[float, float], say: Texts, divisor: float) -> list[Trace]:
    """Each side's price: whole where it holds, dotted beyond. A price without a range is dotted all over."""
    if price.degenerate is None:
        held = ((0.0, 0.0), (0.0, 0.0))
    else:
        held = ((max(price.holds_from, span[0]), 0.0), (0.0, min(price.holds_to, span[1])))
    whole = [part for part in held if part[0] < part[1]]
    beyond = [part for part in ((span[0], held[0][0]), (held[1][1], span[1])) if part[0] < part[1]]
    traces: list[Trace] = []
    for parts, dash, key in ((whole, "solid", "value.price"), (beyond, "dot", "value.beyond")):
        x = [at for part in parts for at in (*part, math.nan) if not math.isinf(price.predicts(part[0] + part[1]))]
        if x:
            y = [math.nan if math.isnan(at) else price.predicts(at) / divisor for at in x]
            line = {"color": look.VERMILLION, "width": 2.2, "dash": dash}
            traces.append(
                {
                    "type": "scatter",
                    "mode": "lines",
                    "x": x,
                    "y": y,
                    "line": line,
                    "name": say(key),
                    "hoverinfo": "skip",
                }
            )
    return traces


def _range(price: Price | None, span: tuple[float, float]) -> list[dict[str, object]]:
    """Shade where the price holds."""
    if price is None or price.degenerate is None:
        return []
    x0, x1 = max(price.holds_from, span[0]), min(price.holds_to, span[1])
    fill = {"fillcolor": look.see_through(look.VERMILLION, 0.1), "line": {"width": 0}, "layer": "below"}
    return [{"type": "rect", "xref": "x", "x0": x0, "x1": x1, "yref": "paper", "y0": 0, "y1": 1, **fill}]


def _answer(found: Value, say: Texts, numbers: Numbers) -> str:
    """Say the price and how far it holds, and what the largest step that was planned saves."""
    told = ""
    price = found.price
    if price is not None:
        holds = say("value.holds_unknown")
        if price.degenerate is not None:
            holds = (
                say("value.holds_always")
                if math.isinf(price.holds_to)
                else say("value.holds", to=numbers.number(price.holds_to))
            )
        one = price.price_yuan if price.degenerate is None else price.one_more_yuan
        told = say("value.answer" if one >= 0 else "value.answer_costs", yuan=numbers.number(abs(one))) + holds
    table = found.table[np.isfinite(found.table["found_yuan"].to_numpy(float))]
    if not len(table):
        return told
    more, yuan = (float(table[name].iloc[-1]) for name in ("more", "found_yuan"))
    key = "value.answer_planned" if yuan >= 0 else "value.answer_planned_costs"
    return told + say(key, more=numbers.number(more), unit=_unit(found, say), yuan=numbers.number(abs(yuan)))
