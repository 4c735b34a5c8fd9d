"""The pictures of a plan, as `plan.plot`: each method returns a plotly figure whose title is the question it answers.

>>> import provgrid as pg
>>> pg.solve(pg.scenarios.toy(), engine="lp").plot.flows(lang="zh", theme="dark").show()  # doctest: +SKIP
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import plotly.graph_objects as go

    from provgrid_optimizer.plan import Plan


class Pictures:
    """Pictures of one plan. `lang` is "en" or "zh", `theme` "light" or "dark"."""

    def __init__(self, plan: Plan) -> None:
        self._plan = plan

    def flows(self, lang: str = "en", theme: str = "light") -> go.Figure:
        """Draw where each region's work runs: a map without borders; `OptionError` where the plan knows no places."""
        from provgrid.report.figures.flows import flows

        return flows(self._plan, lang, theme)

    def utilisation(self, lang: str = "en", theme: str = "light") -> go.Figure:
        """Draw how full each cluster is in each hour; outlined where it can take no more."""
        from provgrid.report.figures.utilisation import utilisation

        return utilisation(self._plan, lang, theme)

    def prices(self, lang: str = "en", theme: str = "light") -> go.Figure:
        """Draw what an accelerator-hour is worth, by cluster and hour."""
        from provgrid.report.figures.prices import prices

        return prices(self._plan, lang, theme)

    def load(self, cluster: str | None = None, lang: str = "en", theme: str = "light") -> go.Figure:
        """Draw what runs hour by hour, at one cluster or with a choice of them; beside it, price and renewables."""
        from provgrid.report.figures.load import load

        return load(self._plan, cluster, lang, theme)

    def waterfall(self, against: Plan | str, lang: str = "en", theme: str = "light") -> go.Figure:
        """Draw what separates the plan's cost from that of another plan, or of an engine or policy by its name."""
        from provgrid.report.figures.waterfall import waterfall

        return waterfall(self._plan, against, lang, theme)
