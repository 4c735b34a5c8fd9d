"""Heat map of cluster and hour, with some cells outlined: the axes that utilisation and prices share."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from provgrid.report.figures import theme as look
from provgrid.report.figures.names import cut

if TYPE_CHECKING:
    from collections.abc import Sequence

    from provgrid.report.figures.canvas import Changes, Trace
    from provgrid.report.figures.when import When
    from provgrid_models.problem import Bools, Floats

ROW_PX, AROUND_PX = 24, 200
INSET = 0.4  # half of a frame's height, of a row's
NARROW_NAME = 15  # half-width characters of a name on a narrow screen


def heat_trace(values: Any, time: When, hover: str, **more: Any) -> Trace:
    """Heat map of values (rows, periods), the first row on top."""
    rows, periods = values.shape
    return {
        "type": "heatmap",
        "z": values,
        "x": time.x(np.arange(periods + 1)),
        "y": np.arange(rows, dtype=np.int16),
        "colorscale": look.CIVIDIS,
        "hoverongaps": False,
        "hovertemplate": hover,
        "ygap": 2,
        **more,
    }


def outline_traces(cells: Bools, time: When, name: str) -> list[Trace]:
    """Outline of the cells that are set: a dark line with a light one on it, which shows on every colour."""
    positions, y = outlines(cells)
    x = time.x(positions)
    shared = {"type": "scatter", "mode": "lines", "x": x, "y": y, "hoverinfo": "skip", "name": name}
    return [
        {**shared, "line": {"width": 3.0, "color": "#000000"}, "showlegend": False},
        {**shared, "line": {"width": 1.3, "color": "#ffffff"}, "showlegend": False},
    ]


def outlines(cells: Bools) -> tuple[Floats, Floats]:
    """Positions and rows of a frame inside each run of set cells of a row; NaN after each."""
    runs = np.array([(a, b, row) for row in range(cells.shape[0]) for a, b in _runs(cells[row])], dtype=np.float32)
    first, end, row = runs.reshape(-1, 3).T
    gap = np.full(first.size, np.nan, dtype=np.float32)
    x = np.stack([first, end, end, first, first, gap], axis=1).ravel()
    return x, np.stack([row - INSET, row - INSET, row + INSET, row + INSET, row - INSET, gap], axis=1).ravel()


def _runs(flags: Bools) -> list[tuple[int, int]]:
    """First and one past the last of each run of set flags."""
    turns = np.flatnonzero(np.diff(np.r_[False, flags, False].astype(np.int8)))
    return list(zip(turns[::2].tolist(), turns[1::2].tolist(), strict=True))


def heat_layout(rows: Sequence[str], time: When) -> dict[str, Any]:
    """Axes and height: one row for each cluster, the first on top."""
    return {
        "height": AROUND_PX + ROW_PX * len(rows),
        "xaxis": time.axis,
        "yaxis": {
            "tickmode": "array",
            "tickvals": list(range(len(rows))),
            "ticktext": list(rows),
            "range": [len(rows) - 0.45, -0.55],
            "showgrid": False,
            "zeroline": False,
            "ticks": "",
        },
        "margin": {"b": 60, "r": 90},
        "showlegend": False,
    }


def narrow_heat(rows: Sequence[str], outlined: bool = False) -> tuple[Changes, dict[int, Changes]]:
    """Return what changes on a narrow screen: the bar of colours lies below, names are cut, outlines are thin."""
    layout = {
        "height": AROUND_PX + 90 + ROW_PX * len(rows),
        "margin.b": 118,
        "xaxis.tickfont.size": 9,
        "yaxis.tickfont.size": 9,
        "yaxis.ticktext": [cut(name, NARROW_NAME) for name in rows],
    }
    bar = {
        "orientation": "h",
        "x": 0.5,
        "xanchor": "center",
        "y": -58 / (ROW_PX * len(rows)),
        "yanchor": "top",
        "thickness": 9,
        "title.side": "top",
        "title.font.size": 10,
        "tickfont.size": 9,
    }
    thin = {1: {"line.width": 1.5}, 2: {"line.width": 0.7}} if outlined else {}
    return layout, {0: {f"colorbar.{name}": value for name, value in bar.items()}, **thin}
