"""`provgrid claims` as a person runs it."""

from __future__ import annotations

import os
import signal
import time
from pathlib import Path

import pytest

import provgrid as pg
from command_line import in_this_process, json_of, one_line, provgrid, start
from provgrid.experiments.catalogue import catalogue, chosen
from provgrid.experiments.examine import first_wave
from provgrid.experiments.page import NATIONAL

PAGE = Path(__file__).parents[2] / "docs" / "claims.md"
SMALL = "shanghai_sichuan_carbon"


def test_the_claims_are_listed(tmp_path):
    listed = json_of(in_this_process("claims", "--list", "--json", cwd=tmp_path))
    assert [one["id"] for one in listed] == [claim.id for claim in catalogue()]
    assert not list(tmp_path.iterdir())


def test_a_claim_that_cannot_be_tested_says_why(tmp_path):
    printed = json_of(in_this_process("claims", "zhejiang_leads_inflow", "--json", cwd=tmp_path))
    (claim,) = printed["claims"]
    assert claim["verdict"] == "cannot be tested"
    assert claim["documents"] == ["000"]
    assert claim["untestable"]


def test_an_unknown_claim_is_bad_input(tmp_path):
    said = one_line(in_this_process("claims", "western_power", cwd=tmp_path), 2)
    assert "no claim 'western_power'; did you mean \"western_power_cheaper\"?" in said


def test_the_api_gives_frozen_results(tmp_path):
    results = pg.claims("public_money_deters", folder=tmp_path)
    assert results["public_money_deters"].facts == ("public_money_deters",)
    with pytest.raises(AttributeError):
        results.inputs = ""  # type: ignore[misc]


def kept(folder: Path) -> dict[str, int]:
    return {path.name: path.stat().st_mtime_ns for path in folder.glob("*.json")}


@pytest.mark.slow
def test_a_killed_run_loses_nothing_and_makes_nothing_twice(tmp_path):
    folder = tmp_path / "runs" / "claims"
    running = start("claims", SMALL, "--jobs", "2", cwd=tmp_path)
    deadline = time.monotonic() + 120
    while len(kept(folder)) < 3 and time.monotonic() < deadline:
        time.sleep(0.05)
    os.kill(running.pid, signal.SIGKILL)
    running.communicate()
    time.sleep(2.0)  # its processes see that it is gone
    before = kept(folder)
    planned = len(set(first_wave(chosen(catalogue(), [SMALL]))))
    assert 3 <= len(before) < planned
    time.sleep(1.0)
    assert kept(folder) == before

    printed = json_of(provgrid("claims", SMALL, "--json", cwd=tmp_path))
    after = kept(folder)
    assert len(after) == planned
    assert {name: after[name] for name in before} == before
    (test,) = printed["claims"][0]["tests"]
    assert [one["verdict"] for one in test["by_basis"]] == ["holds"] * 3


@pytest.mark.slow
def test_the_checked_in_page_is_what_the_command_writes(tmp_path):
    finished = provgrid("claims", "--page", tmp_path / "claims.md", cwd=tmp_path)
    assert finished.returncode == 0, finished.stderr
    written = (tmp_path / "claims.md").read_text(encoding="utf-8")
    assert PAGE.read_text(encoding="utf-8").partition(NATIONAL.strip())[0].rstrip() == written.rstrip()
