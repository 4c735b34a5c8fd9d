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

ROUNDING = 5e-10  # relative excess over a capacity that adding up floats may explain; half of what the audit allows
CELLS = 4096  # grid of a knapsack whose usage is not in small whole numbers


class Task(NamedTuple):
    """What the kernels read of an instance; task by agent."""

    cost: Floats  # (n, m), minimised; inf = closed
    usage: Floats  # (n, m), 0 where closed
    capacity: Floats  # (m,), rounding allowed for
    open_start: Ints  # (n + 1,)
    open_agent: Ints  # promising agents of task j: open_agent[open_start[j] : open_start[j + 1]]


class Prices(NamedTuple):
    """What a load off its capacity costs, and what a pair costs beyond the task's best."""

    price: Floats  # (m,) per unit left idle
    over: Floats  # (m,) per unit too much
    reduced: Floats  # (n, m)
    worth: float  # least improvement that counts


class Search(NamedTuple):
    """How a lane searches."""

    temperature: float
    soft: float  # stiffness at which the deepest softening starts
    accept: float  # mean worsening that a round may keep
    slack: float  # what a chain may cost before it must pay
    step: float  # least improvement of a cost that counts
    depth: int
    proposals: int


@dataclass(frozen=True)
class Instance:
    """min sum cost x  s.t.  sum_j usage x <= capacity, sum_i x = 1; arrays are task by agent.

    A pair is closed (cost inf) where it is forbidden or exceeds the agent's capacity by itself. `whole` says that all
    costs are whole numbers, so that a bound may be rounded up. `size` and `cells` are the usage and capacity on a grid,
    rounded down so that every feasible assignment stays feasible on it.
    """

    cost: Floats
    usage: Floats
    capacity: Floats
    whole: bool
    size: Sizes
    cells: Ints

    @property
    def open(self) -> Bools:
        """Pairs that may be used, shape (n, m)."""
        return np.isfinite(self.cost)


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
    for name, array in (("usage", uses), ("capacity", room)):
        _refuse(name, array, np.isnan(array), "NaN", "give a number")
        _refuse(name, array, np.isinf(array), "infinite", "give a finite number; forbid a pair by its cost")
        _refuse(name, array, array < 0, "negative", "give a number of at least 0")
    return costs, uses, room


def _floats(name: str, value: ArrayLike) -> Floats:
    try:
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
    uses = np.where(opened, usage, 0.0)
    size, cells = _grid(uses, room)
    finite = cost[opened]
    return Instance(
        cost=np.ascontiguousarray(np.where(opened, cost, np.inf).T),
        usage=np.ascontiguousarray(uses.T),
        capacity=room,
        whole=bool((finite == np.round(finite)).all() and np.abs(finite).max() < 2.0**40),
        size=np.ascontiguousarray(size.T),
        cells=cells,
    )


def _grid(usage: Floats, capacity: Floats) -> tuple[Sizes, Ints]:
    """Usage and capacity in cells: exact where they are whole numbers up to `CELLS`, else rounded down."""
    whole = (usage == np.round(usage)).all(axis=1) & (capacity < CELLS)
    cell = np.where(whole | (capacity == 0), 1.0, capacity / CELLS)
    # Division may round up across a whole number; a hair less makes every size a lower one.
    size = np.floor(usage / cell[:, None] * np.where(whole, 1.0, 1 - 1e-12)[:, None])
    return size.astype(np.int32), np.floor(capacity / cell * (1 + 1e-12)).astype(np.int64)


def kernel_view(instance: Instance, reduced: Floats, width: int) -> Task:
    """Return the arrays for the kernels: each task with its `width` open agents of the least reduced cost."""
    width = min(width, instance.capacity.size)
    near = np.argsort(reduced, axis=1, kind="stable")[:, :width]
    kept = np.isfinite(np.take_along_axis(reduced, near, axis=1))
    start = np.concatenate([[0], np.cumsum(kept.sum(axis=1))]).astype(np.int64)
    return Task(instance.cost, instance.usage, instance.capacity, start, near[kept].astype(np.int64))
