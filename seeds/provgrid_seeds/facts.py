"""The five documents and what they say, with where each statement leads and whether public figures bear it out.

Only the standard library is imported, so that the command line can list facts without loading pandas.
"""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    from collections.abc import Mapping

Kind = Literal["parameter", "claim", "context"]
Confirmation = Literal["confirmed", "confirmed_in_part", "contradicted", "not_found"]


@dataclass(frozen=True, kw_only=True)
class Document:
    """One of the documents that the project starts from; `quality` is that of what it says."""

    id: str
    title: str
    publisher: str
    language: str
    quality: str
    note: str = ""


@dataclass(frozen=True, kw_only=True)
class Fact:
    """A figure or claim of a document, in our own words.

    `feeds` holds `scenario/<name>`, `system/<key>`, `claim/<key>`, or `table/row.column`, the cell that it bears on.
    `evidence` names rows of the tables that confirm or contradict it.
    """

    id: str
    document: str
    statement: str
    kind: Kind
    feeds: tuple[str, ...]
    confirmation: Confirmation
    value: float | None = None
    unit: str = ""
    date: str = ""
    evidence: tuple[str, ...] = ()
    note: str = ""


@cache
def documents() -> tuple[Document, ...]:
    """List the documents in the order of their ids."""
    return tuple(Document(id=key, **entry) for key, entry in _toml("documents.toml").items())


@cache
def document(document_id: str) -> Document:
    """Return a document; raises KeyError where there is none."""
    for one in documents():
        if one.id == document_id:
            return one
    raise KeyError(f"there is no document {document_id!r}; there are {', '.join(one.id for one in documents())}")


@cache
def facts() -> tuple[Fact, ...]:
    """List the facts in the order of the documents."""
    return tuple(_fact(key, entry) for key, entry in _toml("facts.toml")["facts"].items())


@cache
def _by_id() -> Mapping[str, Fact]:
    return MappingProxyType({one.id: one for one in facts()})


def fact(fact_id: str) -> Fact:
    """Return a fact; raises KeyError where there is none."""
    try:
        return _by_id()[fact_id]
    except KeyError:
        raise KeyError(f"there is no fact {fact_id!r}") from None


@cache
def systems() -> Mapping[str, str]:
    """Titles of the systems that facts feed, by key."""
    return MappingProxyType(_toml("facts.toml")["systems"])


@cache
def claims() -> Mapping[str, str]:
    """Titles of the claims that facts feed, by key."""
    return MappingProxyType(_toml("facts.toml")["claims"])


@cache
def facts_by_cell() -> Mapping[str, tuple[str, ...]]:
    """Return the facts that bear on a cell of a table, by `table/row.column`."""
    found: dict[str, tuple[str, ...]] = {}
    for one in facts():
        for place in one.feeds:
            if "." in place:
                found[place] = (*found.get(place, ()), one.id)
    return MappingProxyType(found)


def _fact(fact_id: str, entry: dict[str, Any]) -> Fact:
    lists = {name: tuple(entry.get(name, ())) for name in ("feeds", "evidence")}
    value = None if "value" not in entry else float(entry["value"])
    return Fact(id=fact_id, **{**entry, **lists, "value": value})


def _toml(name: str) -> dict[str, Any]:
    return tomllib.loads(files(__package__).joinpath(name).read_text(encoding="utf-8"))
