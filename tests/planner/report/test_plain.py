"""Tests of drawings as JSON values."""

from __future__ import annotations

import base64
import json
import math
from typing import Any

import numpy as np
import pytest

import provgrid as pg
from provgrid.report.figures.flows import flows
from provgrid.report.figures.load import load
from provgrid.report.figures.plain import plain


def unpacked(value: Any) -> Any:
    """Spell packed arrays out, gaps as null, so that what plotly wrote and what we wrote can be compared."""
    if isinstance(value, dict) and "bdata" in value:
        found = np.frombuffer(base64.b64decode(value["bdata"]), np.dtype(value["dtype"]))
        if "shape" in value:
            found = found.reshape([int(length) for length in value["shape"].split(",")])
        return unpacked(found.tolist())
    if isinstance(value, dict):
        return {key: unpacked(item) for key, item in value.items()}
    if isinstance(value, list):
        return [unpacked(item) for item in value]
    return None if isinstance(value, float) and math.isnan(value) else value


def test_numbers_are_packed_as_small_as_they_fit_and_in_their_shape() -> None:
    assert plain(np.array([[0, 1], [2, 3]])) == {"dtype": "i1", "bdata": "AAECAw==", "shape": "2, 2"}
    # -1 and 300 need two bytes each: ff ff and 2c 01, the low one first.
    assert plain(np.array([-1, 300])) == {"dtype": "i2", "bdata": "//8sAQ=="}
    assert plain(np.array([0.5], dtype=np.float32)) == {"dtype": "f4", "bdata": "AAAAPw=="}


def test_what_plotly_cannot_unpack_is_spelled_out_and_gaps_are_null() -> None:
    written = plain({"a": np.array([2**40]), "b": [math.nan, np.float64(1.5)], "c": np.array([], dtype=float)})
    assert written == {"a": [2**40], "b": [None, 1.5], "c": []}
    assert plain(np.array(["2026-07-15T00:00"], dtype="datetime64[m]")) == ["2026-07-15T00:00"]
    assert plain((np.bool_(True), "text", None)) == [True, "text", None]


@pytest.mark.parametrize("name", ["flows", "load"])
def test_a_drawing_says_the_same_as_plotlys_figure_of_it(name: str) -> None:
    plan = pg.solve(pg.scenarios.toy(), engine="cheapest", policies=False)
    drawn = json.loads(json.dumps(plain(flows(plan) if name == "flows" else load(plan)), allow_nan=False))
    theirs = json.loads(getattr(plan.plot, name)().to_json())
    assert unpacked(drawn["data"]) == unpacked(theirs["data"])
    for one in (drawn["layout"], theirs["layout"]):
        one.pop("template")  # plotly adds to it what each part is for
    assert {key: one for key, one in drawn["layout"].items() if one != []} == theirs["layout"]
