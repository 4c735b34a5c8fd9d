"""What an audit says: the rules that it knows, the violations that it found, and the recorder that gathers them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from provgrid_models.words import counted

RELATIVE_TOLERANCE = 1e-6  # of the limit, or of 1 where the limit is smaller
KEPT_PER_RULE = 20  # a plan of a million jobs can break one rule a million times; the worst ones tell the story


Where = Callable[[int], str]  # names a flat position


def here(where: str) -> Where:
    """Name a single place, whatever the position."""
    return lambda _: where


_nothing = here("")


class Rule(StrEnum):
    """The rules of a plan, by the name that a violation carries."""

    UNKNOWN_ID = "unknown_id"  # a row names something that the scenario does not have
    DUPLICATE = "duplicate"  # two rows say the same thing
    NOT_FINITE = "not_finite"  # a NaN or an infinity where a number belongs
    NEGATIVE = "negative"  # an amount below 0
    SHARE = "share"  # shares of a job sum to at most 1, and are 0 or 1 in an indivisible plan
    POOL_CLOSED = "pool_closed"  # work in a pool that is closed to it
    WINDOW = "window"  # running before the data is there or after the deadline
    WORK = "work"  # accelerator-hours delivered = share * accelerator-hours asked
    LIMIT = "limit"  # accelerators <= share * max_accelerators
    GANG = "gang"  # a rigid job holds its whole gang, in one piece, for its whole duration
    AFTER = "after"  # a vertical runs after its base has finished and its checkpoint has moved
    HARD = "hard"  # hard work is served in full
    DEMAND = "demand"  # a service gets at most what it asks
    CAPACITY = "capacity"  # accelerators in use <= accelerators there
    BALANCE = "balance"  # power supplied = floor + power of the work
    SUPPLY_LIMIT = "supply_limit"  # power from a block <= what the block has
    PEAK = "peak"  # grid power <= the peak that the demand charge bills
    LINK_LIMIT = "link_limit"  # traffic <= bandwidth
    MISSING_LINK = "missing_link"  # traffic on a link that does not exist
    TRAFFIC = "traffic"  # traffic claimed = traffic of the moves and services
    CARBON_BUDGET = "carbon_budget"  # CO2 of all supply <= budget
    COST = "cost"  # each cost component claimed = recomputed
    OBJECTIVE = "objective"  # objective = sum of the costs
    CONSTANTS = "constants"  # constants claimed = recomputed
    MULTIPLIERS = "multipliers"  # prices >= 0, the peak's within the demand charge
    BOUND = "bound"  # the bound claimed <= the bound that the saved prices prove
    CERTIFICATE = "certificate"  # whatever else a run states follows from its rows, costs and bounds
    BOUND_ABOVE_OBJECTIVE = "bound_above_objective"  # no bound lies above the cost of a plan


@dataclass(frozen=True)
class Violation:
    """One broken rule: where, what was found, what the limit is, and by how much it is missed."""

    rule: str
    where: str
    found: float
    limit: float
    amount: float
    note: str = ""

    def text(self) -> str:
        """One line: the rule, where it was broken, what was found, what the limit is."""
        text = f"{self.rule}: {self.where}: found {self.found:.9g}, limit {self.limit:.9g}"
        return f"{text} ({self.note})" if self.note else text

    def __str__(self) -> str:
        return self.text()


@dataclass(frozen=True, kw_only=True)
class AuditReport:
    """Result of an audit.

    `violations` holds the worst few of each rule, `counts` how often each rule was broken. `costs`, `objective_yuan`,
    `bound_yuan` and `constants_yuan` are the audit's own; `bound_yuan` is NaN where no prices were saved.
    """

    violations: tuple[Violation, ...]
    counts: dict[str, int]
    costs: dict[str, float]
    objective_yuan: float
    bound_yuan: float
    constants_yuan: float
    checks: tuple[str, ...]
    seconds: float

    @property
    def passed(self) -> bool:
        """Whether no rule was broken."""
        return not self.counts

    @property
    def n_violations(self) -> int:
        """How many times a rule was broken, all told."""
        return sum(self.counts.values())

    def summary(self) -> str:
        """One line for people."""
        if self.passed:
            return f"audit passed: {counted(len(self.checks), 'rule')} in {self.seconds:.1f} s"
        return f"audit failed: {counted(self.n_violations, 'violation')}, first: {self.violations[0]}"


def tolerance(limit: ArrayLike) -> NDArray[np.float64]:
    """Return the rounding that is forgiven at a limit: 1e-6 of it, or of 1 where it is smaller (or infinite)."""
    size = np.abs(np.asarray(limit, dtype=np.float64))
    return RELATIVE_TOLERANCE * np.maximum(np.where(np.isfinite(size), size, 1.0), 1.0)


@dataclass
class Recorder:
    """Gathers violations and the names of the rules that were checked."""

    violations: list[Violation] = field(default_factory=list)
    counts: Counter[str] = field(default_factory=Counter)
    checks: list[str] = field(default_factory=list)

    def began(self, rule: Rule) -> None:
        """Note that a rule is being checked."""
        if rule.value not in self.checks:
            self.checks.append(rule.value)

    def at_most(self, rule: Rule, found: ArrayLike, limit: ArrayLike, where: Where, note: str = "") -> None:
        """Every `found[i] <= limit[i]` within the tolerance; `where(i)` names a flat position."""
        measured, allowed = np.broadcast_arrays(np.asarray(found, np.float64), np.asarray(limit, np.float64))
        with np.errstate(invalid="ignore"):
            excess = measured - allowed
            broken = excess > tolerance(allowed)
        self._keep(rule, broken, measured, allowed, excess, where, here(note))

    def equal(self, rule: Rule, found: ArrayLike, expected: ArrayLike, where: Where, note: str = "") -> None:
        """Every `found[i] == expected[i]` within the tolerance."""
        measured, wanted = np.broadcast_arrays(np.asarray(found, np.float64), np.asarray(expected, np.float64))
        difference = np.abs(measured - wanted)
        self._keep(rule, difference > tolerance(wanted), measured, wanted, difference, where, here(note))

    def never(
        self,
        rule: Rule,
        broken: ArrayLike,
        found: ArrayLike,
        limit: ArrayLike,
        where: Where,
        note: Where = _nothing,
    ) -> None:
        """No `broken[i]` is true, whatever the amounts; the note says what is wrong."""
        flags, measured, allowed = np.broadcast_arrays(
            np.asarray(broken, np.bool_), np.asarray(found, np.float64), np.asarray(limit, np.float64)
        )
        if not flags.any():
            self.began(rule)
            return
        with np.errstate(invalid="ignore"):
            amount = np.nan_to_num(np.abs(measured - allowed), nan=np.inf)
        self._keep(rule, flags, measured, allowed, amount, where, note)

    def _keep(
        self,
        rule: Rule,
        broken: NDArray[np.bool_],
        found: NDArray[np.float64],
        limit: NDArray[np.float64],
        amount: NDArray[np.float64],
        where: Where,
        note: Where,
    ) -> None:
        self.began(rule)
        at: NDArray[Any] = np.flatnonzero(broken.ravel())
        if at.size == 0:
            return
        self.counts[rule.value] += int(at.size)
        sizes = amount.ravel()[at]
        worst = at[np.argsort(-sizes, kind="stable")[:KEPT_PER_RULE]]
        self.violations.extend(
            Violation(
                rule.value,
                where(int(i)),
                float(found.ravel()[i]),
                float(limit.ravel()[i]),
                float(amount.ravel()[i]),
                note(int(i)),
            )
            for i in worst
        )
