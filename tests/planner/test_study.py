"""`provgrid study`: the command prints what `pg.studies` finds."""

from __future__ import annotations

import pytest

import provgrid as pg
from command_line import in_this_process, json_of, one_line


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


def test_a_relaxation_saves_nothing_by_pooling():
    assert "no saving" in one_line(in_this_process("study", "pooling", "toy", "--engine", "lp"), 2)


def test_a_scenario_without_a_priced_port_has_none_to_rank():
    assert "price a port first" in one_line(in_this_process("study", "ports", "toy", "--port", "nothing/h20"), 2)
