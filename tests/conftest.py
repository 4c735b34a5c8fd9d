"""How every test runs: the same drawn examples on every run, and bytecode kept.

Hypothesis draws the same examples on every run; `HYPOTHESIS_PROFILE=explore` draws new ones.
"""

from __future__ import annotations

import os
import sys

from hypothesis import settings

# Where PYTHONDONTWRITEBYTECODE is set, each worker would rewrite the asserts of every test file on every run, and each
# `provgrid` that a test starts would compile the whole package anew. Kernels are kept beside the sources as it is.
sys.dont_write_bytecode = False
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)

settings.register_profile("same", derandomize=True)
settings.register_profile("explore", print_blob=True)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "same"))
