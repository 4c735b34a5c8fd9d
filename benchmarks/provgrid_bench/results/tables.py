"""The tables: small CSV files, one row per run, with the columns that the page and a reader need."""

from __future__ import annotations

import csv
import math
from typing import TYPE_CHECKING, Any

from provgrid_models.errors import ArrayError

if TYPE_CHECKING:
    from pathlib import Path

Row = dict[str, Any]
TABLES: dict[str, tuple[str, ...]] = {
    "solves": (
        *("part", "call", "measured", "load", "instance", "instance_seed", "engine", "seed"),
        *(
            "threads",
            "jobs",
            "services",
            "pools",
            "periods",
            "rigid_share",
            "status",
            "objective_yuan",
            "bound_yuan",
            "gap",
        ),
        *("gap_jobs", "captured", "gap_energy_prices", "gap_cheapest", "unserved_share", "audit_violations"),
        *("build_s", "compile_s", "solve_s", "audit_s", "passes", "pass_s", "solve_over_pass", "peak_rss_mb"),
    ),
    "gap": (
        *("part", "call", "measured", "load", "instance", "sense", "agents", "tasks", "status", "objective"),
        *("best_known", "above_best_known", "bound", "gap", "audit_violations", "compile_s", "solve_s", "seed"),
    ),
    "peers": (
        *("part", "measured", "load", "peer", "instance", "jobs", "services", "pools", "periods", "seed", "threads"),
        *("time_limit_s", "status", "objective_yuan", "bound_yuan", "gap", "worst_excess", "build_s", "solve_s"),
        *("total_s", "peak_rss_mb", "version", "detail"),
    ),
    "machine": ("processor", "cores", "memory_gb", "system", "python", "numpy", "numba", "highspy", "pulp"),
}
TEXT = {
    *("part", "call", "measured", "instance", "engine", "status", "sense", "peer", "version", "detail"),
    *TABLES["machine"],
}
DIGITS = {"yuan": ".2f", "s": ".4g", "mb": ".0f"}  # by unit, the last word of a column's name


def write_table(folder: Path, name: str, rows: list[Row]) -> None:
    """Write a table; columns that it does not have are left out, what is not known stays empty."""
    folder.mkdir(parents=True, exist_ok=True)
    partial = folder / f".{name}.csv.partial"
    with partial.open("w", encoding="utf-8", newline="") as stream:
        writer = csv.writer(stream, lineterminator="\n")
        writer.writerow(TABLES[name])
        writer.writerows([_written(column, row.get(column)) for column in TABLES[name]] for row in rows)
    partial.replace(folder / f"{name}.csv")


def read_table(folder: Path, name: str) -> list[Row]:
    """Read a table; empty where there is none. Numbers are numbers, what is empty is None.

    Raises
    ------
    ArrayError : the file has other columns, or text where a number should stand.
    """
    path = folder / f"{name}.csv"
    if not path.is_file():
        return []
    with path.open(encoding="utf-8", newline="") as stream:
        reader = csv.DictReader(stream)
        if tuple(reader.fieldnames or ()) != TABLES[name]:
            raise ArrayError(f"{path}: has other columns than this version writes; measure anew in an empty folder")
        try:
            return [{column: _read(column, text) for column, text in row.items()} for row in reader]
        except ValueError as error:
            raise ArrayError(f"{path}, line {reader.line_num}: {error}; measure anew in an empty folder") from error


def _written(column: str, value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, float):
        if not math.isfinite(value):
            return ""
        if value.is_integer():
            return str(int(value))
        return format(value, DIGITS.get(column.rsplit("_", 1)[-1], ".6g"))
    return str(value)


def _read(column: str, text: str) -> Any:
    if text == "":
        return None
    return text if column in TEXT else float(text)
