"""What a plan leaves, by name: the dearest first, and why."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest

import provgrid as pg
from provgrid.report.subject import subject_of_plan
from provgrid.report.unserved import unserved as in_the_report
from provgrid.report.wording import Wording
from provgrid_optimizer.answers.unserved import largest
from tiny import job, service, tiny_scenario


def asked(name: str, tokens_per_s: Sequence[float]) -> list[dict[str, Any]]:
    """Rows of the demand table of one service alone."""
    return [{"service": name, "period": t, "tokens_per_s": asked} for t, asked in enumerate(tokens_per_s)]


def test_a_plan_that_serves_all_leaves_nothing() -> None:
    plan = pg.solve(tiny_scenario(), engine="lp", threads=1, policies=False)
    assert len(plan.unserved) == 0
    assert largest(plan, 3) == ()


def test_what_is_left_comes_by_its_value_with_the_reason() -> None:
    """30 accelerator-hours fit beside nothing else into one hour of city_a's 20, and two jobs want them."""
    east = {"residency": "east", "deadline_h": 1.0, "max_accelerators": 20.0, "work_pflop_h": 10.0}
    scenario = tiny_scenario(
        jobs=[
            job("cheap", unserved_yuan=50.0, **east),
            job("dear", unserved_yuan=900.0, **east),
            job("never", min_accelerators=1000.0, unserved_yuan=70.0),
        ],
        services=[service("far", slo_ms=1e-3, unserved_yuan_per_mtoken=1.0)],
        demand=asked("far", [10.0] * 12),
    )
    # Each of the jobs needs all 20 accelerators of city_a for the hour; on small the hour is too short for it.
    plan = pg.solve(scenario, engine="milp", threads=1, policies=False)
    table = plan.unserved
    assert table["id"].tolist() == ["never", "cheap", "far"]
    assert table["never_served"].tolist() == [True, False, True]
    assert table["unserved_yuan"].tolist() == pytest.approx([70.0, 50.0, 10.0 * 12 * 3600 / 1e6])
    assert table["kind"].tolist() == ["job", "job", "service"]
    never, cheap = largest(plan, 2)
    assert never.reason.startswith("no pool can ever serve it: ")
    assert cheap.reason.startswith("one pool is open to it")
    assert "city_a/fast" in cheap.reason


def test_a_carbon_budget_that_is_used_up_is_the_reason_and_a_limit_that_is_reached() -> None:
    # city_a idles at 27 kg, and 72 kg may be. An accelerator-hour takes 0.9 kg: `large` 27 kg at 100 yuan a kg, each of
    # the others 21.6 kg at 95. Of the 45 kg that are left the two take 43.2, which is worth more than `large`; beside
    # one of them it does not fit. chat, which is worth least, takes the rest.
    scenario = tiny_scenario(
        settings={"limits": {"carbon_budget_t": 0.072}},
        pools={"hub_b/fast": None, "prov_c/small": None},
        jobs=[
            job("large", work_pflop_h=15.0, unserved_yuan=2700.0),
            job("one", work_pflop_h=12.0, unserved_yuan=2052.0),
            job("other", work_pflop_h=12.0, unserved_yuan=2052.0),
        ],
        services=[service("chat", unserved_yuan_per_mtoken=100.0)],
        demand=asked("chat", [700.0] * 12),
    )
    plan = pg.solve(scenario, engine="milp", threads=1, policies=False)
    chat, large = largest(plan, 3)
    used_up = "one pool is open to it, and the carbon budget of 0.072 t is used up"
    assert large.reason == f"{used_up}; city_a/fast would be the cheapest"
    assert chat.reason.endswith("the carbon budget of 0.072 t is used up")
    why = plan.explain
    for found in (why.job("large"), why.service("chat"), why.cluster("city_a")):
        assert (found.binding[0].kind, found.binding[0].text) == ("carbon", "the carbon budget of 0.072 t is used up")
        assert found.binding[0].price > 0
    said = in_the_report(subject_of_plan(plan), Wording.of("en"))["why"]
    assert set(said) == {"the carbon budget is used up; pools open to it: 1"}


def test_a_service_that_is_short_says_for_how_long() -> None:
    # 50 accelerators of prov_c and 20 of city_a serve 50 * 40 + 20 * 100 = 4,000 tokens/s, 0.7 of it at most: 2,800.
    scenario = tiny_scenario(
        jobs=[],
        services=[service("chat", residency="east", unserved_yuan_per_mtoken=1000.0)],
        demand=asked("chat", [5600.0] * 3 + [100.0] * 9),
    )
    plan = pg.solve(scenario, engine="lp", threads=1, policies=False)
    (chat,) = largest(plan, 3)
    assert chat.reason == "short in 3 of 12 periods; 2 pools are open to it"
    # 3 * 2,800 of 3 * 5,600 + 9 * 100 are left.
    assert chat.unserved_share == pytest.approx(8400.0 / 17700.0, rel=1e-3)
