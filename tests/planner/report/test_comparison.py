from __future__ import annotations

from dataclasses import replace

import pytest

import provgrid as pg
from provgrid.report.comparison import flow_changes, input_changes, runs, same_problem, saving_against, sentences
from provgrid.report.page import report_html
from provgrid.report.sections import result_tables
from provgrid.report.subject import Subject, subject_of_plan
from provgrid.report.wording import Wording
from provgrid_optimizer.savings import saving
from tiny import tiny_scenario


@pytest.fixture(scope="module")
def local() -> Subject:
    return subject_of_plan(pg.solve(tiny_scenario(), engine="local", policies=False, passes=5))


@pytest.fixture(scope="module")
def cheapest(local: Subject) -> Subject:
    return subject_of_plan(pg.solve(local.plan.problem, engine="cheapest", policies=False, passes=5), name="other")


def test_a_run_is_held_against_the_first_on_the_work_that_both_serve(local: Subject, cheapest: Subject) -> None:
    share = saving(cheapest.plan, local.plan).share
    assert share is not None
    assert saving_against(cheapest, local) == share
    said = sentences((local, cheapest), Wording.of("en"))
    less = local.plan.objective_yuan - cheapest.plan.objective_yuan
    assert said[0] == f"other costs {Wording.of('en').numbers.yuan(less)} less than tiny-local."
    assert said[1].startswith("On the work that both serve it ")
    table = runs((local, cheapest)).set_index("run")
    assert table.loc["other", "first_saving"] == share
    assert table["first_saving"].isna().to_dict() == {"tiny-local": True, "other": False}


def test_runs_of_other_inputs_have_no_saving(local: Subject) -> None:
    dearer = tiny_scenario(settings={"prices": {"carbon_price_yuan_per_t": 500.0}})
    other = subject_of_plan(pg.solve(dearer, engine="local", policies=False, passes=5))
    assert not same_problem(other, local)
    assert saving_against(other, local) is None
    assert sentences((local, other), Wording.of("zh"))[-1] == "两者输入不同，因此不算节省。"
    changes = input_changes((local, other)).set_index("where")
    assert changes.loc["prices.carbon_price_yuan_per_t", ["run", "kind", "after"]].to_list() == [
        other.name,
        "setting",
        500.0,
    ]


def test_many_rows_that_differ_are_told_in_the_language_of_the_report(local: Subject) -> None:
    assert local.plan.scenario is not None
    tariffs = local.plan.scenario.tariffs.assign(price_yuan_per_kwh=2.0).to_dict("records")
    dearer = subject_of_plan(pg.solve(tiny_scenario(tariffs=tariffs), engine="local", policies=False, passes=5))
    (inputs,) = [one for one in result_tables((local, dearer), Wording.of("zh")) if one.key == "inputs"]
    shown = [cell.shown for row in inputs.rows for cell in row]
    assert "25行，如 east summer 0, east summer 1, east summer 2" in shown


def test_flows_that_differ_from_the_first_run_are_listed_with_their_run(local: Subject, cheapest: Subject) -> None:
    changed = flow_changes((local, cheapest))
    assert set(changed["run"]) == {"other"}
    change = changed["accelerator_h_after"] - changed["accelerator_h_before"]
    assert changed["accelerator_h_change"].to_list() == pytest.approx(change.to_list())
    text = report_html([local, cheapest], "en")
    assert all(f'data-table="{key}"' in text for key in ("runs", "inputs", "flows"))


def test_runs_read_from_folders_are_of_one_problem_where_their_source_is(local: Subject, cheapest: Subject) -> None:
    copy = replace(local.plan, problem=replace(local.plan.problem))
    marked = [replace(one, manifest={"source_sha256": "same"}) for one in (local, cheapest)]
    assert same_problem(replace(marked[0], plan=copy), marked[1])
    assert not same_problem(replace(marked[0], plan=copy), replace(cheapest, manifest={"source_sha256": "other"}))


def test_the_ideal_saves_nothing_against_a_plan(local: Subject) -> None:
    ideal = subject_of_plan(pg.solve(local.plan.problem, engine="lp", policies=False), name="ideal")
    assert saving_against(ideal, local) is None
    assert sentences((local, ideal), Wording.of("en"))[-1].startswith("One of them is a relaxation")
