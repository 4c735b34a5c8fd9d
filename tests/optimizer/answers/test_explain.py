"""Why work is where it is: closed pools with their figures, extra costs that a solve of its own confirms."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

import provgrid as pg
from provgrid_models.errors import InfeasibleError, OptionError
from provgrid_models.problem import Labels, Problem
from provgrid_optimizer.allocation import Allocation
from provgrid_optimizer.answers import remedies
from provgrid_optimizer.answers.moved import without_job
from provgrid_optimizer.engines.lp import lp
from provgrid_optimizer.engines.milp import milp
from provgrid_optimizer.evaluate import costs
from provgrid_optimizer.options import SolveOptions, ignore_progress
from provgrid_optimizer.plan import Plan
from provgrid_optimizer.solve import solve
from random_problems import random_problem
from tiny import job, tiny_scenario

ONE_THREAD = SolveOptions(threads=1)
NO_SERVICES: dict[str, Any] = {"services": [], "demand": []}


def planned(problem: Problem, engine: str) -> Plan:
    return solve(problem, engine, ONE_THREAD, with_policies=False)


def cost(problem: Problem, engine: Any) -> float | None:
    """Best cost, None where hard work does not fit; fixed charges of the empty plan are the same in all problems."""
    try:
        result = engine(problem, SolveOptions(threads=1, gap=0.0), ignore_progress)
    except InfeasibleError:
        return None
    return costs(problem, result.allocation).objective_yuan


def pinned(problem: Problem, job_pools: dict[int, int]) -> Problem:
    """Make jobs hard and give each one pool."""
    pool, unserved = problem.pinned_pool.copy(), problem.unserved_yuan.copy()
    for j, p in job_pools.items():
        pool[j], unserved[j] = p, np.inf
    return replace(problem, pinned_pool=pool, unserved_yuan=unserved)


def held(problem: Problem, allocation: Allocation, but: int) -> Problem:
    """Fix the choices of a plan in the problem itself, those of one job left out: pools, starts, and what is left."""
    fixed = pinned(problem, {int(j): int(p) for j, p in zip(allocation.job, allocation.pool, strict=True) if j != but})
    release, deadline, rate = fixed.release.copy(), fixed.deadline.copy(), fixed.class_rate_pflops
    job_class = fixed.job_class.copy()
    for i, j in enumerate(allocation.job.tolist()):
        if problem.rigid[j] and j != but:
            runs = allocation.run_period[allocation.run_start[i] : allocation.run_start[i + 1]]
            release[j], deadline[j] = runs[0], runs[-1] + 1
    left = np.setdiff1d(np.arange(problem.n_jobs), [*allocation.job.tolist(), but])
    job_class[left] = rate.shape[0]
    closed = np.zeros((1, problem.n_pools))
    return replace(
        fixed,
        release=release,
        deadline=deadline,
        job_class=job_class,
        class_rate_pflops=np.concatenate([rate, closed]),
        class_reason=np.concatenate([problem.class_reason, closed.astype(np.int64)]),
    )


@pytest.mark.parametrize("seed", range(2))
def test_verified_costs_of_a_relaxation_are_those_of_the_engine_with_that_job_bound(seed: int) -> None:
    assert checked_moves(random_problem(seed, jobs=5, periods=7))


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(100, 115))
def test_verified_costs_are_those_of_the_engine_on_many_random_problems(seed: int) -> None:
    assert checked_moves(random_problem(seed, jobs=5, periods=7))


@pytest.mark.slow
def test_verified_costs_are_those_of_the_engine_on_a_day_and_a_half_of_zhejiang() -> None:
    problem = pg.compile(pg.load("zhejiang", set=["horizon.periods=36"]))
    nameless = replace(problem, labels=Labels())
    assert checked_moves(nameless, jobs=(0, 8)) > 5


def checked_moves(problem: Problem, jobs: Sequence[int] | None = None) -> int:
    """Hold every move of these jobs, all by default, against the engine with the job bound there; say how many."""
    plan = planned(problem, "lp")
    close = 1e-6 * max(1.0, abs(plan.objective_yuan))
    checked = 0
    for j in range(problem.n_jobs) if jobs is None else jobs:
        found = plan.explain.job(str(j), verify=True)
        assert (found.basis, found.verified) == ("lp", "lp")
        for one in found.candidates:
            if one.exclusion is not None or not one.pool:
                continue
            own = cost(pinned(problem, {j: int(one.pool)}), lp)
            assert (own is None) is (one.verified_yuan is None)
            if own is not None:
                assert one.verified_yuan == pytest.approx(own - plan.objective_yuan, rel=1e-6, abs=close)
                # What prices say is a lower bound, and 0 where the work is.
                assert one.extra_yuan <= one.verified_yuan + close
                checked += 1
            if one.share > 1e-6:
                assert one.extra_yuan == pytest.approx(0.0, abs=close)
    return checked


@pytest.mark.parametrize(("seed", "engine"), [(0, "milp"), pytest.param(1, "cheapest", marks=pytest.mark.slow)])
def test_verified_costs_of_an_indivisible_plan_are_those_with_all_other_choices_bound(seed: int, engine: str) -> None:
    switches = {"links": False, "after": False, "weights": False}
    problem = random_problem(seed, jobs=5, periods=7, **switches)
    plan = planned(problem, engine)
    now = plan.remaining.objective_yuan
    checked = 0
    for j in range(problem.n_jobs):
        rest = held(problem, plan.allocation, j)
        found = plan.explain.job(str(j), verify=True)
        assert (found.basis, found.verified) == ("fixed-lp", "fixed-lp")
        for one in found.candidates:
            if one.exclusion is not None:
                continue
            if one.pool:
                own = cost(pinned(rest, {j: int(one.pool)}), milp)
            else:
                own = cost(held(problem, without_job(plan.allocation, j), -1), milp)
            assert (own is None) is (one.verified_yuan is None)
            if own is not None:
                assert one.verified_yuan == pytest.approx(own - now, rel=1e-6, abs=1e-6)
                checked += 1
    assert checked


@pytest.mark.parametrize("seed", range(2))
def test_verified_costs_of_a_service_are_those_of_the_engine_with_its_other_pools_closed(seed: int) -> None:
    problem = random_problem(seed, jobs=3, periods=6)
    plan = planned(problem, "lp")
    checked = 0
    for s in range(problem.n_services):
        # What the plan leaves stays left: only what is served is asked for, hard.
        served = problem.demand - plan.allocation.unserved_units(problem)
        value = np.where(np.isfinite(problem.service_unserved_yuan), problem.service_unserved_yuan, 0.0)
        lost = float((problem.demand - served)[s] @ problem.hours * value[s])
        demand, unserved = problem.demand.copy(), problem.service_unserved_yuan.copy()
        demand[s], unserved[s] = served[s], np.inf
        for one in plan.explain.service(str(s), verify=True).candidates:
            if one.exclusion is not None:
                continue
            rate = problem.service_rate.copy()
            rate[s, np.arange(problem.n_pools) != int(one.pool)] = 0.0
            own = cost(replace(problem, demand=demand, service_unserved_yuan=unserved, service_rate=rate), lp)
            assert (own is None) is (one.verified_yuan is None)
            if own is not None:
                assert one.verified_yuan == pytest.approx(own + lost - plan.objective_yuan, rel=1e-6, abs=1e-5)
                checked += 1
    assert checked


@pytest.mark.parametrize("engine", ["lp", pytest.param("heuristic", marks=pytest.mark.slow)])
def test_on_the_toy_every_verified_cost_is_that_of_an_own_solve(engine: str) -> None:
    plan = pg.solve(pg.scenarios.toy(), engine=engine, policies=False, threads=1)
    problem = plan.problem
    names, pools = list(problem.labels.jobs or ()), list(problem.labels.pools or ())
    checked = 0
    for j, name in enumerate(names[:4]):
        for one in plan.explain.job(name, verify=True).candidates:
            if one.verified_yuan is None or not one.pool:
                continue
            if engine == "lp":
                own = cost(pinned(problem, {j: pools.index(one.pool)}), lp)
                assert own is not None
                assert one.verified_yuan == pytest.approx(own - plan.objective_yuan, rel=1e-6, abs=1e-5)
            elif one.share > 0:
                # Where it is, with its start chosen anew: at most what the plan costs.
                assert one.verified_yuan <= 1e-6
            checked += 1
    assert checked >= 4


def test_closed_pools_say_the_figure_and_the_limit() -> None:
    scenario = tiny_scenario(
        jobs=[
            job("wide", min_accelerators=64.0),
            job("late", work_pflop_h=45.0, deadline_h=8.0),
            job("gang", mode="rigid", max_accelerators=60.0, work_pflop_h=60.0),
            job("held", pinned_pool="city_a/fast"),
        ]
    )
    plan = pg.solve(scenario, engine="milp", policies=False, threads=1)

    def shut(name: str) -> dict[str, str]:
        return {c.pool: c.text for c in plan.explain.job(name).candidates if c.exclusion is not None}

    assert shut("wide") == {
        "city_a/fast": "needs 64 accelerators, pool has 20",
        "prov_c/small": "needs 64 accelerators, pool has 50",
    }
    # 45 PFLOP-h on 10 accelerators: 9 h at 0.5 PFLOPS, 22.5 h at 0.2
    assert shut("late") == {
        "city_a/fast": "window 8 h, work needs 9 h",
        "hub_b/fast": "window 8 h, work needs 9 h",
        "prov_c/small": "window 8 h, work needs 22.5 h",
    }
    assert shut("gang")["city_a/fast"] == "gang of 60 accelerators, pool has 20"
    assert shut("held") == dict.fromkeys(("hub_b/fast", "prov_c/small"), "already runs in city_a/fast")
    service = plan.explain.service("chat")
    assert service.text.startswith("service chat, of its demand: ")
    chat = {c.pool: c.exclusion for c in service.candidates if c.exclusion is not None}
    assert chat["hub_b/fast"].text == "data must stay in zone east, pool is in west"


def test_work_that_no_pool_could_serve_is_explained_and_the_change_that_serves_it_is_solved() -> None:
    # 45 PFLOP-h on 10 accelerators take 9 h of fast; the window has 8.
    scenario = tiny_scenario(jobs=[job("late", work_pflop_h=45.0, deadline_h=8.0)], **NO_SERVICES)
    plan = pg.solve(scenario, engine="milp", policies=False, threads=1)
    found = plan.explain.job("late", verify=True)
    assert found.unserved_share == 1.0
    assert found.text == "job late: no pool can ever serve it: too slow for the window"
    changes = {one.change.override: one.extra_yuan for one in found.remedies if one.change is not None}
    assert "jobs.late.deadline_h=9.0" in changes
    assert "jobs.late.max_accelerators=12.0" in changes
    # With an hour more it is planned for what the engine says.
    longer = tiny_scenario(jobs=[job("late", work_pflop_h=45.0, deadline_h=9.0)], **NO_SERVICES)
    after = pg.solve(longer, engine="milp", policies=False, threads=1)
    before_yuan = plan.objective_yuan + plan.problem.constants_yuan
    after_yuan = after.objective_yuan + after.problem.constants_yuan
    assert changes["jobs.late.deadline_h=9.0"] == pytest.approx(after_yuan - before_yuan, abs=1e-6)
    assert [one.extra_yuan for one in found.remedies] == sorted(one.extra_yuan for one in found.remedies)


@pytest.mark.parametrize("engine", ["lp", "milp"])
def test_what_is_left_for_want_of_room_gets_the_change_that_makes_room(engine: str) -> None:
    # The east has 20 * 0.5 + 50 * 0.2 = 20 PFLOPS for 4 h; two jobs of 50 PFLOP-h ask for more than those 80. The one
    # that is worth less is left, wholly or in part; nothing that is served may be lost for it.
    jobs = [
        job(name, work_pflop_h=50.0, residency="east", deadline_h=4.0, max_accelerators=100.0, unserved_yuan=worth)
        for name, worth in (("dear", 9000.0), ("cheap", 3000.0))
    ]
    scenario = tiny_scenario(jobs=jobs, **NO_SERVICES)
    plan = pg.solve(scenario, engine=engine, policies=False, threads=1)
    found = plan.explain.job("cheap", verify=True)
    assert found.unserved_share > 0.1
    assert found.remedies
    for one in found.remedies:
        assert one.change is not None
        mended = pg.solve(one.change.applied(scenario), engine=engine, policies=False, threads=1)
        total = mended.objective_yuan + mended.problem.constants_yuan
        paid = plan.objective_yuan + plan.problem.constants_yuan + one.extra_yuan
        assert total <= paid + 1e-5  # of an indivisible plan the others stay where they are, or left
        if engine == "lp":
            assert mended.unserved_share == pytest.approx(0.0, abs=1e-6)
            assert total == pytest.approx(paid, abs=1e-3)


def test_a_trial_change_whose_scenario_is_refused_is_one_that_does_not_work() -> None:
    # 20 accelerators in the city idle at 3.75 kW * 0.6 kg * 12 h = 27 kg, 40 at 54 kg: above the budget of 50 kg. 22
    # accelerator-hours in one hour take 22 accelerators: 27 * 22 / 20 = 29.7 kg idle and 22 * 0.9 = 19.8 kg of work.
    burst = job("burst", work_pflop_h=11.0, max_accelerators=30.0, deadline_h=1.0)
    scenario = tiny_scenario(
        jobs=[burst],
        settings={"limits": {"carbon_budget_t": 0.05}},
        pools={"hub_b/fast": None, "prov_c/small": None},
        **NO_SERVICES,
    )
    plan = pg.solve(scenario, engine="milp", policies=False, threads=1)
    found = plan.explain.job("burst", verify=True)
    assert {one.change.override for one in found.remedies if one.change is not None} == {
        "pools.city_a/fast.accelerators=22.0",
        "jobs.burst.deadline_h=2.0",
    }


# A gang of 110 in hub_b, where 125 of 80 % are there: 138 of 80 % are enough. `small` runs when the sun makes it cheap.
IN_THE_HUB: dict[str, Any] = {
    "mode": "rigid",
    "region": "west",
    "release_h": 4.0,
    "max_accelerators": 110.0,
    "work_pflop_h": 330.0,
}
SMALL: dict[str, Any] = {"mode": "rigid", "region": "west", "max_accelerators": 30.0, "work_pflop_h": 60.0}
ONLY_THE_HUB: dict[str, Any] = {"pools": {"city_a/fast": None, "prov_c/small": None}, **NO_SERVICES}


@pytest.mark.parametrize(
    ("grid_mw", "accelerators", "others_move"),
    [
        (1.0, 175.0, False),  # both run at once in 8 to 10 o'clock: 140 of 80 %
        # 138 idle at 20.7 kW, and 140 that run take 168 more: 188.7 kW, and 155 kW and 20 of the sun are there. 110
        # alone take 152.7 kW.
        (0.155, 138.0, True),
    ],
)
def test_a_gang_that_is_too_large_gets_as_many_accelerators_as_serve_it(
    grid_mw: float, accelerators: float, others_move: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    jobs = [job("wide", **IN_THE_HUB), job("small", **SMALL)]
    clusters = {"hub_b": {"grid_limit_mw": grid_mw}}
    scenario = tiny_scenario(jobs=jobs, clusters=clusters, **ONLY_THE_HUB)
    plan = pg.solve(scenario, engine="milp", policies=False, threads=1)
    (found,) = plan.explain.job("wide", verify=True).remedies
    assert found.change is not None
    assert (found.change.override, found.others_move) == (f"pools.hub_b/fast.accelerators={accelerators}", others_move)
    assert found.text.endswith(", if other work moves") == others_move
    mended = pg.solve(found.change.applied(scenario), engine="milp", policies=False, threads=1)
    assert mended.unserved_share == 0.0
    assert mended.problem.never_served == ()
    monkeypatch.setattr(remedies, "SEARCHES_S", 0.0)
    assert bool(plan.explain.job("wide", verify=True).remedies) != others_move


def test_work_that_fits_but_is_not_worth_it_is_said_to_fit() -> None:
    # 10 PFLOP-h cost a few yuan of power; leaving them costs 0.01.
    scenario = tiny_scenario(jobs=[job("idle", unserved_yuan=0.01)], **NO_SERVICES)
    plan = pg.solve(scenario, engine="milp", policies=False, threads=1)
    found = plan.explain.job("idle", verify=True)
    assert found.unserved_share == 1.0
    assert [one.change for one in found.remedies] == [None]
    served = tiny_scenario(jobs=[job("idle", unserved_yuan=0.01, hard=True)], **NO_SERVICES)
    cheapest = pg.solve(served, engine="milp", policies=False, threads=1)
    assert found.remedies[0].extra_yuan == pytest.approx(cheapest.objective_yuan - plan.objective_yuan, abs=1e-6)


def test_limits_that_are_reached_are_named_with_their_hours_and_prices() -> None:
    # The whole of prov_c is asked for from 2 to 4 o'clock by a gang that fits nowhere else.
    jobs = [job("gang", mode="rigid", max_accelerators=50.0, work_pflop_h=20.0, release_h=2.0, deadline_h=4.0)]
    pools = {"hub_b/fast": {"accelerators": 0.0}, "city_a/fast": {"accelerators": 0.0}}
    plan = pg.solve(tiny_scenario(jobs=jobs, pools=pools, **NO_SERVICES), engine="lp", policies=False, threads=1)
    found = plan.explain.job("gang")
    full = [one for one in found.binding if one.kind == "capacity"]
    assert [(one.id, one.periods) for one in full] == [("prov_c/small", (2, 3))]
    assert "in 2 periods: 2026-07-01 02:00 to 04:00" in full[0].text
    cluster = plan.explain.cluster("prov_c")
    assert [(one.id, one.accelerator_h) for one in cluster.filled] == [("gang", pytest.approx(100.0))]
    assert cluster.text == "cluster prov_c: 100 of 600 accelerator-hours used, 16.7%"
    assert list(cluster.residents.columns) == ["kind", "id", "pool", "accelerator_h", "share"]


def test_what_would_come_next_to_a_cluster_costs_what_moving_it_there_costs() -> None:
    scenario = tiny_scenario(jobs=[job("a"), job("b", residency="east")], **NO_SERVICES)
    plan = pg.solve(scenario, engine="milp", policies=False, threads=1)
    at = {row.job: row.pool for row in plan.jobs.itertuples()}
    city = plan.explain.cluster("city_a", verify=True)
    assert {one.id for one in city.arrivals} == {name for name, pool in at.items() if pool != "city_a/fast"}
    for one in city.arrivals:
        moved = {c.pool: c for c in plan.explain.job(one.id, verify=True).candidates}["city_a/fast"]
        assert (one.extra_yuan, one.verified_yuan) == pytest.approx((moved.extra_yuan, moved.verified_yuan))


def test_what_is_not_there_is_refused_with_a_hint() -> None:
    plan = pg.solve(tiny_scenario(), engine="cheapest", policies=False, threads=1)
    with pytest.raises(OptionError, match=r"no job 'bse'.*base"):
        plan.explain.job("bse")
    with pytest.raises(OptionError, match="no service"):
        plan.explain.service("nobody")
    with pytest.raises(OptionError, match="no cluster"):
        plan.explain.cluster("nowhere")


def test_answers_are_plain_values_and_tables() -> None:
    import json

    plan = pg.solve(tiny_scenario(), engine="heuristic", policies=False, threads=1, passes=3)
    for found in (plan.explain.job("base"), plan.explain.service("chat"), plan.explain.cluster("hub_b")):
        json.dumps(found.to_dict(), allow_nan=False)
        assert found.basis == "dual"
        assert list(found.limits.columns) == ["kind", "id", "periods", "price", "unit", "text"]
    pools = plan.explain.job("vertical").pools
    assert dict(pools[["pool", "reason"]].to_numpy())["hub_b/fast"] == "residency"
    assert pools.loc[pools["reason"] == "", "extra_yuan"].notna().all()
