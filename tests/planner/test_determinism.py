"""Stopped by passes or gap: the same tables, byte for byte, for a seed, with 1 thread and with 2."""

from __future__ import annotations

from pathlib import Path

import pytest

import provgrid as pg
from provgrid_models.scenario import Scenario
from tiny import tiny_scenario


def tables(scenario: Scenario, folder: Path, **options: float | None) -> dict[str, bytes]:
    run = pg.solve(scenario, policies=False, **options).save(folder)  # type: ignore[arg-type]
    files = {path.name: path.read_bytes() for path in run.glob("*.parquet")}
    return files | {"costs.csv": (run / "costs.csv").read_bytes()}


@pytest.mark.parametrize("stop", [{"passes": 3}, {"gap": 0.5}])
def test_threads_do_not_change_a_byte(stop: dict[str, float], tmp_path: Path) -> None:
    scenario = tiny_scenario()
    one = tables(scenario, tmp_path / "one", threads=1, seed=5, **stop)
    two = tables(scenario, tmp_path / "two", threads=2, seed=5, **stop)
    assert one == two
    assert len(one) == 8


@pytest.mark.slow
def test_threads_do_not_change_a_byte_of_a_province(tmp_path: Path) -> None:
    scenario = pg.scenarios.zhejiang()
    one = tables(scenario, tmp_path / "one", threads=1, passes=3)
    assert one == tables(scenario, tmp_path / "two", threads=2, passes=3)
    assert one == tables(scenario, tmp_path / "again", threads=2, passes=3)
