"""What more of something is worth, drawn: planned points with their interval, the price, and the range it holds in."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from provgrid_optimizer.answers.value_result import Price, Value

_PLANNED, _PRICED, _RANGE = "#1f5f8b", "#c8553d", "rgba(200, 85, 61, 0.12)"
_BEYOND = 0.1  # how far the picture goes beyond the points, as a part of them


def figure(value: Value) -> Any:
    """Return a plotly figure: yuan saved over how much more."""
    import plotly.graph_objects as go

    figure = go.Figure()
    points = [point for point in value.points if math.isfinite(point.found_yuan)]
    ends = [0.0, *(point.more for point in points)]
    room = _BEYOND * max(max(ends) - min(ends), 1e-9)
    first, last = min(ends) - room * (min(ends) < 0), max(ends) + room
    if value.price is not None:
        _draw_price(figure, value.price, first, last)
    here = [(0.0, 0.0, 0.0, 0.0)]
    curve = sorted(here + [(p.more, p.low_yuan, p.found_yuan, p.high_yuan) for p in points])
    figure.add_trace(
        go.Scatter(
            x=[more for more, *_ in curve],
            y=[found for _, _, found, _ in curve],
            error_y={
                "type": "data",
                "symmetric": False,
                "array": [high - found for _, _, found, high in curve],
                "arrayminus": [found - low for _, low, found, _ in curve],
            },
            mode="lines+markers",
            name=f"planned again ({value.engine})",
            line={"color": _PLANNED},
            hovertemplate="%{x:,.4g} more: %{y:,.2f} yuan<extra></extra>",
        )
    )
    figure.update_layout(
        template="plotly_white",
        title=_title(value),
        xaxis_title=f"more {value.unit}",
        yaxis_title="saved over the horizon, yuan",
        legend={"orientation": "h", "y": -0.2},
    )
    return figure


def _draw_price(figure: Any, price: Price, first: float, last: float) -> None:
    """Draw each side's price as a line, whole where it holds and dotted beyond, and shade the range."""
    import plotly.graph_objects as go

    if price.degenerate is None:
        line = {"color": _PRICED, "dash": "dot"}
        ends = [first, last]
        y = [price.predicts(at) for at in ends]
        figure.add_trace(go.Scatter(x=ends, y=y, mode="lines", line=line, name=f"price ({price.basis})"))
        return
    sides = [(0.0, last, price.holds_to, price.one_more_yuan), (0.0, first, price.holds_from, price.one_less_yuan)]
    held = [min(max(end, first), last) for end in (price.holds_from, price.holds_to)]
    figure.add_vrect(x0=held[0], x1=held[1], fillcolor=_RANGE, line_width=0, layer="below")
    shown = True
    for start, end, until, slope in sides:
        if not math.isfinite(slope) or start == end:
            continue
        until = min(max(until, first), last)
        for x, dash in (((start, until), "solid"), ((until, end), "dot")):
            if x[0] == x[1]:
                continue
            figure.add_trace(
                go.Scatter(
                    x=list(x),
                    y=[slope * at for at in x],
                    mode="lines",
                    line={"color": _PRICED, "dash": dash},
                    name=f"price ({price.basis}), dotted where it no longer holds",
                    legendgroup="price",
                    showlegend=shown,
                    hovertemplate=f"{slope:,.6g} yuan each<extra></extra>",
                )
            )
            shown = False


def _title(value: Value) -> str:
    if value.kind in ("deadline", "slo"):
        what, work = ("later deadlines", "jobs") if value.kind == "deadline" else ("looser SLOs", "services")
        return f"What {what} of {value.members:,} {work} save"
    return f"What more {value.unit} of {value.id} save: {value.present:,.6g} there now"
