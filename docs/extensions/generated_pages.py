"""Reference pages that are made as they are read: a page that holds `<!-- made: scenario -->` gets it in its place."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import command_line_pages
import scenario_pages

if TYPE_CHECKING:
    from sphinx.application import Sphinx

MADE = {"scenario": scenario_pages.text, "command line": command_line_pages.text}
MARK = re.compile(r"^<!-- made: (?P<what>[\w ]+) -->$", re.MULTILINE)


def fill(app: Sphinx, page: str, source: list[str]) -> None:
    """Put what is made into a page."""
    source[0] = MARK.sub(lambda mark: MADE[mark["what"]](), source[0])


def setup(app: Sphinx) -> dict[str, Any]:
    """Listen to Sphinx reading pages; what these pages are made from is no file of theirs, so they are always read."""
    app.connect("source-read", fill)
    app.connect("env-get-outdated", lambda *_: ["reference/scenario", "reference/command-line"])
    return {"version": "1", "parallel_read_safe": True}
