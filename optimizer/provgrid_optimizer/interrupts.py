"""Ctrl-C while something has to end whole."""

from __future__ import annotations

import signal
import threading
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from types import FrameType, TracebackType


class CtrlCWaits:
    """Hold Ctrl-C back; `asked` says whether there was one. Other threads than the main one never see it anyway."""

    asked = False

    def __enter__(self) -> CtrlCWaits:
        self._before = signal.getsignal(signal.SIGINT)
        # None: a handler that was not set from Python, and that Python cannot put back.
        self._holds = threading.current_thread() is threading.main_thread() and self._before is not None
        if self._holds:
            signal.signal(signal.SIGINT, self._remember)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._holds:
            signal.signal(signal.SIGINT, self._before)

    def _remember(self, _number: int, _frame: FrameType | None) -> None:
        self.asked = True
