"""Chains of pointers against a walk along them."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from provgrid_models.chains import cycle_members, last_in_chain


def test_a_chain_ends_where_it_stops_by_hand():
    # 3 -> 2 -> 1 -> 0, and 1 stops: 0 and 1 lead to themselves, 2 and 3 to 1.
    following, stops = np.array([-1, 0, 1, 2]), np.array([True, True, False, False])
    assert last_in_chain(following, stops).tolist() == [0, 1, 1, 1]


def test_a_job_after_itself_is_a_cycle_of_one():
    assert cycle_members(np.array([-1, 1, 1, 0])).tolist() == [1]


def test_no_jobs_have_no_cycles():
    assert cycle_members(np.zeros(0, dtype=np.int64)).tolist() == []


@given(st.integers(1, 40).flatmap(lambda n: st.lists(st.integers(-1, n - 1), min_size=n, max_size=n)))
def test_cycles_are_those_that_a_walk_finds(after):
    def comes_back(job):
        at = after[job]
        for _ in after:
            if at in (-1, job):
                break
            at = after[at]
        return at == job

    assert cycle_members(np.array(after)).tolist() == [job for job in range(len(after)) if comes_back(job)]


@given(st.lists(st.tuples(st.integers(0, 10**6), st.booleans()), min_size=1, max_size=60))
def test_the_end_of_a_chain_is_the_first_entry_that_stops_on_the_way(drawn):
    following = np.array([number % max(i, 1) for i, (number, _) in enumerate(drawn)])  # backwards, so every chain ends
    stops = np.array([i == 0 or flag for i, (_, flag) in enumerate(drawn)])

    def walk(i):
        while not stops[i]:
            i = following[i]
        return i

    assert last_in_chain(following, stops).tolist() == [walk(i) for i in range(len(drawn))]
