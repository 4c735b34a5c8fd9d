"""Real traces become jobs and services: Philly, openb, Azure LLM and ServeGen, each in its publisher's own format.

`import_trace` reads, `write_tables` writes tables for a scenario folder, `into` places the work in a scenario.
Whatever is assumed is said in words, and every row that is not used is counted or listed.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from provgrid_models.errors import OptionError
from provgrid_models.importers.options import (
    OPTIONS,
    AzureOptions,
    JobOptions,
    OpenbOptions,
    PhillyOptions,
    PlaceOptions,
    ServegenOptions,
    ServiceOptions,
    TraceOptions,
    options_for,
)

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from provgrid_models.importers.core import Imported
    from provgrid_models.importers.place import Placed
    from provgrid_models.scenario import Scenario

KINDS = tuple(OPTIONS)

__all__ = [
    "KINDS",
    "OPTIONS",
    "AzureOptions",
    "JobOptions",
    "OpenbOptions",
    "PhillyOptions",
    "PlaceOptions",
    "ServegenOptions",
    "ServiceOptions",
    "TraceOptions",
    "import_trace",
    "into",
    "options_for",
    "placed",
    "write_tables",
]


def import_trace(kind: str, files: Sequence[str | Path] | str | Path, options: TraceOptions | None = None) -> Imported:
    """Read a public trace. `kind` is one of `KINDS`; folders stand for the trace files in them.

    Raises
    ------
    OptionError
        Unknown kind, options of another kind, an option out of range, or no such file.
    ScenarioError
        A file that is not in the format at all; single bad rows are listed in `Imported.bad_rows` instead.
    """
    from provgrid_models.importers import azure_llm, openb, philly, servegen

    if kind not in OPTIONS:
        raise OptionError(f"unknown trace kind {kind!r}; choose one of {', '.join(KINDS)}")
    chosen = OPTIONS[kind]() if options is None else options
    if not isinstance(chosen, OPTIONS[kind]):
        raise OptionError(f"{kind} takes {OPTIONS[kind].__name__}, not {type(chosen).__name__}; give it those")
    readers: dict[str, Any] = {
        "philly": philly.read,
        "openb": openb.read,
        "azure-llm": azure_llm.read,
        "servegen": servegen.read,
    }
    imported: Imported = readers[kind](files, chosen)
    return imported


def write_tables(imported: Imported, folder: str | Path) -> list[Path]:
    """Write the tables and import_report.json into a folder; see `write.write_tables`."""
    from provgrid_models.importers.write import write_tables as write

    return write(imported, folder)


def into(imported: Imported, scenario: Scenario, options: PlaceOptions | None = None) -> Scenario:
    """Place imported work in a scenario's grid; see `place.placed`."""
    return placed(imported, scenario, options).scenario


def placed(imported: Imported, scenario: Scenario, options: PlaceOptions | None = None) -> Placed:
    """Place imported work in a scenario's grid, and return what was done to it too; see `place.placed`."""
    from provgrid_models.importers.place import placed as place

    return place(imported, scenario, options)
