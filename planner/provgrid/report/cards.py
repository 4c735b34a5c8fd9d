"""Five cards, one for each question that planners ask first."""

from __future__ import annotations

import math
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from provgrid.report import rows
from provgrid.report.unserved import share_left, unserved
from provgrid_optimizer.answers.exactly import EXACT, worth_solving_exactly
from provgrid_optimizer.certificate import FAR

if TYPE_CHECKING:
    from collections.abc import Callable

    import pandas as pd

    from provgrid.report.subject import Subject
    from provgrid.report.wording import Wording

MOST = 3  # so many of each kind are named
NONE_SHARE = 1e-9


@dataclass(frozen=True)
class Answer:
    """What one run says to a question: a sentence, points below it, and what to ask next."""

    run: str
    sentence: str
    points: tuple[str, ...]


@dataclass(frozen=True)
class Card:
    """A question, every run's answer to it, and the command that says more."""

    key: str
    question: str
    answers: tuple[Answer, ...]
    more: str
    command: str


def cards(subjects: tuple[Subject, ...], wording: Wording) -> tuple[Card, ...]:
    """Answer the five questions for every run."""
    made = []
    for key, answer in ANSWERS.items():
        answers = []
        for subject in subjects:
            sentence, points = answer(subject, wording)
            answers.append(Answer(subject.name, sentence, tuple(points)))
        more, command = f"cards.{key}.more", COMMANDS[key]
        if key == "sure" and any(worth_solving_exactly(subject.plan) for subject in subjects):
            more, command = "cards.sure.exact", f"provgrid solve SCENARIO {EXACT}"
        made.append(Card(key, wording.say(f"cards.{key}.question"), tuple(answers), wording.say(more), command))
    return tuple(made)


def _where(subject: Subject, wording: Wording) -> tuple[str, list[str]]:
    say, numbers, pairs = wording.say, wording.numbers, rows.held_by_pair(subject)
    total = float(pairs["accelerator_h"].sum())
    if total <= 0:
        return say("cards.where.nothing"), []
    away = pairs[(pairs["from_province"] != pairs["to_province"]) & (pairs["accelerator_h"] > 0)]
    share = float(away["accelerator_h"].sum()) / total
    sentence = say("cards.where.away", share=numbers.percent(share), hours=_hours(total, wording))
    points = []
    clusters = rows.clusters(subject).nlargest(MOST, "accelerator_h")
    places = wording.places(subject.plan.scenario)
    parts = [
        say("cards.where.cluster", cluster=places.get(name, name), share=numbers.percent(hours / total))
        for name, hours in zip(clusters["cluster"], clusters["accelerator_h"], strict=True)
        if hours > 0
    ]
    points.append(say("cards.where.clusters", clusters=wording.say.joined(parts)))
    points += [
        say(
            "cards.where.pair",
            home=wording.term("provinces", str(pair["from_province"])),
            there=wording.term("provinces", str(pair["to_province"])),
            hours=_hours(float(pair["accelerator_h"]), wording),
            share=numbers.percent(float(pair["accelerator_h"]) / total),
        )
        for pair in _records(away.nlargest(MOST, "accelerator_h"))
    ]
    return sentence, points


def _saves(subject: Subject, wording: Wording) -> tuple[str, list[str]]:
    say, numbers, certificate = wording.say, wording.numbers, subject.certificate
    if certificate.divisible:
        return say("cards.saves.ideal"), []
    best = certificate.best_policy
    against = best[0] if best is not None else ""
    if against not in subject.savings:
        return say("cards.saves.is_best" if against else "cards.saves.no_policy"), []
    sentence = say(
        "cards.saves.sentence",
        share=numbers.percent(subject.savings[against]),
        policy=wording.term("engines", against),
    )
    points = []
    if "local" in subject.savings and against != "local":
        local = subject.policies["local"]
        points.append(
            say(
                "cards.saves.local",
                share=numbers.percent(subject.savings["local"]),
                left=share_left(local.unserved_share, subject.plan.problem, wording),
            )
        )
    if certificate.captured is not None and certificate.captured > 0:
        points.append(say("cards.saves.captured", share=numbers.percent(certificate.captured)))
    parts = sorted(subject.plan.component_costs.by_component().items(), key=lambda item: -item[1])
    named = [f"{wording.term('components', name)} {numbers.yuan(yuan)}" for name, yuan in parts[:MOST] if yuan > 0]
    if named:
        points.append(say("cards.saves.components", parts=say.joined(named)))
    return sentence, points


def _binds(subject: Subject, wording: Wording) -> tuple[str, list[str]]:
    say, numbers = wording.say, wording.numbers
    pools = rows.pools(subject)
    scarce = pools[pools["one_more_yuan"] > rows.WORTHLESS_YUAN].nlargest(MOST, "one_more_yuan")
    hours = float(subject.plan.problem.hours.sum())
    points = [
        say(
            "cards.binds.pool",
            pool=row["pool"],
            yuan=numbers.yuan(float(row["one_more_yuan"])),
            hours=numbers.number(float(row["one_more_h"])),
            all=numbers.number(hours),
        )
        for row in _records(scarce)
    ]
    links = rows.links(subject)
    scarce = links[links["one_more_gbps_yuan"] > rows.WORTHLESS_YUAN].nlargest(MOST, "one_more_gbps_yuan")
    points += [
        say("cards.binds.link", link=row["link"], yuan=numbers.yuan(float(row["one_more_gbps_yuan"])))
        for row in _records(scarce)
    ]
    full = int((pools["full_h"] > 0).sum())
    count = int((pools["one_more_yuan"] > rows.WORTHLESS_YUAN).sum())
    if not count:
        return say("cards.binds.nothing"), points
    sentence = say(
        "cards.binds.sentence", count=numbers.number(count), pools=numbers.number(len(pools)), full=numbers.number(full)
    )
    return sentence, points


def _left(subject: Subject, wording: Wording) -> tuple[str, list[str]]:
    say, numbers = wording.say, wording.numbers
    left = unserved(subject, wording)
    if left.empty:
        return say("cards.left.nothing"), []
    counts = Counter(left["work"])
    sentence = say(
        "cards.left.sentence",
        share=numbers.percent(subject.plan.unserved_share),
        jobs=numbers.number(counts["training"]),
        services=numbers.number(counts["inference"]),
        yuan=numbers.yuan(float(left.loc[left["work"] != "never", "cost_yuan"].replace(np.inf, np.nan).sum())),
    )
    points = []
    if counts["never"]:
        points.append(say("cards.left.never", count=numbers.number(counts["never"])))
    for why, count in Counter(left["why"]).most_common(MOST):
        points.append(say("cards.left.why", why=why, count=numbers.number(count)))
    return sentence, points


def _sure(subject: Subject, wording: Wording) -> tuple[str, list[str]]:
    say, numbers, certificate = wording.say, wording.numbers, subject.certificate
    if math.isfinite(certificate.gap):
        told = "proven" if certificate.gap <= FAR else "far"
        sentence = say(f"cards.sure.{told}", gap=numbers.percent(certificate.gap))
    else:
        sentence = say("cards.sure.unproven")
    points = [say(f"cards.sure.bound_{certificate.bound_method}")]
    if math.isfinite(certificate.gap_jobs) and subject.plan.problem.n_jobs:
        points.append(say("cards.sure.gap_jobs", gap=numbers.percent(certificate.gap_jobs)))
    points.append(say("cards.sure.audit", rules=numbers.number(len(subject.plan.audit.checks))))
    shares = subject.plan.quality_shares.get("by_price", {})
    if shares:
        parts = [
            f"{wording.term('qualities', name)} {numbers.percent(share)}"
            for name, share in shares.items()
            if abs(share) > NONE_SHARE
        ]
        points.append(say("cards.sure.quality", parts=say.joined(parts)))
    return sentence, points


def _records(frame: pd.DataFrame) -> list[dict[str, Any]]:
    """Rows as dictionaries."""
    records: list[dict[str, Any]] = frame.to_dict("records")  # type: ignore[assignment]
    return records


def _hours(hours: float, wording: Wording) -> str:
    """Write accelerator-hours."""
    return wording.numbers.with_unit(hours, wording.say("units.accelerator_h"))


ANSWERS: dict[str, Callable[[Subject, Wording], tuple[str, list[str]]]] = {
    "where": _where,
    "saves": _saves,
    "binds": _binds,
    "left": _left,
    "sure": _sure,
}
COMMANDS = {
    "where": "provgrid ledger RUN",
    "saves": "provgrid compare RUN --against local",
    "binds": "provgrid value RUN --of POOL",
    "left": "provgrid explain RUN --job JOB",
    "sure": "provgrid solve SCENARIO --uncertain",
}
