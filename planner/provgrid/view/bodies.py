"""The bodies of requests: JSON, taken apart without trust."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from provgrid.view.refusals import RefusedError
from provgrid_optimizer.options import SolveOptions

if TYPE_CHECKING:
    from collections.abc import Mapping

    from provgrid.view.shelf import Line

FIELDS = ("levers", "engine", "gap_percent", "time_limit_s")
ENGINES = ("heuristic", "lp", "milp", "local", "cheapest", "greenest", "overflow", "siloed")
LONGEST_S = 86_400.0
MOST_DIGITS = 1000


def parsed(body: bytes) -> dict[str, Any]:
    """Return the object that a body holds.

    Raises
    ------
    RefusedError : it is no JSON, has numbers that JSON lacks, the same key twice, too many levels, or is no object.
    """
    try:
        value = json.loads(body, parse_constant=_no_constant, parse_int=_whole, object_pairs_hook=_once)
    except RecursionError:
        raise RefusedError(400, "too_deep") from None
    except ValueError as error:  # invalid UTF-8 is a ValueError too
        raise RefusedError(400, "bad_json", reason=str(error).splitlines()[0]) from None
    if not isinstance(value, dict):
        raise RefusedError(400, "no_object")
    return value


def levers_asked(body: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return the levers that a body moves; `RefusedError` for unknown fields."""
    unknown = next((key for key in body if key not in FIELDS), None)
    if unknown is not None:
        raise RefusedError(422, "unknown_field", field=unknown[:40], known=", ".join(FIELDS))
    levers = body.get("levers", {})
    if not isinstance(levers, dict):
        raise RefusedError(400, "levers_object")
    return levers


def how_asked(body: Mapping[str, Any], line: Line) -> tuple[str, SolveOptions]:
    """Return engine and options: as the body says, else as the run was solved; null takes a stop away.

    Raises
    ------
    RefusedError : the engine is unknown, or a stop is no number or out of its limits.
    """
    engine = body.get("engine", line.engine)
    if engine not in (*ENGINES, line.engine):
        raise RefusedError(422, "engine", known=", ".join(ENGINES))
    options = dict(line.options or {})
    if "gap_percent" in body:
        percent = _number(body["gap_percent"], "gap_percent", 0.0, 99.0)
        options["gap"] = None if percent is None else percent / 100.0
    if "time_limit_s" in body:
        options["time_limit_s"] = _number(body["time_limit_s"], "time_limit_s", 0.1, LONGEST_S)
    return engine, SolveOptions(**options)


def _number(value: Any, name: str, low: float, high: float) -> float | None:
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise RefusedError(400, "stop_number", field=name)
    if not low <= value <= high:
        raise RefusedError(422, "stop_range", field=name, low=low, high=high)
    return float(value)


def _whole(digits: str) -> int:
    if len(digits) > MOST_DIGITS:
        raise ValueError(f"a number has {len(digits)} digits")
    return int(digits)


def _no_constant(word: str) -> float:
    raise ValueError(f"{word} is no number of JSON")


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        raise ValueError("a key is there twice")
    return found
