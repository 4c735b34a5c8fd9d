"""What is installed: every package, and every file that a package reads."""

from __future__ import annotations

import shutil
import subprocess
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
PACKAGES = [
    ROOT / folder
    for folder in tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["tool"]["hatch"]["build"][
        "targets"
    ]["wheel"]["packages"]
]
DATA = [
    path for folder in ("scenarios", "tables") for path in (ROOT / "seeds" / "provgrid_seeds" / folder).rglob("*.*")
]


def test_every_package_of_every_layer_goes_into_the_wheel() -> None:
    found = [
        folder / "__init__.py"
        for layer in ("seeds", "models", "optimizer", "planner", "benchmarks")
        for folder in (ROOT / layer).iterdir()
        if (folder / "__init__.py").is_file()
    ]
    assert sorted(path.parent for path in found) == sorted(PACKAGES)
    assert all((package / "py.typed").is_file() for package in PACKAGES)


def test_every_scenario_and_table_lies_inside_a_package() -> None:
    assert {path.parent.name for path in DATA} >= {"toy", "zhejiang", "national", "tables"}
    assert [path for path in DATA if not any(path.is_relative_to(package) for package in PACKAGES)] == []


@pytest.mark.skipif(shutil.which("git") is None or not (ROOT / ".git").exists(), reason="not a checkout of git")
def test_no_scenario_or_table_is_ignored() -> None:
    # What .gitignore matches is left out of the wheel, whether git follows it or not.
    names = "\n".join(str(path.relative_to(ROOT)) for path in DATA)
    ignored = subprocess.run(
        ["git", "check-ignore", "--no-index", "--stdin"], input=names, cwd=ROOT, capture_output=True, text=True
    )
    assert ignored.returncode == 1, ignored.stdout + ignored.stderr
