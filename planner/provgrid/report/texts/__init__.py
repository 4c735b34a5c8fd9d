"""Every sentence that a picture or the report shows, by language: `<part>.<language>.toml` beside this file.

>>> texts("en")("flows.x")
'Longitude, °E'
"""

from __future__ import annotations

import tomllib
from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING, Any, Literal, get_args

from provgrid_models.errors import OptionError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

Language = Literal["en", "zh"]
LANGUAGES: tuple[Language, ...] = get_args(Language)


class Texts:
    """The texts of one language; called with a key and the values that its text names in braces."""

    def __init__(self, lang: Language, entries: dict[str, str]) -> None:
        self.lang = lang
        self.entries = entries

    def __call__(self, key: str, **values: object) -> str:
        """Return a text; `KeyError` where there is none."""
        return self.entries[key].format(**values)

    def joined(self, parts: Iterable[str]) -> str:
        """Put parts in one list, with the comma of the language."""
        return ("、" if self.lang == "zh" else ", ").join(parts)

    def name(self, group: str, identifier: str) -> str:
        """Return the name of a thing that scenarios use by its id (`group.id`); the id itself where it has none."""
        return self.entries.get(f"{group}.{identifier}", identifier.replace("_", " "))


def language(lang: str) -> Language:
    """Check the name of a language; `OptionError` where there are no texts in it."""
    if lang not in LANGUAGES:
        raise OptionError(f"no texts in the language {lang!r}; take one of {', '.join(LANGUAGES)}")
    return lang


@cache
def texts(lang: str) -> Texts:
    """Return the texts of a language; `OptionError` where there are none."""
    known = language(lang)
    entries: dict[str, str] = {}
    for file in sorted(files(__package__).iterdir(), key=lambda file: file.name):
        if file.name.endswith(f".{lang}.toml"):
            entries |= dict(_flat(tomllib.loads(file.read_text(encoding="utf-8"))))
    return Texts(known, entries)


def _flat(table: dict[str, Any], prefix: str = "") -> Iterator[tuple[str, str]]:
    """Yield dotted keys and texts of nested tables."""
    for key, value in table.items():
        if isinstance(value, dict):
            yield from _flat(value, f"{prefix}{key}.")
        else:
            yield f"{prefix}{key}", value
