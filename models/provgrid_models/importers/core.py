"""What all importers share: reading cells with their line numbers, listing bad rows, building the long tables."""

from __future__ import annotations

import csv
import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from provgrid_models.errors import OptionError, ScenarioError
from provgrid_models.importers.options import UNPLACED, TraceOptions
from provgrid_models.scenario import Family, Tenant
from provgrid_models.tables import LONG_TABLES
from provgrid_models.words import counted

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

BAD_COLUMNS = ("file", "line", "column", "found", "problem")
IDENTIFIER = r"[A-Za-z0-9][A-Za-z0-9_.\-/]*"
LARGEST, SMALLEST = 1e12, 1e-9  # no figure of a trace is beyond; products of such figures stay finite
EARLIEST, LATEST = pd.Timestamp("1970-01-01"), pd.Timestamp("2199-12-31")
LONGEST_QUOTED = 100_000  # characters; the csv module refuses longer cells
FOUND_LENGTH = 80  # characters of a bad cell that the report repeats
DTYPES = {"text": "str", "number": "float64", "integer": "int64", "flag": "bool"}


@dataclass(frozen=True)
class Imported:
    """A trace as long tables, with everything that was assumed or left out on the way.

    `jobs`, `services` and `demand` follow `tables.LONG_TABLES` with every column filled. `demand` covers periods
    0 .. `periods` - 1 of `period_h` hours each (0 where the trace has no services). `bad_rows` has the columns
    file, line, column, found, problem: one row per problem. `counts` says how many rows were read, kept, bad,
    duplicated or left out on purpose. `until_placed` are the assumptions that hold until the work is placed in a grid.
    """

    kind: str
    jobs: pd.DataFrame
    services: pd.DataFrame
    demand: pd.DataFrame
    families: tuple[Family, ...]
    tenants: tuple[Tenant, ...]
    assumptions: tuple[str, ...]
    bad_rows: pd.DataFrame
    counts: dict[str, int]
    period_h: float = 1.0
    periods: int = 0
    until_placed: tuple[str, ...] = ()


def long_table(name: str, columns: Mapping[str, Any], rows: int) -> pd.DataFrame:
    """Build a long table with all its columns in order, defaults filled, in the loader's dtypes."""
    return pd.DataFrame(
        {
            c.name: pd.Series(columns.get(c.name, c.default), index=range(rows), dtype=DTYPES[c.kind])
            for c in LONG_TABLES[name].columns
        }
    )


class NoGoodRowError(ScenarioError):
    """A trace, or a file of it, has no row that gives work; `bad_rows` lists what is wrong, as `Imported` does."""

    def __init__(self, what: str, bad_rows: pd.DataFrame) -> None:
        advice = "check the file and the options"
        if len(bad_rows):
            first = bad_row_text(bad_rows.iloc[0])
            advice = f"correct what is wrong in {counted(len(bad_rows), 'place')}, first {first}"
        super().__init__(f"{what}; {advice}")
        self.bad_rows = bad_rows


def bad_row_text(row: Any) -> str:
    """One row of `Imported.bad_rows` as a line."""
    column = f" column {row.column!s}" if row.column else ""
    return f"{row.file}:{row.line}{column}: {row.problem} (found {row.found!r})"


@dataclass
class BadRows:
    """Collects problems while a trace is read; `keep` turns false for every row that has one."""

    entries: list[tuple[str, int, str, str, str]] = field(default_factory=list)
    lines: set[tuple[str, int]] = field(default_factory=set)

    def add(self, file: str, line: int, column: str, found: object, problem: str) -> None:
        """List one problem."""
        text = str(found)
        shown = text if len(text) <= FOUND_LENGTH else text[: FOUND_LENGTH - 3] + "..."
        self.entries.append((file, line, column, shown, problem))
        self.lines.add((file, line))

    def frame(self) -> pd.DataFrame:
        """All problems, by file and line."""
        ordered = sorted(self.entries)
        frame = pd.DataFrame(ordered, columns=list(BAD_COLUMNS))
        return frame.astype({c: "int64" if c == "line" else "str" for c in BAD_COLUMNS})


@dataclass
class Cells:
    """The cells of one file as text, with their line numbers, and which rows are still good."""

    file: str
    frame: pd.DataFrame  # columns of the file as text, plus "line"
    good: NDArray[np.bool_]
    bad: BadRows
    read: int
    duplicates: int = 0

    def reject(self, wrong: Any, column: str, problem: str) -> None:
        """List every still good row where `wrong` holds; it is bad from here on."""
        mask = np.asarray(wrong, dtype=bool) & self.good
        source = self.frame[column] if column in self.frame else pd.Series("", index=self.frame.index)
        for line, found in zip(self.frame["line"][mask], source[mask], strict=True):
            self.bad.add(self.file, int(line), column, found, problem)
        self.good &= ~mask

    def number(self, column: str, *, low: float = 0.0, above: bool = False, whole: bool = False) -> NDArray[np.float64]:
        """Read a column as numbers (NaN where it is bad); bad rows are listed."""
        values = pd.to_numeric(self.frame[column], errors="coerce").to_numpy(dtype=np.float64)
        values = np.where(np.isfinite(values), values, np.nan)
        self.reject(np.isnan(values), column, "not a number")
        self.reject(np.abs(values) > LARGEST, column, f"larger than {LARGEST:g}")
        with np.errstate(invalid="ignore"):
            if whole:
                self.reject(values != np.floor(values), column, "not a whole number")
            self.reject(
                values <= low + SMALLEST if above else values < low,
                column,
                f"must be {'above' if above else 'at least'} {low:g}",
            )
        return values

    def moment(self, column: str) -> pd.Series:
        """Read a column as ISO timestamps without a zone; bad rows are listed."""
        moments = pd.to_datetime(self.frame[column], format="ISO8601", errors="coerce", utc=True).dt.tz_localize(None)
        self.reject(moments.isna(), column, "not a timestamp like 2017-10-09 07:01:55")
        far = moments.lt(EARLIEST) | moments.gt(LATEST)
        self.reject(far, column, f"not between {EARLIEST:%Y} and {LATEST:%Y}")
        return moments.mask(far).astype("datetime64[ns]")

    def identifier(self, column: str) -> pd.Series:
        """Read a column as names; bad rows are listed."""
        names = self.frame[column]
        self.reject(~names.str.fullmatch(IDENTIFIER), column, "not a name (letters, digits, _ . - /)")
        return names

    def drop_duplicates(self, *, drop: bool) -> None:
        """List rows whose cells all equal an earlier row's; leave them out if `drop`."""
        columns = [c for c in self.frame if c != "line"]
        repeated = self.frame.duplicated(columns).to_numpy() & self.good
        self.duplicates = int(repeated.sum())
        if not self.duplicates:
            return
        first = self.frame.groupby(columns, sort=False, dropna=False)["line"].transform("first")
        rows = zip(
            self.frame["line"][repeated], first[repeated], self.frame.loc[repeated, columns].to_numpy(), strict=True
        )
        for line, original, cells in rows:
            done = "left out" if drop else "kept"
            self.bad.add(self.file, int(line), "", ",".join(cells), f"exact duplicate of line {original}; {done}")
        if drop:
            self.good &= ~repeated


def expand(files: Sequence[str | Path] | str | Path, pattern: str) -> list[Path]:
    """Files as given, folders as the files in them (at any depth) that match `pattern`, in a fixed order."""
    given = [files] if isinstance(files, str | Path) else list(files)
    found: list[Path] = []
    for path in map(Path, given):
        if path.is_dir():
            inside = sorted(p for p in path.rglob(pattern) if p.is_file())
            if not inside:
                raise OptionError(f"{path}: no file in this folder is named {pattern}; give the files themselves")
            found += inside
        elif path.is_file():
            found.append(path)
        else:
            raise OptionError(f"{path}: no such file or folder; check the path")
    if not found:
        raise OptionError("no trace files given; name at least one file or folder")
    return list(dict.fromkeys(found))


def read_cells(path: Path, columns: Sequence[str], bad: BadRows, *, header: bool = True, label: str = "") -> Cells:
    """Read a comma separated file as text cells.

    Line ends may be LF or CRLF, the last one may be missing. Rows with a wrong number of cells, blank lines inside
    the file and bytes that are not UTF-8 are listed as bad. With `header`, columns are found by name and further
    columns are passed over; without, `columns` names all of them in order. `label` stands for the file in findings.

    Raises
    ------
    ScenarioError
        Where the header lacks a needed column, or has one twice.
    """
    file = label or path.name
    lines = (
        path.read_bytes()
        .decode("utf-8-sig", errors="replace")
        .replace("\r\n", "\n")
        .replace("\r", "\n")
        .rstrip("\n")
        .split("\n")
    )
    names = _split(lines[0]) if header else list(columns)
    missing = [c for c in columns if c not in names]
    repeated = [c for c in columns if names.count(c) > 1]
    if missing:
        raise ScenarioError(
            f"{file}: the header lacks {', '.join(missing)}; found {lines[0][:FOUND_LENGTH] or 'an empty file'!r}; "
            "name the trace's own files, or another format"
        )
    if repeated:
        raise ScenarioError(f"{file}: the header has {', '.join(repeated)} more than once; keep one of them")
    body = enumerate(lines[1:] if header else lines, start=2 if header else 1)
    rows: list[list[str]] = []
    numbers: list[int] = []
    read = 0
    for number, text in body:
        if not text and len(lines) == 1:
            continue  # an empty file without a header has no row
        read += 1
        cells = _split(text)
        if not text.strip():
            bad.add(file, number, "", text, "blank line")
        elif len(cells) != len(names):
            bad.add(
                file,
                number,
                "",
                text,
                f"{len(cells)} cells, the header has {len(names)}"
                if header
                else f"{len(cells)} cells instead of {len(names)}",
            )
        elif "\ufffd" in text:
            bad.add(file, number, "", text, "bytes that are not UTF-8")
        else:
            rows.append(cells)
            numbers.append(number)
    frame = pd.DataFrame(rows, columns=names, dtype="str")[list(columns)]
    frame["line"] = np.asarray(numbers, dtype=np.int64)
    return Cells(file, frame, np.ones(len(frame), dtype=bool), bad, read)


def _split(line: str) -> list[str]:
    cells = next(csv.reader([line])) if '"' in line and len(line) < LONGEST_QUOTED else line.split(",")
    return [c.strip() for c in cells]


def start_moment(options: TraceOptions, earliest: pd.Timestamp) -> pd.Timestamp:
    """Trace time of hour 0 in a trace with timestamps.

    Raises
    ------
    OptionError
        Where `options.start` is no timestamp.
    """
    if options.start is None:
        return earliest.normalize()
    try:
        return pd.Timestamp(str(options.start))
    except ValueError:
        raise OptionError(f"start is {options.start!r}; give a timestamp like 2017-10-02 00:00:00") from None


def start_second(options: TraceOptions) -> float:
    """Trace time of hour 0 in a trace that counts seconds.

    Raises
    ------
    OptionError
        Where `options.start` is no number from 0 up.
    """
    try:
        second = float(options.start if options.start is not None else 0.0)
    except ValueError:
        second = -1.0
    if not (np.isfinite(second) and second >= 0):
        raise OptionError(f"start is {options.start!r}; this trace counts seconds: give a number from 0 up")
    return second


def regions_of(options: TraceOptions, names: pd.Series) -> pd.Series:
    """Region of each row: by `region_map` from its tenant or service, else `region`."""
    return names.map(lambda name: options.region_map.get(name, options.region)).astype("str")


def names_for(paths: Sequence[Path]) -> list[str]:
    """Make an identifier of each file's name, e.g. AzureLLMInferenceTrace_code; a repeated one gets a number."""
    names: list[str] = []
    for path in paths:
        stem = re.sub(r"[^A-Za-z0-9_.\-]+", "-", path.stem).strip("-._") or "trace"
        name, number = stem, 2
        while name in names:
            name, number = f"{stem}-{number}", number + 1
        names.append(name)
    return names


def summary(cells: Sequence[Cells], kept: int, left_out: Mapping[str, int], bad: BadRows) -> dict[str, int]:
    """Count rows: read = kept + bad + duplicates left out + those left out on purpose."""
    duplicates = sum(c.duplicates for c in cells)
    listed_duplicates = len({(e[0], e[1]) for e in bad.entries if e[4].startswith("exact duplicate")})
    return {
        "files": len(cells),
        "rows_read": sum(c.read for c in cells),
        "rows_kept": kept,
        "bad_rows": len(bad.lines) - listed_duplicates,
        "duplicate_rows": duplicates,
        **left_out,
    }


def common_assumptions(options: TraceOptions, cells: Sequence[Cells], bad: BadRows) -> list[str]:
    """Sentences about placing, scaling, duplicates and bad rows that hold for every format."""
    said = []
    duplicates = sum(c.duplicates for c in cells)
    done = "left out" if options.drop_duplicates else "kept"
    said.append(
        f"{duplicates} exact duplicate rows were {done}; each is listed." if duplicates else "No row is there twice."
    )
    wrong = len({(e[0], e[1]) for e in bad.entries if not e[4].startswith("exact duplicate")})
    said.append(
        f"{wrong} bad rows were left out; each is listed with its file, line and problem."
        if wrong
        else "No row is bad."
    )
    if options.region_map:
        said.append(f"The region follows a map of {len(options.region_map)} names, else it is {options.region}.")
    elif options.region != UNPLACED:
        said.append(f"The trace names no region: all work was put into {options.region}.")
    said += until_placed(options)
    if options.scale != 1.0:
        said.append(f"All work was multiplied by {options.scale:g}.")
    return said


def until_placed(options: TraceOptions) -> tuple[str, ...]:
    """Sentences that hold until the work is placed in a grid: where it stands, and which model it runs."""
    nowhere = f"The trace names no region: all work stands in region '{UNPLACED}' until it is placed in a grid."
    model = f"The trace names no model: all work is of family {options.family}."
    return (*((nowhere,) if options.region == UNPLACED and not options.region_map else ()), model)


def tenants_of(frame: pd.DataFrame) -> tuple[Tenant, ...]:
    """One tenant row per name in the frame, sorted."""
    return tuple(Tenant(id=t, kind="firm") for t in sorted(set(frame["tenant"]) - {""}))
