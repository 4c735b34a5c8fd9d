"""`provgrid view`: a local page of runs, with levers to solve them again."""

from __future__ import annotations

import os
import threading
from pathlib import Path
from typing import TYPE_CHECKING, Annotated
from urllib.parse import quote

import typer

from provgrid import exits
from provgrid.cli import console
from provgrid.cli.console import note, output, print_json
from provgrid_models.errors import MissingSolverError, OptionError

if TYPE_CHECKING:
    from provgrid.view.server import Page
    from provgrid.view.shelf import Shelf

RUNS = Path("runs")


def view(
    runs: Annotated[
        list[Path] | None,
        typer.Argument(help="Runs to open: one, or two to compare. Their folder is the one that is listed."),
    ] = None,
    folder: Annotated[
        Path | None, typer.Option("--runs", help=f"Folder of runs; default: that of the runs named, or {RUNS}.")
    ] = None,
    port: Annotated[int, typer.Option(help="Port on 127.0.0.1; default: a free one.", min=0, max=65535)] = 0,
    lang: Annotated[str, typer.Option(help="Language: en or zh.")] = "en",
    no_browser: Annotated[bool, typer.Option("--no-browser", help="Print the address and open nothing.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print the address as JSON.")] = False,
) -> int:
    """Open a page on this machine that lists runs, opens their reports, moves levers and solves again."""
    from provgrid.report.texts import language

    known = language(lang)
    shelf, names = _shelf(folder, runs or [])
    try:
        from provgrid.view.server import Page
    except ModuleNotFoundError as error:
        if error.name is None or error.name.split(".")[0] not in ("starlette", "uvicorn", "h11"):
            raise
        cure = "install it with: python -m pip install -e '.[view]' in a copy of the repository"
        raise MissingSolverError(f"view needs {error.name}, which is not installed; {cure}") from error

    def started() -> None:
        address = page.address + _start(names)
        if as_json:
            print_json({"address": address, "port": page.port, "runs": str(shelf.folder)})
        else:
            output().print(f"open {address}  (Ctrl-C ends it)")
        if not no_browser:
            _open_browser(address)

    page: Page = Page(shelf, runs_as_typed=_as_typed(shelf.folder), lang=known, port=port, on_start=started)
    page.serve()
    console.session.interrupts = 0  # Ctrl-C is how a page ends
    return exits.SOLVED


def _shelf(folder: Path | None, runs: list[Path]) -> tuple[Shelf, list[str]]:
    """Return the runs folder, and the names in it of the runs that are to be opened.

    Raises
    ------
    OptionError : there is no such folder or run, or the runs lie in different folders.
    """
    from provgrid.view.shelf import MANIFEST, Shelf

    for run in runs:
        if not (run / MANIFEST).is_file():
            raise OptionError(
                f"{run} is no run; give a folder that solve or demo has written, or --runs for all of one"
            )
    parents = {run.resolve().parent for run in runs}
    chosen = folder or (next(iter(parents)) if len(parents) == 1 else RUNS)
    elsewhere = next((run for run in runs if run.resolve().parent != chosen.resolve()), None)
    if elsewhere is not None:
        raise OptionError(f"{elsewhere} does not lie in {chosen}; name runs of one folder only")
    if folder is not None and not folder.is_dir():
        raise OptionError(f"{folder} is no folder; give one that holds runs")
    return Shelf(chosen), [run.resolve().name for run in runs]


def _as_typed(folder: Path) -> str:
    """Name a folder as one would on the command line: from here, where it lies here."""
    here = Path.cwd().resolve()
    return os.path.relpath(folder, here) if folder.is_relative_to(here) else str(folder)


def _start(names: list[str]) -> str:
    """Address of the first page: a run, two runs side by side, or else the list."""
    if len(names) not in (1, 2):
        return ""
    return "/".join(["runs" if len(names) == 1 else "compare", *(quote(name, safe="") for name in names)])


def _open_browser(address: str) -> None:
    """Open the address in the planner's browser, if there is one that does not take this terminal."""
    import webbrowser

    try:
        browser: webbrowser.BaseBrowser | None = webbrowser.get()
    except webbrowser.Error:
        browser = None
    if browser is None or type(browser) is webbrowser.GenericBrowser:
        note("provgrid: there is no browser to open here; open the address yourself")
    else:
        # It may take its time, and the page has to answer it meanwhile.
        threading.Thread(target=browser.open, args=(address,), daemon=True).start()
