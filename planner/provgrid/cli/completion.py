"""What the shell may complete: names that are cheap to find. Nothing here loads numpy or pandas."""

from __future__ import annotations

import csv
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from provgrid_seeds.loader import scenario_folder, scenario_names, system_names

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

ENGINES = ("heuristic", "lp", "milp", "pulp-cbc", "pulp-highs")
POLICIES = ("local", "cheapest", "greenest", "overflow", "siloed")
RUNS = Path("runs")
MOST = 500  # names: more help nobody
MOST_BYTES = 20_000_000  # of a table that is read for its ids


def among(words: Iterable[str]) -> Callable[[str], list[str]]:
    """Complete one of some words."""
    known = tuple(words)

    def complete(incomplete: str) -> list[str]:
        return _beginning(known, incomplete)

    return complete


engines = among((*ENGINES, *POLICIES))
policies = among(POLICIES)
templates = among((*scenario_names(), *system_names()))


def scenarios(incomplete: str) -> list[str]:
    """Complete a built-in scenario, or a folder that holds one or leads to one.

    The bare name comes first: bash takes the colon of `builtin:toy` for the end of a word.
    """
    names = (*scenario_names(), *system_names())
    built_in = _beginning(names, incomplete)
    if incomplete:
        built_in += _beginning((f"builtin:{name}" for name in names), incomplete)
    return [*built_in, *_folders(incomplete, "scenario.toml")]


def runs(incomplete: str) -> list[str]:
    """Complete a run folder: those of `runs/`, or whatever the path that was begun leads to."""
    written = (str(folder) for folder in _inside(RUNS) if (folder / "manifest.json").is_file())
    return list(dict.fromkeys([*_beginning(written, incomplete), *_folders(incomplete, "manifest.json")]))


def runs_or_scenarios(incomplete: str) -> list[str]:
    """Complete whatever can be planned, or has been."""
    return list(dict.fromkeys([*runs(incomplete), *scenarios(incomplete)]))


def ids_of(*tables: str) -> Callable[[typer.Context, str], list[str]]:
    """Complete an id in these CSV tables of the run or scenario that stands on the line."""

    def complete(ctx: typer.Context, incomplete: str) -> list[str]:
        found: list[str] = []
        # An option that still lacks its value stops the parser before it gives arguments their names.
        for argument in (*ctx.params.values(), *ctx.args):
            folder = _tables_of(str(argument)) if isinstance(argument, str | Path) else None
            if folder is not None:
                for table in tables:
                    found += _beginning(_ids(folder / f"{table}.csv"), incomplete)
        return list(dict.fromkeys(found))[:MOST]

    return complete


def _beginning(words: Iterable[str], incomplete: str) -> list[str]:
    return [word for word in words if word.startswith(incomplete)][:MOST]


def _inside(folder: Path) -> list[Path]:
    try:
        return sorted(path for path in folder.iterdir() if path.is_dir() and not path.name.startswith("."))
    except OSError:
        return []


def _folders(incomplete: str, marker: str) -> list[str]:
    """Folders that hold the marker, and those on the way, which end with a slash to go on from."""
    head, _, tail = incomplete.rpartition("/")
    parent = Path(f"{head}/") if "/" in incomplete else Path()
    found = []
    for path in _inside(parent):
        if path.name.startswith(tail):
            name = f"{head}/{path.name}" if "/" in incomplete else path.name
            found.append(name if (path / marker).is_file() else f"{name}/")
    return found[:MOST]


def _tables_of(name: str) -> Path | None:
    """Folder with the tables of a run, a scenario's folder, or a built-in scenario."""
    for folder in (Path(name) / "scenario", Path(name)):
        if (folder / "scenario.toml").is_file():
            return folder
    built_in = name.removeprefix("builtin:")
    if built_in not in (*scenario_names(), *system_names()):
        return None
    there = scenario_folder(built_in)
    return there if isinstance(there, Path) else None


def _ids(table: Path) -> list[str]:
    try:
        if table.stat().st_size > MOST_BYTES:
            return []
        with table.open(encoding="utf-8-sig", newline="") as file:
            return [row["id"] for row in csv.DictReader(file) if row.get("id")]
    except (OSError, ValueError, csv.Error):
        return []
