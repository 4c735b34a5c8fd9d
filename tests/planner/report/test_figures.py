"""The tables behind the pictures, by hand, and what the pictures say and leave out."""

from __future__ import annotations

import json
import re
import runpy
from pathlib import Path
from xml.etree import ElementTree

import numpy as np
import pytest

import provgrid as pg
from pictured import plan, plan_of_arrays, scenario
from provgrid.plot import Pictures
from provgrid.report.figures.canvas import wrapped
from provgrid.report.figures.flow_panel import load_class
from provgrid.report.figures.flows import flow_table, place_table
from provgrid.report.figures.heat import outlines
from provgrid.report.figures.load import load_table, supply_table
from provgrid.report.figures.names import short
from provgrid.report.figures.pareto import pareto_table
from provgrid.report.figures.prices import price_table
from provgrid.report.figures.sankey import sankey_table
from provgrid.report.figures.scale import scale
from provgrid.report.figures.solver import solver_table
from provgrid.report.figures.timeline import timeline_jobs, timeline_runs
from provgrid.report.figures.utilisation import utilisation_table
from provgrid.report.figures.waterfall import waterfall_table
from provgrid.report.figures.when import when
from provgrid.report.figures.work import work
from provgrid.report.texts import texts
from provgrid.sweeps.point import Row
from provgrid.sweeps.results import Front
from provgrid_optimizer.answers.value_result import Point, Price, Value
from provgrid_optimizer.savings import saving
from tiny import job, long_table, service, tiny_scenario

ROOT = Path(__file__).parents[3]


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


def test_the_share_of_renewable_power_is_of_the_energy_and_no_mean_of_hourly_shares() -> None:
    supply = supply_table(plan())
    share = supply["renewable_kw"].sum() / supply["power_kw"].sum()  # periods are of one length
    hourly = supply.groupby("period")[["renewable_kw", "power_kw"]].sum()
    assert abs((hourly["renewable_kw"] / hourly["power_kw"]).mean() - share) > 0.001
    assert f"{share:.1%} of its power from renewable contracts" in plan().plot.load().layout.meta["answer"]


def test_the_waterfall_of_two_plans_counts_the_work_that_both_serve() -> None:
    mine, other = plan("overflow"), plan("local")
    table = waterfall_table(mine, other).set_index("component")
    common = saving(mine, other)
    assert table.drop(index="unserved")["plan_yuan"].sum() == pytest.approx(common.plan_yuan)
    assert table.drop(index="unserved")["baseline_yuan"].sum() == pytest.approx(common.baseline_yuan)


def test_the_waterfall_to_an_ideal_counts_all_that_it_pays() -> None:
    ideal, other = plan("lp"), plan("local")
    table = waterfall_table(ideal, other)
    assert table["plan_yuan"].sum() == pytest.approx(ideal.objective_yuan)
    assert table["baseline_yuan"].sum() == pytest.approx(other.objective_yuan)


def test_what_is_left_unserved_stands_beside_the_waterfall_of_what_is_paid() -> None:
    # local leaves base: its data may not leave the west, where it is not at home
    running, left = plan("overflow").plot.waterfall("local").data
    assert left.y == pytest.approx([plan("local").component_costs.by_component()["unserved"], 0.0], abs=1e-6)
    assert sum(running.y[:-1]) == pytest.approx(running.y[-1])


def test_each_run_of_cells_in_a_row_has_a_frame_of_its_own() -> None:
    cells = np.zeros((2, 4), dtype=bool)
    cells[0, 1:3] = cells[1, 3] = True
    x, y = outlines(cells)
    frames = [(x[k : k + 5].tolist(), sorted({round(float(v), 3) for v in y[k : k + 5]})) for k in (0, 6)]
    assert frames == [([1, 3, 3, 1, 1], [-0.4, 0.4]), ([3, 4, 4, 3, 3], [0.6, 1.4])]
    assert np.isnan(x[[5, 11]]).all()


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


def test_the_sankey_takes_as_much_energy_in_as_it_gives_out_at_every_cluster() -> None:
    table = sankey_table(plan())
    use, supply = (table[table["step"] == step] for step in ("use", "supply"))
    taken, given = use.groupby("to")["energy_kwh"].sum(), supply.groupby("from")["energy_kwh"].sum()
    assert taken.to_dict() == pytest.approx(given.to_dict())


def test_the_sankey_splits_energy_by_class_and_source() -> None:
    # hub_b: base 40 and gang 30 accelerator-hours at 1.2 kWh each; its sun gives 4 hours of 20 kW
    table = sankey_table(plan()).set_index(["from", "to"])["energy_kwh"]
    assert table["training_elastic", "hub_b"] == pytest.approx(48.0)
    assert table["training_rigid", "hub_b"] == pytest.approx(36.0)
    assert table["hub_b", "solar"] == pytest.approx(80.0)


def test_the_timeline_shows_chains_first_each_base_before_what_waits_for_it() -> None:
    chain = [
        job("other", work_pflop_h=8.0),
        job("vertical", work_pflop_h=5.0, after="base"),
        job("base", work_pflop_h=6.0),
        job("small", work_pflop_h=1.0),
    ]
    chained = pg.solve(scenario(jobs=chain), engine="local", policies=False, threads=1)
    assert "; waiting for a base model (arrows): 1." in chained.plot.timeline().layout.meta["answer"]
    table = timeline_jobs(chained, most=3)
    assert rows_of(table, "job", "base", "served_share") == [
        ("base", "", pytest.approx(1.0)),
        ("vertical", "base", pytest.approx(1.0)),
        ("other", "", pytest.approx(1.0)),
    ]


def test_runs_are_the_stretches_of_a_job_without_a_pause() -> None:
    # the gang of 10 runs 3 hours in one piece, from 2 h at the earliest
    runs = timeline_runs(plan(), timeline_jobs(plan()))
    gang = runs[runs["job"] == "gang"].iloc[0]
    assert gang["end_period"] - gang["first_period"] == 3
    assert gang["accelerators"] == pytest.approx(10.0)
    assert (runs["accelerators"] * (runs["end_period"] - runs["first_period"])).sum() == pytest.approx(70.0)


def test_the_solver_page_ends_with_the_certificate() -> None:
    solved = pg.solve(scenario(), engine="heuristic", passes=3, policies=False, threads=1)
    last = solver_table(solved).iloc[-1]
    assert last["objective_yuan"] == solved.objective_yuan
    assert last["gap"] == pytest.approx(solved.certificate.gap)
    assert len(solver_table(solved)) == len(solved.history) + 1


def test_the_price_is_drawn_where_it_holds_and_dotted_beyond() -> None:
    # worth 10 yuan each for up to 2 more; planned again, 4 more save 25
    price = Price(
        basis="lp",
        price_yuan=10.0,
        one_more_yuan=10.0,
        one_less_yuan=10.0,
        holds_from=0.0,
        holds_to=2.0,
        idle_yuan=0.0,
    )
    points = tuple(Point(more=m, low_yuan=y, found_yuan=y, high_yuan=y) for m, y in ((2.0, 20.0), (4.0, 25.0)))
    found = Value(
        kind="pool", id="a", unit="accelerators", present=8.0, members=1, price=price, engine="lp", points=points
    )
    figure = plan().plot.value(found)
    planned, held, beyond = figure.data
    assert (list(planned.x), list(planned.y)) == ([0.0, 2.0, 4.0], [0.0, 20.0, 25.0])
    assert (held.x[:2], held.y[:2], held.line.dash) == ((0.0, 2.0), (0.0, 20.0), "solid")
    assert (beyond.x[0], beyond.y[0], beyond.line.dash) == (2.0, 20.0, "dot")
    assert "One more saves 10 yuan over the horizon, for up to 2 more." in figure.layout.meta["answer"]


def test_a_front_is_drawn_with_its_efficient_and_dominated_points_and_the_plan_that_was_chosen() -> None:
    rows = [Row(status="optimal", objective_yuan=y, constants_yuan=1.0, total_carbon_t=t) for y, t in FRONT]
    front = Front(
        scenario="tiny",
        engine="milp",
        objectives=("cost", "carbon"),
        other="total_carbon_t",
        limits=(5.0, 4.0, 3.0),
        rows=tuple(rows),
        efficient=(True, False, True),
    )
    table = pareto_table(front, plan())
    assert table["mark"].tolist() == ["efficient", "dominated", "efficient", "chosen"]
    assert table["cost_yuan"].tolist()[:3] == [101.0, 131.0, 121.0]
    costs = plan().component_costs
    assert table["other"].iloc[-1] == pytest.approx((costs.carbon_kg + costs.floor_kg) / 1000.0)
    figure = plan().plot.pareto(front, lang="zh")
    assert [len(trace.x) for trace in figure.data] == [2, 1, 1]
    assert len({trace.marker.symbol for trace in figure.data}) == 3
    assert "ideal" not in plan().plot.pareto(front).layout.meta["title"]


FRONT = ((100.0, 5.0), (130.0, 4.0), (120.0, 3.0))  # yuan, t

PICTURES = {
    "sankey": (),
    "timeline": (),
    "solver": (),
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


@pytest.mark.parametrize("name", sorted(set(PICTURES) - {"sankey"}))
def test_every_axis_says_what_it_measures(name: str) -> None:
    figure = getattr(plan().plot, name)(*PICTURES[name])
    for axis in (*figure.select_xaxes(), *figure.select_yaxes()):
        assert axis.title.text or axis.tickmode == "array"  # an array holds names, which have no unit


def test_the_columns_of_the_sankey_carry_their_unit() -> None:
    assert all("MWh" in note.text for note in plan().plot.sankey().layout.annotations)


def test_a_plan_of_arrays_has_every_picture_but_the_map() -> None:
    for name in sorted(set(PICTURES) - {"flows"}):
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


def test_the_largest_class_of_services_has_the_first_colour_and_the_smallest_share_one() -> None:
    names = [f"s{k}" for k in range(8)]
    many = [service(name, slo_class=name) for name in names]
    asked = {name: 80.0 - k for k, name in enumerate(names)} | {"chat": None, "batch": None}
    demand = [{"service": n, "period": t, "tokens_per_s": v} for n, v in asked.items() if v for t in range(12)]
    crowded = tiny_scenario(jobs=[], services=many, demand=long_table("demand", demand))
    found = work(pg.solve(crowded, engine="overflow", policies=False, threads=1))
    classes = list(found["demand_class"].cat.categories)
    assert classes == ["training_rigid", "training_elastic", "s0", "s1", "s2", "s3", "other_services"]


def test_the_load_of_one_cluster_is_shown_without_a_choice_of_others() -> None:
    assert not plan().plot.load("hub_b").layout.updatemenus
    labels = [button.label for button in plan().plot.load().layout.updatemenus[0].buttons]
    assert (labels[0], len(labels)) == ("All clusters", 4)


def test_typical_days_lie_side_by_side_with_their_dates() -> None:
    blocks = [{"start": "2026-01-14T00:00:00", "periods": 6}, {"start": "2026-07-15T00:00:00", "periods": 6}]
    horizon = {"start": "2026-01-14T00:00:00", "periods": 12, "blocks": blocks}
    problem = pg.compile(
        scenario(
            settings={"horizon": horizon},
            jobs=[],
            tariffs=[{"tariff": name, "price_yuan_per_kwh": 0.5} for name in ("east", "west")],
        )
    )
    axis = when(problem, texts("en"))
    assert axis.axis["range"] == [0, 12]
    assert axis.axis["ticktext"][0].endswith("14 Jan")
    assert axis.axis["ticktext"][6].endswith("15 Jul")


def test_the_picture_of_the_readme_is_traced_from_the_flow_map() -> None:
    drawing = runpy.run_path(str(ROOT / "docs" / "draw_flows.py"))
    text = drawing["picture"](plan().plot.flows(), "A & B")
    assert ElementTree.fromstring(text).tag.endswith("svg")
    for words in ("A &amp; B. Where does", "hub_b", "city_a", "width: accelerator-hours", "below 25 %"):
        assert words in text


def test_the_page_on_pictures_names_them_all() -> None:
    page = (ROOT / "docs" / "pictures.md").read_text(encoding="utf-8")
    assert set(re.findall(r"^\| `(\w+)\(", page, re.MULTILINE)) == {
        name for name in vars(Pictures) if not name.startswith("_")
    }


@pytest.mark.slow
def test_all_pictures_of_the_country_are_light() -> None:
    country = pg.solve(pg.scenarios.national(), engine="overflow", policies=False)
    sizes = {name: len(getattr(country.plot, name)(*arguments).to_json()) for name, arguments in PICTURES.items()}
    assert sum(sizes.values()) < 2_500_000, sizes
