"""A plan that can be worked out by hand: every policy of it has one place for each thing.

base   east  40 accelerator-hours on fast, at most 10 at once, pinned to hub_b; 90 GB at 1 Gbit/s = 1 hour on the way
gang   west  30 accelerator-hours on fast: 10 for 3 hours, at home in hub_b
chat   east  210 tokens/s = 210 / (100 * 0.7) = 3 accelerators in city_a, 12 hours
batch  west  800 tokens/s = 800 / (100 * 0.8) = 10 accelerators in hub_b, 12 hours
"""

from __future__ import annotations

from functools import cache
from typing import Any

import provgrid as pg
from tiny import job, tiny_scenario


def scenario(**changes: Any) -> pg.Scenario:
    """Return the scenario above, with changes by table as in `tiny_scenario`."""
    jobs = [
        job("base", work_pflop_h=20.0, data_gb=90.0, move_gbps=1.0, residency="west"),
        job("gang", tenant="firm", region="west", mode="rigid", work_pflop_h=15.0, release_h=2.0, deadline_h=10.0),
    ]
    return tiny_scenario(**({"jobs": jobs} | changes))


@cache
def plan(engine: str = "overflow") -> pg.Plan:
    """Return a plan of it."""
    return pg.solve(scenario(), engine=engine, policies=False, threads=1)


@cache
def plan_of_arrays() -> pg.Plan:
    """Return the same plan made from arrays alone: no places, no names of classes."""
    return pg.solve(pg.compile(scenario()), engine="overflow", policies=False, threads=1)
