"""Cost waterfall: which parts of the cost differ between a plan and what it is held against."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd

from provgrid.report.figures import theme as look
from provgrid.report.figures.canvas import figure
from provgrid.report.figures.names import Names
from provgrid.report.figures.scale import scale
from provgrid_optimizer.options import SolveOptions
from provgrid_optimizer.savings import saving_of
from provgrid_optimizer.solve import Reference, solve

if TYPE_CHECKING:
    import plotly.graph_objects as go

    from provgrid.report.policies import Policy
    from provgrid_optimizer.plan import Plan

NOTHING = 1e-6  # of the larger cost, below which a component is left out


def waterfall_table(plan: Plan, baseline: Plan | Policy) -> pd.DataFrame:
    """Return a row for each component of the objective: component, baseline_yuan, plan_yuan, change_yuan."""
    mine, other = (one.component_costs.by_component() for one in (plan, baseline))
    table = pd.DataFrame({"component": list(mine), "baseline_yuan": list(other.values()), "plan_yuan": mine.values()})
    table["change_yuan"] = table["plan_yuan"] - table["baseline_yuan"]
    return table


def planned(plan: Plan, against: Plan | Policy | str) -> Plan | Policy:
    """Return what a plan is held against: a plan or policy, or the engine of that name on the same problem."""
    if not isinstance(against, str):
        return against
    options = SolveOptions(threads=plan.options.threads, seed=plan.options.seed)
    proven = Reference(multipliers=plan.multipliers)  # a policy needs no bound of its own
    return solve(plan.problem, against, options, scenario=plan.scenario, reference=proven, with_policies=False)


def waterfall(plan: Plan, against: Plan | Policy | str, lang: str = "en", theme: str = "light") -> go.Figure:
    """Draw the cost of the baseline, what each component adds or takes, and the cost of the plan."""
    baseline, names = planned(plan, against), Names(plan, lang)
    say = names.say
    table = waterfall_table(plan, baseline)
    largest = float(table[["baseline_yuan", "plan_yuan"]].sum().abs().max())
    table = table[(table[["baseline_yuan", "plan_yuan"]].abs() > NOTHING * max(largest, 1.0)).any(axis=1)]
    unit = scale(largest, lang)
    room = 0.07 * largest / unit.divisor  # for what stands below a bar that ends at nothing
    changes = table["change_yuan"].to_list()
    before, after = baseline.objective_yuan, plan.objective_yuan
    labels = [
        _label(baseline, names),
        *(say.name("components", name) for name in table["component"]),
        _label(plan, names),
    ]
    trace = {
        "type": "waterfall",
        "x": labels,
        "y": [before / unit.divisor, *(change / unit.divisor for change in changes), after / unit.divisor],
        "measure": ["absolute", *["relative"] * len(changes), "total"],
        "text": [
            names.numbers.number(before),
            *(("+" if change > 0 else "") + names.numbers.number(change) for change in changes),
            names.numbers.number(after),
        ],
        "textposition": "outside",
        "cliponaxis": False,
        "connector": {"line": {"width": 1, "dash": "dot", "color": look.GREY}},
        "increasing": {"marker": {"color": look.VERMILLION}},
        "decreasing": {"marker": {"color": look.BLUE}},
        "totals": {"marker": {"color": look.GREY}},
        "hovertemplate": "%{x}: %{text} " + say("waterfall.yuan") + "<extra></extra>",
    }
    ideal = plan.allocation.divisible or baseline.allocation.divisible
    return figure(
        [trace],
        title=say("waterfall.title_ideal" if ideal else "waterfall.title", name=_label(baseline, names)),
        answer=_answer(plan, baseline, names),
        theme=theme,
        layout={
            "height": 500,
            "xaxis": {"showgrid": False, "tickangle": 0},
            "yaxis": {"title": {"text": say("waterfall.y", scale=unit.word)}, "tickformat": ",~r"}
            | {"range": [-room, largest / unit.divisor + 1.6 * room], "zeroline": True},
            "margin": {"b": 60},
            "showlegend": False,
        },
        narrow={"xaxis.tickangle": -60, "xaxis.tickfont.size": 10, "height": 520},
        narrow_traces={0: {"textfont.size": 9}},
    )


def _label(plan: Plan | Policy, names: Names) -> str:
    name = names.say.name("engines", plan.engine)
    return names.say("waterfall.ideal", name=name) if plan.allocation.divisible else name


def _answer(plan: Plan, baseline: Plan | Policy, names: Names) -> str:
    """Say what is saved on the work that both serve; of an ideal, that it is none."""
    say, numbers = names.say, names.numbers
    unserved = say(
        "waterfall.unserved",
        plan=numbers.percent(plan.unserved_share),
        baseline=numbers.percent(baseline.unserved_share),
    )
    if plan.allocation.divisible or baseline.allocation.divisible:
        return say("waterfall.no_saving") + unserved
    common = saving_of(plan.problem, plan.allocation, baseline.allocation)
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
