"""The page on systems names only what there is, and every system that there is."""

import re
import shlex
from pathlib import Path

from provgrid.cli.study import app
from provgrid_models.overlay import builtin_names
from provgrid_seeds import loader

PAGE = (Path(__file__).parents[2] / "docs" / "systems.md").read_text(encoding="utf-8")
COMMANDS = [shlex.split(line) for line in re.findall(r"^    (provgrid .*)$", PAGE, re.MULTILINE)]


def test_every_command_of_the_page_names_a_scenario_or_run_that_there_is():
    assert len(COMMANDS) > 10
    studies = {command.name for command in app.registered_commands}
    for words in COMMANDS:
        if words[1] == "study":
            assert words[2] in studies
            assert words[3] in builtin_names()
        elif words[1] == "solve":
            assert words[2] in builtin_names()
        else:
            assert words[1] == "ledger"
            assert any(words[2] in solve for solve in COMMANDS if solve[1] == "solve")


def test_every_system_scenario_has_its_command():
    named = {word for words in COMMANDS for word in words}
    assert set(loader.system_names()) - named <= {"xinjiang-2028"}  # told beside the base that it grows from
    assert "xinjiang-2028" in PAGE


def test_zones_that_the_page_opens_are_zones():
    for words in COMMANDS:
        if "--open" in words:
            folder = Path(str(loader.scenario_folder(words[3])))
            text = "".join((folder / f"{table}.csv").read_text(encoding="utf-8") for table in ("regions", "clusters"))
            for zone in words[words.index("--open") + 1].split(","):
                assert f",{zone}," in text
