"""Examines claims: makes the plans of their tests in waves, narrows down where verdicts turn, and judges.

The order of claims, the number of processes and what was in the store before change nothing of the results: every
plan is determined by its experiment, and every verdict by its plans.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

from provgrid.experiments import judge
from provgrid.experiments.execute import make
from provgrid.experiments.judge import Interval
from provgrid.experiments.plans import Experiment
from provgrid.experiments.results import BasisResult, ClaimResult, Claims, PlanFigures, Sensitivity, TestResult
from provgrid.experiments.texts import measured
from provgrid_models.errors import AuditError
from provgrid_seeds import facts as seeds

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from provgrid.experiments.declared import Basis, Claim, Input, Side, Test
    from provgrid.experiments.plans import Outcome
    from provgrid.experiments.store import Store

REFINEMENTS = 2  # further points that narrow down where a verdict turns, before a straight line says it
RULES = ("local", "cheapest", "greenest", "overflow", "siloed")  # a rule's cost is what it is: no bound takes part
Which = Literal["a", "b"]


@dataclass
class _Turn:
    """The search for the value of one input at which a test's answer turns."""

    test: Test
    basis: Basis
    factor: Input
    inside: tuple[float, float]  # value of the input, value of the test; within the limits
    outside: tuple[float, float]
    up: bool  # the end of the range that gave the other answer was the upper one
    holds_at_base: bool

    def at(self) -> float:
        """Where the line through the two points meets the limit."""
        return judge.crossing(self.inside, self.outside, self.test.low, self.test.high)


@dataclass
class _Bench:
    """The store, and how plans get into it."""

    store: Store
    jobs: int
    on_made: Callable[[Experiment], None]
    turns: list[_Turn] = field(default_factory=list)

    def make(self, experiments: Sequence[Experiment]) -> None:
        make(experiments, self.store, jobs=self.jobs, on_made=self.on_made)

    def outcome(self, experiment: Experiment) -> Outcome:
        found = self.store.get(experiment)
        assert found is not None
        if found.audit_violations:
            raise AuditError(
                f"{experiment.command}: its plan failed the audit, so it decides nothing; make it again with --again"
            )
        return found


def examine(
    claims: Sequence[Claim], store: Store, *, jobs: int = 1, on_made: Callable[[Experiment], None] = lambda _: None
) -> Claims:
    """Decide claims; plans that are in the store are not made again."""
    bench = _Bench(store, jobs, on_made)
    tests = [test for claim in claims for test in claim.tests]
    bench.make(first_wave(claims))
    bench.turns = [turn for test in tests for basis in test.bases for turn in _turns(test, basis, bench)]
    for _ in range(REFINEMENTS):
        points = [(turn, turn.at()) for turn in bench.turns]
        bench.make([one for turn, x in points for one in _pair(turn.test, turn.basis, (turn.factor, x))])
        for turn, x in points:
            _narrow(turn, x, bench)
    return Claims(inputs=inputs_digest(claims), claims=tuple(_result(claim, bench) for claim in claims))


def first_wave(claims: Sequence[Claim]) -> list[Experiment]:
    """Plans that are needed whatever the others say: the tests' own, and those at the ends of each input's range."""
    return [one for claim in claims for test in claim.tests for basis in test.bases for one in _planned(test, basis)]


def inputs_digest(claims: Sequence[Claim]) -> str:
    """SHA-256 over what the results are computed from: plans by content, limits, and the ranges of the inputs."""
    plans = sorted({one.content for one in first_wave(claims)})
    declared = [
        (claim.id, test.id, test.kind, str(test.low), str(test.high), test.quantity.name if test.quantity else "")
        for claim in claims
        for test in claim.tests
    ]
    ranges = [
        (test.id, one.source, one.value, one.low, one.high)
        for claim in claims
        for test in claim.tests
        for one in test.inputs
    ]
    return hashlib.sha256(json.dumps([plans, declared, ranges]).encode()).hexdigest()


# Plans ---------------------------------------------------------------------------------------------------------


def experiment(
    test: Test,
    which: Which,
    basis: Basis,
    varied: tuple[Input, float] | None = None,
    nudge: tuple[str, ...] = (),
) -> Experiment:
    """Plan of one side of a test, one input at another value than its own."""
    side = _side(test, which)
    parts = list(side.overrides)
    for one in test.inputs:
        if basis in one.bases and one.sides in ("both", which):
            if varied is not None and varied[0] is one:
                parts += one.at(varied[1])
            elif one.stated:
                parts += one.at(one.value)
    parts += [f"prices.basis={basis}", *side.by_basis.get(basis, ()), *nudge]
    return Experiment(side.scenario, tuple(parts), side.engine)


def _side(test: Test, which: Which) -> Side:
    side = test.a if which == "a" else test.b
    assert side is not None
    return side


def _sides(test: Test) -> tuple[Which, ...]:
    return ("b",) if test.a is None else ("a", "b")


def _pair(test: Test, basis: Basis, varied: tuple[Input, float] | None = None) -> list[Experiment]:
    return [experiment(test, which, basis, varied) for which in _sides(test)]


def _planned(test: Test, basis: Basis) -> Iterator[Experiment]:
    for which in _sides(test):
        yield from _bracket(test, which, basis)
    for one in test.inputs:
        if basis in one.bases:
            for end in (one.low, one.high):
                yield from _pair(test, basis, (one, end))


def _bracket(test: Test, which: Which, basis: Basis) -> list[Experiment]:
    """List the plan of a side, and where a quantity is looked at, those that bracket it."""
    plans = [experiment(test, which, basis)]
    if test.quantity is not None:
        plans += [
            experiment(test, which, basis, nudge=nudge)
            for nudge in (test.quantity.dearer, test.quantity.cheaper)
            if nudge
        ]
    return plans


# Values --------------------------------------------------------------------------------------------------------


def _figure(test: Test, outcomes: Sequence[Outcome]) -> Interval:
    """Interval of what is compared: a cost from its bound up, or a quantity over the plans that bracket it."""
    if test.quantity is not None:
        read = [test.quantity.read(one.figures) for one in outcomes]
        return Interval(min(read), max(read))
    (only,) = outcomes
    bound = only.objective_yuan if only.engine in RULES else min(only.bound_yuan, only.objective_yuan)
    return Interval(bound, only.objective_yuan)


def _figures(
    test: Test, basis: Basis, bench: _Bench, varied: tuple[Input, float] | None = None
) -> dict[Which, Interval]:
    """Figures of both sides, one input at another value than its own.

    Work that no pool of one side could ever serve stands beside its objective, and would look like a saving. What one
    side leaves in this way and the other doesn't is added to its cost.
    """
    plans = {
        which: _bracket(test, which, basis) if varied is None else [experiment(test, which, basis, varied)]
        for which in _sides(test)
    }
    outcomes = {which: [bench.outcome(one) for one in planned] for which, planned in plans.items()}
    found = {which: _figure(test, made) for which, made in outcomes.items()}
    if test.quantity is not None:
        return found
    never = {which: made[0].figures["never_served_yuan"] for which, made in outcomes.items()}
    in_both = min(never.values())
    return {which: judge.shifted(one, never[which] - in_both) for which, one in found.items()}


def _value(test: Test, basis: Basis, bench: _Bench, varied: tuple[Input, float] | None = None) -> Interval:
    """Value of a test, one input at another value than its own."""
    figures = _figures(test, basis, bench, varied)
    return judge.value(test.kind, figures.get("a"), figures["b"])


def _turns(test: Test, basis: Basis, bench: _Bench) -> Iterator[_Turn]:
    """Find the inputs that turn the answer within their range."""
    base = _value(test, basis, bench)
    at_base = judge.answer(base, test.low, test.high)
    for one in test.inputs:
        if basis not in one.bases or at_base == "open":
            continue
        for end in (one.low, one.high):
            there = _value(test, basis, bench, (one, end))
            at_end = judge.answer(there, test.low, test.high)
            if at_end != "open" and at_end != at_base:
                points = [(one.value, base.middle), (end, there.middle)]
                inside, outside = points if at_base == "yes" else points[::-1]
                yield _Turn(test, basis, one, inside, outside, end > one.value, at_base == "yes")


def _narrow(turn: _Turn, x: float, bench: _Bench) -> None:
    """Replace the end of the bracket that a new point lies on the same side of."""
    found = _value(turn.test, turn.basis, bench, (turn.factor, x)).middle
    if turn.test.low <= found <= turn.test.high:
        turn.inside = (x, found)
    else:
        turn.outside = (x, found)


# Results -------------------------------------------------------------------------------------------------------


def _result(claim: Claim, bench: _Bench) -> ClaimResult:
    return ClaimResult(
        id=claim.id,
        title=claim.title,
        says=claim.says,
        documents=tuple(dict.fromkeys(seeds.fact(one).document for one in claim.facts)),
        facts=claim.facts,
        published=claim.published,
        tests=tuple(
            TestResult(
                id=test.id,
                question=test.question,
                choice=test.choice,
                kind=test.kind,
                quantity=test.quantity.name if test.quantity else "cost",
                limit=test.limit,
                by_basis=tuple(_judged(test, basis, bench) for basis in test.bases),
            )
            for test in claim.tests
        ),
        untestable=claim.untestable,
        command=f"provgrid claims {claim.id}",
    )


def _judged(test: Test, basis: Basis, bench: _Bench) -> BasisResult:
    """Verdict of a test on one basis."""
    figures = _figures(test, basis, bench)
    found = judge.value(test.kind, figures.get("a"), figures["b"])
    said = judge.answer(found, test.low, test.high)
    turns = [turn for turn in bench.turns if turn.test is test and turn.basis == basis]
    conditions = tuple(_condition(turn) for turn in turns)
    if said == "open":
        verdict: judge.Verdict = "undecided at this gap"
    elif conditions:
        verdict = "holds only if"
    else:
        verdict = "holds" if said == "yes" else "does not hold"
    plans = {which: _plan(test, which, basis, figures[which], bench) for which in _sides(test)}
    explanation = ""
    if test.explain is not None:
        read = [bench.outcome(experiment(test, which, basis)).figures for which in _sides(test)]
        explanation = test.explain(read[0], read[-1])
    return BasisResult(
        basis=basis,
        verdict=verdict,
        conditions=conditions,
        value=found,
        difference=judge.difference(figures["a"], figures["b"]) if "a" in figures else None,
        unit=test.quantity.unit if test.quantity else "yuan",
        a=plans.get("a"),
        b=plans["b"],
        sensitivities=tuple(_sensitivity(test, basis, one, turns, bench) for one in test.inputs if basis in one.bases),
        explanation=explanation,
        value_inside=said == "yes",
    )


def _condition(turn: _Turn) -> str:
    """Say on which side of which value an input has to lie."""
    factor = turn.factor
    side = "above" if turn.up != turn.holds_at_base else "below"
    return (
        f"{factor.label} is {side} {measured(turn.at(), factor.unit)} (taken as {measured(factor.value, factor.unit)})"
    )


def _sensitivity(test: Test, basis: Basis, one: Input, turns: Sequence[_Turn], bench: _Bench) -> Sensitivity:
    of_input = [turn for turn in turns if turn.factor is one]
    above = [turn.at() for turn in of_input if turn.up != turn.holds_at_base]
    below = [turn.at() for turn in of_input if turn.up == turn.holds_at_base]
    return Sensitivity(
        source=one.source,
        label=one.label,
        unit=one.unit,
        taken=one.value,
        low=one.low,
        high=one.high,
        value_at_low=_value(test, basis, bench, (one, one.low)),
        value_at_high=_value(test, basis, bench, (one, one.high)),
        above=above[0] if above else None,
        below=below[0] if below else None,
    )


def _plan(test: Test, which: Which, basis: Basis, figure: Interval, bench: _Bench) -> PlanFigures:
    planned = experiment(test, which, basis)
    found = bench.outcome(planned)
    return PlanFigures(
        label=_side(test, which).label,
        figure=figure,
        objective_yuan=found.objective_yuan,
        bound_yuan=found.bound_yuan,
        gap=found.gap,
        status=found.status,
        divisible=found.divisible,
        audit_rules=found.audit_rules,
        audit_passed=found.audit_violations == 0,
        command=planned.command,
    )
