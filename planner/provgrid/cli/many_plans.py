"""Options that commands share which make many plans of one scenario."""

from __future__ import annotations

from typing import Annotated

import typer

from provgrid.cli import completion

ScenarioName = Annotated[
    str, typer.Argument(help="Folder of a scenario, or a built-in one.", autocompletion=completion.scenarios)
]
Gap = Annotated[float | None, typer.Option(help="Stop each plan within this fraction of its bound.")]
TimeLimit = Annotated[float | None, typer.Option(help="Stop each plan after this many seconds.")]
Passes = Annotated[int | None, typer.Option(help="Stop each plan after this many improvement passes.")]
Seed = Annotated[int, typer.Option(help="Seed of all random choices.")]
