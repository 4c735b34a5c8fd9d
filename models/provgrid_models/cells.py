"""Turns the cells of a column into values, vectorised: a million cells cost no more than a few array passes.

Each function returns `(values, blank, bad)`, all of shape (rows,): `blank` marks empty cells, which hold the column's
default, and `bad` marks cells that could not be read, which hold it too.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from provgrid_models.tables import Column

    Cells = tuple[Any, NDArray[np.bool_], NDArray[np.bool_]]

NUMBER_PATTERN = r"^[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]+)?$|^[+-]?(?i:nan|inf|infinity)$"
LARGEST_INTEGER = 2.0**53  # above it a float no longer holds every integer
TRUE_WORDS = ("true", "1", "yes")
FALSE_WORDS = ("false", "0", "no")
KIND_NEEDED = {
    "text": "a text",
    "number": "a number",
    "integer": "a whole number",
    "flag": "true or false",
}


def type_words(type_: Any) -> str:
    """Say in words what a column of a Parquet file holds."""
    if pa.types.is_string(type_) or pa.types.is_large_string(type_):
        return "texts"
    if pa.types.is_boolean(type_):
        return "flags"
    return "numbers" if pa.types.is_integer(type_) or pa.types.is_floating(type_) else str(type_)


def default_of(column: Column) -> Any:
    """Value of a cell that is left out: the column's default, or a neutral value of its kind where it has none."""
    neutral = {"text": "", "number": np.nan, "integer": -1, "flag": False}
    return neutral[column.kind] if column.default is None else column.default


def default_cells(column: Column, rows: int) -> Any:
    """Build a column of defaults, shape (rows,)."""
    dtype = {"text": str, "number": np.float64, "integer": np.int64, "flag": np.bool_}[column.kind]
    return pd.Series([default_of(column)] * rows if column.kind == "text" else default_of(column), range(rows), dtype)


def from_texts(texts: Any, column: Column) -> Cells:
    """Read trimmed texts, a pyarrow string array of shape (rows,), as the column's kind."""
    blank = pc.equal(texts, "").to_numpy(zero_copy_only=False)
    if column.kind == "text":
        return _filled(pd.Series(texts.to_pandas()).astype(str), blank, column), blank, np.zeros_like(blank)
    if column.kind == "flag":
        lower = pc.utf8_lower(texts)
        true = pc.is_in(lower, pa.array(TRUE_WORDS)).to_numpy(zero_copy_only=False)
        false = pc.is_in(lower, pa.array(FALSE_WORDS)).to_numpy(zero_copy_only=False)
        bad = ~(true | false | blank)
        return _filled(pd.Series(true), blank | bad, column), blank, bad
    numbers, bad = _numbers(texts, blank)
    return _of_kind(numbers, blank, bad, column)


def from_typed(array: Any, column: Column) -> Cells | None:
    """Read a typed pyarrow array, from a Parquet file, as the column's kind; None where its type is another."""
    type_ = array.type
    if pa.types.is_null(type_):
        rows = len(array)
        return default_cells(column, rows), np.ones(rows, dtype=np.bool_), np.zeros(rows, dtype=np.bool_)
    if column.kind == "text":
        value_type = type_.value_type if pa.types.is_dictionary(type_) else type_
        if not (pa.types.is_string(value_type) or pa.types.is_large_string(value_type)):
            return None
        return from_texts(pc.utf8_trim_whitespace(pc.fill_null(array.cast(pa.string()), "")), column)
    blank = pc.is_null(array).to_numpy(zero_copy_only=False)
    if column.kind == "flag":
        if not pa.types.is_boolean(type_):
            return None
        flags = pd.Series(pc.fill_null(array, False).to_numpy(zero_copy_only=False))
        return _filled(flags, blank, column), blank, np.zeros_like(blank)
    if not (pa.types.is_integer(type_) or pa.types.is_floating(type_) or pa.types.is_decimal(type_)):
        return None
    numbers = pc.fill_null(array.cast(pa.float64(), safe=False), np.nan).to_numpy(zero_copy_only=False)
    return _of_kind(numbers, blank, np.zeros_like(blank), column)


def _numbers(texts: Any, blank: NDArray[np.bool_]) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
    """Parse texts as numbers; those that are none are marked bad and become NaN."""
    bad = np.zeros_like(blank)
    texts = pc.if_else(pa.array(blank), pa.scalar(None, pa.string()), texts)
    try:
        numbers = texts.cast(pa.float64())
    except pa.ArrowInvalid:
        bad = ~pc.fill_null(pc.match_substring_regex(texts, NUMBER_PATTERN), True).to_numpy(zero_copy_only=False)
        numbers = pc.if_else(pa.array(bad), pa.scalar(None, pa.string()), texts).cast(pa.float64())
    return pc.fill_null(numbers, np.nan).to_numpy(zero_copy_only=False), bad


def _of_kind(numbers: Any, blank: NDArray[np.bool_], bad: NDArray[np.bool_], column: Column) -> Cells:
    """Give numbers their kind: whole numbers become int64, and a fraction, or a size beyond 2^53, is bad."""
    if column.kind == "integer":
        with np.errstate(invalid="ignore"):
            bad = bad | (~blank & ~((numbers == np.round(numbers)) & (np.abs(numbers) <= LARGEST_INTEGER)))
        integers = pd.Series(np.where(blank | bad, default_of(column), numbers).astype(np.int64))
        return integers, blank, bad
    return _filled(pd.Series(np.array(numbers, dtype=np.float64)), blank | bad, column), blank, bad


def _filled(values: pd.Series[Any], where: NDArray[np.bool_], column: Column) -> pd.Series[Any]:
    """Put the column's default where `where` is true."""
    if where.any():
        values = values.mask(where, default_of(column))
    return values
