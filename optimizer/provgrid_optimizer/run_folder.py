"""Run folders on disk: named, and written so that each is whole or absent."""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import os
import shutil
import tempfile
import time
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from provgrid_models.errors import OptionError

if TYPE_CHECKING:
    from collections.abc import Iterator


MARK, ENDING = ".provgrid-", ".partial"  # of a folder that is being written: .<name>.provgrid-<random>.partial
FRESH_S = 60.0  # a folder younger than this may belong to a process that is about to lock it


def check_free(folder: Path) -> None:
    """Raise `OptionError` where a run or an export would have to overwrite something."""
    if folder.exists() or folder.is_symlink():
        raise OptionError(f"{folder} exists already and is never overwritten; give another folder, or remove it")


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
    _clear_left_overs(folder.parent)
    partial = Path(tempfile.mkdtemp(prefix=f".{folder.name}{MARK}", suffix=ENDING, dir=folder.parent))
    held = _hold(partial)
    try:
        partial.chmod(0o777 & ~_umask())
        yield partial
        _flush(partial)
        check_free(folder)
        partial.rename(folder)
    except BaseException:
        shutil.rmtree(partial, ignore_errors=True)
        raise
    finally:
        os.close(held)
    _flush_one(folder.parent)


def _hold(partial: Path) -> int:
    """Lock a folder that is being written; the system lets go of it when the process is no more, however it ends."""
    descriptor = os.open(partial, os.O_RDONLY)
    with contextlib.suppress(OSError):  # a file system without locks: what is left there stays
        fcntl.flock(descriptor, fcntl.LOCK_EX)
    return descriptor


def _clear_left_overs(parent: Path) -> None:
    """Remove what killed processes left half written: no process holds it, and it is not from this minute."""
    for partial in parent.glob(f".*{MARK}*{ENDING}"):
        with contextlib.suppress(OSError):
            if time.time() - partial.stat().st_mtime < FRESH_S:
                continue
            descriptor = os.open(partial, os.O_RDONLY)
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
                shutil.rmtree(partial, ignore_errors=True)
            finally:
                os.close(descriptor)


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
