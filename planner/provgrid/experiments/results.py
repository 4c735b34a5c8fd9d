"""What an examination of claims gives back: frozen, and plain values on demand."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from provgrid.experiments.declared import Basis, Kind
    from provgrid.experiments.judge import Interval, Verdict


@dataclass(frozen=True, kw_only=True)
class PlanFigures:
    """One plan of a comparison: what was compared of it, its evidence, and the command that makes it again."""

    label: str
    figure: Interval  # cost in yuan between bound and objective, or the quantity over all optima
    objective_yuan: float
    bound_yuan: float
    gap: float
    status: str
    divisible: bool
    audit_rules: int
    audit_passed: bool
    command: str


@dataclass(frozen=True, kw_only=True)
class Sensitivity:
    """What the value becomes at the ends of an input's range, and where it would cross a limit."""

    source: str
    label: str
    unit: str
    taken: float
    low: float
    high: float
    value_at_low: Interval
    value_at_high: Interval
    below: float | None = None  # the claim holds only below this value of the input
    above: float | None = None  # only above this one


@dataclass(frozen=True, kw_only=True)
class BasisResult:
    """Verdict of a test on one cost basis, with the interval that it was computed from."""

    basis: Basis
    verdict: Verdict
    conditions: tuple[str, ...]
    value: Interval
    difference: Interval | None  # of A over B, in the unit of the figures; None where one plan is looked at alone
    unit: str
    a: PlanFigures | None
    b: PlanFigures
    sensitivities: tuple[Sensitivity, ...]
    explanation: str = ""

    @property
    def words(self) -> str:
        """The verdict with its conditions."""
        joint = " and " if self.value_inside else " or "
        return f"{self.verdict} {joint.join(self.conditions)}" if self.conditions else self.verdict

    value_inside: bool = False


@dataclass(frozen=True, kw_only=True)
class TestResult:
    """One comparison on all its cost bases."""

    id: str
    question: str
    choice: str
    kind: Kind
    quantity: str
    limit: str
    by_basis: tuple[BasisResult, ...]

    __test__ = False  # pytest: this is no test of the code


@dataclass(frozen=True, kw_only=True)
class ClaimResult:
    """A claim, where it stands, and what was found."""

    id: str
    title: str
    says: str
    documents: tuple[str, ...]
    facts: tuple[str, ...]
    published: str
    tests: tuple[TestResult, ...]
    untestable: str
    command: str

    def to_dict(self) -> dict[str, Any]:
        """Plain values, ready for JSON; a claim without tests carries its verdict itself."""
        plain = asdict(self)
        if not self.tests:
            plain["verdict"] = "cannot be tested"
        for test in plain["tests"]:
            for one in test["by_basis"]:
                del one["value_inside"]
        for test, result in zip(plain["tests"], self.tests, strict=True):
            for one, found in zip(test["by_basis"], result.by_basis, strict=True):
                one["words"] = found.words
        return plain


@dataclass(frozen=True, kw_only=True)
class Claims:
    """All results of one examination, and the digest of what they were computed from."""

    inputs: str
    claims: tuple[ClaimResult, ...]

    def to_dict(self) -> dict[str, Any]:
        """Plain values, ready for JSON."""
        return {"inputs": self.inputs, "claims": [one.to_dict() for one in self.claims]}

    def __getitem__(self, claim_id: str) -> ClaimResult:
        """Return a claim by its id."""
        for one in self.claims:
            if one.id == claim_id:
                return one
        raise KeyError(claim_id)
