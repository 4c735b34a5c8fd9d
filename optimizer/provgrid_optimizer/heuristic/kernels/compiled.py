"""How kernels are compiled."""

from __future__ import annotations

from numba import njit

# Without Numba's runtime nothing in a kernel can allocate, and no call counts references: with the dozens of arrays
# that a laid-out problem holds, counting them costs far more than the arithmetic of a small function.
kernel = njit(cache=True, nogil=True, _nrt=False)
allocating = njit(cache=True, nogil=True)
