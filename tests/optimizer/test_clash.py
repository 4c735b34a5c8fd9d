"""What cannot be served is named, with what it clashes with."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from provgrid_models.errors import ASK_WHY, InfeasibleError
from provgrid_models.problem import Labels, Problem
from provgrid_models.reasons import Reason
from provgrid_optimizer.engines.lp import lp
from provgrid_optimizer.engines.milp import milp
from provgrid_optimizer.engines.pulp_engines import pulp_cbc, pulp_highs
from provgrid_optimizer.options import SolveOptions, ignore_progress


def hard(**changes: Any) -> Problem:
    """Two pools of 4 accelerators at 1 kW, two hard jobs of 6 and 4 accelerator-hours, two hours."""
    arrays: dict[str, Any] = {
        "capacity": np.full((2, 2), 4.0),
        "kw_per_accelerator": np.ones((2, 2)),
        "block_cluster": [0, 1],
        "block_yuan_per_kwh": np.ones((2, 2)),
        "job_class": [0, 0],
        "class_rate_pflops": [[1.0, 1.0]],
        "work_pflop_h": [6.0, 4.0],
        "release": [0, 0],
        "deadline": [2, 2],
        "max_accelerators": [4.0, 4.0],
        "unserved_yuan": [np.inf, np.inf],
        "labels": Labels(
            pools=["hami/910c", "yiwu/h20"],
            clusters=["hami", "yiwu"],
            links=["west"] if "link_gbps" in changes else None,
            jobs=["base", "vertical"],
            services=["chat"] if "demand" in changes else None,
        ),
    }
    return Problem(**(arrays | changes))


def message(problem: Problem, engine: Any = lp) -> str:
    with pytest.raises(InfeasibleError) as caught:
        engine(problem, SolveOptions(threads=1), ignore_progress)
    text = str(caught.value)
    assert "\n" not in text
    return text


@pytest.mark.parametrize("engine", [lp, milp, pulp_cbc, pulp_highs])
def test_accelerators_that_are_too_few_are_named_by_every_engine(engine: Any) -> None:
    # 10 accelerator-hours are asked; both pools shrink to 1: 4 are there.
    text = message(hard(capacity=np.ones((2, 2))), engine)
    assert "hard job" in text
    assert "the accelerators of pool hami/910c in 2 periods from 0" in text
    assert "yiwu/h20" in text


def test_a_supply_limit_is_named() -> None:
    text = message(hard(block_limit_kw=np.full((2, 2), 2.0)))
    assert "the supply limits of cluster hami in 2 periods from 0" in text


def test_a_carbon_budget_is_named() -> None:
    text = message(hard(block_kg_per_kwh=np.ones((2, 2)), carbon_budget_kg=5.0))
    assert "the carbon budget" in text


def test_a_carbon_budget_below_the_floor_is_named() -> None:
    text = message(hard(block_kg_per_kwh=np.ones((2, 2)), carbon_budget_kg=5.0, floor_kw=np.full((2, 2), 2.0)))
    assert "carbon budget of 5 kg is below the least that the idle floor emits" in text


def test_a_link_is_named() -> None:
    service = {
        "demand": [[4.0, 0.0]],
        "service_rate": [[1.0, 1.0]],
        "service_gbps": [1.0],
        "service_unserved_yuan": [np.inf],
        "link_gbps": [1.0],
        "route_start": [0, 1, 2],
        "route_link": [0, 0],
        "gb_yuan": [[0.0, 0.0]],
        "work_pflop_h": [0.1, 0.1],
    }
    text = message(hard(**service))
    # 4 units want 4 Gbit/s on a link of 1: 3 units are left.
    assert "hard service chat in period 0 (3 of 4 units) cannot be served" in text
    assert "the bandwidth of link west in period 0" in text


def test_a_vertical_whose_base_leaves_it_no_time_is_named() -> None:
    text = message(hard(after=[-1, 0], release=[0, 0], deadline=[2, 1]))
    assert "hard job vertical" in text
    assert "the wait for base job base" in text


def test_a_job_without_an_open_pool_is_named_with_the_reasons() -> None:
    text = message(hard(class_rate_pflops=[[0.0, 0.0]], class_reason=[[int(Reason.RESIDENCY)] * 2]))
    assert text == "hard job base has no open pool: the data must stay in its zone" + ASK_WHY


def test_a_service_without_an_open_pool_is_named_with_the_reasons() -> None:
    service = {
        "demand": [[1.0, 1.0]],
        "service_rate": [[0.0, 0.0]],
        "service_unserved_yuan": [np.inf],
        "service_reason": [[int(Reason.SLO), int(Reason.NO_ROUTE)]],
    }
    text = message(hard(**service))
    assert text.startswith("hard service chat has no open pool: ")
    assert "latency above the SLO" in text


def test_whole_jobs_that_do_not_fit_are_named_although_parts_would() -> None:
    # Three gangs of 3 in two pools of 5 for one hour: divided they fit (9 of 10), whole only two do.
    three = {
        "job_class": [0, 0, 0],
        "capacity": np.full((2, 1), 5.0),
        "kw_per_accelerator": np.ones((2, 1)),
        "block_yuan_per_kwh": np.ones((2, 1)),
        "work_pflop_h": [3.0] * 3,
        "release": [0] * 3,
        "deadline": [1] * 3,
        "max_accelerators": [3.0] * 3,
        "rigid": [True] * 3,
        "unserved_yuan": [np.inf] * 3,
        "labels": Labels(),
    }
    problem = hard(**three)
    text = message(problem, milp)
    assert "(at least 100% of it)" in text
    assert "parts would fit, the whole does not" in text
