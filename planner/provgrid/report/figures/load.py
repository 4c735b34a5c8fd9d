"""Load: what runs at each cluster hour by hour, beside the price of its grid power and the share of renewables."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from provgrid.report.figures import theme as look
from provgrid.report.figures.canvas import LEGEND_BELOW, drawing
from provgrid.report.figures.names import Names, ids
from provgrid.report.figures.when import When, when
from provgrid.report.figures.work import by_cluster, work
from provgrid_models.errors import OptionError

if TYPE_CHECKING:
    from provgrid.report.figures.canvas import Drawing, Trace
    from provgrid_models.problem import Floats
    from provgrid_optimizer.plan import Plan

RENEWABLE = frozenset({"solar", "wind", "hydro"})
HEIGHT = 620


def load_table(plan: Plan) -> pd.DataFrame:
    """Return a row for each cluster, demand class and period with load: cluster, demand_class, period, accelerators."""
    found = work(plan).groupby(["cluster", "demand_class", "period"], observed=True)["accelerators"].sum()
    return found.reset_index().astype({"cluster": object, "demand_class": object})


def supply_table(plan: Plan) -> pd.DataFrame:
    """Return a row for each cluster and period.

    Columns: cluster, period, accelerators_usable, grid_yuan_per_kwh (NaN where there is no grid), power_kw (drawn, idle
    floor included), renewable_kw (from contracts for sun, wind and water; where the problem came without names of its
    blocks, from every contract).
    """
    problem = plan.problem
    blocks = ids(problem.labels.blocks, problem.n_blocks)
    renewable = ~problem.block_is_grid
    if problem.labels.blocks is not None:
        renewable &= np.array([name in RENEWABLE for name in blocks])
    drawn = plan.energy["power_kw"].to_numpy(float).reshape(problem.n_blocks, problem.n_periods)
    shape = (problem.n_clusters, problem.n_periods)
    power, green, price = np.zeros(shape), np.zeros(shape), np.full(shape, np.inf)
    np.add.at(power, problem.block_cluster, drawn)
    np.add.at(green, problem.block_cluster[renewable], drawn[renewable])
    grid = problem.block_is_grid
    np.minimum.at(price, problem.block_cluster[grid], problem.block_yuan_per_kwh[grid])
    names = np.array(ids(problem.labels.clusters, problem.n_clusters), dtype=object)
    return pd.DataFrame(
        {
            "cluster": np.repeat(names, problem.n_periods),
            "period": np.tile(np.arange(problem.n_periods), problem.n_clusters),
            "accelerators_usable": by_cluster(plan, problem.capacity).ravel(),
            "grid_yuan_per_kwh": np.where(np.isinf(price), np.nan, price).ravel(),
            "power_kw": power.ravel(),
            "renewable_kw": green.ravel(),
        }
    )


@dataclass(frozen=True)
class View:
    """What the picture shows of one cluster, or of all: classes (K, T), by period the lines, and a share of energy."""

    cluster: str | None
    name: str
    classes: Floats
    usable: Floats
    price: Floats
    renewable_percent: Floats
    renewable_share: float  # of the kilowatt-hours over the horizon, NaN where none are drawn


def load(plan: Plan, cluster: str | None = None, lang: str = "en", theme: str = "light") -> Drawing:
    """Draw the load of one cluster, or of all with a choice of clusters.

    Raises
    ------
    OptionError : there is no such cluster.
    """
    names = Names(plan, lang)
    say, time = names.say, when(plan.problem, names.say)
    if cluster is not None and cluster not in names.clusters:
        raise OptionError(f"no cluster {cluster!r}; there are {', '.join(names.clusters)}")
    classes, views = _views(plan, names)
    if cluster is not None:
        views = [next(view for view in views[1:] if view.cluster == cluster)]
    shown = views[0]
    traces = [*_areas(classes, names), *_lines(names)]
    for trace, y in zip(traces, _values(shown), strict=True):
        trace |= {"x": time.x(np.arange(plan.problem.n_periods + 1)), "y": y, "hovertemplate": trace["hovertemplate"]}
    title = say("load.title" if not plan.certificate.divisible else "load.title_ideal")
    layout = _layout(names, time) | ({"updatemenus": [_menu(views)]} if len(views) > 1 else {})
    return drawing(
        traces,
        title=title if cluster is None else f"{title} · {shown.name}",
        answer=_answer(shown, names, plan.problem.hours),
        theme=theme,
        layout=layout,
        narrow={"legend.font.size": 10, "height": HEIGHT + 110, "margin.b": 172, "margin.r": 46},
        extra_top=34 if len(views) > 1 else 0,
    )


def _views(plan: Plan, names: Names) -> tuple[list[str], list[View]]:
    """Classes, and views of all clusters together and of each."""
    problem, table, supply = plan.problem, load_table(plan), supply_table(plan)
    classes = list(work(plan)["demand_class"].cat.categories)
    shape = (problem.n_clusters, problem.n_periods)
    known = ids(problem.labels.clusters, problem.n_clusters)
    held = np.zeros((problem.n_clusters, len(classes), problem.n_periods))
    at = (
        pd.Index(known).get_indexer(pd.Index(table["cluster"])),
        pd.Index(classes).get_indexer(pd.Index(table["demand_class"])),
    )
    held[(*at, table["period"].to_numpy())] = table["accelerators"]
    usable, price, power, green = (
        supply[name].to_numpy().reshape(shape)
        for name in ("accelerators_usable", "grid_yuan_per_kwh", "power_kw", "renewable_kw")
    )
    order, hours = np.argsort(-held.sum(axis=(1, 2)), kind="stable"), problem.hours
    each = [
        View(known[c], names.clusters[known[c]], held[c], usable[c], price[c], *_renewable(green[c], power[c], hours))
        for c in order.tolist()
    ]
    weight = np.where(np.isnan(price), 0.0, power - green)
    mean = np.divide(
        (np.nan_to_num(price) * weight).sum(axis=0),
        weight.sum(axis=0),
        out=np.full(problem.n_periods, np.nan),
        where=weight.sum(axis=0) > 0,
    )
    total = _renewable(green.sum(axis=0), power.sum(axis=0), hours)
    every = View(None, names.say("load.all"), held.sum(axis=0), usable.sum(axis=0), mean, *total)
    return classes, [every, *each]


def _renewable(renewable_kw: Floats, power_kw: Floats, hours: Floats) -> tuple[Floats, float]:
    """Percent of the power in each period that is renewable, and share of the energy of all."""
    percent = 100.0 * np.divide(renewable_kw, power_kw, out=np.full(power_kw.shape, np.nan), where=power_kw > 0)
    energy_kwh = float(power_kw @ hours)
    return percent, float(renewable_kw @ hours) / energy_kwh if energy_kwh > 0 else np.nan


def _areas(classes: list[str], names: Names) -> list[Trace]:
    """One hatched area for each class, stacked."""
    return [
        {
            "type": "scatter",
            "mode": "lines",
            "stackgroup": "load",
            "name": names.demand_class(identifier),
            "line": {"width": 0.8, "shape": "hv", "color": look.PALETTE[k]},
            "fillcolor": look.PALETTE[k],
            "fillpattern": look.hatch(look.HATCHES[k], look.PALETTE[k], 6),
            "hovertemplate": "%{y:,.0f}",
        }
        for k, identifier in enumerate(classes)
    ]


def _lines(names: Names) -> list[Trace]:
    """Usable accelerators above; the price of grid power and the share of renewables below."""
    line = {"type": "scatter", "mode": "lines"}
    return [
        line
        | {"name": names.say("load.usable"), "line": {"width": 1.6, "dash": "dash", "shape": "hv", "color": look.GREY}}
        | {"hovertemplate": "%{y:,.0f}"},
        line
        | {
            "name": names.say("load.price"),
            "line": {"width": 2, "shape": "hv", "color": look.VERMILLION},
            "yaxis": "y2",
        }
        | {"hovertemplate": "%{y:.3f}"},
        line
        | {"name": names.say("load.renewable"), "line": {"width": 2, "shape": "hv", "color": look.GREEN, "dash": "dot"}}
        | {"yaxis": "y3", "hovertemplate": "%{y:.1f} %"},
    ]


def _values(view: View) -> list[list[float]]:
    """Values of all traces: the last one twice, so that its period has a width; none where a class is absent."""
    areas = [_ended(row, 1) if row.any() else [] for row in view.classes]
    return [*areas, _ended(view.usable, 1), _ended(view.price, 4), _ended(view.renewable_percent, 1)]


def _ended(values: Floats, digits: int) -> list[Any]:
    rounded = np.round(np.append(values, values[-1]), digits)
    return [None if np.isnan(value) else int(value) if value == int(value) else value for value in rounded.tolist()]


def _menu(views: list[View]) -> dict[str, Any]:
    """Choice of a cluster."""
    return {
        "type": "dropdown",
        "x": 0,
        "xanchor": "left",
        "y": 1.01,
        "yanchor": "bottom",
        "pad": {"b": 4},
        "showactive": True,
        "buttons": [{"label": view.name, "method": "restyle", "args": [{"y": _values(view)}]} for view in views],
    }


def _layout(names: Names, time: When) -> dict[str, Any]:
    say = names.say
    return {
        "height": HEIGHT,
        "hovermode": "x unified",
        "xaxis": {**time.axis, "anchor": "y2", "showgrid": True},
        "yaxis": {"domain": [0.36, 1.0], "title": {"text": say("load.y")}, "rangemode": "tozero", "tickformat": ",~r"},
        "yaxis2": {"domain": [0.0, 0.28], "title": {"text": say("load.y_price")}, "rangemode": "tozero"},
        "yaxis3": {"overlaying": "y2", "side": "right", "range": [0, 102], "showgrid": False}
        | {"tickmode": "array", "tickvals": [0, 50, 100], "zeroline": False}
        | {"title": {"text": say("load.y_renewable")}},
        "legend": {**LEGEND_BELOW, "traceorder": "normal"},
        "margin": {"b": 112, "r": 70},
    }


def _answer(view: View, names: Names, hours: Floats) -> str:
    """Say how much of the load is whose, and how much of it waits for cheap hours."""
    held = float(view.classes.sum(axis=0) @ hours)
    peak = float(view.classes.sum(axis=0).max(initial=0.0))
    return names.say(
        "load.answer",
        name=view.name,
        mean=names.numbers.number(held / float(hours.sum())),
        peak=names.numbers.number(peak),
        usable=names.numbers.number(float(view.usable.max(initial=0.0))),
        renewable=names.numbers.percent(view.renewable_share),
    )
