"""Why pools are closed, in figures: the codes are those of the compiled problem, the figures break their limits."""

from __future__ import annotations

import numpy as np
import pytest

from provgrid_models.compile import compile_scenario
from provgrid_models.eligibility import exclusions_of_arrays, exclusions_of_job, exclusions_of_service
from provgrid_models.errors import InfeasibleError
from provgrid_models.reasons import Reason
from random_scenarios import random_scenario
from tiny import SHORT, job, service, tiny_scenario


def test_every_closed_pool_of_the_problem_has_its_code_and_a_figure_beyond_its_limit() -> None:
    seen: set[Reason] = set()
    for seed in range(30):
        scenario = random_scenario(seed)
        try:
            problem = compile_scenario(scenario)
        except InfeasibleError:
            continue
        codes = problem.reasons(slice(None))
        rows = [(exclusions_of_job(scenario, name), codes[j]) for j, name in enumerate(problem.labels.jobs or ())]
        rows += [
            (exclusions_of_service(scenario, name), problem.service_reason[s])
            for s, name in enumerate(problem.labels.services or ())
        ]
        for found, reasons in rows:
            expected = {scenario.pools[p].id: int(reasons[p]) for p in np.flatnonzero(reasons).tolist()}
            assert {pool: int(one.reason) for pool, one in found.items()} == expected
            for one in found.values():
                seen.add(one.reason)
                if one.found is None or one.limit is None or np.isnan(one.found):
                    continue
                assert one.found > one.limit * (1.0 - 1e-9), one
                assert one.unit in ("h", "ms", "accelerators")
    assert len(seen) >= 6, seen


@pytest.mark.parametrize(
    ("metric", "slo_ms", "said"),
    [
        # 2,158 km of great circle: 2 * (2,158 * 5 us * 1.5 + 1 ms) = 33.9 ms; ttft adds 20 of queue and 50 of prefill
        ("network_rtt", 10.0, "latency 33.9 ms > 10 ms"),
        ("ttft", 100.0, "time to first token 103.9 ms > 100 ms"),
    ],
)
def test_an_slo_says_the_metric_that_it_bounds(metric: str, slo_ms: float, said: str) -> None:
    chat = service("chat", slo_metric=metric, slo_ms=slo_ms)
    scenario = tiny_scenario(services=[chat], demand=[{"service": "chat", "period": 0, "tokens_per_s": 1.0}])
    assert exclusions_of_service(scenario, "chat")["hub_b/fast"].text == said


def test_a_window_without_a_whole_period_is_said_so_for_every_pool() -> None:
    scenario = tiny_scenario(jobs=[job("brief", release_h=1.2, deadline_h=1.8)])
    found = exclusions_of_job(scenario, "brief")
    assert set(found) == {pool.id for pool in scenario.pools}
    assert found["city_a/fast"].text == "the window of 0.6 h holds no whole period of 1 h"
    assert found["city_a/fast"].reason is Reason.WINDOW_TOO_SHORT


def test_a_port_that_has_a_price_is_offered() -> None:
    port = {"family": "vision", "chip": "small", "mfu": 0.4, "port_yuan": 5000.0}
    scenario = tiny_scenario(
        jobs=[job("film", family="vision")], bindings=[*SHORT["bindings"], port], services=[], demand=[]
    )
    said = exclusions_of_job(scenario, "film")["prov_c/small"].text
    assert said == "no binding: vision has no fp16 on small; a port costs 5,000 yuan"


def test_arrays_have_codes_and_no_figures() -> None:
    problem = compile_scenario(tiny_scenario())
    reasons = np.array([0, int(Reason.SLO), int(Reason.NO_ROUTE)])
    found = exclusions_of_arrays(problem, reasons)
    assert {pool: one.text for pool, one in found.items()} == {
        "hub_b/fast": "latency above the SLO",
        "prov_c/small": "no route from the region",
    }
    assert found["hub_b/fast"].to_dict()["reason"] == "slo"


def test_the_checkpoint_of_a_base_that_is_done_moves_with_the_data() -> None:
    # 4,500 GB at 1 Gbit/s: 10 h on the way in a window of 12; 20 PFLOP-h on 10 accelerators take 4 h on fast.
    done = job("base", work_pflop_h=10.0, work_done_pflop_h=10.0)
    heir = job("heir", after="base", checkpoint_gb=4500.0, move_gbps=1.0, work_pflop_h=20.0)
    found = exclusions_of_job(tiny_scenario(jobs=[done, heir]), "heir")
    assert found["hub_b/fast"].text == "window 12 h, moving the data takes 10 h, work needs 4 h"
    assert "city_a/fast" not in found
