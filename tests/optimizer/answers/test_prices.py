"""Marginal prices: true one-sided slopes, slack where there is room, and marked where one more and one less differ."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
import pytest

from planted_problems import planted_problem
from provgrid_models.errors import OptionError
from provgrid_models.problem import Problem
from provgrid_optimizer.answers.fixed import Remaining, remaining
from provgrid_optimizer.answers.prices import marginal_prices
from provgrid_optimizer.answers.sensitivity import Direction, may_differ, price, reach, slope
from provgrid_optimizer.engines.lp import lp
from provgrid_optimizer.engines.policies import cheapest
from provgrid_optimizer.options import SolveOptions, ignore_progress
from provgrid_optimizer.runs import audit_run, open_run
from provgrid_optimizer.solve import solve

ONE_THREAD = SolveOptions(threads=1)
ENGINES = {"lp": lp, "fixed-lp": cheapest}
NOTHING = np.zeros(0, dtype=np.int64)


def one_pool(capacity: float, *values_yuan: float, **more: Any) -> Problem:
    """One pool for one hour at 1 kW and 1 yuan/kWh; each job asks for two accelerator-hours and is worth its value."""
    jobs = len(values_yuan)
    return Problem(
        **{
            "capacity": np.full((1, 1), capacity),
            "kw_per_accelerator": np.ones((1, 1)),
            "block_cluster": np.array([0]),
            "block_limit_kw": np.full((1, 1), np.inf),
            "block_yuan_per_kwh": np.ones((1, 1)),
            "block_is_grid": np.array([True]),
            "class_rate_pflops": np.ones((1, 1)),
            "work_pflop_h": np.full(jobs, 2.0),
            "release": np.zeros(jobs, dtype=np.int64),
            "deadline": np.ones(jobs, dtype=np.int64),
            "max_accelerators": np.full(jobs, 2.0),
            "unserved_yuan": np.array(values_yuan),
        }
        | more
    )


def left_of(problem: Problem, basis: str = "lp") -> Remaining:
    return remaining(problem, ENGINES[basis](problem, ONE_THREAD, ignore_progress).allocation, ONE_THREAD)


def row_of(table: pd.DataFrame, kind: str) -> Any:
    return table[table["kind"] == kind].iloc[0]


def test_one_more_accelerator_serves_more_of_the_job_that_waits():
    # 3 accelerators: the job worth 20 runs whole, that worth 8 by half. An accelerator-hour more serves another half,
    # 4 yuan, for 1 yuan of power: 3. Holding one costs the half that makes way, 4: its power takes that job's place.
    table = marginal_prices(left_of(one_pool(3.0, 20.0, 8.0)), ranges=True)
    for kind, yuan in (("capacity", 3.0), ("accelerator", 4.0), ("energy", 1.0)):
        row = row_of(table, kind)
        assert row["price"] == pytest.approx(yuan), kind
        assert not row["degenerate"]
        assert (row["low"], row["high"]) == pytest.approx((yuan, yuan))
        assert row["basis"] == "lp"


def test_where_one_more_is_worth_less_than_one_less_costs_both_are_said():
    # 2 accelerators do just what is asked. One more saves nothing; one less leaves half of 20 yuan and saves 1 yuan of
    # power: 9. Holding one for something else costs 10 (the half job makes way); one held less saves its power, 1.
    left = left_of(one_pool(2.0, 20.0))
    marked = marginal_prices(left)
    exact = marginal_prices(left, ranges=("capacity", "accelerator"))
    for kind, low, high in (("capacity", 0.0, 9.0), ("accelerator", 1.0, 10.0)):
        assert row_of(marked, kind)["degenerate"]
        assert math.isnan(row_of(marked, kind)["low"])
        row = row_of(exact, kind)
        assert row["degenerate"]
        assert (row["low"], row["high"]) == pytest.approx((low, high))
        assert low - 1e-9 <= row["price"] <= high + 1e-9
    assert not row_of(exact, "energy")["degenerate"]


def test_what_is_fixed_has_no_price_of_less():
    # The same pool with the job fixed in it: one less has no plan, so that it costs more than any price.
    row = row_of(marginal_prices(left_of(one_pool(2.0, 20.0), "fixed-lp"), ranges=True), "capacity")
    assert row["basis"] == "fixed-lp"
    assert row["degenerate"]
    assert (row["low"], row["high"]) == (0.0, math.inf)


def test_a_power_limit_and_a_carbon_budget_have_prices():
    # 10 accelerators, but 3 kW: the 1.5th job is worth 4 yuan an hour less 1 yuan of power, 3 yuan for each kWh.
    limited = one_pool(10.0, 20.0, 8.0, block_limit_kw=np.full((1, 1), 3.0))
    assert row_of(marginal_prices(left_of(limited)), "supply_limit")["price"] == pytest.approx(3.0)
    # At 0.5 kg per kWh a budget of 1.5 kg is the same limit: 6 yuan for each kg.
    green = one_pool(10.0, 20.0, 8.0, block_kg_per_kwh=np.full((1, 1), 0.5), carbon_budget_kg=1.5)
    row = row_of(marginal_prices(left_of(green)), "carbon_budget")
    assert (row["price"], row["period"]) == (pytest.approx(6.0), -1)


@pytest.mark.parametrize("seed", range(6))
def test_what_has_room_has_no_price(seed: int) -> None:
    """Complementary slackness, for the relaxation and for a plan."""
    problem = planted_problem(seed)
    for basis in ENGINES:
        assert_slack_is_free(left_of(problem, basis))


def assert_slack_is_free(left: Remaining) -> None:
    program, x = left.program, left.x
    activity, reduced = program.activity(x), left.reduced_costs
    size = max(1.0, float(np.abs(program.cost).max()))
    room = np.minimum(activity - program.row_lower, program.row_upper - activity)
    assert float((np.abs(left.row_duals) * np.where(np.isfinite(room), room, 0.0)).max(initial=0.0)) <= 1e-6 * size
    assert (left.row_duals[np.isinf(program.row_lower)] <= 1e-7 * size).all()
    above, below = x - program.column_lower, program.column_upper - x
    paid = np.maximum(reduced, 0.0) * above + np.maximum(-reduced, 0.0) * np.where(np.isfinite(below), below, 1.0)
    assert float(paid.max(initial=0.0)) <= 1e-6 * size
    table, problem = marginal_prices(left), left.problem
    used = pd.Series(x[program.columns["used"].slice])
    capacity = table[table["kind"] == "capacity"].reset_index(drop=True)
    assert (capacity["price"][used < problem.capacity.ravel() - 1e-6] == 0.0).all()
    link = table[table["kind"] == "link"].reset_index(drop=True)
    rows = program.rows["link"]
    spare = problem.link_gbps[rows.ids["link"]] - activity[rows.slice]
    assert (link["price"][spare > 1e-6] == 0.0).all()


def single(left: Remaining, kind: str, place: int) -> Direction:
    """One more of one limit of the program."""
    at, by = np.array([place]), np.ones(1)
    if kind == "column":
        return Direction(column=at, column_by=by, row=NOTHING, row_by=np.zeros(0))
    return Direction(column=NOTHING, column_by=np.zeros(0), row=at, row_by=by)


def moved(left: Remaining, kind: str, place: int, step: float) -> float:
    """Least cost with one limit moved, solved from nothing."""
    from provgrid_optimizer.highs import minimise

    program = left.program
    names = ("column_upper",) if kind == "column" else ("row_lower", "row_upper")
    limits = {name: getattr(program, name).copy() for name in names}
    for limit in limits.values():
        limit[place] += step
    answer = minimise(replace(program, **limits), ONE_THREAD, ignore_progress, stage="again")
    return math.inf if answer.x is None else answer.objective_yuan


def assert_hourly_prices_are_slopes(seed: int, samples: int) -> int:
    """Hold sampled prices against finite differences inside the range in which each holds; returns how many."""
    random, problem, seen = np.random.default_rng(seed), planted_problem(seed), 0
    for basis in ENGINES:
        left = left_of(problem, basis)
        columns, rows = may_differ(left, ONE_THREAD) or (None, None)
        assert columns is not None
        assert rows is not None
        kinds = ("capacity", "balance", "peak", "link", "after")
        places = [("row", place) for kind in kinds for place in left_rows(left, kind)]
        places += [("column", int(place)) for place in left.program.columns["used"].at]
        sampled = [places[k] for k in random.choice(len(places), samples, replace=False)]
        for kind, place in sampled + [("row", place) for place in left_rows(left, "carbon")]:
            direction = single(left, kind, place)
            right, less = slope(left, direction), -slope(left, direction.reversed())
            tolerance = 1e-6 * max(1.0, abs(left.objective_yuan))
            assert less - 1e-6 <= price(left, direction) <= right + 1e-6
            marked = (columns if kind == "column" else rows)[place]
            assert marked or right - less <= 1e-6 * max(1.0, abs(right)), (seed, basis, kind, place)
            for sign, one_sided in ((1.0, right), (-1.0, -less)):
                if math.isinf(one_sided):
                    assert math.isinf(moved(left, kind, place, 1e-3 * sign)) or kind == "row"
                    continue
                step = reach(left, direction if sign > 0 else direction.reversed(), one_sided, 1.0)
                changed = moved(left, kind, place, sign * step) - left.objective_yuan
                assert changed == pytest.approx(one_sided * step, abs=tolerance)
                seen += 1
    return seen


def left_rows(left: Remaining, kind: str) -> list[int]:
    return [int(place) for place in left.program.rows[kind].at]


@pytest.mark.parametrize("seed", range(6))
def test_hourly_prices_are_what_a_small_change_costs(seed: int) -> None:
    assert assert_hourly_prices_are_slopes(seed, samples=3) > 0


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(6, 100))
def test_hourly_prices_are_what_a_small_change_costs_everywhere(seed: int) -> None:
    assert_slack_is_free(left_of(planted_problem(seed)))
    assert_slack_is_free(left_of(planted_problem(seed), "fixed-lp"))
    assert assert_hourly_prices_are_slopes(seed, samples=3) > 0


def test_prices_of_the_bound_stay_what_is_saved_and_audited(tmp_path):
    plan = solve(planted_problem(2), "cheapest", ONE_THREAD, with_policies=False)
    assert set(plan.prices["basis"]) == {"dual"}
    assert set(plan.marginal_prices["basis"]) == {"fixed-lp"}
    folder = plan.save(tmp_path / "run", marginal_prices=True)
    saved = pd.read_parquet(folder / "marginal_prices.parquet")
    np.testing.assert_allclose(saved["price"], plan.marginal_prices["price"])
    again = open_run(folder)
    assert audit_run(folder).n_violations == 0
    pd.testing.assert_frame_equal(again.prices, plan.prices)
    pd.testing.assert_frame_equal(again.prices_at("dual"), plan.prices)
    with pytest.raises(OptionError, match=r"no prices on the basis 'lp'; choose among fixed-lp, dual"):
        again.prices_at("lp")


@pytest.mark.parametrize(
    ("ranges", "message"),
    [
        (("zzz",), "there is no price of the kind 'zzz'; choose among accelerator, capacity"),
        ("link", "ranges is 'link', and no list of texts; give True, or a list of kinds such as"),
        ([5], "an item of ranges is 5, of type int; give True, or a list of kinds"),
    ],
)
def test_ranges_are_of_kinds_that_there_are(ranges: Any, message: str) -> None:
    plan = solve(one_pool(1.0, 5.0), "lp", ONE_THREAD, with_policies=False)
    with pytest.raises(OptionError, match=message):
        plan.prices_at("lp", ranges=ranges)
    assert plan.prices_at("lp", ranges=("link", "accelerator"))["low"].notna().any()
