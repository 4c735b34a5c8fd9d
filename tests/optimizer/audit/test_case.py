"""The audit reads a scenario on its own, and comes to the figures that the compiler comes to."""

from __future__ import annotations

from dataclasses import fields, replace
from importlib.resources import as_file
from typing import Any

import numpy as np
import pytest

from provgrid_models.compile import compile_scenario
from provgrid_models.files import load_scenario
from provgrid_models.scenario import Scenario
from provgrid_optimizer.audit import case_from_arrays, case_from_scenario
from provgrid_seeds.loader import scenario_folder
from tiny import job, tiny_scenario

KINDS = ("job_kind", "kind_rate_pflops", "kind_reason")  # numbered as each reader likes


def assert_same_figures(scenario: Scenario) -> None:
    """Compare every figure of the two readings."""
    read, compiled = case_from_scenario(scenario), case_from_arrays(compile_scenario(scenario))
    for name in (field.name for field in fields(read) if field.name not in KINDS):
        ours, theirs = getattr(read, name), getattr(compiled, name)
        if name == "never_served":
            assert {(w, round(yuan, 6)) for w, _, yuan in ours} == {(w, round(yuan, 6)) for w, _, yuan in theirs}
        elif isinstance(ours, np.ndarray):
            np.testing.assert_allclose(ours, theirs, rtol=1e-12, atol=1e-15, err_msg=name)
        else:
            assert ours == pytest.approx(theirs, rel=1e-12) if isinstance(ours, float) else ours == theirs, name
    np.testing.assert_allclose(
        read.kind_rate_pflops[read.job_kind], compiled.kind_rate_pflops[compiled.job_kind], rtol=1e-12
    )
    np.testing.assert_array_equal(read.kind_reason[read.job_kind], compiled.kind_reason[compiled.job_kind])


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {
            "settings": {
                "switches": {"links": False, "latency": False, "residency": False, "demand_charge": False},
                "prices": {"carbon_price_yuan_per_t": 100.0, "unserved_multiple": 2.0},
                "limits": {"carbon_budget_t": 5.0},
            }
        },
        {
            "settings": {
                "switches": {"open_zones": [["east", "west"]]},
                "horizon": {"start": "2026-07-01T00:00:00", "periods": 6, "period_h": 2.0},
            }
        },
        {
            "settings": {
                "horizon": {
                    "start": "2026-07-01T00:00:00",
                    "periods": 8,
                    "blocks": [
                        {"start": "2026-07-01T06:00:00", "periods": 3, "weight": 13.0},
                        {"start": "2026-08-01T07:00:00", "periods": 5, "weight": 2.0},
                    ],
                }
            }
        },
        {"jobs": [], "services": [], "demand": []},
        {"contracts": {"sun": {"take_or_pay": True}}},
        {
            "services": {"chat": {"slo_ms": 0.1, "unserved_yuan_per_mtoken": 7.0}, "batch": {"hard": True}},
        },
    ],
    ids=["tiny", "switches off", "open zones", "blocks", "no work", "take or pay", "services"],
)
def test_scenario_and_compiler_agree_on_every_figure(changes: dict[str, Any]) -> None:
    assert_same_figures(tiny_scenario(**changes))


def test_scenario_and_compiler_agree_on_what_becomes_of_every_job() -> None:
    """Done, running, freed, late, hopeless, never ported, out of its zone, hard, and verticals of each."""
    jobs = [
        job("done", work_done_pflop_h=10.0),
        job("freed", after="done", checkpoint_gb=90.0, data_gb=10.0, deadline_h=20.0),
        job("outside", release_h=20.0, deadline_h=30.0),
        job("after_outside", after="outside"),
        job("impossible", family="vision", precision="fp8", residency="east", region="west", max_accelerators=0.1),
        job("after_impossible", after="impossible"),
        job("last_of_chain", after="after_impossible"),
        job(
            "running", pinned_pool="hub_b/fast", data_gb=100.0, checkpoint_gb=4.0, work_done_pflop_h=3.0, after="freed"
        ),
        job("hard", hard=True, unserved_yuan=4.0),
        job("elsewhere", residency="mars"),
        job("too_short", release_h=3.5, deadline_h=3.9, unserved_yuan=33.0),
        job("gang", mode="rigid", data_gb=900.0, move_gbps=1.0, min_accelerators=30.0),
    ]
    scenario = tiny_scenario(jobs=jobs)
    assert_same_figures(scenario)
    assert case_from_scenario(scenario).names.jobs == ["freed", "running", "hard", "gang"]


@pytest.mark.parametrize("name", ["toy", "zhejiang", "national"])
def test_scenario_and_compiler_agree_on_the_built_in_scenarios(name: str) -> None:
    with as_file(scenario_folder(name)) as folder:
        assert_same_figures(load_scenario(folder))


def test_data_that_takes_longer_than_integers_count_never_arrives() -> None:
    whole = compile_scenario(tiny_scenario())
    slow = replace(whole, data_gb=np.full(whole.n_jobs, 1e18), move_gbps=np.full(whole.n_jobs, 1e-9))
    assert (case_from_arrays(slow).move_periods > whole.n_periods).all()
