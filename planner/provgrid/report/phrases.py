"""Sentences that the data and the model write in English, in Chinese: assumptions, reasons, notes.

`texts/phrases.toml` holds patterns: a regular expression that matches a whole sentence, and the Chinese sentence with
its groups as {0}, {1}, ...; a group that is a phrase itself is translated in turn, and a named group, {name}, stays as
it is.
"""

from __future__ import annotations

import re
import tomllib
from functools import cache
from importlib.resources import files


def chinese(text: str) -> str:
    """Translate a sentence; the sentence itself where no pattern matches."""
    return _translated(text) or text


def knows(text: str) -> bool:
    """Whether a sentence has a translation."""
    return _translated(text) is not None


def _translated(text: str) -> str | None:
    for pattern, template in _patterns():
        match = pattern.fullmatch(text)
        if match is not None:
            translated = (chinese(group or "") for group in match.groups())
            return template.format(*translated, **match.groupdict())
    return None


@cache
def _patterns() -> tuple[tuple[re.Pattern[str], str], ...]:
    source = files(__package__).joinpath("texts", "phrases.toml").read_text(encoding="utf-8")
    return tuple((re.compile(one["en"]), str(one["zh"])) for one in tomllib.loads(source)["phrase"])
