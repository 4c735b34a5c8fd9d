"""Cost waterfall: which parts of the cost differ between a plan and what it is held against."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from provgrid.report.figures import theme as look
from provgrid.report.figures.canvas import drawing
from provgrid.report.figures.names import Names
from provgrid.report.figures.scale import scale
from provgrid_optimizer.options import SolveOptions
from provgrid_optimizer.savings import Saving, common_costs
from provgrid_optimizer.solve import Reference, solve

if TYPE_CHECKING:
    from provgrid.report.figures.canvas import Drawing, Trace
    from provgrid.report.policies import Policy
    from provgrid_optimizer.plan import Plan

NOTHING = 1e-6  # of the larger cost, below which a component is left out
UNSERVED = "unserved"


def waterfall_table(plan: Plan, baseline: Plan | Policy) -> pd.DataFrame:
    """Return a row for each component of the objective: component, baseline_yuan, plan_yuan, change_yuan.

    Of two plans the costs are those of the work that both serve, see `savings.common_costs`; of an ideal, which saves
    nothing, they are all that it pays. The last row is the value of what each leaves unserved.
    """
    mine, other = (one.component_costs.by_component() for one in (plan, baseline))
    left = {"unserved": mine["unserved"]}, {"unserved": other["unserved"]}
    if not (plan.allocation.divisible or baseline.allocation.divisible):
        mine, other = (costs | unserved for costs, unserved in zip(common_costs(plan, baseline), left, strict=True))
    table = pd.DataFrame({"plan_yuan": mine, "baseline_yuan": other}).rename_axis("component").reset_index()
    table["change_yuan"] = table["plan_yuan"] - table["baseline_yuan"]
    return table


def planned(plan: Plan, against: Plan | Policy | str) -> Plan | Policy:
    """Return what a plan is held against: a plan or policy, or the engine of that name on the same problem."""
    if not isinstance(against, str):
        return against
    options = SolveOptions(threads=plan.options.threads, seed=plan.options.seed)
    proven = Reference(multipliers=plan.multipliers)  # a policy needs no bound of its own
    return solve(plan.problem, against, options, scenario=plan.scenario, reference=proven, with_policies=False)


def waterfall(plan: Plan, against: Plan | Policy | str, lang: str = "en", theme: str = "light") -> Drawing:
    """Draw what each component adds to the baseline's cost of the common work or takes off it.

    The value of unserved work stands beside it: it is no saving, and often so large that nothing else would be seen.
    """
    baseline, names = planned(plan, against), Names(plan, lang)
    table = waterfall_table(plan, baseline).set_index("component")
    left = [float(yuan) for yuan in table.loc[[UNSERVED], ["baseline_yuan", "plan_yuan"]].to_numpy(float).ravel()]
    running = table.drop(index=UNSERVED)
    common = Saving(plan_yuan=sum(running["plan_yuan"]), baseline_yuan=sum(running["baseline_yuan"]))
    sides = running[["baseline_yuan", "plan_yuan"]]
    running = running[(sides.abs() > NOTHING * max(float(sides.sum().abs().max()), 1.0)).any(axis=1)]
    both = [_label(baseline, names), _label(plan, names)]
    beside = max(left) > NOTHING * max(float(sides.sum().max()), 1.0)
    ideal = plan.allocation.divisible or baseline.allocation.divisible
    traces, layout = _running(running, both, names, "waterfall.y" if ideal else "waterfall.y_common")
    if beside:
        trace, axes = _unserved(left, both, names)
        traces.append(trace)
        layout |= axes | {"xaxis": {**layout["xaxis"], "domain": [0.0, 0.7]}}
    narrow: dict[str, Any] = {"height": 480, "xaxis.tickangle": -60, "xaxis.tickfont.size": 9.5}
    if beside:  # one above the other
        narrow |= {"xaxis.domain": [0, 1], "yaxis.domain": [0.5, 1], "xaxis2.domain": [0, 1], "yaxis2.domain": [0, 0.3]}
        narrow["height"] = 680
    return drawing(
        traces,
        title=names.say("waterfall.title_ideal" if ideal else "waterfall.title", name=both[0]),
        answer=_answer(plan, baseline, common, names) + (names.say("waterfall.beside") if beside else ""),
        theme=theme,
        layout={"height": 500, "margin": {"b": 64}, "showlegend": False, **layout},
        narrow=narrow,
        narrow_traces={k: {"textfont.size": 8.5} for k in range(len(traces))},
    )


def _running(table: pd.DataFrame, both: list[str], names: Names, unit_key: str) -> tuple[list[Trace], dict[str, Any]]:
    """Return the waterfall and its axes."""
    say, numbers = names.say, names.numbers
    before, after = float(table["baseline_yuan"].sum()), float(table["plan_yuan"].sum())
    changes = table["change_yuan"].to_list()
    heights = np.r_[before, before + np.cumsum(changes), after, 0.0]
    unit = scale(float(np.abs(heights).max()), names.lang)
    low, high = float(heights.min()) / unit.divisor, float(heights.max()) / unit.divisor
    room = 0.09 * (high - low or 1.0)  # for what stands beyond the ends of the bars
    texts = [("+" if change > 0 else "") + numbers.number(change) for change in changes]
    labels = [both[0], *(say.name("components", str(name)) for name in table.index), both[1]]
    trace = {
        "type": "waterfall",
        "x": list(range(len(labels))),
        "y": [before / unit.divisor, *(change / unit.divisor for change in changes), after / unit.divisor],
        "measure": ["absolute", *["relative"] * len(changes), "total"],
        "text": [numbers.number(before), *texts, numbers.number(after)],
        "textposition": "outside",
        "cliponaxis": False,
        "connector": {"line": {"width": 1, "dash": "dot", "color": look.GREY}},
        "increasing": {"marker": {"color": look.VERMILLION}},
        "decreasing": {"marker": {"color": look.BLUE}},
        "totals": {"marker": {"color": look.GREY}},
        "hovertemplate": "%{text} " + say("waterfall.yuan") + "<extra></extra>",
    }
    return [trace], {
        "xaxis": _named(labels),
        "yaxis": {"title": {"text": say(unit_key, scale=unit.word)}, "tickformat": ",~r", "zeroline": True}
        | {"range": [low - room if heights[:-1].min() < room * unit.divisor else 0.0, high + room]},
    }


def _unserved(yuan: list[float], both: list[str], names: Names) -> tuple[Trace, dict[str, Any]]:
    """Return the bars of unserved value and their axes."""
    say, numbers = names.say, names.numbers
    unit = scale(max(yuan), names.lang)
    trace = {
        "type": "bar",
        "x": [0, 1],
        "y": [one / unit.divisor for one in yuan],
        "xaxis": "x2",
        "yaxis": "y2",
        "width": 0.6,
        "text": [numbers.number(one) for one in yuan],
        "textposition": "outside",
        "constraintext": "none",
        "cliponaxis": False,
        "marker": {"color": look.GREY, "pattern": look.hatch("x", look.GREY)},
        "hovertemplate": "%{text} " + say("waterfall.yuan") + "<extra></extra>",
    }
    title = {"text": say("waterfall.y_unserved", scale=unit.word)}
    return trace, {
        "xaxis2": {**_named(both), "domain": [0.8, 1.0], "anchor": "y2"},
        "yaxis2": {"anchor": "x2", "title": title, "tickformat": ",~r", "range": [0, 1.1 * max(yuan) / unit.divisor]},
    }


def _named(labels: list[str]) -> dict[str, Any]:
    """Axis of names; two of them may be the same."""
    ticks = {"tickmode": "array", "tickvals": list(range(len(labels))), "ticktext": labels}
    return {**ticks, "showgrid": False, "zeroline": False, "tickangle": 0, "range": [-0.6, len(labels) - 0.4]}


def _label(plan: Plan | Policy, names: Names) -> str:
    name = names.say.name("engines", plan.engine)
    return names.say("waterfall.ideal", name=name) if plan.allocation.divisible else name


def _answer(plan: Plan, baseline: Plan | Policy, common: Saving, names: Names) -> str:
    """Say what is saved on the work that both serve; of an ideal, that it is none."""
    say, numbers = names.say, names.numbers
    some = any(one.problem.never_served for one in (plan, baseline))
    unserved = say(
        "waterfall.unserved_of_some_pool" if some else "waterfall.unserved",
        plan=numbers.percent(plan.unserved_share),
        baseline=numbers.percent(baseline.unserved_share),
    )
    if plan.allocation.divisible or baseline.allocation.divisible:
        return say("waterfall.no_saving") + unserved
    told = (
        say("waterfall.nothing_common")
        if common.share is None
        else say(
            "waterfall.answer",
            share=numbers.percent(common.share),
            yuan=numbers.number(common.baseline_yuan - common.plan_yuan),
        )
    )
    return told + unserved
