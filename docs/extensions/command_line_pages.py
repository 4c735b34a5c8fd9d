"""The reference of the command line, from the commands themselves: what `--help` says, on one page."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import typer.main

from provgrid import exits
from provgrid.cli import app

if TYPE_CHECKING:
    from collections.abc import Iterator

NOTES = re.compile(r"(?:^|\s{2})\[([^\[\]]*)\]$")  # "[default: 2]", "[required]", "[0<=x<=1]" after the help


def text() -> str:
    """Every command with its usage, arguments and options, in MyST Markdown."""
    root = typer.main.get_command(app)
    parts = []
    for path, command in commands(root, ("provgrid",)):
        context = command.make_context(path[-1], ["--help"], resilient_parsing=True)
        parts += section(path, command, context)
    parts += ["## Exit codes", "| code | meaning |\n| --- | --- |"]
    parts[-1] += "".join(f"\n| {code} | {meaning} |" for code, meaning in exits.MEANINGS.items())
    return "\n\n".join(parts)


def commands(command: Any, path: tuple[str, ...]) -> Iterator[tuple[tuple[str, ...], Any]]:
    """Yield each command that does something, and each group before its own, with the words that call it."""
    for name, child in getattr(command, "commands", {}).items():
        yield (*path, name), child
        yield from commands(child, (*path, name))


def section(path: tuple[str, ...], command: Any, context: Any) -> list[str]:
    """Return heading, usage, help, and a table each of arguments and options."""
    usage = " ".join([*path, *command.collect_usage_pieces(context)])
    parts = [f"{'#' * len(path)} {' '.join(path)}", f"```text\n{usage}\n```", prose(command.help or "")]
    parameters = [parameter for parameter in command.params if parameter.name != "help"]
    for kind in ("argument", "option"):
        rows = [
            row(parameter, context)
            for parameter in parameters
            if parameter.param_type_name == kind and not parameter.hidden
        ]
        if rows:
            parts.append("\n".join([f"| {kind} | what it is | default, range |", "| --- | --- | --- |", *rows]))
    return [part for part in parts if part]


def row(parameter: Any, context: Any) -> str:
    """One row of what `--help` says: names with their value, help, and default or range."""
    names, said = parameter.get_help_record(context)
    if noted := NOTES.search(said):
        said = said[: noted.start()]
    return f"| `{names}` | {cell(prose(said))} | {cell(prose(noted[1])) if noted else ''} |"


def prose(said: str) -> str:
    """Help text as Markdown: paragraphs kept, lines joined, nothing taken for markup but code."""
    paragraphs = [" ".join(part.split()) for part in said.replace("\b", "").split("\n\n")]
    return "\n\n".join(
        "".join(
            part if part.startswith("`") else re.sub(r"([*_<\[\]$])", r"\\\1", part)
            for part in re.split(r"(`[^`]+`)", paragraph)
        )
        for paragraph in paragraphs
    )


def cell(said: str) -> str:
    """Text as a cell of a Markdown table."""
    return said.replace("\n\n", " ").replace("|", "\\|")
