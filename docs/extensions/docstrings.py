"""Docstrings as they stand in the code, for autodoc: NumPy sections with `name : meaning`, code in single backticks.

Their types are in the signatures, so that what follows the colon is the meaning, which a NumPy parser would take for
the type.
"""

from __future__ import annotations

import re
from itertools import pairwise
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from sphinx.application import Sphinx

SECTIONS = ("Parameters", "Attributes", "Returns", "Yields", "Raises", "Notes", "References")
ITEM = re.compile(r"(?P<names>\S[^:]*?) : (?P<meaning>.*)")
CODE = re.compile(r"(`+[^`]+`+)")


def sections(lines: list[str]) -> list[str]:
    """Turn each section into a rubric, and its `name : meaning` items into a definition list."""
    made: list[str] = []
    inside, underline = False, False
    for line, following in pairwise([*lines, ""]):
        if line.strip() in SECTIONS and re.fullmatch(r"\s*-{3,}\s*", following):
            made += [f".. rubric:: {line.strip()}", ""]
            inside = underline = True
        elif underline:
            underline = False
        elif inside and (item := ITEM.fullmatch(line)):
            names = ", ".join(f"``{name}``" for name in item["names"].split(", "))
            made += [names, f"    {escaped(item['meaning'])}"]
        else:
            made.append(line if line.lstrip().startswith(">>>") else escaped(line))
    return made


def escaped(line: str) -> str:
    """Mark code as code, and keep stars and bars of prose what they are."""
    parts = CODE.split(line)
    parts[::2] = [re.sub(r"([*|])", r"\\\1", part).replace("_ ", r"\_ ") for part in parts[::2]]
    parts[1::2] = [f"``{part.strip('`')}``" for part in parts[1::2]]
    return "".join(parts)


def rewrite(app: Sphinx, what: str, name: str, obj: Any, options: Any, lines: list[str]) -> None:
    """Rewrite a docstring in place, before it is read as reStructuredText."""
    lines[:] = sections(lines)


def setup(app: Sphinx) -> dict[str, Any]:
    """Listen to autodoc."""
    app.connect("autodoc-process-docstring", rewrite)
    return {"version": "1", "parallel_read_safe": True}
