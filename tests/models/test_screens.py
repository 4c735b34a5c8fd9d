"""Screens against arithmetic by hand; the tiny scenario is described in tests/tiny.py."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from provgrid_models.compile import compile_scenario
from provgrid_models.files import check_scenario, save_scenario
from provgrid_models.screens import must_use, screens
from tiny import SHORT, job, service, tiny_scenario


def found(**changes: Any) -> list[tuple[str, str]]:
    scenario = tiny_scenario(**changes)
    return [(finding.severity, finding.text()) for finding in screens(scenario, compile_scenario(scenario))]


def test_what_can_be_served_gives_no_findings():
    assert found() == []


def test_a_class_that_asks_for_more_than_it_can_reach_is_named_with_region_and_period():
    # chat stays in the east: 20 fast + 50 small accelerators. On fast one serves 100 * 0.7 = 70 tokens/s,
    # so 7,000 tokens/s need at least 100 accelerators.
    demand = [100.0] * 12
    demand[5] = 7000.0
    assert found(demand={"chat": demand}) == [
        (
            "warning",
            "demand.csv: the instant class in east can reach 70 accelerators and asks for 100 at period 5. "
            "What does not fit stays unserved, at its price.",
        )
    ]


def test_services_of_one_class_are_counted_together():
    # Twice 3,500 tokens/s: 50 accelerators each fit alone, 100 together do not.
    services = [service(name, slo_class="instant", residency="east") for name in ("one", "two")]
    rows = [{"service": s["id"], "period": 0, "tokens_per_s": 3500.0} for s in services]
    texts = [text for _, text in found(services=services, demand=rows)]
    assert texts == [
        "demand.csv: the instant class in east can reach 70 accelerators and asks for 100 at period 0. "
        "What does not fit stays unserved, at its price."
    ]
    assert found(services=services[:1], demand=rows[:1]) == []


def test_a_class_without_a_name_goes_by_its_slo():
    services = [service("one", slo_ms=10.0, residency="east")]
    rows = [{"service": "one", "period": 0, "tokens_per_s": 7000.0}]
    assert "the 10 ms class in east" in found(services=services, demand=rows)[0][1]


def test_hard_services_alone_too_large_are_an_error_and_soft_ones_beside_them_are_not():
    services = [service(name, slo_class="instant", residency="east", hard=name == "hard") for name in ("hard", "soft")]
    large, small = 7000.0, 70.0
    for hard_tokens, soft_tokens, severity in ((large, small, "error"), (small, large, "warning")):
        rows = [
            {"service": "hard", "period": 0, "tokens_per_s": hard_tokens},
            {"service": "soft", "period": 0, "tokens_per_s": soft_tokens},
        ]
        assert [s for s, _ in found(services=services, demand=rows)] == [severity]


def jobs_in_three_hours(count: int, **changes: Any) -> list[dict[str, Any]]:
    """Each needs 30 / 0.5 = 60 accelerator-hours on fast, 30 / 0.2 = 150 on small, between 2 and 5 h."""
    row = {"work_pflop_h": 30.0, "release_h": 2.0, "deadline_h": 5.0, "max_accelerators": 60.0, "residency": "east"}
    return [job(f"j{i}", **row, **changes) for i in range(count)]


def test_jobs_that_do_not_fit_a_window_are_named_with_the_window():
    # In the east 70 accelerators have 210 accelerator-hours in 3 h; four jobs ask for at least 240.
    assert found(jobs=jobs_in_three_hours(4)) == [
        (
            "warning",
            "jobs.csv: jobs in east can reach 210 accelerator-hours in periods 2 to 4 and ask for 240 there. "
            "What does not fit stays unserved, at its price.",
        )
    ]
    assert found(jobs=jobs_in_three_hours(3)) == []


def test_hard_jobs_that_do_not_fit_are_an_error():
    assert [severity for severity, _ in found(jobs=jobs_in_three_hours(4, hard=True))] == ["error"]


def test_jobs_with_wider_windows_do_not_count_against_a_narrow_one():
    narrow = jobs_in_three_hours(3)
    wide = [row | {"id": f"wide-{row['id']}", "deadline_h": 12.0} for row in jobs_in_three_hours(3)]
    # 6 * 60 = 360 accelerator-hours in 10 h of 70 accelerators fit; the narrow three ask for 180 of 210.
    assert found(jobs=narrow + wide) == []


def test_work_beyond_all_capacity_is_reported():
    # 170 accelerators for 12 h have 2,040 accelerator-hours. chat asks for 12 * 10,000 / 70 = 1,714, batch for
    # 12 * 80 / 80 = 12, and four jobs from the west for 200 / 0.5 = 400 each.
    jobs = [job(f"j{i}", region="west", work_pflop_h=200.0, max_accelerators=80.0) for i in range(4)]
    texts = [text for _, text in found(jobs=jobs, demand={"chat": 10_000.0, "batch": 80.0})]
    assert texts[-1] == (
        "pools.csv: all work asks for 3,326 accelerator-hours, all pools have 2,040. "
        "What does not fit stays unserved, at its price."
    )


def test_traffic_that_cannot_avoid_a_link_is_held_against_its_bandwidth():
    # The far service may leave the west only over the backbone: its data stays in the east. 700 tokens/s at
    # 20,000 kB per thousand tokens are 700 * 20,000 * 8e-9 = 0.112 Gbit/s.
    services = [service("far", region="west", kb_out_per_ktoken=20_000.0, residency="east", slo_ms=500.0)]
    rows = [{"service": "far", "period": 7, "tokens_per_s": 700.0}]
    scenario = tiny_scenario(services=services, demand=rows)
    problem = compile_scenario(scenario)
    assert [scenario.links[i].id for i in must_use(problem)[0].nonzero()[0]] == ["backbone"]
    line = (
        "links.csv: link backbone carries 0.1 Gbit/s and services that have no other way ask for 0.112 at period 7. "
        "What does not fit stays unserved, at its price."
    )
    for limit_gbps, expected in ((0.1, [line]), (0.12, [])):
        links = {"backbone": {"bandwidth_gbps": limit_gbps}}
        assert [text for _, text in found(services=services, demand=rows, links=links)] == expected


@pytest.mark.parametrize(
    ("grid_limit_mw", "expected"),
    [
        # Idle: 125 * 0.1 kW * 1.25 * 1.2 = 18.75 kW. Full load: 100 * 0.8 * 1.25 * 1.2 = 120 kW more.
        (0.018, ("error", "its idle accelerators draw 0.01875 MW")),
        (0.1, ("warning", "at full load it draws 0.13875 MW")),
        (0.139, None),
    ],
)
def test_a_cluster_whose_supply_is_too_small_is_named(grid_limit_mw: float, expected: tuple[str, str] | None):
    power = [line for line in found(clusters={"hub_b": {"grid_limit_mw": grid_limit_mw}}) if "cluster" in line[1]]
    assert len(power) == (expected is not None)
    if expected:
        assert power[0][0] == expected[0]
        assert expected[1] in power[0][1]


def test_work_that_no_pool_can_ever_serve_is_listed():
    severities = found(services={"chat": {"slo_ms": 0.6}})
    assert [severity for severity, _ in severities] == ["warning"]
    text = 'services.csv column id: found "chat"; no pool can ever serve it: latency above the SLO (810 yuan)'
    text += ". Raise its slo_ms, or give a pool that is nearer or faster."
    assert severities == [("warning", text)]


@pytest.mark.parametrize(
    ("change", "cure"),
    [
        ({"family": "vision"}, "Add a row to bindings.csv for its family, vision, and the chip of a pool."),
        ({"min_accelerators": 999.0}, "Enlarge a pool, or lower min_accelerators in bindings.csv."),
        ({"mode": "rigid", "max_accelerators": 500.0}, "Lower its max_accelerators, the gang, or enlarge a pool."),
        ({"deadline_h": 1.0, "work_pflop_h": 900.0}, "Widen its window, or raise its max_accelerators."),
    ],
)
def test_work_that_no_pool_can_ever_serve_says_what_would_open_one(change: dict[str, Any], cure: str):
    bindings = [row for row in SHORT["bindings"] if row["family"] != "vision"]
    (text,) = [text for _, text in found(jobs=[job("a", **change)], bindings=bindings, services=[], demand=[])]
    assert cure in text


def test_jobs_and_services_out_of_reach_are_told_apart_and_counted():
    # A service may bear the id of a job; 25 jobs of which 20 are listed.
    jobs = [job(f"w{i}", family="vision", min_accelerators=999.0) for i in range(25)]
    services = [service("w0", slo_ms=0.6), service("w24", slo_ms=0.6)]
    rows = [{"service": row["id"], "period": 0, "tokens_per_s": 1.0} for row in services]
    texts = [text for _, text in found(jobs=jobs, services=services, demand=rows)]
    assert [text.split(";")[0] for text in texts] == [
        *(f'jobs.csv column id: found "w{i}"' for i in range(20)),
        "jobs.csv column id: 5 more jobs that no pool can ever serve",
        'services.csv column id: found "w0"',
        'services.csv column id: found "w24"',
    ]


def test_findings_name_the_parquet_file_where_there_is_one(tmp_path: Path):
    folder = save_scenario(tiny_scenario(services={"chat": {"slo_ms": 0.6}}), tmp_path, format="parquet")
    assert [finding.file for finding in check_scenario(folder)] == ["services.parquet"]
