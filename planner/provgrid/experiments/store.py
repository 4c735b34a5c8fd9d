"""Plans that were made already: one small file each, whole or absent, found again by what identifies the plan."""

from __future__ import annotations

import json
import os
import tempfile
from dataclasses import fields
from pathlib import Path
from typing import TYPE_CHECKING

from provgrid.experiments.plans import Outcome

if TYPE_CHECKING:
    from collections.abc import Iterable

    from provgrid.experiments.plans import Experiment

FIELDS = {one.name for one in fields(Outcome)}


class Store:
    """A folder of outcomes. Whatever stops a run, what was finished is there, and nothing else."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._known: dict[Experiment, Outcome] = {}

    def path(self, experiment: Experiment) -> Path:
        """File of a plan."""
        return self.folder / f"{experiment.key}.json"

    def get(self, experiment: Experiment) -> Outcome | None:
        """Return the plan's figures, or None where it has not been made, or where its file cannot be read."""
        if experiment not in self._known:
            found = _read(self.path(experiment))
            if found is None:
                return None
            self._known[experiment] = found
        return self._known[experiment]

    def put(self, experiment: Experiment, outcome: Outcome) -> None:
        """Keep a plan's figures: written beside their place, then renamed."""
        self.folder.mkdir(parents=True, exist_ok=True)
        text = json.dumps(outcome.to_dict(), indent=1, allow_nan=False)
        descriptor, name = tempfile.mkstemp(prefix=f".{experiment.key}.", suffix=".partial", dir=self.folder)
        try:
            with os.fdopen(descriptor, "w", encoding="utf-8") as file:
                file.write(text + "\n")
                file.flush()
                os.fsync(file.fileno())
            Path(name).replace(self.path(experiment))
        except BaseException:
            Path(name).unlink(missing_ok=True)
            raise

    def forget(self, experiments: Iterable[Experiment]) -> None:
        """Take plans away, so that they are made anew."""
        for one in experiments:
            self._known.pop(one, None)
            self.path(one).unlink(missing_ok=True)


def _read(path: Path) -> Outcome | None:
    """Read a file that was written by `put`; anything else counts as absent and is made anew."""
    try:
        entry = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    if not isinstance(entry, dict) or set(entry) != FIELDS or entry["audit_violations"] != 0:
        return None
    return Outcome(**{**entry, "overrides": tuple(entry["overrides"])})
