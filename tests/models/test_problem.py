"""The array level: defaults, checks with their messages, and what follows from the arrays."""

import numpy as np
import pytest

from provgrid_models.errors import ArrayError, InfeasibleError
from provgrid_models.problem import Problem
from provgrid_models.reasons import REASON_TEXT, Reason


def two_pools(**changes) -> Problem:
    """Two pools in two clusters over 6 periods of half an hour; jobs 0 (elastic) and 1 (rigid), one origin, one link.

    The link lies between the origin and cluster 1.
    """
    fields = {
        "period_h": 0.5,
        "capacity": np.full((2, 6), 4.0),
        "pool_cluster": [0, 1],
        "floor_kw": np.zeros((2, 6)),
        "link_gbps": [10.0],
        "route_start": [0, 0, 1],
        "route_link": [0],
        "gb_yuan": [[0.0, 0.5]],
        "job_class": [0, 0],
        "class_rate_pflops": [[1.0, 2.0]],
        "job_origin": [0, 0],
        "work_pflop_h": [4.0, 3.0],
        "release": [0, 1],
        "deadline": [6, 6],
        "max_accelerators": [4.0, 2.0],
        "rigid": [False, True],
        "data_gb": [225.0, 450.0],
        "move_gbps": [1.0, 1.0],
        "unserved_yuan": [100.0, 100.0],
    }
    return Problem(**(fields | changes))


def test_what_is_left_out_is_neutral():
    problem = Problem(capacity=[[1.0, 2.0], [3.0, 4.0]])
    assert problem.pool_cluster.tolist() == [0, 1]
    assert problem.hours.tolist() == [1.0, 1.0]
    assert (problem.n_jobs, problem.n_services, problem.n_links, problem.n_origins) == (0, 0, 0, 1)
    assert problem.floor_yuan == 0.0
    assert problem.largest_capacity.tolist() == [2.0, 4.0]


def test_arrays_are_copied_and_cannot_be_changed():
    capacity = np.ones((1, 2))
    problem = Problem(capacity=capacity)
    capacity[0, 0] = 9.0
    assert problem.capacity[0, 0] == 1.0
    with pytest.raises(ValueError, match="read-only"):
        problem.capacity[0, 0] = 2.0


def test_accelerator_hours_durations_and_moves_follow_the_formulas():
    problem = two_pools()
    assert problem.accelerator_hours(slice(None)).tolist() == [[4.0, 2.0], [3.0, 1.5]]
    # gang of 2 for half an hour is 1 accelerator-hour a period: 3 and, for 1.5, 2 periods
    assert problem.durations(slice(1, 2)).tolist() == [[3.0, 2.0]]
    # 225 GB * 8 / 3600 s = 0.5 h = 1 period; 450 GB: 2 periods; only where the route has links
    assert problem.move_periods.tolist() == [1, 2]
    assert problem.start_periods(slice(None)).tolist() == [[0, 1], [1, 3]]
    np.testing.assert_allclose(problem.one_off_yuan_everywhere(slice(None)), [[0.0, 112.5], [0.0, 225.0]])


def test_money_of_a_job_counts_as_often_as_its_release_period():
    problem = two_pools(weight=[1.0, 3.0, 1.0, 1.0, 1.0, 1.0])
    assert problem.job_weight.tolist() == [1.0, 3.0]
    np.testing.assert_allclose(problem.one_off_yuan_everywhere(slice(None)), [[0.0, 112.5], [0.0, 675.0]])


def test_a_whole_number_of_periods_survives_rounding():
    # 0.3 / 0.1 is 2.9999999999999996 or 3.0000000000000004: 3 periods either way
    problem = two_pools(work_pflop_h=[0.3, 0.3], class_rate_pflops=[[0.1, 0.1]], max_accelerators=[1.0, 2.0])
    assert problem.durations(slice(1, 2)).tolist() == [[3.0, 3.0]]


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({}, [0, 0]),
        # 3 periods in pool 0 from period 1; in pool 1 the data comes after 2 periods and 2 more are needed
        ({"deadline": [6, 4]}, [0, Reason.NO_TIME_TO_MOVE]),
        ({"deadline": [6, 3]}, [Reason.WINDOW_TOO_SHORT, Reason.NO_TIME_TO_MOVE]),
        ({"max_accelerators": [4.0, 5.0]}, [Reason.GANG_TOO_LARGE, Reason.GANG_TOO_LARGE]),
        ({"pinned_pool": [-1, 1]}, [Reason.PINNED_ELSEWHERE, 0]),
        ({"gb_yuan": [[0.0, np.inf]], "route_reason": [[0, int(Reason.NO_ROUTE)]]}, [0, Reason.NO_ROUTE]),
        ({"class_rate_pflops": [[0.0, 2.0]]}, [Reason.NO_BINDING, 0]),
        (
            {"class_rate_pflops": [[0.0, 2.0]], "class_reason": [[int(Reason.RESIDENCY), 0]]},
            [Reason.RESIDENCY, 0],
        ),
    ],
)
def test_closed_pools_say_why(changes, expected):
    assert two_pools(**changes).reasons(slice(1, 2))[0].tolist() == [int(reason) for reason in expected]


def test_every_reason_has_a_text():
    assert set(REASON_TEXT) == set(Reason)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"capacity": np.ones(3)}, r"capacity must be given with shape \(pools, periods\)"),
        ({"capacity": np.ones((2, 0))}, r"capacity has shape \(2, 0\); at least one pool and one period are needed"),
        ({"carbon_yuan_per_kg": -0.1}, "carbon_yuan_per_kg is -0.1; it must be a finite number of at least 0"),
        ({"carbon_budget_kg": np.nan}, "carbon_budget_kg is nan; it must be a number of at least 0"),
        ({"period_h": 0.0}, "period_h is 0.0; it must be a positive number of hours"),
        ({"capacity": np.full((2, 6), -1.0)}, r"capacity\[0, 0\] is -1.0; it must be at least 0.0"),
        ({"capacity": np.full((2, 6), np.nan)}, r"capacity\[0, 0\] is nan; a finite number is needed"),
        ({"weight": np.ones(5)}, r"weight has shape \(5,\); \(T\) = \(6,\) is needed"),
        ({"weight": np.zeros(6)}, r"weight\[0\] must be above 0"),
        ({"pool_cluster": [0, 2]}, r"pool_cluster\[1\] is 2; it must be below 2"),
        ({"release": [0, 6]}, r"release\[1\] is 6; it must be below 6"),
        ({"deadline": [6, 7]}, r"deadline\[1\] is 7; it must be below 7"),
        ({"deadline": [6, 1]}, r"job 1 has the window \[1, 1\); its deadline must be later"),
        ({"work_pflop_h": [4.0, 0.0]}, r"work_pflop_h\[1\] must be above 0"),
        ({"route_start": [0, 1, 0]}, r"route_start must rise from 0 to len\(route_link\)"),
        ({"after": [1, 0]}, "job 0 comes after itself, through after=1"),
        ({"after": [-1, 1]}, "job 1 comes after itself"),
        ({"gb_yuan": [["far", 1.0]]}, "gb_yuan cannot be read as float64"),
    ],
)
def test_a_wrong_array_is_named_with_what_is_needed(changes, message):
    with pytest.raises(ArrayError, match=message):
        two_pools(**changes)


def test_a_floor_above_the_supply_is_infeasible():
    problem = two_pools(
        floor_kw=np.full((2, 6), 5.0),
        block_cluster=[0, 1],
        block_limit_kw=np.array([[9.0] * 6, [4.0] * 6]),
        block_yuan_per_kwh=np.ones((2, 6)),
    )
    with pytest.raises(InfeasibleError, match="cluster 1, period 0: 5 kW asked, 4 kW there"):
        _ = problem.floor_yuan
