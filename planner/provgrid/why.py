"""Names the scenario that was given where a message on hard work says in general how to ask why."""

from __future__ import annotations

import contextlib
import shlex
from typing import TYPE_CHECKING

from provgrid_models.errors import ASK_WHY, InfeasibleError, NoPlanError

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence


@contextlib.contextmanager
def asking_why(scenario: str, overrides: Sequence[str]) -> Iterator[None]:
    """Let messages on hard work that cannot be served end with the command that tells why for this scenario."""
    try:
        yield
    except (InfeasibleError, NoPlanError) as error:
        raise type(error)(with_command(str(error), scenario, overrides)) from error


def with_command(text: str, scenario: str, overrides: Sequence[str]) -> str:
    """Put the command for a scenario in place of what a message says in general."""
    words = ["provgrid", "explain", scenario, "--infeasible", *(word for one in overrides for word in ("--set", one))]
    return text.replace(ASK_WHY, f"; see why: {shlex.join(words)}")


def of_front(text: str, engine: str) -> str:
    """Say why work is hard that a front keeps, instead of what helps a scenario's own hard work."""
    found, asks, _ = text.partition(ASK_WHY)
    if not asks:
        return text
    other = {"lp": "", "milp": "; take engine lp"}.get(engine, "; take engine lp, or milp for a small scenario")
    what = found.rpartition("; ")[0] if other else found  # what an engine did not find needs no change of the scenario
    return f"{what or found}; a front's other plans serve all work that its cheapest plan serves{other}"
