"""The tables behind the pictures, by hand, and what the pictures say and leave out."""

from __future__ import annotations

import json

import numpy as np
import pytest

import provgrid as pg
from pictured import plan, plan_of_arrays, scenario
from provgrid.report.figures.canvas import wrapped
from provgrid.report.figures.flow_panel import load_class
from provgrid.report.figures.flows import flow_table, place_table
from provgrid.report.figures.heat import edges
from provgrid.report.figures.load import load_table, supply_table
from provgrid.report.figures.names import short
from provgrid.report.figures.prices import price_table
from provgrid.report.figures.scale import scale
from provgrid.report.figures.utilisation import utilisation_table
from provgrid.report.figures.waterfall import waterfall_table
from provgrid.report.figures.work import work


def rows_of(table, *columns):
    return list(table[list(columns)].itertuples(index=False, name=None))


def test_flows_count_accelerator_hours_by_region_and_cluster_the_largest_first() -> None:
    # west to hub_b: gang 30 + batch 10 * 12 = 150; east to hub_b: base 40; east to city_a: chat 3 * 12 = 36
    table = flow_table(plan())
    hours = [pytest.approx(hours) for hours in (150.0, 40.0, 36.0)]
    assert rows_of(table, "region", "cluster", "accelerator_h") == [
        ("west", "hub_b", hours[0]),
        ("east", "hub_b", hours[1]),
        ("east", "city_a", hours[2]),
    ]
    assert table["on_the_spot"].tolist() == [True, False, True]


def test_the_load_of_a_flow_is_that_of_its_busiest_link_in_its_busiest_hour() -> None:
    # base moves at 1 Gbit/s over the backbone of 100 Gbit/s
    away = flow_table(plan()).set_index("region").loc["east"].iloc[0]
    assert away["busiest_link"] == "backbone"
    assert away["link_load"] == pytest.approx(0.01)
    assert flow_table(plan())["link_load"].isna().tolist() == [True, False, True]


@pytest.mark.parametrize(("load", "number"), [(0.0, 0), (0.25, 1), (0.79, 2), (0.8, 3), (1.0, 3), (np.nan, 4)])
def test_link_loads_fall_into_classes(load: float, number: int) -> None:
    assert load_class(load) == number


def test_places_carry_the_usable_accelerators_of_each_cluster() -> None:
    places = place_table(plan())
    clusters = places[places["kind"] == "cluster"]
    assert rows_of(clusters, "id", "accelerators") == [("city_a", 20.0), ("hub_b", 100.0), ("prov_c", 50.0)]


def test_work_is_sorted_into_training_that_may_pause_training_that_may_not_and_classes_of_services() -> None:
    hours = work(plan()).groupby("demand_class", observed=True)["accelerator_h"].sum()
    expected = {"training_rigid": 30.0, "training_elastic": 40.0, "instant": 36.0, "relaxed": 120.0}
    assert hours.to_dict() == pytest.approx(expected)


def test_the_energy_of_work_is_what_its_accelerators_draw_above_the_idle_floor() -> None:
    # at hub_b: (0.9 - 0.1) kW * 1.25 * PUE 1.2 = 1.2 kWh for each of 40 accelerator-hours
    table = work(plan())
    elastic = table[table["demand_class"] == "training_elastic"]
    assert elastic["energy_kwh"].sum() == pytest.approx(48.0)


def test_utilisation_counts_what_is_in_use_of_what_is_usable() -> None:
    table = utilisation_table(plan()).set_index(["cluster", "period"])
    assert table.loc[("city_a", 0), "accelerators_used"] == pytest.approx(3.0)
    assert table.loc[("city_a", 0), "accelerators_usable"] == 20.0
    assert not table["binding"].any()


def test_a_pool_without_an_accelerator_left_binds() -> None:
    # 560 tokens/s = 560 / (100 * 0.7) = 8 accelerators, which is all that city_a has
    tight = scenario(pools={"city_a/fast": {"accelerators": 8.0}}, demand={"chat": 560.0})
    table = utilisation_table(pg.solve(tight, engine="overflow", policies=False, threads=1)).set_index("cluster")
    assert table.loc["city_a", "binding"].all()
    assert table.loc["city_a", "full_pools"].tolist() == [1] * 12
    assert not table.loc["hub_b", "binding"].any()


def test_a_cluster_price_is_the_mean_of_its_pools_by_their_accelerators() -> None:
    ideal = plan("lp")
    table = price_table(ideal).set_index(["cluster", "period"])["price_yuan_per_accelerator_h"]
    prices = ideal.prices.query("kind == 'accelerator'").set_index(["id", "period"])["price"]
    assert table["hub_b"].to_numpy() == pytest.approx(prices["hub_b/fast"].to_numpy())


def test_load_is_given_by_cluster_class_and_hour() -> None:
    table = load_table(plan())
    chat = table[table["demand_class"] == "instant"]
    assert set(chat["cluster"]) == {"city_a"}
    assert chat["accelerators"].to_numpy() == pytest.approx(np.full(12, 3.0))


def test_supply_tells_the_price_of_grid_power_and_what_contracts_for_renewables_give() -> None:
    # the sun shines at hub_b from 8 to 11 h: 40 kW * 0.5 = 20 kW, all of it taken; the east pays 0.8 yuan then
    table = supply_table(plan()).set_index(["cluster", "period"])
    assert table.loc["hub_b", "renewable_kw"].tolist() == pytest.approx([0.0] * 8 + [20.0] * 4)
    assert table.loc["city_a", "grid_yuan_per_kwh"].tolist() == pytest.approx([0.5] * 8 + [0.8] * 4)
    assert (table["renewable_kw"] <= table["power_kw"] + 1e-9).all()


def test_the_waterfall_sums_from_one_objective_to_the_other() -> None:
    mine, other = plan("overflow"), plan("local")
    table = waterfall_table(mine, other)
    assert table["baseline_yuan"].sum() == pytest.approx(other.objective_yuan)
    assert table["baseline_yuan"].sum() + table["change_yuan"].sum() == pytest.approx(mine.objective_yuan)


def test_edges_outline_a_block_of_cells_as_its_four_sides() -> None:
    cells = np.zeros((2, 4), dtype=bool)
    cells[0, 1:3] = True
    x, y = edges(cells)
    lines = {tuple(zip(x[k : k + 2].tolist(), y[k : k + 2].tolist(), strict=True)) for k in range(0, x.size, 3)}
    assert lines == {
        ((1.0, -0.5), (3.0, -0.5)),
        ((1.0, 0.5), (3.0, 0.5)),
        ((1.0, -0.5), (1.0, 0.5)),
        ((3.0, -0.5), (3.0, 0.5)),
    }


def test_long_texts_break_at_spaces_and_between_wide_characters() -> None:
    assert wrapped("one two three", 7) == "one two<br>three"
    assert wrapped("各地的算力任务", 8) == "各地的算<br>力任务"


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("Horinger (Helingeer) cluster, Hohhot", "Horinger"),
        ("Hami / Yiwu (Tianshan Smart Valley)", "Hami"),
        ("上海（含临港）", "上海"),
        ("Yangtze-delta demonstration zone (Qingpu/Wujiang/Jiashan)", "Yangtze-delta demonstration…"),
    ],
)
def test_names_are_short_enough_to_stand_beside_a_mark(name: str, expected: str) -> None:
    assert short(name) == expected


@pytest.mark.parametrize(
    ("largest", "lang", "word"), [(9e3, "en", ""), (3e6, "en", "million "), (3e6, "zh", "万"), (3e8, "zh", "亿")]
)
def test_axes_are_scaled_to_the_language(largest: float, lang: str, word: str) -> None:
    assert scale(largest, lang).word == word


PICTURES = {
    "flows": (),
    "utilisation": (),
    "prices": (),
    "load": (),
    "waterfall": ("local",),
}


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("lang", ["en", "zh"])
@pytest.mark.parametrize("name", PICTURES)
def test_every_picture_asks_a_question_and_answers_it_in_both_languages(name: str, lang: str, theme: str) -> None:
    figure = getattr(plan().plot, name)(*PICTURES[name], lang=lang, theme=theme)
    title, answer = figure.layout.meta["title"], figure.layout.meta["answer"]
    assert title.endswith(("?", "？"))
    assert answer
    assert any("\u4e00" <= character <= "\u9fff" for character in title + answer) == (lang == "zh")
    json.loads(figure.to_json())


@pytest.mark.parametrize("name", [name for name in PICTURES if name not in ("prices", "solver")])
def test_a_relaxation_is_called_an_ideal(name: str) -> None:
    assert "ideal" in getattr(plan("lp").plot, name)(*PICTURES[name]).layout.meta["title"]


def test_every_axis_of_every_picture_has_a_unit_or_names_things() -> None:
    for name, arguments in PICTURES.items():
        figure = getattr(plan().plot, name)(*arguments)
        for axis in (*figure.select_xaxes(), *figure.select_yaxes()):
            assert axis.title.text or axis.tickmode == "array" or name == "waterfall", name


def test_a_plan_of_arrays_has_every_picture_but_the_map() -> None:
    for name in ("utilisation", "prices", "load", "waterfall"):
        assert getattr(plan_of_arrays().plot, name)(*PICTURES[name]).data
    with pytest.raises(pg.OptionError, match="places"):
        plan_of_arrays().plot.flows()


def test_unknown_languages_themes_and_clusters_are_named() -> None:
    with pytest.raises(pg.OptionError, match="'fr'"):
        plan().plot.flows(lang="fr")
    with pytest.raises(pg.OptionError, match="'sepia'"):
        plan().plot.prices(theme="sepia")
    with pytest.raises(pg.OptionError, match="no cluster 'moon'; there are city_a, hub_b, prov_c"):
        plan().plot.load("moon")
