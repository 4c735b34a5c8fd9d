"""`provgrid schema`: what a scenario folder may hold, as JSON Schema."""

from __future__ import annotations

from typing import Annotated

import typer

from provgrid.cli.console import print_json


def schema(
    as_json: Annotated[bool, typer.Option("--json", help="The same: a schema is JSON already.")] = True,
) -> None:
    """Print the JSON Schema of scenario.toml and of every table."""
    from provgrid_models.schema import json_schema

    print_json(json_schema())
