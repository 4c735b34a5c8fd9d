import sys
from pathlib import Path

import pytest

from provgrid.draws import task_of
from provgrid_models.files import load_scenario
from provgrid_models.provenance import provenance
from provgrid_optimizer.options import SolveOptions
from provgrid_seeds import build, loader
from provgrid_seeds.ranges import UncertainFigure, consistent, uncertain_figures


@pytest.fixture(scope="module")
def toy() -> tuple[UncertainFigure, ...]:
    return uncertain_figures(name for one in provenance(load_scenario("toy")) for name in one.sources)[0]


def named(figures: tuple[UncertainFigure, ...], name: str) -> UncertainFigure:
    return next(one for one in figures if one.id == name)


def built(folder: Path) -> dict[str, str]:
    build.build(folder, ["toy"])
    return {file.name: file.read_text(encoding="utf-8") for file in (folder / "toy").iterdir()}


def test_only_assumed_figures_with_a_range_are_drawn(toy: tuple[UncertainFigure, ...]) -> None:
    ids = {one.id for one in toy}
    assert {"assumptions/queue_ms", "clusters/hami_yiwu.pue_typical", "chips/ascend_910c.tdp_w"} <= ids
    assert "chips/ascend_910b.tdp_w" not in ids  # published
    assert not any(name.startswith("emission_factors") for name in ids)  # measured
    assert all(one.low <= one.value <= one.high and one.low < one.high for one in toy)
    _, without = uncertain_figures(["assumptions/toy_work.value", "demand_regions/ningbo_city.gdp_bn_yuan"])
    assert without == ("assumptions/toy_work", "demand_regions/ningbo_city.gdp_bn_yuan")


def test_no_figure_is_drawn_in_vain(toy: tuple[UncertainFigure, ...], tmp_path: Path) -> None:
    as_named = built(tmp_path)

    def changes(one: UncertainFigure, number: float) -> bool:
        with loader.redrawn(one.drawn(number)):
            return built(tmp_path) != as_named

    in_vain = [one.id for one in toy if not (changes(one, one.high) or changes(one, one.low))]
    assert in_vain == ["assumptions/weights_gb_vision"]  # 8.5 GB or 34 GB, one accelerator holds it
    assert built(tmp_path) == as_named


def test_a_tariff_moves_as_a_whole_and_every_hour_within_its_own_range(toy: tuple[UncertainFigure, ...]) -> None:
    tariff = named(toy, "tariffs/zhejiang*.price_yuan_per_kwh")
    assert (tariff.value, len(tariff.cells)) == (1.0, 4 * 24)
    assert (tariff.low, tariff.high) == (pytest.approx(0.85, abs=1e-3), pytest.approx(1.15, abs=1e-3))
    at_the_low_end, half_way_up = tariff.drawn(tariff.low), tariff.drawn((1.0 + tariff.high) / 2)
    for hour in tariff.cells:
        cell = ("tariffs", hour.row, "price_yuan_per_kwh")
        assert at_the_low_end[cell] == pytest.approx(hour.low)
        assert half_way_up[cell] == pytest.approx((hour.value + hour.high) / 2)
    assert tariff.drawn(1.0) == {("tariffs", one.row, "price_yuan_per_kwh"): one.value for one in tariff.cells}


def test_shares_of_a_whole_never_exceed_it_and_may_fall_short_of_it() -> None:
    # 0.6 + 0.6 of one cluster's mix are scaled back to a half each; 0.3 + 0.4 of another stay as they are.
    drawn = {
        "assumptions/chip_mix_hami_yiwu_h20": 0.6,
        "assumptions/chip_mix_hami_yiwu_ascend_910c": 0.6,
        "assumptions/chip_mix_shanghai_h20": 0.3,
        "assumptions/chip_mix_shanghai_h800": 0.4,
        "assumptions/queue_ms": 50.0,
    }
    assert consistent(drawn) == drawn | {
        "assumptions/chip_mix_hami_yiwu_h20": pytest.approx(0.5),
        "assumptions/chip_mix_hami_yiwu_ascend_910c": pytest.approx(0.5),
    }
    shares = consistent({f"assumptions/tenant_share_{name}": 0.5 for name in ("a", "b", "c")})
    assert sum(shares.values()) == pytest.approx(1.0)


def test_the_ends_of_a_range_are_swapped_where_they_come_out_the_wrong_way_round() -> None:
    low, high = "assumptions/gen_any_window_slack_low", "assumptions/gen_any_window_slack_high"
    assert consistent({low: 2.9, high: 2.1}) == {low: 2.1, high: 2.9}
    assert consistent({low: 2.1, high: 2.9}) == {low: 2.1, high: 2.9}


def test_what_is_counted_stays_whole_and_choices_of_a_scenario_are_held() -> None:
    names = ("verticals_tune_accelerators", "queue_ms", "gen_national_jobs", "not_ported_vision_kunlun_p800")
    figures, held = uncertain_figures(f"assumptions/{name}.value" for name in names)
    assert {one.id: one.whole for one in figures} == {
        "assumptions/verticals_tune_accelerators": True,
        "assumptions/queue_ms": False,
    }
    assert held == ("assumptions/gen_national_jobs", "assumptions/not_ported_vision_kunlun_p800")


@pytest.mark.slow
@pytest.mark.parametrize("name", [*loader.scenario_names(), *loader.system_names()])
def test_building_a_scenario_reads_every_figure_that_is_drawn_for_it(name: str, tmp_path: Path, monkeypatch) -> None:
    task = task_of(name, (), "lp", SolveOptions(threads=1))
    read, table_row = set(), loader.table_row

    def noted(table: str, row: str) -> loader.TableRow:
        caller, depth = sys._getframe(1), 0
        while caller is not None and depth < 6 and caller.f_code.co_name != "in_words":
            caller, depth = caller.f_back, depth + 1
        if caller is None or caller.f_code.co_name != "in_words":  # to say it in words is not to use it
            read.add(f"{table}/{row}")
        return table_row(table, row)

    monkeypatch.setattr(loader, "table_row", noted)
    build.build(tmp_path, task.rebuilt)
    single = [one for one in task.figures if len(one.cells) == 1]
    assert [one.id for one in single if one.cells[0].token not in read] == []
