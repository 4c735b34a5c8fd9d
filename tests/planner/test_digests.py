"""What identifies a result: nothing that a resolved scenario depends on is left out."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from provgrid import digests
from provgrid.experiments.plans import Experiment
from provgrid.sweeps import point
from provgrid.sweeps.run import Task
from provgrid_optimizer.options import SolveOptions


@pytest.fixture
def forgetful() -> Iterator[None]:
    """Read tables and code anew, before and after."""
    for known in (digests.tables_digest, point.code_sha256):
        known.cache_clear()
    yield
    for known in (digests.tables_digest, point.code_sha256):
        known.cache_clear()


def keys() -> tuple[str, str]:
    """Keys under which a plan of drawn work is kept: as a point of a sweep, and as an experiment."""
    task = Task(scenario="zhejiang", engine="lp", options=SolveOptions(threads=1))
    return task.point().key, Experiment(scenario="zhejiang", overrides=(), engine="lp").key


@pytest.mark.usefixtures("forgetful")
def test_a_plan_is_made_again_when_a_table_has_changed_that_its_work_is_drawn_from(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = keys()
    shutil.copytree(digests.TABLES, tmp_path / "tables")
    monkeypatch.setattr(digests, "TABLES", tmp_path / "tables")
    for known in (digests.tables_digest, point.code_sha256):
        known.cache_clear()
    assert keys() == before  # the same bytes elsewhere

    sizes = tmp_path / "tables" / "size_quantiles.csv"
    sizes.write_text(sizes.read_text(encoding="utf-8").replace(",0.41,GPU-hours", ",0.42,GPU-hours"), encoding="utf-8")
    for known in (digests.tables_digest, point.code_sha256):
        known.cache_clear()
    assert not set(keys()) & set(before)
