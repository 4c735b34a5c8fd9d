"""Names of the things in a picture, in the reader's language, short enough to stand beside a mark."""

from __future__ import annotations

import re
from functools import cached_property
from typing import TYPE_CHECKING

from provgrid.report.figures.canvas import text_columns
from provgrid.report.numbers import Numbers
from provgrid.report.texts import texts

if TYPE_CHECKING:
    from collections.abc import Sequence

    from provgrid_models.scenario import Cluster, Region
    from provgrid_optimizer.plan import Plan

LONGEST = 28  # half-width characters of a name beside a mark


class Names:
    """Names of the regions and clusters of a plan; the ids where it came without a scenario."""

    def __init__(self, plan: Plan, lang: str) -> None:
        self._plan = plan
        self.lang = lang
        self.say = texts(lang)
        self.numbers = Numbers(self.say.lang)

    @cached_property
    def regions(self) -> dict[str, str]:
        """Name of each region by its id."""
        scenario = self._plan.scenario
        if scenario is not None:
            return {one.id: short(self._name(one)) for one in scenario.regions}
        return {name: name for name in ids(self._plan.problem.labels.origins, self._plan.problem.n_origins)}

    @cached_property
    def clusters(self) -> dict[str, str]:
        """Name of each cluster by its id."""
        scenario = self._plan.scenario
        if scenario is not None:
            return {one.id: short(self._name(one)) for one in scenario.clusters}
        return {name: name for name in ids(self._plan.problem.labels.clusters, self._plan.problem.n_clusters)}

    def demand_class(self, identifier: str) -> str:
        """Name of a demand class."""
        return self.say.name("classes", identifier)

    def energy(self, identifier: str) -> str:
        """Name of a source of energy."""
        return self.say.name("energies", identifier)

    def family(self, identifier: str) -> str:
        """Name of a model family."""
        return self.say.name("families", identifier)

    def _name(self, one: Region | Cluster) -> str:
        return (one.name_zh if self.lang == "zh" else one.name) or one.name or one.id


def ids(labels: Sequence[str] | None, count: int) -> list[str]:
    """Return names of integer ids as text; the ids themselves where the problem came without names."""
    return [str(name) for name in (labels if labels is not None else range(count))]


def short(name: str) -> str:
    """Cut what stands in brackets, after a comma or after a slash, then at a word.

    >>> short("Horinger (Helingeer) cluster, Hohhot"), short("Hami / Yiwu (Tianshan Smart Valley)")
    ('Horinger cluster', 'Hami')
    """
    kept = re.sub(r"\s*[（(][^)）]*[)）]", "", name)
    kept = re.sub(r" cluster$", "", re.sub(r" cluster,.*$", "", kept))
    kept = re.split(r"\s*[,，、]\s*|\s+/\s+", kept)[0].strip() or name
    return cut(kept, LONGEST)


def cut(name: str, columns: int) -> str:
    """Cut a name to at most so many half-width characters, at a word where there is one."""
    if text_columns(name) <= columns:
        return name
    while text_columns(name) > columns - 1:
        name = name.rsplit(" ", 1)[0] if " " in name else name[:-1]
    return name + "…"


def cut_middle(name: str, columns: int) -> str:
    """Cut an id to at most so many half-width characters; its end, where ids differ, stays.

    >>> cut_middle("guangdong-reasoning-1915", 16)
    'guangdong-…-1915'
    """
    tail = 5
    return name if text_columns(name) <= columns else f"{name[: columns - tail - 1]}…{name[-tail:]}"
