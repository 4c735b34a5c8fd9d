"""Alibaba's openb pod list (cluster-trace-gpu-v2023): pods with GPUs, or a share of one, in seconds from the start."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from provgrid_models.importers.core import (
    BadRows,
    Cells,
    Imported,
    common_assumptions,
    expand,
    long_table,
    read_cells,
    start_second,
    summary,
    tenants_of,
    until_placed,
)
from provgrid_models.importers.work import Runs, jobs_from
from provgrid_models.scenario import Family

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from provgrid_models.importers.options import OpenbOptions

COLUMNS = (
    "name",
    "num_gpu",
    "gpu_milli",
    "gpu_spec",
    "qos",
    "creation_time",
    "deletion_time",
    "scheduled_time",
)
CLASSES = ("LS", "BE", "Burstable", "Guaranteed")


def read(files: Sequence[str | Path] | str | Path, options: OpenbOptions) -> Imported:
    """Read pod lists: every pod that held GPUs for a time is a job, whatever its class of service."""
    bad = BadRows()
    counts = dict.fromkeys(("zero_gpu", "other_qos", "never_scheduled", "zero_lifetime"), 0)
    specified = 0
    cells, frames = [], []
    for path in expand(files, "openb_pod_list*.csv"):
        part, frame = _read_file(path, options, bad)
        cells.append(part)
        specified += int((frame["spec"] != "").sum())
        frames.append(_leave_out(frame, options, counts))
    frame = pd.concat(frames, ignore_index=True)
    start_s = start_second(options)
    runs = Runs(
        id=frame["id"],
        tenant=pd.Series("", index=frame.index, dtype="str"),
        release_h=(frame["created_s"].to_numpy() - start_s) / 3600.0,
        duration_h=(frame["deleted_s"] - frame["scheduled_s"]).to_numpy() / 3600.0,
        gpus=frame["gpus"].to_numpy(),
    )
    jobs, said, left_out = jobs_from(runs, options)
    words = [
        f"Hour 0 is second {start_s:g} of the trace; its clock offset is not stated and was taken as midnight, "
        "Beijing time.",
        "A job is a pod with GPUs: released when it was created, running from scheduled_time to deletion_time.",
        *_left_out_words(counts, options),
        *(
            [f"{specified} pods name GPU models that they may use; this was not used, bindings decide."]
            * bool(specified)
        ),
        *said,
    ]
    return Imported(
        kind="openb",
        jobs=jobs,
        services=long_table("services", {}, 0),
        demand=long_table("demand", {}, 0),
        families=(Family(id=options.family, name="model of the openb trace"),),
        tenants=tenants_of(jobs),
        assumptions=(*words, *common_assumptions(options, cells, bad)),
        bad_rows=bad.frame(),
        until_placed=until_placed(options),
        counts=summary(cells, len(jobs), {**counts, **left_out}, bad),
    )


def _left_out_words(counts: dict[str, int], options: OpenbOptions) -> list[str]:
    """Say what was left out on purpose, and how many pods of each sort."""
    said = {
        "zero_gpu": "pods without a GPU are no training work and were left out.",
        "never_scheduled": "pods that were never scheduled held no GPU and were left out.",
        "zero_lifetime": "pods that were deleted the second they were scheduled did no work and were left out.",
        "other_qos": f"pods of other classes than {', '.join(options.qos)} were left out.",
    }
    words = [f"{counts[name]} {sentence}" for name, sentence in said.items() if counts[name]]
    return [*words, *(["Long-lived LS pods are jobs too."] if not options.qos or "LS" in options.qos else [])]


def _leave_out(frame: pd.DataFrame, options: OpenbOptions, counts: dict[str, int]) -> pd.DataFrame:
    """Drop what is no training work, one reason per pod, and count it."""
    reasons = {
        "zero_gpu": frame["gpus"] <= 0,
        "other_qos": ~frame["qos"].isin(options.qos or CLASSES),
        "never_scheduled": frame["scheduled_s"].isna(),
        "zero_lifetime": frame["deleted_s"] <= frame["scheduled_s"],
    }
    left = pd.Series(True, index=frame.index)
    for name, holds in reasons.items():
        counts[name] += int((left & holds).sum())
        left &= ~holds
    return frame[left]


def _read_file(path: Path, options: OpenbOptions, bad: BadRows) -> tuple[Cells, pd.DataFrame]:
    cells = read_cells(path, COLUMNS, bad)
    name = cells.identifier("name")
    count = cells.number("num_gpu", whole=True)
    milli = cells.number("gpu_milli")
    cells.reject((count == 1) & (milli <= 0), "gpu_milli", "a pod with one GPU needs a share above 0")
    cells.reject(milli > 1000, "gpu_milli", "more than a whole GPU (1000)")
    cells.reject(~cells.frame["qos"].isin(CLASSES), "qos", f"not one of {', '.join(CLASSES)}")
    created_s = cells.number("creation_time")
    deleted_s = cells.number("deletion_time")
    cells.reject(deleted_s < created_s, "deletion_time", "before creation_time")
    pending = (cells.frame["scheduled_time"] == "").to_numpy()
    text = cells.frame["scheduled_time"]
    scheduled_s = pd.to_numeric(text, errors="coerce").to_numpy(dtype=np.float64)
    cells.reject(~np.isfinite(scheduled_s) & ~pending, "scheduled_time", "not a number")
    with np.errstate(invalid="ignore"):
        cells.reject(scheduled_s < created_s, "scheduled_time", "before creation_time")
        cells.reject(scheduled_s > deleted_s, "scheduled_time", "after deletion_time")
    cells.drop_duplicates(drop=options.drop_duplicates)
    cells.reject(_repeated(name, cells), "name", "an earlier pod has this name")
    frame = pd.DataFrame(
        {
            "id": name,
            "gpus": np.where(count == 1, milli / 1000.0, count),
            "spec": cells.frame["gpu_spec"],
            "qos": cells.frame["qos"],
            "created_s": created_s,
            "deleted_s": deleted_s,
            "scheduled_s": scheduled_s,
        }
    )
    return cells, frame[cells.good]


def _repeated(name: pd.Series, cells: Cells) -> pd.Series:
    return name.where(cells.good).duplicated() & cells.good
