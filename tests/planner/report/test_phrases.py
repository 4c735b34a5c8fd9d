from __future__ import annotations

import pytest

import provgrid as pg
from provgrid.grouping import NO_SOURCE
from provgrid.report.phrases import chinese, knows
from provgrid.report.texts import texts
from provgrid_models.provenance import DRAWN_FROM, UNITS
from provgrid_models.reasons import REASON_TEXT, Reason
from provgrid_models.sources import OWN
from provgrid_seeds import loader


def test_every_named_assumption_and_its_reason_has_a_chinese_sentence() -> None:
    rows = loader.table("assumptions")
    assert rows
    sentences = {str(row[column]) for row in rows for column in ("statement", "why")}
    assert sorted(sentence for sentence in sentences if not knows(sentence)) == []


def test_every_unit_and_every_source_that_nobody_named_has_a_chinese_word() -> None:
    units = {str(row["unit"]) for row in loader.table("assumptions")} | set(UNITS.values())
    signs = {"GB", "Gbit/s", "MW", "PFLOPS", "TFLOPS", "kB", "kW"}
    chinese_units = texts("zh").entries
    assert {unit for unit in units - signs if f"unit_names.{unit}" not in chinese_units} == set()
    assert chinese(NO_SOURCE) == "未注明来源"
    assert chinese(OWN) == "自行填写"
    assert chinese("grid_tariffs/zhejiang*.price (24 rows)") == "grid_tariffs/zhejiang*.price（24行）"


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
        (
            "job 政务档案 is hard and no pool can ever serve it: too few accelerators for the model's memory; "
            "change its window, residency or family, or let hard be false; see why: provgrid explain s --infeasible",
            "任务 政务档案 必须完成，但任何资源池都无法承担：加速卡太少，装不下模型。"
            "请修改其时间窗、数据区域或模型类型，或将 hard 设为 false。查看原因：provgrid explain s --infeasible",
        ),
        (
            "hard job a has no open pool: too slow for the window, no route from the region; see why: provgrid x",
            "任务 a 必须完成，但没有可用的资源池：太慢，时间窗内做不完；需求地没有网络通路。查看原因：provgrid x",
        ),
        (
            "hard job a (at least 30% of it) and 2 more cannot be served: it clashes with the accelerators of pool p/q "
            "in 3 periods from 5 (2026-07-14 05:00), the carbon budget; raise a limit or make it soft; "
            "see why: provgrid x",
            "必须完成的任务 a 至少有30%及另外2项工作无法满足，受限于资源池 p/q 在时段5（2026-07-14 05:00）起的3个时段"
            "的加速卡、碳排放总量上限。请放宽限制，或允许其不满足。查看原因：provgrid x",
        ),
        ("24 rows, such as 甘肃电价 summer 0, chat", "24行，如 甘肃电价 summer 0, chat"),
        ("something that a planner wrote", "something that a planner wrote"),
    ],
)
def test_phrases_are_translated_with_what_stands_in_them(english: str, expected: str) -> None:
    assert chinese(english) == expected
