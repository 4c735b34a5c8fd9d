"""The latency model: a round trip by hand, and the metric that each SLO bounds."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from provgrid_models.latency import great_circle_km, meets_slo, metric_ms, round_trip_ms

FIGURES = {"us_per_km": 4.9, "route_factor": 1.6, "equipment_ms": 1.0}


def test_a_degree_along_a_meridian_is_a_360th_of_the_circumference():
    # 2 * pi * 6371.0088 / 360 = 111.195 km
    assert great_circle_km(30.0, 120.0, 31.0, 120.0) == pytest.approx(111.195, abs=1e-3)
    # A degree of longitude at 60 N is about half of that.
    assert great_circle_km(60.0, 100.0, 60.0, 101.0) == pytest.approx(55.597, abs=1e-2)


def test_a_round_trip_matches_the_one_by_hand():
    # 1,000 km * 4.9 us * 1.6 = 7.84 ms one way, and 1 ms of equipment: 2 * 8.84 = 17.68 ms.
    assert round_trip_ms(1000.0, np.nan, **FIGURES) == pytest.approx(17.68)
    # Hangzhou - Hami: half = sin^2(6.2725 deg) + cos(30.27) cos(42.82) sin^2(13.3175 deg)
    #   = 0.011937 + 0.863636 * 0.733492 * 0.053060 = 0.045549
    # 2 * 6371.0088 * asin(sqrt(0.045549)) = 2,740.4 km; 2 * (2,740.4 * 0.0049 * 1.6 + 1) = 44.97 ms.
    distance_km = great_circle_km(30.275, 120.15, 42.82, 93.515)
    assert distance_km == pytest.approx(2740.4, abs=1.0)
    assert round_trip_ms(distance_km, np.nan, **FIGURES) == pytest.approx(44.97, abs=0.02)


def test_a_given_round_trip_goes_before_the_formula():
    given_ms = np.array([np.nan, 12.5])
    assert round_trip_ms(np.array([0.0, 1000.0]), given_ms, **FIGURES).tolist() == [2.0, 12.5]


def test_each_slo_bounds_its_own_metric():
    # Round trip 30, queue 20, prefill 50: ttft 100 ms. tpot has no round trip.
    values = metric_ms(
        ["network_rtt", "ttft", "tpot"],
        np.full((3, 1), 30.0),
        np.full((3, 1), 50.0),
        np.full((3, 1), 25.0),
        queue_ms=20.0,
    )
    assert values[:, 0].tolist() == [30.0, 100.0, 25.0]
    assert meets_slo(values, np.array([30.0, 99.0, 25.0]))[:, 0].tolist() == [True, False, True]


def test_an_unknown_metric_meets_no_slo():
    assert not meets_slo(np.array([[np.nan]]), np.array([1000.0])).any()


@given(
    latitude=st.floats(-90, 90),
    longitude=st.floats(-180, 180),
    to_latitude=st.floats(-90, 90),
    to_longitude=st.floats(-180, 180),
)
def test_distance_is_symmetric_and_at_most_half_the_globe(latitude, longitude, to_latitude, to_longitude):
    there = great_circle_km(latitude, longitude, to_latitude, to_longitude)
    assert there == pytest.approx(great_circle_km(to_latitude, to_longitude, latitude, longitude), abs=1e-6)
    assert 0 <= there <= np.pi * 6371.0088 * (1 + 1e-12)
