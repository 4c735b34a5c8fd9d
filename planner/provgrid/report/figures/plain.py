"""A drawing as JSON values, arrays packed the way plotly.js takes them: a page needs no figure of plotly's for that."""

from __future__ import annotations

import base64
import math
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

# Types of numbers that plotly.js unpacks, by its names: https://plotly.com/javascript/reference, "typed array spec".
PACKED = {f"{kind}{8 * size}": f"{kind[0]}{size}" for kind in ("int", "uint") for size in (1, 2, 4)} | {
    "float32": "f4",
    "float64": "f8",
}


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
    if values.dtype.kind in "iu" and values.size:
        values = values.astype(np.promote_types(np.min_scalar_type(values.min()), np.min_scalar_type(values.max())))
    name = PACKED.get(values.dtype.name)
    if name is None or not values.size:
        return plain(values.tolist())
    packed = {"dtype": name, "bdata": base64.b64encode(np.ascontiguousarray(values)).decode("ascii")}
    return packed | ({"shape": ", ".join(map(str, values.shape))} if values.ndim > 1 else {})
