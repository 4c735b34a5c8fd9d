"""Pareto front: cost against carbon or latency, efficient and dominated points, and the plan that was chosen."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from provgrid.report.figures import theme as look
from provgrid.report.figures.canvas import LEGEND_BELOW, drawing
from provgrid.report.figures.scale import scale
from provgrid.report.numbers import Numbers
from provgrid.report.texts import texts
from provgrid_optimizer.answers.latency import nearness

if TYPE_CHECKING:
    from provgrid.report.figures.canvas import Drawing, Trace
    from provgrid.report.texts import Texts
    from provgrid.sweeps.results import Front
    from provgrid_optimizer.plan import Plan


def pareto_table(front: Front, chosen: Plan | None = None) -> pd.DataFrame:
    """Return a row for each point that has a plan: mark, other (t of CO2, or % of the SLO), cost_yuan.

    The mark is "efficient", "dominated" or "chosen", the last for the plan that is held against the front.
    """
    table = front.table
    table = table[table["total_yuan"].notna() & table[front.other].notna()]
    factor = 100.0 if front.other == "slo_share" else 1.0
    rows = pd.DataFrame(
        {
            "mark": np.where(table["efficient"], "efficient", "dominated"),
            "other": factor * table[front.other].astype(float),
            "cost_yuan": table["total_yuan"].astype(float),
        }
    )
    if chosen is None:
        return rows.reset_index(drop=True)
    cost = chosen.objective_yuan + chosen.problem.constants_yuan
    mine = pd.DataFrame({"mark": ["chosen"], "other": [factor * _other(front, chosen)], "cost_yuan": [cost]})
    return pd.concat([rows, mine], ignore_index=True)


def _other(front: Front, plan: Plan) -> float:
    """Return the plan's own value of the objective beside cost."""
    if front.other == "slo_share":
        return nearness(plan).slo_share
    return (plan.component_costs.carbon_kg + plan.component_costs.floor_kg) / 1000.0


def pareto(front: Front, chosen: Plan | None = None, lang: str = "en", theme: str = "light") -> Drawing:
    """Draw a front, and the plan that was chosen where one is given."""
    say = texts(lang)
    numbers, table = Numbers(say.lang), pareto_table(front, chosen)
    kind = front.objectives[1]
    unit = scale(float(table["cost_yuan"].abs().max()) if len(table) else 0.0, lang)
    efficient = table[table["mark"] == "efficient"].sort_values("other")
    traces: list[Trace] = [
        _points(efficient, say, unit.divisor, "efficient", look.BLUE, "circle", "lines+markers"),
        _points(
            table[table["mark"] == "dominated"], say, unit.divisor, "dominated", look.GREY, "x-thin-open", "markers"
        ),
        _points(table[table["mark"] == "chosen"], say, unit.divisor, "chosen", look.VERMILLION, "star", "markers"),
    ]
    ideal = any(row.divisible for row in front.rows)
    cheapest, other = efficient.sort_values("cost_yuan").head(1), efficient.head(1)
    answer = say("pareto.empty")
    if len(efficient):
        extra = float(other["cost_yuan"].iloc[0] - cheapest["cost_yuan"].iloc[0])
        answer = say(
            f"pareto.answer_{kind}",
            cheapest=numbers.number(float(cheapest["cost_yuan"].iloc[0])),
            most=numbers.number(float(cheapest["other"].iloc[0])),
            least=numbers.number(float(other["other"].iloc[0])),
            extra=numbers.number(extra),
        )
    return drawing(
        [trace for trace in traces if len(trace["x"])],
        title=say(f"pareto.title_{kind}" + ("_ideal" if ideal else "")),
        answer=answer + (say("pareto.ideal") if ideal else ""),
        theme=theme,
        layout={
            "height": 520,
            "hovermode": "closest",
            "xaxis": {"title": {"text": say(f"pareto.x_{kind}")}, "tickformat": ",~r"},
            "yaxis": {"title": {"text": say("pareto.y", scale=unit.word)}, "tickformat": ",~r"},
            "legend": LEGEND_BELOW,
            "margin": {"b": 100},
        },
        narrow={"margin.b": 120},
    )


def _points(table: pd.DataFrame, say: Texts, divisor: float, mark: str, colour: str, symbol: str, mode: str) -> Trace:
    return {
        "type": "scatter",
        "mode": mode,
        "x": table["other"].to_numpy(float),
        "y": table["cost_yuan"].to_numpy(float) / divisor,
        "name": say(f"pareto.{mark}"),
        "line": {"color": colour, "width": 1.6, "shape": "linear"},
        "marker": {"symbol": symbol, "size": 16 if mark == "chosen" else 10, "color": colour}
        | {"line": {"width": 2 if mark == "dominated" else 1, "color": colour}},
        "hovertemplate": "%{x:,.5~g} · %{y:,.5~g}<extra></extra>",
    }
