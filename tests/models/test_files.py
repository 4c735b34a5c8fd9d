from __future__ import annotations

import contextlib
import dataclasses
import random
import subprocess
import sys
import textwrap
from pathlib import Path

import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from provgrid_models.errors import ScenarioError
from provgrid_models.files import check_loaded, check_scenario, load_scenario, save_scenario
from provgrid_models.scenario import SHORT_TABLES, Scenario
from provgrid_models.tables import LONG_TABLES
from tiny import job, tiny_scenario


def assert_same(one: Scenario, other: Scenario) -> None:
    assert one.settings == other.settings
    for name in SHORT_TABLES:
        assert getattr(one, name) == getattr(other, name), name
    for name in LONG_TABLES:
        pd.testing.assert_frame_equal(getattr(one, name), getattr(other, name), check_exact=True)


@pytest.mark.parametrize("file_format", ["csv", "parquet"])
def test_a_saved_scenario_loads_back_to_the_same(file_format: str, tmp_path: Path):
    scenario = tiny_scenario()
    assert_same(load_scenario(save_scenario(scenario, tmp_path, format=file_format)), scenario)


def test_files_saved_twice_are_the_same_bytes(tmp_path: Path):
    first = save_scenario(tiny_scenario(), tmp_path / "first")
    second = save_scenario(load_scenario(first), tmp_path / "second")
    names = sorted(file.name for file in first.iterdir())
    assert names == sorted(file.name for file in second.iterdir())
    assert all((first / name).read_bytes() == (second / name).read_bytes() for name in names)


def test_parquet_holds_jobs_services_and_demand_and_the_rest_stays_readable(tmp_path: Path):
    save_scenario(tiny_scenario(), tmp_path, format="csv")
    save_scenario(tiny_scenario(), tmp_path, format="parquet")
    assert sorted(file.name for file in tmp_path.glob("*.parquet")) == [
        "demand.parquet",
        "jobs.parquet",
        "services.parquet",
    ]
    assert not (tmp_path / "jobs.csv").exists()
    assert (tmp_path / "tariffs.csv").exists()


number = st.floats(min_value=1e-300, max_value=1e300, allow_nan=False)
short_text = st.text(st.characters(codec="utf-8", exclude_categories=("Cc", "Cs", "Zs", "Zl", "Zp")), max_size=8)


@settings(max_examples=12, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(work=number, yuan=st.none() | number, name=short_text, hard=st.booleans(), share=st.floats(0, 1))
def test_every_float_and_text_survives_a_round_trip(tmp_path: Path, work, yuan, name, hard, share):
    changed = job("j" + name, work_pflop_h=work, hard=hard, unserved_yuan=float("nan") if yuan is None else yuan)
    tenants = [{"id": "city", "name": name, "share": share}, {"id": "firm"}]
    scenario = tiny_scenario(jobs=[changed], tenants=tenants)
    for file_format in ("csv", "parquet"):
        folder = save_scenario(scenario, tmp_path / file_format, format=file_format)
        assert_same(load_scenario(folder), scenario)


def test_defaults_fill_what_the_files_leave_out_and_types_follow_the_tables(tmp_path: Path):
    folder = save_scenario(tiny_scenario(), tmp_path)
    header = "id,region,family,work_pflop_h,release_h,deadline_h,max_accelerators\n"
    (folder / "jobs.csv").write_text(header + "only,east,llm,1,0,12,8\n")
    jobs = load_scenario(folder).jobs
    assert list(jobs) == [column.name for column in LONG_TABLES["jobs"].columns]
    row = jobs.iloc[0]
    assert (row["mode"], row["precision"], row["move_gbps"], row["after"]) == ("elastic", "fp16", 10.0, "")
    assert pd.isna(row["unserved_yuan"])
    assert jobs["hard"].dtype == bool
    assert jobs["work_pflop_h"].dtype == float
    assert load_scenario(folder).demand["period"].dtype == "int64"


@pytest.mark.parametrize("file_format", ["csv", "parquet"])
@pytest.mark.parametrize("table", ["jobs", "services"])
def test_blank_cells_of_long_tables_are_the_default_where_there_is_one(tmp_path: Path, table: str, file_format: str):
    scenario = tiny_scenario()
    defaults = {one.name: one.default for one in LONG_TABLES[table].columns if one.default is not None}
    expected = dataclasses.replace(scenario, **{table: getattr(scenario, table).assign(**defaults)})
    save_scenario(scenario, tmp_path, format=file_format)
    path = tmp_path / f"{table}.{file_format}"
    if file_format == "csv":
        pd.read_csv(path, dtype=str).assign(**dict.fromkeys(defaults)).to_csv(path, index=False)
    else:
        pd.read_parquet(path).assign(**dict.fromkeys(defaults)).to_parquet(path)
    assert_same(load_scenario(tmp_path), expected)


def test_a_table_made_in_memory_holds_no_blank_where_a_default_is_meant():
    jobs = tiny_scenario().jobs
    for column, blank in (("mode", ""), ("data_gb", float("nan"))):
        scenario = dataclasses.replace(tiny_scenario(), jobs=jobs.assign(**{column: blank}))
        codes = {finding.code for finding in check_loaded(scenario) if finding.severity == "error"}
        assert "blank-cell" in codes, column


def test_flags_take_true_false_1_0_yes_no(tmp_path: Path):
    folder = save_scenario(tiny_scenario(), tmp_path)
    lines = (folder / "jobs.csv").read_text().splitlines()
    (folder / "jobs.csv").write_text(
        "\n".join(f"{line},{word}" for line, word in zip(lines, ("hard", "Yes", "0", "TRUE"), strict=True))
    )
    assert load_scenario(folder).jobs["hard"].tolist() == [True, False, True]


def test_a_loaded_scenario_remembers_its_folder(tmp_path: Path):
    assert load_scenario(save_scenario(tiny_scenario(), tmp_path)).folder == tmp_path


@settings(max_examples=20, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(seed=st.integers(0, 10**9), many=st.integers(1, 4))
def test_random_damage_raises_nothing_but_scenario_errors(tmp_path: Path, seed: int, many: int):
    folder = save_scenario(tiny_scenario(), tmp_path, format="parquet" if seed % 5 == 0 else "csv")
    choose = random.Random(seed)
    for _ in range(many):
        damage(choose, choose.choice(sorted(folder.iterdir())))
    findings = check_scenario(folder)
    assert all("\n" not in finding.text() for finding in findings)
    if seed % 3 == 0:
        with contextlib.suppress(ScenarioError):
            load_scenario(folder)


CELLS = [
    "",
    "-1",
    "nan",
    "inf",
    "1e400",
    "1,5",
    "x" * 1000,
    "é",
    "\x00",
    "NULL",
    '"',
    "east",
    "3.7",
    "1e18",
    "-0",
    "true",
]


def damage(choose: random.Random, file: Path) -> None:
    """Change some bytes, or a cell of a CSV file, or cut or double the file."""
    data = bytearray(file.read_bytes())
    kind = choose.choice(["byte", "bytes", "cut", "cell", "cell", "cell", "line", "double"])
    if kind == "byte" and data:
        data[choose.randrange(len(data))] = choose.randrange(256)
    elif kind == "bytes":
        at = choose.randrange(len(data) + 1)
        data[at:at] = choose.randbytes(choose.randrange(1, 9))
    elif kind == "cut":
        del data[choose.randrange(len(data) + 1) :]
    elif kind == "double":
        data = data * 2
    elif file.suffix in (".csv", ".toml"):
        rows = [line.split(b",") for line in bytes(data).split(b"\n")]
        row = choose.choice(rows)
        if kind == "line":
            rows.remove(row)
        else:
            row[choose.randrange(len(row))] = choose.choice(CELLS).encode()
        data = bytearray(b"\n".join(b",".join(row) for row in rows))
    file.write_bytes(bytes(data))


MILLION = """
import resource, sys, time
from provgrid_models.files import read_scenario
from provgrid_models.compile import compile_scenario

started = time.perf_counter()
scenario, findings = read_scenario(sys.argv[1])
assert scenario is not None, [finding.text() for finding in findings[:3]]
loaded = time.perf_counter()
problem = compile_scenario(scenario)
compiled = time.perf_counter()
peak_gb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024**2
print(len(scenario.jobs), problem.n_jobs, round(loaded - started, 2), round(compiled - loaded, 2), round(peak_gb, 3))
"""


@pytest.mark.slow
@pytest.mark.parametrize("file_format", ["csv", "parquet"])
def test_a_million_jobs_load_check_and_compile_in_under_4_gb(file_format: str, tmp_path: Path):
    folder = save_scenario(dataclasses.replace(tiny_scenario(), jobs=million_jobs()), tmp_path, format=file_format)
    done = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(MILLION), str(folder)],
        env={"PYTHONPATH": ":".join(sys.path)},
        capture_output=True,
        text=True,
        check=True,
    )
    rows, compiled_jobs, load_s, compile_s, peak_gb = done.stdout.split()
    print(f"{file_format}: load and check {load_s} s, compile {compile_s} s, peak {peak_gb} GB")  # noqa: T201
    assert int(rows) == 1_000_000
    assert int(compiled_jobs) > 900_000
    assert float(peak_gb) < 4.0


def million_jobs() -> pd.DataFrame:
    """Cycle the tiny scenario's jobs a million times with other names, works and windows; every third comes after."""
    count = 1_000_000
    base = tiny_scenario().jobs
    jobs = base.iloc[[i % len(base) for i in range(count)]].reset_index(drop=True)
    number = pd.Series(range(count))
    jobs["id"] = "job-" + number.astype(str)
    jobs["work_pflop_h"] = 1.0 + (number % 997) / 1000.0
    jobs["after"] = ("job-" + (number - 2).astype(str)).where(number % 3 == 2, "")
    return jobs
