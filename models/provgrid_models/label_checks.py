"""Checks the names of a `Problem`: one for each id, and each of one thing, or no table could be read back."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields
from typing import TYPE_CHECKING, Any

from provgrid_models.arguments import shown
from provgrid_models.errors import ArrayError
from provgrid_models.words import counted

if TYPE_CHECKING:
    from provgrid_models.problem import Labels

_OF = {
    "pools": "P",
    "clusters": "C",
    "blocks": "B",
    "links": "L",
    "origins": "R",
    "jobs": "J",
    "services": "S",
    "tenants": "N",
}
_SHARED = ("blocks",)  # every cluster may have its "grid"


def checked_labels(labels: Labels, sizes: dict[str, int]) -> Labels:
    """Return the labels with lists of texts, whatever sequences they were, or raise `ArrayError` at the first fault."""
    from provgrid_models.problem import Labels

    if not isinstance(labels, Labels):
        raise ArrayError(f"labels is {shown(labels)}; give provgrid.Labels(...), or leave it out")
    _check_periods(labels.periods, sizes["T"])
    names = {
        field.name: _names(field.name, getattr(labels, field.name), sizes[_OF[field.name]])
        for field in fields(labels)
        if field.name in _OF
    }
    return Labels(**names, periods=labels.periods)


def _names(kind: str, given: Any, count: int) -> list[str] | None:
    if given is None:
        return None
    try:
        if isinstance(given, str | Mapping):
            raise TypeError
        names = list(given)
    except TypeError:
        raise ArrayError(f"labels.{kind} is {shown(given)}; give a list of {counted(count, 'name')}") from None
    _check_count(kind, len(names), count)
    seen: dict[str, int] = {}
    for place, name in enumerate(names):
        if not isinstance(name, str):
            raise ArrayError(f"labels.{kind}[{place}] is {shown(name)}; a name is a text, such as {str(name)!r}")
        if name in seen and kind not in _SHARED:
            found = f"labels.{kind}[{place}] is {shown(str(name))}, as is labels.{kind}[{seen[name]}]"
            raise ArrayError(f"{found}; give each a name of its own")
        seen[str(name)] = place
    return [str(name) for name in names]


def _check_periods(given: Any, count: int) -> None:
    if given is None:
        return
    import pandas as pd

    if not isinstance(given, pd.DatetimeIndex):
        raise ArrayError(f"labels.periods is {shown(given)}; give a pandas.DatetimeIndex")
    _check_count("periods", len(given), count)
    if given.hasnans:
        raise ArrayError(f"labels.periods[{int(given.isna().argmax())}] is NaT; give each period its start")


def _check_count(kind: str, found: int, count: int) -> None:
    if found != count:
        names = counted(found, "name")
        raise ArrayError(
            f"labels.{kind} has {names} for {counted(count, kind[:-1])}; give one for each, or leave it out"
        )
