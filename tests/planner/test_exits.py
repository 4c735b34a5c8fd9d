"""Exit codes of a solve that has a plan."""

from __future__ import annotations

import pytest

from provgrid.exits import INTERRUPTED, SOLVED, STOPPED, exit_code
from provgrid_optimizer.certificate import Certificate


def ended(status: str, gap: float) -> Certificate:
    return Certificate(
        engine="milp",
        status=status,
        divisible=False,
        objective_yuan=100.0,
        bound_yuan=100.0 * (1.0 - gap),
        bound_method="milp",
        bound_prices_yuan=90.0,
        bound_drops=(),
        gap=gap,
        gap_jobs=gap,
        captured=None,
        best_policy=None,
        audit_violations=0,
        constants_yuan=0.0,
        passes=0,
    )


@pytest.mark.parametrize(
    ("status", "gap", "asked", "code"),
    [
        ("optimal", 1.1e-15, 0.0, SOLVED),  # rounding between objective and bound
        ("optimal", 0.065, 0.01, SOLVED),
        ("gap_reached", 1.1e-15, 0.0, SOLVED),
        ("gap_reached", 0.009, 0.01, SOLVED),
        ("time_limit", 0.009, 0.01, SOLVED),
        ("time_limit", 0.011, 0.01, STOPPED),
        ("finished", 0.011, 0.01, STOPPED),
        ("finished", 0.011, None, SOLVED),
        ("time_limit", 0.009, None, STOPPED),
        ("passes_reached", 0.009, None, STOPPED),
        ("interrupted", 0.0, 0.01, INTERRUPTED),
    ],
)
def test_the_status_and_the_gap_that_was_asked_decide(status: str, gap: float, asked: float | None, code: int) -> None:
    assert exit_code(ended(status, gap), asked) == code
