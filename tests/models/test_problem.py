"""The array level: defaults, checks with their messages, and what follows from the arrays."""

import numpy as np
import pandas as pd
import pytest

from provgrid_models.errors import ArrayError, InfeasibleError
from provgrid_models.problem import Labels, Problem
from provgrid_models.reasons import REASON_TEXT, Reason

HOURS = pd.date_range("2026-07-01", periods=6, freq="30min")


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
        ({"job_origin": ["a", "b"]}, r"job_origin cannot be read as int64 \(could not convert string to float: 'a'\)"),
        ({"capacity": [[1.0, 2.0], [3.0]]}, "capacity cannot be read as float64"),
        ({"work_pflop_h": [4 + 2j, 3.0]}, r"work_pflop_h cannot be read as float64 \(it is of type complex128\)"),
        ({"release": pd.to_datetime(["2026-07-01", "2026-07-02"])}, "release cannot be read as int64"),
        ({"work_pflop_h": 5.0}, r"work_pflop_h is 5.0, one value; an array of shape \(J\) is needed"),
        ({"demand": 3.0}, r"demand is 3.0, one value; an array of shape \(S, T\) is needed"),
        ({"release": [0.0, 1.7]}, r"release\[1\] is 1.7; give a whole number"),
        ({"job_tenant": [np.nan, 0]}, r"job_tenant\[0\] is nan; give a whole number"),
        ({"pinned_pool": [0, None]}, r"pinned_pool\[1\] is None; give a whole number"),
        ({"release": [2**70, 0]}, r"release\[0\] is 1180591620717411303424; give one that 64 bits can hold"),
        ({"release": np.array([0, 1e30])}, r"release\[1\] is 1e\+30; give one that 64 bits can hold"),
        (
            {"deadline": np.array([6, 2**63 + 4], dtype=np.uint64)},
            r"deadline\[1\] is 9223372036854775812; give one that",
        ),
        ({"rigid": ["False", "False"]}, r"rigid\[0\] is 'False'; give True or False"),
        ({"rigid": [False, np.nan]}, r"rigid\[1\] is nan; give True or False"),
        ({"rigid": [0.5, 1.0]}, r"rigid\[0\] is 0.5; give True or False"),
        (
            {"data_gb": np.ma.array([1.0, 2.0], mask=[False, True])},
            r"data_gb\[1\] is masked; fill it in or leave it out",
        ),
        ({"period_h": "1"}, "period_h is '1'; it must be a positive number of hours"),
        ({"period_h": np.array([1.0, 2.0])}, r"period_h is array\(\[1., 2.\]\); it must be a positive number of hours"),
        ({"carbon_yuan_per_kg": "x"}, "carbon_yuan_per_kg is 'x'; it must be a finite number of at least 0"),
        ({"carbon_yuan_per_kg": 10**400}, "carbon_yuan_per_kg is 1000.*0000; it must be a finite number"),
        ({"carbon_budget_kg": None}, "carbon_budget_kg is None; it must be a number of at least 0"),
        ({"take_or_pay_yuan": np.nan}, "take_or_pay_yuan is nan; it must be a finite number"),
        ({"ports_yuan": np.inf}, "ports_yuan is inf; it must be a finite number"),
        ({"labels": None}, r"labels is None; give provgrid.Labels\(...\), or leave it out"),
        ({"labels": Labels(jobs=["a"])}, "labels.jobs has 1 name for 2 jobs; give one for each, or leave it out"),
        ({"labels": Labels(jobs=["a", "a"])}, r"labels.jobs\[1\] is 'a', as is labels.jobs\[0\]; give each a name of"),
        ({"labels": Labels(pools="ab")}, "labels.pools is 'ab'; give a list of 2 names"),
        ({"labels": Labels(pools=[1, 2])}, r"labels.pools\[0\] is 1; a name is a text, such as '1'"),
        ({"labels": Labels(links=5)}, "labels.links is 5; give a list of 1 name"),
        ({"labels": Labels(periods=HOURS[:5])}, "labels.periods has 5 names for 6 periods"),
        ({"labels": Labels(periods=list("abcdef"))}, "labels.periods is .*; give a pandas.DatetimeIndex"),
        ({"labels": Labels(periods=HOURS.insert(0, pd.NaT)[:6])}, r"labels.periods\[0\] is NaT"),
    ],
)
def test_a_wrong_array_is_named_with_what_is_needed(changes, message):
    with pytest.raises(ArrayError, match=message):
        two_pools(**changes)


def test_what_loses_nothing_is_taken_as_the_type_that_is_needed():
    problem = two_pools(
        release=[0.0, 1.0],
        deadline=np.array([6, 6], dtype=np.uint8),
        rigid=pd.array([0, 1], dtype="Int64"),
        data_gb=np.ma.array([225.0, 450.0], mask=[False, False]),
    )
    assert problem.release.tolist() == [0, 1]
    assert problem.deadline.tolist() == [6, 6]
    assert problem.rigid.tolist() == [False, True]
    assert problem.data_gb.tolist() == [225.0, 450.0]


def test_names_may_come_in_any_sequence_and_blocks_may_share_theirs():
    names = Labels(pools=pd.Index(["x", "y"]), jobs=np.array(["a", "b"]), blocks=("grid", "grid"), periods=HOURS)
    labels = two_pools(block_cluster=[0, 1], labels=names).labels
    assert (labels.pools, labels.jobs, labels.blocks) == (["x", "y"], ["a", "b"], ["grid", "grid"])
    assert [type(name) for name in labels.jobs] == [str, str]
    assert labels.periods is HOURS


def test_data_that_takes_longer_than_integers_count_never_arrives():
    problem = two_pools(data_gb=[1e18, 1e308], move_gbps=[1e-9, 1.0], checkpoint_gb=[0.0, 1e300])
    with np.errstate(all="raise"):
        assert (problem.move_periods > problem.n_periods).all()
    assert problem.after_lag[0] == 0
    assert problem.after_lag[1] > problem.n_periods
    assert problem.reasons(slice(None))[:, 1].tolist() == [Reason.NO_TIME_TO_MOVE] * 2


def test_problems_are_compared_and_hashed_as_objects():
    problem = two_pools()
    assert problem == problem
    assert problem != two_pools()
    assert len({problem, problem, two_pools()}) == 2


def test_a_floor_above_the_supply_is_infeasible():
    problem = two_pools(
        floor_kw=np.full((2, 6), 5.0),
        block_cluster=[0, 1],
        block_limit_kw=np.array([[9.0] * 6, [4.0] * 6]),
        block_yuan_per_kwh=np.ones((2, 6)),
    )
    with pytest.raises(InfeasibleError, match="cluster 1, period 0: 5 kW asked, 4 kW there"):
        _ = problem.floor_yuan
