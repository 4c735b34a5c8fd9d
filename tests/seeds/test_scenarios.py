import csv
import filecmp
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from provgrid_models.compile import compile_scenario
from provgrid_models.files import check_scenario, load_scenario
from provgrid_models.scenario import SHORT_TABLES
from provgrid_optimizer.options import SolveOptions, ignore_progress
from provgrid_optimizer.solve import find_engine
from provgrid_seeds import build, loader

NAMES = loader.scenario_names()


def folder(name: str) -> Path:
    return Path(str(loader.scenario_folder(name)))


def rows(name: str, table: str) -> list[dict[str, str]]:
    with (folder(name) / f"{table}.csv").open(encoding="utf-8") as lines:
        return list(csv.DictReader(lines))


@pytest.fixture(scope="module", params=NAMES)
def scenario(request):
    return load_scenario(folder(request.param))


def test_building_again_gives_the_checked_in_files(tmp_path):
    build.build(tmp_path)
    for name in (*NAMES, *loader.system_names()):
        made = sorted(file.name for file in (tmp_path / name).iterdir())
        assert made == sorted(file.name for file in folder(name).iterdir())
        _, different, unreadable = filecmp.cmpfiles(tmp_path / name, folder(name), made, shallow=False)
        assert (different, unreadable) == ([], [])


@pytest.mark.parametrize("name", NAMES)
def test_every_row_of_a_short_table_names_where_it_comes_from(name):
    for table in SHORT_TABLES:
        file = folder(name) / f"{table}.csv"
        for row in rows(name, table) if file.exists() else []:
            assert loader.resolve(row["source"])
            assert row["quality"] == loader.weakest_quality(row["source"])


@pytest.mark.parametrize("name", NAMES)
def test_profiles_are_rows_of_the_tables(name):
    for row in rows(name, "tariffs"):
        known = f"{row['tariff']}_{row['season']}_{int(row['hour']):02d}"
        assert float(row["price_yuan_per_kwh"]) == loader.figure("tariffs", known, "price_yuan_per_kwh")
    for row in rows(name, "renewables"):
        province, _, energy = row["profile"].rpartition("_")
        known = f"{province}_{row['season']}_{int(row['hour']):02d}"
        assert float(row["capacity_factor"]) == loader.figure("renewables", known, f"{energy}_cf")
    for row in rows(name, "carbon"):
        assert float(row["carbon_kg_per_kwh"]) == loader.figure("emission_factors", row["carbon"], "kgco2_per_kwh")


@pytest.mark.parametrize("name", ["zhejiang", "national"])
def test_every_number_that_demand_is_drawn_from_is_a_named_assumption(name):
    settings = tomllib.loads((folder(name) / "scenario.toml").read_text(encoding="utf-8"))
    known = {loader.assumption(line.split(":")[0]).value for line in settings["assumptions"]}

    def numbers(value):
        if isinstance(value, dict):
            return {n for inner in value.values() for n in numbers(inner)}
        if isinstance(value, list):
            return {n for inner in value for n in numbers(inner)}
        return {float(value)} if isinstance(value, int | float) else set()

    assert numbers(settings["generate"]) <= known


@pytest.mark.parametrize("name", NAMES)
def test_files_are_small(name):
    assert max(file.stat().st_size for file in folder(name).iterdir()) < 500_000


def test_scenarios_load_and_leave_nothing_to_generate(scenario):
    assert scenario.settings.generate == {}
    assert len(scenario.jobs) > 0
    assert len(scenario.services) > 0


@pytest.mark.parametrize("name", NAMES)
def test_checking_a_scenario_finds_nothing(name):
    assert [finding.text() for finding in check_scenario(folder(name))] == []


@pytest.mark.parametrize("name", ["zhejiang", "national"])
def test_a_scenario_is_a_week_of_hours(name):
    horizon = load_scenario(folder(name)).settings.horizon
    assert (horizon.periods, horizon.period_h, horizon.blocks) == (168, 1.0, ())


def test_an_eastern_site_is_connected_for_its_full_load_by_hand():
    # Wenzhou's installed accelerators * TDP * server overhead * PUE, and a twentieth of reserve
    scenario = load_scenario(folder("zhejiang"))
    cluster = next(one for one in scenario.clusters if one.id == "wenzhou_city")
    chips = {one.id: one for one in scenario.chips}
    kilowatts = sum(
        one.accelerators * loader.figure("chips", one.chip, "tdp_w") / 1000 * chips[one.chip].server_overhead
        for one in scenario.pools
        if one.cluster == "wenzhou_city"
    )
    assert cluster.grid_limit_mw == pytest.approx(1.05 * kilowatts * cluster.pue / 1000, abs=5e-4)


def test_national_is_the_whole_country():
    scenario = load_scenario(folder("national"))
    assert len(scenario.regions) == 31
    assert len(scenario.clusters) == 21
    assert len(scenario.jobs) >= 2000
    assert len(scenario.services) >= 150
    middle_pool = sorted(pool.accelerators for pool in scenario.pools)[len(scenario.pools) // 2]
    assert scenario.jobs["max_accelerators"].max() <= middle_pool * 0.4
    assert {"elastic", "rigid"} == set(scenario.jobs["mode"])
    assert (scenario.jobs["after"] != "").sum() > 0


def test_zhejiang_is_small_and_counts_no_province_beside_its_cities():
    scenario = load_scenario(folder("zhejiang"))
    assert len(scenario.jobs) <= 100
    assert {region.province for region in scenario.regions} == {"Zhejiang"}
    assert "zhejiang" not in {region.id for region in scenario.regions}
    assert {cluster.tier for cluster in scenario.clusters} == {"city", "provincial", "national_hub"}
    assert {"hami_yiwu", "zhongwei", "guian"} <= {cluster.id for cluster in scenario.clusters}
    assert sum(tenant.share for tenant in scenario.tenants) == pytest.approx(1.0)


def test_noon_in_the_toy_is_free_in_the_east_by_hand():
    scenario = load_scenario(folder("toy"))
    cluster = next(one for one in scenario.clusters if one.id == "hangzhou_city")
    chip = next(one for one in scenario.chips if one.id == "ascend_910b")
    contract = next(one for one in scenario.contracts if one.cluster == "hangzhou_city")
    noon = scenario.renewables.query("profile == 'zhejiang_solar' and season == 'summer' and hour == 12")
    sun_kw = contract.capacity_mw * 1000 * noon["capacity_factor"].iloc[0]
    # 64 accelerators * 0.35 kW * 1.45 server overhead * 1.35 PUE = 43.8 kW, against 120 kW * 0.4523 = 54.3 kW of sun.
    full_load_kw = 64 * chip.busy_kw * chip.server_overhead * cluster.pue
    assert full_load_kw == pytest.approx(43.848)
    assert sun_kw == pytest.approx(54.276)
    assert contract.take_or_pay
    # Nobody can fill the pool at noon. Jobs with a window over noon that may run there: the fine-tune (24), the two
    # pre-trainings (16 each, of which at most one fits on the line west) and the services' peak.
    jobs = scenario.jobs.set_index("id")
    over_noon = jobs[(jobs["release_h"] <= 12) & (jobs["deadline_h"] > 12) & (jobs["region"] == "hangzhou")]
    startable = over_noon[over_noon["after"] == ""]  # the vertical waits for a base that ends at 14:00 at the earliest
    assert set(startable.index) == {"hangzhou-finetune", "hangzhou-pretrain-a", "hangzhou-pretrain-b"}


def test_the_toy_has_the_prices_that_its_description_promises():
    problem = compile_scenario(load_scenario(folder("toy")))
    prices = find_engine("lp")(problem, SolveOptions(), ignore_progress).multipliers
    pool = {name: p for p, name in enumerate(problem.labels.pools)}
    noon = prices.accelerator[:, 12]
    assert noon[pool["hangzhou_city/ascend_910b"]] == pytest.approx(0.0, abs=1e-9)
    # Hami draws grid power at the flat price: 0.6 kW * 0.7 above idle * 1.45 * PUE 1.15 * 0.2656 yuan = 0.186 yuan.
    assert noon[pool["hami_yiwu/ascend_910c"]] >= 0.6 * 0.7 * 1.45 * 1.15 * 0.2656 - 1e-6
    # Two pre-trainings want the line west in the first hour, and it carries one.
    assert prices.link[list(problem.labels.links).index("west"), 0] > 0


def test_listing_scenarios_loads_no_heavy_library():
    code = (
        "import sys; from provgrid_seeds import loader; loader.scenario_names(); loader.table('chips');"
        "sys.exit(bool({'numpy', 'pandas', 'pydantic'} & set(sys.modules)))"
    )
    source = str(Path(loader.__file__).parents[1])
    assert subprocess.run([sys.executable, "-c", code], env={"PYTHONPATH": source}, check=False).returncode == 0
