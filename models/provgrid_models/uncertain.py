"""Ranges that a planner gives in `[uncertain]`: the number, or the factor on several, that a path stands for."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import numpy as np

from provgrid_models.errors import ScenarioError
from provgrid_models.findings import Findings
from provgrid_models.tables import LONG_TABLES

if TYPE_CHECKING:
    from provgrid_models.findings import Finding
    from provgrid_models.scenario import Scenario

FACTOR = "*"  # at a path's end, as --set takes it: what is drawn multiplies every number that the path names


def own_range(path: str, low: float, high: float, scenario: Scenario) -> tuple[str, float, float, float]:
    """Find what a range is about: the one number that its path names, or 1 for a factor on all that it names.

    Raises
    ------
    ScenarioError : the path names no number, or several that differ, or the range does not hold it.
    """
    value, problem, advice = _found(path, low, high, scenario)
    if problem:
        raise ScenarioError(f"uncertain.{path} of scenario.toml {problem}; {advice}")
    return path, value, low, high


def check_uncertain(scenario: Scenario) -> list[Finding]:
    """Warn of ranges that `solve --uncertain` would refuse; any other plan is made without them."""
    findings = Findings()
    for path, (low, high) in scenario.settings.uncertain.items():
        _, problem, advice = _found(path, low, high, scenario)
        if problem:
            message, hint = f"solve --uncertain refuses it: it {problem}", f"{advice[:1].upper()}{advice[1:]}."
            findings.warning("wrong-uncertain", message, file="scenario.toml", row=f"uncertain.{path}", hint=hint)
    return findings


def _found(path: str, low: float, high: float, scenario: Scenario) -> tuple[float, str, str]:
    """Return what a range is about, and what is wrong with it, with what to do; "" where nothing is."""
    factor = path.endswith(FACTOR)
    named = _numbers_at(path.removesuffix(FACTOR), scenario)
    if not named:
        example = '"tariffs.mine:summer:18.price_yuan_per_kwh"'
        advice = f"write it as --set does, the parts of a row's key joined by colons, such as {example}"
        return 0.0, "names no number", advice
    if not factor and len(set(named)) > 1:
        advice = f'give the range of a factor on all of them, such as "{path}*" = [0.9, 1.1], or name one of them'
        return 0.0, f"names {len(named)} numbers, not all the same", advice
    value, what = (1.0, "the factor") if factor else (named[0], "the number")
    problem = "" if low <= value <= high else f"goes from {low:g} to {high:g}, and {what} is {value:g}"
    return value, problem, "let the range hold it"


def _numbers_at(path: str, scenario: Scenario) -> list[float]:
    """All numbers that a path of --set names; the parts of a row's key are joined by colons, `*` is anything."""
    table, _, rest = path.partition(".")
    key, _, column = rest.rpartition(".")
    if table not in LONG_TABLES:
        pattern = re.compile(rf"{re.escape(table)}\.{_pattern(key)}(:.*)?\.{re.escape(column)}")
        numbers = {one.path: one.value for one in scenario.provenance if one.value is not None}
        return [numbers[path]] if path in numbers else [v for p, v in numbers.items() if pattern.fullmatch(p)]
    frame, spec, keys = getattr(scenario, table), LONG_TABLES[table].column.get(column), LONG_TABLES[table].key
    parts = key.split(":")
    if spec is None or column in keys or spec.kind not in ("number", "integer") or len(parts) > len(keys):
        return []
    match = np.ones(len(frame), dtype=np.bool_)
    for name, part in zip(keys, parts, strict=False):
        match &= frame[name].astype(str).str.fullmatch(_pattern(part)).to_numpy(dtype=np.bool_)
    return [float(value) for value in frame.loc[match, column].dropna()]


def _pattern(part: str) -> str:
    return ".*".join(re.escape(piece) for piece in part.split("*"))
