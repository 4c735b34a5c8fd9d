"""What an external dispatcher gets: every job's place and hours, and every other pool ranked by its extra cost."""

from __future__ import annotations

import json

import numpy as np
import pytest

import provgrid as pg
from naive_json_schema import check
from provgrid_models.problem import Labels, Problem
from provgrid_optimizer.exports.dispatch import dispatch
from provgrid_optimizer.exports.dispatch_schema import dispatch_schema
from provgrid_optimizer.options import SolveOptions
from provgrid_optimizer.plan import Plan
from provgrid_optimizer.solve import solve
from random_problems import random_problem
from tiny import job, tiny_scenario


@pytest.fixture(scope="module")
def plan() -> Plan:
    return pg.solve(tiny_scenario(), engine="heuristic", threads=1, policies=False)


def test_it_is_what_its_schema_says(plan: Plan) -> None:
    check(json.loads(json.dumps(plan.dispatch().to_dict(), allow_nan=False)), dispatch_schema())


def test_every_job_is_there_with_the_hours_of_the_plan(plan: Plan) -> None:
    found = plan.dispatch()
    assert [one.job for one in found.jobs] == ["base", "gang", "vertical"]
    rows = [
        (one.job, placement.pool, step.period + k, step.accelerators)
        for one in found.jobs
        for placement in one.placements
        for step in placement.profile
        for k in range(step.periods)
    ]
    wanted = plan.training[["job", "pool", "period", "accelerators"]]
    assert [row[:3] for row in rows] == list(wanted.iloc[:, :3].itertuples(index=False, name=None))
    assert np.allclose([row[3] for row in rows], wanted["accelerators"])


def test_a_gang_is_one_step_that_says_when_it_starts(plan: Plan) -> None:
    # 15 PFLOP-h on fast at 0.5 PFLOPS are 30 accelerator-hours: the gang of 10 runs 3 hours.
    (placement,) = plan.dispatch().jobs[1].placements
    (step,) = placement.profile
    assert (placement.pool, placement.cluster) == ("hub_b/fast", "hub_b")
    assert (step.periods, step.accelerators) == (3, 10.0)
    assert step.start == f"2026-07-01T{step.period:02d}:00:00+08:00"


def test_alternatives_are_those_of_explain_the_cheapest_first(plan: Plan) -> None:
    for one in plan.dispatch().jobs:
        explained = plan.explain.job(one.job).candidates
        assert [(c.pool, c.share, c.extra_yuan) for c in one.candidates if c.exclusion is None] == [
            (c.pool, c.share, c.extra_yuan) for c in explained if c.exclusion is None
        ]
        assert {c.pool: c.exclusion.reason for c in one.candidates if c.exclusion is not None} == {
            c.pool: c.exclusion.reason for c in explained if c.exclusion is not None
        }
        record = next(row for row in plan.dispatch().to_dict()["jobs"] if row["id"] == one.job)
        extra = [row["extra_yuan"] for row in record["alternatives"] if row["extra_yuan"] is not None]
        assert extra == sorted(extra)
        assert not {row["pool"] for row in record["alternatives"]} & {row["pool"] for row in record["placements"]}


def test_data_that_may_not_leave_closes_the_west(plan: Plan) -> None:
    vertical = plan.dispatch().to_dict()["jobs"][2]
    assert vertical["excluded"]["residency"] == ["hub_b/fast"]
    assert plan.dispatch().to_dict()["reasons"]["residency"] == "the data must stay in its zone"


def test_work_that_no_pool_can_serve_is_named_apart() -> None:
    scenario = tiny_scenario(jobs=[job("huge", min_accelerators=1000.0), job("a")])
    found = pg.solve(scenario, engine="lp", threads=1, policies=False).dispatch().to_dict()
    assert [row["id"] for row in found["jobs"]] == ["a"]
    assert [row["id"] for row in found["never_served"]] == ["huge"]
    assert found["never_served"][0]["unserved_yuan"] > 0


def test_a_pause_and_a_leap_of_the_calendar_end_a_step() -> None:
    """One job of 4 accelerator-hours, 1 at most; the hour at 3 yuan is left out, and day two follows on day one."""
    import pandas as pd

    days = pd.DatetimeIndex(["2026-07-01 22:00", "2026-07-01 23:00", "2026-10-01 00:00", "2026-10-01 01:00"])
    problem = Problem(
        capacity=np.ones((1, 6)),
        kw_per_accelerator=np.ones((1, 6)),
        block_cluster=np.array([0]),
        block_limit_kw=np.full((1, 6), 10.0),
        block_yuan_per_kwh=np.array([[1.0, 3.0, 1.0, 1.0, 1.0, 3.0]]),
        class_rate_pflops=np.array([[1.0]]),
        job_class=np.array([0]),
        work_pflop_h=np.array([4.0]),
        release=np.array([0]),
        deadline=np.array([6]),
        max_accelerators=np.array([1.0]),
        unserved_yuan=np.array([100.0]),
        labels=Labels(periods=pd.DatetimeIndex(["2026-07-01 20:00", "2026-07-01 21:00", *days])),
    )
    plan = solve(problem, "lp", SolveOptions(threads=1), with_policies=False)
    (placement,) = dispatch(plan).jobs[0].placements
    assert [(step.period, step.periods, step.start) for step in placement.profile] == [
        (0, 1, "2026-07-01T20:00:00+08:00"),  # the hour at 3 yuan is a pause
        (2, 2, "2026-07-01T22:00:00+08:00"),
        (4, 1, "2026-10-01T00:00:00+08:00"),  # July ends, October begins
    ]


def test_arrays_without_names_are_dispatched_by_number() -> None:
    problem = random_problem(3)
    found = solve(problem, "heuristic", SolveOptions(threads=1), with_policies=False).dispatch()
    check(json.loads(json.dumps(found.to_dict(), allow_nan=False)), dispatch_schema())
    assert [one.job for one in found.jobs] == [str(j) for j in range(problem.n_jobs)]
    assert repr(found).startswith("<Dispatch of arrays by heuristic")


def test_the_table_of_alternatives_has_a_row_for_each_job_and_pool(plan: Plan) -> None:
    table = plan.dispatch().alternatives
    assert list(table) == ["job", "rank", "pool", "cluster", "share", "extra_yuan", "reason"]
    pools = table[table["pool"] != ""]
    assert (pools.groupby("job")["pool"].nunique() == 3).all()
    assert (table.loc[table["reason"] != "", "rank"] == 0).all()
