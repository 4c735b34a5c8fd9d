"""`provgrid prices`: the command prints and writes what `plan.prices_at` has."""

from __future__ import annotations

import pandas as pd
import pytest

import provgrid as pg
from command_line import in_this_process, json_of, one_line


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    folder = tmp_path_factory.mktemp("prices") / "run"
    pg.solve(pg.scenarios.toy(), engine="cheapest", policies=False, threads=1).save(folder)
    return folder


def test_prices_at_the_plan_are_printed_and_written(run, tmp_path):
    table = tmp_path / "prices.parquet"
    record = json_of(
        in_this_process("prices", run, "--kind", "energy", "--kind", "link", "-o", table, "--ranges", "--json")
    )
    plan = pg.open(run)
    expected = plan.prices_at("fixed-lp", ranges=("energy", "link"))
    expected = expected[expected["kind"].isin(["energy", "link"])].reset_index(drop=True)
    pd.testing.assert_frame_equal(pd.read_parquet(table), expected)
    assert [row["price"] for row in record["prices"]] == expected["price"].tolist()
    assert {row["basis"] for row in record["prices"]} == {"fixed-lp"}


def test_people_read_one_line_for_each_thing_that_has_a_price(run):
    said = in_this_process("prices", run)
    assert said.returncode == 0, said.stderr
    lines = said.stdout.splitlines()
    assert any(line.split()[:2] == ["energy", "hami_yiwu"] for line in lines if line.strip())
    assert "basis fixed-lp" in lines[-1]
    energy = next(line for line in lines if line.startswith("energy"))
    assert "kWh" in energy.split()  # its unit
    dual = in_this_process("prices", run, "--basis", "dual")
    assert "basis dual" in dual.stdout


def test_a_kind_without_any_price_says_so_instead_of_an_empty_table(run):
    priced = pg.open(run).prices_at("fixed-lp")
    assert not priced.loc[priced["kind"] == "link", "price"].any()
    said = in_this_process("prices", run, "--kind", "link")
    assert said.stdout == "nothing of kind link has a price: every price is 0, so one more is worth nothing here\n"


def test_what_has_no_price_is_refused_in_one_line(run, tmp_path):
    assert "no prices on the basis 'lp'" in one_line(in_this_process("prices", run, "--basis", "lp"), 2)
    assert "no prices of kind 'gold'" in one_line(in_this_process("prices", run, "--kind", "gold"), 2)
    assert ".parquet or .csv" in one_line(in_this_process("prices", run, "-o", tmp_path / "prices.txt"), 2)
