"""Tables as one Excel workbook; a table with more rows than a sheet can hold goes on in the next.

openpyxl writes the workbook with the header of each sheet, and what its styles are; the rows, of which there may be
hundreds of thousands, are put in as text, ten times as fast as cell by cell.
"""

from __future__ import annotations

import io
import math
import re
import zipfile
from datetime import datetime
from typing import TYPE_CHECKING, Any
from xml.sax.saxutils import escape

import pandas as pd

from provgrid_models.errors import OptionError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

MOST_ROWS = 1_048_576  # of an Excel sheet, the header included
ROWS_AT_ONCE = 10_000
COMPRESSION = 3  # of 9: most of what there is to gain, at a third of the time
FIRST_DAY = pd.Timestamp("1899-12-30")  # day 0 of a workbook
ROWS_END = "</sheetData>"
SAMPLE_ROW = re.compile(r'<row r="2">.*?</row>')
STYLE = re.compile(r'<c r="([A-Z]+)2" s="(\d+)"')
NO_XML = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")  # letters that XML cannot hold
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
    parts = []
    for name, table in tables.items():
        for part, first in enumerate(range(0, max(len(table), 1), most_rows - 1), start=1):
            rows = table.iloc[first : first + most_rows - 1]
            _begin(book.create_sheet(name if part == 1 else f"{name} {part}"), rows)
            parts.append(rows)
    empty = io.BytesIO()
    book.save(empty)
    sheets = {f"xl/worksheets/sheet{number}.xml": rows for number, rows in enumerate(parts, start=1)}
    with (
        zipfile.ZipFile(empty) as without,
        zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED, compresslevel=COMPRESSION) as whole,
    ):
        for entry in without.namelist():
            if entry not in sheets:
                whole.writestr(entry, without.read(entry))
                continue
            with whole.open(entry, "w", force_zip64=True) as stream:
                for text in _filled(without.read(entry).decode("utf-8"), sheets[entry]):
                    stream.write(text.encode("utf-8"))


def _begin(sheet: Any, table: pd.DataFrame) -> None:
    """Write the header, and under it a moment in each column of moments, for the sake of its style."""
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
    sheet.append([datetime(2000, 1, 1) if _is_moment(table[column]) else None for column in table.columns])
    sheet.auto_filter.ref = f"A1:{get_column_letter(max(table.shape[1], 1))}{len(table) + 1}"


def _is_moment(values: pd.Series[Any]) -> bool:
    return pd.api.types.is_datetime64_any_dtype(values)


def _filled(sheet: str, table: pd.DataFrame) -> Iterator[str]:
    """Yield the text of a sheet with the rows of a table in the place of its sample."""
    from openpyxl.utils import get_column_letter

    sample = SAMPLE_ROW.search(sheet)
    styles = dict(STYLE.findall(sample.group())) if sample else {}
    before, end, after = SAMPLE_ROW.sub("", sheet, count=1).partition(ROWS_END)
    yield before
    letters = [get_column_letter(number) for number in range(1, table.shape[1] + 1)]
    for first in range(0, len(table), ROWS_AT_ONCE):
        some = table.iloc[first : first + ROWS_AT_ONCE]
        numbers = range(first + 2, first + 2 + len(some))
        columns = [
            [f'<c r="{letter}{number}"{cell}' if cell else "" for number, cell in zip(numbers, cells, strict=True)]
            for letter, cells in (
                (at, _cells(some[name], styles.get(at))) for at, name in zip(letters, some, strict=True)
            )
        ]
        rows = zip(numbers, zip(*columns, strict=True), strict=True)
        yield "".join(f'<row r="{number}">{"".join(cells)}</row>' for number, cells in rows)
    yield end + after


def _cells(values: pd.Series[Any], style: str | None) -> list[str]:
    """Write what follows the place of each cell of a column; "" where it is blank."""
    if _is_moment(values):
        days = ((values - FIRST_DAY) / pd.Timedelta(days=1)).tolist()
        return ["" if math.isnan(day) else f' s="{style}"><v>{day!r}</v></c>' for day in days]
    if pd.api.types.is_bool_dtype(values) or pd.api.types.is_numeric_dtype(values):
        return [_cell(value) for value in values.tolist()]
    known: dict[str, str] = {}  # texts come again and again
    listed = values.tolist()
    for text in {value for value in listed if isinstance(value, str)}:
        known[text] = _cell(text)
    return [known[value] if isinstance(value, str) else _cell(value) for value in listed]


def _cell(value: Any) -> str:
    """Write one value: what is missing is blank, an infinity a word, and a text that begins like a formula a text."""
    if value is None or value is pd.NA or value is pd.NaT:
        return ""
    if isinstance(value, bool):
        return f' t="b"><v>{int(value)}</v></c>'
    if isinstance(value, int) or (isinstance(value, float) and math.isfinite(value)):
        return f"><v>{value!r}</v></c>"
    if isinstance(value, float) and math.isnan(value):
        return ""
    text = escape(NO_XML.sub("?", str(value)))
    return f' t="inlineStr"><is><t xml:space="preserve">{text}</t></is></c>'
