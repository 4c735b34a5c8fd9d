"""What is declared: claims, the tests that decide them, and the plans that each test compares.

A test compares two plans, A and B, or looks at one, B. Its value is what B saves against A, what B has more than A
(both as shares of A), or a figure of B: a share or a multiple. The claim holds where the value lies within the test's
limits. Everything here is data, but for how a figure is read from a plan and how a difference is explained.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Literal

from provgrid_seeds import loader

Basis = Literal["energy", "operating", "full"]
BASES: tuple[Basis, ...] = ("energy", "operating", "full")
Figures = Mapping[str, float]
Kind = Literal["saving", "rise", "level", "multiple"]
SCENARIO = "national-lite"


@dataclass(frozen=True, kw_only=True)
class Side:
    """One plan of a test: a scenario with overrides, and the engine that makes the plan."""

    label: str
    overrides: tuple[str, ...] = ()
    by_basis: Mapping[Basis, tuple[str, ...]] = field(default_factory=dict)  # added last
    scenario: str = SCENARIO
    engine: str = "lp"


@dataclass(frozen=True, kw_only=True)
class Lever:
    """How an input enters a scenario: `path` ends in `=` or `*=`, and gets offset + slope * x."""

    path: str
    offset: float = 0.0
    slope: float = 1.0

    def at(self, x: float) -> str:
        """Override for this value of the input."""
        return f"{self.path}{self.offset + self.slope * x:.10g}"


@dataclass(frozen=True, kw_only=True)
class Input:
    """A figure that is not known for sure, and the range that it may lie in.

    `stated` inputs take part in the plans at their own value too; others only replace what the scenario holds.
    """

    source: str
    label: str
    unit: str
    value: float
    low: float
    high: float
    levers: tuple[Lever, ...]
    sides: Literal["both", "a", "b"] = "both"
    bases: tuple[Basis, ...] = BASES
    stated: bool = False

    def at(self, x: float) -> tuple[str, ...]:
        """Return overrides for this value of the input."""
        return tuple(lever.at(x) for lever in self.levers)


@dataclass(frozen=True, kw_only=True)
class Quantity:
    """What is compared where it is not the cost.

    Plans of the same cost may differ in it. `dearer` and `cheaper` put a price on it that is too small to matter
    otherwise: what the optima at these two prices have brackets what every optimum has.
    """

    name: str
    unit: str
    read: Callable[[Figures], float]
    dearer: tuple[str, ...] = ()
    cheaper: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Test:
    """One comparison that decides a claim."""

    id: str
    question: str
    choice: str  # why these plans may be compared
    b: Side
    a: Side | None = None
    kind: Kind = "saving"
    quantity: Quantity | None = None  # none = the cost
    low: float = float("-inf")  # of the value; the claim holds from here
    high: float = float("inf")  # to here
    limit: str = ""  # in words
    inputs: tuple[Input, ...] = ()
    bases: tuple[Basis, ...] = BASES
    explain: Callable[[Figures, Figures], str] | None = None  # of A and B; of B twice where it is alone

    __test__ = False  # pytest: this is no test of the code


@dataclass(frozen=True, kw_only=True)
class Claim:
    """What a document says, in our own words, and what decides it; `untestable` says why nothing does."""

    id: str
    title: str
    says: str
    facts: tuple[str, ...] = ()
    published: str = ""  # the publication, where it is no document
    tests: tuple[Test, ...] = ()
    untestable: str = ""


def assumed(
    assumption_id: str,
    *levers: Lever,
    sides: Literal["both", "a", "b"] = "both",
    bases: tuple[Basis, ...] = BASES,
    stated: bool = False,
) -> Input:
    """Make an input of a named assumption."""
    known = loader.assumption(assumption_id)
    return Input(
        source=f"assumptions/{assumption_id}",
        label=_within_a_sentence(known.statement),
        unit=known.unit,
        value=known.value,
        low=known.low,
        high=known.high,
        levers=levers,
        sides=sides,
        bases=bases,
        stated=stated,
    )


def _within_a_sentence(text: str) -> str:
    """Write a statement with a small first letter, unless it starts with an abbreviation."""
    return text if text[1:2].isupper() else text[:1].lower() + text[1:]


def times(value: float, *paths: str) -> tuple[Lever, ...]:
    """Levers that multiply what stands at these paths by x over the value that it was made with."""
    return tuple(Lever(path=f"{path}*=", slope=1.0 / value) for path in paths)
