"""Results that were made already: one small file each, whole or absent, found again by what identifies it.

Processes that share a folder claim what they are about to make, so that nothing is made twice at the same time. A
claim is a lock of the operating system: it ends with the process, however that ends.
"""

from __future__ import annotations

import fcntl
import json
import os
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any, Generic, Protocol, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

CLAIMS = ".claims"
CLAIM_DIGITS = 15  # of a key, in hexadecimal: the byte of the file of claims that stands for it


class Identified(Protocol):
    """What is asked for. `key` is a hexadecimal digest of all that the result depends on."""

    @property
    def key(self) -> str:
        """Name of its file."""
        ...


class Plain(Protocol):
    """What is made."""

    def to_dict(self) -> dict[str, Any]:
        """Plain values, ready for JSON."""
        ...


Asked = TypeVar("Asked", bound=Identified)
Made = TypeVar("Made", bound=Plain)


class Store(Generic[Asked, Made]):
    """A folder of results. Whatever stops a run, what was finished is there, and nothing else.

    `read` turns the plain values of a file back into a result; None, or an error of a wrong value, counts as absent.
    """

    def __init__(self, folder: Path, read: Callable[[Any], Made | None]) -> None:
        self.folder = folder
        self._read = read
        self._known: dict[str, Made] = {}
        self._claims: int | None = None

    def path(self, asked: Asked) -> Path:
        """File of a result."""
        return self.folder / f"{asked.key}.json"

    def get(self, asked: Asked) -> Made | None:
        """Return a result, or None where it has not been made, or where its file cannot be read."""
        if asked.key not in self._known:
            found = self._read_file(self.path(asked))
            if found is None:
                return None
            self._known[asked.key] = found
        return self._known[asked.key]

    def put(self, asked: Asked, made: Made) -> None:
        """Keep a result: written beside its place, then renamed."""
        self.folder.mkdir(parents=True, exist_ok=True)
        text = json.dumps(made.to_dict(), indent=1, allow_nan=False)
        descriptor, name = tempfile.mkstemp(prefix=f".{asked.key}.", suffix=".partial", dir=self.folder)
        try:
            with os.fdopen(descriptor, "w", encoding="utf-8") as file:
                file.write(text + "\n")
                file.flush()
                os.fsync(file.fileno())
            Path(name).replace(self.path(asked))
        except BaseException:
            Path(name).unlink(missing_ok=True)
            raise

    def forget(self, several: Iterable[Asked]) -> None:
        """Take results away, so that they are made anew."""
        for one in several:
            self._known.pop(one.key, None)
            self.path(one).unlink(missing_ok=True)

    def claim(self, asked: Asked) -> bool:
        """Claim what is about to be made; False where another process is making it."""
        try:
            fcntl.lockf(self._claims_file(), fcntl.LOCK_EX | fcntl.LOCK_NB, 1, _byte(asked))
        except (BlockingIOError, PermissionError):
            return False
        return True

    def release(self, asked: Asked) -> None:
        """Give a claim back."""
        fcntl.lockf(self._claims_file(), fcntl.LOCK_UN, 1, _byte(asked))

    def close(self) -> None:
        """Give all claims back."""
        if self._claims is not None:
            os.close(self._claims)
            self._claims = None

    def _claims_file(self) -> int:
        if self._claims is None:
            self.folder.mkdir(parents=True, exist_ok=True)
            self._claims = os.open(self.folder / CLAIMS, os.O_RDWR | os.O_CREAT, 0o666)
        return self._claims

    def _read_file(self, path: Path) -> Made | None:
        try:
            return self._read(json.loads(path.read_text(encoding="utf-8")))
        except (OSError, ValueError, TypeError, KeyError):
            return None


def _byte(asked: Identified) -> int:
    return int(asked.key[:CLAIM_DIGITS], 16)
