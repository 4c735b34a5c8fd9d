from __future__ import annotations

import pytest

import provgrid as pg
from provgrid.report.phrases import chinese, knows
from provgrid_models.provenance import DRAWN_FROM
from provgrid_models.reasons import REASON_TEXT, Reason
from provgrid_seeds import loader


def test_every_named_assumption_and_its_reason_has_a_chinese_sentence() -> None:
    rows = loader.table("assumptions")
    assert rows
    sentences = {str(row[column]) for row in rows for column in ("statement", "why")}
    assert sorted(sentence for sentence in sentences if not knows(sentence)) == []


def test_every_reason_of_a_closed_pool_has_a_chinese_sentence() -> None:
    assert [text for reason, text in REASON_TEXT.items() if reason is not Reason.OPEN and not knows(text)] == []


def test_what_built_in_scenarios_say_beside_the_tables_has_a_chinese_sentence() -> None:
    known = {str(row["id"]) for row in loader.table("assumptions")}
    for name in ("toy", "zhejiang", "national"):
        scenario = pg.load(name)
        said = (*pg.compile(scenario).notes, *scenario.settings.assumptions)
        own = [one for one in said if one.partition(":")[0] not in known and not one.startswith(DRAWN_FROM)]
        assert [one for one in own if not knows(one)] == []


@pytest.mark.parametrize(
    ("english", "expected"),
    [
        (
            "MFU of moe_llm training over the planning figure of the chip's class",
            "混合专家大模型训练的MFU与该类芯片规划值之比",
        ),
        ("Latitude of Wenzhou (温州)", "温州的纬度"),
        ("Latitude of Hong Kong", "香港的纬度"),
        ("its base llm-7 cannot be served", "其基座模型 llm-7 无法承担"),
        (
            "the data must stay in its zone; no chip here runs its family, so its value is unknown and counts as 0",
            "数据不得离开所在区域；此处没有芯片能运行该类模型，其价值未知，按0计",
        ),
        (
            "jobs whose window crosses the end of the horizon of 24 h: 3; 1,000 of their 2,000 PFLOP-hours lie inside"
            " and count",
            "时间窗跨越规划期（24小时）末尾的任务：3个；其2,000 PFLOP·时中有1,000 PFLOP·时落在期内并计入",
        ),
        ("something that a planner wrote", "something that a planner wrote"),
    ],
)
def test_phrases_are_translated_with_what_stands_in_them(english: str, expected: str) -> None:
    assert chinese(english) == expected
