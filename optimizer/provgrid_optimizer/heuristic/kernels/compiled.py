"""How kernels are compiled."""

from __future__ import annotations

from numba import njit

# Without Numba's runtime nothing in a kernel can allocate, and no call counts references: with the dozens of arrays
# that a laid-out problem holds, counting them costs far more than the arithmetic of a small function.
kernel = njit(cache=True, nogil=True, _nrt=False)
# A laid-out problem is passed as hundreds of words: small functions in hot loops must become part of their caller.
inlined = njit(cache=True, nogil=True, _nrt=False, forceinline=True)
allocating = njit(cache=True, nogil=True)
