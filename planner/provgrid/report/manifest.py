"""The manifest as rows: what was solved, how it ended, with which options and versions."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator

    from provgrid.report.subject import Subject

LONG = ("provenance", "history", "audit")  # shown elsewhere, or too long to read


def manifest_rows(subject: Subject) -> tuple[tuple[str, str], ...]:
    """Every short entry of the manifest, by its dotted key."""
    kept = {key: value for key, value in subject.manifest.items() if key not in LONG}
    return tuple(_flat(kept))


def _flat(value: Any, key: str = "") -> Iterator[tuple[str, str]]:
    if isinstance(value, dict):
        for name, part in value.items():
            yield from _flat(part, f"{key}.{name}" if key else str(name))
    elif isinstance(value, list | tuple):
        yield key, ", ".join(map(str, value)) or "–"
    else:
        yield key, "–" if value is None else str(value)
