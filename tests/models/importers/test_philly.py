import math

import pytest

from provgrid_models.errors import OptionError, ScenarioError
from provgrid_models.importers import PhillyOptions, import_trace
from provgrid_models.tables import LONG_TABLES

HEADER = "timestamp,duration,num_gpus,gpu_time,cluster"
# Out of order; the third row repeats the first.
GOOD = """\
2017-10-09 07:30:00,7200.0,2,14400.0,11cb48
2017-10-08 22:00:00,1800.0,1,1800.0,6214e9
2017-10-09 07:30:00,7200.0,2,14400.0,11cb48
2017-10-08 23:15:00,1800.0,8,14400.0,6214e9
"""


@pytest.fixture
def write(tmp_path):
    def _write(body, name="philly.csv", header=HEADER):
        path = tmp_path / name
        path.write_bytes(f"{header}\n{body}".encode())
        return path

    return _write


def test_a_job_holds_its_gpu_hours_as_work_and_its_submit_time_as_release(write):
    imported = import_trace("philly", write(GOOD), PhillyOptions(pflops_per_gpu=0.5, mfu=0.4))
    jobs = imported.jobs
    # Sorted by release. Hour 0 is 2017-10-08 00:00, midnight before the earliest row.
    assert list(jobs["id"]) == ["philly-3", "philly-5", "philly-2"]
    assert list(jobs["release_h"]) == [22.0, 23.25, 31.5]
    # One GPU-hour is 0.5 * 0.4 = 0.2 PFLOP-hours: 0.5 h x 1, 0.5 h x 8, 2 h x 2 GPUs.
    assert jobs["work_pflop_h"].tolist() == pytest.approx([0.1, 0.8, 0.8])
    assert jobs["max_accelerators"].tolist() == [1.0, 8.0, 2.0]
    assert jobs["tenant"].tolist() == ["6214e9", "6214e9", "11cb48"]
    # The larger of 3 x run time and run time + 6 h: 0.5 + 6, 0.5 + 6, 2 + 6.
    assert (jobs["deadline_h"] - jobs["release_h"]).tolist() == pytest.approx([6.5, 6.5, 8.0])
    # A gang of at least 2 GPUs that runs for at least 1 h is rigid; the 8 GPUs ran for half an hour.
    assert jobs["mode"].tolist() == ["elastic", "elastic", "rigid"]


def test_long_jobs_have_deadlines_in_proportion_to_their_run_time(write):
    imported = import_trace("philly", write("2017-10-09 00:00:00,36000,1,36000,a\n"), PhillyOptions(deadline_slack=2.5))
    assert imported.jobs["deadline_h"].tolist() == [25.0]  # 2.5 x 10 h > 10 h + 6 h


def test_imported_tables_have_every_column_with_its_type_and_default(write):
    imported = import_trace("philly", write(GOOD))
    for name, frame in (("jobs", imported.jobs), ("services", imported.services), ("demand", imported.demand)):
        kinds = {"text": "str", "number": "float64", "integer": "int64", "flag": "bool"}
        assert {c: str(t) for c, t in frame.dtypes.items()} == {
            c.name: kinds[c.kind] for c in LONG_TABLES[name].columns
        }
    job = imported.jobs.iloc[0]
    assert (job["precision"], job["after"], bool(job["hard"]), job["min_accelerators"]) == ("fp16", "", False, 1.0)
    assert math.isnan(job["unserved_yuan"])
    assert [t.id for t in imported.tenants] == ["11cb48", "6214e9"]
    assert [f.id for f in imported.families] == ["traced-model"]


def test_an_exact_duplicate_is_listed_and_left_out_or_kept_on_request(write):
    path = write(GOOD)
    imported = import_trace("philly", path)
    assert imported.bad_rows.to_dict("records") == [
        {
            "file": "philly.csv",
            "line": 4,
            "column": "",
            "found": "2017-10-09 07:30:00,7200.0,2,14400.0,11cb48",
            "problem": "exact duplicate of line 2; left out",
        }
    ]
    assert imported.counts["duplicate_rows"] == 1
    assert imported.counts["bad_rows"] == 0
    kept = import_trace("philly", path, PhillyOptions(drop_duplicates=False))
    assert len(kept.jobs) == 4
    assert kept.bad_rows["problem"].tolist() == ["exact duplicate of line 2; kept"]


BAD = {
    "9 Oct 2017,60.0,1,60.0,a": ("timestamp", "9 Oct 2017", "not a timestamp like 2017-10-09 07:01:55"),
    "2017-13-09 07:01:55,60.0,1,60.0,a": (
        "timestamp",
        "2017-13-09 07:01:55",
        "not a timestamp like 2017-10-09 07:01:55",
    ),
    ",60.0,1,60.0,a": ("timestamp", "", "not a timestamp like 2017-10-09 07:01:55"),
    "2017-10-09 07:01:55,long,1,60.0,a": ("duration", "long", "not a number"),
    "9999-12-31 00:00:00,60.0,1,60.0,a": ("timestamp", "9999-12-31 00:00:00", "not between 1970 and 2199"),
    "2017-10-09 07:01:55,1e308,1,60.0,a": ("duration", "1e308", "larger than 1e+12"),
    "2017-10-09 07:01:55,1e-320,1,0.0,a": ("duration", "1e-320", "must be above 0"),
    "2017-10-09 07:01:55,inf,1,60.0,a": ("duration", "inf", "not a number"),
    "2017-10-09 07:01:55,0.0,1,0.0,a": ("duration", "0.0", "must be above 0"),
    "2017-10-09 07:01:55,-5,1,-5,a": ("duration", "-5", "must be above 0"),
    "2017-10-09 07:01:55,60.0,1.5,90.0,a": ("num_gpus", "1.5", "not a whole number"),
    "2017-10-09 07:01:55,60.0,0,0.0,a": ("num_gpus", "0", "must be at least 1"),
    "2017-10-09 07:01:55,60.0,2,60.0,a": ("gpu_time", "60.0", "differs from duration x num_gpus"),
    "2017-10-09 07:01:55,60.0,1,60.0,": ("cluster", "", "not a name (letters, digits, _ . - /)"),
    "2017-10-09 07:01:55,60.0,1,60.0,a b": ("cluster", "a b", "not a name (letters, digits, _ . - /)"),
    "2017-10-09 07:01:55,60.0,1,60.0": ("", "2017-10-09 07:01:55,60.0,1,60.0", "4 cells, the header has 5"),
    "2017-10-09 07:01:55,60.0,1,60.0,a,b": ("", "2017-10-09 07:01:55,60.0,1,60.0,a,b", "6 cells, the header has 5"),
}


@pytest.mark.parametrize("row", BAD)
def test_a_bad_row_is_listed_with_its_line_and_problem_and_the_others_stay(write, row):
    imported = import_trace("philly", write(f"{row}\n2017-10-09 07:01:55,60.0,1,60.0,a\n"))
    column, found, problem = BAD[row]
    assert imported.bad_rows.to_dict("records") == [
        {"file": "philly.csv", "line": 2, "column": column, "found": found, "problem": problem}
    ]
    assert imported.jobs["id"].tolist() == ["philly-3"]
    assert imported.counts["rows_read"] == imported.counts["rows_kept"] + imported.counts["bad_rows"] == 2


def test_blank_lines_and_bytes_that_are_not_text_are_listed(tmp_path):
    path = tmp_path / "philly.csv"
    path.write_bytes(f"{HEADER}\n\n2017-10-09 07:01:55,60,1,60,\xff\n".encode("latin-1"))
    imported = import_trace("philly", path)
    assert imported.bad_rows["problem"].tolist() == ["blank line", "bytes that are not UTF-8"]
    assert len(imported.jobs) == 0


def test_quoted_cells_and_any_line_end_are_read(tmp_path):
    path = tmp_path / "philly.csv"
    path.write_bytes(f'{HEADER}\r"2017-10-09 07:00:00","60","1","60","a"\r\n2017-10-09 08:00:00,60,1,60,a'.encode())
    imported = import_trace("philly", path)
    assert imported.jobs["release_h"].tolist() == [7.0, 8.0]
    assert imported.bad_rows.empty


def test_every_row_is_counted_as_kept_bad_duplicate_or_outside_the_window(write):
    body = GOOD + "x,1,1,1,a\n"
    imported = import_trace("philly", write(body), PhillyOptions(start="2017-10-08 22:30:00", hours=2))
    assert imported.counts == {
        "files": 1,
        "rows_read": 5,
        "rows_kept": 1,
        "bad_rows": 1,
        "duplicate_rows": 1,
        "outside_window": 2,
        "beyond_max_jobs": 0,
    }
    assert imported.jobs["release_h"].tolist() == [0.75]  # 23:15 - 22:30


def test_max_jobs_draws_the_same_jobs_for_the_same_seed(write):
    body = "".join(f"2017-10-09 {h:02d}:00:00,3600,1,3600,a\n" for h in range(24))
    path = write(body)
    first, again, other = (
        import_trace("philly", path, PhillyOptions(max_jobs=6, seed=seed)).jobs["id"].tolist() for seed in (1, 1, 2)
    )
    assert first == again != other
    assert len(first) == 6
    said = import_trace("philly", path, PhillyOptions(max_jobs=6, seed=1)).assumptions
    assert "6 of 24 jobs were drawn at random (seed 1); they hold 25 % of the GPU-hours." in said


def test_scale_multiplies_work_and_accelerators_and_keeps_gangs_whole(write):
    jobs = import_trace("philly", write(GOOD), PhillyOptions(scale=1.3, pflops_per_gpu=1.0, mfu=0.5)).jobs
    assert jobs["work_pflop_h"].tolist() == pytest.approx([0.25 * 1.3, 2.0 * 1.3, 2.0 * 1.3])
    assert jobs["max_accelerators"].tolist() == pytest.approx([1.3, 10.4, 3.0])  # 2 x 1.3 = 2.6, rounded to 3


def test_a_region_map_places_each_tenant(write):
    jobs = import_trace("philly", write(GOOD), PhillyOptions(region="west", region_map={"6214e9": "east"})).jobs
    assert jobs["region"].tolist() == ["east", "east", "west"]


def test_assumptions_say_what_was_assumed_with_their_numbers(write):
    said = import_trace("philly", write(GOOD)).assumptions
    assert (
        "The trace names no chip: one GPU-hour counts as 0.1248 PFLOP-hours, the work of one a100 "
        "(0.312 PFLOPS FP16 peak) at MFU 0.4."
    ) in said
    assert (
        "Hour 0 is 2017-10-08 00:00:00 of the trace; its zone is not stated, its clock was taken as Beijing time."
    ) in said
    assert ("The trace has no deadlines: a job ends by its release + max(3 x run time, run time + 6 h).") in said
    assert "1 exact duplicate rows were left out; each is listed." in said


def test_two_files_of_one_name_give_different_jobs(tmp_path):
    for folder in ("a", "b"):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "philly.csv").write_text(f"{HEADER}\n2017-10-09 07:01:55,60,1,60,a\n")
    assert import_trace("philly", tmp_path).jobs["id"].is_unique


def test_a_file_without_the_columns_is_an_error_that_names_them(write):
    with pytest.raises(ScenarioError, match=r"philly\.csv: the header lacks gpu_time, cluster; found 'timestamp,dur"):
        import_trace("philly", write("", header="timestamp,duration,num_gpus"))


def test_a_column_that_is_there_twice_is_an_error(write):
    with pytest.raises(ScenarioError, match=r"philly\.csv: the header has duration more than once; keep one of them"):
        import_trace("philly", write("", header=f"{HEADER},duration"))


def test_an_empty_table_gives_no_jobs(write):
    imported = import_trace("philly", write(""))
    assert len(imported.jobs) == 0
    assert imported.counts["rows_read"] == 0


def test_wrong_calls_are_option_errors(write, tmp_path):
    path = write(GOOD)
    with pytest.raises(OptionError, match="unknown trace kind 'helios'; choose one of philly, openb"):
        import_trace("helios", path)
    with pytest.raises(OptionError, match="no such file or folder"):
        import_trace("philly", tmp_path / "none.csv")
    with pytest.raises(OptionError, match="openb takes OpenbOptions, not PhillyOptions"):
        import_trace("openb", path, PhillyOptions())
    with pytest.raises(OptionError, match="start is 'noon'; give a timestamp"):
        import_trace("philly", path, PhillyOptions(start="noon"))


@pytest.mark.parametrize(
    "wrong",
    [
        {"mfu": 0.0},
        {"mfu": 1.1},
        {"deadline_slack": 0.9},
        {"scale": 0.0},
        {"hours": -1.0},
        {"pflops_per_gpu": math.inf},
        {"max_jobs": 0},
        {"least_slack_h": -1.0},
        {"seed": -1},
    ],
)
def test_options_out_of_range_are_refused(wrong):
    with pytest.raises(OptionError, match=next(iter(wrong))):
        PhillyOptions(**wrong)
