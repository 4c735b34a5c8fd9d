"""Eleven planted conflicts, each named exactly and ended by the smallest change that is offered.

All are planted in `tiny`, which has room to spare for all else: 20 accelerators at city_a, 100 at hub_b, 50 at prov_c.
"""

from __future__ import annotations

from typing import Any

import pytest

from provgrid_models.compile import compile_scenario
from provgrid_models.errors import InfeasibleError
from provgrid_models.scenario import Scenario
from provgrid_optimizer import highs
from provgrid_optimizer.answers.conflict import Conflict
from provgrid_optimizer.answers.infeasible import Infeasibility, Whole, explain_infeasible
from provgrid_optimizer.engines.milp import milp
from provgrid_optimizer.highs import Answer, Ending
from provgrid_optimizer.options import SolveOptions, ignore_progress
from tiny import job, service, tiny_scenario

ONE_THREAD = SolveOptions(threads=1)
NO_SERVICES: dict[str, Any] = {"services": [], "demand": []}
NO_JOBS: dict[str, Any] = {"jobs": []}


def named(conflict: Conflict) -> dict[tuple[str, str], tuple[int, ...]]:
    """Members of a conflict, and their periods; a job's window is none of its making."""
    work = {(one.kind, one.id): one.periods if one.kind == "service" else () for one in conflict.work}
    return work | {(one.kind, one.id): one.periods for one in conflict.limits}


def closed(conflict: Conflict) -> dict[str, dict[str, str]]:
    return {one.id: {shut.pool: shut.text for shut in one.exclusions} for one in conflict.work}


def only_conflict(scenario: Scenario) -> tuple[Infeasibility, Conflict]:
    """Explain; one conflict is found, and the fix lets every engine serve all hard work."""
    found = explain_infeasible(scenario, ONE_THREAD)
    assert len(found.steps) == 1
    assert found.fixed
    assert not found.feasible
    with pytest.raises(InfeasibleError):
        milp(compile_scenario(scenario), ONE_THREAD, ignore_progress)
    for change in found.steps[0].changes:
        mended = compile_scenario(change.applied(scenario))
        milp(mended, ONE_THREAD, ignore_progress)
    return found, found.steps[0].conflict


def asked_at(hour: int, tokens_per_s: float, otherwise: float = 100.0) -> list[float]:
    return [tokens_per_s if t == hour else otherwise for t in range(12)]


def test_1_too_few_accelerators_in_one_hour() -> None:
    # The east's pools serve 20 * 100 * 0.7 + 50 * 40 * 0.7 = 2,800 tokens/s; at 5 o'clock 3,500 are asked for. The 700
    # that are missing take 700 / 70 = 10 accelerators in the city (half as many again) or 700 / 28 = 25 (the same).
    scenario = tiny_scenario(services={"chat": {"hard": True}}, demand={"chat": asked_at(5, 3500.0)})
    found, conflict = only_conflict(scenario)
    assert named(conflict) == {
        ("service", "chat"): (5,),
        ("capacity", "city_a/fast"): (5,),
        ("capacity", "prov_c/small"): (5,),
    }
    assert closed(conflict) == {"chat": {"hub_b/fast": "data must stay in zone east, pool is in west"}}
    sizes = {change.override: change.share for change in found.steps[0].changes}
    assert sizes == {"pools.city_a/fast.accelerators=30.0": 0.5, "pools.prov_c/small.accelerators=75.0": 0.5}


def test_2_a_power_limit() -> None:
    # prov_c idles at 50 * 0.1 * 1.25 = 6.25 kW; an accelerator at work draws 0.4 * 1.25 = 0.5 kW more. 10 kW leave 3.75
    # kW: 7.5 accelerators or 210 tokens/s. 280 take 10 accelerators, 11.25 kW.
    small = {"city_a/fast": {"accelerators": 0.0}}
    scenario = tiny_scenario(
        pools=small,
        clusters={"prov_c": {"grid_limit_mw": 0.010}},
        services={"chat": {"hard": True}},
        demand={"chat": asked_at(3, 280.0)},
        **NO_JOBS,
    )
    found, conflict = only_conflict(scenario)
    assert named(conflict) == {("service", "chat"): (3,), ("power", "prov_c"): (3,)}
    assert "cluster prov_c can draw grid 10 kW from 2026-07-01 03:00 to 04:00" in conflict.limits[-1].text
    assert closed(conflict)["chat"]["city_a/fast"] == "needs 8 accelerators, pool has 0"
    assert found.fix[0].override == "clusters.prov_c.grid_limit_mw=0.01125"
    assert found.fix[0].share == pytest.approx(0.125)


def test_3_a_grid_limit_at_night_when_renewables_rest() -> None:
    # hub_b idles at 125 * 0.1 * 1.25 * 1.2 = 18.75 kW; at work each draws 0.8 * 1.25 * 1.2 = 1.2 kW more. From
    # 8 o'clock there are 20 kW of sun beside 20 kW of grid: enough for 700 tokens/s, 10 accelerators, 30.75 kW. Before,
    # there is the grid alone. Only hour 2 asks for that much at night.
    scenario = tiny_scenario(
        clusters={"hub_b": {"grid_limit_mw": 0.020}},
        services=[service("far", region="west", slo_ms=5.0, hard=True)],
        demand=[{"service": "far", "period": t, "tokens_per_s": 700.0 if t == 2 or t >= 8 else 0.0} for t in range(12)],
        **NO_JOBS,
    )
    found, conflict = only_conflict(scenario)
    assert named(conflict) == {("service", "far"): (2,), ("power", "hub_b"): (2,)}
    assert "grid 20 kW, solar 0 kW" in conflict.limits[0].text
    assert {pool: text.split(" ms")[0][:7] for pool, text in closed(conflict)["far"].items()} == {
        "city_a/fast": "latency",
        "prov_c/small": "latency",
    }
    assert found.fix[0].override == "clusters.hub_b.grid_limit_mw=0.03075"


def test_4_the_bandwidth_of_a_link() -> None:
    # 400 tokens/s with 10,000 kB in a thousand carry 400 * 10,000 * 8e-9 = 0.032 Gbit/s, over a backbone of 0.02.
    scenario = tiny_scenario(
        links={"backbone": {"bandwidth_gbps": 0.02}},
        services=[service("far", slo_ms=100.0, kb_in_per_ktoken=10_000.0, hard=True, residency="west")],
        demand=[{"service": "far", "period": t, "tokens_per_s": v} for t, v in enumerate(asked_at(7, 400.0))],
        **NO_JOBS,
    )
    found, conflict = only_conflict(scenario)
    assert named(conflict) == {("service", "far"): (7,), ("link", "backbone"): (7,)}
    assert set(closed(conflict)["far"]) == {"city_a/fast", "prov_c/small"}
    assert found.fix[0].override == "links.backbone.bandwidth_gbps=0.032"
    assert [change.override for change in found.steps[0].changes][1:] == ['services.far.residency=""']


def test_5_a_deadline_that_is_too_tight() -> None:
    # 20 PFLOP-h on 10 accelerators: 4 h at 0.5 PFLOPS on fast, 10 h at 0.2 on small; the window has 2.
    found, conflict = only_conflict(tiny_scenario(jobs={"base": {"hard": True, "deadline_h": 2.0}}))
    assert named(conflict) == {("job", "base"): ()}
    assert conflict.work[0].text == "hard job base of east: no pool can ever serve it"
    assert closed(conflict) == {
        "base": {
            "city_a/fast": "window 2 h, work needs 4 h",
            "hub_b/fast": "window 2 h, work needs 4 h",
            "prov_c/small": "window 2 h, work needs 10 h",
        }
    }
    assert {change.override for change in found.steps[0].changes} == {
        "jobs.base.deadline_h=4.0",
        "jobs.base.max_accelerators=20.0",
    }


def test_6_data_that_takes_too_long_to_move() -> None:
    # Vision runs on fast alone and asks for 60 accelerators, so only hub_b has room. 4,500 GB at 1 Gbit/s are 10 h on
    # the way; 20 PFLOP-h at 0.25 PFLOPS on 40 accelerators take 2 more. The window has 11.
    scenario = tiny_scenario(
        jobs=[
            job(
                "film",
                family="vision",
                work_pflop_h=20.0,
                max_accelerators=40.0,
                min_accelerators=60.0,
                data_gb=4500.0,
                move_gbps=1.0,
                deadline_h=11.0,
                hard=True,
            )
        ],
        **NO_SERVICES,
    )
    found, conflict = only_conflict(scenario)
    assert named(conflict) == {("job", "film"): ()}
    assert closed(conflict) == {
        "film": {
            "city_a/fast": "needs 60 accelerators, pool has 20",
            "hub_b/fast": "window 11 h, moving the data takes 10 h, work needs 2 h",
            "prov_c/small": "no binding: vision has no fp16 on small",
        }
    }
    assert found.fix[0].override == "jobs.film.deadline_h=12.0"


def test_7_an_slo_that_cuts_off_the_pools_with_room() -> None:
    # Within 10 ms there are the 2,800 tokens/s of the east; the hub's 7,000 are 33.9 ms away.
    scenario = tiny_scenario(
        services={"chat": {"hard": True, "residency": ""}},
        demand={"chat": asked_at(9, 9000.0)},
    )
    found, conflict = only_conflict(scenario)
    assert set(named(conflict)) == {("service", "chat"), ("capacity", "city_a/fast"), ("capacity", "prov_c/small")}
    assert named(conflict)["service", "chat"] == (9,)
    assert closed(conflict) == {"chat": {"hub_b/fast": "latency 33.9 ms > 10 ms"}}
    # 6,200 tokens/s more take 89 accelerators in the city, 4.45 times what is there; the SLO 2.39 times.
    assert found.fix[0].column == "slo_ms"
    assert found.fix[0].share == pytest.approx(2.39, abs=0.01)


def test_8_a_residency_zone() -> None:
    # 200 PFLOP-h within 6 h: the east has 20 * 0.5 * 6 + 50 * 0.2 * 6 = 120, the hub alone 100 * 0.5 * 6 = 300.
    scenario = tiny_scenario(
        jobs=[job("secret", residency="east", work_pflop_h=200.0, max_accelerators=200.0, release_h=6.0, hard=True)],
        **NO_SERVICES,
    )
    found, conflict = only_conflict(scenario)
    assert set(named(conflict)) == {("job", "secret"), ("capacity", "city_a/fast"), ("capacity", "prov_c/small")}
    assert named(conflict)["capacity", "city_a/fast"] == (6, 7, 8, 9, 10, 11)
    assert closed(conflict) == {"secret": {"hub_b/fast": "data must stay in zone east, pool is in west"}}
    assert 'jobs.secret.residency=""' in {change.override for change in found.steps[0].changes}


def test_9_two_hard_jobs_that_are_too_many_for_a_small_pool() -> None:
    # Each gang of 11 fits among 20 and takes 3 h of 4; both at a time do not, and neither do they one after the other.
    # Divided over starts a half of each would not do either: 2 * 11 * 3 = 66 of 80 accelerator-hours, but each of the
    # two middle hours is in every start: 22 of 20.
    gang = {"family": "vision", "residency": "east", "mode": "rigid", "max_accelerators": 11.0, "deadline_h": 4.0}
    jobs = [job(name, work_pflop_h=8.25, hard=True, **gang) for name in ("left", "right")]
    found, conflict = only_conflict(tiny_scenario(jobs=[*jobs, job("other")], **NO_SERVICES))
    members = named(conflict)
    assert set(members) == {("job", "left"), ("job", "right"), ("capacity", "city_a/fast")}
    assert members["capacity", "city_a/fast"] in {(1,), (2,)}
    assert found.fix[0].override == "pools.city_a/fast.accelerators=22.0"
    assert found.fix[0].share == pytest.approx(0.1)


def test_10_a_chain_that_is_too_long() -> None:
    # Three jobs of 5 h each, one after the other, in 12 h: 25 PFLOP-h at 0.5 PFLOPS on 10 accelerators.
    chain = [
        job("first", work_pflop_h=25.0),
        job("second", work_pflop_h=25.0, after="first"),
        job("third", work_pflop_h=25.0, after="second", hard=True),
    ]
    found, conflict = only_conflict(tiny_scenario(jobs=chain, **NO_SERVICES))
    assert named(conflict) == {
        ("job", "third"): (),
        ("after", "second"): (),
        ("after", "third"): (),
    }
    assert {limit.text for limit in conflict.limits} == {
        "job second starts after job first has finished",
        "job third starts after job second has finished",
    }
    assert found.fixed


def test_11_a_carbon_budget() -> None:
    # 20 accelerators in the city idle at 3.75 kW: 3.75 * 0.6 * 12 = 27 kg. 700 tokens/s take 10 of them at 1.5 kW more:
    # 10 * 1.5 * 0.6 = 9 kg an hour. Of 100 kg, 73 are left: eight hours fit, and any nine of them do not. Twelve take
    # 27 + 108 = 135 kg.
    scenario = tiny_scenario(
        settings={"limits": {"carbon_budget_t": 0.1}},
        pools={"hub_b/fast": None, "prov_c/small": None},
        services={"chat": {"hard": True}},
        demand={"chat": 700.0},
        **NO_JOBS,
    )
    found, conflict = only_conflict(scenario)
    members = named(conflict)
    assert members.keys() == {("service", "chat"), ("carbon", "carbon budget")}
    assert len(members["service", "chat"]) == 9
    assert conflict.limits[0].text == "all clusters may emit 0.1 t of CO2"
    assert [change.override for change in found.steps[0].changes] == ["limits.carbon_budget_t=0.135"]
    assert found.fix[0].text == "carbon budget of all clusters: +0.035 t (0.1 to 0.135)"


def test_a_search_that_is_stopped_says_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    def stopped(*_: Any, **__: Any) -> Answer:
        return Answer(ending=Ending.INTERRUPTED)

    monkeypatch.setattr(highs, "minimise", stopped)
    scenario = tiny_scenario(services={"chat": {"hard": True}}, demand={"chat": asked_at(5, 3500.0)})
    with pytest.raises(KeyboardInterrupt):  # and not: no change ends it
        explain_infeasible(scenario, ONE_THREAD)


def test_whole_jobs_that_would_fit_if_they_were_divided() -> None:
    # Three gangs of 7 for the one hour in the 20 of the city: 21; the fourth pool's work is elsewhere. Two pools of 10
    # would take 2 of 3, in parts all: vision on fast alone, in two clusters of the east.
    gang = {"family": "vision", "mode": "rigid", "max_accelerators": 6.0, "deadline_h": 1.0, "work_pflop_h": 1.5}
    pools = {"city_a/fast": {"accelerators": 10.0}, "hub_b/fast": {"accelerators": 10.0, "availability": 1.0}}
    scenario = tiny_scenario(jobs=[job(n, hard=True, **gang) for n in "abc"], pools=pools, **NO_SERVICES)
    found = explain_infeasible(scenario, ONE_THREAD)
    conflict = found.steps[0].conflict
    assert not conflict.divisible
    assert set(named(conflict)) == {("job", n) for n in "abc"} | {("capacity", p) for p in pools}
    assert found.fix[0].override in {"pools.city_a/fast.accelerators=12.0", "pools.hub_b/fast.accelerators=12.0"}
    milp(compile_scenario(found.fix[0].applied(scenario)), ONE_THREAD, ignore_progress)


def test_conflicts_that_have_nothing_in_common_are_named_one_after_the_other() -> None:
    scenario = tiny_scenario(
        jobs={"base": {"hard": True, "deadline_h": 2.0}},
        services={"chat": {"hard": True}},
        demand={"chat": asked_at(5, 3500.0)},
    )
    found = explain_infeasible(scenario, ONE_THREAD)
    assert [set(named(step.conflict)) for step in found.steps] == [
        {("job", "base")},
        {("service", "chat"), ("capacity", "city_a/fast"), ("capacity", "prov_c/small")},
    ]
    assert found.fixed
    mended = scenario
    for change in found.fix:
        mended = change.applied(mended)
    milp(compile_scenario(mended), ONE_THREAD, ignore_progress)
    assert len(found.conflicts) == len(found.steps[0].conflict.table) + len(found.steps[1].conflict.table)
    assert set(found.changes["conflict"]) == {1, 2}


def test_a_feasible_scenario_is_said_to_be_feasible() -> None:
    found = explain_infeasible(tiny_scenario(jobs={"base": {"hard": True}}), ONE_THREAD)
    assert found.feasible
    assert found.fix == ()
    assert found.whole is Whole.AS_WHOLE
    assert found.to_dict()["feasible"] is True
    assert found.conflicts.empty
