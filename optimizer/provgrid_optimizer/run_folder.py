"""Run folders on disk: named, and written so that each is whole or absent."""

from __future__ import annotations

import hashlib
import os
import shutil
import tempfile
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from provgrid_models.errors import OptionError

if TYPE_CHECKING:
    from collections.abc import Iterator


def check_free(folder: Path) -> None:
    """Raise `OptionError` where a run would have to overwrite something."""
    if folder.exists() or folder.is_symlink():
        raise OptionError(f"{folder} exists already; a run is never overwritten, so give another folder")


def next_run_folder(parent: Path, scenario: str, engine: str) -> Path:
    """First free `parent/<scenario>-<engine>-<n>`, n = 1, 2, ..."""
    number = 1
    while (parent / f"{scenario}-{engine}-{number}").exists():
        number += 1
    return parent / f"{scenario}-{engine}-{number}"


@contextmanager
def whole_or_absent(folder: Path) -> Iterator[Path]:
    """Yield a hidden folder beside `folder`; on success its files reach the disk and it takes that name.

    Whatever stops the caller, an error, Ctrl-C or a lost machine, `folder` holds everything or does not exist.
    """
    check_free(folder)
    folder.parent.mkdir(parents=True, exist_ok=True)
    partial = Path(tempfile.mkdtemp(prefix=f".{folder.name}.", suffix=".partial", dir=folder.parent))
    try:
        partial.chmod(0o777 & ~_umask())
        yield partial
        _flush(partial)
        check_free(folder)
        partial.rename(folder)
    except BaseException:
        shutil.rmtree(partial, ignore_errors=True)
        raise
    _flush_one(folder.parent)


def content_hash(source: Path) -> str:
    """SHA-256 over the names and bytes of a file, or of all files of a folder in the order of their names."""
    digest = hashlib.sha256()
    for path in [source] if source.is_file() else sorted(p for p in source.rglob("*") if p.is_file()):
        data = path.read_bytes()
        digest.update(f"{path.relative_to(source.parent).as_posix()}\0{len(data)}\0".encode())
        digest.update(data)
    return digest.hexdigest()


def _umask() -> int:
    """Read the process's mask for new files, which takes setting it."""
    mask = os.umask(0o077)
    os.umask(mask)
    return mask


def _flush(folder: Path) -> None:
    """Wait until a folder and everything in it is on the disk."""
    for path in folder.rglob("*"):
        _flush_one(path)
    _flush_one(folder)


def _flush_one(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
