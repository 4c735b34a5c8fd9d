"""Intervals and verdicts by hand."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from provgrid.experiments.judge import Interval, answer, crossing, difference, value
from provgrid_models.errors import OptionError

costs = st.floats(1.0, 1e9)


def interval(pair: tuple[float, float]) -> Interval:
    return Interval(min(pair), max(pair))


def test_the_difference_of_costs_runs_from_bound_less_objective_to_objective_less_bound():
    # A costs 100 and is proven to cost 96 at least, B 90 and 88: A - B is 96 - 90 = 6 at least, 100 - 88 = 12 at most
    assert difference(Interval(96.0, 100.0), Interval(88.0, 90.0)) == Interval(6.0, 12.0)


def test_a_saving_is_a_share_of_a_by_hand():
    # at least 1 - 90/96 = 0.0625, at most 1 - 88/100 = 0.12
    found = value("saving", Interval(96.0, 100.0), Interval(88.0, 90.0))
    assert found.low == pytest.approx(0.0625)
    assert found.high == pytest.approx(0.12)


def test_a_rise_is_what_b_has_more_by_hand():
    # from 100 to between 110 and 125
    found = value("rise", Interval(100.0, 100.0), Interval(110.0, 125.0))
    assert found.low == pytest.approx(0.10)
    assert found.high == pytest.approx(0.25)


@pytest.mark.parametrize("kind", ["level", "multiple"])
def test_a_single_plan_is_its_own_value(kind):
    assert value(kind, None, Interval(0.2, 0.3)) == Interval(0.2, 0.3)


@pytest.mark.parametrize(
    ("low", "high", "found"),
    [
        (0.05, 1.0, "yes"),  # 0.0625 to 0.12 lies above 0.05
        (0.13, 1.0, "no"),  # wholly below
        (0.0, 0.06, "no"),  # wholly above
        (0.10, 1.0, "open"),  # the limit lies inside
        (0.0625, 0.12, "yes"),  # the limits themselves count
    ],
)
def test_an_answer_needs_the_whole_interval(low, high, found):
    assert answer(Interval(0.0625, 0.12), low, high) == found


@given(st.tuples(costs, costs), st.tuples(costs, costs), st.floats(0, 1), st.floats(0, 1))
def test_every_pair_of_costs_inside_has_its_saving_inside(a, b, s, t):
    wide_a, wide_b = interval(a), interval(b)
    one = wide_a.low + s * (wide_a.high - wide_a.low)
    two = wide_b.low + t * (wide_b.high - wide_b.low)
    found = value("saving", wide_a, wide_b)
    slack = 1e-9 * (1.0 + abs(found.low) + abs(found.high))
    assert found.low - slack <= 1.0 - two / one <= found.high + slack


def test_a_line_meets_the_limit_that_is_broken_by_hand():
    # from (1, 0.2) to (3, 0.1): 0.15 is met half way
    assert crossing((1.0, 0.2), (3.0, 0.1), low=0.15, high=1.0) == pytest.approx(2.0)
    # and an upper limit from (0, 0.5) to (4, 0.9): 0.7 half way
    assert crossing((0.0, 0.5), (4.0, 0.9), low=0.0, high=0.7) == pytest.approx(2.0)


def test_nothing_is_a_share_of_nothing():
    with pytest.raises(OptionError, match="above 0"):
        value("saving", Interval(0.0, 1.0), Interval(1.0, 1.0))


def test_ends_in_the_wrong_order_are_refused():
    with pytest.raises(OptionError, match="exchange"):
        Interval(2.0, 1.0)
