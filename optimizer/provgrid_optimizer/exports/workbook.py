"""Tables as one Excel workbook; a table with more rows than a sheet can hold goes on in the next."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import pandas as pd

from provgrid_models.errors import OptionError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

MOST_ROWS = 1_048_576  # of an Excel sheet, the header included
MISSING = "xlsx needs openpyxl; install it with: python -m pip install openpyxl, or export --to csv"


def check_available() -> None:
    """Raise `OptionError` where openpyxl is not installed."""
    try:
        import openpyxl  # noqa: F401
    except ImportError as error:
        raise OptionError(MISSING) from error


def write_workbook(tables: Mapping[str, pd.DataFrame], path: Path, *, most_rows: int = MOST_ROWS) -> None:
    """Write each table as a sheet of its name, the header frozen and filtered; parts of a long one are numbered."""
    from openpyxl import Workbook

    book = Workbook(write_only=True)
    for name, table in tables.items():
        for part, first in enumerate(range(0, max(len(table), 1), most_rows - 1), start=1):
            sheet = book.create_sheet(name if part == 1 else f"{name} {part}")
            _fill(sheet, table.iloc[first : first + most_rows - 1])
    book.save(path)


def _fill(sheet: Any, table: pd.DataFrame) -> None:
    from openpyxl.cell import WriteOnlyCell
    from openpyxl.styles import Font
    from openpyxl.utils import get_column_letter

    sheet.freeze_panes = "A2"
    header = []
    for number, column in enumerate(table.columns, start=1):
        cell = WriteOnlyCell(sheet, str(column))
        cell.font = Font(bold=True)
        header.append(cell)
        sheet.column_dimensions[get_column_letter(number)].width = max(12, len(str(column)) + 4)
    sheet.append(header)
    for row in _rows(table):
        sheet.append([_text(sheet, value) if isinstance(value, str) else value for value in row])
    sheet.auto_filter.ref = f"A1:{get_column_letter(max(table.shape[1], 1))}{len(table) + 1}"


def _rows(table: pd.DataFrame) -> Iterator[tuple[Any, ...]]:
    """Rows as Python values; what is missing is blank, an infinity a word."""
    columns = []
    for column in table.columns:
        values = table[column]
        if pd.api.types.is_datetime64_any_dtype(values):
            columns.append([None if pd.isna(value) else value.to_pydatetime() for value in values])
        elif pd.api.types.is_float_dtype(values):
            columns.append([_number(value) for value in values.tolist()])
        else:
            columns.append([None if value is None or value is pd.NA else value for value in values.tolist()])
    return zip(*columns, strict=True)


def _number(value: float) -> float | str | None:
    return value if math.isfinite(value) else None if math.isnan(value) else str(value)


def _text(sheet: Any, value: str) -> Any:
    """Keep a text that begins like a formula a text; letters that a workbook cannot hold are question marks."""
    from openpyxl.cell import WriteOnlyCell
    from openpyxl.cell.cell import ILLEGAL_CHARACTERS_RE

    value = ILLEGAL_CHARACTERS_RE.sub("?", value)
    if value[:1] != "=":
        return value
    cell = WriteOnlyCell(sheet, value)
    cell.data_type = "s"
    return cell
