"""Savings, against arithmetic by hand."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from provgrid_models.errors import ArrayError, OptionError
from provgrid_models.problem import Problem
from provgrid_optimizer.allocation import Allocation
from provgrid_optimizer.certificate import Certificate
from provgrid_optimizer.evaluate import costs, usage
from provgrid_optimizer.multipliers import Multipliers
from provgrid_optimizer.options import SolveOptions
from provgrid_optimizer.plan import Plan, Timings
from provgrid_optimizer.savings import saving

EMPTY_I, EMPTY_F = np.zeros(0, dtype=np.int64), np.zeros(0)


def two_sites(**fields: Any) -> Problem:
    """One period of an hour; pool 0 at 1 yuan/kWh at home, pool 1 at 0.4 yuan/kWh far away; 1 kW, 1 PFLOPS each."""
    return Problem(
        capacity=np.full((2, 1), 100.0),
        kw_per_accelerator=np.ones((2, 1)),
        pool_cluster=np.array([0, 1]),
        floor_kw=np.zeros((2, 1)),
        block_cluster=np.array([0, 1]),
        block_limit_kw=np.full((2, 1), np.inf),
        block_yuan_per_kwh=np.array([[1.0], [0.4]]),
        gb_yuan=np.array([[0.0, 0.01]]),
        **fields,
    )


def three_jobs() -> Problem:
    """Jobs of 10, 5 and 5 accelerator-hours; the first moves 100 GB."""
    return two_sites(
        class_rate_pflops=np.ones((1, 2)),
        job_class=np.zeros(3, dtype=np.int64),
        job_origin=np.zeros(3, dtype=np.int64),
        work_pflop_h=np.array([10.0, 5.0, 5.0]),
        release=np.zeros(3, dtype=np.int64),
        deadline=np.ones(3, dtype=np.int64),
        max_accelerators=np.full(3, 20.0),
        data_gb=np.array([100.0, 0.0, 0.0]),
        move_gbps=np.full(3, np.inf),
        unserved_yuan=np.full(3, 1000.0),
    )


def plan_of(
    problem: Problem, jobs: dict[int, int], serve: dict[int, float] | None = None, divisible: bool = False
) -> Plan:
    """A plan from `job -> pool` and, for service 0, `pool -> units`; power follows."""
    job = np.array(sorted(jobs), dtype=np.int64)
    pool = np.array([jobs[j] for j in job], dtype=np.int64)
    held = problem.work_pflop_h[job]
    serve = serve or {}
    serve_pool = np.array(sorted(serve), dtype=np.int64)
    units = np.array([serve[p] for p in serve_pool], dtype=np.float64)
    block_kw = np.zeros((2, 1))
    np.add.at(block_kw[:, 0], pool, held)
    np.add.at(block_kw[:, 0], serve_pool, units / problem.service_rate[0, serve_pool] if serve else EMPTY_F)
    allocation = Allocation(
        divisible=divisible,
        job=job,
        pool=pool,
        share=np.ones(job.size),
        run_start=np.arange(job.size + 1),
        run_period=np.zeros(job.size, dtype=np.int32),
        run_accelerators=held,
        serve_service=np.zeros(serve_pool.size, dtype=np.int64),
        serve_pool=serve_pool,
        serve_period=np.zeros(serve_pool.size, dtype=np.int64),
        serve_units=units,
        block_kw=block_kw,
        peak_kw=block_kw.sum(axis=1),
    )
    used = usage(problem, allocation)
    parts = costs(problem, allocation, used)
    certificate = Certificate(
        engine="by-hand",
        status="finished",
        divisible=divisible,
        objective_yuan=parts.objective_yuan,
        bound_yuan=-np.inf,
        bound_method="none",
        bound_prices_yuan=-np.inf,
        bound_drops=(),
        gap=np.inf,
        gap_jobs=np.inf,
        captured=None,
        best_policy=None,
        audit_violations=0,
        constants_yuan=0.0,
        passes=0,
    )
    return Plan(
        problem=problem,
        allocation=allocation,
        multipliers=Multipliers.zero(problem),
        certificate=certificate,
        component_costs=parts,
        usage=used,
        audit=None,  # type: ignore[arg-type]
        options=SolveOptions(),
        timings=Timings(),
    )


def test_only_jobs_that_both_serve_are_compared() -> None:
    problem = three_jobs()
    local = plan_of(problem, {0: 0, 1: 0})
    best = plan_of(problem, {0: 1, 1: 0, 2: 1})
    found = saving(best, local)
    # Both serve jobs 0 and 1. Local pays 15 kWh * 1.0. The other pays, far away, 15 kWh * 0.4 = 6, of which 10/15 is
    # job 0's = 4, plus 100 GB * 0.01 = 1 to get there, and at home 5 * 1.0.
    assert found.baseline_yuan == pytest.approx(15.0)
    assert found.plan_yuan == pytest.approx(4.0 + 1.0 + 5.0)
    assert found.share == pytest.approx(1 / 3)


def test_leaving_work_unserved_saves_nothing() -> None:
    problem = three_jobs()
    everything = plan_of(problem, {0: 0, 1: 0, 2: 0})
    little = plan_of(problem, {1: 0})
    assert saving(little, everything).share == pytest.approx(0.0)


def test_of_a_service_the_smaller_served_amount_is_compared() -> None:
    problem = two_sites(
        demand=np.array([[10.0]]),
        service_rate=np.array([[2.0, 2.0]]),
        service_origin=np.array([0]),
        service_yuan=np.array([[0.0, 0.05]]),
        service_unserved_yuan=np.array([50.0]),
    )
    found = saving(plan_of(problem, {}, {1: 10.0}), plan_of(problem, {}, {0: 8.0}))
    # 8 of 10 units are common. At home they hold 4 accelerators: 4 kWh * 1.0. Far away 10 units hold 5: 2 yuan, of
    # which 4/5, and their network is 8 * 0.05.
    assert found.baseline_yuan == pytest.approx(4.0)
    assert found.plan_yuan == pytest.approx(1.6 + 0.4)
    assert found.share == pytest.approx(0.5)


def test_nothing_in_common_is_no_saving() -> None:
    problem = three_jobs()
    found = saving(plan_of(problem, {0: 0}), plan_of(problem, {1: 0}))
    assert found.share is None


def test_a_relaxation_is_never_called_a_saving() -> None:
    problem = three_jobs()
    ideal, plan = plan_of(problem, {0: 1}, divisible=True), plan_of(problem, {0: 0})
    with pytest.raises(OptionError, match="by-hand is a relaxation"):
        saving(ideal, plan)
    with pytest.raises(OptionError, match="by-hand is a relaxation"):
        saving(plan, ideal)


def test_plans_of_other_problems_are_refused() -> None:
    problem = three_jobs()
    other = two_sites(
        demand=np.array([[1.0]]),
        service_rate=np.array([[2.0, 2.0]]),
        service_origin=np.array([0]),
        service_yuan=np.zeros((1, 2)),
    )
    with pytest.raises(ArrayError, match="different jobs or services"):
        saving(plan_of(problem, {0: 0}), plan_of(other, {}, {0: 1.0}))
