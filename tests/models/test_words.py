"""Counts in words."""

from __future__ import annotations

from provgrid_models.words import counted


def test_one_of_a_kind_is_no_plural() -> None:
    assert [counted(count, "job") for count in (0, 1, 2, 1000)] == ["0 jobs", "1 job", "2 jobs", "1,000 jobs"]
    assert counted(1, "job runs", "jobs run") == "1 job runs"
    assert counted(2, "job runs", "jobs run") == "2 jobs run"
