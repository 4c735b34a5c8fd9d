"""What is left of a time limit."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from provgrid_models.errors import NoPlanError

if TYPE_CHECKING:
    from provgrid_optimizer.options import SolveOptions


class Clock:
    """What is left of a time limit; a limit of 0 leaves no plan."""

    def __init__(self, options: SolveOptions) -> None:
        self._limit_s = options.time_limit_s
        self._started = time.perf_counter()

    def left_s(self) -> float | None:
        """Seconds left, None without a limit; raises `NoPlanError` when there are none."""
        if self._limit_s is None:
            return None
        left = self._limit_s - (time.perf_counter() - self._started)
        if left <= 0:
            raise NoPlanError(f"the time limit of {self._limit_s:g} s passed before the solver had started; give more")
        return left
