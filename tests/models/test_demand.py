from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from provgrid_models import demand
from provgrid_models.demand_settings import GenerateSettings, parse
from provgrid_models.errors import ScenarioError
from provgrid_models.files import load_scenario
from provgrid_models.tables import LONG_TABLES
from provgrid_seeds import loader
from tiny import tiny_scenario

SHAPE = np.array([row["value"] for row in loader.table("diurnal_shapes") if row["shape"] == "m_small"])


def with_generate(generate: dict) -> object:
    scenario = tiny_scenario(regions={"east": {"demand_weight": 0.7}, "west": {"demand_weight": 0.3}})
    kept = scenario.settings.model_copy(update={"generate": generate})
    empty = {name: getattr(scenario, name).iloc[:0] for name in ("jobs", "services", "demand")}
    return replace(scenario, settings=kept, **empty)


def training_of(scenario, **changes) -> dict:
    families = {scenario.bindings[0].family: 1.0}
    weights = {"demand_weight": 1.0}
    usable = {"jobs": 40, "capacity_share": 0.3, "families": families, "weights": weights, "longest_run_share": 1.0}
    return {"training": {**usable, **changes}}


@pytest.fixture(scope="module")
def national():
    return load_scenario(loader.scenario_folder("national"))


def test_a_diurnal_curve_integrates_to_its_daily_total():
    # 24 shares of a day's 4,800 units: 100 units an hour but for one hour of 2,500.
    shape = np.ones(24)
    shape[9] = 25.0
    rate = demand.diurnal_curve(4800.0, shape, np.arange(24), 1.0)
    assert rate[0] == pytest.approx(100.0)
    assert rate[9] == pytest.approx(2500.0)
    assert rate.sum() == pytest.approx(4800.0)


@given(
    shape=st.lists(st.floats(0.01, 10), min_size=24, max_size=24),
    steps=st.sampled_from([1, 2, 5, 24, 48, 96]),
    first_h=st.floats(0, 23.9),
    total=st.floats(0.1, 1e9),
)
def test_whatever_the_shape_the_step_and_the_first_hour_a_day_holds_its_total(shape, steps, first_h, total):
    period_h = 24 / steps
    rate = demand.diurnal_curve(total, shape, first_h + np.arange(steps) * period_h, period_h)
    assert (rate * period_h).sum() == pytest.approx(total)


def test_a_period_longer_than_an_hour_holds_the_mean_of_its_hours():
    by_hour = demand.diurnal_curve(1000.0, SHAPE, np.arange(24), 1.0)
    by_three = demand.diurnal_curve(1000.0, SHAPE, np.arange(0, 24, 3), 3.0)
    assert by_three == pytest.approx(by_hour.reshape(8, 3).mean(axis=1))


@pytest.mark.parametrize("shape", [[1.0] * 23, [0.0] * 24, [1.0] * 23 + [-1.0], [1.0] * 23 + [np.nan]])
def test_a_shape_that_is_no_day_is_refused(shape):
    with pytest.raises(ValueError, match="24 numbers"):
        demand.diurnal_curve(1.0, shape, [0.0], 1.0)


def test_regional_weights_follow_the_figures_by_hand():
    # Half follows population (3 : 1), half GDP (1 : 1): 0.5 * 0.75 + 0.5 * 0.5 = 0.625.
    assert demand.regional_weights([[3, 1], [5, 5]], [0.5, 0.5]) == pytest.approx([0.625, 0.375])
    # Two years of +100 % in the second region: 0.625 : 0.375 * 4 = 0.625 : 1.5.
    grown = demand.regional_weights([[3, 1], [5, 5]], [0.5, 0.5], [0.0, 1.0], 2.0)
    assert grown == pytest.approx([0.625 / 2.125, 1.5 / 2.125])


def test_regional_weights_refuse_figures_that_say_nothing():
    with pytest.raises(ValueError, match="positive sum"):
        demand.regional_weights([[0, 0]], [1.0])
    with pytest.raises(ValueError, match="at least 0"):
        demand.regional_weights([[1, -1]], [1.0])


def test_sizes_meet_the_quantiles_and_lie_between_them_in_logarithm():
    # Halfway between quantiles 1 and 100 lies 10; nothing leaves what was measured.
    assert demand.sizes_at([0.1, 0.5, 0.9], [0.1, 0.9], [1.0, 100.0]) == pytest.approx([1.0, 10.0, 100.0])
    assert demand.sizes_at([0.0, 1.0], [0.1, 0.9], [1.0, 100.0]) == pytest.approx([1.0, 100.0])


def test_sampled_sizes_have_the_quantiles_of_the_table():
    band = [
        row
        for row in loader.table("size_quantiles")
        if (row["population"], row["gpus_high"], row["quantity"]) == ("planned", 8, "gpu_hours")
    ]
    at = np.array([row["probability"] for row in band], dtype=float)
    values = np.array([row["value"] for row in band], dtype=float)
    drawn = demand.sizes_at(np.random.default_rng(1).random(200_000), at, values)
    inner = (at >= 0.05) & (at <= 0.95)
    assert np.quantile(drawn, at[inner]) == pytest.approx(values[inner], rel=0.05)


def test_scaling_cuts_at_the_limits_and_meets_the_total_by_hand():
    # k = 2 gives 2, 4, 20; the last is cut at 9: 2 + 4 + 9 = 15.
    scaled, k = demand.scaled_to_total([1, 2, 10], [5, 5, 9], 15.0)
    assert scaled == pytest.approx([2, 4, 9])
    assert k == pytest.approx(2.0)
    with pytest.raises(ValueError, match="below the total"):
        demand.scaled_to_total([1, 2], [5, 5], 10.1)


@given(
    sizes=st.lists(st.floats(0.01, 1e4), min_size=1, max_size=30),
    fill=st.floats(0.01, 1.0),
    seed=st.integers(0, 1000),
)
def test_scaled_sizes_sum_to_the_total_and_keep_their_limits(sizes, fill, seed):
    largest = np.random.default_rng(seed).uniform(0.1, 100, len(sizes))
    total = fill * largest.sum()
    scaled, k = demand.scaled_to_total(sizes, largest, total)
    assert scaled.sum() == pytest.approx(total)
    assert (scaled <= largest * (1 + 1e-12)).all()
    free = scaled < largest * (1 - 1e-9)
    assert scaled[free] == pytest.approx(k * np.array(sizes)[free])


def test_windows_are_whole_periods_inside_their_block_by_hand():
    # 5 h of run at slack 1.5 need 7.5 h, so 8; 24 - 8 = 16 h of room, of which half lies before the release.
    release, deadline = demand.windows([5.0], [1.5], [0.5], [0.0], [24.0], 1.0)
    assert (release[0], deadline[0]) == (8.0, 16.0)
    release, deadline = demand.windows([50.0], [2.0], [0.9], [24.0], [48.0], 1.0)
    assert (release[0], deadline[0]) == (24.0, 48.0)


def test_a_scenario_without_generate_is_left_as_it_is():
    scenario = tiny_scenario()
    assert demand.expand(scenario) is scenario


def test_expanding_is_deterministic_and_the_seed_matters():
    scenario = with_generate({})
    first, second, other = (demand.expand(with_generate(training_of(scenario, seed=seed))).jobs for seed in (3, 3, 4))
    pd.testing.assert_frame_equal(first, second)
    assert not first.equals(other)


def test_drawn_tables_have_every_column_in_its_type(national):
    kinds = {"text": str, "number": np.float64, "integer": np.int64, "flag": np.bool_}
    for name in ("jobs", "services", "demand"):
        frame, table = getattr(national, name), LONG_TABLES[name]
        assert list(frame.columns) == [column.name for column in table.columns]
        for column in table.columns:
            assert frame[column.name].dtype == pd.Series([], dtype=kinds[column.kind]).dtype, column.name


def test_drawn_jobs_meet_the_share_of_capacity_that_was_asked_for():
    scenario = with_generate({})
    jobs = demand.expand(with_generate(training_of(scenario))).jobs
    binding = {(one.family, one.chip): one for one in scenario.bindings}
    chips = {chip.id: chip for chip in scenario.chips}
    family = scenario.bindings[0].family
    usable, able = [], []
    for pool in scenario.pools:
        one = binding.get((family, pool.chip))
        held = pool.accelerators * pool.availability
        usable.append(held)
        if one is not None and one.mfu and held >= one.min_accelerators:
            able.append((held, one.mfu * chips[pool.chip].peak_fp16_tflops / 1000))
    rate = sum(held * pflops for held, pflops in able) / sum(held for held, _ in able)
    horizon = scenario.settings.horizon
    asked = 0.3 * sum(usable) * horizon.periods * horizon.period_h * rate
    assert jobs["work_pflop_h"].sum() == pytest.approx(asked)


def test_verticals_follow_their_base_with_room_for_both(national):
    jobs = national.jobs.set_index("id")
    verticals = jobs[jobs["after"] != ""]
    base = jobs.loc[verticals["after"]]
    assert len(verticals) == 72
    assert (verticals["family"].to_numpy() == base["family"].to_numpy()).all()
    assert (verticals["deadline_h"].to_numpy() > base["deadline_h"].to_numpy()).all()
    assert (verticals["release_h"].to_numpy() >= base["release_h"].to_numpy()).all()
    assert (base["after"] == "").all()
    assert (verticals["checkpoint_gb"] > 0).all()


def test_windows_of_drawn_jobs_lie_in_the_horizon(national):
    jobs = national.jobs
    assert (jobs["release_h"] >= 0).all()
    assert (jobs["deadline_h"] <= 168).all()
    assert (jobs["deadline_h"] > jobs["release_h"]).all()


def test_the_draw_is_recorded(national):
    text = "\n".join(national.settings.assumptions)
    assert "2400 training jobs drawn with seed 2026" in text
    assert "155 services drawn with seed 2026" in text
    assert "generated from {" in text


@pytest.mark.parametrize(
    ("changes", "key", "words"),
    [
        ({"jobs": 0}, "generate.training.jobs", "greater than 0"),
        ({"jbos": 3}, "generate.training.jbos", "not permitted"),
        ({"capacity_share": None}, "generate.training", "either capacity_share or work_pflop_h"),
        ({"bases": 30, "verticals_per_base": 2}, "generate.training", "more than all jobs"),
        ({"window_slack": [3, 2]}, "generate.training", "low end"),
        ({"families": {"nothing": 1.0}}, "generate.training.families", "no such row"),
        ({"tenants": {"nobody": 0.5}}, "generate.training.tenants", "no such row"),
        ({"capacity_share": 1.0, "jobs": 1, "largest_gang": 1}, "generate.training.capacity_share", "cannot hold"),
    ],
)
def test_bad_settings_are_findings_with_their_key(changes, key, words):
    with pytest.raises(ScenarioError) as raised:
        demand.expand(with_generate(training_of(with_generate({}), **changes)))
    finding = raised.value.findings[0]
    assert (finding.file, finding.row) == ("scenario.toml", key)
    assert words in finding.message


@pytest.mark.parametrize("shape", ["mars", [1.0] * 23])
def test_an_unknown_shape_is_a_finding(shape):
    family = tiny_scenario().bindings[0].family
    one = {"id": "chat", "family": family, "share": 1, "slo_ms": 100, "shape": shape}
    with pytest.raises(ScenarioError, match="shape"):
        demand.expand(with_generate({"inference": {"tokens_per_day": 1e9, "classes": [one]}}))


def test_tokens_per_day_are_what_the_services_ask_for_over_a_day():
    toy = load_scenario(loader.scenario_folder("toy"))  # 24 periods of an hour: one day
    one = {"id": "ask", "family": "dense_llm", "share": 1, "slo_ms": 100, "shape": "m_small"}
    inference = {"tokens_per_day": 8.64e8, "classes": [one], "weights": {"population_million": 1.0}}
    drawn = demand.expand(replace(toy, settings=toy.settings.model_copy(update={"generate": {"inference": inference}})))
    new = drawn.demand[~drawn.demand["service"].isin(toy.services["id"])]
    assert set(new["service"]) == {"hangzhou-ask", "hami-ask"}
    assert new["tokens_per_s"].sum() * 3600 == pytest.approx(8.64e8)
    by_service = new.groupby("service")["tokens_per_s"].sum()
    population = {region.id: region.population_million for region in toy.regions}
    assert by_service["hangzhou-ask"] / by_service["hami-ask"] == pytest.approx(
        population["hangzhou"] / population["hami"]
    )


def test_a_drawn_row_may_not_take_the_name_of_a_given_one():
    toy = load_scenario(loader.scenario_folder("toy"))
    one = {"id": "chat", "family": "dense_llm", "share": 1, "slo_ms": 100, "shape": "m_small"}  # hangzhou-chat is given
    inference = {"tokens_per_day": 1e9, "classes": [one], "weights": {"population_million": 1.0}}
    with pytest.raises(ScenarioError, match="hangzhou-chat"):
        demand.expand(replace(toy, settings=toy.settings.model_copy(update={"generate": {"inference": inference}})))


def test_settings_are_public():
    assert parse({}) == GenerateSettings()
