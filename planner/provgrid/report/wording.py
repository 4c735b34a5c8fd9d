"""One language's texts and number formats together, and the names that places and terms have in it."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

from provgrid.report import phrases
from provgrid.report.numbers import Numbers
from provgrid.report.texts import Language, Texts, language, texts

if TYPE_CHECKING:
    from provgrid_models.scenario import Cluster, Region, Scenario

MANY_ROWS = " rows, such as "  # in a comparison's inputs


@dataclass(frozen=True)
class Wording:
    """How a report speaks: `say(key, ...)` for texts, `numbers` for figures."""

    lang: Language

    @classmethod
    def of(cls, lang: str) -> Wording:
        """Return the wording of a language; `OptionError` where there is none."""
        return cls(language(lang))

    @cached_property
    def say(self) -> Texts:
        """The texts."""
        return texts(self.lang)

    @cached_property
    def numbers(self) -> Numbers:
        """The formats."""
        return Numbers(self.lang)

    def term(self, group: str, word: str) -> str:
        """Name of a word of the model: an engine, a component, a quality; the word itself where it is a planner's."""
        return self.say.entries.get(f"{group}.{word}", word)

    def places(self, scenario: Scenario | None) -> dict[str, str]:
        """Names of regions and clusters by their ids; a place without a name has its id."""
        if scenario is None:
            return {}
        rows: tuple[Cluster | Region, ...] = (*scenario.clusters, *scenario.regions)
        return {row.id: (row.name_zh if self.lang == "zh" else "") or row.name or row.id for row in rows}

    def tenants(self, scenario: Scenario | None) -> dict[str, str]:
        """Names of the tenants by their ids, without cities and provinces whose id, and so whose name, is a place's."""
        if scenario is None:
            return {}
        places = self.places(scenario)
        rows = (row for row in scenario.tenants if row.kind in ("firm", "programme") or row.id not in places)
        return {row.id: self.say.entries.get(f"tenants.{row.id}", row.name or row.id) for row in rows}

    def rows(self, name: str) -> str:
        """Translate what stands for many rows at once; the name of a single row is its own."""
        return self.phrase(name) if MANY_ROWS in name else name

    def phrase(self, text: str) -> str:
        """Translate a sentence that the data or the model wrote in English; as it is where nobody translated it."""
        return phrases.chinese(text) if self.lang == "zh" else text

    def title(self, scenario: Scenario | None) -> str:
        """Title of a scenario: of a built-in one in the report's language, else as its author wrote it."""
        if scenario is None:
            return self.say("page.arrays")
        written = scenario.settings.title or scenario.name
        known = self.say.entries.get(f"scenarios.{scenario.name}")
        # A built-in scenario that was extended keeps its name only where it kept its title.
        return known if known is not None and texts("en").entries[f"scenarios.{scenario.name}"] == written else written
