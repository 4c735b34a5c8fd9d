"""Fronts: every point the cheapest within its limit, the ends lexicographic, dominated points marked."""

from __future__ import annotations

import itertools
from dataclasses import replace

import numpy as np
import pytest

import provgrid as pg
from command_line import in_this_process, json_of, one_line
from provgrid.sweeps import point
from provgrid.sweeps.pareto import efficient
from provgrid.sweeps.point import Row
from provgrid.sweeps.results import Front
from provgrid.why import of_front
from provgrid_models.compile import compile_scenario
from provgrid_models.errors import ASK_WHY, InfeasibleError, OptionError
from provgrid_models.files import save_scenario
from provgrid_optimizer.answers.lexicographic import least_carbon_at_kg, least_carbon_kg
from provgrid_optimizer.options import SolveOptions
from tiny import job, tiny_scenario

ONE = SolveOptions(threads=1)
ALONE = {"services": [], "demand": []}


@pytest.fixture(scope="module")
def points(tmp_path_factory):
    return tmp_path_factory.mktemp("points")


@pytest.fixture(scope="module")
def front(points):
    return pg.pareto("toy", points=4, folder=points)


def test_less_carbon_costs_more_and_no_work_is_left(front):
    cost, carbon = front.table["total_yuan"].to_numpy(), front.table["total_carbon_t"].to_numpy()
    assert front.efficient == (True,) * 4
    assert (np.diff(cost) > 0).all()
    assert (np.diff(carbon) < 0).all()
    assert (carbon <= np.array(front.limits) * (1 + 1e-6)).all()
    assert front.table["unserved_share"].max() == pytest.approx(0.0, abs=1e-9)
    # The front of a linear program is convex: each tonne costs more than the one before.
    assert (np.diff(np.diff(cost) / -np.diff(carbon)) > -1e-3).all()


def test_the_ends_are_the_cheapest_and_the_greenest(front):
    cheapest = pg.solve(pg.load("toy"), engine="lp", policies=False, threads=1)
    assert front.rows[0].objective_yuan == pytest.approx(cheapest.objective_yuan, rel=1e-6)
    least_t = front.limits[-1]
    for factor in (1.0001, 0.9999):
        scenario = pg.load("toy", [f"limits.carbon_budget_t={least_t * factor}"])
        jobs, services = (frame.assign(hard=True) for frame in (scenario.jobs, scenario.services))
        held = replace(scenario, jobs=jobs, services=services)
        if factor > 1:
            tight = pg.solve(held, engine="lp", policies=False, threads=1)
            assert tight.objective_yuan == pytest.approx(front.rows[-1].objective_yuan, rel=1e-2)
            assert tight.objective_yuan <= front.rows[-1].objective_yuan * (1 + 1e-6)
        else:
            with pytest.raises(InfeasibleError):
                pg.solve(held, engine="lp", policies=False)


def test_of_two_ways_that_cost_the_same_the_cheapest_end_takes_the_greener(tmp_path):
    # The same price everywhere, and the same accelerators; the east emits 0.6 kg/kWh, the west 0.8: the program is
    # free to run 20 h of fast at either, 1.5 kW each, and the greener end of the cheapest is 30 kWh * 0.6 = 18 kg.
    scenario = tiny_scenario(
        jobs=[job("a")],
        tariffs=[{"tariff": name, "price_yuan_per_kwh": 0.5} for name in ("east", "west")],
        clusters={"hub_b": {"demand_charge_yuan_per_kw_month": 0.0, "pue": 1.5}},
        contracts={"sun": None},
        pools={"prov_c/small": None},
        **ALONE,
    )
    problem = compile_scenario(scenario)
    plan = pg.solve(scenario, engine="lp", policies=False, threads=1)
    assert plan.objective_yuan == pytest.approx(15.0)
    assert least_carbon_at_kg(problem, 15.0, ONE) - problem.floor_supply.kg == pytest.approx(18.0)
    save_scenario(scenario, tmp_path / "scenario")
    found = pg.pareto(tmp_path / "scenario", points=3, folder=tmp_path / "points")
    assert [row.carbon_t for row in found.rows] == pytest.approx([0.018] * 3, rel=1e-5)
    assert found.efficient == (True, False, False)  # all the same: the first one counts
    assert found.marks == ("", "as above", "as above")


def test_the_least_carbon_leaves_soft_work_and_serves_hard_work():
    soft = compile_scenario(tiny_scenario(jobs=[job("a")], **ALONE))
    assert least_carbon_kg(soft, "lp", ONE) == pytest.approx(least_carbon_kg(soft, "milp", ONE), rel=1e-6)
    hard = compile_scenario(tiny_scenario(jobs=[job("a", hard=True)], **ALONE))
    # From 8 h on 20 kW of sun in the west hold 1.25 kW above its floor of 18.75 kW: 4 h * 1.25 kW without a gram. The
    # rest: 50 h of small in the east, 0.5 kW * 0.6 kg, are 15 kg; 24 kWh of fast in the west at 0.8 are 19.2.
    # 5 of the west's 24 kWh are a share of 5 / 24 of the job, so that 19 / 24 of 15 kg are left.
    added = least_carbon_kg(hard, "lp", ONE) - least_carbon_kg(soft, "lp", ONE)
    assert added == pytest.approx(15.0 * 19.0 / 24.0, rel=1e-6)


def test_a_nearer_plan_costs_more(tmp_path):
    found = pg.pareto("toy", ["cost", "latency"], points=3, folder=tmp_path)
    shares, cost = found.table["slo_share"].to_numpy(), found.table["total_yuan"].to_numpy()
    assert (shares <= np.array(found.limits) * (1 + 1e-9)).all()
    assert all(b > a for a, b in itertools.pairwise(cost[list(found.efficient)]))
    assert found.table["unserved_share"].max() == pytest.approx(0.0, abs=1e-9)
    # At its own SLOs (a share of 1) the scenario's plan is one that the front knows.
    own = pg.solve(pg.load("toy"), engine="lp", policies=False).objective_yuan
    within = [row.objective_yuan for row in found.rows if row.slo_share <= 1.0]
    assert min(within) == pytest.approx(own, rel=1e-6)


def test_what_another_point_beats_is_marked():
    def row(yuan, tonnes):
        return Row(status="optimal", objective_yuan=yuan, constants_yuan=0.0, total_carbon_t=tonnes)

    none = Row(status="infeasible", reason="...")
    rows = [row(10.0, 5.0), row(11.0, 5.0), row(12.0, 4.0), none, row(12.0, 4.0), row(9.0, 6.0)]
    good = efficient(rows, "total_carbon_t")
    assert good == (True, False, True, False, False, True)
    front = Front(
        scenario="s",
        engine="lp",
        objectives=("cost", "carbon"),
        other="total_carbon_t",
        limits=(0.0,) * len(rows),
        rows=tuple(rows),
        efficient=good,
    )
    assert front.marks == ("", "dominated", "", "", "as above", "")  # what has no plan is beaten by none


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--objectives", "cost,beauty"], "cost,carbon or cost,latency"),
        (["--objectives", "carbon,cost"], "cost,carbon or cost,latency"),
        (["--points", "1"], "the two ends"),
    ],
)
def test_other_objectives_are_refused(arguments, said, tmp_path):
    assert said in one_line(in_this_process("pareto", "toy", *arguments, "--points-in", tmp_path), 2)


def test_the_command_prints_what_the_front_holds(front, points):
    arguments = ("pareto", "toy", "--points", "4", "--points-in", points, "--jobs", "1")
    said = in_this_process(*arguments)
    assert said.returncode == 0, said.stderr
    assert "a relaxation" in said.stdout
    record = json_of(in_this_process(*arguments, "--json"))
    assert record["made"] == 0
    assert record["rows"] == front.to_dict()["rows"]


@pytest.mark.parametrize(
    ("engine", "advice"),
    [
        ("heuristic", "; take engine lp, or milp for a small scenario"),
        ("milp", "; take engine lp"),
        ("lp", ""),  # what is impossible in parts is impossible in whole too
    ],
)
def test_work_that_the_front_made_hard_is_not_called_hard_of_the_scenario(engine, advice):
    said = of_front(f"hard job a found no place; add capacity{ASK_WHY}", engine)
    found = "hard job a found no place; add capacity" if engine == "lp" else "hard job a found no place"
    kept = f"{found}; a front's other plans serve all work that its cheapest plan serves"
    assert said == kept + advice


def test_a_greenest_plan_that_an_engine_does_not_find_ends_with_the_engines_that_do(tmp_path, monkeypatch):
    def none_kept(asked):
        if asked.keeps:
            return Row(status="no_plan", reason=f"hard job a found no place; add capacity{ASK_WHY}")
        return Row(status="finished", objective_yuan=1.0, constants_yuan=0.0, total_carbon_t=1.0)

    monkeypatch.setattr(point, "make", none_kept)
    said = one_line(
        in_this_process("pareto", "toy", "--engine", "heuristic", "--jobs", "1", "--points-in", tmp_path), 5
    )
    assert "the front has no end: hard job a found no place; a front's other plans" in said
    assert "--infeasible" not in said
    assert "take engine lp" in said


def test_a_scenario_without_services_has_no_latency(tmp_path):
    save_scenario(tiny_scenario(**ALONE), tmp_path / "scenario")
    with pytest.raises(OptionError, match="holds no service"):
        pg.pareto(tmp_path / "scenario", ["cost", "latency"], folder=tmp_path / "points")
