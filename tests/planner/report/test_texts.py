from __future__ import annotations

import re
import string
import tomllib
from collections import Counter
from importlib.resources import files

import pytest

import provgrid as pg
from provgrid.report.texts import LANGUAGES, texts
from provgrid.report.wording import Wording
from provgrid_models.errors import OptionError
from provgrid_optimizer.engine import Status
from provgrid_optimizer.evaluate import COMPONENTS
from provgrid_optimizer.solve import ENGINES
from provgrid_seeds import loader

CHINESE = re.compile(r"[\u4e00-\u9fff]")


def placeholders(text: str) -> set[str]:
    return {name for _, name, _, _ in string.Formatter().parse(text) if name is not None}


def test_both_languages_have_the_same_keys() -> None:
    english, chinese = texts("en").entries, texts("zh").entries
    assert sorted(english.keys() ^ chinese.keys()) == []


def test_both_languages_have_the_same_placeholders() -> None:
    english, chinese = texts("en").entries, texts("zh").entries
    assert {key for key in english if placeholders(english[key]) != placeholders(chinese[key])} == set()


def test_no_key_stands_in_two_files() -> None:
    for lang in LANGUAGES:
        found: Counter[str] = Counter()
        for file in files("provgrid.report.texts").iterdir():
            if file.name.endswith(f".{lang}.toml"):
                found.update(flat(tomllib.loads(file.read_text(encoding="utf-8"))))
        assert [key for key, count in found.items() if count > 1] == []


def flat(table: dict[str, object], before: str = "") -> list[str]:
    keys: list[str] = []
    for name, value in table.items():
        keys += flat(value, f"{before}{name}.") if isinstance(value, dict) else [f"{before}{name}"]
    return keys


def test_every_sentence_of_the_chinese_report_is_chinese() -> None:
    chinese = texts("zh").entries
    parts = ("page.", "tables.", "notes.", "verdict.", "status.", "cards.", "columns.", "components.", "provinces.")
    # Wholly made of what a run fills in, or a sign.
    bare = {"cards.where.cluster", "cards.where.pair"}
    english_only = [
        key for key, text in chinese.items() if key.startswith(parts) and key not in bare and not CHINESE.search(text)
    ]
    assert english_only == []


def test_every_word_of_the_model_has_a_name() -> None:
    entries = texts("zh").entries
    words = {f"engines.{name}" for name in ENGINES} | {f"components.{name}" for name in COMPONENTS}
    words |= {f"status.{status.value}" for status in Status} | {f"qualities.{name}" for name in loader.QUALITIES}
    assert words - entries.keys() == set()


@pytest.mark.slow
def test_every_built_in_scenario_has_a_title_in_both_languages() -> None:
    for name in (*loader.scenario_names(), *loader.system_names()):
        scenario = pg.load(name)
        assert Wording.of("en").title(scenario) == scenario.settings.title
        assert CHINESE.search(Wording.of("zh").title(scenario)), name


def test_every_province_of_a_built_in_scenario_has_a_chinese_name() -> None:
    for name in loader.scenario_names():
        scenario = pg.load(name)
        for province in {row.province for row in (*scenario.regions, *scenario.clusters)} - {""}:
            assert CHINESE.search(Wording.of("zh").term("provinces", province)), (name, province)


def test_every_tenant_of_a_built_in_scenario_that_is_no_place_has_a_chinese_name() -> None:
    chinese = Wording.of("zh")
    for name in loader.scenario_names():
        named = chinese.tenants(pg.load(name))
        assert {tenant: text for tenant, text in named.items() if not CHINESE.search(text)} == {}, name


def test_an_unknown_language_says_which_there_are() -> None:
    with pytest.raises(OptionError, match="'fr'; take one of en, zh"):
        Wording.of("fr")
