"""Pools that are open to a job and yet too small for all of it, told by hand-worked figures."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import provgrid as pg
from provgrid_models.problem import Problem
from provgrid_optimizer.answers import alone
from provgrid_optimizer.answers.alone import fit_somewhere, holds_whole, too_small
from provgrid_optimizer.answers.unserved import largest
from random_problems import random_problem
from tiny import job, tiny_scenario

NO_SERVICES: dict[str, Any] = {"services": [], "demand": []}


def one_job(capacity: list[float], **changes: Any) -> Problem:
    """One pool of 1 PFLOPS an accelerator, one job of 12 PFLOP-hours, which are 12 accelerator-hours."""
    arrays: dict[str, Any] = {
        "capacity": np.array([capacity]),
        "work_pflop_h": np.array([12.0]),
        "class_rate_pflops": np.ones((1, 1)),
        "deadline": np.array([len(capacity)]),
        "max_accelerators": np.array([12.0]),
        "rigid": np.array([False]),
    }
    return Problem(**arrays | {name: np.array([value]) for name, value in changes.items()})


def test_a_pool_whose_accelerators_do_not_suffice_for_the_window_says_how_long_they_would_need() -> None:
    # 2 accelerators need 12 / 2 = 6 h, and 5 h are there; 3 need 4 h.
    assert too_small(one_job([2.0] * 5), 0, 0) == "window 5 h, the work needs 6 h on this pool's 2 accelerators"
    assert too_small(one_job([3.0] * 5), 0, 0) == ""
    # 2 accelerators for 6 h are all of it, exactly.
    assert too_small(one_job([2.0] * 6), 0, 0) == ""
    # The window alone counts: 10 h are in the horizon, 5 of them in the window.
    assert too_small(one_job([2.0] * 10, deadline=5), 0, 0).startswith("window 5 h, the work needs 6 h")


def test_a_pool_that_changes_its_size_is_told_by_its_accelerator_hours() -> None:
    # 2 + 2 + 1 + 1 + 2 = 8 of 12.
    why = too_small(one_job([2.0, 2.0, 1.0, 1.0, 2.0]), 0, 0)
    assert why == "window 5 h with 8 accelerator-hours here, the work needs 12"
    # Of 12 the job may hold 4: 4 + 4 + 1 + 1 = 10.
    why = too_small(one_job([12.0, 12.0, 1.0, 1.0], max_accelerators=4.0), 0, 0)
    assert why == "window 4 h with 10 accelerator-hours here, the work needs 12"
    assert too_small(one_job([0.0] * 5), 0, 0) == "window 5 h with 0 accelerator-hours here, the work needs 12"


def test_a_gang_needs_its_hours_in_one_piece() -> None:
    # A gang of 4 is held for 12 / 4 = 3 h; the pool has 4 for 2 h, then less, then for 2 h again.
    gang = {"max_accelerators": 4.0, "rigid": True}
    assert too_small(one_job([4.0, 4.0, 1.0, 5.0, 4.0], **gang), 0, 0) == (
        "window 5 h, its gang of 4 is held for 3 h in one piece, and this pool has 4 accelerators for 2 h at most"
    )
    assert too_small(one_job([4.0, 4.0, 4.0, 1.0, 1.0], **gang), 0, 0) == ""


def test_the_time_that_data_is_on_its_way_is_no_time_to_work_in() -> None:
    # 450 GB at 0.5 Gbit/s take 450 * 8 / 3600 / 0.5 = 2 h of the window's 6; 3 accelerators need 12 / 3 = 4 h, 2: 6.
    moved: dict[str, Any] = {
        "link_gbps": np.array([10.0]),
        "route_start": np.array([0, 1]),
        "route_link": np.array([0]),
        "gb_yuan": np.zeros((1, 1)),
    }
    for accelerators, why in ((3.0, ""), (2.0, "window 6 h less 2 h for moving its data, the work needs 6 h on")):
        problem = Problem(
            capacity=np.full((1, 6), accelerators),
            work_pflop_h=np.array([12.0]),
            class_rate_pflops=np.ones((1, 1)),
            deadline=np.array([6]),
            max_accelerators=np.array([12.0]),
            data_gb=np.array([450.0]),
            move_gbps=np.array([0.5]),
            **moved,
        )
        found = too_small(problem, 0, 0)
        assert found.startswith(why) if why else not found


@pytest.mark.parametrize("seed", range(6))
def test_all_pairs_at_once_say_what_each_pair_says(seed: int) -> None:
    problem = random_problem(seed, jobs=8, periods=7)
    jobs = np.arange(problem.n_jobs)
    opened = problem.reasons(jobs) == 0
    one_by_one = [
        [bool(opened[j, p]) and not too_small(problem, j, p) for p in range(problem.n_pools)] for j in jobs.tolist()
    ]
    assert holds_whole(problem, jobs).tolist() == one_by_one


def test_a_job_too_large_for_every_pool_is_told_so_and_no_price_is_shown_for_it() -> None:
    """200 PFLOP-hours are 400 accelerator-hours of city_a (20) and 1,000 of prov_c (50); the window is 12 h."""
    huge = job("huge", residency="east", work_pflop_h=200.0, max_accelerators=1000.0, unserved_yuan=900.0)
    scenario = tiny_scenario(jobs=[huge], **NO_SERVICES)
    plan = pg.solve(scenario, engine="milp", threads=1, policies=False)
    found = {one.pool: one for one in plan.explain.job("huge").candidates}
    # 400 / 20 = 20 h; 1,000 / 50 = 20 h.
    city, province = found["city_a/fast"], found["prov_c/small"]
    assert city.exclusion is None
    assert city.fits is False
    why = "window 12 h, the work needs 20 h on this pool's 20 accelerators"
    assert city.text == f"too small for all of it, even empty: {why}"
    assert "the work needs 20 h on this pool's 50 accelerators" in province.text
    (left,) = largest(plan, 3)
    assert left.reason.startswith("all 2 pools open to it are too small to do it in its window, even empty: ")
    verified = plan.explain.job("huge", verify=True).candidates
    assert all(one.verified_yuan is None for one in verified if one.pool)


def test_a_relaxation_may_do_a_part_in_a_pool_that_is_too_small_for_all() -> None:
    huge = job("huge", residency="east", work_pflop_h=200.0, max_accelerators=1000.0, unserved_yuan=1e6)
    plan = pg.solve(tiny_scenario(jobs=[huge], **NO_SERVICES), engine="lp", threads=1, policies=False)
    # 12 h of 20 accelerators at 0.5 and of 50 at 0.2 PFLOPS are 120 + 120 of 200 PFLOP-hours: all is served.
    assert plan.unserved_share == pytest.approx(0.0, abs=1e-9)
    texts = [one.text for one in plan.explain.job("huge").candidates if one.share > 0]
    assert len(texts) == 2
    assert all(text.startswith("too small for all of it, even empty: ") for text in texts)


def test_a_job_fits_somewhere_if_one_pool_could_do_all_of_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(alone, "AT_ONCE", 2)
    works = {"a": 100.0, "b": 700.0, "c": 590.0}  # the hub's 100 accelerators of 0.5 PFLOPS do 600 in 12 h
    jobs = [job(name, work_pflop_h=work, max_accelerators=1e4, data_gb=0.0) for name, work in works.items()]
    problem = pg.compile(tiny_scenario(jobs=jobs, **NO_SERVICES))
    assert fit_somewhere(problem).tolist() == [True, False, True]


def test_a_pool_that_is_large_enough_is_counted_beside_those_that_are_not() -> None:
    """30 PFLOP-hours within 2 h: 60 accelerator-hours are 30 accelerators of fast, 150 are 75 of small."""
    jobs = [
        job("a", work_pflop_h=30.0, deadline_h=2.0, max_accelerators=80.0, unserved_yuan=1.0, data_gb=0.0),
    ]
    plan = pg.solve(tiny_scenario(jobs=jobs, **NO_SERVICES), engine="milp", threads=1, policies=False)
    (left,) = largest(plan, 3)
    # The hub's 100 suffice, city_a's 20 and prov_c's 50 do not.
    assert left.reason.startswith(
        "one pool is open to it and large enough, 2 more are too small even empty; hub_b/fast"
    )
