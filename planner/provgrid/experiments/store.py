"""Plans of experiments that were made already."""

from __future__ import annotations

from dataclasses import fields
from typing import TYPE_CHECKING, Any

from provgrid import store
from provgrid.experiments.plans import Experiment, Outcome

if TYPE_CHECKING:
    from pathlib import Path

FIELDS = {one.name for one in fields(Outcome)}


class Store(store.Store[Experiment, Outcome]):
    """A folder of outcomes."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder, _read)


def _read(entry: Any) -> Outcome | None:
    """Take what was written by `put`; anything else counts as absent and is made anew."""
    if not isinstance(entry, dict) or set(entry) != FIELDS or entry["audit_violations"] != 0:
        return None
    return Outcome(**{**entry, "overrides": tuple(entry["overrides"])})
