"""What a caller may ask of an engine, and what an engine reports while it works."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from numbers import Integral

from provgrid_models.arguments import real_number, shown
from provgrid_models.errors import OptionError

# Each option: the type that it is kept as, whether it may be left out, what fits, and that in words.
_CHECKS: tuple[tuple[str, type[int] | type[float], bool, Callable[[float], bool], str], ...] = (
    ("gap", float, True, lambda gap: 0 <= gap < 1, "a fraction from 0 to below 1, such as 0.02 for 2 %"),
    ("time_limit_s", float, True, lambda seconds: seconds >= 0, "seconds, at least 0"),
    ("passes", int, True, lambda passes: passes >= 1, "a whole number of at least 1"),
    ("threads", int, False, lambda threads: 1 <= threads <= 256, "a whole number from 1 to 256"),
    ("seed", int, False, lambda seed: seed >= 0, "a whole number of at least 0"),
)


def _plain_number(given: object, plain: type[int] | type[float]) -> float | None:
    """Return a number, of Python or NumPy, as this type; None for what is none, or not whole where it has to be."""
    if isinstance(given, bool):
        return None
    if plain is float:
        return real_number(given)
    return int(given) if isinstance(given, Integral) else None


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
        for name, plain, optional, fits, needed in _CHECKS:
            given = getattr(self, name)
            if given is None and optional:
                continue
            number = _plain_number(given, plain)
            if number is None or not fits(number):
                raise OptionError(f"{name.removesuffix('_s')} is {shown(given)}; give {needed}")
            object.__setattr__(self, name, None if number == math.inf else number)  # no time is too long: no limit


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
