from __future__ import annotations

from pathlib import Path

import pytest

from provgrid_models.errors import ScenarioError
from provgrid_models.files import check_scenario, load_scenario, save_scenario
from provgrid_models.overlay import builtin_names
from tiny import tiny_scenario


@pytest.fixture
def overlay(tmp_path: Path) -> Path:
    """An empty layer over the tiny scenario."""
    save_scenario(tiny_scenario(), tmp_path / "base")
    folder = tmp_path / "overlay"
    folder.mkdir()
    (folder / "scenario.toml").write_text('extends = "../base"\nname = "variant"\n')
    return folder


def texts(folder: Path, *overrides: str) -> list[str]:
    return [finding.text() for finding in check_scenario(folder, overrides)]


def test_settings_are_merged_key_by_key(overlay: Path):
    with (overlay / "scenario.toml").open("a") as file:
        file.write("[prices]\ncarbon_price_yuan_per_t = 90\n")
    settings = load_scenario(overlay).settings
    assert settings.name == "variant"
    assert settings.prices.carbon_price_yuan_per_t == 90.0
    assert settings.latency == tiny_scenario().settings.latency
    assert settings.horizon == tiny_scenario().settings.horizon


def test_a_table_replaces_the_table_below(overlay: Path):
    (overlay / "tariffs.csv").write_text("tariff,price_yuan_per_kwh\neast,0.4\nwest,0.2\n")
    scenario = load_scenario(overlay)
    assert scenario.tariffs["price_yuan_per_kwh"].tolist() == [0.4, 0.2]
    assert scenario.clusters == tiny_scenario().clusters


def test_a_patch_updates_rows_by_key_and_adds_new_ones_and_keeps_the_rest(overlay: Path):
    (overlay / "pools.patch.csv").write_text(
        "id,accelerators,cluster,chip\nhub_b/fast,500,,\nprov_c/fast,10,prov_c,fast\n"
    )
    pools = {pool.id: pool for pool in load_scenario(overlay).pools}
    assert list(pools) == ["city_a/fast", "hub_b/fast", "prov_c/small", "prov_c/fast"]
    assert (pools["hub_b/fast"].accelerators, pools["hub_b/fast"].availability) == (500.0, 0.8)
    assert (pools["prov_c/fast"].accelerators, pools["prov_c/fast"].availability) == (10.0, 1.0)


def test_a_patch_of_a_long_table_finds_rows_by_all_key_columns(overlay: Path):
    (overlay / "demand.patch.csv").write_text("service,period,tokens_per_s\nchat,3,99\n")
    demand = load_scenario(overlay).demand.set_index(["service", "period"])["tokens_per_s"]
    assert demand["chat", 3] == 99.0
    assert demand["chat", 4] == 210.0
    assert len(demand) == 24


def test_a_patch_can_fill_a_column_that_the_base_leaves_out(overlay: Path):
    (overlay / "jobs.patch.csv").write_text("id,hard\ngang,true\n")
    jobs = load_scenario(overlay).jobs
    assert jobs["hard"].tolist() == [False, True, False]


def test_a_new_row_of_a_patch_needs_all_that_a_row_needs(overlay: Path):
    (overlay / "jobs.patch.csv").write_text("id,hard\nnew,true\n")
    assert "jobs.patch.csv:2 column work_pflop_h: the cell is empty" in texts(overlay)


def test_findings_name_the_layer_that_the_row_came_from(overlay: Path):
    (overlay / "clusters.patch.csv").write_text("id,pue\nhub_b,9\n")
    assert texts(overlay) == ['clusters.patch.csv:2 column pue: found "9"; it must be at most 3']
    (overlay / "clusters.patch.csv").unlink()
    base = overlay.parent / "base" / "pools.csv"
    base.write_text(base.read_text().replace("125.0", "-1"))
    assert texts(overlay) == ['../base/pools.csv:3 column accelerators: found "-1"; it must be at least 0']


def test_layers_can_be_stacked(overlay: Path):
    (overlay / "pools.patch.csv").write_text("id,accelerators\nhub_b/fast,500\n")
    top = overlay.parent / "top"
    top.mkdir()
    (top / "scenario.toml").write_text('extends = "../overlay"\n')
    (top / "pools.patch.csv").write_text("id,availability\nhub_b/fast,0.5\n")
    scenario = load_scenario(top)
    assert scenario.name == "variant"
    assert (scenario.pools[1].accelerators, scenario.pools[1].availability) == (500.0, 0.5)


def test_a_cycle_of_extends_is_a_finding(overlay: Path):
    base = overlay.parent / "base" / "scenario.toml"
    base.write_text('extends = "../overlay"\n' + base.read_text())
    assert texts(overlay) == [
        "../base/scenario.toml key extends: the chain of extends comes back to overlay. Remove one extends."
    ]


def test_a_resolved_scenario_is_saved_without_its_layers(overlay: Path, tmp_path: Path):
    (overlay / "pools.patch.csv").write_text("id,accelerators\nhub_b/fast,500\n")
    folder = save_scenario(load_scenario(overlay), tmp_path / "resolved")
    assert "extends" not in (folder / "scenario.toml").read_text()
    assert load_scenario(folder).pools == load_scenario(overlay).pools


@pytest.mark.slow
@pytest.mark.parametrize("name", builtin_names())
def test_a_built_in_scenario_can_be_extended(name: str, tmp_path: Path):
    (tmp_path / "scenario.toml").write_text(f'extends = "builtin:{name}"\n[prices]\ncarbon_price_yuan_per_t = 123\n')
    scenario = load_scenario(tmp_path)
    assert scenario.name == name
    assert scenario.settings.prices.carbon_price_yuan_per_t == 123.0


# --set ---------------------------------------------------------------------------------------------------------


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return save_scenario(tiny_scenario(), tmp_path / "tiny")


def test_set_reaches_settings_and_table_cells(folder: Path):
    scenario = load_scenario(
        folder,
        [
            "prices.carbon_price_yuan_per_t=100",
            "switches.links=false",
            'switches.open_zones=[["east", "west"]]',
            "clusters.hub_b.pue=1.3",
            "pools.hub_b/fast.accelerators=2000",
            "jobs.gang.hard=true",
            "jobs.gang.residency=west",
        ],
    )
    assert scenario.settings.prices.carbon_price_yuan_per_t == 100.0
    assert scenario.settings.switches.links is False
    assert scenario.settings.switches.open_zones == (("east", "west"),)
    assert scenario.clusters[1].pue == 1.3
    assert scenario.pools[1].accelerators == 2000.0
    assert scenario.jobs["hard"].tolist() == [False, True, False]
    assert scenario.jobs["residency"].tolist() == ["", "west", "east"]


def test_set_by_the_first_part_of_a_key_reaches_all_its_rows(folder: Path):
    scenario = load_scenario(folder, ["tariffs.east.price_yuan_per_kwh=0.7", "demand.chat:3.tokens_per_s=1"])
    assert set(scenario.tariffs["price_yuan_per_kwh"]) == {0.7, 0.3}
    assert (scenario.demand["tokens_per_s"] == 1.0).sum() == 1


def test_a_pattern_reaches_every_row_that_it_matches(folder: Path):
    scenario = load_scenario(
        folder, ["pools.hub_b/*.accelerators=2000", "jobs.*.residency=west", "bindings.*:fast.mfu=0.5"]
    )
    known = load_scenario(folder)
    assert [pool.accelerators for pool in scenario.pools] == [
        2000.0 if pool.cluster == "hub_b" else pool.accelerators for pool in known.pools
    ]
    assert set(scenario.jobs["residency"]) == {"west"}
    assert {binding.mfu for binding in scenario.bindings if binding.chip == "fast"} == {0.5}


def test_a_star_before_the_sign_multiplies_what_is_there(folder: Path):
    scenario = load_scenario(
        folder, ["pools.*.accelerators*=1.5", "demand.chat.tokens_per_s*=0", "prices.unserved_multiple*=2"]
    )
    known = load_scenario(folder)
    assert [pool.accelerators for pool in scenario.pools] == [1.5 * pool.accelerators for pool in known.pools]
    assert (scenario.demand.query("service == 'chat'")["tokens_per_s"] == 0.0).all()
    assert scenario.settings.prices.unserved_multiple == 2 * known.settings.prices.unserved_multiple


def test_a_blank_cell_times_a_factor_stays_blank(folder: Path):
    jobs = load_scenario(folder, ["jobs.gang.unserved_yuan=5", "jobs.*.unserved_yuan*=2"]).jobs
    assert jobs["unserved_yuan"].fillna(-1.0).tolist().count(10.0) == 1
    assert jobs["unserved_yuan"].isna().sum() == len(jobs) - 1


def test_later_overrides_win(folder: Path):
    assert load_scenario(folder, ["clusters.hub_b.pue=1.3", "clusters.hub_b.pue=1.4"]).clusters[1].pue == 1.4


@pytest.mark.parametrize(
    ("override", "text"),
    [
        (
            "prices.carbon_prce_yuan_per_t=1",
            '--set key prices.carbon_prce_yuan_per_t: no such key. Did you mean "carbon_price_yuan_per_t"?',
        ),
        ("carbon_price=1", '--set key carbon_price: no such key. Did you mean "prices.carbon_price_yuan_per_t"?'),
        ("pue=1.2", '--set key pue: no such key. Did you mean "clusters.*.pue"?'),
        ("pools.small.accelerators=9", '--set key pools.small.accelerators: found "small"; pools has no such row. '
            'Did you mean "prov_c/small"?'),
        ("pools.fast.accelerators=9", '--set key pools.fast.accelerators: found "fast"; pools has no such row. '
            'Did you mean "hub_b/fast" or "city_a/fast"?'),
        ("cluster.hub_b.pue=1.2", '--set key cluster: no such key. Did you mean "clusters"?'),
        ("clusters.hub_c.pue=1.2", '--set key clusters.hub_c.pue: found "hub_c"; clusters has no such row. '
            'Did you mean "hub_b"?'),
        ("clusters.hub_b.puee=1.2", '--set key clusters.hub_b.puee: found "puee"; clusters has no such column. '
            'Did you mean "pue"?'),
        ("clusters.hub_b.pue=9", '--set key clusters.hub_b.pue: found "9"; it must be at most 3'),
        ("clusters.hub_b.tariff=wst", '--set key clusters.hub_b.tariff: found "wst"; no such tariff. '
            'Did you mean "west"?'),
        ("jobs.gang.work_pflop_h=many", '--set key jobs.gang.work_pflop_h: found "many"; a number is needed'),
        ("clusters.hub_b.id=x", '--set key clusters.hub_b.id: found "id"; the key cannot be changed'),
        ("prices", '--set: found "prices"; path=value is needed. '
            "Write prices.carbon_price_yuan_per_t=100 or clusters.hami.pue=1.2."),
        ("name.first=1", "--set key name.first: name has no keys below it"),
        ("horizon.periods=1 2", '--set key horizon.periods: found "1 2"; the value cannot be read. '
            'Write a TOML value: 1.2, true, "text", ["a", "b"].'),
        ("pools.x*.accelerators*=2", '--set key pools.x*.accelerators*: found "x*"; pools has no such row. '
            'Known: city_a/fast, hub_b/fast, prov_c/small.'),
        ("clusters.hub_b.tariff*=2", '--set key clusters.hub_b.tariff*: found "west"; there is no number to multiply'),
        ("prices.carbon*=2", "--set key prices.carbon*: there is no number to multiply. Set a value with = instead."),
        ("pools.*.accelerators*=true", '--set key pools.*.accelerators*: found "true"; a factor is a number. '
            "Write pools.*.accelerators*=1.1."),
        ("horizon.periods=-1", '--set key horizon.periods: found "-1"; it must be above 0'),
    ],
)  # fmt: skip
def test_a_wrong_override_is_a_finding(folder: Path, override: str, text: str):
    assert texts(folder, override) == [text]
    with pytest.raises(ScenarioError):
        load_scenario(folder, [override])
