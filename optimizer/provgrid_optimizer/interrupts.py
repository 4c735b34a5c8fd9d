"""Ctrl-C: heard whenever it comes, and held back while something has to end whole."""

from __future__ import annotations

import signal
import sys
import threading
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import FrameType, TracebackType

ASK_AGAIN_S = 0.05

# Where an exception would be lost, become another one on its way or leave something half made: while compiled kernels
# are read back, a module is imported, an object ends, a class is built, a temporary folder is made or taken away.
IMPORTS = {"importlib", "_frozen_importlib", "_frozen_importlib_external"}
DEAF_PACKAGES = {"llvmlite", "tempfile", "weakref", "_weakrefset", *IMPORTS}
DEAF_FUNCTIONS = {"__del__", "__set_name__"}


def listen(before: Callable[[], None] = lambda: None) -> None:
    """Hear Ctrl-C in this process, whoever started it: call `before`, and raise `KeyboardInterrupt`."""
    signal.signal(signal.SIGINT, _raising(before))
    if hasattr(signal, "pthread_sigmask"):
        signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGINT})
    sys.unraisablehook = _AskAgain(sys.unraisablehook)


class _AskAgain:
    """Takes errors that nobody could be told of, such as one raised in a callback: a Ctrl-C among them comes again."""

    def __init__(self, before: Callable[[sys.UnraisableHookArgs], object]) -> None:
        self._before: Callable[[sys.UnraisableHookArgs], object] = before
        if isinstance(before, _AskAgain):
            self._before = before._before

    def __call__(self, lost: sys.UnraisableHookArgs) -> None:
        if issubclass(lost.exc_type, KeyboardInterrupt):
            _ask_again(signal.SIGINT)
        else:
            self._before(lost)


def _ask_again(number: int) -> None:
    threading.Timer(ASK_AGAIN_S, signal.raise_signal, [number]).start()


def _raising(before: Callable[[], None]) -> Callable[[int, FrameType | None], None]:
    def interrupt(number: int, frame: FrameType | None) -> None:
        if _would_be_lost(frame):
            _ask_again(number)
            return
        before()
        signal.default_int_handler(number, frame)

    return interrupt


def caused_by_ctrl_c(error: BaseException | None) -> bool:
    """Whether an error is what code on the way has made of a `KeyboardInterrupt`."""
    while error is not None and not isinstance(error, KeyboardInterrupt):
        error = error.__cause__ or error.__context__
    return error is not None


def _would_be_lost(frame: FrameType | None) -> bool:
    while frame is not None:
        package = str(frame.f_globals.get("__name__")).partition(".")[0]
        if package in DEAF_PACKAGES or frame.f_code.co_name in DEAF_FUNCTIONS:
            return True
        frame = frame.f_back
    return False


class CtrlCWaits:
    """Hold Ctrl-C back; `asked` says whether there was one. Other threads than the main one never see it anyway.

    Whoever handles SIGINT so far hears of it at once: one who ignores it, or does not raise, has not asked.
    """

    asked = False

    def __enter__(self) -> CtrlCWaits:
        self._before = signal.getsignal(signal.SIGINT)
        # None: a handler that was not set from Python, and that Python cannot put back.
        hears = self._before not in (None, signal.SIG_IGN)
        self._holds = hears and threading.current_thread() is threading.main_thread()
        if self._holds:
            signal.signal(signal.SIGINT, self._remember)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._holds:
            signal.signal(signal.SIGINT, self._before)

    def _remember(self, number: int, _frame: FrameType | None) -> None:
        try:
            if not callable(self._before):
                raise KeyboardInterrupt
            self._before(number, None)  # no frame: nothing is raised from here that could be lost
        except KeyboardInterrupt:
            self.asked = True
