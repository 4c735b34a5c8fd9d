"""Links that lead out of docs/: to the page that takes the file in where there is one, else their text alone."""

from __future__ import annotations

import posixpath
import re
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from sphinx.application import Sphinx

TAKEN_IN = {"benchmarks/results/README.md": "benchmarks.md"}
LINK = re.compile(r"(?<!!)\[(?P<text>[^\]]+)\]\((?P<target>(?:\.\./)+[^)#\s]+)(?P<anchor>#[^)]*)?\)")


def rewrite(app: Sphinx, page: str, source: list[str]) -> None:
    """Rewrite the links of a page as it is read; on the repository's own pages they lead to the files."""
    folder = posixpath.dirname(page)

    def better(link: re.Match[str]) -> str:
        target = posixpath.normpath(posixpath.join("docs", folder, link["target"]))
        if not target.startswith("docs/"):
            if target not in TAKEN_IN:
                return link["text"]
            taken_in = posixpath.relpath(TAKEN_IN[target], folder or ".")
            return f"[{link['text']}]({taken_in}{link['anchor'] or ''})"
        return link[0]

    source[0] = LINK.sub(better, source[0])


def setup(app: Sphinx) -> dict[str, Any]:
    """Listen to Sphinx reading pages."""
    app.connect("source-read", rewrite)
    return {"version": "1", "parallel_read_safe": True}
