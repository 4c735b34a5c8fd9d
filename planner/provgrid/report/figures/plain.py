"""A drawing as JSON values, arrays packed the way plotly.js takes them: a page needs no figure of plotly's for that."""

from __future__ import annotations

import base64
import math
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

# Types of numbers that plotly.js unpacks, by its names and NumPy's: "typed array spec" in its reference.
INTEGERS, REALS = ("i1", "u1", "i2", "u2", "i4", "u4"), ("f4", "f8")


def plain(value: Any) -> Any:
    """Turn a drawing, or a part of it, into what JSON has words for; a number that is none becomes null."""
    if isinstance(value, dict):
        return {key: plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [plain(item) for item in value]
    if isinstance(value, np.ndarray):
        return _array(value)
    if isinstance(value, np.generic):
        return plain(value.item())
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return value


def _array(values: NDArray[Any]) -> Any:
    """Pack numbers in little-endian base64, integers as small as they fit; spell out everything else."""
    if values.dtype.kind == "M":
        return np.datetime_as_string(values).tolist()
    name = _packed_type(values)
    if name is None:
        return plain(values.tolist())
    packed = {"dtype": name, "bdata": base64.b64encode(values.astype(f"<{name}").tobytes()).decode("ascii")}
    return packed | ({"shape": ", ".join(map(str, values.shape))} if values.ndim > 1 else {})


def _packed_type(values: NDArray[Any]) -> str | None:
    """Name the smallest type that holds these numbers; None where they are none, or too large."""
    if not values.size:
        return None
    if values.dtype.kind in "iu":
        least, most = int(values.min()), int(values.max())
        return next((one for one in INTEGERS if np.iinfo(one).min <= least and most <= np.iinfo(one).max), None)
    return next((one for one in REALS if values.dtype == np.dtype(one)), None)
