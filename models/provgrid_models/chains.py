"""Chains of jobs that come after one another, followed to their ends in a logarithmic number of steps."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from provgrid_models.problem import Bools, Ints


def last_in_chain(following: Ints, stops: Bools) -> Ints:
    """Follow each entry's pointer until an entry that stops, shape (J,); pointers are doubled at every step.

    An entry whose chain never stops leads to a member of the cycle that it runs into; all members are led to.
    """
    last = np.where(stops, np.arange(following.size), following)
    for _ in range(following.size.bit_length()):
        last = last[last]
    return last


def cycle_members(after: Ints) -> Ints:
    """Positions of the jobs that wait for themselves, in ascending order; `after` is -1 where a chain ends."""
    last = last_in_chain(after, after < 0)
    return np.unique(last[after[last] >= 0])
