"""One file into columns: what the reader of CSV files must not take over."""

from __future__ import annotations

import io
import signal
from typing import TYPE_CHECKING, Any

from provgrid_models import readers
from provgrid_models.findings import Findings

if TYPE_CHECKING:
    from pathlib import Path

    import pytest


class PressedWhileRead(io.BytesIO):
    def read(self, *size: Any) -> bytes:
        signal.raise_signal(signal.SIGINT)
        return super().read(*size)


def test_ctrl_c_while_a_csv_is_read_is_heard_by_its_own_handler(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "jobs.csv").write_text("id,work\na,1\nb,2\n", encoding="utf-8")
    monkeypatch.setattr(io, "BytesIO", PressedWhileRead)
    heard: list[int] = []
    before = signal.signal(signal.SIGINT, lambda number, _: heard.append(number))
    try:
        table = readers.read_csv(tmp_path / "jobs.csv", "jobs.csv", Findings())
    finally:
        signal.signal(signal.SIGINT, before)
    assert heard
    assert table is not None
    assert table.columns["id"].to_pylist() == ["a", "b"]
