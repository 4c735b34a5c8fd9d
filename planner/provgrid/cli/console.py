"""How the command line talks: results to stdout, everything else to stderr; interrupts that wait for a whole file."""

from __future__ import annotations

import json
import math
import os
import sys
import tempfile
import threading
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from provgrid_models.errors import OptionError

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from types import TracebackType
    from typing import TextIO

    from rich.console import Console
    from rich.live import Live
    from rich.progress import Progress as Bar

    from provgrid_optimizer.options import Progress

PIPE_WIDTH = 120
GUTTER = 3  # letters between two columns of a table
LEAST_SENTENCE, LEAST_ID = 12, 8  # letters that a column keeps on a narrow terminal
BAR_WIDTH = 16  # so that a stage and the time have room on 80 columns
PATIENCE_S = 2.0  # what takes longer shows a progress bar
FOLDER_INSTEAD = "another folder with -o"
FIRST_USE = "first time: about a minute"  # kernels are compiled then, once on a machine


@dataclass
class Session:
    """What one run of the command line has done so far, for the word that it ends with."""

    interrupts: int = 0
    written: list[Path] = field(default_factory=list)


session = Session()


def print_json(value: Any) -> None:
    """Print one JSON value to stdout; a number that is not there is null."""
    print(json.dumps(value, indent=2, ensure_ascii=False, allow_nan=False))


def note(text: str) -> None:
    """Say something on stderr that is not the result."""
    print(text, file=sys.stderr)


def output() -> Console:
    """Return a console on stdout; it drops colours by itself in a pipe or under NO_COLOR, and wraps nothing there."""
    from rich.console import Console

    # A pipe has no width of its own; a table must not be cut there.
    width = None if sys.stdout.isatty() else PIPE_WIDTH
    return Console(highlight=False, markup=False, soft_wrap=True, width=width)


def print_table(left: Sequence[str], right: Sequence[str], rows: Iterable[Sequence[str]]) -> None:
    """Print a table: headings of columns aligned to the left, then of those aligned to the right, and its rows.

    Nothing is ever cut. On a terminal that is too narrow, headings of figures wrap, then sentences; columns move close,
    and at last ids fold. A pipe has room for everything.
    """
    from rich import box
    from rich.table import Table

    cells = [list(row) for row in rows]
    console = output()
    room = console.width if sys.stdout.isatty() else None
    widths, gutter = _fitted([*left, *right], cells, len(left), room)
    table = Table(box=box.SIMPLE_HEAD, show_edge=False, pad_edge=False, padding=(0, gutter // 2))
    for number, (heading, width) in enumerate(zip((*left, *right), widths, strict=True)):
        justify: Literal["left", "right"] = "left" if number < len(left) else "right"
        table.add_column(heading, justify=justify, width=width, overflow="fold")
    for row in cells:
        table.add_row(*row)
    console.width = max(console.width, sum(widths) + gutter * len(widths))
    console.print(table, soft_wrap=False)


def _fitted(
    headings: Sequence[str], cells: Sequence[Sequence[str]], n_left: int, room: int | None
) -> tuple[list[int], int]:
    """Choose the columns' widths, and the letters between them, so that a table has room and ids are whole if they can.

    A figure is never broken, a sentence keeps room for a word or two, an id for some letters.
    """
    from rich.cells import cell_len

    columns, n_gaps = range(len(headings)), len(headings) - 1
    widest = [max((cell_len(row[c]) for row in cells), default=0) for c in columns]
    words = [max(map(cell_len, heading.split()), default=0) for heading in headings]
    widths = [max(widest[c], cell_len(headings[c])) for c in columns]
    if room is None:
        return widths, GUTTER
    sentences = [c for c in columns if c < n_left and any(" " in row[c] for row in cells)]
    _give_way(widths, range(n_left, len(headings)), list(map(max, widest, words)), room - GUTTER * n_gaps)
    _give_way(widths, sentences, [LEAST_SENTENCE] * len(headings), room - GUTTER * n_gaps)
    if sum(widths) + GUTTER * n_gaps <= room:
        return widths, GUTTER
    _give_way(widths, range(n_left), [max(LEAST_ID, word) for word in words], room - n_gaps)
    return widths, 1


def _give_way(widths: list[int], givers: Iterable[int], least: Sequence[int], room: int) -> None:
    """Make columns narrower, the widest first and none below its least, until all have room."""
    while sum(widths) > room and (able := [c for c in givers if widths[c] > least[c]]):
        widths[max(able, key=lambda c: widths[c])] -= 1


class Reporter:
    """Progress of a long command, from the third second on: two live lines on stderr, where that is a terminal.

    The first has the stage, how far it is and the time since the beginning, the second what an engine has so far:
    cost, bound, the gap between them now and at first, and passes. With `lines`, where there is no terminal, each stage
    is a line.
    """

    def __init__(
        self,
        *,
        time_limit_s: float | None = None,
        passes: int | None = None,
        quiet: bool = False,
        lines: bool = False,
    ) -> None:
        self._time_limit_s = time_limit_s
        self._passes = passes
        self._shown = live_terminal(sys.stderr) and not quiet
        self._as_lines = lines and not self._shown
        self._timer = threading.Timer(PATIENCE_S, self._start)
        self._timer.daemon = True
        self._lock = threading.Lock()
        self._live: Live | None = None
        self._bar: Bar | None = None
        self._stage, self._figures, self._completed = "", "", 0.0
        self._first_gap: float | None = None
        self._prefix = ""
        self._started = time.perf_counter()

    def __enter__(self) -> Reporter:
        self._started = time.perf_counter()
        if self._shown:
            self._timer.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._timer.cancel()
        with self._lock:
            self._shown = False
            if self._live is not None:
                self._live.stop()

    def stage(self, text: str, prefix: str = "") -> None:
        """Name what is being done now; `prefix` stays in front of what an engine reports."""
        self._stage, self._prefix, self._figures, self._completed = text, prefix, "", 0.0
        self._first_gap = None
        if self._as_lines:
            note(prefix.removesuffix(": ") or text)

    def __call__(self, progress: Progress) -> None:
        """Show an engine's report: it is an `OnProgress`."""
        self._stage = f"{self._prefix}{progress.stage}"
        self._figures = self._in_words(progress)
        self._completed = progress.elapsed_s if self._time_limit_s is not None else float(progress.passes)

    def lines(self) -> Any:
        """Draw what is shown just now; the live display asks for it a few times a second."""
        from rich.console import Group
        from rich.text import Text

        assert self._bar is not None
        task = self._bar.task_ids[0]
        self._bar.update(task, description=self._stage, completed=self._completed)
        figures = [Text(f"  {self._figures}", overflow="ellipsis", no_wrap=True)] if self._figures else []
        return Group(self._bar, *figures)

    def _in_words(self, progress: Progress) -> str:
        """Cost, bound, gap and passes, as far as they are known."""
        from provgrid_optimizer.certificate import gap

        objective, bound = progress.objective_yuan, progress.bound_yuan
        parts = [f"cost {objective:,.0f} yuan"] if math.isfinite(objective) else []
        parts += [f"bound {bound:,.0f} yuan"] if math.isfinite(bound) else []
        if len(parts) == 2:
            now = gap(objective, bound)
            self._first_gap = now if self._first_gap is None else self._first_gap
            before = f" (at first {self._first_gap:.2%})" if self._first_gap > now else ""
            parts.append(f"gap {now:.2%}{before}")
        parts += [f"{progress.passes:,} passes"] if progress.passes and parts else []
        return " · ".join(parts)

    def _start(self) -> None:
        """Begin to draw; the timer's thread comes here."""
        from rich.console import Console
        from rich.live import Live
        from rich.progress import BarColumn, SpinnerColumn, TextColumn, TimeElapsedColumn
        from rich.progress import Progress as Bar

        with self._lock:
            if not self._shown:
                return
            total = self._time_limit_s if self._time_limit_s is not None else self._passes
            columns = (
                SpinnerColumn(),
                TextColumn("{task.description}"),
                BarColumn(bar_width=BAR_WIDTH),
                TimeElapsedColumn(),
            )
            console = Console(stderr=True, markup=False, highlight=False)
            started = self._started
            self._bar = Bar(*columns, console=console, get_time=lambda: time.perf_counter() - started)
            task = self._bar.add_task(self._stage, total=total)
            self._bar.tasks[task].start_time = 0.0  # the seconds before it was shown count too
            self._live = Live(get_renderable=self.lines, console=console, transient=True)
            self._live.start()


def live_terminal(stream: TextIO) -> bool:
    """Whether lines can be drawn over on a stream: a terminal that knows how."""
    return stream.isatty() and os.environ.get("TERM", "") not in ("dumb", "unknown")


def check_writable(folder: Path, instead: str = FOLDER_INSTEAD) -> None:
    """Make what the folder needs, and take it away again: a long solve must not end where nothing can be written.

    Raises
    ------
    OptionError : a folder of that name cannot be made.
    """
    try:
        there = folder.absolute()
        while not there.exists():
            there = there.parent
        missing = folder.absolute().relative_to(there)
        with tempfile.TemporaryDirectory(prefix=".provgrid.", dir=there) as trial:
            # A run is first written beside its place, under a longer name.
            (Path(trial) / missing.parent / f".{missing.name}.provgrid-12345678.partial").mkdir(parents=True)
    except OSError as error:
        raise cannot_write(folder, error, instead) from error


def cannot_write(path: Path, error: OSError, instead: str = FOLDER_INSTEAD) -> OptionError:
    """Make the error of a folder or file that the system refuses; `instead` is what its command lets one give."""
    return OptionError(f"{path} cannot be written ({error.strerror or error}); give {instead}")
