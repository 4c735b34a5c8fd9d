"""`import provgrid as pg`: from a folder to a plan and back, in one process."""

from __future__ import annotations

import copy
from pathlib import Path

import pytest

import provgrid as pg
from provgrid_models.files import save_scenario
from provgrid_optimizer.matrix import assemble
from tiny import tiny_scenario


def test_a_folder_is_checked_loaded_compiled_solved_and_opened_again(tmp_path: Path) -> None:
    folder = save_scenario(tiny_scenario(), tmp_path / "tiny")
    assert [finding for finding in pg.check(folder) if finding.severity == "error"] == []
    scenario = pg.load(folder, set=["prices.carbon_price_yuan_per_t=80"])
    assert scenario.settings.prices.carbon_price_yuan_per_t == 80
    problem = pg.compile(scenario)
    assert problem.n_pools == len(scenario.pools)
    plan = pg.solve(problem, engine="lp", policies=False)
    with_scenario = pg.solve(scenario, engine="lp", policies=False)
    assert plan.objective_yuan == pytest.approx(with_scenario.objective_yuan, rel=1e-9)
    with_scenario.save(tmp_path / "run")
    opened = pg.open(tmp_path / "run")
    assert opened.objective_yuan == pytest.approx(with_scenario.objective_yuan, rel=1e-9)
    assert opened.audit.violations == ()


def test_a_wrong_folder_is_a_finding_to_check_and_an_error_to_load(tmp_path: Path) -> None:
    assert [finding.code for finding in pg.check(tmp_path / "nowhere")] == ["no-folder"]
    with pytest.raises(pg.ScenarioError, match="no such folder") as error:
        pg.load(tmp_path / "nowhere")
    assert len(error.value.findings) == 1


def test_built_in_scenarios_go_by_both_names(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert pg.load("builtin:toy").name == pg.load("toy").name == pg.scenarios.toy().name == "toy"
    with pytest.raises(pg.ScenarioError, match=r"moon: no such folder\. Built in are .*zhejiang"):
        pg.load("builtin:moon")
    monkeypatch.chdir(tmp_path)  # a folder of one's own comes before a bare name
    save_scenario(tiny_scenario(), "toy")
    assert pg.load("toy").name == "tiny"
    assert pg.load("builtin:toy").name == "toy"


@pytest.mark.parametrize(
    ("call", "said"),
    [
        (lambda: pg.explain_infeasible("toy"), "load it first: pg.explain_infeasible(pg.load('toy'))"),
        (lambda: pg.provenance("toy"), "load it first: pg.provenance(pg.load('toy'))"),
        (lambda: pg.export_lp("toy", "x.lp"), "compile it first: pg.compile(pg.load('toy'))"),
        (lambda: pg.export_lp(tiny_scenario(), "x.lp"), "this is a Scenario; compile a scenario first: pg.compile("),
        (lambda: pg.export_mps(tiny_scenario(), "x.mps"), "this is a Scenario; compile a scenario first: pg.compile("),
    ],
)
def test_a_name_or_a_scenario_in_the_wrong_place_is_told_what_to_call_first(call, said) -> None:
    with pytest.raises(pg.OptionError) as refused:
        call()
    assert said in str(refused.value)


@pytest.fixture(scope="module")
def plan() -> pg.Plan:
    return pg.solve(tiny_scenario(), engine="lp", policies=False)


@pytest.mark.parametrize(
    ("call", "said"),
    [
        (lambda plan: pg.solve(None), "what solve was given is None, of type NoneType; give it a scenario"),
        (lambda plan: pg.solve({}), "what solve was given is {}, of type dict; give it a scenario"),
        (lambda plan: pg.solve(plan), "of type Plan; give it a scenario: pg.solve(pg.load(...))"),
        (lambda plan: pg.compile(plan.problem), "of type Problem; give it a scenario: pg.compile(pg.load(...))"),
        (lambda plan: pg.provenance(plan.problem), "what provenance was given is <Problem"),
        (lambda plan: pg.explain_infeasible(plan.problem), "what explain_infeasible was given is <Problem"),
        (lambda plan: plan.compare("runs/x"), "what to compare a plan with is 'runs/x', of type str; give a plan"),
        (lambda plan: plan.plot.pareto("x"), "what to draw is 'x', of type str; give what pg.pareto(...) returned"),
        (lambda plan: pg.load(None), "what names a scenario is None, of type NoneType; give the path"),
        (lambda plan: pg.sweep(None, {"a": [1]}), "what names a scenario is None"),
        (lambda plan: pg.open(None), "what names a run is None, of type NoneType; give the path of its folder"),
        (lambda plan: pg.load("toy", set=None), "set is None, and no list of texts; give a list such as"),
        (lambda plan: pg.load("toy", set="a=b"), "set is 'a=b', and no list of texts; give a list such as"),
        (lambda plan: pg.check("toy", set={"a": 80}), "set is {'a': 80}, and no list of texts; give a list such as"),
        (lambda plan: pg.uncertain("toy", set=[5]), "an item of set is 5, of type int; give a list such as"),
        (lambda plan: plan.explain.job(None), "the job to explain is None, of type NoneType; give its name as a text"),
        (lambda plan: plan.explain.cluster(0), "the cluster to explain is 0, of type int; give its name as a text"),
    ],
)
def test_what_is_of_another_kind_is_refused_with_what_to_give(call, said, plan) -> None:
    with pytest.raises(pg.OptionError) as refused:
        call(plan)
    assert said in str(refused.value)


@pytest.mark.parametrize(
    ("write", "said"),
    [
        (lambda plan: plan.report("."), ". cannot be written (Is a directory); give another place"),
        (
            lambda plan: plan.report("no/r.html"),
            "no/r.html cannot be written (No such file or directory); give another",
        ),
        (lambda plan: plan.save("file/a/run"), "file/a/run cannot be written (Not a directory); give another place"),
        (
            lambda plan: plan.export("file/a/run", to="csv"),
            "file/a/run cannot be written (Not a directory); give another",
        ),
        (lambda plan: plan.save(5), "what names the place to write to is 5, of type int; give it as a text or a Path"),
    ],
)
def test_a_place_that_cannot_be_written_to_is_refused(write, said, plan, tmp_path, monkeypatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("file").touch()
    with pytest.raises(pg.OptionError) as refused:
        write(plan)
    assert said in str(refused.value)
    assert [found.name for found in Path().iterdir()] == ["file"]


def test_scenarios_and_what_plans_hold_are_compared_and_hashed_as_objects(plan) -> None:
    several = (plan.scenario, plan.problem, plan.problem.labels, plan.allocation, plan.multipliers, plan.usage)
    assert all(copy.deepcopy(one) != one for one in several)
    assert len({*several, plan.scenario}) == len(several)


def test_the_program_is_written_for_other_solvers(tmp_path: Path) -> None:
    import highspy

    problem = pg.compile(tiny_scenario())
    optimum = pg.solve(problem, engine="lp", policies=False).objective_yuan
    pg.export_lp(problem, tmp_path / "tiny.lp")
    pg.export_mps(problem, tmp_path / "tiny.mps")
    solver = highspy.Highs()
    solver.silent()
    assert solver.readModel(str(tmp_path / "tiny.lp")) == highspy.HighsStatus.kOk
    solver.run()
    # The format has no place for a constant: what the idle clusters cost is to be taken off.
    offset = assemble(problem, divisible=True).offset
    assert solver.getObjectiveValue() + offset == pytest.approx(optimum, rel=1e-6)
    assert (tmp_path / "tiny.mps").read_text(encoding="utf-8").rstrip().endswith("ENDATA")
