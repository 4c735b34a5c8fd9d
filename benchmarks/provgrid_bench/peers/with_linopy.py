"""The reference instance by linopy and HiGHS, written as its documentation advises: whole arrays, no loops.

Runs in the environment of the peers, which has no provgrid: with_linopy.py RAW.npz TIME_LIMIT_S THREADS. `RAW.npz`
holds what `reference_instance.generate` returns. Prints one JSON record.
"""

from __future__ import annotations

import json
import resource
import sys
import time
import warnings
from importlib.metadata import version
from typing import Any

import linopy
import numpy as np
import pandas as pd
import xarray as xr


def build(raw: dict[str, Any]) -> linopy.Model:
    """Write the program of `reference_instance`, variables by their names there."""
    (jobs, pools), hours, services = raw["move_cost"].shape, raw["tariff"].shape[1], raw["demand"].shape[0]
    coords = {"job": range(jobs), "pool": range(pools), "hour": range(hours), "service": range(services)}

    def array(name: str, *dims: str) -> xr.DataArray:
        return xr.DataArray(raw[name], dims=dims, coords={dim: coords[dim] for dim in dims})

    def over(*dims: str) -> list[Any]:
        return [pd.Index(coords[dim], name=dim) for dim in dims]

    model = linopy.Model()
    hour = xr.DataArray(list(coords["hour"]), dims="hour", coords={"hour": coords["hour"]})
    window = (hour >= array("release", "job")) & (hour < array("deadline", "job"))
    running = window.expand_dims(pool=coords["pool"]).transpose("job", "pool", "hour")
    eligible = (
        array("eligible", "service", "pool").expand_dims(hour=coords["hour"]).transpose("service", "pool", "hour")
    )
    z = model.add_variables(0, 1, coords=over("job", "pool"), name="z")
    u = model.add_variables(0, 1, coords=over("job"), name="u")
    n = model.add_variables(0, coords=over("job", "pool", "hour"), mask=running, name="n")
    y = model.add_variables(0, coords=over("service", "pool", "hour"), mask=eligible, name="y")
    v = model.add_variables(0, coords=over("service", "hour"), name="v")
    capacity = array("capacity", "pool").expand_dims(hour=coords["hour"]).transpose("pool", "hour")
    x = model.add_variables(0, capacity, name="x")
    a = model.add_variables(0, array("renewable_kw", "pool", "hour"), name="a")
    b = model.add_variables(0, coords=over("pool", "hour"), name="b")

    work, kw = array("work", "job"), array("kw", "pool")
    held = (y / array("service_efficiency", "service", "pool")).sum("service")
    model.add_constraints(n - array("max_accelerators", "job") * z <= 0, mask=running, name="limit")
    model.add_constraints((array("efficiency", "job", "pool") * n).sum("hour") - work * z == 0, name="work")
    model.add_constraints(z.sum("pool") + u == 1, name="share")
    model.add_constraints(y.sum("pool") + v == array("demand", "service", "hour"), name="demand")
    model.add_constraints(n.sum("job") + held - x == 0, name="held")
    model.add_constraints(kw * x - a - b == 0, name="balance")
    model.add_objective(
        (array("move_cost", "job", "pool") * z).sum()
        + (float(raw["job_penalty"]) * work * u).sum()
        + (array("service_cost", "service", "pool") * y).sum()
        + (float(raw["service_penalty"]) * v).sum()
        + (float(raw["renewable_price"]) * a).sum()
        + (array("tariff", "pool", "hour") * b).sum()
    )
    return model


def main() -> None:
    """Build, solve and print."""
    path, time_limit_s, threads = sys.argv[1], float(sys.argv[2]), int(sys.argv[3])
    with np.load(path) as file:
        raw = dict(file)
    started = time.perf_counter()
    model = build(raw)
    build_s = time.perf_counter() - started
    status, condition = model.solve(
        "highs",
        io_api="direct",  # no file between them: the quickest way that linopy has
        threads=threads,
        time_limit=max(time_limit_s - build_s, 0.01),
        log_to_console=False,
        progress=False,
    )
    done = (status, condition) == ("ok", "optimal")
    record = {
        "status": "optimal" if done else str(condition),
        "objective_yuan": float(model.objective.value) if done else None,
        "columns": int(model.nvars),
        "rows": int(model.ncons),
        "build_s": build_s,
        "solve_s": time.perf_counter() - started - build_s,
        "peak_rss_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024 / 1e6,
        "version": f"linopy {version('linopy')}, HiGHS {version('highspy')}",
    }
    sys.stdout.write("\n" + json.dumps(record) + "\n")


if __name__ == "__main__":
    warnings.simplefilter("ignore")
    main()
