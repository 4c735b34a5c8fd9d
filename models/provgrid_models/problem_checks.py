"""Fills in what a `Problem` leaves out and checks every array once: shape, type, range, references."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np

from provgrid_models.arguments import real_number, shown
from provgrid_models.array_values import read_array
from provgrid_models.chains import cycle_members
from provgrid_models.errors import ArrayError
from provgrid_models.label_checks import checked_labels

if TYPE_CHECKING:
    from provgrid_models.problem import Problem

# Value of a field that was left out; fields that are not here become zeros.
_NEUTRAL = {
    "weight": 1.0,
    "link_gbps": np.inf,
    "move_gbps": np.inf,
    "after": -1,
    "pinned_pool": -1,
    "job_tenant": -1,
    "service_tenant": -1,
    "pool_tenant": -1,
    "block_is_grid": True,
    "origin_tier": 3,
    "block_limit_kw": np.inf,
}

# Fields of one number: what it has to be, as a test and in words.
_NUMBERS: tuple[tuple[str, Callable[[float], bool], str], ...] = (
    ("carbon_yuan_per_kg", lambda number: 0 <= number < math.inf, "a finite number of at least 0"),
    ("carbon_budget_kg", lambda number: number >= 0, "a number of at least 0"),
    ("period_h", lambda number: 0 < number < math.inf, "a positive number of hours"),
    ("take_or_pay_yuan", math.isfinite, "a finite number"),
    ("ports_yuan", math.isfinite, "a finite number"),
)


def complete(problem: Problem) -> dict[str, Any]:
    """Return every array, contiguous and read-only, and the labels, or raise `ArrayError` naming the first fault."""
    kinds = problem.array_fields()
    given = {name: _read(name, kinds[name], getattr(problem, name)) for name in kinds}
    if given["capacity"] is None or given["capacity"].ndim != 2:
        raise ArrayError("capacity must be given with shape (pools, periods); it has no default")
    if given["capacity"].size == 0:
        raise ArrayError(f"capacity has shape {given['capacity'].shape}; at least one pool and one period are needed")
    _check_numbers(problem)
    sizes = _sizes(given)
    if given["pool_cluster"] is None and sizes["C"] == sizes["P"]:
        given["pool_cluster"] = np.arange(sizes["P"])
    done = {name: _array(name, meta, given[name], sizes) for name, meta in kinds.items()}
    _check_relations(done)
    return done | {"labels": checked_labels(problem.labels, sizes)}


def _read(name: str, meta: Any, value: Any) -> Any:
    """Return a field as an array of its type, None where it was left out."""
    if value is None:
        return None
    array = read_array(name, meta["dtype"], value)
    if array.ndim == 0:
        raise ArrayError(
            f"{name} is {shown(value)}, one value; an array of shape ({', '.join(meta['shape'])}) is needed"
        )
    return array


def _check_numbers(problem: Problem) -> None:
    """Check the fields that are one number each."""
    for name, fits, needed in _NUMBERS:
        value = getattr(problem, name)
        number = real_number(value)
        if number is None or not fits(number):
            raise ArrayError(f"{name} is {shown(value)}; it must be {needed}")


def _sizes(given: dict[str, Any]) -> dict[str, int]:
    """Size of every index set, read from the array that defines it."""
    pools, periods = given["capacity"].shape

    def rows(name: str, otherwise: int) -> int:
        return otherwise if given[name] is None else int(given[name].shape[0])

    def largest(name: str, otherwise: int) -> int:
        array = given[name]
        return otherwise if array is None or array.size == 0 else int(array.max()) + 1

    clusters = rows("floor_kw", largest("pool_cluster", pools))
    origins = rows("gb_yuan", max(largest("job_origin", 1), largest("service_origin", 1)))
    named = max(largest(f"{of}_tenant", 0) for of in ("pool", "job", "service"))
    sizes = {
        "P": pools,
        "T": periods,
        "C": clusters,
        "B": rows("block_cluster", 0),
        "L": rows("link_gbps", 0),
        "R": origins,
        "J": rows("work_pflop_h", 0),
        "K": rows("class_rate_pflops", 0),
        "S": rows("demand", 0),
        "N": rows("tenant_share", rows("rent_discount", named)),
        "route_links": rows("route_link", 0),
    }
    sizes["R*C+1"] = origins * clusters + 1
    sizes["T+1"] = periods + 1
    return sizes


def _array(name: str, meta: Any, array: Any, sizes: dict[str, int]) -> Any:
    """Fill one field in if it was left out, and check shape and range."""
    shape = tuple(sizes[letter] for letter in meta["shape"])
    if array is None:
        array = np.full(shape, _NEUTRAL.get(name, 0), dtype=meta["dtype"])
    if array.shape != shape:
        raise ArrayError(f"{name} has shape {array.shape}; ({', '.join(meta['shape'])}) = {shape} is needed")
    if array.size and array.dtype != np.bool_:
        _check_range(name, meta, array, sizes)
    array.setflags(write=False)
    return array


def _check_range(name: str, meta: Any, array: Any, sizes: dict[str, int]) -> None:
    if array.dtype == np.float64:
        bad = np.isnan(array) if meta["infinite"] else ~np.isfinite(array)
        if name == "move_gbps":
            bad = np.isnan(array)
        if bad.any():
            where = tuple(int(i) for i in np.argwhere(bad)[0])
            raise ArrayError(f"{name}{list(where)} is {array[where]}; a finite number is needed")
    if array.min() < meta["low"]:
        where = tuple(int(i) for i in np.unravel_index(array.argmin(), array.shape))
        raise ArrayError(f"{name}{list(where)} is {array[where]}; it must be at least {meta['low']}")
    if array.dtype == np.float64 and array.max() > meta["high"]:
        where = tuple(int(i) for i in np.unravel_index(array.argmax(), array.shape))
        raise ArrayError(f"{name}{list(where)} is {array[where]}; it must be at most {meta['high']}")
    limit = sizes.get(meta.get("below", ""))
    if limit is not None and array.max() >= limit:
        where = tuple(int(i) for i in np.unravel_index(array.argmax(), array.shape))
        raise ArrayError(f"{name}{list(where)} is {array[where]}; it must be below {limit}")


def _check_relations(a: dict[str, Any]) -> None:
    """Rules that bind two arrays."""
    late = a["deadline"] <= a["release"]
    if late.any():
        j = int(np.argmax(late))
        raise ArrayError(f"job {j} has the window [{a['release'][j]}, {a['deadline'][j]}); its deadline must be later")
    for name in ("work_pflop_h", "max_accelerators", "move_gbps"):
        if (a[name] <= 0).any():
            raise ArrayError(f"{name}[{int(np.argmax(a[name] <= 0))}] must be above 0; leave out what has none")
    if (a["weight"] <= 0).any():
        raise ArrayError(f"weight[{int(np.argmax(a['weight'] <= 0))}] must be above 0; leave the period out instead")
    starts = a["route_start"]
    if starts[0] != 0 or starts[-1] != a["route_link"].size or (np.diff(starts) < 0).any():
        raise ArrayError("route_start must rise from 0 to len(route_link); give R * C + 1 offsets into route_link")
    _check_after(a["after"])


def _check_after(after: Any) -> None:
    """Every chain of `after` must end; a job that waits for itself never starts."""
    endless = cycle_members(after)
    if endless.size:
        j = int(endless[0])
        raise ArrayError(f"job {j} comes after itself, through after={int(after[j])}; break the circle with -1")
