"""A plan in files that others read: the same tables in each format, whole or absent."""

from __future__ import annotations

import builtins
import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

import provgrid as pg
from provgrid_models.errors import OptionError
from provgrid_optimizer.exports.formats import TABLES
from provgrid_optimizer.exports.workbook import write_workbook
from provgrid_optimizer.plan import Plan
from tiny import tiny_scenario


@pytest.fixture(scope="module")
def plan() -> Plan:
    return pg.solve(tiny_scenario(), engine="heuristic", threads=1, policies=False)


def test_capacity_curves_add_up_in_every_hour(plan: Plan) -> None:
    table = plan.capacity_curves
    assert len(table) == 3 * 12
    held = table["training_accelerators"] + table["inference_accelerators"]
    assert np.allclose(held + table["free_accelerators"], table["usable_accelerators"])
    training = plan.training.groupby(["pool", "period"])["accelerators"].sum()
    inference = plan.inference.groupby(["pool", "period"])["accelerators"].sum()
    there = table.set_index(["pool", "period"])
    assert np.allclose(there["training_accelerators"], training.reindex(there.index, fill_value=0.0))
    assert np.allclose(there["inference_accelerators"], inference.reindex(there.index, fill_value=0.0))
    # A busy accelerator of hub_b/fast draws (0.9 - 0.1) * 1.25 * 1.2 = 1.2 kW at the meter above its idle floor.
    hub = table[table["pool"] == "hub_b/fast"]
    assert np.allclose(hub["work_power_kw"], 1.2 * held[hub.index])
    assert hub["cluster"].unique().tolist() == ["hub_b"]
    prices = plan.prices.query("kind == 'accelerator' and id == 'hub_b/fast'")["price"]
    assert hub["price_yuan_per_accelerator_h"].tolist() == prices.tolist()


@pytest.mark.parametrize("to", ["csv", "parquet"])
def test_every_table_is_a_file(to: str, plan: Plan, tmp_path: Path) -> None:
    folder = plan.export(tmp_path / "out", to=to)
    names = {f"{name}.{to}" for name in TABLES}
    assert {path.name for path in folder.iterdir()} == names | {"dispatch.json", "dispatch.schema.json"}
    for name in TABLES:
        path = folder / f"{name}.{to}"
        read = pd.read_csv(path) if to == "csv" else pd.read_parquet(path)
        assert list(read) == list(getattr(plan, name))
        assert len(read) == len(getattr(plan, name))
    assert json.loads((folder / "dispatch.json").read_text(encoding="utf-8"))["jobs"]


def test_a_workbook_has_a_sheet_for_each_table_with_the_same_figures(plan: Plan, tmp_path: Path) -> None:
    pytest.importorskip("openpyxl")
    plan.export(tmp_path / "out", to="xlsx", only=("capacity_curves", "costs"))
    assert [path.name for path in (tmp_path / "out").iterdir()] == ["plan.xlsx"]
    sheets = pd.read_excel(tmp_path / "out" / "plan.xlsx", sheet_name=None)
    assert list(sheets) == ["capacity_curves", "costs"]
    for name, read in sheets.items():
        table = getattr(plan, name)
        assert list(read) == list(table)
        for column in table:
            if pd.api.types.is_float_dtype(table[column]):
                assert np.allclose(read[column], table[column], rtol=1e-12), column
            else:
                assert read[column].tolist() == table[column].tolist(), column


def test_what_is_too_long_for_a_sheet_goes_on_in_the_next(tmp_path: Path) -> None:
    pytest.importorskip("openpyxl")
    table = pd.DataFrame({"id": ["a", "=1+1", "c", "d", "e"], "x": [1.0, np.nan, np.inf, 4.0, 5.0]})
    write_workbook({"t": table, "empty": table.head(0)}, tmp_path / "t.xlsx", most_rows=3)  # header and two rows
    sheets = pd.read_excel(tmp_path / "t.xlsx", sheet_name=None)
    assert {name: len(read) for name, read in sheets.items()} == {"t": 2, "t 2": 2, "t 3": 1, "empty": 0}
    assert sheets["t"]["id"].tolist() == ["a", "=1+1"]  # a text, and no formula
    assert np.isnan(sheets["t"]["x"][1])
    assert sheets["t 2"]["x"].tolist() == [np.inf, 4.0]


def test_the_program_is_an_mps_file(plan: Plan, tmp_path: Path) -> None:
    plan.export(tmp_path / "out", to="mps")
    text = (tmp_path / "out" / "problem.mps").read_text(encoding="utf-8")
    assert text.rstrip().endswith("ENDATA")
    assert "MARKER" in text  # the heuristic's plan is indivisible, and so is the program


@pytest.mark.parametrize(
    ("asked", "says"),
    [
        ({"to": "ods"}, "there is no format 'ods'; choose one of csv, parquet, xlsx, mps"),
        ({"to": "csv", "only": ("cost",)}, "there is no table 'cost' to export; did you mean \"costs\"?"),
        ({"to": "mps", "only": ("costs",)}, "an MPS file holds the program and no table; leave out what names tables"),
    ],
)
def test_what_cannot_be_exported_is_one_line(asked: dict[str, Any], says: str, plan: Plan, tmp_path: Path) -> None:
    with pytest.raises(OptionError) as error:
        plan.export(tmp_path / "out", **asked)
    assert str(error.value) == says
    assert not (tmp_path / "out").exists()


def test_no_export_overwrites_anything(plan: Plan, tmp_path: Path) -> None:
    (tmp_path / "out").mkdir()
    with pytest.raises(OptionError, match="exists already"):
        plan.export(tmp_path / "out", to="csv")


def test_without_openpyxl_the_error_says_what_to_install(
    plan: Plan, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = builtins.__import__

    def without(name: str, *rest: Any, **more: Any) -> Any:
        if name == "openpyxl":
            raise ImportError(name)
        return real(name, *rest, **more)

    monkeypatch.setattr(builtins, "__import__", without)
    with pytest.raises(OptionError, match="xlsx needs openpyxl; install it with: python -m pip install openpyxl"):
        plan.export(tmp_path / "out", to="xlsx")


def test_a_workbook_holds_every_kind_of_cell_as_it_is(tmp_path: Path) -> None:
    openpyxl = pytest.importorskip("openpyxl")
    moments = pd.to_datetime(["2026-07-01 13:05", None, "2026-12-31 23:00"])
    table = pd.DataFrame(
        {
            "text": ["a & <b>", None, " 杭州\x07 "],
            "whole": [1, -2, 3],
            "number": [1.0 / 3.0, 1e-9, np.nan],
            "flag": [True, False, True],
            "when": moments,
            "mixed": [True, 1, None],
        }
    )
    write_workbook({"t": table}, tmp_path / "t.xlsx")
    book = openpyxl.load_workbook(tmp_path / "t.xlsx")
    sheet = book["t"]
    assert (sheet.freeze_panes, sheet.auto_filter.ref) == ("A2", "A1:F4")
    assert all(cell.font.bold for cell in sheet[1])
    assert not any(cell.font.bold for cell in sheet[2])
    rows = [[cell.value for cell in row] for row in sheet.iter_rows(min_row=2)]
    assert rows == [
        ["a & <b>", 1, 1.0 / 3.0, True, moments[0].to_pydatetime(), True],
        [None, -2, 1e-9, False, None, 1],
        [" 杭州? ", 3, None, True, moments[2].to_pydatetime(), None],
    ]
    assert (rows[0][5] is True, rows[1][5] is True) == (True, False)
    assert sheet["E2"].number_format == "yyyy-mm-dd h:mm:ss"
