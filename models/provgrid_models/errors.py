"""What can go wrong on the way from a folder to a plan.

ProvgridError
├── ScenarioError            the scenario is wrong; carries every finding (exit 2)
├── ArrayError               an array handed to the array level is wrong (exit 2)
├── OptionError              an option is unknown or out of range (exit 2)
├── InfeasibleError          hard work cannot be served (exit 3)
├── NoPlanError              stopped before there was any plan (exit 5)
├── SolverError              a solver failed or gave an answer it cannot stand by (exit 6)
├── MissingSolverError       a solver is not installed (exit 7)
├── WorkerLostError          a process that was started for a part of the work is gone (exit 8)
└── AuditError               a plan failed its audit; it is never shown as a result (exit 9)

Each message is one line: what was found, where, and what to do next.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from provgrid_models.findings import Finding


# Ends the messages on hard work that cannot be served; commands put their own scenario in.
ASK_WHY = "; ask provgrid explain SCENARIO --infeasible for the smallest fix"


class ProvgridError(Exception):
    """Base of every error that provgrid raises on purpose."""

    exit_code = 1


class ScenarioError(ProvgridError):
    """The scenario cannot be used; `findings` holds everything that is wrong with it."""

    exit_code = 2

    def __init__(self, message: str, findings: Sequence[Finding] = ()) -> None:
        super().__init__(message)
        self.findings = tuple(findings)


class ArrayError(ProvgridError):
    """An array of the array level has a wrong shape, type or value."""

    exit_code = 2


class OptionError(ProvgridError):
    """An option is unknown, or its value is out of range."""

    exit_code = 2


class InfeasibleError(ProvgridError):
    """Hard work that cannot be served, or a limit that the idle floor alone breaks."""

    exit_code = 3


class NoPlanError(ProvgridError):
    """The engine was stopped before it had any plan."""

    exit_code = 5


class InterruptedBeforePlanError(NoPlanError):
    """Ctrl-C stopped the engine before it had any plan."""


class SolverError(ProvgridError):
    """A solver failed, or its answer did not pass its own check."""

    exit_code = 6


class MissingSolverError(ProvgridError):
    """A solver that was asked for is not installed."""

    exit_code = 7


class WorkerLostError(ProvgridError):
    """A process that did a part of the work ended without a result."""

    exit_code = 8


class AuditError(ProvgridError):
    """A plan broke a rule in its audit."""

    exit_code = 9
