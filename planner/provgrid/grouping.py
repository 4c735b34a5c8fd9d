"""Where the numbers of a scenario come from, grouped so that a person can read it: one line for many alike."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from provgrid_models.grids import TABLE_NAMES
from provgrid_models.provenance import UNSTATED
from provgrid_seeds import facts

if TYPE_CHECKING:
    from collections.abc import Iterable

    from provgrid_models.provenance import Provenance

MOST_NAMES = 3  # so many rows of a table are named one by one
NO_SOURCE = "no source stated"


@dataclass(frozen=True)
class Group:
    """Numbers of one block or table that come from the same kind of figures and are as sure as each other."""

    block: str  # the table, or the first key of the setting
    name: str  # the column, or the rest of the path
    quality: str
    numbers: int
    value: float | None  # where it is a single number
    unit: str
    low: float | None
    high: float | None
    sources: tuple[str, ...]
    facts: tuple[str, ...]

    @property
    def number_text(self) -> str:
        """The number with its range, or how many there are."""
        if self.value is None:
            return f"{self.numbers:,} numbers" if self.numbers > 1 else "1 number"
        text = f"{self.value:,.10g} {self.unit}".rstrip()
        return text if self.low is None or self.low == self.high else f"{text} ({self.low:g} to {self.high:g})"

    @property
    def facts_text(self) -> str:
        """What the documents say about them, by document."""
        by_document: dict[str, list[str]] = {}
        for name in self.facts:
            by_document.setdefault(facts.fact(name).document, []).append(name)
        return "; ".join(f"{document}: {', '.join(names)}" for document, names in sorted(by_document.items()))

    @property
    def source_text(self) -> str:
        """The figures behind them."""
        return ", ".join(self.sources) or NO_SOURCE


def grouped(traced: Iterable[Provenance]) -> list[Group]:
    """Put numbers together that stand in one column, are as sure, and come from the same columns of the same tables."""
    together: dict[tuple[object, ...], list[Provenance]] = {}
    for one in traced:
        block, _, name = one.path.partition(".")
        if block in TABLE_NAMES:
            kinds = tuple(sorted({_kind(source) for source in one.sources}))
            key: tuple[object, ...] = (block, one.path.rpartition(".")[2], one.quality, kinds)
        else:
            key = (block, name)
        together.setdefault(key, []).append(one)
    return [_group(str(key[0]), str(key[1]), members) for key, members in together.items()]


def quality_text(quality: str) -> str:
    """Quality as a word."""
    return quality if quality != UNSTATED else "not stated"


def _group(block: str, name: str, members: list[Provenance]) -> Group:
    first, single = members[0], len(members) == 1 and members[0].numbers == 1
    return Group(
        block=block,
        name=name,
        quality=first.quality,
        numbers=sum(one.numbers for one in members),
        value=first.value if single else None,
        unit=first.unit,
        low=first.low if single else None,
        high=first.high if single else None,
        sources=_shortened({source: None for one in members for source in one.sources}),
        facts=tuple(dict.fromkeys(name for one in members for name in one.facts)),
    )


def _kind(source: str) -> tuple[str, str]:
    """Table and column of a source; a planner's own words are a kind of their own."""
    table, slash, rest = source.partition("/")
    return (table, rest.partition(".")[2]) if slash else (source, "")


def _shortened(sources: Iterable[str]) -> tuple[str, ...]:
    """Name rows one by one where they are few, else by how their names begin."""
    rows: dict[tuple[str, str], list[str]] = {}
    for source in sources:
        rows.setdefault(_kind(source), []).append(source.partition("/")[2].partition(".")[0])
    texts = []
    for (table, column), names in rows.items():
        ending = f".{column}" if column and table != "assumptions" else ""
        if len(names) <= MOST_NAMES:
            texts += [f"{table}/{name}{ending}" if name else table for name in names]
        else:
            texts.append(f"{table}/{_shared_beginning(names)}*{ending} ({len(names)} rows)")
    return tuple(texts)


def _shared_beginning(names: list[str]) -> str:
    """Return the letters that all names begin with."""
    first, last = min(names), max(names)  # all others lie between these two
    same = next((i for i, letter in enumerate(first) if letter != last[i : i + 1]), len(first))
    return first[:same]
