"""The runs folder, the only place that the page reads and writes: its runs, their verdicts, and the reports on them.

A run is found among the names that the folder itself lists. Nothing that a page sends is ever joined to a path.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import tempfile
import tomllib
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from provgrid.view.refusals import RefusedError
from provgrid_models.errors import OptionError
from provgrid_optimizer.options import SolveOptions

if TYPE_CHECKING:
    from collections.abc import Iterator

MANIFEST = "manifest.json"
CACHE = ".view"  # folder of reports, inside the runs folder
MOST_BYTES_OF_MANIFEST = 32_000_000


@dataclass(frozen=True, kw_only=True)
class Line:
    """What the list says of a run, from its manifest alone. A run that cannot be read has a `fault`, and no figures."""

    name: str
    when: datetime
    fault: bool = False
    scenario: str = ""
    engine: str = ""
    status: str = ""
    divisible: bool = False
    objective_yuan: float | None = None
    bound_yuan: float | None = None
    gap: float | None = None
    unserved_share: float | None = None
    never_served_yuan: float = 0.0  # not counted in the share
    options: dict[str, Any] | None = None
    from_arrays: bool = False


class Shelf:
    """A folder of runs, as a page may see it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder.resolve()
        self._lines: dict[str, tuple[tuple[int, int], Line]] = {}

    def names(self) -> list[str]:
        """Names of the runs: folders in this one, not links to elsewhere, that hold a manifest."""
        try:
            with os.scandir(self.folder) as entries:
                found = [
                    entry.name
                    for entry in entries
                    if not entry.name.startswith(".") and entry.is_dir(follow_symlinks=False) and _is_text(entry.name)
                ]
        except OSError:
            return []
        return [name for name in found if (self.folder / name / MANIFEST).is_file()]

    def lines(self) -> list[Line]:
        """Read what there is to say of every run, the newest first."""
        found = [line for name in self.names() if (line := self._line_or_fault(name)) is not None]
        return sorted(found, key=lambda line: (line.when, line.name), reverse=True)

    def _line_or_fault(self, name: str) -> Line | None:
        """Line of a run, with a fault where the run is refused; None where it is gone meanwhile."""
        try:
            return self.line(name)
        except RefusedError as refused:
            return None if refused.status == 404 else Line(name=name, when=datetime.fromtimestamp(0), fault=True)
        except OSError:
            return None

    def line(self, name: str) -> Line:
        """Read what there is to say of one run; `RefusedError` where there is none of that name."""
        manifest = self.run(name) / MANIFEST
        try:
            status = manifest.stat()
        except OSError:  # gone since the folder was listed
            raise RefusedError(404, "no_run") from None
        stamp = status.st_mtime_ns, status.st_size
        if name not in self._lines or self._lines[name][0] != stamp:
            when = datetime.fromtimestamp(status.st_mtime)
            self._lines[name] = stamp, _line(name, when, manifest if stamp[1] <= MOST_BYTES_OF_MANIFEST else None)
        return self._lines[name][1]

    def sound_line(self, name: str) -> Line:
        """Read what there is to say of one run; `RefusedError` where its manifest cannot be read too."""
        line = self.line(name)
        if line.fault:
            raise RefusedError(422, "fault_of_run")
        return line

    def run(self, name: str) -> Path:
        """Folder of the run of that name.

        Raises
        ------
        RefusedError : the folder has no such run, or the run holds a link that leads out of the folder.
        """
        if name not in self.names():
            raise RefusedError(404, "no_run")
        folder = self.folder / name
        if any(self._leads_out(path) for path in _everything(folder)):
            raise RefusedError(403, "leads_out")
        return folder

    def scenario(self, name: str) -> Path:
        """Folder of the scenario that a run holds; `RefusedError` where it has none, or one that leans on another."""
        folder = self.run(name) / "scenario"
        try:
            settings = tomllib.loads((folder / "scenario.toml").read_text(encoding="utf-8"))
        except FileNotFoundError:
            raise RefusedError(409, "no_scenario") from None
        except (OSError, ValueError, RecursionError) as error:
            raise RefusedError(422, "damaged", reason=str(error).splitlines()[0]) from error
        if "extends" in settings:
            raise RefusedError(403, "leads_out")
        return folder

    def fingerprint(self, name: str) -> str:
        """Return a mark that changes when a run is replaced by another one of the same name."""
        try:
            return hashlib.sha256((self.run(name) / MANIFEST).read_bytes()).hexdigest()[:24]
        except OSError:
            raise RefusedError(422, "fault_of_run") from None

    def report(self, name: str, lang: str) -> Path:
        """Where the report on a run is kept, whether it is there yet or not."""
        return self._cache() / f"report-{self.fingerprint(name)}-{lang}.html"

    def _cache(self) -> Path:
        folder = self.folder / CACHE
        if folder.is_symlink():
            raise RefusedError(403, "leads_out")
        if folder.exists() and not folder.is_dir():
            raise RefusedError(409, "in_the_way", path=folder.name)
        return folder

    def _leads_out(self, path: Path) -> bool:
        """Whether a link ends outside the runs folder, or nowhere."""
        if not path.is_symlink():
            return False
        try:
            return not path.resolve(strict=True).is_relative_to(self.folder)
        except (OSError, RuntimeError):
            return True


def folder_name(text: str) -> str:
    """Make a name that is one part of a path out of a scenario's, which may hold slashes and dots."""
    return re.sub(r"[^\w-]+", "-", text).strip("-") or "run"


def keep(path: Path, text: str) -> None:
    """Write a file of the cache, whole or not at all."""
    path.parent.mkdir(exist_ok=True)
    handle, partial = tempfile.mkstemp(prefix=".report.", dir=path.parent)
    try:
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            file.write(text)
        Path(partial).replace(path)
    except BaseException:
        Path(partial).unlink(missing_ok=True)
        raise


def _everything(folder: Path) -> Iterator[Path]:
    """Paths of all that a folder holds; links are not followed."""
    for parent, folders, files in os.walk(folder):
        yield from (Path(parent) / name for name in (*folders, *files))


def _is_text(name: str) -> bool:
    """Whether a name can be written in a page."""
    try:
        name.encode()
    except UnicodeEncodeError:
        return False
    return name.isprintable()


def _line(name: str, when: datetime, manifest: Path | None) -> Line:
    try:
        if manifest is None:
            raise ValueError("too large to be a manifest")
        found = json.loads(manifest.read_text(encoding="utf-8"))
        certificate = found["certificate"]
        return Line(
            name=name,
            when=when,
            scenario=str(found["scenario"] or ""),
            engine=str(found["engine"]),
            status=str(found["status"]),
            divisible=bool(certificate["divisible"]),
            objective_yuan=float(certificate["objective_yuan"]),
            bound_yuan=float(certificate["bound_yuan"]),
            gap=float(certificate["gap"]),
            unserved_share=float(found["unserved_share"]),
            never_served_yuan=float(found.get("never_served_yuan", 0.0)),  # runs of before have none
            options=asdict(SolveOptions(**found["options"])),
            from_arrays=found["source"] != "scenario",
        )
    except (OSError, ValueError, KeyError, TypeError, ArithmeticError, RecursionError, OptionError):
        return Line(name=name, when=when, fault=True)
