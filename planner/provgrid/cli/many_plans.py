"""What commands share which make many plans of one scenario: options, and how what plans leave is told."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from provgrid.cli import completion

if TYPE_CHECKING:
    from collections.abc import Sequence

ScenarioName = Annotated[
    str, typer.Argument(help="Folder of a scenario, or a built-in one.", autocompletion=completion.scenarios)
]
Gap = Annotated[float | None, typer.Option(help="Stop each plan within this fraction of its bound.")]
TimeLimit = Annotated[float | None, typer.Option(help="Stop each plan after this many seconds.")]
Passes = Annotated[int | None, typer.Option(help="Stop each plan after this many improvement passes.")]
Seed = Annotated[int, typer.Option(help="Seed of all random choices.")]


def share_left(unserved_share: float, never_served_yuan: float | None) -> str:
    """Write the share that a plan leaves, marked * where it does not count work that no pool can serve."""
    return f"{unserved_share:.2%}{'*' if never_served_yuan else ''}"


def never_served(values_yuan: Sequence[float]) -> str:
    """Say that shares marked * do not count work that no pool can serve, and what it is worth; "" without any."""
    yuan = [value for value in values_yuan if value]
    if not yuan:
        return ""
    return (
        f"* of what some pool can serve; beside it {span(yuan, ',.0f')} yuan of work that no pool can serve, which "
        "is among the constants"
    )


def span(values: Sequence[float], how: str) -> str:
    """Write one figure, or the least and the most where they differ."""
    least, most = format(min(values), how), format(max(values), how)
    return least if least == most else f"{least} to {most}"
