"""`provgrid new`: a scenario of one's own to start from."""

from __future__ import annotations

import re
import shlex
import shutil
import tomllib
import unicodedata
from pathlib import Path
from typing import Annotated

import typer

from provgrid import exits
from provgrid.cli import completion, console
from provgrid.cli.console import cannot_write, check_writable, print_json
from provgrid_models.errors import OptionError
from provgrid_optimizer.interrupts import CtrlCWaits
from provgrid_seeds.loader import scenario_names, system_names

PAGE = "README.md"
LONGEST_NAME = 120  # letters of an identifier


def new(
    folder: Annotated[Path, typer.Argument(help="Folder to make; it must be empty or not exist.")],
    template: Annotated[
        str,
        typer.Option(
            help=f"Built-in scenario to copy: {', '.join(scenario_names())}; "
            f"or one that is laid over another: {', '.join(system_names())}.",
            autocompletion=completion.templates,
        ),
    ] = "toy",
    as_json: Annotated[bool, typer.Option("--json", help="Print one record as JSON.")] = False,
) -> int:
    """Copy a built-in scenario into a folder, to edit; comments and a page explain every key and column."""
    from provgrid_models.overlay import SETTINGS_FILE, builtin_folder

    known = (*scenario_names(), *system_names())
    if template not in known:
        raise OptionError(f"there is no template {template!r}; choose one of {', '.join(known)}")
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise OptionError(f"{folder} is not empty; give a folder that is empty or does not exist")
    check_writable(folder, "another folder")
    with CtrlCWaits() as interrupts:
        try:
            shutil.copytree(builtin_folder(template), folder, dirs_exist_ok=True)
            name = _explain(folder, SETTINGS_FILE)
        except (OSError, shutil.Error) as error:
            raise cannot_write(folder, error, "another folder") from error
    console.session.written.append(folder)
    if as_json:
        files = sorted(path.name for path in folder.iterdir())
        print_json({"folder": str(folder), "template": template, "name": name, "files": files})
    else:
        print(f"copied {template} to {folder}; {PAGE} and the comments in {SETTINGS_FILE} explain every column and key")
        if not _name(folder):
            print(f"its name stays {name}, after which its runs are called; give it another in {SETTINGS_FILE}")
        print(f"next: edit its files, then: provgrid check {shlex.quote(str(folder))}")
    return exits.INTERRUPTED if interrupts.asked else exits.SOLVED


def _explain(folder: Path, settings_file: str) -> str:
    """Name the copy after its folder, comment its settings, and put the page of tables beside them; return the name."""
    from provgrid_models.commented import commented_settings, tables_page

    settings = folder / settings_file
    document = tomllib.loads(settings.read_text(encoding="utf-8"))
    document["name"] = _name(folder) or document["name"]  # runs are named after it, and shall not mix with another's
    settings.write_text(commented_settings(document), encoding="utf-8")
    page = tables_page(str(document.get("title", "")), str(document["name"]))
    (folder / PAGE).write_text(page, encoding="utf-8")
    return str(document["name"])


def _name(folder: Path) -> str:
    """Turn a folder's name into a scenario's: letters, digits, `_`, `.` and `-`; "" where nothing is left."""
    from provgrid_models.scenario import NAME_LETTERS

    composed = unicodedata.normalize("NFC", folder.absolute().name)
    return re.sub(rf"[^{NAME_LETTERS}_.-]+", "-", composed).strip("-._")[:LONGEST_NAME]
