"""Microsoft Philly jobs as the Pollux authors tabled them: timestamp, duration, num_gpus, gpu_time, cluster."""

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
    names_for,
    read_cells,
    start_moment,
    summary,
    tenants_of,
    until_placed,
)
from provgrid_models.importers.work import Runs, jobs_from
from provgrid_models.scenario import Family

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from provgrid_models.importers.options import PhillyOptions

COLUMNS = ("timestamp", "duration", "num_gpus", "gpu_time", "cluster")
GPU_TIME_TOLERANCE = 1e-6  # relative; gpu_time is printed with one decimal


def read(files: Sequence[str | Path] | str | Path, options: PhillyOptions) -> Imported:
    """Read Philly tables: every good row is a job of its virtual cluster, released when it was submitted."""
    bad = BadRows()
    paths = expand(files, "*.csv")
    parts = [_read_file(p, n, options, bad) for p, n in zip(paths, names_for(paths), strict=True)]
    cells = [p[0] for p in parts]
    frame = pd.concat([p[1] for p in parts], ignore_index=True)
    start = start_moment(options, frame["moment"].min()) if len(frame) else pd.Timestamp(0)
    runs = Runs(
        id=frame["id"],
        tenant=frame["tenant"],
        release_h=np.asarray((frame["moment"] - start) / pd.Timedelta(hours=1), dtype=np.float64),
        duration_h=frame["duration_s"].to_numpy() / 3600.0,
        gpus=frame["gpus"].to_numpy(),
    )
    jobs, said, left_out = jobs_from(runs, options)
    words = [
        f"Hour 0 is {start} of the trace; its zone is not stated, its clock was taken as Beijing time.",
        "The tenant is the virtual cluster; the run time is the sum of all attempts.",
        *said,
    ]
    return Imported(
        kind="philly",
        jobs=jobs,
        services=long_table("services", {}, 0),
        demand=long_table("demand", {}, 0),
        families=(Family(id=options.family, name="model of the Philly trace"),),
        tenants=tenants_of(jobs),
        assumptions=(*words, *common_assumptions(options, cells, bad)),
        bad_rows=bad.frame(),
        until_placed=until_placed(options),
        counts=summary(cells, len(jobs), left_out, bad),
    )


def _read_file(path: Path, name: str, options: PhillyOptions, bad: BadRows) -> tuple[Cells, pd.DataFrame]:
    cells = read_cells(path, COLUMNS, bad)
    moment = cells.moment("timestamp")
    duration_s = cells.number("duration", above=True)
    gpus = cells.number("num_gpus", low=1, whole=True)
    gpu_time_s = cells.number("gpu_time")
    with np.errstate(invalid="ignore"):
        off = np.abs(gpu_time_s - duration_s * gpus) > 0.1 + GPU_TIME_TOLERANCE * np.abs(gpu_time_s)
    cells.reject(off, "gpu_time", "differs from duration x num_gpus")
    tenant = cells.identifier("cluster")
    cells.drop_duplicates(drop=options.drop_duplicates)
    frame = pd.DataFrame(
        {
            "id": name + "-" + cells.frame["line"].astype("str"),
            "tenant": tenant,
            "moment": moment,
            "duration_s": duration_s,
            "gpus": gpus,
        }
    )
    return cells, frame[cells.good]
