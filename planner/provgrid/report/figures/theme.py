"""Colours, hatches and the two templates that all pictures share.

Palette: Okabe and Ito, Color Universal Design (2008), without black and yellow, which one of the two papers swallows.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import Any

from provgrid_models.errors import OptionError

BLUE, ORANGE, GREEN, VERMILLION, SKY, PURPLE = "#0072B2", "#E69F00", "#009E73", "#D55E00", "#56B4E9", "#CC79A7"
GREY, PALE = "#8a9099", "#b9bec6"
PALETTE = (BLUE, ORANGE, GREEN, PURPLE, SKY, VERMILLION, GREY, PALE)
HATCHES = ("", "/", ".", "x", "-", "\\", "|", "+")
DASHES = ("solid", "dash", "dot", "dashdot", "longdash", "longdashdot")
SYMBOLS = ("circle", "square", "diamond", "triangle-up", "x", "cross")
CIVIDIS = [[0.0, "#00224e"], [0.2, "#30466b"], [0.4, "#666870"], [0.6, "#948e77"], [0.8, "#c8b866"], [1.0, "#fee838"]]
# Every system has one of these, with Chinese characters too.
FONTS = (
    "Inter, 'Segoe UI', 'Noto Sans', 'Noto Sans SC', 'Noto Sans CJK SC', 'PingFang SC', 'Microsoft YaHei', sans-serif"
)
NARROW_PX = 640  # below which a picture takes its changes for a narrow screen


@dataclass(frozen=True)
class Theme:
    """Paper and ink."""

    name: str
    paper: str
    ink: str
    muted: str
    grid: str


THEMES = {
    "light": Theme("light", paper="#ffffff", ink="#1d2733", muted="#5b6774", grid="#e3e7ec"),
    "dark": Theme("dark", paper="#14191f", ink="#e6eaef", muted="#a3adb8", grid="#2f3842"),
}

# For a page that shows figures: the figure that plotly is to draw at a width [px]; a wide one as it is.
ADAPT_JS = """
function provgridAdapted(figure, width) {
  const narrow = (figure.layout.meta || {}).narrow;
  if (!narrow || width >= NARROW_PX) return figure;
  const copy = structuredClone(figure);
  const put = (target, path, value) => {
    const keys = path.split(".");
    const last = keys.pop();
    for (const key of keys) target = target[key] ??= {};
    target[last] = value;
  };
  for (const [path, value] of Object.entries(narrow.layout)) put(copy.layout, path, value);
  for (const [index, changes] of Object.entries(narrow.traces))
    for (const [path, value] of Object.entries(changes)) put(copy.data[index], path, value);
  return copy;
}
""".replace("NARROW_PX", str(NARROW_PX)).strip()


def theme(name: str) -> Theme:
    """Return a theme by name; `OptionError` where there is none."""
    if name not in THEMES:
        raise OptionError(f"no theme {name!r}; take light or dark")
    return THEMES[name]


@cache
def template(name: str) -> dict[str, Any]:
    """Return the plotly template of a theme: everything that is paper or ink."""
    look = theme(name)
    axis = {
        "gridcolor": look.grid,
        "linecolor": look.muted,
        "zerolinecolor": look.muted,
        "zerolinewidth": 1,
        "tickcolor": look.muted,
        "automargin": True,
        "title": {"standoff": 8, "font": {"size": 12, "color": look.muted}},
        "tickfont": {"size": 11, "color": look.muted},
    }
    return {
        "layout": {
            "font": {"family": FONTS, "size": 12, "color": look.ink},
            "paper_bgcolor": look.paper,
            "plot_bgcolor": look.paper,
            "colorway": list(PALETTE),
            "title": {
                "x": 0,
                "xanchor": "left",
                "xref": "container",
                "yref": "container",
                "yanchor": "top",
                "y": 1,
                "pad": {"l": 16, "t": 14},
                "font": {"size": 18},
                "subtitle": {"font": {"size": 12.5, "color": look.muted}},
            },
            "margin": {"l": 60, "r": 30, "t": 84, "b": 50},
            "hoverlabel": {"bgcolor": look.paper, "bordercolor": look.muted, "font": {"color": look.ink, "size": 12}},
            "legend": {"font": {"size": 11.5}, "title": {"font": {"size": 11.5, "color": look.muted}}},
            "xaxis": axis,
            "yaxis": axis,
            "annotationdefaults": {"arrowcolor": look.muted, "font": {"size": 11.5}},
            "shapedefaults": {"line": {"color": look.muted}},
            "updatemenudefaults": {"bgcolor": look.paper, "bordercolor": look.muted},
        },
        "data": {
            "heatmap": [{"colorbar": {"outlinewidth": 0, "thickness": 14}}],
            "table": [{"cells": {"fill": {"color": look.paper}}}],
        },
    }


def hatch(shape: str, colour: str, size: int = 5) -> dict[str, Any]:
    """Return a pattern of white strokes on a colour."""
    strokes = {"shape": shape, "size": size, "solidity": 0.26, "fgcolor": "#ffffff"}
    return {**strokes, "bgcolor": colour, "fillmode": "overlay"}


def see_through(colour: str, opacity: float) -> str:
    """Return a colour that lets what is below it show."""
    red, green, blue = (int(colour[k : k + 2], 16) for k in (1, 3, 5))
    return f"rgba({red},{green},{blue},{opacity})"
