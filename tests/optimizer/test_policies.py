"""The simple rules: each goes where its name says, and keeps every limit."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from provgrid_models.errors import NoPlanError
from provgrid_models.problem import Problem
from provgrid_optimizer.audit import AuditedPlan, audit, case_from_arrays
from provgrid_optimizer.evaluate import costs, usage
from provgrid_optimizer.options import SolveOptions, ignore_progress
from provgrid_optimizer.solve import POLICIES, find_engine
from random_problems import random_problem


def two_sites(**changes: object) -> Problem:
    """An origin with a dear pool at home and a cheap, clean one far away; one job of 4 accelerator-hours in either."""
    arrays: dict[str, object] = {
        "capacity": np.full((2, 4), 10.0),
        "kw_per_accelerator": np.ones((2, 4)),
        "pool_cluster": [0, 1],
        "block_cluster": [0, 1],
        "block_yuan_per_kwh": [[0.8] * 4, [0.3] * 4],
        "block_kg_per_kwh": [[0.6] * 4, [0.1] * 4],
        "gb_yuan": [[0.0, 0.01]],
        "origin_tier": [[0, 2]],
        "job_class": [0],
        "class_rate_pflops": [[1.0, 1.0]],
        "job_origin": [0],
        "work_pflop_h": [4.0],
        "release": [0],
        "deadline": [4],
        "max_accelerators": [2.0],
        "data_gb": [10.0],
        "unserved_yuan": [100.0],
        "tenant_share": [0.1, 0.9],
        "job_tenant": [0],
    }
    return Problem(**{**arrays, **changes})


def place(name: str, problem: Problem) -> tuple[int, float]:
    """Pool of the only job (-1 = unserved) and the plan's cost."""
    allocation = find_engine(name)(problem, SolveOptions(), ignore_progress).allocation
    pool = int(allocation.pool[0]) if allocation.pool.size else -1
    return pool, costs(problem, allocation).objective_yuan


# At home 4 kWh * 0.8 = 3.2 yuan. Away 4 kWh * 0.3 = 1.2 yuan, and 10 GB * 0.01 = 0.1 yuan to move.
@pytest.mark.parametrize(
    ("policy", "pool", "yuan"),
    [("local", 0, 3.2), ("overflow", 0, 3.2), ("cheapest", 1, 1.3), ("greenest", 1, 1.3)],
)
def test_each_policy_goes_where_its_name_says(policy: str, pool: int, yuan: float) -> None:
    assert place(policy, two_sites()) == (pool, pytest.approx(yuan))


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("policy", ["cheapest", "greenest"])
@pytest.mark.parametrize(("yuan", "capacity"), [(-0.3, 10.0), (0.0, 10.0), (0.3, 0.0)])
def test_a_closed_pool_stays_closed_where_power_costs_nothing_or_less(
    policy: str, yuan: float, capacity: float
) -> None:
    problem = two_sites(
        class_rate_pflops=[[1.0, 0.0]],  # never ported to the far pool
        block_yuan_per_kwh=[[0.8] * 4, [yuan] * 4],
        block_kg_per_kwh=[[0.6] * 4, [0.0] * 4],
        capacity=[[10.0] * 4, [capacity] * 4],
    )
    assert place(policy, problem) == (0, pytest.approx(3.2))


def test_overflow_leaves_a_full_city_for_the_hub_and_local_does_not() -> None:
    full = two_sites(capacity=np.array([[0.5] * 4, [10.0] * 4]))
    assert place("overflow", full) == (1, pytest.approx(1.3))
    assert place("local", full) == (-1, pytest.approx(100.0))


def test_a_region_without_a_cluster_of_its_own_calls_the_nearest_one_local() -> None:
    assert place("local", two_sites(origin_tier=[[2, 2]], gb_yuan=[[0.02, 0.01]])) == (1, pytest.approx(1.3))


def test_siloed_leaves_a_tenant_its_share_alone() -> None:
    # A tenth of 10 accelerators is 1, for 4 periods: just enough for 4 accelerator-hours, and not for 5.
    assert place("siloed", two_sites()) == (1, pytest.approx(1.3))
    assert place("siloed", two_sites(work_pflop_h=[5.0])) == (-1, pytest.approx(100.0))


def test_siloed_gives_an_owner_its_own_pool() -> None:
    owned = two_sites(work_pflop_h=[5.0], pool_tenant=[0, 1])
    # 5 kWh * 0.8 = 4 yuan in the tenant's own pool, though the other one is cheaper.
    assert place("siloed", owned) == (0, pytest.approx(4.0))


def test_a_policy_that_cannot_serve_hard_work_has_no_plan() -> None:
    with pytest.raises(NoPlanError, match="policy local cannot serve hard job 0"):
        place("local", two_sites(capacity=np.array([[0.5] * 4, [10.0] * 4]), unserved_yuan=[np.inf]))


@settings(max_examples=25)
@given(seed=st.integers(0, 10_000), name=st.sampled_from(POLICIES))
def test_every_policy_keeps_every_limit_on_random_problems(seed: int, name: str) -> None:
    problem = random_problem(seed, jobs=8)
    allocation = find_engine(name)(problem, SolveOptions(), ignore_progress).allocation
    component_costs = costs(problem, allocation)
    plan = AuditedPlan.from_allocation(
        problem.labels,
        allocation,
        costs=component_costs.by_component(),
        objective_yuan=component_costs.objective_yuan,
        traffic_gbps=usage(problem, allocation).traffic_gbps,
        constants_yuan=problem.constants_yuan,
    )
    assert [violation.text() for violation in audit(case_from_arrays(problem), plan).violations] == []
