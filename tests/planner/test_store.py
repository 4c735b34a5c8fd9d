"""Stores: whole or absent files, and claims that end with the process that made them."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from provgrid.making import make_here, missing
from provgrid.store import Store


@dataclass(frozen=True)
class Asked:
    """Something whose result is twice its number."""

    number: int

    @property
    def key(self) -> str:
        return f"{self.number:015x}".ljust(64, "0")


@dataclass(frozen=True)
class Made:
    value: int

    def to_dict(self) -> dict[str, Any]:
        return {"value": self.value}


def store_in(folder: Path) -> Store[Asked, Made]:
    return Store(folder, lambda entry: Made(**entry))


CLAIMS_AND_WAITS = """
import sys, time
from pathlib import Path
from provgrid.store import Store
class Asked:
    key = f"{7:015x}".ljust(64, "0")
print(Store(Path(sys.argv[1]), lambda entry: entry).claim(Asked()), flush=True)
time.sleep(60)
"""


def test_a_claim_keeps_others_away_and_ends_with_its_process(tmp_path):
    here = store_in(tmp_path)
    with subprocess.Popen(
        [sys.executable, "-c", CLAIMS_AND_WAITS, tmp_path], stdout=subprocess.PIPE, text=True
    ) as other:
        try:
            assert other.stdout is not None
            assert other.stdout.readline() == "True\n"
            assert not here.claim(Asked(7))
            assert here.claim(Asked(8))
        finally:
            other.kill()
    assert here.claim(Asked(7))
    here.close()


def test_each_is_made_once_and_what_is_there_is_taken(tmp_path):
    calls: list[int] = []

    def make(asked: Asked) -> Made:
        calls.append(asked.number)
        return Made(2 * asked.number)

    heard: list[Asked] = []
    asked = [Asked(3), Asked(1), Asked(3)]
    make_here(missing(asked, store_in(tmp_path)), make, store_in(tmp_path), heard.append)
    make_here(asked, make, store_in(tmp_path), heard.append)
    assert calls == [3, 1]
    assert heard == [Asked(3), Asked(1)]
    assert store_in(tmp_path).get(Asked(3)) == Made(6)


@pytest.mark.parametrize("text", ["", "{", "[]", '{"other": 1}'])
def test_a_file_that_cannot_be_read_counts_as_absent(tmp_path, text):
    store_in(tmp_path).put(Asked(1), Made(2))
    store_in(tmp_path).path(Asked(1)).write_text(text, encoding="utf-8")
    assert store_in(tmp_path).get(Asked(1)) is None


def test_what_is_forgotten_is_made_again(tmp_path):
    store = store_in(tmp_path)
    store.put(Asked(1), Made(2))
    assert store.get(Asked(1)) == Made(2)
    store.forget([Asked(1), Asked(2)])
    assert store.get(Asked(1)) is None
