"""What a sweep varies: `key=a:b:step` and `key=v1,v2,v3`, keys as `--set` takes them, `key*=...` for factors."""

from __future__ import annotations

import itertools
import re
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from provgrid_models.errors import OptionError, ScenarioError
from provgrid_models.files import load_scenario, scenario_error
from provgrid_models.findings import Findings
from provgrid_models.overlay import parse_overrides

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

MOST_POINTS = 100_000
HINT = "write key=0:300:50 or key=0.5,1,2, the key as --set takes it"
NUMBER = r"\s*([+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?)\s*"
RANGE = re.compile(f"{NUMBER}:{NUMBER}:{NUMBER}")


@dataclass(frozen=True)
class Axis:
    """One key and its values, as `--set` takes them; `key` ends with * where they multiply what is there."""

    key: str
    values: tuple[str, ...]

    def override(self, value: str) -> str:
        """Return the argument of `--set` for a value."""
        return f"{self.key}={value}"

    def shown(self, value: str) -> Any:
        """Return a value as it stands in the table: a number, a truth or a text."""
        (override,) = parse_overrides([self.override(value)], Findings())
        return override.value if isinstance(override.value, bool | int | float) else value.strip('"')

    def by_kind(self) -> tuple[tuple[str, ...], ...]:
        """Return the values as numbers, truths and texts, those that there are."""
        kinds: dict[type, list[str]] = {}
        for value in self.values:
            kind = type(self.shown(value))
            kinds.setdefault(float if kind is int else kind, []).append(value)
        return tuple(map(tuple, kinds.values()))


def axes_of(vary: Sequence[str] | Mapping[str, Sequence[Any] | str]) -> tuple[Axis, ...]:
    """Read what is to be varied.

    Parameters
    ----------
    vary : arguments such as "prices.carbon_price_yuan_per_t=0:300:50", or keys with their values (or "a:b:step").

    Raises
    ------
    OptionError : an argument cannot be read, a key comes twice, or there are too many points.
    """
    pairs = [_pair(one) for one in vary] if not hasattr(vary, "items") else [_named(*item) for item in vary.items()]
    if not pairs:
        raise OptionError(f"nothing is varied; {HINT}")
    axes = tuple(Axis(key, values) for key, values in pairs)
    keys = [axis.key for axis in axes]
    if twice := next((key for key in keys if keys.count(key) > 1), ""):
        raise OptionError(f"{twice} is varied twice; give all its values in one --vary")
    findings = Findings()
    parse_overrides([axis.override(value) for axis in axes for value in axis.values], findings)
    if findings.errors:
        first = next(iter(findings))
        raise OptionError(f"--vary: {first.message}, found {first.found}; {HINT}")
    count = _count(axes)
    if count > MOST_POINTS:
        raise OptionError(f"--vary asks for {count:,} points, and {MOST_POINTS:,} are the most; take wider steps")
    return axes


def grid(axes: Sequence[Axis]) -> list[tuple[str, ...]]:
    """Every combination of values, the last axis varying fastest."""
    return list(itertools.product(*(axis.values for axis in axes)))


def check_axes(axes: Sequence[Axis], scenario: str, overrides: Sequence[str]) -> None:
    """Raise `ScenarioError` where the scenario is wrong as it is, or an axis has no value that it could take.

    Numbers, truths and texts are each looked at: 10,abc are one number that fits and no text that does. A value that a
    scenario cannot take beside others of its kind makes a row of the table that says so.
    """
    load_scenario(scenario, overrides)
    for axis, values in [(one, values) for one in axes for values in one.by_kind()]:
        errors = []
        for value in values:
            try:
                load_scenario(scenario, (*overrides, axis.override(value)))
                break
            except ScenarioError as error:
                errors.append(error)
        else:
            # Without this axis the scenario is right, so that what --set is blamed for is the axis's.
            found = [replace(one, file="--vary") if one.file == "--set" else one for one in errors[0].findings]
            raise scenario_error(scenario, found)


def _count(axes: Sequence[Axis]) -> int:
    count = 1
    for axis in axes:
        count *= len(axis.values)
    return count


def _pair(argument: str) -> tuple[str, tuple[str, ...]]:
    key, equals, text = argument.partition("=")
    if not equals or not key.strip() or not text.strip():
        raise OptionError(f"--vary {argument} cannot be read; {HINT}")
    return key.strip(), _values(text, argument)


def _named(key: str, values: Sequence[Any] | str) -> tuple[str, tuple[str, ...]]:
    if isinstance(values, str):
        return key, _values(values, f"{key}={values}")
    texts = tuple(_text(value) for value in values)
    if not texts:
        raise OptionError(f"{key} has no values; {HINT}")
    return key, texts


def _text(value: Any) -> str:
    """Write a value of Python as TOML."""
    if isinstance(value, bool):
        return "true" if value else "false"
    return value if isinstance(value, str) else repr(value.item() if hasattr(value, "item") else value)


def _values(text: str, argument: str) -> tuple[str, ...]:
    found = RANGE.fullmatch(text)
    if found is None:
        parts = tuple(part.strip() for part in re.split(r",(?![^\[]*\])", text))
        if not all(parts):
            raise OptionError(f"--vary {argument} has an empty value; {HINT}")
        return tuple(dict.fromkeys(parts))
    first, last, step = (Decimal(number) for number in found.groups())
    if step == 0 or (last - first) * step < 0:
        raise OptionError(f"--vary {argument} never comes from {first} to {last} in steps of {step}; {HINT}")
    number = int((last - first) / step) + 1
    if number > MOST_POINTS:
        raise OptionError(f"--vary {argument} asks for {number:,} values; take wider steps")
    return tuple(f"{(first + k * step).normalize():f}" for k in range(number))
