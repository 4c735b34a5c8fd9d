"""Reads one CSV or Parquet file into columns, and remembers the line of every row. Knows no table's meaning."""

from __future__ import annotations

import contextlib
import csv
import io
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv
import pyarrow.parquet

from provgrid_models.findings import MOST_PER_KIND

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from numpy.typing import NDArray

    from provgrid_models.findings import Findings

BYTE_ORDER_MARK = b"\xef\xbb\xbf"


@dataclass(frozen=True)
class RawTable:
    """Columns as they stand in one file: texts from a CSV, typed arrays from a Parquet file.

    `lines` holds the line of every row: header = 1 in a CSV, first row = 1 in a Parquet file. `ragged` says that rows
    were left out for want of cells, or for too many.
    """

    file: str
    columns: dict[str, Any]
    lines: NDArray[np.int64]
    ragged: bool = False


def read_bytes(path: Path, file: str, findings: Findings) -> bytes | None:
    """Read a file, or add a finding that says why it cannot be read."""
    try:
        return path.read_bytes()
    except OSError as error:
        reason = error.strerror or type(error).__name__
        findings.error("unreadable-file", f"cannot be read: {reason}", file=file, hint="Check its permissions.")
        return None


def decode(data: bytes, file: str, findings: Findings) -> str | None:
    """Decode UTF-8, with or without a byte order mark, or add a finding that names the line."""
    try:
        return data.removeprefix(BYTE_ORDER_MARK).decode("utf-8")
    except UnicodeDecodeError as error:
        line = data[: error.start].count(b"\n") + 1
        hint = 'Save it as UTF-8 (in Excel: "CSV UTF-8").' if file.endswith(".csv") else "Save it as UTF-8."
        findings.error("not-utf-8", "the file is not UTF-8 text", file=file, row=line, hint=hint)
        return None


@contextlib.contextmanager
def _ctrl_c_left_to_python() -> Iterator[None]:
    """Keep Arrow from handling SIGINT itself while it reads: one that comes as it ends, about one in fifty, is lost."""
    pa.enable_signal_handlers(False)
    try:
        yield
    finally:
        pa.enable_signal_handlers(True)


def read_csv(path: Path, file: str, findings: Findings) -> RawTable | None:
    """Read a CSV file as texts; None where nothing of it can be used."""
    data = read_bytes(path, file, findings)
    if data is not None and b"\n" not in data:
        data = data.replace(b"\r", b"\n")  # a file of old Macintosh line ends, as Excel still offers it
    text = None if data is None else decode(data, file, findings)
    if data is None or text is None:
        return None
    header = _header(text, file, findings)
    if header is None:
        return None
    body = data.removeprefix(BYTE_ORDER_MARK)
    invalid: list[Any] = []

    def skip(row: Any) -> str:
        invalid.append(row)
        return "skip"

    names = [str(i) for i in range(len(header))]
    try:
        with _ctrl_c_left_to_python():
            table = pyarrow.csv.read_csv(
                io.BytesIO(body if body.endswith(b"\n") else body + b"\n"),
                # One thread: only then does the reader know the number of a row that it skips.
                read_options=pyarrow.csv.ReadOptions(use_threads=False, skip_rows=1, column_names=names),
                parse_options=pyarrow.csv.ParseOptions(
                    newlines_in_values=True, ignore_empty_lines=False, invalid_row_handler=skip
                ),
                convert_options=pyarrow.csv.ConvertOptions(
                    column_types=dict.fromkeys(names, pa.string()), strings_can_be_null=False
                ),
            )
    except (pa.ArrowInvalid, pa.ArrowNotImplementedError) as error:
        if "Empty CSV" in str(error):
            table = pa.table({name: pa.array([], pa.string()) for name in names})
        else:
            hint = "Look for an opening quote that is never closed."
            findings.error("broken-csv", "cannot be read as CSV", file=file, hint=hint)
            return None
    _report_ragged(invalid, file, findings)
    lines = np.delete(
        np.arange(2, 2 + table.num_rows + len(invalid), dtype=np.int64), sorted(row.number - 2 for row in invalid)
    )
    texts = [pc.utf8_trim_whitespace(table.column(i)).combine_chunks() for i in range(table.num_columns)]
    filled = _filled_rows(texts, table.num_rows)
    if not filled.all():
        texts, lines = [array.filter(pa.array(filled)) for array in texts], lines[filled]
    return RawTable(file, {name: texts[i] for i, name in _named(header)}, lines, ragged=bool(invalid))


def read_parquet(path: Path, file: str, findings: Findings) -> RawTable | None:
    """Read a Parquet file; None where nothing of it can be used."""
    if read_head(path, file, findings) is None:
        return None
    try:
        table = pyarrow.parquet.read_table(path)
        table.validate(full=True)
    except (pa.ArrowException, OSError, ValueError) as error:
        hint = "Write it again."
        findings.error("broken-parquet", f"cannot be read as Parquet ({type(error).__name__})", file=file, hint=hint)
        return None
    header = [str(name) for name in table.column_names]
    _report_header(header, file, findings)
    columns = {name: table.column(i).combine_chunks() for i, name in _named(header)}
    return RawTable(file, columns, np.arange(1, table.num_rows + 1, dtype=np.int64))


def read_head(path: Path, file: str, findings: Findings) -> bytes | None:
    """First bytes of a file; a finding where there are none."""
    try:
        with path.open("rb") as stream:
            head = stream.read(4)
    except OSError as error:
        findings.error("unreadable-file", f"cannot be read: {error.strerror}", file=file, hint="Check its permissions.")
        return None
    if not head:
        findings.error("empty-file", "the file is empty", file=file, hint="Give at least a header line.")
        return None
    return head


def _header(text: str, file: str, findings: Findings) -> list[str] | None:
    """Column names of a CSV text, with a finding for each that is blank or given twice."""
    first_line = text.split("\n", 1)[0].rstrip("\r")
    if not text.strip():
        findings.error("empty-file", "the file is empty", file=file, hint="Give at least a header line.")
        return None
    try:
        header = [name.strip() for name in next(csv.reader([first_line]), [])]
    except csv.Error as error:
        findings.error("broken-csv", f"the header cannot be read ({error})", file=file, row=1)
        return None
    if len(header) <= 1 and (";" in first_line or "\t" in first_line):
        message = "columns are not separated by commas"
        hint = 'Use commas between cells and points in numbers; in Excel, save "CSV UTF-8" in an English region.'
        findings.error("wrong-delimiter", message, file=file, row=1, hint=hint)
        return None
    if "\r" in first_line or not any(header):
        hint = "The first line names the columns; end lines with a line feed."
        findings.error("broken-csv", "the first line is not a header", file=file, row=1, hint=hint)
        return None
    _report_header(header, file, findings)
    return header


def _report_header(header: Sequence[str], file: str, findings: Findings) -> None:
    for name in dict.fromkeys(header):
        if not name:
            hint = "Name it or remove it."
            findings.error("unnamed-column", "a column has no name", file=file, row=1, hint=hint)
        elif header.count(name) > 1:
            message = f"the column is there {header.count(name)} times"
            findings.error("duplicate-column", message, file=file, row=1, column=name, hint="Keep one.")


def _named(header: Sequence[str]) -> list[tuple[int, str]]:
    """First position of each column that has a name."""
    first: dict[str, int] = {}
    for i, name in enumerate(header):
        if name:
            first.setdefault(name, i)
    return [(i, name) for name, i in first.items()]


def _filled_rows(texts: Sequence[Any], rows: int) -> NDArray[np.bool_]:
    """Rows that hold anything at all; the first column settles almost all of them."""
    filled = np.zeros(rows, dtype=np.bool_)
    for array in texts:
        if filled.all():
            break
        filled |= pc.not_equal(array, "").to_numpy(zero_copy_only=False)
    return filled


def _report_ragged(invalid: Sequence[Any], file: str, findings: Findings) -> None:
    """One finding per row with too few or too many cells."""
    for row in invalid[:MOST_PER_KIND]:
        hint = "A cell that holds a comma needs quotes; numbers take points, and no thousands separators."
        if "，" in (row.text or ""):
            hint = "Commas between cells are half-width: write , in place of ，."
        elif '"' in (row.text or ""):
            hint = "Look for an opening quote that is never closed."
        cells = "1 cell" if row.actual_columns == 1 else f"{row.actual_columns} cells"
        message = f"the row has {cells}, the header has {row.expected_columns}"
        findings.error("ragged-row", message, file=file, row=row.number, hint=hint)
    if len(invalid) > MOST_PER_KIND:
        left_out = len(invalid) - MOST_PER_KIND
        message = f"{left_out:,} more rows have too few or too many cells"
        findings.error("ragged-row", message, file=file, count=left_out)
