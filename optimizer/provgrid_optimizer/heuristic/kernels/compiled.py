"""How kernels are compiled."""

from __future__ import annotations

from typing import Any

from numba import njit

# Without Numba's runtime nothing in a kernel can allocate, and no call counts references: with the dozens of arrays
# that a laid-out problem holds, counting them costs far more than the arithmetic of a small function.
_BARE: dict[str, Any] = {"cache": True, "nogil": True, "_nrt": False}
_UNWRAPPED: dict[str, Any] = {**_BARE, "no_cpython_wrapper": True, "no_cfunc_wrapper": True}
kernel: Any = njit(**_BARE)
# A laid-out problem is passed as hundreds of words: small functions in hot loops must become part of their caller.
inlined: Any = njit(**_BARE, forceinline=True)
# Called by other kernels only: what wraps a kernel for Python takes longer to compile than the kernel.
inner_inlined: Any = njit(**_UNWRAPPED, forceinline=True)
inner: Any = njit(**_UNWRAPPED)
allocating: Any = njit(cache=True, nogil=True)
# Sums whose order does not matter, so that they become vector instructions.
summing: Any = njit(**_BARE, forceinline=True, fastmath={"reassoc", "nsz", "contract"})
