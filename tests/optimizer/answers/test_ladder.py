"""The latency ladder: what looser SLOs save, by hand, and that no rung costs more than the one before."""

from __future__ import annotations

import json

import pytest

from command_line import in_this_process, json_of, one_line
from provgrid_models.errors import OptionError
from provgrid_optimizer.answers.ladder import latency_ladder, relaxed_by
from provgrid_optimizer.answers.worth import Bench
from tiny import service, tiny_scenario

# chat may go anywhere by its residency, but its 10 ms reach city_a (2 ms) and prov_c alone: hub_b is 2,100 km away,
# 2 * (2,100 * 5 us * 1.5 + 1 ms), some 35 ms.
CHAT = service("chat", slo_class="instant", slo_ms=10.0, kb_in_per_ktoken=5.0, kb_out_per_ktoken=5.0)
IDEAL = Bench(engine="lp")


def chat_alone():
    return tiny_scenario(jobs=[], services=[CHAT], demand={"batch": None})


def test_no_rung_costs_more_than_the_one_before() -> None:
    ladder = latency_ladder(chat_alone(), (5.0, 20.0, 100.0), IDEAL)
    costs = [rung.cost_yuan for rung in ladder.rungs]
    assert [rung.added_ms for rung in ladder.rungs] == [0.0, 5.0, 20.0, 100.0]
    assert costs == sorted(costs, reverse=True)
    assert ladder.divisible


def test_a_rung_opens_pools_and_says_how_much_work_goes_there() -> None:
    # 210 tokens/s / (100 * 0.7) = 3 accelerators for 12 hours, all of which go west once they may: power is cheaper
    ladder = latency_ladder(chat_alone(), (5.0, 100.0), IDEAL)
    tight, slightly, loose = ladder.rungs
    assert (tight.opened_pairs, slightly.opened_pairs, loose.opened_pairs) == (0, 0, 1)
    assert (tight.unlocked_accelerator_h, slightly.unlocked_accelerator_h) == (0.0, 0.0)
    assert loose.unlocked_accelerator_h == pytest.approx(36.0)
    assert loose.cost_yuan < tight.cost_yuan


def test_a_plan_that_is_no_better_gives_way_to_the_one_before() -> None:
    ladder = latency_ladder(chat_alone(), (100.0, 200.0), Bench(engine="local"))
    assert ladder.rungs[1].cost_yuan == ladder.rungs[0].cost_yuan
    assert ladder.table["saved_yuan"].tolist() == [0.0, 0.0, 0.0]


def test_every_limit_is_relaxed_by_the_same_step() -> None:
    scenario = tiny_scenario()
    assert (relaxed_by(scenario, 7.0).services["slo_ms"] - scenario.services["slo_ms"]).tolist() == [7.0, 7.0]


def test_a_ladder_is_plain_values_in_json() -> None:
    record = latency_ladder(chat_alone(), (5.0,), IDEAL).to_dict()
    assert json.loads(json.dumps(record)) == record
    assert list(record["rungs"][1]) == [
        "added_ms",
        "cost_yuan",
        "bound_yuan",
        "unserved_share",
        "never_served_yuan",
        "opened_pairs",
        "unlocked_accelerator_h",
        "saved_yuan",
    ]


@pytest.mark.parametrize("steps", [(), (0.0,), (-5.0, 5.0), (float("nan"),)])
def test_steps_that_relax_nothing_are_refused(steps: tuple[float, ...]) -> None:
    with pytest.raises(OptionError, match="a ladder needs steps above 0 ms, such as 5, 10, 20"):
        latency_ladder(chat_alone(), steps, IDEAL)


def test_without_limits_there_is_no_ladder() -> None:
    free = tiny_scenario(settings={"switches": {"latency": False}})
    with pytest.raises(OptionError, match="holds no service to an SLO"):
        latency_ladder(free, (5.0,), IDEAL)


def test_the_command_line_prints_every_rung_and_refuses_what_is_no_number() -> None:
    record = json_of(in_this_process("study", "ladder", "toy", "--engine", "lp", "--ms", "5,50", "--json"))
    assert [rung["added_ms"] for rung in record["rungs"]] == [0.0, 5.0, 50.0]
    refused = in_this_process("study", "ladder", "toy", "--engine", "lp", "--ms", "five")
    assert "--ms five holds no list of numbers; give steps such as 5,10,20" in one_line(refused, 2)
