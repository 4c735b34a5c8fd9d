"""What a caller hands over in a wrong form is refused here, by `OptionError`: a value, texts, a place to write to."""

from __future__ import annotations

import reprlib
from collections.abc import Iterable, Mapping
from contextlib import contextmanager
from numbers import Real
from pathlib import Path
from typing import TYPE_CHECKING, Any

from provgrid_models.errors import OptionError

if TYPE_CHECKING:
    from collections.abc import Iterator


def shown(value: object) -> str:
    """Write a value of any type for a message: on one line, and short."""
    return " ".join(reprlib.repr(value).split())


def real_number(value: object) -> float | None:
    """Return a number, of Python or NumPy, as a float; None for what is none, and for an integer that is too large."""
    try:
        return float(value) if isinstance(value, Real) else None
    except OverflowError:
        return None


def check_is(asked: str, value: object, kinds: type | tuple[type, ...], advice: str) -> None:
    """Raise `OptionError` where a value is of none of these types; `asked` says what it was given for."""
    if not isinstance(value, kinds):
        raise OptionError(f"{asked} is {shown(value)}, of type {type(value).__name__}; {advice}")


def checked_texts(asked: str, values: Any, advice: str) -> tuple[str, ...]:
    """Return texts as a tuple. A text alone, which would be read letter by letter, and keys with values are refused."""
    if isinstance(values, str | Mapping) or not isinstance(values, Iterable):
        raise OptionError(f"{asked} is {shown(values)}, and no list of texts; {advice}")
    texts = tuple(values)
    for text in texts:
        check_is(f"an item of {asked}", text, str, advice)
    return texts


@contextmanager
def writing(path: str | Path) -> Iterator[Path]:
    """Yield `path` as a Path, and turn what the system says against writing there into an `OptionError`."""
    check_is("what names the place to write to", path, (str, Path), "give it as a text or a Path")
    try:
        yield Path(path)
    except OSError as error:
        raise OptionError(f"{path} cannot be written ({error.strerror or error}); give another place") from error
