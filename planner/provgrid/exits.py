"""Exit codes of the command line (the errors carry their own, see models/errors.py)."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from provgrid_optimizer.certificate import Certificate

SOLVED = 0
FAILED = 1
BAD_INPUT = 2
STOPPED = 4
MISSING_SOLVER = 7
AUDIT_FAILED = 9
INTERRUPTED = 130
NOT_READ = 141

ROUNDING = 1e-9  # a gap of 0 that was reached may show as 1e-15

MEANINGS = {
    0: "solved, within the gap where one was asked",
    1: "a fault in provgrid itself",
    2: "bad input",
    3: "infeasible by hard rows",
    4: "stopped above the asked gap or at a limit, plan written",
    5: "stopped without a plan",
    6: "a solver failed",
    7: "a solver is missing",
    8: "a worker was lost",
    9: "the audit failed",
    130: "interrupted, best plan written if there is one",
    141: "whoever read the output left before its end, as head does",
}


def exit_code(certificate: Certificate, asked_gap: float | None) -> int:
    """Code of a solve that has a plan. Proof or the gap that was asked decides, or else a limit that cut it short."""
    if certificate.status == "interrupted":
        return INTERRUPTED
    if certificate.status == "optimal":
        return SOLVED
    if asked_gap is not None:
        return SOLVED if certificate.gap <= asked_gap + ROUNDING else STOPPED
    return STOPPED if certificate.status in ("time_limit", "passes_reached") else SOLVED
