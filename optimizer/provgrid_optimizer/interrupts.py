"""Ctrl-C while something has to end whole."""

from __future__ import annotations

import signal
import threading
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import FrameType, TracebackType

ASK_AGAIN_S = 0.05


def raising(before: Callable[[], None] = lambda: None) -> Callable[[int, FrameType | None], None]:
    """Make a handler of SIGINT that calls `before` and raises `KeyboardInterrupt`, as soon as that would be heard."""

    def interrupt(number: int, frame: FrameType | None) -> None:
        if _called_by_llvm(frame):
            threading.Timer(ASK_AGAIN_S, signal.raise_signal, [number]).start()
            return
        before()
        signal.default_int_handler(number, frame)

    return interrupt


def _called_by_llvm(frame: FrameType | None) -> bool:
    """Whether compiled kernels are being read back just now: an exception raised there would be lost on its way."""
    while frame is not None:
        if "llvmlite" in frame.f_code.co_filename:
            return True
        frame = frame.f_back
    return False


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
