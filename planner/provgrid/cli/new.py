"""`provgrid new`: a scenario of one's own to start from."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Annotated

import typer

from provgrid import exits
from provgrid.cli import console
from provgrid.cli.console import cannot_write, check_writable, print_json
from provgrid_models.errors import OptionError
from provgrid_optimizer.interrupts import CtrlCWaits
from provgrid_seeds.loader import scenario_names


def new(
    folder: Annotated[Path, typer.Argument(help="Folder to make; it must be empty or not exist.")],
    template: Annotated[str, typer.Option(help="Built-in scenario to copy: toy, zhejiang or national.")] = "toy",
    as_json: Annotated[bool, typer.Option("--json", help="Print one record as JSON.")] = False,
) -> int:
    """Copy a built-in scenario into a folder, to edit."""
    from provgrid_models.overlay import builtin_folder

    if template not in scenario_names():
        raise OptionError(f"there is no template {template!r}; choose one of {', '.join(scenario_names())}")
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise OptionError(f"{folder} is not empty; give a folder that is empty or does not exist")
    check_writable(folder)
    with CtrlCWaits() as interrupts:
        try:
            shutil.copytree(builtin_folder(template), folder, dirs_exist_ok=True)
        except (OSError, shutil.Error) as error:
            raise cannot_write(folder, error) from error
    console.session.written.append(folder)
    if as_json:
        print_json({"folder": str(folder), "template": template, "files": sorted(p.name for p in folder.iterdir())})
    else:
        print(f"copied {template} to {folder}; edit its files, then: provgrid check {folder}")
    return exits.INTERRUPTED if interrupts.asked else exits.SOLVED
