"""Every sentence in which an import says what it assumes has a Chinese one, each made here by importing small files."""

from __future__ import annotations

import ast
import json
import re
from collections.abc import Callable
from pathlib import Path

import pytest

import provgrid_models.importers as importers
from provgrid.report.phrases import chinese, knows
from provgrid_models.importers import (
    AzureOptions,
    OpenbOptions,
    PhillyOptions,
    PlaceOptions,
    ServegenOptions,
    import_trace,
)
from provgrid_models.importers.core import Imported
from provgrid_models.importers.place import placed
from provgrid_models.scenario import Scenario
from tiny import tiny_scenario

ENGLISH = re.compile(r"[A-Za-z']{2,} [A-Za-z']{2,}")  # two words; names of pods, chips and formats are one
LONE = PhillyOptions(pflops_per_gpu=1.0, mfu=1.0)
# Of 12 hours and pools of up to 100: one as it should be, one too large, one too slow on the slowest chip, one
# with a deadline after the end, one cut at the end, one that begins after the last whole period, and one outside.
PHILLY = (
    ("2017-10-09 00:00:00", 3600, 1),
    ("2017-10-09 01:00:00", 3600, 500),
    ("2017-10-09 01:00:00", 7200, 4),
    ("2017-10-09 07:00:00", 3600, 1),
    ("2017-10-09 10:00:00", 72000, 1),
    ("2017-10-09 11:30:00", 3600, 1),
    ("2017-10-09 22:00:00", 3600, 1),
)
OPENB = """\
name,cpu_milli,memory_mib,num_gpu,gpu_milli,gpu_spec,qos,pod_phase,creation_time,deletion_time,scheduled_time
pod-0,12000,16384,1,460,,LS,Running,7200,21600,10800
pod-1,12000,16384,4,1000,V100M16|V100M32,BE,Succeeded,3600,10800,3600
pod-2,12000,16384,0,0,,LS,Running,0,100,0
pod-3,12000,16384,1,1000,,BE,Pending,0,100,
pod-4,12000,16384,1,1000,,BE,Failed,50,100,100
"""
AZURE = """\
TIMESTAMP,ContextTokens,GeneratedTokens
2023-11-16 18:50:00.0000000,1000,100
2023-11-16 18:55:00.2500000,500,200
"""


def philly(folder: Path, options: PhillyOptions = LONE, *more: str) -> Imported:
    rows = [f"{when},{seconds},{gpus},{seconds * gpus},vc" for when, seconds, gpus in PHILLY]
    (folder / "philly.csv").write_text("\n".join(["timestamp,duration,num_gpus,gpu_time,cluster", *rows, *more]) + "\n")
    return import_trace("philly", folder / "philly.csv", options)


def openb(folder: Path, options: OpenbOptions) -> Imported:
    (folder / "openb_pod_list_default.csv").write_text(OPENB)
    return import_trace("openb", folder, options)


def azure(folder: Path, options: AzureOptions) -> Imported:
    (folder / "chat.csv").write_text(AZURE)
    return import_trace("azure-llm", folder / "chat.csv", options)


def servegen(folder: Path, options: ServegenOptions, *, with_tokens: bool) -> Imported:
    """Two clients whose log has an outage, and one of another model that is alone and short."""
    tokens = {"input_tokens": "{100: 1.0}", "output_tokens": "{50: 1.0}"}
    for model, number, rates in (("two", 3, [1, 0] * 25), ("two", 7, [2, 0] * 25), ("one", 1, [1, 0, 1])):
        (folder / model).mkdir(exist_ok=True)
        lines = [
            f"{600 * i},{rate},1.1,Gamma,0.9,0.4" if rate else f"{600 * i},0,0,,0,0" for i, rate in enumerate(rates)
        ]
        (folder / model / f"chunk-{number}-trace.csv").write_text("\n".join(lines) + "\n")
    if with_tokens:  # of the first six hours alone
        (folder / "two" / "chunk-3-dataset.json").write_text(json.dumps({"0": tokens}))
    return import_trace("servegen", folder, options)


def _two_days() -> Scenario:
    starts = ("2026-07-01T00:00:00", "2026-08-01T00:00:00")
    return tiny_scenario(settings={"horizon": {"blocks": [{"start": start, "periods": 6} for start in starts]}})


def _asks_too_much(folder: Path) -> tuple[str, ...]:
    return placed(philly(folder), tiny_scenario(), PlaceOptions(target_utilisation=1.0)).assumptions


CASES: dict[str, Callable[[Path], tuple[str, ...]]] = {
    "jobs as they are": lambda folder: placed(philly(folder), tiny_scenario(), PlaceOptions(scale=1.0)).assumptions,
    "jobs fitted": lambda folder: placed(philly(folder), tiny_scenario(), PlaceOptions()).assumptions,
    "jobs that no factor fits": _asks_too_much,
    "jobs in blocks": lambda folder: placed(philly(folder), _two_days(), PlaceOptions(scale=1.0)).assumptions,
    "jobs beside others": lambda folder: (
        placed(
            philly(folder),
            tiny_scenario(),
            PlaceOptions(
                scale=1.0, keep=True, from_hour=0.0, max_jobs=2, job_family="llm", region_map={"unplaced": "west"}
            ),
        ).assumptions
    ),
    "bad rows": lambda folder: (
        philly(folder, LONE, "2017-10-09 00:00:00,3600,1,3600,vc", "2017-10-09,fast,1,1,vc").assumptions
    ),
    "jobs otherwise": lambda folder: (
        philly(
            folder,
            PhillyOptions(
                rigid_from_gpus=None, max_jobs=2, scale=2.0, region_map={"vc": "west"}, drop_duplicates=False
            ),
            "2017-10-09 00:00:00,3600,1,3600,vc",
        ).assumptions
    ),
    "pods": lambda folder: openb(folder, OpenbOptions(region="east")).assumptions,
    "pods of a class": lambda folder: openb(folder, OpenbOptions(qos=("BE", "Burstable"))).assumptions,
    "requests": lambda folder: placed(azure(folder, AzureOptions(hours=2)), tiny_scenario()).assumptions,
    "requests of their span": lambda folder: (
        placed(
            azure(folder, AzureOptions(repeat="span", slo_metric="ttft")),
            tiny_scenario(),
            PlaceOptions(split_services=False, keep=True),
        ).assumptions
    ),
    "rates": lambda folder: (
        servegen(folder, ServegenOptions(tokens_per_request=60.0, slo_metric="tpot"), with_tokens=True).assumptions
    ),
    "rates without tokens": lambda folder: (
        servegen(folder, ServegenOptions(tokens_per_request=60.0), with_tokens=False).assumptions
    ),
}


@pytest.fixture(scope="module")
def said(tmp_path_factory: pytest.TempPathFactory) -> tuple[str, ...]:
    """All sentences that the cases make."""
    return tuple(
        dict.fromkeys(one for name in CASES for one in CASES[name](tmp_path_factory.mktemp(name.replace(" ", "-"))))
    )


def written() -> dict[str, re.Pattern[str]]:
    """Patterns of all sentences that stand in the importers' source, by where: whatever ends with a full stop."""
    found = {}
    for path in sorted(Path(importers.__file__).parent.glob("*.py")):
        tree = ast.parse(path.read_text(encoding="utf-8"))
        nested = {id(value) for node in ast.walk(tree) if isinstance(node, ast.JoinedStr) for value in node.values}
        nested |= {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}
        for node in ast.walk(tree):
            if isinstance(node, ast.JoinedStr | ast.Constant) and id(node) not in nested:
                parts = node.values if isinstance(node, ast.JoinedStr) else [node]
                texts = [str(part.value) if isinstance(part, ast.Constant) else None for part in parts]
                if texts and " " in (texts[-1] or "") and (texts[-1] or "").endswith("."):
                    pattern = "".join(".*" if text is None else re.escape(text) for text in texts)
                    found[f"{path.name}:{node.lineno}"] = re.compile(pattern)
    return found


def test_the_cases_make_every_sentence_that_the_importers_have(said: tuple[str, ...]) -> None:
    patterns = written()
    assert len(patterns) > 35
    assert [where for where, pattern in patterns.items() if not any(pattern.search(one) for one in said)] == []


def test_every_sentence_of_an_import_is_wholly_chinese(said: tuple[str, ...]) -> None:
    bare = [one.partition(": ")[2] if one.startswith("Imported from ") else one for one in said]
    assert [one for one in bare if not knows(one)] == []
    assert [chinese(one) for one in said if ENGLISH.search(chinese(one))] == []


@pytest.mark.parametrize(
    ("english", "expected"),
    [
        (
            "Imported from philly: 3 of 7 jobs are rigid gangs: those on 2 or more GPUs that ran for at least 1 h; the "
            "others are elastic, up to the GPUs that they had.",
            "导入自 philly：7个任务中有3个是刚性任务，即至少用2张GPU且至少运行1小时的任务；"
            "其余为弹性任务，至多使用其原有的GPU数。",
        ),
        (
            "What fits was multiplied by 70 (fitted to 1 for all work, which the pools do not hold): a job asks for "
            "that many times its work and accelerators (gangs rounded to whole ones), a service for that many times "
            "its tokens. All work in the scenario now asks for 0.5.",
            "放得下的部分乘以70（使全部工作占到1，但资源池容纳不下）：任务的工作量与加速卡数（成组任务取整）、"
            "推理服务的词元数均为原来的这一倍数。场景中的全部工作现占0.5。",
        ),
        (
            "two: 1 of 2 clients have no token data; each of their requests counts as 100 tokens in and 50 out (the "
            "mean of clients 3).",
            "two：2个客户端中有1个没有词元数据；其每个请求按输入100个、输出50个词元计（取客户端 3 的均值）。",
        ),
        (  # a name of a file stays as it is, whatever it means elsewhere
            "chat: 1800 tokens of 2 requests stand in the periods in which they came; every other period asks for 0.",
            "chat：2个请求共1800个词元，计入其到达的时段；其余时段为0。",
        ),
    ],
)
def test_numbers_keep_their_place_in_the_chinese_sentence(english: str, expected: str) -> None:
    assert chinese(english) == expected
