"""The raw arrays of an assignment, checked once and laid out for the kernels."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from provgrid_models.errors import ArrayError, InfeasibleError

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

    from provgrid_models.problem import Bools, Floats, Ints

    Sizes = NDArray[np.int32]

LARGEST = 1e200  # whose sums and products with prices stay finite
ROUNDING = 5e-10  # relative excess over a capacity that adding up floats may explain; half of what the audit allows
FINEST_BITS = 12  # a knapsack whose usage is not in small whole numbers has 2 ** FINEST_BITS cells,
COARSEST_BITS = 6  # or down to 2 ** COARSEST_BITS
TABLE_WORK = 1 << 30  # where all cells of all tasks and agents would be more than this
UNIT_BITS = 48  # a capacity that is not a small whole number is this many bits of units


class Task(NamedTuple):
    """What the beam reads of an instance; task by agent."""

    cost: Floats  # (n, m), minimised; inf = closed
    need: Ints  # (n, m) units
    room: Ints  # (m,) units
    shift: Ints  # (m,) a cell of the agent's knapsack is 2 ** shift units


@dataclass(frozen=True)
class Instance:
    """min sum_j cost x  s.t.  sum_j usage x <= capacity, sum_i x = 1; arrays are task by agent.

    A pair is closed (cost inf) where it is forbidden or exceeds the agent's capacity by itself. `whole` says that all
    costs are whole numbers, so that a bound may be rounded up. `units` holds usage and capacity in whole units, the
    numbers themselves where these are small and whole, else so fine that only rounding is lost; `size` and `cells` are
    the same in cells, rounded down so that every assignment that fits still fits.
    """

    cost: Floats
    usage: Floats
    capacity: Floats
    whole: bool
    units: Task
    size: Sizes
    cells: Ints


def check(cost: ArrayLike, usage: ArrayLike, capacity: ArrayLike, sense: str) -> tuple[Floats, Floats, Floats]:
    """Return the caller's arrays as float64, cost to be minimised and inf where a pair is forbidden.

    Raises
    ------
    ArrayError : a wrong shape, type or value, with the place of the first.
    """
    if sense not in ("min", "max"):
        raise ArrayError(f'sense is {sense!r}; give "min" or "max"')
    costs, uses, room = (
        _floats(name, value) for name, value in (("cost", cost), ("usage", usage), ("capacity", capacity))
    )
    if costs.ndim != 2 or 0 in costs.shape:
        raise ArrayError(f"cost has shape {costs.shape}; give agents x tasks, at least one of each")
    m, n = costs.shape
    for name, array, shape in (("usage", uses, (m, n)), ("capacity", room, (m,))):
        if array.shape != shape:
            raise ArrayError(f"{name} has shape {array.shape}, but cost has {m} agents x {n} tasks; give {shape}")
    if sense == "max":
        costs = -costs
    better = "-inf" if sense == "min" else "inf"
    _refuse("cost", costs, np.isnan(costs), "NaN", "give a number, or leave the pair out with an infinite cost")
    _refuse("cost", costs, np.isneginf(costs), better, "an infinite cost can only forbid a pair")
    huge = "give numbers of at most 1e200, in a larger unit"
    _refuse("cost", costs, np.isfinite(costs) & (np.abs(costs) > LARGEST), "too large to be added up", huge)
    for name, array in (("usage", uses), ("capacity", room)):
        _refuse(name, array, np.isnan(array), "NaN", "give a number")
        _refuse(name, array, np.isinf(array), "infinite", "give a finite number; forbid a pair by its cost")
        _refuse(name, array, array < 0, "negative", "give a number of at least 0")
        _refuse(name, array, array > LARGEST, "too large to be added up", huge)
    return costs, uses, room


def _floats(name: str, value: ArrayLike) -> Floats:
    try:
        if np.ma.is_masked(value):
            raise TypeError("some of it is masked")
        array = np.asarray(value)
        if array.dtype.kind not in "iufb":
            raise TypeError(array.dtype.name)
        return array.astype(np.float64)
    except (TypeError, ValueError) as error:
        reason = " ".join(str(error).split())
        raise ArrayError(f"{name} is not an array of real numbers ({reason}); give numbers in equal rows") from error


def _refuse(name: str, array: Floats, wrong: Bools, found: str, advice: str) -> None:
    if wrong.any():
        place = ", ".join(str(k) for k in np.unravel_index(int(wrong.argmax()), array.shape))
        raise ArrayError(f"{name}[{place}] is {found}; {advice}")


def lay_out(cost: Floats, usage: Floats, capacity: Floats) -> Instance:
    """Lay checked arrays (agents by tasks) out for the kernels.

    Raises
    ------
    InfeasibleError : a task fits no agent.
    """
    room = capacity * (1 + ROUNDING)
    opened = np.isfinite(cost) & (usage <= room[:, None])
    if not opened.any(axis=0).all():
        task = int(opened.any(axis=0).argmin())
        reason = "is forbidden everywhere" if np.isinf(cost[:, task]).all() else "exceeds the capacity of each"
        raise InfeasibleError(f"task {task} fits no agent: it {reason}; raise a capacity or leave the task out")
    uses = np.ascontiguousarray(np.where(opened, usage, 0.0).T)
    costs = np.ascontiguousarray(np.where(opened, cost, np.inf).T)
    finite = cost[opened]
    whole = bool((finite == np.round(finite)).all() and np.abs(finite).max() < 2.0**40)
    units = Task(costs, *_units(uses, room))
    size = (units.need >> units.shift).astype(np.int32)
    return Instance(costs, uses, room, whole, units, size, units.room >> units.shift)


def _units(usage: Floats, capacity: Floats) -> tuple[Ints, Ints, Ints]:
    """Usage (n, m) and capacity (m,) in units, and the bits of units that make a cell of a knapsack."""
    bits = FINEST_BITS
    while bits > COARSEST_BITS and usage.size << bits > TABLE_WORK:
        bits -= 1
    small = (usage == np.round(usage)).all(axis=0) & (capacity < 1 << bits)
    unit = np.where(small | (capacity == 0), 1.0, capacity / (1 << UNIT_BITS))
    # Division may round up across a whole number; a hair less makes every need a lower one.
    need = np.floor(usage / unit * np.where(small, 1.0, 1 - 1e-12))
    room = np.where(small | (capacity == 0), np.floor(capacity), 1 << UNIT_BITS)
    return need.astype(np.int64), room.astype(np.int64), np.where(small, 0, UNIT_BITS - bits).astype(np.int64)
