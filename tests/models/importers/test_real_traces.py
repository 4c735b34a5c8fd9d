"""The published files themselves, in the folder that PROVGRID_DATA names; totals computed without this code."""

import os
from pathlib import Path

import pytest

from provgrid_models.compile import compile_scenario
from provgrid_models.importers import OpenbOptions, ServegenOptions, import_trace, into
from tiny import tiny_scenario


@pytest.fixture
def traces():
    folder = os.environ.get("PROVGRID_DATA")
    if not folder:
        pytest.skip("PROVGRID_DATA is not set: the published traces are not tested")
    found = Path(folder) / "traces"
    if not found.is_dir():
        pytest.skip(f"PROVGRID_DATA names {folder}, which has no folder traces: the published traces are not tested")
    return found


def compiled(imported):
    """The import in the tiny grid, compiled: it must leave nothing that no pool could serve."""
    problem = compile_scenario(into(imported, tiny_scenario()))
    assert problem.never_served == ()
    return problem


def test_philly(traces):
    imported = import_trace("philly", traces / "philly" / "philly.csv")
    assert imported.counts["rows_read"] == 52_849
    assert imported.counts["duplicate_rows"] == 37
    assert imported.counts["bad_rows"] == 0
    assert len(imported.jobs) == imported.counts["rows_kept"] == 52_812
    assert len(imported.bad_rows) == 37
    assert len(imported.tenants) == 12
    # 642,409 GPU-hours, 642,404.5 without the duplicates, each 0.312 x 0.4 PFLOP-hours
    assert imported.jobs["work_pflop_h"].sum() / (0.312 * 0.4) == pytest.approx(642_404.5, abs=0.1)
    # 50,188 rows ask for one GPU, some of them twice
    assert imported.jobs["max_accelerators"].eq(1).sum() == pytest.approx(50_188, abs=37)
    assert imported.jobs["id"].is_unique
    problem = compiled(imported)
    assert (problem.reasons(slice(None)) == 0).any(axis=1).all()


def test_openb(traces):
    path = traces / "alibaba_gpu_v2023" / "openb_pod_list_default.csv"
    imported = import_trace("openb", path, OpenbOptions(pflops_per_gpu=1.0, mfu=1.0))
    assert imported.counts["rows_read"] == 8_152
    assert imported.counts["zero_gpu"] == 8_152 - 7_064
    assert imported.counts["never_scheduled"] == 861  # 897 pending pods, 36 of them without a GPU
    assert imported.counts["bad_rows"] == 0
    assert len(imported.jobs) == 7_064 - 861
    # 51,600 GPU-hours from creation to deletion; 51,471 without those pending and the waiting
    assert imported.jobs["work_pflop_h"].sum() == pytest.approx(51_470.67, abs=0.01)
    problem = compiled(imported)
    assert (problem.reasons(slice(None)) == 0).any(axis=1).all()


def test_azure_llm(traces):
    imported = import_trace("azure-llm", traces / "azure_llm_2023")
    assert imported.counts["rows_read"] == imported.counts["rows_kept"] == 8_819 + 10_000
    assert imported.bad_rows.empty
    first = imported.demand[imported.demand["period"] == 0].set_index("service")["tokens_per_s"]
    # Prompt and output tokens over the span from the first request to the last
    code = first["AzureLLMInferenceTrace_code"]
    conv = first["AzureLLMInferenceTrace_conv"]
    assert code == pytest.approx((18_059_974 + 245_896) / 3_435.948056, rel=1e-6)
    assert conv == pytest.approx((12_424_297 + 2_184_052) / 1_787.309283, rel=1e-6)
    assert compiled(imported).n_services == 2


def test_servegen(traces):
    folder = traces / "servegen" / "data"
    options = ServegenOptions(services="model")
    small = import_trace("servegen", folder / "language" / "m-small", options)
    assert small.counts["rows_read"] == 8 * 2_016
    assert small.periods == 14 * 24
    assert any("in 37 of 2016 windows no client has data" in s for s in small.assumptions)
    by_hour = small.demand.groupby(small.demand["period"] % 24)["tokens_per_s"].mean()
    assert by_hour.max() / by_hour.min() == pytest.approx(2.1, abs=0.3)  # requests: 2.15, from 3 h to 20 h
    assert by_hour.idxmax() == 20
    reason = import_trace("servegen", folder / "reason" / "deepseek-r1")
    assert reason.counts["clients"] == 73
    assert any("70 of 73 clients have no token data" in s for s in reason.assumptions)
    # 16.0 requests/s of about 900 tokens
    assert reason.demand["tokens_per_s"].sum() / 24 == pytest.approx(16.0 * 900, rel=0.05)
    assert compiled(reason).n_services > 0
