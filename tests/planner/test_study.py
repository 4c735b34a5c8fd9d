"""`provgrid study`: the command prints what `pg.studies` finds."""

from __future__ import annotations

import pytest

import provgrid as pg
from command_line import in_this_process, json_of, one_line
from provgrid.cli.study import _in_words
from provgrid_models.files import save_scenario
from provgrid_optimizer.answers.worth import Worth
from tiny import job, tiny_scenario


@pytest.mark.slow
@pytest.mark.parametrize(
    ("engine", "arguments", "find"),
    [
        (
            "lp",
            ("efficiency", "toy", "--percent", "20"),
            lambda toy, engine: pg.studies.efficiency(toy, 0.2, engine=engine),
        ),
        (
            "lp",
            ("zones", "toy", "--open", "zhejiang,xinjiang"),
            lambda toy, engine: pg.studies.zones(toy, ["zhejiang", "xinjiang"], engine=engine),
        ),
        ("overflow", ("pooling", "toy"), lambda toy, engine: pg.studies.pooling(toy, engine=engine)),
    ],
    ids=["efficiency", "zones", "pooling"],
)
def test_the_command_prints_what_the_study_finds(engine, arguments, find):
    record = json_of(in_this_process("study", *arguments, "--engine", engine, "--json"))
    assert record.pop("study") == arguments[0]
    assert record.pop("scenario") == "toy"
    assert record == find(pg.load("toy"), engine).to_dict()


@pytest.mark.parametrize("arguments", [("pooling",), ("ladder", "--ms", "5")])
def test_work_that_no_pool_can_serve_stands_beside_the_shares_that_are_left(arguments, tmp_path):
    never = job("never", max_accelerators=2000.0, min_accelerators=1000.0, unserved_yuan=70.0)
    save_scenario(tiny_scenario(jobs=[job("a"), never]), tmp_path / "some")
    save_scenario(tiny_scenario(jobs=[job("a")]), tmp_path / "none")
    study, *more = arguments
    said = {
        name: in_this_process("study", study, tmp_path / name, *more, "--engine", "overflow").stdout
        for name in ("some", "none")
    }
    told = "\n* of what some pool can serve; beside it 70 yuan of work that no pool can serve, which is among the"
    assert said["some"].count("%* ") == 2
    assert told in said["some"]
    assert "*" not in said["none"]


@pytest.mark.parametrize(
    ("ends", "said"),
    [
        ((12.0, 30.0, 1234.0), "saves 30 yuan over the horizon (surely between 12 and 1,234)"),
        ((-55.0, -46.0, -38.0), "costs 46 yuan more over the horizon (surely between 38 and 55)"),
        ((-3.0, -0.2, 1.0), "saves 0 yuan over the horizon (surely between -3 and 1)"),
    ],
)
def test_what_costs_is_not_said_to_save_less_than_nothing(ends, said):
    assert _in_words(Worth(**dict(zip(("low_yuan", "found_yuan", "high_yuan"), ends, strict=True)))) == said


def test_a_relaxation_saves_nothing_by_pooling():
    assert "no saving" in one_line(in_this_process("study", "pooling", "toy", "--engine", "lp"), 2)


def test_a_scenario_without_a_priced_port_has_none_to_rank():
    assert "price a port first" in one_line(in_this_process("study", "ports", "toy", "--port", "nothing/h20"), 2)
