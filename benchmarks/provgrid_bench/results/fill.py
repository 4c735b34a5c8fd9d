"""Fill the tables: run what is not in them yet, and write after every run, so that it can be stopped at any time."""

from __future__ import annotations

import os
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from provgrid_bench.peers.ladder import SIZES, Run, climb
from provgrid_bench.record import in_own_processes
from provgrid_bench.results.machine import load, machine
from provgrid_bench.results.parts import PARTS, Part
from provgrid_bench.results.tables import read_table, write_table
from provgrid_models.errors import OptionError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from provgrid_bench.results.tables import Row

DATA = "PROVGRID_DATA"  # a folder with gap/gap1.txt ... and gap/best_known.csv
ORDER = {part.name: rank for rank, part in enumerate(PARTS)}


def choose(names: Sequence[str] | None) -> list[Part]:
    """Return the parts of these names, or all; those that need data are left out of all where there is none.

    Raises
    ------
    OptionError : there is no such part, or it needs data.
    """
    has_data = os.environ.get(DATA) is not None
    if names is None:
        return [part for part in PARTS if has_data or not part.files]
    for name in names:
        if name not in ORDER:
            raise OptionError(f"no part {name!r}; choose among {', '.join(ORDER)}")
        if PARTS[ORDER[name]].files and not has_data:
            raise OptionError(f"part {name} needs the files of the OR-Library; set {DATA} to the folder above gap/")
    return [part for part in PARTS if part.name in names]


def fill(
    folder: Path, parts: Sequence[Part], *, threads: int = 2, again: bool = False, say: Callable[[str], None]
) -> dict[str, int]:
    """Run what is missing of these parts; returns how many rows each has gained.

    Raises
    ------
    OptionError : the tables come from another machine, or from other versions.
    """
    here, known = machine(), read_table(folder, "machine")
    if known and known != [here]:
        raise OptionError(f"{folder} holds what another machine or version has measured; give another folder")
    write_table(folder, "machine", [here])
    gained = {}
    for part in parts:
        rows = read_table(folder, part.table)
        if again:
            rows = [row for row in rows if row["part"] != part.name]
        before = len(rows)
        measure = _climb if part.table == "peers" else _call
        for new in measure(part, rows, threads, say):
            rows = sorted([*rows, *new], key=lambda row: ORDER[row["part"]])
            write_table(folder, part.table, rows)
        gained[part.name] = len(rows) - before
    return gained


def _call(part: Part, rows: list[Row], threads: int, say: Callable[[str], None]) -> Iterator[list[Row]]:
    """Yield the rows of each call that has none yet."""
    known = {row["call"] for row in rows if row["part"] == part.name}
    for call, file in [(call, file) for call in part.calls for file in part.files or (None,)]:
        shown = " ".join(call if file is None else (*call, file))
        if shown in known:
            continue
        say(f"{part.name}: {shown}")
        stamp = _stamp(part)
        records = in_own_processes([("bench", *call, *_paths(file), f"--threads={threads}")])
        yield [{**record, **stamp, "call": shown} for record in records]


def _paths(file: str | None) -> tuple[str, ...]:
    """Find a file of the OR-Library and the table of best known values on this machine."""
    if file is None:
        return ()
    folder = Path(os.environ[DATA]) / "gap"
    return (f"--best-known={folder / 'best_known.csv'}", str(folder / file))


def _climb(part: Part, rows: list[Row], threads: int, say: Callable[[str], None]) -> Iterator[list[Row]]:
    """Yield the row of each run that a peer has not made yet."""
    known = {(row["peer"], row["instance"]): row for row in rows}
    peer = part.name.removeprefix("peers-")
    runs = [Run(peer=peer, jobs=jobs, threads=threads) for jobs in SIZES]
    say(f"{part.name}: {len(runs)} sizes at most")
    stamp = _stamp(part)
    for record in climb(runs, known):
        if (record["peer"], record["instance"]) not in known:
            yield [{**record, **stamp}]
        stamp = _stamp(part)


def _stamp(part: Part) -> Row:
    return {"part": part.name, "measured": datetime.now(UTC).strftime("%Y-%m-%d %H:%M"), "load": load()}
