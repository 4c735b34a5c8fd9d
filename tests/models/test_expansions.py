"""Capacity that grows along the horizon, by hand on tiny."""

import pytest

from provgrid_models.compile import compile_scenario
from provgrid_models.errors import ScenarioError
from provgrid_optimizer.engines.milp import milp
from provgrid_optimizer.options import SolveOptions, ignore_progress
from tiny import job, tiny_scenario

# Ten more accelerators in the city from 6 o'clock on, when half of the horizon of twelve hours is over.
GROWS = [{"pool": "city_a/fast", "start": "2026-07-01T06:00:00", "accelerators": 10.0}]


def test_accelerators_join_their_pool_on_their_date_and_idle_from_then_on():
    problem = compile_scenario(tiny_scenario(expansions=GROWS))
    assert problem.capacity[0].tolist() == [20.0] * 6 + [30.0] * 6
    # 0.1 kW * 1.25 * PUE 1.5 for each of 20, then 30
    assert problem.floor_kw[0] == pytest.approx([3.75] * 6 + [5.625] * 6)
    assert problem.capacity[1].tolist() == [100.0] * 12


def test_what_joins_is_as_available_as_its_pool():
    grows = [{**GROWS[0], "pool": "hub_b/fast"}, {**GROWS[0], "pool": "hub_b/fast", "start": "2026-07-01T11:00:00"}]
    assert compile_scenario(tiny_scenario(expansions=grows)).capacity[1, [5, 6, 11]].tolist() == [100.0, 108.0, 116.0]


def test_a_gang_waits_for_the_accelerators_that_it_needs():
    # 30 accelerators at 0.5 PFLOPS do 30 PFLOP-hours in 2 hours; the city has 30 from 6 o'clock on.
    gang = job("gang", mode="rigid", work_pflop_h=30.0, max_accelerators=30.0, residency="east", min_accelerators=25.0)
    small = {"prov_c/small": {"accelerators": 5.0}}
    nothing = {"services": [], "demand": [], "pools": small}
    with_them = compile_scenario(tiny_scenario(jobs=[gang], expansions=GROWS, **nothing))
    plan = milp(with_them, SolveOptions(), ignore_progress).allocation
    assert plan.served_share(with_them).tolist() == pytest.approx([1.0])
    assert plan.run_period.min() == 6
    assert compile_scenario(tiny_scenario(jobs=[gang], **nothing)).never_served[0][0] == "gang"


def test_an_expansion_of_no_pool_is_an_error():
    with pytest.raises(ScenarioError, match='expansions names "mars/fast", which is no pool'):
        compile_scenario(tiny_scenario(expansions=[{**GROWS[0], "pool": "mars/fast"}]))
