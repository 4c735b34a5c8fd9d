"""Results in words and numbers, for the command line and for the page."""

from __future__ import annotations

from typing import TYPE_CHECKING

from provgrid.experiments.judge import Interval

if TYPE_CHECKING:
    from provgrid.experiments.results import BasisResult, ClaimResult, Sensitivity, TestResult

BASIS_WORDS = {
    "energy": "energy only",
    "operating": "operating cost (energy, demand charge, network)",
    "full": "full cost (operating cost and annualised capital)",
}
MEANS = {"saving": ("saved", "more"), "rise": ("more", "less")}  # above 0, and below


def value(test: TestResult, found: Interval) -> str:
    """Value of a test: a share in per cent, or the figure itself."""
    if test.kind == "multiple":
        return _ends(found, "{:.3g}")
    if test.kind == "level":
        return _per_cent(found)
    above, below = MEANS[test.kind]
    if found.high < 0:
        return f"{_per_cent(Interval(-found.high, -found.low))} {below}"
    return f"{_per_cent(found)} {above}"


def amount(found: Interval, unit: str) -> str:
    """Write a figure with its unit; an interval that rounding cannot show is one number."""
    if unit:
        return f"{_ends(found, '{:,.0f}')} {unit}"
    return _ends(found, "{:.4g}")


def _per_cent(found: Interval) -> str:
    low, high = (100.0 * end + 0.0 for end in (found.low, found.high))
    return f"{_ends(Interval(low, high), '{:,.0f}' if min(abs(low), abs(high)) >= 1000 else '{:.3g}')} %"


def _ends(found: Interval, shape: str) -> str:
    low, high = (shape.format(end) for end in (found.low, found.high))
    return low if low == high else f"{low} to {high}"


def measured(x: float, unit: str) -> str:
    """Write a value of an input: fractions in per cent, ratios without a unit."""
    if unit == "fraction":
        return f"{100.0 * x:.3g} %"
    return f"{x:.3g}" if unit in ("", "ratio") else f"{x:,.3g} {unit}" if abs(x) < 1000 else f"{x:,.0f} {unit}"


def short(test: TestResult, one: BasisResult) -> str:
    """Verdict and value in a few words."""
    shortened = {"undecided at this gap": "undecided", "holds only if": "holds only if ..."}
    verdict = shortened.get(one.verdict, one.verdict)
    return f"{verdict} ({value(test, one.value)})"


def source(claim: ClaimResult) -> str:
    """Where a claim stands: documents and facts, or the publication."""
    if claim.published:
        return claim.published
    documents = "document" if len(claim.documents) == 1 else "documents"
    return f"{documents} {', '.join(claim.documents)}; facts {', '.join(claim.facts)}"


def computed(test: TestResult, one: BasisResult) -> list[str]:
    """Lines on what was computed: the two figures, their difference, and why they differ."""
    quantity = "" if test.quantity == "cost" else f"{test.quantity}: "
    lines = []
    if one.a is not None and one.difference is not None:
        lines.append(f"{quantity}A, {one.a.label}: {amount(one.a.figure, one.unit)}")
        lines.append(f"B, {one.b.label}: {amount(one.b.figure, one.unit)}")
        lines.append(f"A - B: {amount(one.difference, one.unit)}; {value(test, one.value)}")
    else:
        lines.append(f"{quantity}{one.b.label}: {value(test, one.value)}")
    if one.explanation:
        lines.append(one.explanation)
    return lines


def evidence(one: BasisResult) -> str:
    """One line on the plans: audits and gaps."""
    plans = [plan for plan in (one.a, one.b) if plan is not None]
    audits = "passed" if all(plan.audit_passed for plan in plans) else "FAILED"
    gap = max(plan.gap for plan in plans)
    return f"audits {audits}, gap at most {gap:.2g}" if gap > 1e-6 else f"audits {audits}, no gap"


def sensitivity(test: TestResult, one: Sensitivity) -> str:
    """One line on an input: its range, and what the value becomes at its ends."""
    ends = [measured(x, one.unit) for x in (one.low, one.taken, one.high)]
    values = [value(test, one.value_at_low), "as above", value(test, one.value_at_high)]
    at = [f"{x} gives {found}" for x, found in zip(ends, values, strict=True)]
    # The value that was taken needs no line where it is an end of the range.
    shown = [text for text, x in zip(at, (one.low, None, one.high), strict=True) if x != one.taken]
    text = f"{one.label}: {'; '.join(shown)}"
    sides = (("above", one.above), ("below", one.below))
    turns = [f"{side} {measured(x, one.unit)}" for side, x in sides if x is not None]
    return f"{text}; holds only {' and '.join(turns)}" if turns else text
