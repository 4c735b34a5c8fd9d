import json

import pytest

from provgrid_models.errors import OptionError, ScenarioError
from provgrid_models.importers import ServegenOptions, import_trace


def trace(*rates):
    """Rows of 10-minute windows as the publisher writes them; 0 = nothing in the log."""
    rows = [f"{600 * i},{r},1.1,Gamma,0.9,0.4" if r else f"{600 * i},0,0,,0,0" for i, r in enumerate(rates)]
    return "\n".join(rows) + "\n"


def law(mean):
    """A law with this mean: half below, half above."""
    return str({mean - 10: 0.5, mean + 10: 0.5})


@pytest.fixture
def folder(tmp_path):
    target = tmp_path / "m-tiny"
    target.mkdir()
    # Two clients over one hour; in the third window neither has data, in the fifth only client 7 is idle.
    (target / "chunk-3-trace.csv").write_text(trace(1, 1, 0, 3, 3, 4))
    (target / "chunk-7-trace.csv").write_text(trace(2, 2, 0, 2, 0, 6))
    tokens = {"0": {"input_tokens": law(100), "output_tokens": law(50)}}
    (target / "chunk-3-dataset.json").write_text(json.dumps(tokens))
    return target


def test_demand_is_rate_times_mean_tokens_with_outages_on_a_line(folder):
    imported = import_trace("servegen", folder)
    assert imported.services["id"].tolist() == ["m-tiny-3", "m-tiny-7"]
    # Client 3: windows 1 1 (2) 3 3 4, mean 14/6 requests/s; client 7: 2 2 (2) 2 0 6, mean 14/6; 150 tokens each
    assert imported.demand["tokens_per_s"].tolist() == pytest.approx([350.0, 350.0])
    assert imported.services["kb_in_per_ktoken"].tolist() == pytest.approx([4 * 100 / 150] * 2)
    assert (
        "m-tiny: in 1 of 6 windows no client has data (an outage of the log): their rates lie on a line between the "
        "neighbours; other windows without data are no demand."
    ) in imported.assumptions
    assert (
        "m-tiny: 1 of 2 clients have no token data; each of their requests counts as 100 tokens in and 50 out "
        "(the mean of clients 3)."
    ) in imported.assumptions


def test_periods_take_exact_shares_of_windows(folder):
    imported = import_trace("servegen", folder, ServegenOptions(period_h=0.25, services="model"))
    # 900 s = 1.5 windows; both clients together 3 3 4 5 3 10 requests/s
    both = [(3 + 0.5 * 3) / 1.5, (0.5 * 3 + 4) / 1.5, (5 + 0.5 * 3) / 1.5, (0.5 * 3 + 10) / 1.5]
    assert imported.services["id"].tolist() == ["m-tiny"]
    assert imported.demand["tokens_per_s"].tolist() == pytest.approx([150 * r for r in both])


def test_token_means_follow_their_six_hour_window_and_blanks_the_clients_own_mean(folder):
    (folder / "chunk-7-trace.csv").unlink()
    (folder / "chunk-3-trace.csv").write_text(trace(*[1] * 108))  # 18 h at 1 request/s
    tokens = {
        "0": {"input_tokens": law(100), "output_tokens": law(50)},
        "21600": {},
        "43200": {"input_tokens": law(300), "output_tokens": law(150)},
    }
    (folder / "chunk-3-dataset.json").write_text(json.dumps(tokens))
    imported = import_trace("servegen", folder, ServegenOptions(period_h=6.0))
    assert imported.demand["tokens_per_s"].tolist() == pytest.approx([150.0, 300.0, 450.0])
    assert "m-tiny: 1 six-hour windows without token data use their client's own mean." in imported.assumptions


def test_a_single_client_cannot_show_an_outage(folder):
    imported = import_trace("servegen", [folder / "chunk-7-trace.csv"], ServegenOptions(tokens_per_request=60.0))
    assert imported.demand["tokens_per_s"].tolist() == pytest.approx([12 / 6 * 60])
    assert any(s.startswith("m-tiny: 2 windows without data count as no demand") for s in imported.assumptions)


def test_a_window_of_the_trace_can_be_read_and_a_short_model_repeats(folder, tmp_path):
    long = tmp_path / "z-long"
    long.mkdir()
    (long / "chunk-1-trace.csv").write_text(trace(*[1] * 6, *[2] * 6, *[3] * 6))
    imported = import_trace(
        "servegen", tmp_path, ServegenOptions(start=3600, hours=2, services="model", tokens_per_request=10.0)
    )
    demand = imported.demand.pivot_table(index="service", columns="period", values="tokens_per_s")
    assert demand.loc["z-long"].tolist() == pytest.approx([20.0, 30.0])
    assert demand.loc["m-tiny"].tolist() == pytest.approx([700.0, 700.0])
    assert "m-tiny: its 1 h are repeated up to hour 3." in imported.assumptions


def test_without_any_token_data_a_number_must_be_given(folder):
    (folder / "chunk-3-dataset.json").unlink()
    with pytest.raises(ScenarioError, match=r"m-tiny: no client has token data .* or give tokens_per_request"):
        import_trace("servegen", folder)


BAD = {
    "3600,fast,1,Gamma,1,1": ("rate", "fast", "not a number"),
    "3600,-1,1,Gamma,1,1": ("rate", "-1", "must be at least 0"),
    "3601,1,1,Gamma,1,1": ("window_start", "3601", "no multiple of the window of 600 s"),
    "3000,1,1,Gamma,1,1": ("window_start", "3000", "an earlier row has this window"),
    "3000.0,1,1,Gamma,1,1": ("window_start", "3000.0", "an earlier row has this window"),
    "6e8,1,1,Gamma,1,1": ("window_start", "6e8", "after 1e+08 s; traces span days"),
    "3600,1,1,Gamma,1": ("", "3600,1,1,Gamma,1", "5 cells instead of 6"),
    "3000,4,1.1,Gamma,0.9,0.4": ("", "3000,4,1.1,Gamma,0.9,0.4", "exact duplicate of line 6; left out"),
}


@pytest.mark.parametrize("row", BAD)
def test_a_bad_window_is_listed_with_its_folder_and_does_not_change_the_demand(folder, row):
    with (folder / "chunk-3-trace.csv").open("a") as file:
        file.write(f"{row}\n")
    imported = import_trace("servegen", folder)
    column, found, problem = BAD[row]
    assert imported.bad_rows.to_dict("records") == [
        {"file": "m-tiny/chunk-3-trace.csv", "line": 7, "column": column, "found": found, "problem": problem}
    ]
    assert imported.demand["tokens_per_s"].tolist() == pytest.approx([350.0, 350.0])


@pytest.mark.parametrize(
    ("text", "column", "found", "problem"),
    [
        ("{", "", "{", "no JSON: Expecting property name enclosed in double quotes"),
        ("[]", "", "list", "not an object {window start: {field: tokens}}"),
        ('{"noon": {}}', "", "noon", "not a window start that is a multiple of 21600 s with its fields"),
        (
            '{"0": {"input_tokens": "__import__(\'os\')", "output_tokens": "{1: 1.0}"}}',
            "0.input_tokens",
            "__import__('os')",
            "not the text of a dict {tokens: probability}",
        ),
        (
            '{"0": {"input_tokens": "{5: -1.0}", "output_tokens": "{1: 1.0}"}}',
            "0.input_tokens",
            "{5: -1.0}",
            "tokens and probabilities must be numbers from 0 up, with a sum above 0",
        ),
    ],
)
def test_bad_token_data_is_listed_and_counts_as_none(folder, text, column, found, problem):
    (folder / "chunk-3-dataset.json").write_text(text)
    imported = import_trace("servegen", folder, ServegenOptions(tokens_per_request=30.0))
    assert imported.bad_rows.to_dict("records") == [
        {"file": "m-tiny/chunk-3-dataset.json", "line": 1, "column": column, "found": found, "problem": problem}
    ]
    assert imported.demand["tokens_per_s"].tolist() == pytest.approx([70.0, 70.0])  # 14/6 x 30


def test_other_file_names_and_a_start_after_the_end_are_refused(folder, tmp_path):
    other = tmp_path / "trace.csv"
    other.write_text(trace(1, 1))
    with pytest.raises(OptionError, match=r"trace\.csv: not a ServeGen file name"):
        import_trace("servegen", other)
    with pytest.raises(OptionError, match="start is 7200 s, after the end of the trace"):
        import_trace("servegen", folder, ServegenOptions(start=7200))
    with pytest.raises(OptionError, match=r"no file is named chunk-N-trace.csv"):
        import_trace("servegen", folder / "chunk-3-dataset.json")
