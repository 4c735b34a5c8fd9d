"""Hot starts: the basis that one solve of the relaxation leaves behind, for the next of a neighbouring problem.

A basis is handed on as text, so that it can be kept in a file and sent to another process. It fits a program whose
columns and rows stand for the same things; any other solves as if nothing had been handed to it.
"""

from __future__ import annotations

import base64
import hashlib
import zlib
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from provgrid_optimizer.highs import Basis

if TYPE_CHECKING:
    from collections.abc import Iterator

    from provgrid_optimizer.matrix import LinearProgram

FEW_COLUMNS = 5_000  # the solver is the smaller part of the time that a plan takes: nothing to gain


@dataclass
class HotStart:
    """What is handed to a solve (`given`), whether it was of use, and what the solve hands on (`left`); "" = nothing.

    Measured in processor seconds, one thread, carbon price changed by 50 yuan/t: national-lite (20,000 columns) 1.1
    cold, 0.2 to 0.5 hot; a zhejiang week (32,000) 15 and 6.
    """

    given: str = ""
    used: bool = False
    left: str = ""

    def basis(self, program: LinearProgram) -> Basis | None:
        """Return the basis that was given, where it fits."""
        form, _, packed = self.given.partition(":")
        if not packed or form != _form(program):
            return None
        statuses = np.frombuffer(zlib.decompress(base64.b64decode(packed)), dtype=np.int8)
        self.used = True
        return Basis(columns=statuses[: program.n_columns], rows=statuses[program.n_columns :])

    def leave(self, program: LinearProgram, basis: Basis | None) -> None:
        """Keep a basis for the next."""
        if basis is not None and program.n_columns >= FEW_COLUMNS:
            statuses = np.concatenate([basis.columns, basis.rows]).astype(np.int8).tobytes()
            self.left = f"{_form(program)}:{base64.b64encode(zlib.compress(statuses, 9)).decode()}"


_current: ContextVar[HotStart | None] = ContextVar("hot_start", default=None)


@contextmanager
def hot_start(given: str = "") -> Iterator[HotStart]:
    """Hand a basis to what is solved inside, and take what it leaves."""
    held = HotStart(given)
    token = _current.set(held)
    try:
        yield held
    finally:
        _current.reset(token)


def current() -> HotStart | None:
    """Return what was handed to the solve that is under way."""
    return _current.get()


def _form(program: LinearProgram) -> str:
    """Digest of what the columns and rows of a program stand for."""
    digest = hashlib.sha256()
    for blocks in (program.columns, program.rows):
        for kind, block in blocks.items():
            digest.update(f"{kind} {block.size}".encode())
            for name, ids in block.ids.items():
                digest.update(name.encode() + np.ascontiguousarray(ids).tobytes())
    return digest.hexdigest()[:16]
