"""The route ledger reconciles with the plan's costs; curtailed energy by hand."""

from __future__ import annotations

import json

import numpy as np
import pytest

from command_line import in_this_process, json_of
from provgrid_models.compile import compile_scenario
from provgrid_models.errors import InfeasibleError, NoPlanError
from provgrid_optimizer.multipliers import Multipliers
from provgrid_optimizer.options import SolveOptions
from provgrid_optimizer.solve import Reference, solve
from random_problems import random_problem
from random_scenarios import random_scenario
from tiny import job, service, tiny_scenario

PRICED = {"fast": {"price_yuan": 100_000.0}, "small": {"price_yuan": 10_000.0}}
PARTS = {
    "energy": "energy_yuan",
    "carbon": "carbon_yuan",
    "demand_charge": "demand_charge_yuan",
    "network": "transfer_yuan",
    "rent": "rent_yuan",
    "subsidy": "subsidy_yuan",
}


def planned(scenario, engine="cheapest"):
    problem = compile_scenario(scenario)
    reference = Reference(multipliers=Multipliers.zero(problem))
    options = SolveOptions(threads=1)
    return solve(problem, engine, options, scenario=scenario, reference=reference, with_policies=False)


def assert_reconciled(plan) -> None:
    table, costs = plan.ledger, plan.component_costs.by_component()
    for component, column in PARTS.items():
        assert table[column].sum() == pytest.approx(costs[component], rel=1e-9, abs=1e-6), component
    assert table["kg"].sum() == pytest.approx(plan.component_costs.carbon_kg, rel=1e-9, abs=1e-6)
    held = (plan.usage.job_accelerators + plan.usage.service_accelerators) @ plan.problem.hours
    kwh = (plan.usage.job_accelerators + plan.usage.service_accelerators) * plan.problem.kw_per_accelerator
    assert table["energy_kwh"].sum() == pytest.approx(float((kwh @ plan.problem.hours).sum()))
    assert table["accelerator_h"].sum() <= float(held.sum()) * (1 + 1e-9)  # a gang is held in whole periods


def test_a_ledger_by_hand():
    # 10 PFLOP-h from the east to hub_b: 20 accelerator-hours * 1.2 kW = 24 kWh at 0.3 yuan, 90 GB at 0.1 yuan, and
    # 0.8 kg a kWh. Without the sun, the charge and the others' work.
    scenario = tiny_scenario(
        jobs=[job("a", data_gb=90.0, pinned_pool="", residency="west", region="east")],
        contracts=[],
        clusters={"hub_b": {"demand_charge_yuan_per_kw_month": 0.0}},
        chips=PRICED,
        services=[],
        demand=[],
    )
    plan = planned(scenario, "milp")
    assert len(plan.ledger) == 1
    row = plan.ledger.iloc[0]
    assert (row["from_province"], row["to_province"], row["jobs"]) == ("Donghai", "Xishan", 1.0)
    assert row["gb"] == pytest.approx(90.0)
    assert row["energy_kwh"] == pytest.approx(24.0)
    assert row["energy_yuan"] == pytest.approx(7.2)
    assert row["tariff_yuan_per_kwh"] == pytest.approx(0.3)
    assert row["kg"] == pytest.approx(19.2)
    assert row["transfer_yuan"] == pytest.approx(9.0)
    assert row["rent_yuan"] == 0.0  # operating cost counts no capital ...
    full = compile_scenario(tiny_scenario(settings={"prices": {"basis": "full"}}, chips=PRICED))
    assert row["capital_yuan"] == pytest.approx(20.0 * full.rent_yuan_per_h[1])  # ... and the ledger shows it
    assert_reconciled(plan)


def test_the_columns_of_the_ledger_sum_to_the_costs_of_random_plans():
    made = 0
    for seed in range(25):
        try:
            plan = planned(random_scenario(seed))
        except (InfeasibleError, NoPlanError):  # hard work that nothing can serve
            continue
        assert_reconciled(plan)
        made += 1
    assert made >= 15


def test_a_plan_of_arrays_has_a_ledger_by_place():
    plan = solve(random_problem(3), "cheapest", SolveOptions(threads=1), with_policies=False)
    assert set(plan.ledger["from_province"]) <= {"0", "1"}
    assert_reconciled(plan)


def test_gigabytes_of_services_are_counted_by_hand():
    # 1,000 tokens/s for 12 h, 10 kB a thousand tokens: 10 kB/s, 36 MB an hour, 0.432 GB, from the west to the east.
    one = service("far", region="west", residency="east", kb_in_per_ktoken=5.0, kb_out_per_ktoken=5.0)
    plan = planned(tiny_scenario(jobs=[], services=[one], demand={"chat": None, "batch": None, "far": 1000.0}))
    away = plan.ledger.query("from_province == 'Xishan' and to_province == 'Donghai'")
    assert away["gb"].sum() == pytest.approx(0.432)
    assert_reconciled(plan)


def test_curtailed_energy_by_hand():
    # 20 kW of sun for 4 hours; with no work the floor of 18.75 kW takes 75 of 80 kWh.
    plan = planned(tiny_scenario(jobs=[], services=[], demand=[]))
    row = plan.curtailed.iloc[0]
    assert (row["cluster"], row["energy"]) == ("hub_b", "solar")
    assert row["offered_kwh"] == pytest.approx(80.0)
    assert row["taken_kwh"] == pytest.approx(75.0)
    assert row["curtailed_share"] == pytest.approx(5.0 / 80.0)
    # Work in the west takes the rest.
    west = job("a", region="west", residency="west", work_pflop_h=200.0, max_accelerators=60.0)
    busy = planned(tiny_scenario(jobs=[west], services=[], demand=[]), "milp")
    assert busy.curtailed["curtailed_kwh"].iloc[0] == pytest.approx(0.0, abs=1e-6)


def test_the_command_prints_both_tables(tmp_path):
    plan = planned(tiny_scenario())
    plan.save(tmp_path / "run")
    record = json_of(in_this_process("ledger", tmp_path / "run", "--json"))
    assert len(record["ledger"]) == len(plan.ledger)
    total = sum(row["energy_yuan"] for row in record["ledger"])
    assert total == pytest.approx(plan.component_costs.energy)
    assert json.dumps(record)
    assert np.isclose(record["curtailed"][0]["offered_kwh"], 80.0)
    said = in_this_process("ledger", tmp_path / "run").stdout
    assert "Donghai" in said
    assert "curtailed" in said
