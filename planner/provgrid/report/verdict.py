"""The verdict: in a few sentences and six figures, what a plan is worth and how sure that is."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

from provgrid.report.rows import WORTHLESS_YUAN
from provgrid.report.unserved import share_left
from provgrid_optimizer.certificate import FAR

if TYPE_CHECKING:
    from provgrid.report.subject import Subject
    from provgrid.report.wording import Wording

NOTHING = 1e-9  # a share below this is rounding
PROVEN = 1e-6  # a gap below this is none


@dataclass(frozen=True)
class Tile:
    """One headline figure."""

    label: str
    value: str
    note: str


@dataclass(frozen=True, kw_only=True)
class Verdict:
    """What stands at the top of a report. `good` says whether the plan is one, audited and with a proof."""

    name: str
    headline: str
    sentences: tuple[str, ...]
    tiles: tuple[Tile, ...]
    good: bool


def verdict(subject: Subject, wording: Wording) -> Verdict:
    """Say what a plan is worth."""
    return Verdict(
        name=subject.name,
        headline=_headline(subject, wording),
        sentences=tuple(_sentences(subject, wording)),
        tiles=tuple(_tiles(subject, wording)),
        good=not subject.certificate.divisible and math.isfinite(subject.certificate.gap),
    )


def _headline(subject: Subject, wording: Wording) -> str:
    certificate, say, numbers = subject.certificate, wording.say, wording.numbers
    cost, gap = numbers.yuan(certificate.objective_yuan), numbers.percent(certificate.gap)
    if certificate.divisible:
        return say("verdict.ideal", cost=cost)
    if not math.isfinite(certificate.gap):
        return say("verdict.unproven", cost=cost)
    told = "best" if certificate.gap <= PROVEN else "within" if certificate.gap <= FAR else "far"
    return say(f"verdict.{told}", cost=cost, gap=gap)


def _sentences(subject: Subject, wording: Wording) -> list[str]:
    certificate, say, numbers = subject.certificate, wording.say, wording.numbers
    said = [say(f"status.{certificate.status}", engine=wording.term("engines", subject.plan.engine))]
    if math.isfinite(certificate.gap) and not certificate.divisible and certificate.gap > PROVEN:
        most = numbers.yuan(certificate.objective_yuan - certificate.bound_yuan)
        said.append(say("verdict.at_most", yuan=most, bound=numbers.yuan(certificate.bound_yuan)))
    share = subject.plan.unserved_share
    said.append(say("verdict.all_served") if share < NOTHING else say("verdict.left", share=numbers.percent(share)))
    never = subject.plan.problem.never_served
    if never:
        said.append(say("verdict.never", count=numbers.number(len(never))))
    said.append(say("verdict.audited", rules=numbers.number(len(subject.plan.audit.checks))))
    return said


def _tiles(subject: Subject, wording: Wording) -> list[Tile]:
    certificate, say, numbers = subject.certificate, wording.say, wording.numbers
    plan = subject.plan
    tiles = [
        Tile(say("tiles.cost"), numbers.yuan(certificate.objective_yuan), _cost_note(subject, wording)),
        Tile(say("tiles.gap"), numbers.percent(certificate.gap), say("tiles.gap_note")),
        Tile(say("tiles.unserved"), numbers.percent(plan.unserved_share), _unserved_note(subject, wording)),
        Tile(
            say("tiles.carbon"),
            numbers.with_unit(plan.component_costs.carbon_kg / 1000.0, say("units.t")),
            say("tiles.carbon_note"),
        ),
        _saving(subject, wording, "local", say("tiles.local")),
    ]
    best = certificate.best_policy
    if best is None:
        return [*tiles, Tile(say("tiles.best"), say("tiles.none"), say("tiles.no_policy"))]
    return [*tiles, _saving(subject, wording, best[0], say("tiles.best"))]


def _cost_note(subject: Subject, wording: Wording) -> str:
    """Name what the cost is made of: the basis, prices and the plan say which components there are."""
    yuan_of = subject.plan.component_costs.by_component()
    parts = [wording.term("components", name) for name, yuan in yuan_of.items() if abs(yuan) >= WORTHLESS_YUAN]
    return (
        wording.say("tiles.cost_note", parts=wording.say.joined(parts))
        if parts
        else wording.say("tiles.cost_nothing_note")
    )


def _unserved_note(subject: Subject, wording: Wording) -> str:
    """Say what the share is of: work that no pool can serve is in neither of its two sides."""
    problem, say, numbers = subject.plan.problem, wording.say, wording.numbers
    if not problem.never_served:
        return say("tiles.unserved_note")
    count, yuan = numbers.number(len(problem.never_served)), numbers.yuan(problem.never_served_yuan)
    return say("tiles.unserved_never_note", count=count, yuan=yuan)


def _saving(subject: Subject, wording: Wording, policy: str, label: str) -> Tile:
    """Say the saving against a policy; a relaxation and a policy beside itself have none, and say why."""
    say, numbers = wording.say, wording.numbers
    name = wording.term("engines", policy)
    if subject.certificate.divisible:
        return Tile(label, say("tiles.none"), say("tiles.ideal_saves_nothing"))
    if policy == subject.plan.engine:
        return Tile(label, say("tiles.none"), say("tiles.same", policy=name))
    if policy not in subject.policies:
        return Tile(label, say("tiles.none"), say("tiles.no_policy"))
    left = share_left(subject.policies[policy].unserved_share, subject.plan.problem, wording)
    return Tile(label, numbers.percent(subject.savings[policy]), say("tiles.saving_note", policy=name, left=left))
