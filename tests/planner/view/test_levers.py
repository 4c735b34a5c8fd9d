"""Levers: what may be moved, how far, and the `--set` that moves it."""

from __future__ import annotations

import math
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

import provgrid as pg
from provgrid.report.wording import Wording
from provgrid.view.levers import Lever, levers_of, overrides_of, pattern_of
from provgrid.view.reading import Board
from provgrid.view.refusals import RefusedError
from provgrid.view.rendering import groups
from provgrid_models.scenario import Scenario
from tiny import tiny_scenario


@pytest.fixture(scope="module")
def toy() -> Scenario:
    return pg.load("toy")


@pytest.fixture(scope="module")
def levers(toy: Scenario) -> dict[str, Lever]:
    return {lever.key: lever for lever in levers_of(toy)}


def moved(levers: dict[str, Lever], **asked: Any) -> Scenario:
    return pg.load("toy", overrides_of(tuple(levers.values()), asked))


def test_the_toy_has_a_lever_for_each_figure_that_planners_move(levers: dict[str, Lever]) -> None:
    assert {key: lever.current for key, lever in levers.items()} == {
        "carbon": 0.0,
        "power.west": 1.0,
        "power.east": 1.0,
        "capacity.hangzhou_city/ascend_910b": 64.0,
        "capacity.jiashan/h20": 32.0,
        "capacity.hami_yiwu/ascend_910c": 64.0,
        "slo.control.network_rtt.5": 5.0,
        "slo.chat.ttft.200": 200.0,
        "residency": True,
        "zones": (),
    }


def test_the_carbon_price_moves(levers: dict[str, Lever]) -> None:
    assert moved(levers, carbon=80).settings.prices.carbon_price_yuan_per_t == 80.0


def test_power_in_the_west_moves_the_tariffs_of_western_clusters_alone(toy: Scenario, levers: dict[str, Lever]) -> None:
    before, after = (
        one.tariffs.groupby("tariff")["price_yuan_per_kwh"].mean()
        for one in (toy, moved(levers, **{"power.west": 0.5}))
    )
    assert after["xinjiang"] == pytest.approx(0.5 * before["xinjiang"])
    assert after["zhejiang"] == before["zhejiang"]


def test_the_capacity_of_one_pool_moves(levers: dict[str, Lever]) -> None:
    scenario = moved(levers, **{"capacity.jiashan/h20": 40})
    assert {pool.id: pool.accelerators for pool in scenario.pools} == {
        "hangzhou_city/ascend_910b": 64.0,
        "jiashan/h20": 40.0,
        "hami_yiwu/ascend_910c": 64.0,
    }


def test_the_slo_of_one_class_moves(levers: dict[str, Lever]) -> None:
    scenario = moved(levers, **{"slo.chat.ttft.200": 500})
    assert scenario.services.set_index("id")["slo_ms"].to_dict() == {"hangzhou-control": 5.0, "hangzhou-chat": 500.0}


def test_residency_and_open_zones_move(levers: dict[str, Lever]) -> None:
    switches = moved(levers, residency=False, zones=["zhejiang", "xinjiang"]).settings.switches
    assert not switches.residency
    assert switches.open_zones == (("xinjiang", "zhejiang"),)


def test_what_is_left_as_it_is_needs_no_set(levers: dict[str, Lever]) -> None:
    assert overrides_of(tuple(levers.values()), {key: _plain(lever.current) for key, lever in levers.items()}) == ()


def _plain(value: Any) -> Any:
    return list(value) if isinstance(value, tuple) else value


def test_zones_that_are_open_already_stay_so_unless_they_are_closed() -> None:
    settings = {"switches": {"open_zones": [["east", "west"]]}}
    lever = next(lever for lever in levers_of(tiny_scenario(settings=settings)) if lever.key == "zones")
    assert lever.current == ("east", "west")
    assert lever.overrides(lever.value([])) == ("switches.open_zones=[]",)


def test_a_scenario_in_which_nothing_is_bound_to_a_zone_has_no_lever_for_it() -> None:
    free = tiny_scenario(jobs={"vertical": {"residency": ""}}, services={"chat": {"residency": ""}})
    assert not {lever.key for lever in levers_of(free)} & {"residency", "zones"}


@pytest.mark.parametrize(
    ("key", "value", "said"),
    [
        ("carbon", "80", 'takes a number, not "80"'),
        ("carbon", True, "takes a number, not true"),
        ("carbon", None, "takes a number, not null"),
        ("carbon", -1, "takes from 0 to 10000, not -1"),
        ("carbon", math.inf, "takes from 0 to 10000, not Infinity"),
        ("carbon", math.nan, "takes from 0 to 10000, not NaN"),
        ("carbon", 10**400, "takes from 0 to 10000, not 1000"),
        ("carbon", [[[]]], "takes a number, not [[[]]]"),
        ("slo.chat.ttft.200", 0, "takes from 0.001 to"),
        ("power.west", 11, "takes from 0 to 10, not 11"),
        ("residency", 1, "takes true or false, not 1"),
        ("zones", "zhejiang", "takes a list of zones"),
        ("zones", ["zhejiang", 3], "takes a list of zones"),
        ("zones", ["zhejiang"], "takes two zones or more, or none"),
        ("zones", ["zhejiang", "\u202e/etc"], "knows no zone"),
        ("prices.basis", "energy", 'no lever "prices.basis"'),
        ("carbon=1\n", 1, "no lever"),
    ],
)
def test_what_no_lever_takes_is_refused_in_a_sentence(
    levers: dict[str, Lever], key: str, value: Any, said: str
) -> None:
    with pytest.raises(RefusedError) as refused:
        overrides_of(tuple(levers.values()), {key: value})
    assert said in str(refused.value)
    assert refused.value.status in (400, 422)
    assert str(refused.value).isprintable()


NAMES = st.text(st.sampled_from("ab-_/=:*. "), min_size=1, max_size=6)


@given(st.lists(NAMES, min_size=1, max_size=4, unique=True), st.lists(NAMES, max_size=4, unique=True))
def test_a_pattern_stands_for_its_ids_and_for_no_other(ids: list[str], others: list[str]) -> None:
    every = [*ids, *others]
    pattern = pattern_of(ids, every)
    if pattern is None:
        return
    beginning, _, end = pattern.partition("*")
    assert {name for name in every if name.startswith(beginning) and name.endswith(end)} == set(ids)


def test_a_pattern_is_cut_where_ids_are_put_together() -> None:
    assert pattern_of(["hangzhou-chat", "wenzhou-chat"], ["hangzhou-chat", "wenzhou-chat", "ningbo-agent"]) == "*-chat"
    assert pattern_of(["chat-1", "chat-2"], ["chat-1", "chat-2", "agent-1"]) == "chat-*"
    assert pattern_of(["a", "b"], ["a", "b", "c"]) is None


def two_of_a_class(slo_ms: float) -> Board:
    chat = {"slo_class": "chat", "slo_metric": "ttft", "slo_ms": 300.0}
    scenario = tiny_scenario(services={"chat": chat, "batch": chat | {"slo_ms": slo_ms}})
    return Board(title="", title_zh="", levers=levers_of(scenario), places={"en": {}, "zh": {}})


@pytest.mark.parametrize(
    ("lang", "labels", "lines"),
    [
        (
            "en",
            ["SLO of chat, time to first token 300 ms", "SLO of chat, time to first token 200 ms"],
            ["Services (1): chat.", "Services (1): batch."],
        ),
        (
            "zh",
            ["对话的时延要求，首词元时延300毫秒", "对话的时延要求，首词元时延200毫秒"],
            ["共1个服务：chat。", "共1个服务：batch。"],
        ),
    ],
)
def test_levers_of_one_class_are_told_apart(lang: str, labels: list[str], lines: list[str]) -> None:
    shown = dict(groups(two_of_a_class(200.0), Wording.of(lang)))["slo"]
    assert [one.label for one in shown] == labels
    assert [one.line.endswith(line) for one, line in zip(shown, lines, strict=True)] == [True, True]


def test_a_lever_of_all_of_a_class_names_the_class_alone() -> None:
    (shown,) = dict(groups(two_of_a_class(300.0), Wording.of("en")))["slo"]
    assert shown.label == "SLO of chat"
    assert shown.line.endswith(" Services (2): chat, batch.")


def test_names_that_set_would_misread_have_no_lever() -> None:
    scenario = tiny_scenario(services={"chat": {"id": "a=b"}}, demand={"a=b": 1.0, "batch": 1.0})
    assert [lever.name for lever in levers_of(scenario) if lever.group == "slo"] == ["relaxed"]
