"""`provgrid value`: the command prints what `plan.value` finds, and draws it in one file."""

from __future__ import annotations

import math

import pytest

import provgrid as pg
from command_line import in_this_process, json_of, one_line
from provgrid.cli.value import _print_price, parse_range
from provgrid_models.errors import OptionError
from provgrid_optimizer.answers.value_result import Price


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    folder = tmp_path_factory.mktemp("value") / "run"
    pg.solve(pg.scenarios.toy(), engine="lp", policies=False, threads=1).save(folder)
    return folder


def test_the_command_prints_what_the_plan_says(run, tmp_path):
    picture = tmp_path / "west.html"
    record = json_of(in_this_process("value", run, "--of", "west", "--range", "0:1:0.5", "--plot", picture, "--json"))
    assert record.pop("run") == str(run)
    assert record == pg.open(run).value("west", more=[0.0, 0.5, 1.0]).to_dict()
    assert record["price"]["basis"] == "lp"
    assert record["price"]["one_more_yuan"] < record["price"]["one_less_yuan"]
    assert record["price"]["degenerate"] is True
    page = picture.read_text(encoding="utf-8")
    assert "What is more of west worth?" in page
    assert "<script src=" not in page


def test_people_read_price_range_and_curve(run):
    said = in_this_process("value", run, "--of", "hami_yiwu/ascend_910c", "--range", "0:20:10")
    assert said.returncode == 0, said.stderr
    assert "hami_yiwu/ascend_910c: 64 accelerators there now" in said.stdout
    assert "the power that one more draws idle" in said.stdout
    assert "planned again by lp" in said.stdout
    rows = [line.split() for line in said.stdout.splitlines() if line.strip().startswith(("10 ", "20 "))]
    assert len(rows) == 2
    assert all(priced == found for _, priced, found in rows)  # within its range the price is the curve


def test_a_picture_that_cannot_be_written_is_told_with_its_own_option(run, tmp_path):
    asked = ("value", run, "--of", "west", "--range", "1", "--plot", tmp_path / "nowhere" / "x.html")
    assert one_line(in_this_process(*asked), 2).endswith("give another file with --plot")


def test_what_leaves_no_plan_is_said_in_words(capsys):
    price = {"price_yuan": 0.0, "holds_from": 0.0, "holds_to": math.inf, "idle_yuan": 0.0}
    _print_price(Price(basis="fixed-lp", one_more_yuan=0.0, one_less_yuan=math.inf, **price), "Gbit/s")
    _print_price(Price(basis="lp", one_more_yuan=-math.inf, one_less_yuan=2.0, **price), "accelerators")
    assert capsys.readouterr().out.splitlines() == [
        "each one more saves 0.00 yuan, for any number more (this plan's jobs kept where they are)",
        "any less leaves no plan (this plan's jobs kept where they are)",
        "any more leaves no plan (the relaxation)",
        "each one less costs 2.00 yuan, down to 0 less: the price is degenerate",
    ]


def test_what_costs_is_not_said_to_save_less_than_nothing(capsys):
    price = {"price_yuan": -1.0, "holds_from": -2.0, "holds_to": math.inf, "idle_yuan": 0.0}
    _print_price(Price(basis="lp", one_more_yuan=-1.78, one_less_yuan=-0.5, **price), "accelerators")
    _print_price(Price(basis="lp", one_more_yuan=-1.0, one_less_yuan=-1.0, **price), "accelerators")
    assert capsys.readouterr().out.splitlines() == [
        "each one more costs 1.78 yuan, for any number more (the relaxation)",
        "each one less saves 0.50 yuan, down to 2 less: the price is degenerate",
        "one more costs 1.00 yuan (the relaxation)",
        "that holds from 2 less to any number more accelerators",
    ]


def test_where_more_costs_the_reason_stands_below(run):
    # 64 more: the idle power of Hami's accelerators takes 0.06 MW of grid from its work, beside what it costs.
    asked = ("value", run, "--of", "hami_yiwu/ascend_910c", "--range")
    assert "more can cost: accelerators that are added draw power when idle" in in_this_process(*asked, "64").stdout
    assert "more can cost" not in in_this_process(*asked, "-5").stdout


def test_what_is_not_there_is_told_with_what_is(run):
    said = in_this_process("value", run, "--of", "nothing").stderr
    assert "'nothing' is no pool, link or cluster of this plan; it has " in said
    assert "such as pool hangzhou_city/ascend_910b, jiashan/h20; link " in said
    said = in_this_process("value", run, "--of", "h20").stderr
    assert "did you mean jiashan/h20?" in said


def test_classes_of_work_are_asked_for_by_column(run):
    record = json_of(in_this_process("value", run, "--deadline", "family=*", "--json"))
    assert (record["kind"], record["unit"], record["price"]) == ("deadline", "hours", None)
    assert [point["more"] for point in record["points"]] == [1.0]
    assert record["points"][0]["found_yuan"] >= 0.0


def test_a_name_that_nothing_has_is_one_line_with_the_nearest(run):
    assert "did you mean hami_yiwu/ascend_910c" in one_line(
        in_this_process("value", run, "--of", "hami_yiwu/ascend"), 2
    )


@pytest.mark.parametrize(
    ("text", "amounts"), [("0:1:0.25", [0.0, 0.25, 0.5, 0.75, 1.0]), ("-2:2:2", [-2.0, 0.0, 2.0]), ("7", [7.0])]
)
def test_a_range_has_both_its_ends(text, amounts):
    assert parse_range(text) == pytest.approx(amounts)


@pytest.mark.parametrize("text", ["", "1:2", "2:1:1", "0:1:0", "a:b:c", "0:inf:1", "nan", "0:1:0.0001"])
def test_a_range_that_is_none_is_refused(text):
    with pytest.raises(OptionError, match="range"):
        parse_range(text)


@pytest.mark.parametrize(
    ("text", "said"),
    [("5:1:1", "goes down, from 5 to 1"), ("0:1:0", "a step of 0; let it be above 0"), ("a", "one amount")],
)
def test_a_range_that_is_none_is_told_its_own_fault(text, said):
    with pytest.raises(OptionError, match=said):
        parse_range(text)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ((), "nothing is asked about; give one of --of, --deadline and --slo"),
        (("--of", "west", "--slo", "*"), "--of and --slo are given together; give one of --of, --deadline and --slo"),
        (("--of", "west", "--plot", "x.png"), "x.png is no name for one; give one that ends in .html"),
    ],
)
def test_what_cannot_be_asked_is_refused_before_the_run_is_read(arguments, said):
    assert said in one_line(in_this_process("value", "nowhere", *arguments), 2)
