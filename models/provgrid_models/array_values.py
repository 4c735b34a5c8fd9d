"""Reads what a caller gave as an array of one type, and refuses what would have to be changed for that."""

from __future__ import annotations

from typing import Any

import numpy as np

from provgrid_models.arguments import shown
from provgrid_models.errors import ArrayError

_LARGEST = 2.0**63  # of 64 bits


def read_array(name: str, dtype: type[np.generic], value: Any) -> Any:
    """Return a new array of this type, or raise `ArrayError`: a mask, parts of a whole number, a text for a boolean."""
    if np.ma.is_masked(value):
        _refuse(name, np.ma.getdata(value), np.ma.getmaskarray(value), "masked", "fill it in or leave it out")
    try:
        if dtype is np.float64:
            _check_kind(np.asarray(value))
            return np.array(value, dtype=np.float64, order="C")
        given = np.asarray(value)
        return _truths(name, given) if dtype is np.bool_ else _whole_numbers(name, given)
    except (TypeError, ValueError, OverflowError) as error:
        reason = " ".join(str(error).split())
        raise ArrayError(
            f"{name} cannot be read as {np.dtype(dtype).name} ({reason}); give an array of that type"
        ) from error


def _check_kind(given: Any) -> None:
    """Raise TypeError at what NumPy would cast with a loss: complex numbers, and times by their count."""
    if given.dtype.kind not in "biufUSO":
        raise TypeError(f"it is of type {given.dtype.name}")


def _whole_numbers(name: str, given: Any) -> Any:
    _check_kind(given)
    if given.dtype.kind not in "bi":
        plain = given.astype(object) if given.dtype.kind in "US" else given  # texts are shown as Python's in errors
        numbers = plain.astype(np.float64)
        _refuse(name, given, ~(numbers == np.rint(numbers)), "", "give a whole number")
        _refuse(name, given, ~(np.abs(numbers) < _LARGEST), "", "give one that 64 bits can hold")
    return np.array(given, dtype=np.int64, order="C")


def _truths(name: str, given: Any) -> Any:
    """Read booleans; 0 and 1 count as such."""
    _check_kind(given)
    if given.dtype.kind in "US":
        _refuse(name, given, np.full(given.shape, fill_value=True), "", "give True or False")
    if given.dtype.kind != "b":
        numbers = given.astype(np.float64)
        _refuse(name, given, (numbers != 0) & (numbers != 1), "", "give True or False")
        given = numbers
    return np.array(given, dtype=np.bool_, order="C")


def _refuse(name: str, given: Any, wrong: Any, found: str, advice: str) -> None:
    """Raise at the first place that is wrong, with what was found there."""
    if np.any(wrong):
        where = tuple(int(i) for i in np.argwhere(wrong)[0])
        place = list(where) if where else ""
        value = given[where]
        found = found or shown(value.item() if isinstance(value, np.generic) else value)
        raise ArrayError(f"{name}{place} is {found}; {advice}")
