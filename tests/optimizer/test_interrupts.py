"""Ctrl-C comes at any moment, also where an exception would be lost on its way; it is heard, a little later."""

from __future__ import annotations

import ctypes
import importlib
import os
import signal
import sys
import tempfile
import time
import weakref
from typing import TYPE_CHECKING, Any

import pytest

from provgrid_optimizer.interrupts import CtrlCWaits, caused_by_ctrl_c, listen

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

WITHIN_S = 30.0

after_it: list[str] = []


def press() -> None:
    signal.raise_signal(signal.SIGINT)
    after_it.append("reached")


class PressedWhenNamed:
    def __set_name__(self, owner: type, name: str) -> None:
        press()


class PressedAtItsEnd:
    def __del__(self) -> None:
        press()


class Watched:
    pass


def while_a_class_is_built() -> None:
    type("Built", (), {"attribute": PressedWhenNamed()})


def while_an_object_ends() -> None:
    PressedAtItsEnd()


def while_a_watched_object_ends() -> None:
    watched = Watched()
    weakref.finalize(watched, press)
    del watched


def while_a_temporary_folder_is_made(monkeypatch: pytest.MonkeyPatch, inside: Path) -> None:
    making = os.mkdir

    def made(*arguments: Any) -> None:
        making(*arguments)
        press()

    monkeypatch.setattr(os, "mkdir", made)
    with tempfile.TemporaryDirectory(dir=inside):
        wait_for_ctrl_c()


def wait_for_ctrl_c() -> None:
    end = time.monotonic() + WITHIN_S
    while time.monotonic() < end:
        time.sleep(0.01)


def do_and_wait(moment: Callable[[], object]) -> None:
    moment()
    wait_for_ctrl_c()


@pytest.fixture(autouse=True)
def calls() -> Iterator[list[str]]:
    after_it.clear()
    calls: list[str] = []
    before, hook = signal.getsignal(signal.SIGINT), sys.unraisablehook
    listen(lambda: calls.append("Ctrl-C"))
    yield calls
    signal.signal(signal.SIGINT, before)
    sys.unraisablehook = hook


@pytest.mark.parametrize("moment", [while_a_class_is_built, while_an_object_ends, while_a_watched_object_ends])
def test_ctrl_c_where_it_would_be_lost_is_heard_right_after(moment: Callable[[], None], calls: list[str]) -> None:
    with pytest.raises(KeyboardInterrupt):
        do_and_wait(moment)
    assert after_it == ["reached"]
    assert calls == ["Ctrl-C"]


def test_ctrl_c_that_a_callback_cannot_tell_of_comes_again(calls: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    told: list[Any] = []
    monkeypatch.setattr(sys, "unraisablehook", told.append)
    listen(lambda: calls.append("Ctrl-C"))
    listen(lambda: calls.append("Ctrl-C"))  # a second command in one process
    with pytest.raises(KeyboardInterrupt):
        do_and_wait(ctypes.CFUNCTYPE(None)(press))
    assert after_it == []
    assert calls == ["Ctrl-C", "Ctrl-C"]
    ctypes.CFUNCTYPE(None)(lambda: 1 / 0)()
    assert [lost.exc_type for lost in told] == [ZeroDivisionError]


@pytest.mark.skipif(not hasattr(signal, "pthread_sigmask"), reason="this system cannot block a signal")
def test_who_was_started_with_ctrl_c_blocked_hears_it_once_it_listens(calls: list[str]) -> None:
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    press()
    with pytest.raises(KeyboardInterrupt):
        do_and_wait(listen)
    assert after_it == ["reached"]
    assert calls == []


def test_ctrl_c_leaves_no_module_half_imported(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, calls: list[str]
) -> None:
    source = f"import {__name__} as tests\ntests.press()\n"
    (tmp_path / "stopped_module.py").write_text(source, "utf-8")
    monkeypatch.syspath_prepend(tmp_path)
    with pytest.raises(KeyboardInterrupt):
        do_and_wait(lambda: importlib.import_module("stopped_module"))
    assert sys.modules.pop("stopped_module")
    assert after_it == ["reached"]
    assert calls == ["Ctrl-C"]


def test_ctrl_c_leaves_no_temporary_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, calls: list[str]) -> None:
    with pytest.raises(KeyboardInterrupt):
        while_a_temporary_folder_is_made(monkeypatch, tmp_path)
    assert list(tmp_path.iterdir()) == []
    assert after_it == ["reached"]
    assert calls == ["Ctrl-C"]


def test_ctrl_c_waits_where_something_has_to_end_whole_and_is_counted_at_once(calls: list[str]) -> None:
    with CtrlCWaits() as whole:
        with CtrlCWaits() as part:
            press()
            assert calls == ["Ctrl-C"]
        press()
    assert after_it == ["reached", "reached"]
    assert whole.asked
    assert not part.asked  # the whole ends with it, so that its part need not
    with pytest.raises(KeyboardInterrupt):
        press()


@pytest.mark.parametrize("handler", [signal.SIG_IGN, lambda *_: None])
def test_who_ignores_ctrl_c_is_not_stopped_by_it(handler: Any) -> None:
    signal.signal(signal.SIGINT, handler)
    with CtrlCWaits() as interrupts:
        press()
    assert not interrupts.asked
    assert signal.getsignal(signal.SIGINT) is handler


def test_an_error_made_of_ctrl_c_is_told_from_a_fault() -> None:
    named, unnamed, fault = RuntimeError("wrapped"), SystemError("while an exception was set"), RuntimeError("a fault")
    named.__cause__ = unnamed.__context__ = KeyboardInterrupt()
    fault.__cause__ = ValueError("a number")
    assert caused_by_ctrl_c(named)
    assert caused_by_ctrl_c(unnamed)
    assert not caused_by_ctrl_c(fault)
    assert not caused_by_ctrl_c(None)
