"""Shell completion: names of scenarios, engines, runs and ids, found without anything heavy."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from command_line import environment
from provgrid.cli import completion
from provgrid_optimizer.solve import ENGINES, POLICIES

HEAVY = ("numpy", "pandas", "pyarrow", "numba", "highspy")


def completed(line: str, cwd: Path) -> list[str]:
    """What bash would be offered at the end of a command line."""
    words = line.split(" ")
    code = (
        "import sys\n"
        "from provgrid.cli import run\n"
        "try:\n"
        "    run([])\n"
        "finally:\n"
        f"    print([m for m in {HEAVY!r} if m in sys.modules], file=sys.stderr)\n"
    )
    variables = {
        "_PROVGRID_COMPLETE": "complete_bash",
        "COMP_WORDS": line.replace(" ", "\n"),
        "COMP_CWORD": str(len(words) - 1),
    }
    said = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, cwd=cwd, env=environment(**variables), check=False
    )
    assert said.stderr.strip() == "[]", said.stderr
    return said.stdout.split()


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A place with a scenario of one's own, two runs, and a folder that leads to one."""
    place = tmp_path_factory.mktemp("place")
    for name in ("mine", "deep/er"):
        (place / name).mkdir(parents=True)
        (place / name / "scenario.toml").touch()
    for name in ("toy-lp-1", "toy-lp-2"):
        (place / "runs" / name / "scenario").mkdir(parents=True)
        (place / "runs" / name / "manifest.json").touch()
        (place / "runs" / name / "scenario" / "scenario.toml").touch()
    jobs = "id,region\nllm-1,east\nllm-2,east\nvision-1,west\n"
    (place / "runs" / "toy-lp-1" / "scenario" / "jobs.csv").write_text(jobs, encoding="utf-8")
    (place / "runs" / ".toy-lp-3.partial").mkdir()
    return place


def test_scenarios_are_the_built_in_ones_and_folders(folder: Path) -> None:
    offered = completed("provgrid solve ", folder)
    assert {"toy", "zhejiang", "national", "xinjiang-2028", "mine", "deep/", "runs/"} == set(offered) & {
        *("toy", "zhejiang", "national", "xinjiang-2028", "mine", "deep/", "runs/", "deep"),
    }
    assert completed("provgrid check deep/", folder) == ["deep/er"]
    assert "builtin:toy" in completion.scenarios("builtin:t")


def test_engines_and_policies_are_known(folder: Path) -> None:
    assert completed("provgrid solve toy --engine pulp", folder) == ["pulp-cbc", "pulp-highs"]
    assert completed("provgrid compare runs/toy-lp-1 --against g", folder) == ["greenest"]
    assert {*completion.ENGINES, *completion.POLICIES} == set(ENGINES)
    assert completion.POLICIES == POLICIES


def test_runs_are_those_in_the_runs_folder(folder: Path) -> None:
    assert completed("provgrid audit runs/t", folder) == ["runs/toy-lp-1", "runs/toy-lp-2"]
    assert "runs/toy-lp-2" in completed("provgrid export ", folder)


def test_ids_are_read_from_the_run_on_the_line(folder: Path) -> None:
    assert completed("provgrid explain runs/toy-lp-1 --job llm", folder) == ["llm-1", "llm-2"]
    assert completed("provgrid explain runs/toy-lp-2 --job llm", folder) == []  # it has no such table
    assert "hami_yiwu/ascend_910c" in completion._ids(Path(str(completion.scenario_folder("toy"))) / "pools.csv")


def test_formats_templates_and_tables_are_known(folder: Path) -> None:
    assert completed("provgrid export runs/toy-lp-1 --to ", folder) == ["csv", "parquet", "xlsx", "mps"]
    assert completed("provgrid export runs/toy-lp-1 --only di", folder) == ["dispatch"]
    assert "national-lite" in completed("provgrid new x --template nat", folder)


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_the_script_for_each_shell_can_be_printed(shell: str) -> None:
    said = subprocess.run(
        [sys.executable, "-m", "provgrid", "--show-completion", shell],
        capture_output=True,
        text=True,
        check=False,
        env=os.environ | {"_TYPER_COMPLETE_TEST_DISABLE_SHELL_DETECTION": "1"},  # the shell named, not that around us
    )
    assert said.returncode == 0, said.stderr
    assert "_PROVGRID_COMPLETE" in said.stdout
