"""Counts in words: "1 job", "2 jobs", so that no message says "1 jobs"."""

from __future__ import annotations


def counted(count: int, one: str, many: str = "") -> str:
    """Write a count and what is counted; `many` is what stands there for several, where it is not `one` with an s."""
    return f"{count:,} {one if count == 1 else many or f'{one}s'}"
