"""Periods, their weights, and profiles laid out over them."""

from datetime import datetime

import numpy as np
import pytest

from provgrid_models.errors import ScenarioError
from provgrid_models.horizon import periods, profile_values, weights
from provgrid_models.scenario import Horizon, HorizonBlock
from tiny import long_table


def tariff(*rows: dict) -> object:
    return long_table("tariffs", [{"tariff": "a"} | row for row in rows])


def values(horizon: Horizon, *rows: dict) -> list[float]:
    return profile_values(tariff(*rows), "tariff", "price_yuan_per_kwh", ["a"], horizon, "tariffs")[0].tolist()


def test_periods_start_one_after_the_other_with_weight_one():
    horizon = Horizon(start=datetime(2026, 12, 31, 23), periods=3, period_h=0.5)
    assert [f"{start:%m-%d %H:%M}" for start in periods(horizon)] == ["12-31 23:00", "12-31 23:30", "01-01 00:00"]
    assert weights(horizon).tolist() == [1.0, 1.0, 1.0]


def test_blocks_bring_their_own_start_and_weight():
    winter = HorizonBlock(start=datetime(2026, 1, 5), periods=2, weight=13.0)
    summer = HorizonBlock(start=datetime(2026, 7, 6), periods=1, weight=26.0)
    horizon = Horizon(start=datetime(2026, 1, 5), periods=3, blocks=(winter, summer))
    assert [f"{start:%m-%d %H}" for start in periods(horizon)] == ["01-05 00", "01-05 01", "07-06 00"]
    assert weights(horizon).tolist() == [13.0, 13.0, 26.0]


def test_blocks_that_do_not_fill_the_horizon_are_an_error():
    block = HorizonBlock(start=datetime(2026, 1, 5), periods=2)
    horizon = Horizon(start=datetime(2026, 1, 5), periods=3, blocks=(block,))
    with pytest.raises(ScenarioError, match=r"have 2 periods together, horizon\.periods is 3"):
        weights(horizon)
    with pytest.raises(ScenarioError, match="have 2 periods together"):
        periods(horizon)


def test_the_narrower_row_of_a_profile_wins():
    # 28 February 22 h to 1 March 1 h: winter, winter, spring, spring.
    horizon = Horizon(start=datetime(2026, 2, 28, 22), periods=4)
    constant = {"price_yuan_per_kwh": 1.0}
    winter = {"season": "winter", "price_yuan_per_kwh": 2.0}
    midnight = {"hour": 0, "price_yuan_per_kwh": 3.0}
    winter_23 = {"season": "winter", "hour": 23, "price_yuan_per_kwh": 4.0}
    last = {"period": 3, "price_yuan_per_kwh": 5.0}
    assert values(horizon, constant) == [1.0, 1.0, 1.0, 1.0]
    assert values(horizon, constant, winter, midnight, winter_23, last) == [2.0, 4.0, 3.0, 5.0]


def test_long_periods_take_the_mean_over_their_hours():
    horizon = Horizon(start=datetime(2026, 7, 1, 7), periods=1, period_h=2.0)
    hours = [{"hour": h, "price_yuan_per_kwh": float(h)} for h in range(24)]
    assert values(horizon, *hours) == [7.5]


def test_a_period_across_clock_hours_weights_them_by_overlap():
    # 6:00 to 7:30 at 0.4, 0.4, 0.5 yuan: (0.4 + 0.5 * 0.5) / 1.5; 7:30 to 9:00: (0.5 * 0.5 + 0.8) / 1.5 = 0.70
    horizon = Horizon(start=datetime(2026, 7, 1, 6), periods=2, period_h=1.5)
    hours = [{"hour": h, "price_yuan_per_kwh": price} for h, price in ((6, 0.4), (7, 0.5), (8, 0.8))]
    assert values(horizon, *hours) == pytest.approx([0.65 / 1.5, 0.70])


def test_a_short_period_may_straddle_the_hour():
    # 7:45 to 8:15: half and half
    horizon = Horizon(start=datetime(2026, 7, 1, 7, 45), periods=1, period_h=0.5)
    hours = [{"hour": h, "price_yuan_per_kwh": price} for h, price in ((7, 0.5), (8, 0.8))]
    assert values(horizon, *hours) == pytest.approx([0.65])


@pytest.mark.parametrize("period_h", [1 / 3, 0.1, 0.7, 1.0, 1.5, 2.4, 24.0])
def test_whatever_the_period_a_day_costs_the_same(period_h):
    # 0 + 1 + ... + 23 = 276 hour-prices, however the week is cut; periods of 0.7 h tile 7 days, the others each day
    days = 7 if period_h == 0.7 else 1
    horizon = Horizon(start=datetime(2026, 7, 1), periods=round(24 * days / period_h), period_h=period_h)
    hours = [{"hour": h, "price_yuan_per_kwh": float(h)} for h in range(24)]
    assert sum(values(horizon, *hours)) * period_h == pytest.approx(276.0 * days)


def test_only_hours_that_a_period_touches_are_needed():
    horizon = Horizon(start=datetime(2026, 7, 1, 7), periods=6, period_h=1 / 3)
    hours = [{"hour": h, "price_yuan_per_kwh": float(h)} for h in (7, 8)]
    assert values(horizon, *hours) == pytest.approx([7.0] * 3 + [8.0] * 3)


def test_a_period_without_a_value_is_named():
    horizon = Horizon(start=datetime(2026, 7, 1), periods=2)
    with pytest.raises(ScenarioError, match=r"tariffs: tariff a has no value for period 1 \(2026-07-01 01:00\)"):
        values(horizon, {"hour": 0, "price_yuan_per_kwh": 1.0})


def test_periods_after_the_horizon_are_not_needed_and_not_read():
    horizon = Horizon(start=datetime(2026, 7, 1), periods=2)
    rows = [{"period": t, "price_yuan_per_kwh": float(t)} for t in range(5)]
    assert values(horizon, *rows) == [0.0, 1.0]


def test_profiles_come_in_the_order_asked_for():
    horizon = Horizon(start=datetime(2026, 7, 1), periods=1)
    rows = [{"tariff": name, "price_yuan_per_kwh": price} for name, price in (("x", 1.0), ("y", 2.0), ("z", 3.0))]
    frame = long_table("tariffs", rows)
    laid = profile_values(frame, "tariff", "price_yuan_per_kwh", ["z", "x"], horizon, "tariffs")
    np.testing.assert_array_equal(laid, [[3.0], [1.0]])
