"""A problem that was built from arrays, in one file: the stand-in for a scenario folder in its runs."""

from __future__ import annotations

from dataclasses import fields
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from provgrid_models.problem import Labels, Problem

if TYPE_CHECKING:
    from pathlib import Path

NUMBERS = ("period_h", "carbon_yuan_per_kg", "carbon_budget_kg", "take_or_pay_yuan", "ports_yuan")
LABEL = "label:"


def save_problem(problem: Problem, path: Path) -> None:
    """Write every array, number and label of a problem to an `.npz` file, the same bytes for the same problem."""
    content: dict[str, Any] = {name: getattr(problem, name) for name in (*Problem.array_fields(), *NUMBERS)}
    workloads, reasons, yuan = zip(*problem.never_served, strict=True) if problem.never_served else ((), (), ())
    content |= {
        "never_served:workload": np.array(workloads, dtype=np.str_),
        "never_served:reason": np.array(reasons, dtype=np.str_),
        "never_served:yuan": np.array(yuan, dtype=np.float64),
        "notes": np.array(problem.notes, dtype=np.str_),
    }
    for field in fields(Labels):
        names = getattr(problem.labels, field.name)
        if field.name == "periods" and names is not None:
            content[LABEL + field.name] = names.to_numpy().astype("datetime64[ns]")
        elif names is not None:
            content[LABEL + field.name] = np.array(list(names), dtype=np.str_)
    with path.open("wb") as file:
        np.savez_compressed(file, **content)


def load_problem(path: Path) -> Problem:
    """Read a problem back. A file that is damaged raises ValueError, KeyError, OSError or zipfile.BadZipFile."""
    with np.load(path, allow_pickle=False) as file:
        arrays: dict[str, Any] = {name: file[name] for name in Problem.array_fields()}
        numbers: dict[str, Any] = {name: float(file[name]) for name in NUMBERS}
        never = zip(
            file["never_served:workload"].tolist(),
            file["never_served:reason"].tolist(),
            file["never_served:yuan"].tolist(),
            strict=True,
        )
        labels: dict[str, Any] = {
            name.removeprefix(LABEL): pd.DatetimeIndex(file[name]) if name == LABEL + "periods" else file[name].tolist()
            for name in file.files
            if name.startswith(LABEL)
        }
        notes = tuple(file["notes"].tolist())
        return Problem(**arrays, **numbers, never_served=tuple(never), notes=notes, labels=Labels(**labels))
