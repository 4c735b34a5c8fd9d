import json

import pandas as pd
import pytest

from provgrid_models.cells import from_texts
from provgrid_models.importers import AzureOptions, import_trace, write_tables
from provgrid_models.tables import LONG_TABLES


@pytest.fixture
def philly(tmp_path):
    path = tmp_path / "philly.csv"
    path.write_text(
        "timestamp,duration,num_gpus,gpu_time,cluster\n"
        "2017-10-09 00:20:00,5000,3,15000,vc1\n"
        "2017-10-09 00:30:00,never,1,60,vc1\n"
    )
    return import_trace("philly", path)


def test_tables_are_written_so_that_they_read_back_the_same(philly, tmp_path):
    import pyarrow as pa

    written = write_tables(philly, tmp_path / "out")
    assert [p.name for p in written] == ["jobs.csv", "families.csv", "tenants.csv", "import_report.json"]
    texts = pd.read_csv(tmp_path / "out" / "jobs.csv", dtype=str, keep_default_na=False)
    back = {}
    for column in LONG_TABLES["jobs"].columns:
        back[column.name], _, bad = from_texts(pa.array(texts[column.name], type=pa.string()), column)
        assert not bad.any()
    pd.testing.assert_frame_equal(pd.DataFrame(back), philly.jobs)
    assert (tmp_path / "out" / "tenants.csv").read_text() == "id,kind\nvc1,firm\n"


def test_the_report_holds_counts_assumptions_and_every_bad_row(philly, tmp_path):
    write_tables(philly, tmp_path)
    report = json.loads((tmp_path / "import_report.json").read_text(encoding="utf-8"))
    assert report["kind"] == "philly"
    assert report["counts"]["bad_rows"] == 1
    assert report["assumptions"] == list(philly.assumptions)
    assert report["bad_rows"] == [
        {"file": "philly.csv", "line": 3, "column": "duration", "found": "never", "problem": "not a number"}
    ]


def test_services_are_written_with_their_demand(tmp_path):
    path = tmp_path / "chat.csv"
    path.write_text("TIMESTAMP,ContextTokens,GeneratedTokens\n2023-11-16 10:00:00,5,5\n2023-11-16 10:00:10,5,5\n")
    written = write_tables(import_trace("azure-llm", path, AzureOptions(hours=2)), tmp_path / "out")
    assert [p.name for p in written] == ["services.csv", "demand.csv", "families.csv", "import_report.json"]
    assert (tmp_path / "out" / "demand.csv").read_text() == "service,period,tokens_per_s\nchat,0,2.0\nchat,1,2.0\n"
