"""What one more of something is worth: the price holds where it says, and the curve is what planning again finds."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest

from planted_problems import planted_problem
from provgrid_models.errors import OptionError
from provgrid_models.problem import Labels, Problem
from provgrid_optimizer.answers.changes import Change, change_of
from provgrid_optimizer.answers.fixed import remaining
from provgrid_optimizer.answers.value import price_of
from provgrid_optimizer.answers.worth import Bench
from provgrid_optimizer.engines.lp import lp
from provgrid_optimizer.engines.policies import cheapest
from provgrid_optimizer.options import SolveOptions, ignore_progress
from provgrid_optimizer.plan import Plan
from provgrid_optimizer.solve import solve
from tiny import job, service, tiny_scenario

ONE_THREAD = SolveOptions(threads=1)
ALONE = {"services": [], "demand": []}
IDEAL = Bench(engine="lp", options=ONE_THREAD)
EXACT = Bench(engine="milp", options=ONE_THREAD)


def one_hour(capacity: float, grid_kw: float = math.inf) -> Problem:
    """One pool at 1 kW and 1 yuan/kWh for one hour; two jobs of two accelerator-hours, worth 20 and 8 yuan."""
    return Problem(
        capacity=np.full((1, 1), capacity),
        kw_per_accelerator=np.ones((1, 1)),
        block_cluster=np.array([0]),
        block_limit_kw=np.full((1, 1), grid_kw),
        block_yuan_per_kwh=np.ones((1, 1)),
        block_is_grid=np.array([True]),
        class_rate_pflops=np.ones((1, 1)),
        work_pflop_h=np.full(2, 2.0),
        release=np.zeros(2, dtype=np.int64),
        deadline=np.ones(2, dtype=np.int64),
        max_accelerators=np.full(2, 2.0),
        unserved_yuan=np.array([20.0, 8.0]),
        labels=Labels(pools=["here/chip"], clusters=["here"], jobs=["dear", "cheap"]),
    )


def ideal(problem: Problem) -> Plan:
    return solve(problem, "lp", ONE_THREAD, with_policies=False)


def test_a_price_holds_until_the_next_job_is_served_whole():
    # 3 accelerators serve the job worth 20 and half of the one worth 8. Each one more serves another half of it, 4 yuan
    # for 1 yuan of power, until both run whole at 4; each one less takes such a half away, until none is left at 2.
    found = ideal(one_hour(3.0)).value("here/chip", more=[-2.0, -1.0, 0.5, 1.0, 5.0])
    price = found.price
    assert price is not None
    assert (price.basis, price.degenerate) == ("lp", False)
    assert price.price_yuan == price.one_more_yuan == price.one_less_yuan == pytest.approx(3.0)
    assert (price.holds_from, price.holds_to) == pytest.approx((-1.0, 1.0))
    # Two less leaves half of the dear job: 3 + (10 - 1) = 12 yuan lost. Beyond 4 there is nothing to serve.
    assert [p.found_yuan for p in found.points] == pytest.approx([-12.0, -3.0, 1.5, 3.0, 3.0])
    assert found.table["predicted_yuan"].tolist() == pytest.approx([-6.0, -3.0, 1.5, 3.0, 15.0])
    assert found.table["amount"].tolist() == pytest.approx([1.0, 2.0, 3.5, 4.0, 8.0])
    assert all(p.low_yuan - 1e-6 <= p.found_yuan <= p.high_yuan + 1e-6 for p in found.points)


def test_a_degenerate_price_is_told_on_both_sides():
    # 4 accelerators serve both: one more saves nothing, one less costs a half of the cheap job, 4 - 1 = 3 yuan.
    price = ideal(one_hour(4.0)).value("here/chip", more=[]).price
    assert price is not None
    assert price.degenerate
    assert (price.one_more_yuan, price.one_less_yuan) == pytest.approx((0.0, 3.0))
    assert (price.holds_from, price.holds_to) == pytest.approx((-2.0, math.inf))


def test_a_megawatt_is_worth_a_thousand_kilowatts():
    # 3 kW of grid under 10 accelerators: the same halves of jobs, 3 yuan for each kW, 1 kW either way.
    found = ideal(one_hour(10.0, grid_kw=3.0)).value("here", more=[0.001])
    assert found.unit == "MW of grid"
    assert found.present == pytest.approx(0.003)
    assert found.price is not None
    assert found.price.price_yuan == pytest.approx(3000.0)
    assert (found.price.holds_from, found.price.holds_to) == pytest.approx((-0.001, 0.001))
    assert found.points[0].found_yuan == pytest.approx(3.0)


def test_a_plan_with_its_jobs_fixed_says_so():
    # The plan leaves the cheap job; kept so, one more accelerator does nothing, and two may be taken away.
    plan = solve(one_hour(3.0), "milp", ONE_THREAD, with_policies=False)
    price = plan.value("here/chip", more=[]).price
    assert price is not None
    assert price.basis == "fixed-lp"
    assert (price.one_more_yuan, price.one_less_yuan) == pytest.approx((0.0, 0.0))
    assert (price.holds_from, price.holds_to) == (pytest.approx(-1.0), math.inf)


def test_an_accelerator_that_is_idle_costs_its_idle_power():
    # No work: all that one more does is to draw 0.1 kW * 1.25 * PUE 1.5, at 8 h * 0.5 + 4 h * 0.8 = 7.2 yuan per kW.
    plan = IDEAL.plan(tiny_scenario(jobs=[], **ALONE))
    found = plan.value("city_a/fast", more=[1.0])
    assert found.price is not None
    assert found.price.one_more_yuan == pytest.approx(-found.price.idle_yuan)
    assert found.price.idle_yuan == pytest.approx(0.1875 * 7.2)
    assert found.points[0].found_yuan == pytest.approx(-found.price.idle_yuan)


def test_a_price_ends_where_a_gang_comes_to_fit():
    # A gang of 25 does not fit into 20 accelerators. No price sees it; planning again at 25 does.
    gang = job("gang", mode="rigid", max_accelerators=25.0, work_pflop_h=25.0, residency="east", unserved_yuan=1e5)
    plan = EXACT.plan(tiny_scenario(jobs=[gang], pools={"prov_c/small": {"accelerators": 1.0}}, **ALONE))
    found = plan.value("city_a/fast", more=[4.0, 6.0])
    assert found.price is not None
    assert found.price.holds_to == pytest.approx(5.0)
    assert found.points[0].found_yuan < 0.0
    assert found.points[1].found_yuan > 9e4


def test_accelerators_that_are_tried_by_default_are_whole_and_gigabits_need_not_be():
    plan = EXACT.plan(tiny_scenario(jobs=[], **ALONE))  # 20 accelerators: 1, 2, 5, 10, 20; 5 % of 50 are 2.5
    assert [point.more for point in plan.value("city_a/fast").points] == [1.0, 2.0, 5.0, 10.0, 20.0]
    assert [point.more for point in plan.value("prov_c/small").points] == [1.0, 2.0, 5.0, 12.0, 25.0, 50.0]
    halved = tiny_scenario(jobs=[], links={"backbone": {"bandwidth_gbps": 5.0}}, **ALONE)
    assert [point.more for point in EXACT.plan(halved).value("backbone").points] == [0.25, 0.5, 1.0, 1.25, 2.5, 5.0]


def test_later_deadlines_are_planned_again():
    # 20 accelerator-hours, at most 4 at a time, take 5 hours of the 4 there are: nothing serves them. An hour more
    # does, for 20 h * 1.5 kW * 0.5 yuan = 15 of the 100 yuan that leaving them costs; the horizon's end is far enough.
    late = job("late", deadline_h=4.0, work_pflop_h=10.0, max_accelerators=4.0, residency="east", unserved_yuan=100.0)
    plan = IDEAL.plan(tiny_scenario(jobs=[late], pools={"prov_c/small": {"accelerators": 0.0}}, **ALONE))
    found = plan.value(deadline="family=llm,mode=elastic", more=[1.0, 100.0])
    assert (found.members, found.price, found.unit) == (1, None, "hours")
    assert [p.found_yuan for p in found.points] == pytest.approx([85.0, 85.0])


def test_a_window_that_would_cross_the_horizon_saves_nothing_by_losing_work():
    # A deadline beyond the twelve hours would make the part of the work that lies there vanish.
    plan = IDEAL.plan(tiny_scenario(jobs=[job("all", deadline_h=12.0, residency="east")], **ALONE))
    assert plan.value(deadline="all", more=[24.0]).points[0].found_yuan == pytest.approx(0.0, abs=1e-9)


def test_a_looser_slo_lets_a_service_go_where_it_is_cheaper():
    # At 3 ms chat stays in the city (2 ms): 50 tokens/s / (100 * 0.7) * 1.5 kW = 1.07 kW. At 8 ms the provincial
    # cluster, 147 km and 4.2 ms away, may serve it: 50 / (40 * 0.7) * 0.5 kW = 0.89 kW. A kW costs
    # 8 h * 0.5 + 4 h * 0.8 = 7.2 yuan at either.
    free = {"kb_in_per_ktoken": 0.0, "kb_out_per_ktoken": 0.0, "residency": "east"}
    chat = service("chat", slo_metric="network_rtt", slo_ms=3.0, **free)
    asked = [{"service": "chat", "period": t, "tokens_per_s": 50.0} for t in range(12)]
    plan = IDEAL.plan(tiny_scenario(jobs=[], services=[chat], demand=asked))
    found = plan.value(slo="chat")
    assert [(p.more, p.found_yuan) for p in found.points] == [
        (5.0, pytest.approx(7.2 * (50 / 70 * 1.5 - 50 / 28 * 0.5)))
    ]


def test_hard_work_without_a_plan_is_said():
    hard = replace(one_hour(4.0), unserved_yuan=np.array([np.inf, 8.0]))
    found = ideal(hard).value("here/chip", more=[-3.0])
    assert found.points[0].found_yuan == -math.inf
    assert found.to_dict()["points"][0]["found_yuan"] is None


@pytest.mark.parametrize(
    ("asked", "message"),
    [
        ({"of": "heer"}, "'heer' is no pool, link or cluster of this plan; did you mean here"),
        ({"of": "here"}, "cluster here has no limit, so that more of it is worth nothing"),
        ({"of": "here/chip", "more": [-4.0]}, "pool here/chip has 3 accelerators; it cannot have 4 fewer"),
        ({"of": "here/chip", "more": [math.nan]}, "an amount in the range is not a finite number"),
        ({"of": "here/chip", "more": 5}, "more is 5, and no list of amounts; give one such as"),
        ({"of": "here/chip", "more": ["a"]}, r"more is \['a'\], and no list of amounts"),
        ({"of": 5}, "of is 5, of type int; give a name or a pattern, as a text"),
        ({"deadline": "*"}, "came from arrays, which have no classes of work"),
        ({}, "one thing at a time"),
        ({"of": "here/chip", "slo": "x"}, "one thing at a time"),
    ],
)
def test_what_cannot_be_answered_is_refused_in_one_line(asked, message):
    with pytest.raises(OptionError, match=message):
        ideal(one_hour(3.0)).value(**asked)


def test_a_class_that_is_empty_or_unknown_is_refused():
    plan = IDEAL.plan(tiny_scenario())
    with pytest.raises(OptionError, match="no job matches 'nobody-\\*'"):
        plan.value(deadline="nobody-*")
    with pytest.raises(OptionError, match="'colour' is no column to choose by"):
        plan.value(slo="colour=red")


def test_the_heuristics_points_are_intervals_that_hold_the_exact_ones():
    problem = planted_problem(5)
    plan = solve(problem, "heuristic", SolveOptions(threads=1, passes=5), with_policies=False)
    pool = change_of(plan, "pool:0")
    exact = plan.value("pool:0", more=[pool.present], engine="milp").points[0]
    rough = plan.value("pool:0", more=[pool.present]).points[0]
    found = plan.value("pool:0", more=[pool.present], engine="heuristic").points[0]
    assert found.low_yuan - 1e-6 <= exact.found_yuan <= found.high_yuan + 1e-6
    assert rough.low_yuan == pytest.approx(rough.high_yuan, abs=1e-4)


def test_an_amount_that_was_stopped_ends_the_question(monkeypatch):
    problem = planted_problem(5)
    plan = solve(problem, "cheapest", ONE_THREAD, with_policies=False)
    stopped = replace(plan, certificate=replace(plan.certificate, status="interrupted"))
    monkeypatch.setattr("provgrid_optimizer.solve.solve", lambda *_, **__: stopped)
    with pytest.raises(KeyboardInterrupt):
        plan.value("pool:0", more=[1.0], engine="cheapest")


def changes(problem: Problem, random: np.random.Generator) -> list[Change]:
    """One pool, one link and one cluster that have a limit, where there is one."""
    grid = problem.block_is_grid & np.isfinite(problem.block_limit_kw).all(axis=1)
    places = {
        "pool": np.arange(problem.n_pools),
        "link": np.flatnonzero(np.isfinite(problem.link_gbps)),
        "cluster": np.unique(problem.block_cluster[grid]),
    }
    return [
        Change(
            kind=kind,  # type: ignore[arg-type]
            id=str(index),
            index=int(index),
            present=float(
                {"pool": problem.capacity.max(axis=1), "link": problem.link_gbps}[kind][index]
                if kind != "cluster"
                else problem.block_limit_kw[grid & (problem.block_cluster == index)].max() / 1000.0
            ),
            members=1,
            problem=problem,
            scenario=None,
        )
        for kind, of in places.items()
        if of.size
        for index in [int(random.choice(of))]
    ]


def assert_prices_hold_where_they_say(seed: int, bases: tuple[str, ...]) -> None:
    """Finite differences, at half of the range and at its end, by programs assembled and solved anew."""
    random, problem = np.random.default_rng(seed), planted_problem(seed)
    for basis in bases:
        engine = lp if basis == "lp" else cheapest
        plan = engine(problem, ONE_THREAD, ignore_progress).allocation
        left = remaining(problem, plan, ONE_THREAD)
        cost = left.objective_yuan + problem.constants_yuan
        for change in changes(problem, random):
            price = price_of(left, change)
            assert price.one_more_yuan - 1e-6 <= price.price_yuan <= price.one_less_yuan + 1e-6
            ends = {min(price.holds_to, change.present), max(price.holds_from, -change.present)}
            for more in [part * end for end in ends for part in (0.5, 1.0 - 1e-7) if abs(end) > 1e-9]:
                changed = change.problem_at(more)
                then = remaining(changed, plan, ONE_THREAD).objective_yuan + changed.constants_yuan
                expected = price.predicts(more)
                assert cost - then == pytest.approx(expected, abs=2e-6 * max(1.0, abs(cost))), (
                    seed,
                    basis,
                    change.kind,
                )


@pytest.mark.parametrize("seed", range(6))
def test_prices_hold_where_they_say(seed: int) -> None:
    assert_prices_hold_where_they_say(seed, ("lp",) if seed % 2 else ("fixed-lp",))


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(100))
def test_prices_hold_where_they_say_everywhere(seed: int) -> None:
    assert_prices_hold_where_they_say(seed, ("lp", "fixed-lp"))
