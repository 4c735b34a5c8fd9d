"""What the README and the pages of docs/ show is what happens."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

from documented import SECONDS, as_shown, blocks_of, run, unknown_options
from provgrid import exits

ROOT = Path(__file__).parents[2]
README = ROOT / "README.md"
PAGES = {str(page.relative_to(ROOT)): page for page in (README, *sorted((ROOT / "docs").rglob("*.md")))}
STORIES = [name for name, page in PAGES.items() if any(not block.flags for block in blocks_of(page))]
SLOW_STORIES = [name for name, page in PAGES.items() if any("slow" in block.flags for block in blocks_of(page))]


def told(name: str, skipped: frozenset[str]) -> None:
    names: dict[str, Any] = {}
    for block in blocks_of(PAGES[name]):
        if block.flags & skipped:
            continue
        printed = run(block, names, name)
        if block.shown is not None:
            assert as_shown(printed, block.shown) == SECONDS.sub("in 0.0 s", block.shown), f"{name}:\n{block.code}"


@pytest.mark.parametrize("name", STORIES)
def test_a_page_prints_what_it_shows(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    told(name, frozenset({"slow", "shown"}))


@pytest.mark.slow
@pytest.mark.parametrize("name", SLOW_STORIES)
def test_a_long_page_prints_what_it_shows(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    told(name, frozenset({"shown"}))


@pytest.mark.parametrize("name", [name for name, page in PAGES.items() if any(b.commands for b in blocks_of(page))])
def test_a_page_shows_commands_and_options_that_there_are(name: str) -> None:
    shown = [words for block in blocks_of(PAGES[name]) for words in block.commands]
    assert {" ".join(words): unknown for words in shown if (unknown := unknown_options(words))} == {}


def test_the_quick_start_and_the_readme_are_among_the_pages_that_run() -> None:
    assert {"README.md", "docs/quick-start.md"} <= set(STORIES)


def test_the_exit_codes_are_those_of_the_command_line() -> None:
    rows = re.findall(r"^\| (\d+) \| (.*) \|$", README.read_text(encoding="utf-8"), re.MULTILINE)
    assert {int(code): meaning for code, meaning in rows} == exits.MEANINGS
