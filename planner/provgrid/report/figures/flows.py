"""Flow map: who computes for whom, at longitude and latitude, without borders.

An arrow's width is its accelerator-hours, its colour and sign the load of the busiest link on its way.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from provgrid.report.figures.canvas import LEGEND_BELOW, drawing
from provgrid.report.figures.flow_panel import Panel
from provgrid.report.figures.names import Names, ids
from provgrid.report.figures.window import windows
from provgrid.report.figures.work import work
from provgrid_models.errors import OptionError

if TYPE_CHECKING:
    from provgrid.report.figures.canvas import Changes, Drawing
    from provgrid_optimizer.plan import Plan

MOST_ARROWS = 40


def flow_table(plan: Plan) -> pd.DataFrame:
    """Return a row for each region and cluster that work goes between, the largest first.

    Columns: region, cluster, accelerator_h, on_the_spot (no link in between), busiest_link, link_load (that link's
    traffic over its bandwidth in its busiest period; NaN where no link is limited).
    """
    found = work(plan).groupby(["region", "cluster"], observed=True)["accelerator_h"].sum()
    table = found[found > 0].sort_values(ascending=False, kind="stable").reset_index()
    loads = _link_loads(plan)
    routes = [_route(plan, r, c) for r, c in zip(table["region"].cat.codes, table["cluster"].cat.codes, strict=True)]
    busiest = [max(route, key=loads.__getitem__) if route else None for route in routes]
    names = ids(plan.problem.labels.links, plan.problem.n_links)
    table["on_the_spot"] = [not route for route in routes]
    table["busiest_link"] = [None if link is None else names[link] for link in busiest]
    table["link_load"] = [np.nan if link is None or loads[link] < 0 else loads[link] for link in busiest]
    return table.astype({"region": object, "cluster": object})


def _link_loads(plan: Plan) -> list[float]:
    """Largest traffic of each link over its bandwidth; -1 where it has no limit."""
    problem = plan.problem
    traffic = plan.traffic["traffic_gbps"].to_numpy(float).reshape(problem.n_links, problem.n_periods)
    limited = np.isfinite(problem.link_gbps) & (problem.link_gbps > 0)
    loads = np.divide(
        traffic.max(axis=1, initial=0.0), problem.link_gbps, out=np.full(limited.size, -1.0), where=limited
    )
    return [float(load) for load in loads]


def _route(plan: Plan, origin: int, cluster: int) -> list[int]:
    """Links from an origin to a cluster."""
    problem = plan.problem
    k = origin * problem.n_clusters + cluster
    return [int(link) for link in problem.route_link[problem.route_start[k] : problem.route_start[k + 1]]]


def place_table(plan: Plan) -> pd.DataFrame:
    """Return a row for each region and cluster: kind, id, longitude_deg, latitude_deg, tier, accelerators (largest).

    Raises
    ------
    OptionError : the plan came without a scenario, so its places are not known.
    """
    scenario = plan.scenario
    if scenario is None:
        raise OptionError("the flow map needs places, and this plan was made from arrays; solve a scenario for it")
    largest = np.bincount(
        plan.problem.pool_cluster, weights=plan.problem.largest_capacity, minlength=plan.problem.n_clusters
    )
    rows = [("region", r.id, r.longitude_deg, r.latitude_deg, "", 0.0) for r in scenario.regions]
    rows += [
        ("cluster", c.id, c.longitude_deg, c.latitude_deg, c.tier, float(accelerators))
        for c, accelerators in zip(scenario.clusters, largest, strict=True)
    ]
    return pd.DataFrame(rows, columns=["kind", "id", "longitude_deg", "latitude_deg", "tier", "accelerators"])


def flows(plan: Plan, lang: str = "en", theme: str = "light") -> Drawing:
    """Draw the flow map."""
    places, table, names = place_table(plan), flow_table(plan), Names(plan, lang)
    say = names.say
    moved = table[~table["on_the_spot"]]
    shown = moved.head(MOST_ARROWS)
    shown_windows = windows(places)
    panels = [Panel(k, shown_windows, places, names) for k in range(len(shown_windows))]
    traces = [trace for panel in panels for trace in panel.traces(shown, table)]
    total = float(table["accelerator_h"].sum())
    there = float(moved["accelerator_h"].sum())
    answer = say(
        "flows.answer",
        total=names.numbers.number(total),
        moved=names.numbers.percent(there / total if total else 0.0),
        shown=len(shown),
        flows=len(moved),
        part=names.numbers.percent(float(shown["accelerator_h"].sum()) / there if there else 1.0),
    )
    # What a panel wants changed on a narrow screen stands in the trace's meta; it belongs to the figure's.
    smaller: dict[int, Changes] = {k: trace.pop("meta") for k, trace in enumerate(traces) if "meta" in trace}
    layout: dict[str, Any] = {
        "height": 760,
        "legend": {**LEGEND_BELOW, "title": {"text": say("flows.load"), "side": "top"}},
        "hovermode": "closest",
        "shapes": [shape for panel in panels for shape in panel.shapes()],
        "margin": {"b": 104},
    }
    narrow: dict[str, Any] = {"height": 480 if len(panels) == 1 else 840, "legend.font.size": 10, "margin.b": 112}
    for panel in panels:
        layout |= panel.axes()
        narrow |= panel.narrow_axes()
    return drawing(
        traces,
        title=say("flows.title" if not plan.certificate.divisible else "flows.title_ideal"),
        answer=answer,
        theme=theme,
        layout=layout,
        narrow=narrow,
        narrow_traces=smaller,
    )
