"""What a plan rests on: its cost by the quality of the figures, the named assumptions, and every number's source."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd

from provgrid.grouping import NO_SOURCE, grouped, quality_text
from provgrid_models.provenance import DRAWN_FROM
from provgrid_seeds import loader

if TYPE_CHECKING:
    from provgrid.report.subject import Subject
    from provgrid.report.wording import Wording

ASSUMED = "assumptions/"


def quality_shares(subject: Subject) -> pd.DataFrame:
    """Share of the cost by quality, by the price of each yuan and by the weakest figure behind it."""
    shares = subject.plan.quality_shares
    names = {name: None for view in shares.values() for name in view}
    return pd.DataFrame(
        {
            "quality": list(names),
            "by_price_share": [shares.get("by_price", {}).get(name, 0.0) for name in names],
            "by_weakest_share": [shares.get("by_weakest", {}).get(name, 0.0) for name in names],
        }
    ).astype({"quality": object, "by_price_share": float, "by_weakest_share": float})


def named_assumptions(subject: Subject, wording: Wording) -> pd.DataFrame:
    """Every named assumption behind a number of the scenario: value, range, and why it was chosen."""
    known = {str(row["id"]) for row in loader.table("assumptions")}
    found: dict[str, None] = {}
    for one in () if subject.plan.scenario is None else subject.plan.scenario.provenance:
        for source in one.sources:
            name = source.removeprefix(ASSUMED).partition(".")[0]
            if source.startswith(ASSUMED) and name in known:
                found[name] = None
    rows = [loader.assumption(name) for name in found]
    return pd.DataFrame(
        {
            "assumption": [row.id for row in rows],
            "statement": [wording.phrase(row.statement) for row in rows],
            "value": [row.value for row in rows],
            "unit": [row.unit for row in rows],
            "low": [row.low for row in rows],
            "high": [row.high for row in rows],
            "reason": [wording.phrase(row.why) for row in rows],
        }
    ).astype({"value": float, "low": float, "high": float})


def sources(subject: Subject, wording: Wording) -> pd.DataFrame:
    """Where the numbers of the scenario come from, those that are alike in one row."""
    groups = [] if subject.plan.scenario is None else grouped(subject.plan.scenario.provenance)
    return pd.DataFrame(
        {
            "figures": [f"{group.block}.{group.name}" for group in groups],
            "numbers": [group.numbers for group in groups],
            "value": [group.value for group in groups],
            "unit": [group.unit for group in groups],
            "quality": [quality_text(group.quality) for group in groups],
            "source": [wording.say.joined(map(wording.phrase, group.sources or (NO_SOURCE,))) for group in groups],
        }
    ).astype({"value": float, "numbers": float})


def notes(subject: Subject, wording: Wording) -> list[str]:
    """List what compiling left out, and what the scenario's author assumed in words that no table has."""
    scenario = subject.plan.scenario
    written = () if scenario is None else scenario.settings.assumptions
    known = {str(row["id"]) for row in loader.table("assumptions")}
    own = [one for one in written if one.partition(":")[0] not in known and not one.startswith(DRAWN_FROM)]
    return [wording.phrase(one) for one in (*subject.plan.problem.notes, *own)]
