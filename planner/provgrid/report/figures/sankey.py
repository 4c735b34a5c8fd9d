"""Sankey: from who needs energy, through the clusters, to where the energy comes from."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from provgrid.report.figures import theme as look
from provgrid.report.figures.canvas import drawing
from provgrid.report.figures.names import Names, cut, ids
from provgrid.report.figures.scale import scale
from provgrid.report.figures.work import work

if TYPE_CHECKING:
    from provgrid.report.figures.canvas import Drawing
    from provgrid_optimizer.plan import Plan

IDLE, OTHERS = "idle_floor", "other_clusters"
MOST_CLUSTERS = 12
NOTHING = 1e-6  # of all energy, below which a band is left out
SOURCES = {"grid": look.GREY, "solar": look.ORANGE, "wind": look.SKY, "hydro": look.BLUE, "nuclear": look.PURPLE}


def sankey_table(plan: Plan) -> pd.DataFrame:
    """Return a row for each band: step ("use": class to cluster, "supply": cluster to energy), from, to, energy_kwh.

    Energy at the meter over the real hours of the horizon. What idle machines draw is a class of its own, so that both
    steps have the same sum; clusters beyond the largest are taken together.
    """
    problem = plan.problem
    clusters = ids(problem.labels.clusters, problem.n_clusters)
    use = work(plan).groupby(["demand_class", "cluster"], observed=True)["energy_kwh"].sum().reset_index()
    use.columns = pd.Index(["from", "to", "energy_kwh"])
    floor = pd.DataFrame({"from": IDLE, "to": clusters, "energy_kwh": problem.floor_kw @ problem.hours})
    drawn = plan.energy["power_kw"].to_numpy(float).reshape(problem.n_blocks, problem.n_periods) @ problem.hours
    supply = pd.DataFrame(
        {
            "from": [clusters[c] for c in problem.block_cluster.tolist()],
            "to": _sources(plan),
            "energy_kwh": drawn,
        }
    )
    steps = [("use", use.astype({"from": object, "to": object})), ("use", floor), ("supply", supply)]
    table = pd.concat([part.assign(step=step) for step, part in steps], ignore_index=True)
    total = float(drawn.sum())
    by_cluster = supply.groupby("from")["energy_kwh"].sum().sort_values(ascending=False, kind="stable")
    small = set(by_cluster.index[MOST_CLUSTERS - 1 :]) if len(by_cluster) > MOST_CLUSTERS else set()
    at = table["step"].map({"use": "to", "supply": "from"})
    for column in ("from", "to"):
        table.loc[(at == column) & table[column].isin(small), column] = OTHERS
    found = table.groupby(["step", "from", "to"], sort=False)["energy_kwh"].sum().reset_index()
    return found[found["energy_kwh"] > NOTHING * max(total, 1e-9)].reset_index(drop=True)


def _sources(plan: Plan) -> list[str]:
    """Energy of each block; "grid" or "other" where the problem came without names."""
    problem = plan.problem
    if problem.labels.blocks is not None:
        return list(problem.labels.blocks)
    return ["grid" if grid else "other" for grid in problem.block_is_grid.tolist()]


def sankey(plan: Plan, lang: str = "en", theme: str = "light") -> Drawing:
    """Draw the Sankey diagram."""
    table, names = sankey_table(plan), Names(plan, lang)
    say = names.say
    use, supply = (table[table["step"] == step] for step in ("use", "supply"))
    classes = _by_size(use, "from")
    nodes = [("class", one) for one in classes]
    nodes += [("cluster", one) for one in _by_size(supply, "from")] + [
        ("energy", one) for one in _by_size(supply, "to")
    ]
    at = {node: k for k, node in enumerate(nodes)}
    kinds = {"use": ("class", "cluster"), "supply": ("cluster", "energy")}
    colour = _colours(nodes, list(work(plan)["demand_class"].cat.categories))
    sources = [at[kinds[step][0], one] for step, one in zip(table["step"], table["from"], strict=True)]
    targets = [at[kinds[step][1], one] for step, one in zip(table["step"], table["to"], strict=True)]
    ends = zip(table["step"], sources, targets, strict=True)
    unit = scale(float(supply["energy_kwh"].sum()) / 1000.0, lang)
    mwh = table["energy_kwh"].to_numpy(float) / 1000.0
    sizes = np.bincount(targets, weights=mwh, minlength=len(nodes))
    sizes = np.where(sizes > 0, sizes, np.bincount(sources, weights=mwh, minlength=len(nodes)))
    known = [_name(kind, one, names) for kind, one in nodes]
    labels = [f"{name} · {names.numbers.number(size)}" for name, size in zip(known, sizes.tolist(), strict=True)]
    trace = {
        "type": "sankey",
        "arrangement": "snap",
        "valueformat": ",.4~g",
        "valuesuffix": " " + say("sankey.unit", scale=unit.word),
        "node": {"label": labels, "color": colour, "pad": 11, "thickness": 15, "line": {"width": 0}}
        | {"hovertemplate": "%{label}<extra></extra>"},
        "link": {
            "source": sources,
            "target": targets,
            "value": (mwh / unit.divisor).astype(np.float32),
            "color": [look.see_through(colour[a if step == "use" else b], 0.42) for step, a, b in ends],
            "hovertemplate": "%{source.label} → %{target.label}<br>%{value}<extra></extra>",
        },
        "domain": {"x": [0, 1], "y": [0, 1]},
    }
    narrow_labels = [cut(name, 17) for name in known]
    return drawing(
        [trace],
        title=say("sankey.title" if not plan.certificate.divisible else "sankey.title_ideal"),
        answer=_answer(table, names),
        theme=theme,
        layout={"height": 640, "margin": {"l": 16, "r": 16, "b": 24}, "annotations": _heads(names)},
        narrow={"height": 620, "margin.l": 6, "margin.r": 6},
        narrow_traces={0: {"textfont.size": 8.5, "node.label": narrow_labels, "node.thickness": 8, "node.pad": 9}},
        extra_top=44,  # the heads, below plotly's buttons
    )


def _by_size(table: pd.DataFrame, column: str) -> list[str]:
    """Return the ends of the bands, the largest first."""
    return list(table.groupby(column)["energy_kwh"].sum().sort_values(ascending=False, kind="stable").index)


def _colours(nodes: list[tuple[str, str]], classes: list[str]) -> list[str]:
    """Return the colours of the nodes, for a class that of the hourly load; each node has its name beside it too."""
    of_class = dict(zip(classes, look.PALETTE, strict=False)) | {IDLE: look.PALE}
    return [
        of_class[one] if kind == "class" else look.GREY if kind == "cluster" else SOURCES.get(one, look.GREEN)
        for kind, one in nodes
    ]


def _name(kind: str, one: str, names: Names) -> str:
    if kind == "cluster":
        return names.say("sankey.others") if one == OTHERS else names.clusters[one]
    return names.demand_class(one) if kind == "class" else names.energy(one)


def _heads(names: Names) -> list[dict[str, object]]:
    """Say above each column what it holds."""
    places = ((0.0, "left", "sankey.classes"), (0.5, "center", "sankey.clusters"), (1.0, "right", "sankey.sources"))
    shared = {"xref": "paper", "yref": "paper", "y": 1.0, "yanchor": "bottom", "yshift": 6, "showarrow": False}
    return [{**shared, "x": x, "xanchor": anchor, "text": f"<b>{names.say(key)}</b>"} for x, anchor, key in places]


def _answer(table: pd.DataFrame, names: Names) -> str:
    supply = table[table["step"] == "supply"]
    total = float(supply["energy_kwh"].sum())
    idle = float(table.loc[(table["step"] == "use") & (table["from"] == IDLE), "energy_kwh"].sum())
    contracts = float(supply.loc[supply["to"] != "grid", "energy_kwh"].sum())
    return names.say(
        "sankey.answer",
        total=names.numbers.number(total / 1000.0),
        contracts=names.numbers.percent(contracts / total if total else 0.0),
        idle=names.numbers.percent(idle / total if total else 0.0),
    )
