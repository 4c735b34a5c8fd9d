"""The capacity model: accelerator-hours by hand, and the reasons why pools are closed."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from provgrid_models.capacity import accelerator_hours, close, open_rates, rate_pflops, usable_accelerators
from provgrid_models.reasons import Reason


def test_accelerator_hours_of_a_training_run_match_the_count_by_hand():
    # 7e9 parameters * 1e12 tokens * 6 = 4.2e22 FLOP on 989e12 FLOP/s at MFU 0.4:
    # 4.2e22 / (989e12 * 0.4 * 3600) = 4.2e22 / 1.42416e18 = 29,491.07 accelerator-hours.
    assert accelerator_hours(6 * 7e9 * 1e12, 989e12, 0.4) == pytest.approx(29491.07, abs=0.01)


def test_pflop_hours_over_the_rate_give_the_same_count():
    # 4.2e22 FLOP = 4.2e22 / 3.6e18 = 11,666.67 PFLOP-hours; rate 0.989 * 0.4 = 0.3956 PFLOPS.
    assert rate_pflops(989.0, 0.4) == pytest.approx(0.3956)
    assert 4.2e22 / 3.6e18 / rate_pflops(989.0, 0.4) == pytest.approx(29491.07, abs=0.01)


def test_usable_accelerators_are_the_available_share_of_the_installed():
    assert usable_accelerators(np.array([1000.0, 8.0]), np.array([0.95, 0.0])).tolist() == [950.0, 0.0]


def test_closed_pools_have_rate_zero_and_their_first_reason():
    # Chips 0 and 1; the family has no port to chip 1; it needs 8 accelerators on chip 0, the second workload 20.
    rate, reason = open_rates(
        np.array([[0.5, np.nan], [0.5, np.nan]]),
        np.array([[8.0, 1.0], [8.0, 1.0]]),
        np.array([1.0, 20.0]),
        pool_chip=np.array([0, 0, 1]),
        pool_accelerators=np.array([16.0, 7.0, 100.0]),
    )
    assert rate.tolist() == [[0.5, 0.0, 0.0], [0.0, 0.0, 0.0]]
    few, none = int(Reason.TOO_FEW_ACCELERATORS), int(Reason.NO_BINDING)
    assert reason.tolist() == [[0, few, none], [few, few, none]]
    rate, reason = close(rate, reason, np.array([True, True, True]), Reason.RESIDENCY)
    assert reason.tolist() == [[int(Reason.RESIDENCY), few, none], [few, few, none]]
    assert not rate.any()


@given(
    mfu=st.one_of(st.just(np.nan), st.floats(0.01, 1.0)),
    peak_tflops=st.one_of(st.just(np.nan), st.floats(1.0, 5000.0)),
    least=st.floats(1.0, 64.0),
    own_least=st.floats(0.0, 64.0),
    usable=st.floats(0.0, 64.0),
)
def test_a_pool_is_open_exactly_when_it_is_ported_and_large_enough(mfu, peak_tflops, least, own_least, usable):
    rate, reason = open_rates(
        rate_pflops(np.array([[peak_tflops]]), np.array([[mfu]])),
        np.array([[least]]),
        np.array([own_least]),
        np.array([0]),
        np.array([usable]),
    )
    fits = not np.isnan(mfu) and not np.isnan(peak_tflops) and usable >= least and usable >= own_least
    assert (reason[0, 0] == 0) == fits
    assert (rate[0, 0] > 0) == fits
