from dataclasses import replace
from pathlib import Path

import pytest

from provgrid_models.files import check_scenario, load_scenario, save_scenario
from provgrid_models.provenance import counts_by_quality, provenance, unit_of, unstated
from provgrid_models.scenario import Limits, Scenario
from provgrid_seeds import facts, figures, loader
from tiny import tiny_scenario


@pytest.fixture(scope="module", params=loader.scenario_names())
def built_in(request: pytest.FixtureRequest) -> Scenario:
    return load_scenario(request.param)


@pytest.fixture(scope="module")
def toy() -> Scenario:
    return load_scenario("toy")


def entry(scenario: Scenario, path: str):
    return next(one for one in provenance(scenario) if one.path == path)


def layer(folder: Path, settings: str = "", **files: str) -> Path:
    folder.mkdir(parents=True)
    (folder / "scenario.toml").write_text(f'extends = "builtin:toy"\nname = "mine"\n{settings}', encoding="utf-8")
    for name, text in files.items():
        (folder / f"{name.replace('_patch', '.patch')}.csv").write_text(text, encoding="utf-8")
    return folder


# Every number of a built-in scenario ------------------------------------------------------------------------------


def test_every_number_of_a_built_in_scenario_resolves_to_a_fact_a_row_or_a_named_assumption(built_in: Scenario) -> None:
    assert unstated(built_in) == ()
    for one in provenance(built_in):
        assert one.sources, one.path
        for cell in one.sources:
            table, _, rest = cell.partition("/")
            loader.resolve(f"{table}/{rest.partition('.')[0]}")
    check_that_facts_say_so(built_in)


@pytest.mark.slow
@pytest.mark.parametrize("name", loader.system_names())
def test_so_does_every_number_of_a_system_of_the_documents(name: str) -> None:
    scenario = load_scenario(name)
    assert unstated(scenario) == ()
    check_that_facts_say_so(scenario)


def check_that_facts_say_so(scenario: Scenario) -> None:
    """Hold a scenario's numbers against what the facts behind them say they feed."""
    for name in {name for one in scenario.provenance for name in one.facts}:
        assert f"scenario/{scenario.name}" in facts.fact(name).feeds


def test_every_kind_of_number_is_there(built_in: Scenario) -> None:
    tables = {one.path.split(".")[0] for one in provenance(built_in)}
    assert tables >= {"horizon", "prices", "latency", "regions", "clusters", "chips", "pools", "links", "bindings"}
    assert tables >= {"tariffs", "renewables", "carbon", "contracts", "families", "jobs", "services", "demand"}
    numbers = sum(counts_by_quality(provenance(built_in)).values())
    profiles = sum(len(getattr(built_in, name)) for name in ("tariffs", "renewables", "carbon", "demand"))
    assert numbers > profiles + 4 * len(built_in.jobs)


def test_a_number_that_is_added_without_a_source_is_found(toy: Scenario) -> None:
    with_budget = replace(toy, settings=toy.settings.model_copy(update={"limits": Limits(carbon_budget_t=3.0)}))
    assert unstated(with_budget) == ("limits.carbon_budget_t",)

    one = toy.clusters[0].model_copy(update={"source": None, "quality": None})
    assert set(unstated(replace(toy, clusters=(one, *toy.clusters[1:])))) == {
        f"clusters.{one.id}.{column}"
        for column in ("latitude_deg", "longitude_deg", "pue", "demand_charge_yuan_per_kw_month")
    }

    given = toy.jobs.assign(unserved_yuan=5.0)
    assert unstated(replace(toy, jobs=given)) == ()  # the toy states a source for its jobs as a whole
    bare = toy.settings.model_copy(update={"sources": {}})
    assert {"jobs.*.unserved_yuan", "demand.*.tokens_per_s"} <= set(unstated(replace(toy, settings=bare, jobs=given)))


def test_a_tariff_that_is_no_longer_that_of_the_tables_is_found(toy: Scenario) -> None:
    dearer = toy.tariffs.copy()
    dearer.loc[(dearer["tariff"] == "xinjiang") & (dearer["season"] == "summer"), "price_yuan_per_kwh"] += 0.01
    assert len(unstated(replace(toy, tariffs=dearer))) == 24


def test_a_number_that_is_no_longer_what_its_source_states_is_nobody_s(toy: Scenario, tmp_path: Path) -> None:
    # The copy is edited by hand: it still names every source that it named before.
    save_scenario(toy, tmp_path / "t")
    for name, edits in {
        "scenario.toml": {"unserved_multiple = 3.0": "unserved_multiple = 7", "us_per_km = 4.9": "us_per_km = 5.5"},
        "clusters.csv": {",1.15,": ",1.11,", ",0.06,": ",0.2,"},
    }.items():
        text = (tmp_path / "t" / name).read_text(encoding="utf-8")
        for found, edited in edits.items():
            assert found in text, (found, text)
            text = text.replace(found, edited)
        (tmp_path / "t" / name).write_text(text, encoding="utf-8")
    edited = load_scenario(tmp_path / "t")
    assert edited.settings.sources == toy.settings.sources
    assert unstated(edited) == (
        "prices.unserved_multiple",
        "latency.us_per_km",
        "clusters.hami_yiwu.pue",
        "clusters.hami_yiwu.grid_limit_mw",
    )
    multiple = entry(edited, "prices.unserved_multiple")
    assert (multiple.sources, multiple.low, multiple.high, multiple.facts) == (("own",), None, None, ())


def test_a_number_that_follows_from_its_source_by_a_formula_keeps_it() -> None:
    # kW of a chip are its W; a site's grid limit is a multiple of its load, and half a price is a share of it.
    zhejiang = load_scenario("zhejiang")
    assert entry(zhejiang, "chips.h800.busy_kw").sources == ("chips/h800.tdp_w",)
    limits = [one for one in zhejiang.provenance if one.path.endswith(".grid_limit_mw")]
    assert limits
    assert all(one.quality for one in limits)


def test_drawn_work_is_as_unsure_as_a_setting_that_was_edited() -> None:
    scenario = load_scenario("zhejiang")
    lines = scenario.settings.assumptions
    edited = tuple(line.replace('"gang_scale": 32', '"gang_scale": 33') for line in lines)
    assert edited != tuple(lines)
    moved = replace(scenario, settings=scenario.settings.model_copy(update={"assumptions": edited}))
    assert set(unstated(moved)) == {
        "generate.training.gang_scale",
        "jobs.*.work_pflop_h",
        "jobs.*.max_accelerators",
    }


def test_a_parameter_of_drawn_work_without_a_source_is_found_with_all_that_follows_from_it() -> None:
    scenario = load_scenario("zhejiang")
    sources = {k: v for k, v in scenario.settings.sources.items() if k != "generate.training.gang_scale"}
    bare = replace(scenario, settings=scenario.settings.model_copy(update={"sources": sources}))
    assert set(unstated(bare)) == {
        "generate.training.gang_scale",
        "jobs.*.work_pflop_h",
        "jobs.*.max_accelerators",
    }


# One number ------------------------------------------------------------------------------------------------------


def test_a_number_has_the_quality_and_range_of_its_own_figure_and_not_of_its_row(toy: Scenario) -> None:
    # The row of the H20 is assumed for its rent; its power and peak are published, its purchase price is assumed.
    assert next(chip for chip in toy.chips if chip.id == "h20").quality == "assumed"
    assert entry(toy, "chips.h20.peak_fp16_tflops").quality == "published"
    price = entry(toy, "chips.h20.price_yuan")
    assert (price.quality, price.low, price.high, price.unit) == ("assumed", 80000.0, 110000.0, "yuan")
    assert entry(toy, "chips.ascend_910c.busy_kw").quality == "assumed"  # no plausible figure is published
    assert entry(toy, "chips.ascend_910b.busy_kw").quality == "published"
    # 0.6 kW times an idle share of 0.3, both assumed: derived, so without a range of its own.
    idle = entry(toy, "chips.ascend_910c.idle_kw")
    assert idle.sources == ("chips/ascend_910c.tdp_w", "chips_efficiency/idle_share.typical")
    assert (idle.low, idle.high) == (None, None)
    carbon = entry(toy, "carbon.ef_zhejiang_2023.carbon_kg_per_kwh")
    assert (carbon.quality, carbon.sources) == ("measured", ("emission_factors/ef_zhejiang_2023.kgco2_per_kwh",))


def test_the_16000_p_of_the_documents_is_named_where_it_feeds_a_scenario() -> None:
    fed = [one for one in provenance(load_scenario("national")) if "xinjiang_cluster" in one.facts]
    assert {one.path.split("/")[0] for one in fed} == {
        f"pools.{name}" for name in ("hami_yiwu", "tacheng_toli", "karamay", "urumqi")
    }
    assert {one.documents for one in fed} == {("000",)}


def test_a_planner_s_own_words_and_quality_are_taken_as_they_stand(tmp_path: Path) -> None:
    tiny = tiny_scenario(chips={"fast": {"source": "offer of 3 May", "quality": "published"}})
    power = entry(load_scenario(save_scenario(tiny, tmp_path / "tiny")), "chips.fast.busy_kw")
    assert (power.quality, power.sources) == ("published", ("offer of 3 May",))


def test_units_stand_in_the_names() -> None:
    assert unit_of("price_yuan_per_kwh") == "yuan/kWh"
    assert unit_of("work_pflop_h") == "PFLOP-h"
    assert unit_of("release_h") == "h"
    assert unit_of("pue") == ""


def test_qualities_are_counted_from_the_surest_on(toy: Scenario) -> None:
    counts = counts_by_quality(provenance(toy))
    assert list(counts) == ["measured", "published", "assumed"]
    assert counts["measured"] == 2  # the carbon intensities of two provinces


# What a planner puts on top --------------------------------------------------------------------------------------


def test_what_an_override_replaces_loses_its_source() -> None:
    own = load_scenario("toy", ["clusters.hami_yiwu.pue=1.3", "prices.unserved_multiple=4", "bindings.vision.mfu=0.2"])
    assert set(unstated(own)) == {
        "clusters.hami_yiwu.pue",
        "prices.unserved_multiple",
        *(f"bindings.vision:{chip}.mfu" for chip in ("ascend_910b", "ascend_910c", "h20")),
    }


def test_an_override_by_a_pattern_takes_the_source_of_every_row_that_it_reaches(toy: Scenario) -> None:
    sources = toy.settings.sources | {"pools.h*.availability": "own"}
    own = replace(toy, settings=toy.settings.model_copy(update={"sources": sources}))
    assert set(unstated(own)) == {
        f"pools.{name}.availability" for name in ("hangzhou_city/ascend_910b", "hami_yiwu/ascend_910c")
    }


def test_what_a_layer_replaces_loses_its_source_unless_the_layer_states_one(tmp_path: Path) -> None:
    plain = layer(tmp_path / "plain", "[latency]\nqueue_ms = 5\n", clusters_patch="id,pue\njiashan,1.4\n")
    assert set(unstated(load_scenario(plain))) == {"latency.queue_ms", "clusters.jiashan.pue"}
    stated = layer(
        tmp_path / "stated",
        '[latency]\nqueue_ms = 5\n[sources]\n"latency.queue_ms" = "facts/export_controls"\n',
        clusters_patch="id,pue,source\njiashan,1.35,assumptions/rack_city\n",
    )
    scenario = load_scenario(stated)
    assert unstated(scenario) == ()
    assert entry(scenario, "latency.queue_ms").documents == ("003",)


def test_a_table_that_a_layer_brings_along_has_not_the_source_of_the_one_below(tmp_path: Path) -> None:
    jobs = "id,region,family,work_pflop_h,release_h,deadline_h,max_accelerators\na,hami,dense_llm,5,0,24,8\n"
    scenario = load_scenario(layer(tmp_path / "own", jobs=jobs))
    assert set(unstated(scenario)) == {
        f"jobs.*.{name}" for name in ("work_pflop_h", "release_h", "deadline_h", "max_accelerators")
    }


def test_a_source_that_names_nothing_and_a_range_that_is_none_are_findings(tmp_path: Path) -> None:
    wrong = (
        '[sources]\n"prices.unserved_multiple" = "assumptions/multple"\n'
        '[uncertain]\n"clusters.hami_yiwu.pue" = [1.3, 1.2]\n'
    )
    findings = check_scenario(layer(tmp_path / "wrong", wrong))
    assert [(one.code, one.row) for one in findings] == [
        ("unknown-source", "sources.prices.unserved_multiple"),
        ("wrong-range", "uncertain.clusters.hami_yiwu.pue"),
    ]
    assert "no row 'multple'" in findings[0].text()


def test_saving_a_scenario_keeps_where_its_numbers_come_from(toy: Scenario, tmp_path: Path) -> None:
    again = load_scenario(save_scenario(toy, tmp_path / "saved"))
    assert provenance(again) == provenance(toy)


def test_a_profile_under_a_name_that_no_table_has_has_no_figure() -> None:
    keys = {"tariff": "mine", "season": "", "hour": -1, "period": -1}
    assert figures.copied_figure("tariffs", "price_yuan_per_kwh", keys) is None
