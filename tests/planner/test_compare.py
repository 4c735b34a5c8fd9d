"""`provgrid compare`: runs and scenarios, two of them or one against a policy."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

import provgrid as pg
from command_line import in_this_process, json_of, one_line
from provgrid.cli.compare import _adds_up, _change
from provgrid_models.files import save_scenario
from tiny import job, tiny_scenario


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A scenario, and its runs by two engines."""
    folder = tmp_path_factory.mktemp("runs")
    save_scenario(tiny_scenario(jobs=[job("a")], services=[], demand=[]), folder / "scenario")
    for engine in ("cheapest", "lp"):
        pg.solve(pg.load(folder / "scenario"), engine=engine, policies=False, threads=1).save(folder / engine)
    return folder


def test_two_runs_are_compared_as_the_api_does(runs):
    record = json_of(in_this_process("compare", runs / "cheapest", runs / "lp", "--json"))
    assert record == pg.open(runs / "cheapest").compare(pg.open(runs / "lp")).to_dict()
    said = in_this_process("compare", runs / "cheapest", runs / "lp").stdout
    order = [said.index(text) for text in ("inputs that differ", "on common work", "no flow changed")]
    assert order == sorted(order)
    assert "a bound and an ideal, its cost is no saving" in said


def test_a_scenario_is_planned_as_the_run_beside_it_was(runs):
    arguments = ("compare", runs / "lp", runs / "scenario", "--json")
    record = json_of(in_this_process(*arguments))
    assert record["inputs"] == []
    assert record["after"]["engine"] == "lp"
    assert record["difference_yuan"] == pytest.approx(0.0, abs=1e-6)
    dearer = json_of(in_this_process(*arguments, "--set", "tariffs.*.price_yuan_per_kwh*=2"))
    assert {row["where"] for row in dearer["inputs"]} == {"tariffs"}
    assert dearer["difference_yuan"] > 0
    said = in_this_process("compare", runs / "cheapest", runs / "cheapest").stdout  # of one engine: not its name twice
    assert next(line.split()[:3] for line in said.splitlines() if line.startswith("yuan")) == [
        "yuan",
        "before",
        "after",
    ]


def test_work_that_no_pool_can_serve_stands_beside_the_share_that_is_left(runs):
    arguments = ("compare", runs / "cheapest", runs / "scenario", "--set", "jobs.a.min_accelerators=1000")
    said = in_this_process(*arguments, "--set", "jobs.a.max_accelerators=1000").stdout
    after = pg.load(runs / "scenario", ["jobs.a.min_accelerators=1000", "jobs.a.max_accelerators=1000"])
    (yuan,) = (yuan for _, _, yuan in pg.compile(after).never_served)
    assert "\nunserved: 0.00% before, 0.00% after, of what some pool can serve\n" in said
    assert f"\nwork that no pool can serve, in neither share: none before, 1 job ({yuan:,.0f} yuan) after\n" in said
    assert "never_served: work that no pool can serve), which solve shows beside its cost" in said


@pytest.mark.parametrize(
    ("rows", "adds_up"),
    [
        ([[9.0, 10.0, 1.0, 0.0, 0.0, 1.0], [5.0, 3.0, 0.0, -2.0, 0.0, -2.0]], True),
        ([[9.0, 9.4, 0.4, 0.0, 0.0, 0.4], [5.0, 5.4, 0.4, 0.0, 0.0, 0.4]], False),  # 9 + 5, and 14.8 in all
        ([[1.4, 2.6, 1.2, 0.0, 0.0, 1.2]], False),  # 3 less 1, and 1
        ([[1.0, 2.0, 0.4, 0.6, 0.0, 1.0]], True),
        ([[1.0, 3.0, 0.6, 1.4, 0.0, 2.0]], True),
        ([[1.0, 3.0, 0.7, 0.7, 0.6, 2.0]], False),
    ],
)
def test_a_table_of_whole_yuan_that_does_not_add_up_is_known(rows, adds_up):
    assert _adds_up(np.array(rows)) is adds_up


def test_rounding_is_told_below_the_table_that_it_shows_in(runs):
    said = in_this_process(
        "compare", runs / "cheapest", runs / "scenario", "--set", "tariffs.*.price_yuan_per_kwh=0.31"
    )
    assert "rounded to whole yuan, so that rows and columns may add up to a little more or less\n" in said.stdout


@pytest.mark.parametrize(
    ("value", "told"),
    [(-107.6123, "-107.6"), (12345.6, "+12,346"), (8.63e-5, "0"), (-1e-9, "0"), (-0.07541, "-0.07541")],
)
def test_a_change_is_told_without_powers_of_ten(value, told):
    assert _change(value, 4) == told


def test_against_a_policy_both_questions_are_answered(runs):
    said = in_this_process("compare", runs / "scenario", "--against", "local", "--engine", "milp").stdout
    assert "what optimising saves, against local" in said
    assert "what moving work out of its own province saves" in said
    record = json_of(in_this_process("compare", runs / "lp", "--against", "local", "--json"))
    assert record["optimising"].keys() == {"most_yuan"}  # of a relaxation there is no more to say
    assert record["moving"]["low_yuan"] <= record["moving"]["found_yuan"] <= record["moving"]["high_yuan"] + 1e-9


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ([], "two plans, or one plan and --against"),
        (["lp", "--against", "local"], "two plans, or one plan and --against"),
        (["lp", "--set", "prices.unserved_multiple=2"], "both plans are runs already"),
        (["nothing"], "no such folder"),
        (["--against", "nobody"], "no policy 'nobody'"),
    ],
)
def test_what_cannot_be_compared_is_refused(runs, arguments, said):
    named = [str(runs / name) if name in ("lp", "nothing") else name for name in arguments]
    assert said in one_line(in_this_process("compare", runs / "lp", *named), 2)
