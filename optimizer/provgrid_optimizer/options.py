"""What a caller may ask of an engine, and what an engine reports while it works."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

from provgrid_models.errors import OptionError


@dataclass(frozen=True, kw_only=True)
class SolveOptions:
    """Stops, threads and seed. Each is checked here, so that no engine ignores one in silence.

    Stopped by `gap` or `passes`, an engine returns the same tables for the same `seed`, whatever `threads` is.
    """

    gap: float | None = None  # stop when (objective - bound) / max(|objective|, 1) is at most this
    time_limit_s: float | None = None
    passes: int | None = None  # improvement passes over all jobs
    threads: int = 2
    seed: int = 0

    def __post_init__(self) -> None:
        if self.gap is not None and not 0 <= self.gap < 1:
            raise OptionError(f"gap is {self.gap}; give a fraction from 0 to below 1, such as 0.02 for 2 %")
        if self.time_limit_s is not None and not self.time_limit_s >= 0:
            raise OptionError(f"time_limit is {self.time_limit_s}; give seconds, at least 0")
        if self.passes is not None and self.passes < 1:
            raise OptionError(f"passes is {self.passes}; give a whole number of at least 1")
        if not 1 <= self.threads <= 256:
            raise OptionError(f"threads is {self.threads}; give a whole number from 1 to 256")
        if self.seed < 0:
            raise OptionError(f"seed is {self.seed}; give a whole number of at least 0")


@dataclass(frozen=True)
class Progress:
    """A report from a running engine. `objective_yuan` and `bound_yuan` are NaN while there is none."""

    elapsed_s: float
    stage: str
    objective_yuan: float = math.nan
    bound_yuan: float = math.nan
    passes: int = 0


OnProgress = Callable[[Progress], None]


def ignore_progress(_: Progress) -> None:
    """Listen to nothing: the default of every engine."""
