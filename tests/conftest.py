"""How every test runs: the same drawn examples on every run, Ctrl-C as in a terminal, and bytecode kept.

Hypothesis draws the same examples on every run; `HYPOTHESIS_PROFILE=explore` draws new ones. No test is timed.
"""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Iterator

import pytest
from hypothesis import HealthCheck, settings

# Where PYTHONDONTWRITEBYTECODE is set, each worker would rewrite the asserts of every test file on every run, and each
# `provgrid` that a test starts would compile the whole package anew. Kernels are kept beside the sources as it is.
sys.dont_write_bytecode = False
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
# In the background of a script, Ctrl-C is inherited as ignored, and passed on to each `provgrid` that a test starts.
signal.signal(signal.SIGINT, signal.default_int_handler)

UNTIMED = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.register_profile("same", UNTIMED, derandomize=True)
settings.register_profile("explore", UNTIMED, print_blob=True)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "same"))


@pytest.fixture(autouse=True)
def ctrl_c_is_put_back() -> Iterator[None]:
    """Let the command line, run in this process, take Ctrl-C over for one test only."""
    yield
    signal.signal(signal.SIGINT, signal.default_int_handler)
