"""The page of claims: what documents say, what was computed, and what follows."""

from __future__ import annotations

from typing import TYPE_CHECKING

from provgrid.experiments import texts
from provgrid_seeds.build_national_lite import REGIONS, SITES

if TYPE_CHECKING:
    from provgrid.experiments.results import BasisResult, ClaimResult, Claims, TestResult

MARK = "<!-- inputs: {} -->"
HEAD = """# Claims

What the documents that the project starts from say about computing power, put to the test. Made by
`provgrid claims --page docs/claims.md`; every number below is computed, and no verdict is typed in.

Each test compares two audited plans, A and B, of `national-lite`: {regions} regions, {sites} sites, two typical
days that stand for a year, work in classes that are divisible by nature, so that the linear program's optimum is the
answer. Costs are those of the share of the country's machines that the scenario plans ({share:g} of them). A verdict
follows from the interval [bound A - objective B, objective A - bound B], and where something else than the cost is
compared, from the least and the most of it that plans of nearly least cost have. It is given on three bases: energy
only, operating cost, and full cost with annualised capital. "Holds only if" names the value of an assumed input at
which the verdict turns within the input's range; the point is found by solving again. What differs by less than a
hundredth is not counted as a difference.
"""
NATIONAL = """
## The same on `national`

Thousands of indivisible jobs, 31 provinces, a week, planned by the heuristic with its own bound, on operating cost:
`provgrid claims --national`. Gaps are wider here, and the intervals with them.
"""


def page(results: Claims, national: Claims | None, planned_share: float) -> str:
    """Markdown of all claims, those on `national` in a section of their own."""
    parts = [
        f"{MARK.format(results.inputs)}\n{HEAD.format(share=planned_share, regions=len(REGIONS), sites=len(SITES))}",
        _overview(results),
        *(_claim(one, "##") for one in results.claims),
    ]
    if national is not None:
        parts += [NATIONAL.strip() + "\n", _overview(national, whole=False)]
        parts += [_claim(one, "###") for one in national.claims]
    return "\n".join(parts)


def inputs_of(text: str) -> str:
    """Digest of the inputs that a page was made from; blank where it names none."""
    first = text.partition("\n")[0]
    before, after = MARK.split("{}")
    inside = first.startswith(before) and first.endswith(after)
    return first.removeprefix(before).removesuffix(after) if inside else ""


def _overview(results: Claims, *, whole: bool = True) -> str:
    rows = ["| claim | test | energy | operating | full |", "|---|---|---|---|---|"]
    for claim in results.claims:
        for test in claim.tests:
            found = {one.basis: texts.short(test, one) for one in test.by_basis}
            cells = [found.get(basis, "-") for basis in ("energy", "operating", "full")]
            rows.append(f"| {claim.title} | {test.id} | {' | '.join(cells)} |")
        if whole and not claim.tests:
            rows.append(f"| {claim.title} | cannot be tested | - | - | - |")
    return "\n".join(rows) + "\n"


def _claim(claim: ClaimResult, heading: str) -> str:
    lines = [f"{heading} {claim.title}", "", f"{claim.says} ({texts.source(claim)})", ""]
    if claim.untestable:
        lines += [f"**Cannot be tested.** {claim.untestable}", ""]
    for test in claim.tests:
        lines += _test(test)
    if claim.tests:
        lines += [f"Again: `{claim.command}`", ""]
    return "\n".join(lines)


def _test(test: TestResult) -> list[str]:
    lines = [f"**{test.id}.** {test.question} Holds if: {test.limit}. {test.choice}", ""]
    for one in test.by_basis:
        lines += _basis(test, one)
    lines += ["<details><summary>Plans</summary>", "", "```"]
    lines += [plan.command for one in test.by_basis for plan in (one.a, one.b) if plan is not None]
    return [*lines, "```", "", "</details>", ""]


def _basis(test: TestResult, one: BasisResult) -> list[str]:
    lines = [f"- {texts.BASIS_WORDS[one.basis]}: **{one.words}**"]
    lines += [f"  - {line}" for line in texts.computed(test, one)]
    lines += [f"  - {texts.sensitivity(test, each)}" for each in one.sensitivities]
    return [*lines, f"  - {texts.evidence(one)}", ""]
