"""Pages whose examples run: fenced blocks of Python and of commands, with what they print fenced right below.

A page is one story: its blocks run in order, in one folder, with one set of names. What a block is fenced with says
what happens to it: `python` and `sh` run; `sh slow` too, among the slow tests; `sh shown` only has to be a command that
there is. A line `...` in what is shown stands for any lines, and seconds are not compared.
"""

from __future__ import annotations

import contextlib
import io
import re
import shlex
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import typer.main

from command_line import in_this_process
from provgrid.cli import app

BLOCK = re.compile(
    r"^```(?P<fence>(?:python|sh)[^\n]*)\n(?P<code>.*?)^```\n(?:```(?:text)?\n(?P<shown>.*?)^```)?",
    re.MULTILINE | re.DOTALL,
)
SECONDS = re.compile(r"in \d+\.\d s")
ANY_LINES = "..."


@dataclass(frozen=True)
class Block:
    """One example: its language, what its fence adds, the code, and what is shown below it."""

    language: str
    flags: frozenset[str]
    code: str
    shown: str | None

    @property
    def commands(self) -> list[list[str]]:
        """The words of each `provgrid ...` line."""
        lines = self.code.replace("\\\n", " ").splitlines() if self.language == "sh" else []
        return [words[1:] for line in lines if (words := shlex.split(line, comments=True)) and words[0] == "provgrid"]


def blocks_of(page: Path) -> list[Block]:
    """Find the examples of a page."""
    found = []
    for block in BLOCK.finditer(page.read_text(encoding="utf-8")):
        language, *flags = block["fence"].split()
        found.append(Block(language, frozenset(flags), block["code"], block["shown"]))
    return found


def run(block: Block, names: dict[str, Any], place: str) -> str:
    """Run a block in this process and return what it prints; a command that fails is an error."""
    if block.language == "python":
        with contextlib.redirect_stdout(io.StringIO()) as printed:
            exec(compile(block.code, place, "exec"), names)
        return printed.getvalue()
    said = []
    for words in block.commands:
        finished = in_this_process(*words)
        assert finished.returncode == 0, f"{place}: provgrid {shlex.join(words)}: {finished.stderr}"
        said.append(finished.stdout)
    return "".join(said)


def as_shown(printed: str, shown: str) -> str:
    """Return what is printed, with the lines that `...` stands for taken out where the rest is as shown."""
    printed, shown = SECONDS.sub("in 0.0 s", printed), SECONDS.sub("in 0.0 s", shown)
    lines = [line.rstrip() for line in printed.strip("\n").splitlines()]
    parts = [
        re.escape(line.rstrip()) if line.strip() != ANY_LINES else ANY_LINES for line in shown.strip("\n").splitlines()
    ]
    pattern = "".join(r"(?:.*\n)*?" if part == ANY_LINES else part + "\n" for part in parts)
    found = re.fullmatch(pattern, "".join(f"{line}\n" for line in lines))
    return shown if found else "\n".join(lines) + "\n"


@cache
def root() -> Any:
    """Return `provgrid` itself."""
    return typer.main.get_command(app)


def unknown_options(words: list[str]) -> list[str]:
    """Return what is neither a command nor one of its options."""
    command = root()
    rest = list(words)
    while hasattr(command, "commands"):
        if not rest or rest[0] not in command.commands:
            return rest[:1] or ["no command"]
        command = command.commands[rest.pop(0)]
    known = {spelling for option in command.params for spelling in (*option.opts, *option.secondary_opts)} | {"--help"}
    return [word for word in rest if re.match(r"--?[a-z]", word) and word not in known]
