"""The certificate: how a solve ended, how good its plan is, and which method says so."""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass
from typing import Any, Literal

BoundMethod = Literal["prices", "lp", "milp", "none"]
SOLVERS_OWN: tuple[BoundMethod, ...] = ("lp", "milp")  # a solver's word, which saved prices cannot prove again

FAR = 0.05  # a wider gap is told as what it leaves open


def gap(objective_yuan: float, bound_yuan: float, of_yuan: float | None = None) -> float:
    """(objective - bound) / max(|objective|, 1 yuan), or of another cost than the objective; inf without a bound."""
    if not math.isfinite(bound_yuan):
        return math.inf
    return max(objective_yuan - bound_yuan, 0.0) / max(abs(objective_yuan if of_yuan is None else of_yuan), 1.0)


def gap_in_words(of_best: float) -> str:
    """Say how much a gap proves; a wide one proves that little is known, and is not put as if it were a merit."""
    if not math.isfinite(of_best):
        return "no bound"
    if of_best <= FAR:
        return f"proven within {of_best:.2%} of the best"
    if of_best >= 1.0:
        return f"the bound proves next to nothing: its gap is {of_best:.2%}"
    return f"the bound proves only that no plan is more than {of_best:.2%} cheaper"


def captured_share(objective_yuan: float, bound_yuan: float, best_yuan: float) -> float | None:
    """(best policy - objective) / (best policy - bound); None where the policy leaves nothing above the bound."""
    attainable_yuan = best_yuan - bound_yuan
    if not 1e-9 * max(abs(best_yuan), 1.0) < attainable_yuan < math.inf:
        return None
    return (best_yuan - objective_yuan) / attainable_yuan


@dataclass(frozen=True, kw_only=True)
class Certificate:
    """Evidence that comes with every plan. NaN or None = not known, never 0.

    Attributes
    ----------
    status : how the engine ended (`engine.Status`).
    divisible : True for a relaxation; its cost is an ideal, never a saving.
    objective_yuan, bound_yuan, gap : the plan's cost, the best proven lower bound, and the gap between them.
    bound_method : "prices" (the audit can prove it again from the saved prices), "lp" (the duals of the solver's
        relaxation, where the prices prove less) or "milp" (the solver's tree).
    bound_prices_yuan : the bound that the saved prices prove; equals `bound_yuan` where the method is "prices".
    bound_drops : rows that the bound of the prices leaves out, for none of them has a price, e.g. ("after",).
    gap_jobs : (objective - bound) / cost of the training jobs alone.
    captured : (best policy - objective) / (best policy - bound); None where policies were not run.
    best_policy : name and cost of that policy.
    audit_violations : number of broken rules; a plan with any is never shown.
    """

    engine: str
    status: str
    divisible: bool
    objective_yuan: float
    bound_yuan: float
    bound_method: BoundMethod
    bound_prices_yuan: float
    bound_drops: tuple[str, ...]
    gap: float
    gap_jobs: float
    captured: float | None
    best_policy: tuple[str, float] | None
    audit_violations: int
    constants_yuan: float
    passes: int

    def to_dict(self) -> dict[str, Any]:
        """Plain values, ready for JSON."""
        return asdict(self)
