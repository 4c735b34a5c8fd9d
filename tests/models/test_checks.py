"""Every broken scenario has its messages, word for word, in tests/models/broken/<name>.txt."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest

from broken_scenarios import SCENARIOS
from provgrid_models.errors import ScenarioError
from provgrid_models.files import check_loaded, check_scenario, load_scenario, read_scenario, save_scenario
from provgrid_models.findings import did_you_mean
from provgrid_models.grids import number_hint
from tiny import job, long_table, tiny_scenario

GOLDEN = Path(__file__).parent / "broken"


@pytest.fixture(scope="module")
def saved(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return save_scenario(tiny_scenario(), tmp_path_factory.mktemp("saved") / "tiny")


@pytest.fixture
def folder(saved: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(saved, tmp_path / "tiny"))


def lines(folder: Path, overrides: tuple[str, ...] = ()) -> str:
    texts = [f"{finding.severity}: {finding.text()}\n" for finding in check_scenario(folder, overrides)]
    return "".join(texts).replace(str(folder.parent), "TMP")


def test_the_scenario_that_every_broken_one_starts_from_has_no_findings(folder: Path):
    assert check_scenario(folder) == []


def test_every_golden_text_belongs_to_a_broken_scenario():
    assert {file.stem for file in GOLDEN.glob("*.txt")} == set(SCENARIOS)


@pytest.mark.parametrize("name", SCENARIOS)
def test_a_broken_scenario_gets_its_messages_and_never_passes(name: str, folder: Path):
    SCENARIOS[name](folder)
    text = lines(folder)
    assert text
    assert text == (GOLDEN / f"{name}.txt").read_text(encoding="utf-8")


@pytest.mark.parametrize("name", ["unknown-region", "broken-toml", "missing-table", "extends-itself", "nan"])
def test_loading_raises_with_every_finding_and_names_the_first(name: str, folder: Path):
    SCENARIOS[name](folder)
    scenario, findings = read_scenario(folder)
    assert scenario is None
    with pytest.raises(ScenarioError) as caught:
        load_scenario(folder)
    assert caught.value.findings == tuple(findings)
    assert f"has 1 error; first: {findings[0].text()}" in str(caught.value)


@pytest.mark.parametrize("name", ["price-per-mwh", "job-after-horizon", "hard-class-too-large"])
def test_warnings_and_screens_do_not_keep_a_scenario_from_loading(name: str, folder: Path):
    SCENARIOS[name](folder)
    assert load_scenario(folder).name == "tiny"


def test_all_findings_of_several_files_come_at_once(folder: Path):
    for name in ("unknown-region", "negative-capacity", "unknown-key", "shares-above-one"):
        SCENARIOS[name](folder)
    files = [finding.file for finding in check_scenario(folder)]
    assert sorted(files) == ["jobs.csv", "pools.csv", "scenario.toml", "tenants.csv"]


def test_a_thousand_slips_of_one_kind_are_counted_rather_than_listed(folder: Path):
    header = "service,period,tokens_per_s\n"
    (folder / "demand.csv").write_text(header + "".join(f"chat,{t},-1\n" for t in range(1000)))
    texts = [finding.text() for finding in check_scenario(folder) if finding.code == "out-of-range"]
    assert len(texts) == 21
    assert texts[-1] == "demand.csv column tokens_per_s: 980 more rows like those above"


def test_an_error_counts_every_slip_and_not_only_those_that_are_listed(folder: Path):
    header = "service,period,tokens_per_s\n"
    (folder / "demand.csv").write_text(header + "".join(f"chat,{t % 12},-1\n" for t in range(12)) + "chat,0,-1\n" * 88)
    # 100 negative cells of which 20 are listed, and the key of the period is there again in 88 rows
    with pytest.raises(ScenarioError, match=r"has 188 errors; first: demand\.csv:2 column tokens_per_s"):
        load_scenario(folder)


def test_many_unknown_links_are_counted(folder: Path):
    (folder / "routes.csv").write_text("region,cluster,links\n" + "east,city_a," + ";".join(f"l{i}" for i in range(50)))
    texts = [finding.text() for finding in check_scenario(folder)]
    assert len(texts) == 23  # beside them, no route leads to two clusters
    assert texts[20] == "routes.csv column links: 30 more unknown or doubled links"


def test_every_circle_of_jobs_is_reported_once_and_long_ones_are_cut_short():
    # a0 waits for a1, ..., a4999 for a0; b waits for the circle without being part of it; two short circles beside it
    ids = [f"a{i}" for i in range(5000)] + ["b", "c", "d", "e", "f"]
    after = [f"a{(i + 1) % 5000}" for i in range(5000)] + ["a7", "d", "c", "f", "e"]
    jobs = long_table("jobs", [job("a")]).iloc[np.zeros(len(ids), dtype=int)].reset_index(drop=True)
    texts = [f.text() for f in check_loaded(tiny_scenario(jobs=jobs.assign(id=ids, after=after)))]
    assert texts == [
        'jobs.csv:2 column after: found "a1"; the job waits for itself: a0 after a1 after a2 after a3 after ... after '
        "a0. Break the chain.",
        'jobs.csv:5003 column after: found "d"; the job waits for itself: c after d after c. Break the chain.',
        'jobs.csv:5005 column after: found "f"; the job waits for itself: e after f after e. Break the chain.',
    ]


def test_blank_lines_do_not_shift_the_line_numbers(folder: Path):
    text = (folder / "jobs.csv").read_text().replace("\ngang", "\n\n\ngang").replace("gang,firm,west", "gang,firm,wst")
    (folder / "jobs.csv").write_text(text)
    # header 1, base 2, two blank lines, gang 5
    assert lines(folder).startswith('error: jobs.csv:5 column region: found "wst"; no such region.')


@pytest.mark.parametrize("line_end", [b"\r\n", b"\r"])  # of Windows, and of the old Macintosh
def test_other_line_ends_and_a_byte_order_mark_are_read(folder: Path, line_end: bytes):
    for file in folder.glob("*.csv"):
        file.write_bytes(b"\xef\xbb\xbf" + file.read_bytes().replace(b"\n", line_end))
    assert check_scenario(folder) == []
    jobs = folder / "jobs.csv"
    jobs.write_bytes(jobs.read_bytes().replace(b"gang,firm,west", b"gang,firm,wst"))
    assert lines(folder).startswith('error: jobs.csv:3 column region: found "wst"; no such region.')


def test_spaces_around_cells_do_not_matter(folder: Path):
    for file in folder.glob("*.csv"):
        file.write_text(file.read_text().replace(",", " , "))
    assert check_scenario(folder) == []


def test_a_path_that_is_missing_or_a_file_is_a_finding(folder: Path):
    assert lines(folder.parent / "tinny").startswith('error: TMP/tinny: no such folder. Did you mean "tiny"?')
    assert "it is a file; a scenario is a folder" in lines(folder / "jobs.csv")
    (folder / "toy").mkdir()
    assert "no scenario.toml. The built-in scenario of that name is builtin:toy." in lines(folder / "toy")


def test_a_scenario_in_memory_is_checked_by_the_same_rules():
    assert check_loaded(tiny_scenario()) == []
    jobs = tiny_scenario().jobs.assign(region="eats")
    texts = [finding.text() for finding in check_loaded(tiny_scenario(jobs=jobs))]
    assert texts == ['jobs.csv:2 column region: found "eats"; no such region (in 3 rows). Did you mean "east"?']


def test_without_routes_no_pin_can_be_right():
    pinned = {"base": {"pinned_pool": "city_a/fast"}}
    assert check_loaded(tiny_scenario(jobs=pinned)) == []
    found = check_loaded(tiny_scenario(jobs=pinned, routes=[]))
    assert [finding.code for finding in found] == ["no-routes", "pinned-without-route"]


def test_did_you_mean_finds_near_words_and_beginnings_and_lists_few_words():
    assert did_you_mean("zhejang", ["zhejiang", "jiangsu"]) == 'Did you mean "zhejiang"?'
    assert did_you_mean("ZHEJIANG", ["zhejiang", "jiangsu"]) == 'Did you mean "zhejiang"?'
    assert did_you_mean("carbon_pr", ["carbon_price_yuan_per_t", "x"]) == 'Did you mean "carbon_price_yuan_per_t"?'
    assert did_you_mean("q", ["b", "a"]) == "Known: a, b."
    assert did_you_mean("q", [str(i) * 5 for i in range(10)]) == ""


def test_a_service_without_a_row_for_every_period_is_pointed_out(folder: Path):
    demand = folder / "demand.csv"
    demand.write_text("".join(demand.read_text(encoding="utf-8").splitlines(keepends=True)[:-1]), encoding="utf-8")
    assert [finding.code for finding in check_scenario(folder)] == ["gaps-in-demand"]


@pytest.mark.parametrize(
    ("found", "hint"),
    [
        ("7,0", "Write 7.0, with a decimal point."),
        ("1,000", "Write 1000, without thousands separators."),
        ("12,500,000", "Write 12500000, without thousands separators."),
        ("50%", "Write 0.5."),
        ("６４", "Write 64, in half-width digits."),
        ("－０．５", "Write -0.5, in half-width digits."),
        ("80kW", "The unit stands in the column's name; write the number alone."),
    ],
)
def test_a_number_in_another_notation_is_told_how_to_be_written(found: str, hint: str):
    assert number_hint(found) == hint


@pytest.mark.parametrize("found", ["2026-07-14 02:00", "2026/7/14", "7月14日 2:00", "２：００", "2点"])
def test_a_date_or_a_time_in_a_column_of_hours_is_told_what_is_counted(found: str):
    for column in ("release_h", "deadline_h"):
        assert number_hint(found, column).startswith("Hours count from the start of the horizon")
    assert number_hint(found, "hour") == "Write the hour of the day alone, 0 to 23."
    assert number_hint(found, "period").startswith("Periods count from 0")
    assert "number alone" in number_hint("2.5 h", "release_h")
