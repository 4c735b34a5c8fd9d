"""A runs folder with one run of the tiny scenario, and the page that serves it."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

import provgrid as pg
from tiny import tiny_scenario
from view_page import Served, served


@pytest.fixture(scope="session")
def tiny_run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    plan = pg.solve(tiny_scenario(), engine="cheapest", policies=False, passes=5)
    return plan.save(tmp_path_factory.mktemp("solved") / "tiny-cheapest-1")


@pytest.fixture
def runs(tiny_run: Path, tmp_path: Path) -> Path:
    """A runs folder of its own, with a neighbour outside that nobody may see."""
    folder = tmp_path / "runs"
    shutil.copytree(tiny_run, folder / tiny_run.name)
    (tmp_path / "secret.txt").write_text("not for the page", encoding="utf-8")
    return folder


@pytest.fixture(scope="module")
def site(tiny_run: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    folder = tmp_path_factory.mktemp("view") / "runs"
    shutil.copytree(tiny_run, folder / tiny_run.name)
    (folder.parent / "secret.txt").write_text("not for the page", encoding="utf-8")
    with served(folder) as page:
        yield page
