"""Claims on the toy: verdicts follow the inputs, plans are made once, and a stopped run goes on."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from provgrid.experiments import execute
from provgrid.experiments.declared import Claim, Input, Lever, Quantity, Side, Test
from provgrid.experiments.examine import examine, experiment, first_wave, inputs_digest
from provgrid.experiments.plans import Experiment
from provgrid.experiments.store import Store
from provgrid_models.errors import AuditError, OptionError, ScenarioError

TARIFF = Input(
    source="tariffs/xinjiang",
    label="the tariff of Hami over the table's",
    unit="ratio",
    value=1.0,
    low=0.5,
    high=4.0,
    levers=(Lever(path="tariffs.xinjiang.price_yuan_per_kwh*="),),
    sides="b",
)
DEAR = Side(label="dear power in Hami", overrides=("tariffs.xinjiang.price_yuan_per_kwh*=2",), scenario="toy")
PLAIN = Side(label="as it is", scenario="toy")
SAVED = Test(
    id="hami",
    question="What does cheap power in Hami save?",
    choice="Everything else stays.",
    a=DEAR,
    b=PLAIN,
    low=0.01,
    limit="cheaper by a hundredth or more",
    bases=("operating",),
)
GRID = Test(
    id="grid",
    question="How much grid power is there?",
    choice="One plan.",
    b=PLAIN,
    kind="multiple",
    quantity=Quantity(
        name="grid power",
        unit="MWh",
        read=lambda figures: figures["grid_mwh"],
        dearer=("tariffs.*.price_yuan_per_kwh*=1.001",),
        cheaper=("tariffs.*.price_yuan_per_kwh*=0.999",),
    ),
    low=0.0,
    limit="some",
    bases=("energy", "operating"),
)


def claim(*tests: Test) -> Claim:
    return Claim(id="toy", title="Toy", says="Something.", tests=tests)


def kept_plan(folder, which):
    outcome = Store(folder).get(experiment(SAVED, which, "operating"))
    assert outcome is not None
    return outcome


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A store that the tests of this file share, so that each plan is made once."""
    return tmp_path_factory.mktemp("plans")


def judged(test, folder):
    ((result,),) = (one.by_basis for one in examine([claim(test)], Store(folder)).claims[0].tests)
    return result


def test_a_verdict_comes_with_the_interval_of_bounds_and_objectives(folder):
    found = judged(SAVED, folder)
    assert found.verdict == "holds"
    assert found.a is not None
    assert found.difference is not None
    assert found.difference.low == pytest.approx(found.a.bound_yuan - found.b.objective_yuan)
    assert found.difference.high == pytest.approx(found.a.objective_yuan - found.b.bound_yuan)
    assert found.value.low > 0.01
    assert found.a.audit_passed
    assert found.b.audit_rules > 20


def test_a_limit_above_what_is_saved_turns_the_verdict(folder):
    saved = judged(SAVED, folder).value.high
    assert judged(replace(SAVED, low=saved + 0.01), folder).verdict == "does not hold"


def test_a_limit_inside_the_interval_leaves_the_verdict_open(folder, tmp_path):
    saved, one = judged(SAVED, folder).value.low, experiment(SAVED, "b", "operating")
    whole = kept_plan(folder, "b")
    store = Store(tmp_path)
    store.put(experiment(SAVED, "a", "operating"), kept_plan(folder, "a"))
    store.put(one, replace(whole, bound_yuan=0.9 * whole.objective_yuan, gap=0.1))
    (found,) = examine([claim(replace(SAVED, low=saved + 0.01))], store).claims[0].tests[0].by_basis
    assert found.verdict == "undecided at this gap"
    assert found.value.low < saved + 0.01 < found.value.high


def test_an_input_that_turns_the_answer_becomes_a_condition(folder):
    found = judged(replace(SAVED, inputs=(TARIFF,), low=0.05), folder)
    (tariff,) = found.sensitivities
    assert found.verdict == "holds only if"
    assert tariff.below is not None
    assert 1.0 < tariff.below < 2.0
    assert "the tariff of Hami over the table's is below" in found.conditions[0]
    assert found.words.startswith("holds only if the tariff")
    # Solved at that point, the saving is near the limit.
    there = replace(TARIFF, value=tariff.below, stated=True)
    assert judged(replace(SAVED, inputs=(there,)), folder).value.middle == pytest.approx(0.05, abs=0.02)


def test_a_stated_input_takes_part_in_the_plans(folder):
    dear = replace(TARIFF, value=1.5, stated=True)
    assert judged(replace(SAVED, inputs=(dear,)), folder).value.high < judged(SAVED, folder).value.low


def test_a_quantity_is_bracketed_by_the_optima_at_prices_a_little_apart(folder):
    for one in examine([claim(GRID)], Store(folder)).claims[0].tests[0].by_basis:
        assert one.value.low <= one.value.high
        assert one.difference is None


def test_work_that_one_side_could_never_serve_counts_against_it(folder):
    # Without Hami, the toy's national job has no pool: its objective falls by more than a half, and nothing is saved.
    closed = Side(label="without Hami", overrides=("pools.hami_yiwu/*.accelerators=0",), scenario="toy")
    found = judged(replace(SAVED, a=PLAIN, b=closed), folder)
    assert found.a is not None
    assert found.b.objective_yuan < found.a.objective_yuan
    assert found.b.figure.low > found.a.figure.high
    assert found.verdict == "does not hold"


def test_each_basis_has_its_own_plan():
    energy, operating = (experiment(GRID, "b", basis) for basis in ("energy", "operating"))
    assert energy.overrides == ("prices.basis=energy",)
    assert energy.key != operating.key


def test_results_do_not_depend_on_the_order_of_claims(folder, tmp_path):
    first, second = claim(SAVED), replace(claim(GRID), id="other")
    forward = examine([first, second], Store(folder))
    backward = examine([second, first], Store(tmp_path))
    assert forward["toy"] == backward["toy"]
    assert forward["other"] == backward["other"]


@pytest.mark.slow
def test_results_do_not_depend_on_the_number_of_processes(folder, tmp_path):
    both = [claim(SAVED), replace(claim(GRID), id="other")]
    assert examine(both, Store(tmp_path), jobs=2) == examine(both, Store(folder))


def test_less_than_one_process_is_refused(tmp_path):
    with pytest.raises(OptionError, match="at least 1"):
        examine([claim(SAVED)], Store(tmp_path), jobs=0)


@pytest.mark.slow
def test_a_stopped_run_goes_on_where_it_was(tmp_path, monkeypatch):
    made: list[Experiment] = []
    solve = execute.solve

    def counted(one):
        if len(made) == 2:
            raise KeyboardInterrupt
        made.append(one)
        return solve(one)

    monkeypatch.setattr(execute, "solve", counted)
    todo = [claim(SAVED, GRID)]
    planned = list(dict.fromkeys(first_wave(todo)))
    with pytest.raises(KeyboardInterrupt):
        examine(todo, Store(tmp_path))
    assert made == planned[:2]
    assert len(list(tmp_path.glob("*.json"))) == 2
    kept = {path: path.stat().st_mtime_ns for path in tmp_path.glob("*.json")}

    monkeypatch.setattr(execute, "solve", lambda one: made.append(one) or solve(one))
    examine(todo, Store(tmp_path))
    assert made == planned  # nothing twice, nothing left out
    assert all(path.stat().st_mtime_ns == when for path, when in kept.items())
    assert not list(tmp_path.glob(".*.partial"))


def test_a_damaged_file_counts_as_absent(folder, tmp_path):
    store, one = Store(tmp_path), experiment(SAVED, "b", "operating")
    examine([claim(SAVED)], Store(folder))
    whole = Store(folder).get(one)
    assert whole is not None
    store.put(one, whole)
    assert Store(tmp_path).get(one) == whole
    for text in ("", '{"status": "optimal"}', "[]", store.path(one).read_text()[:-20]):
        store.path(one).write_text(text)
        assert Store(tmp_path).get(one) is None


def test_a_plan_whose_audit_failed_decides_nothing(folder, tmp_path):
    one = experiment(SAVED, "b", "operating")
    examine([claim(SAVED)], Store(folder))
    whole = Store(folder).get(one)
    assert whole is not None
    failed = Store(tmp_path)
    failed.put(one, replace(whole, audit_violations=1))
    assert Store(tmp_path).get(one) is None  # from the file it counts as absent
    failed._known[one.key] = replace(whole, audit_violations=1)
    with pytest.raises(AuditError, match="failed the audit"):
        examine([claim(replace(SAVED, a=PLAIN))], failed)


def test_a_wrong_override_is_said_by_name(tmp_path):
    wrong = replace(SAVED, a=replace(DEAR, overrides=("pools.nowhere.accelerators=0",)))
    with pytest.raises(ScenarioError, match="nowhere"):
        examine([claim(wrong)], Store(tmp_path))


def test_results_are_plain_values_with_intervals_and_audits(folder):
    plain = json.loads(json.dumps(examine([claim(SAVED, GRID)], Store(folder)).to_dict(), allow_nan=False))
    for test in plain["claims"][0]["tests"]:
        for one in test["by_basis"]:
            assert one["verdict"] in ("holds", "holds only if", "does not hold", "undecided at this gap")
            assert one["value"]["low"] <= one["value"]["high"]
            plans = [plan for plan in (one["a"], one["b"]) if plan]
            assert all(plan["audit_passed"] and plan["bound_yuan"] <= plan["objective_yuan"] + 1e-6 for plan in plans)
            assert all(plan["command"].startswith("provgrid solve toy --engine lp") for plan in plans)


def test_what_a_page_was_made_from_is_told_by_its_digest():
    digest = inputs_digest([claim(SAVED)])
    assert digest != inputs_digest([claim(replace(SAVED, low=0.02))])
    assert digest != inputs_digest([claim(replace(SAVED, inputs=(TARIFF,)))])
    assert digest != inputs_digest([claim(replace(SAVED, a=PLAIN))])
