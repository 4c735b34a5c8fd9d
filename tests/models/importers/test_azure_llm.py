import pytest

from provgrid_models.errors import ScenarioError
from provgrid_models.importers import AzureOptions, import_trace

HEADER = "TIMESTAMP,ContextTokens,GeneratedTokens"
# CRLF, seven decimals, no last line end. 3,000 tokens in and 600 out within 1,000 s.
ROWS = (
    "2023-11-16 18:50:00.0000000,1000,100",
    "2023-11-16 18:55:00.2500000,500,200",
    "2023-11-16 19:06:40.0000000,1500,300",
)


@pytest.fixture
def write(tmp_path):
    def _write(*rows, name="code.csv"):
        path = tmp_path / name
        path.write_bytes("\r\n".join((HEADER, *rows)).encode())
        return path

    return _write


def test_the_measured_mean_stands_in_every_period(write):
    imported = import_trace("azure-llm", write(*ROWS), AzureOptions(hours=6, period_h=2))
    assert imported.services["id"].tolist() == ["code"]
    assert imported.demand["period"].tolist() == [0, 1, 2]
    assert imported.demand["tokens_per_s"].tolist() == pytest.approx([3.6] * 3)  # 3,600 tokens / 1,000 s
    assert imported.bad_rows.empty
    assert imported.counts["rows_kept"] == 3


def test_the_span_alone_can_be_imported_at_its_own_hours(write):
    imported = import_trace("azure-llm", write(*ROWS), AzureOptions(repeat="span"))
    demand = imported.demand.set_index("period")["tokens_per_s"]
    assert len(demand) == 24
    # 18 h: 1,100 + 700 tokens in an hour; 19 h: 1,800
    assert demand[18] == pytest.approx(1800 / 3600)
    assert demand[19] == pytest.approx(1800 / 3600)
    assert demand.drop([18, 19]).eq(0).all()


def test_requests_outside_the_window_are_counted(write):
    imported = import_trace(
        "azure-llm", write(*ROWS), AzureOptions(repeat="span", start="2023-11-16 19:00:00", hours=1)
    )
    assert imported.demand["tokens_per_s"].tolist() == pytest.approx([0.5])
    assert (imported.counts["rows_kept"], imported.counts["outside_window"]) == (1, 2)


def test_prompt_tokens_can_count_less_and_the_wire_carries_both(write):
    imported = import_trace("azure-llm", write(*ROWS), AzureOptions(hours=1, prompt_weight=0.2, kb_per_ktoken=4.0))
    # 0.2 x 3,000 + 600 = 1,200 counted tokens in 1,000 s
    assert imported.demand["tokens_per_s"].tolist() == pytest.approx([1.2])
    # Per 1,000 counted tokens 2,500 come in and 500 go out, 4 kB per thousand
    assert imported.services["kb_in_per_ktoken"].tolist() == pytest.approx([10.0])
    assert imported.services["kb_out_per_ktoken"].tolist() == pytest.approx([2.0])


def test_each_file_is_a_service(write):
    files = [write(*ROWS), write(*ROWS, name="conv.csv")]
    imported = import_trace("azure-llm", files, AzureOptions(hours=2, slo_ms=25.0, tenant="cloud"))
    assert imported.services["id"].tolist() == ["code", "conv"]
    assert imported.services["slo_ms"].tolist() == [25.0, 25.0]
    assert [t.id for t in imported.tenants] == ["cloud"]
    assert len(imported.demand) == 4


BAD = {
    "yesterday,1,2": ("TIMESTAMP", "yesterday", "not a timestamp like 2017-10-09 07:01:55"),
    "2023-11-16 18:51:00.0000000,many,2": ("ContextTokens", "many", "not a number"),
    "2023-11-16 18:51:00.0000000,1,-2": ("GeneratedTokens", "-2", "must be at least 0"),
    "2023-11-16 18:51:00.0000000,1.5,2": ("ContextTokens", "1.5", "not a whole number"),
    "2023-11-16 18:51:00.0000000,1": ("", "2023-11-16 18:51:00.0000000,1", "2 cells, the header has 3"),
    ROWS[0]: ("", ROWS[0], "exact duplicate of line 2; left out"),
}


@pytest.mark.parametrize("row", BAD)
def test_a_bad_request_is_listed_and_does_not_change_the_demand(write, row):
    imported = import_trace("azure-llm", write(*ROWS, row), AzureOptions(hours=1))
    column, found, problem = BAD[row]
    assert imported.bad_rows.to_dict("records") == [
        {"file": "code.csv", "line": 5, "column": column, "found": found, "problem": problem}
    ]
    assert imported.demand["tokens_per_s"].tolist() == pytest.approx([3.6])


def test_assumptions_say_how_requests_became_tokens(write):
    said = import_trace("azure-llm", write(*ROWS)).assumptions
    assert (
        "code: 3600 tokens of 3 requests in 1000.0 s; this mean of 3.6 tokens/s was repeated in every period "
        "(one hour gives no daily shape)."
    ) in said
    assert "Tokens/s = requests/s x (output tokens + 1 x input tokens)." in said


def test_a_file_without_a_span_is_an_error(write):
    with pytest.raises(ScenarioError, match=r"code\.csv: 1 good rows at 1 moments give no request rate"):
        import_trace("azure-llm", write(ROWS[0]))
