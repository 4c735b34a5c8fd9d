"""What a check found: a code, a place, what stands there, and what to do about it."""

from __future__ import annotations

import difflib
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    from collections.abc import Iterable

Severity = Literal["error", "warning"]

MOST_PER_KIND = 20  # errors of one kind in one column; a count stands for the rest
MOST_WARNINGS_PER_KIND = 3


@dataclass(frozen=True)
class Finding:
    """One thing that a planner has to look at.

    `row` is the line of a CSV file as a person counts it (header = 1), the row of a Parquet file (first = 1), or the
    key path in `scenario.toml`. `found` is what stands there, `hint` what to do.
    `count` is above 1 where one line stands for many slips that are not listed.
    """

    code: str
    severity: Severity
    file: str
    row: int | str | None = None
    column: str | None = None
    found: str | None = None
    message: str = ""
    hint: str = ""
    count: int = 1

    @property
    def place(self) -> str:
        """Where it is, e.g. `jobs.csv:12 column region` or `scenario.toml key horizon.periods`."""
        place = self.file
        if isinstance(self.row, int):
            place += f":{self.row}"
        elif self.row:
            place += f" key {self.row}"
        return f"{place} column {self.column}" if self.column else place

    def text(self) -> str:
        """One line: place, what was found, what is wrong with it, what to do."""
        found = "" if self.found is None else f'found "{_printable(self.found)}"; '
        sentence = f"{found}{_printable(self.message)}"
        ended = sentence if sentence.endswith((".", "?")) or not self.hint else f"{sentence}."
        return f"{self.place}: {ended} {_printable(self.hint)}".rstrip()


class Findings(list[Finding]):
    """Findings in the order in which they were made."""

    def add(
        self,
        severity: Severity,
        code: str,
        message: str,
        *,
        file: str,
        row: int | str | None = None,
        column: str | None = None,
        found: str | None = None,
        hint: str = "",
        count: int = 1,
    ) -> None:
        """Add a finding; `error` means that the scenario cannot be used, `warning` that a figure is unlikely."""
        self.append(Finding(code, severity, file, row, column, found, message, hint, count))

    def error(self, code: str, message: str, **place: Any) -> None:
        """Add an error; the keywords are those of `add`."""
        self.add("error", code, message, **place)

    def warning(self, code: str, message: str, **place: Any) -> None:
        """Add a warning; the keywords are those of `add`."""
        self.add("warning", code, message, **place)

    @property
    def errors(self) -> list[Finding]:
        """The errors among the findings."""
        return [finding for finding in self if finding.severity == "error"]


def did_you_mean(found: str, known: Iterable[str]) -> str:
    """Return a hint that names the closest known word, or the known words where they are few, or nothing."""
    words = list(dict.fromkeys(str(word) for word in known))
    by_lower_case = {word.lower(): word for word in words}
    by_beginning = {lower[: len(found)]: word for lower, word in by_lower_case.items()} if len(found) > 2 else {}
    for candidates, cutoff in ((by_lower_case, 0.6), (by_beginning, 0.75)):
        close = difflib.get_close_matches(found.lower(), candidates, n=1, cutoff=cutoff)
        if close:
            return f'Did you mean "{candidates[close[0]]}"?'
    if within := words_with(found, words):
        return f"Did you mean {quoted(within)}?"
    if 0 < len(words) <= 8:
        return f"Known: {', '.join(sorted(words))}."
    return ""


def as_clause(sentence: str) -> str:
    """Write a sentence such as a hint so that it can follow a semicolon."""
    return f"{sentence[:1].lower()}{sentence[1:]}".removesuffix(".")


def words_with(found: str, known: Iterable[str]) -> list[str]:
    """Known words that have every part of the found one among their parts, the shortest first, three at most.

    Parts are what stands between `_`, `/`, `.`, `:` and `-`: "carbon_price" is in "prices.carbon_price_yuan_per_t",
    and "h20" in "jiashan/h20".
    """
    parts = _parts(found)
    return sorted((word for word in known if parts and parts <= _parts(word)), key=lambda word: (len(word), word))[:3]


def quoted(words: Iterable[str]) -> str:
    """Words in quotes, with "or" between them."""
    return " or ".join(f'"{word}"' for word in words)


def _parts(word: str) -> set[str]:
    return set(filter(None, re.split(r"[_/.:\-]", word.lower())))


def _printable(text: str) -> str:
    """Keep a message on one line and short, whatever a broken file holds."""
    shown = "".join(letter if letter.isprintable() else "?" for letter in text)
    return shown if len(shown) <= 300 else f"{shown[:300]}..."
