"""What layers above hang on a plan, by name: `provgrid` attaches `plot`, without this layer knowing of pictures."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from provgrid_models.errors import OptionError

if TYPE_CHECKING:
    from provgrid_optimizer.plan import Plan

_homes: dict[str, str] = {}


def attach(name: str, home: str) -> None:
    """Let plans find `name` at `home` ("module:callable of a plan"), which is loaded when it is first asked for."""
    _homes[name] = home


def attached(name: str, plan: Plan) -> Any:
    """Return what hangs on a plan under a name.

    Raises
    ------
    OptionError : nobody attached anything of that name.
    """
    if name not in _homes:
        raise OptionError(f"nothing is attached to plans as {name!r}; import provgrid first")
    module, _, maker = _homes[name].partition(":")
    return getattr(import_module(module), maker)(plan)
