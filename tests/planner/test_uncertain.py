"""Draws of assumed figures: which, how they spread, what moves the objective, and what has no plan."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import provgrid as pg
from command_line import in_this_process, json_of, one_line
from provgrid import draws as draws_of
from provgrid.draws import Draw, Task
from provgrid.spread import spread_of
from provgrid_models.files import save_scenario
from provgrid_optimizer.options import SolveOptions
from tiny import tiny_scenario

LP = SolveOptions(threads=1)


def own_folder(folder: Path, ranges: str, **changes) -> Path:
    """The tiny scenario as a folder of a planner's own, with ranges."""
    save_scenario(tiny_scenario(**changes), folder)
    with (folder / "scenario.toml").open("a", encoding="utf-8") as settings:
        settings.write(f"\n[uncertain]\n{ranges}\n")
    return folder


@pytest.fixture(scope="module")
def toy() -> pg.Uncertainty:
    return pg.uncertain("toy", draws=4, seed=3, engine="lp")


def test_every_draw_is_built_solved_and_audited_and_lies_in_the_ranges(toy: pg.Uncertainty) -> None:
    assert (toy.draws, toy.solved, toy.without_plan) == (4, 4, {})
    assert toy.table["objective_yuan"].nunique() == 4
    for figure in toy.movers:
        assert toy.table[figure.id].between(figure.low, figure.high).all(), figure.id
    components = [f"{name}_yuan" for name in ("energy", "carbon", "demand_charge", "network", "unserved")]
    assert np.allclose(toy.table[components].sum(axis=1), toy.table["objective_yuan"])


def test_the_number_as_named_is_that_of_the_scenario_itself(toy: pg.Uncertainty) -> None:
    plan = pg.solve(pg.scenarios.toy(), "lp", policies=False)
    spread = {one.name: one for one in toy.spreads}
    assert spread["objective_yuan"].named == pytest.approx(plan.objective_yuan)
    assert spread["objective_yuan"].least < spread["objective_yuan"].p50 < spread["objective_yuan"].most
    assert np.isnan(spread["saving_against_local"].named)  # a relaxation saves nothing


@pytest.mark.slow
def test_the_same_draws_are_made_by_one_process_and_by_two(toy: pg.Uncertainty) -> None:
    two = pg.uncertain("toy", draws=3, seed=3, engine="lp", jobs=2)
    pd.testing.assert_frame_equal(two.table, toy.table.head(3))


def test_a_draw_depends_on_the_seed_and_its_number_alone() -> None:
    task = draws_of.task_of("toy", (), "lp", LP)
    assert draws_of.drawn_numbers(task, 7, 1) == draws_of.drawn_numbers(task, 7, 1)
    assert draws_of.drawn_numbers(task, 7, 1) != draws_of.drawn_numbers(task, 8, 1)
    assert draws_of.drawn_numbers(task, 7, 1) != draws_of.drawn_numbers(task, 7, 2)
    assert float(draws_of.drawn_numbers(task, 0, 0)["assumptions/unserved_multiple"]) > 1


def test_a_folder_that_extends_a_built_in_scenario_is_drawn_with_it_apart_from_what_it_sets(tmp_path: Path) -> None:
    (tmp_path / "scenario.toml").write_text(
        'extends = "builtin:toy"\nname = "mine"\n[latency]\nqueue_ms = 10\n[uncertain]\n"latency.queue_ms" = [5, 15]\n',
        encoding="utf-8",
    )
    task = draws_of.task_of(tmp_path, ["clusters.hami_yiwu.pue=1.2"], "lp", LP)
    drawn = {one.id for one in task.figures}
    assert "assumptions/max_utilisation" in drawn
    assert not drawn & {"assumptions/queue_ms", "clusters/hami_yiwu.pue_typical"}
    assert task.own == (("latency.queue_ms", 10.0, 5.0, 15.0),)
    plan = draws_of._solved(task, draws_of.drawn_numbers(task, 0, 0))
    assert plan.scenario is not None
    assert 5 < plan.scenario.settings.latency.queue_ms < 15
    assert plan.scenario.settings.latency.queue_ms != 10
    assert next(one.pue for one in plan.scenario.clusters if one.id == "hami_yiwu") == 1.2
    assert plan.scenario.settings.prices.unserved_multiple != 3


def test_draws_without_a_plan_are_counted_and_say_why(tmp_path: Path) -> None:
    # The idle floor emits, every hour: city_a 20 * 0.1 kW * 1.25 * 1.5 = 3.75 kW of 0.6 kg, hub_b 125 * 0.1 * 1.25 *
    # 1.2 = 18.75 kW of 0.8 kg (sun from 8 on), prov_c 50 * 0.1 * 1.25 = 6.25 kW of 0.6 kg: about 192 kg in twelve
    # hours, less what the sun supplies. Budgets drawn from 1 kg on are often below that.
    folder = own_folder(
        tmp_path / "budget", '"limits.carbon_budget_t" = [0.001, 0.9]', settings={"limits": {"carbon_budget_t": 0.3}}
    )
    result = pg.uncertain(folder, draws=12, engine="lp")
    failed = result.table[result.table["reason"] == "infeasible"]
    assert result.without_plan == {"infeasible": len(failed)}
    assert 0 < result.solved == 12 - len(failed) < 12
    assert failed["limits.carbon_budget_t"].max() < result.table["limits.carbon_budget_t"].max()
    assert "carbon_budget_t" in result.example
    assert f"{len(failed)} infeasible" in result.summary()
    spreads = [
        line for line in result.summary().splitlines() if line.split()[0] in {one.name for one in result.spreads}
    ]
    assert len(spreads) == len(result.spreads)
    assert max(map(len, spreads)) <= 80  # columns of a terminal
    assert result.to_dict()["without_plan"] == {"infeasible": len(failed)}


@pytest.mark.parametrize(
    ("ranges", "said"),
    [
        ('"clusters.nowhere.pue" = [1.0, 1.4]', "names no number"),
        ('"clusters.hub_b.pue" = [1.3, 1.4]', "and the number is 1.2"),
        ('"clusters.hub_b.pue*" = [1.1, 1.4]', "and the factor is 1;"),
        ('"bindings.llm.mfu" = [0.3, 0.6]', "names 2 numbers, not all the same"),
        ('"tariffs.west.summer.8.price_yuan_per_kwh" = [0.3, 0.6]', "joined by colons"),
        ('"jobs.base.mode" = [1, 2]', "names no number"),
    ],
)
def test_a_range_that_holds_no_number_of_the_scenario_is_an_error_that_the_check_warns_of(
    tmp_path: Path, ranges: str, said: str
) -> None:
    folder = own_folder(tmp_path / "mine", ranges)
    with pytest.raises(pg.ScenarioError, match=said):
        draws_of.task_of(folder, (), "lp", LP)
    (warning,) = (one for one in pg.check(folder) if one.code == "wrong-uncertain")
    assert warning.severity == "warning"
    assert said.removesuffix(";") in warning.text()


def test_a_range_may_be_that_of_a_factor_on_many_numbers(tmp_path: Path) -> None:
    ranges = '"bindings.llm.mfu*" = [0.8, 1.1]\n"jobs.*.work_pflop_h*" = [0.5, 1]'
    folder = own_folder(tmp_path / "mine", ranges)
    assert [one for one in pg.check(folder) if one.code == "wrong-uncertain"] == []
    task = draws_of.task_of(folder, (), "lp", LP)
    assert [value for _, value, *_ in task.own] == [1.0, 1.0]
    plan = draws_of._solved(task, {"bindings.llm.mfu*": 0.9, "jobs.*.work_pflop_h*": 0.5})
    assert plan.scenario is not None
    before, after = pg.load(folder), plan.scenario
    assert after.jobs["work_pflop_h"].tolist() == (0.5 * before.jobs["work_pflop_h"]).tolist()
    mfu = [[one.mfu for one in of.bindings if one.family == "llm"] for of in (before, after)]
    assert mfu[1] == pytest.approx([0.9 * one for one in mfu[0]])


def test_any_number_of_a_scenario_may_have_a_range(tmp_path: Path) -> None:
    ranges = ['"jobs.base.work_pflop_h" = [10, 30]', '"tariffs.west.price_yuan_per_kwh" = [0.2, 0.4]']
    ranges += ['"bindings.llm:small.mfu" = [0.3, 0.5]', '"prices.carbon_price_yuan_per_t" = [0, 100]']
    task = draws_of.task_of(own_folder(tmp_path / "mine", "\n".join(ranges)), (), "lp", LP)
    assert [value for _, value, *_ in task.own] == [20.0, 0.3, 0.4, 0.0]
    plan = draws_of._solved(task, {"jobs.base.work_pflop_h": 25.0, "tariffs.west.price_yuan_per_kwh": 0.25})
    assert plan.scenario is not None
    assert plan.scenario.jobs.set_index("id").loc["base", "work_pflop_h"] == 25.0


def made_up(objectives: list[float], **figures: list[float]) -> pg.Uncertainty:
    own = tuple((name, values[0], min(values), max(values)) for name, values in figures.items())
    task = Task("made-up", "made-up", (), "lp", LP, (), (), own, None, ())
    draws = [
        Draw(k, {name: values[k] for name, values in figures.items()}, {"objective_yuan": yuan})
        for k, yuan in enumerate(objectives)
    ]
    return spread_of(task, 0, {"objective_yuan": 10.0}, draws)


def test_the_spread_and_the_rank_correlation_by_hand() -> None:
    # 21 objectives 0..20: the 5 % quantile is 1, the median 10, the 95 % quantile 19. "up" rises with the objective in
    # every step, "down" falls; "noise" has the ranks of a permutation that has nothing to do with it.
    objectives = [float(k) for k in range(21)]
    noise = np.random.default_rng(0).permutation(21).astype(float).tolist()
    result = made_up(
        objectives, up=[k**3 for k in objectives], down=[-k for k in objectives], noise=noise, still=[1.0] * 21
    )
    (spread,) = result.spreads
    assert (spread.named, spread.p5, spread.p50, spread.p95, spread.least, spread.most) == (10, 1, 10, 19, 0, 20)
    found = {one.id: one for one in result.movers}
    assert found["up"].correlation == pytest.approx(1.0)
    assert found["down"].correlation == pytest.approx(-1.0)
    assert found["still"].correlation == 0.0
    by_hand = np.corrcoef(noise, objectives)[0, 1]
    assert found["noise"].correlation == pytest.approx(by_hand)
    assert [one.beyond_chance for one in result.movers] == [True, True, False, False]
    assert abs(by_hand) < result.chance < 1.0


def test_too_few_solved_draws_rank_nothing() -> None:
    result = made_up([1.0, 2.0], up=[1.0, 2.0])
    assert result.movers[0].correlation == 0.0
    assert result.to_dict()["chance_correlation"] is None


def test_the_command_prints_the_spread_with_the_plan(tmp_path: Path) -> None:
    folder = own_folder(tmp_path / "mine", '"prices.carbon_price_yuan_per_t" = [0, 100]')
    flags = ("--engine", "lp", "--no-policies", "--uncertain", "--draws", "3", "--jobs", "1")
    record = json_of(in_this_process("solve", folder, *flags, "--json", cwd=tmp_path))
    assert record["uncertain"]["draws"] == record["uncertain"]["solved"] == 3
    assert record["uncertain"]["spread"]["objective_yuan"]["named"] == record["objective_yuan"]
    assert record["uncertain"]["movers"][0]["id"] == "prices.carbon_price_yuan_per_t"


@pytest.mark.parametrize("option", ["--draws", "--jobs"])
def test_how_to_draw_is_not_said_where_nothing_is_drawn(option: str) -> None:
    said = one_line(in_this_process("solve", "nowhere", option, "3"), 2)
    assert f"{option} 3 says how --uncertain draws; add --uncertain, or leave it away" in said


def test_a_scenario_without_ranges_and_impossible_numbers_of_draws_are_bad_input(tmp_path: Path) -> None:
    save_scenario(tiny_scenario(), tmp_path / "tiny")
    said = one_line(in_this_process("solve", tmp_path / "tiny", "--uncertain", cwd=tmp_path), 2)
    assert "add [uncertain]" in said
    with pytest.raises(pg.OptionError, match="draws is 1"):
        pg.uncertain("toy", draws=1)
