"""Where a scenario comes from: a folder of the planner's, or a built-in one by its name."""

from __future__ import annotations

import importlib.resources
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from provgrid_models.errors import ScenarioError
from provgrid_seeds.loader import scenario_folder, scenario_names

if TYPE_CHECKING:
    from collections.abc import Iterator
    from contextlib import AbstractContextManager


@contextmanager
def folder_of(source: str | Path) -> Iterator[Path]:
    """Yield the folder behind a path or a built-in name; a folder of the planner's own comes first.

    Raises
    ------
    ScenarioError : there is neither.
    """
    path = Path(source)
    if path.is_dir():
        yield path
    elif str(source) in scenario_names():
        with built_in_folder(str(source)) as folder:
            yield folder
    else:
        what = f"{path} is a file" if path.exists() else f"there is no folder {path}"
        known = ", ".join(scenario_names())
        raise ScenarioError(f"{what}; give the folder of a scenario, or a built-in one: {known}")


def built_in_folder(name: str) -> AbstractContextManager[Path]:
    """Yield the folder of a built-in scenario, unpacked for the while where the package is zipped."""
    return importlib.resources.as_file(scenario_folder(name))
