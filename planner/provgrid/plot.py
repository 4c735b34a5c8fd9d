"""The pictures of a plan, as `plan.plot`: each method returns a plotly figure whose title is the question it answers.

>>> import provgrid as pg
>>> pg.solve(pg.scenarios.toy(), engine="lp").plot.flows(lang="zh", theme="dark").show()  # doctest: +SKIP
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    import plotly.graph_objects as go

    from provgrid.report.figures.canvas import Drawing
    from provgrid.sweeps.results import Front
    from provgrid_optimizer.answers.ladder import Ladder
    from provgrid_optimizer.answers.value_result import Value
    from provgrid_optimizer.plan import Plan


def figure(drawing: Drawing) -> go.Figure:
    """Make plotly's figure of a drawing."""
    import plotly.graph_objects as go

    return go.Figure(drawing)


class Pictures:
    """Pictures of one plan. `lang` is "en" or "zh", `theme` "light" or "dark"."""

    def __init__(self, plan: Plan) -> None:
        self._plan = plan

    def flows(self, lang: str = "en", theme: str = "light") -> go.Figure:
        """Draw where each region's work runs: a map without borders; `OptionError` where the plan knows no places."""
        from provgrid.report.figures.flows import flows

        return figure(flows(self._plan, lang, theme))

    def utilisation(self, lang: str = "en", theme: str = "light") -> go.Figure:
        """Draw how full each cluster is in each hour; outlined where it can take no more."""
        from provgrid.report.figures.utilisation import utilisation

        return figure(utilisation(self._plan, lang, theme))

    def prices(self, lang: str = "en", theme: str = "light") -> go.Figure:
        """Draw what an accelerator-hour is worth, by cluster and hour."""
        from provgrid.report.figures.prices import prices

        return figure(prices(self._plan, lang, theme))

    def load(self, cluster: str | None = None, lang: str = "en", theme: str = "light") -> go.Figure:
        """Draw what runs hour by hour, at one cluster or with a choice of them; beside it, price and renewables."""
        from provgrid.report.figures.load import load

        return figure(load(self._plan, cluster, lang, theme))

    def waterfall(self, against: Plan | str, lang: str = "en", theme: str = "light") -> go.Figure:
        """Draw what separates the plan's cost from that of another plan, or of an engine or policy by its name."""
        from provgrid.report.figures.waterfall import waterfall

        return figure(waterfall(self._plan, against, lang, theme))

    def sankey(self, lang: str = "en", theme: str = "light") -> go.Figure:
        """Draw which demand uses energy in which cluster, and where that comes from."""
        from provgrid.report.figures.sankey import sankey

        return figure(sankey(self._plan, lang, theme))

    def timeline(self, lang: str = "en", theme: str = "light") -> go.Figure:
        """Draw when the largest jobs run within their windows, and which wait for a base."""
        from provgrid.report.figures.timeline import timeline

        return figure(timeline(self._plan, lang, theme))

    def solver(self, lang: str = "en", theme: str = "light") -> go.Figure:
        """Draw how the best plan and the proven bound came together."""
        from provgrid.report.figures.solver import solver

        return figure(solver(self._plan, lang, theme))

    def ladder(
        self, found: Ladder | None = None, added_ms: Sequence[float] = (), lang: str = "en", theme: str = "light"
    ) -> go.Figure:
        """Draw what looser latency limits save: a ladder that is there, or one planned as this plan was (slow)."""
        from provgrid.report.figures.ladder import ladder

        return figure(ladder(found or self._ladder(added_ms), lang, theme))

    def value(self, of: Value | str, lang: str = "en", theme: str = "light") -> go.Figure:
        """Draw what more of a pool, link or cluster is worth: a value that is there, or one worked out by its name."""
        from provgrid.report.figures.value import value

        return figure(value(self._plan.value(of) if isinstance(of, str) else of, lang, theme))

    def pareto(self, front: Front, lang: str = "en", theme: str = "light") -> go.Figure:
        """Draw a front of `pg.pareto`, with this plan as the one that was chosen."""
        from provgrid.report.figures.pareto import pareto
        from provgrid.sweeps.results import Front
        from provgrid_models.arguments import check_is

        check_is("what to draw", front, Front, "give what pg.pareto(...) returned")
        return figure(pareto(front, self._plan, lang, theme))

    def _ladder(self, added_ms: Sequence[float]) -> Ladder:
        from provgrid_models.errors import OptionError
        from provgrid_optimizer.answers.ladder import STEPS_MS, latency_ladder
        from provgrid_optimizer.answers.worth import Bench

        if self._plan.scenario is None:
            raise OptionError("the latency ladder relaxes SLOs, and this plan was made from arrays; solve a scenario")
        bench = Bench(engine=self._plan.engine, options=self._plan.options)
        return latency_ladder(self._plan.scenario, added_ms or STEPS_MS, bench)
