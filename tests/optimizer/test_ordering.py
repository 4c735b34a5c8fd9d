"""Bound <= relaxation <= whole numbers <= heuristic and every policy, on problems in which every rule can bind."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

import naive
from provgrid_models.errors import InfeasibleError, NoPlanError
from provgrid_models.problem import Problem
from provgrid_optimizer.evaluate import costs
from provgrid_optimizer.lagrangian import bound
from provgrid_optimizer.multipliers import Multipliers
from provgrid_optimizer.options import SolveOptions, ignore_progress
from provgrid_optimizer.solve import POLICIES, find_engine
from random_problems import random_problem

TOLERANCE = 1e-6


def check_the_order(seed: int) -> None:
    problem = random_problem(seed, jobs=2 + seed % 7, periods=4 + seed % 5, hard=seed % 4 == 0)
    options = SolveOptions(gap=0.0, threads=1, seed=seed)
    found = {}
    for engine in ("lp", "milp", "heuristic", *POLICIES):
        try:
            result = find_engine(engine)(problem, options, ignore_progress)
        except InfeasibleError:
            continue
        except NoPlanError:  # a simple rule, or the heuristic, may find no place for hard work
            assert engine not in ("lp", "milp")
            continue
        found[engine] = costs(problem, result.allocation).objective_yuan
        if result.multipliers is not None:
            found[f"bound of {engine}"] = bound(problem, result.multipliers).total_yuan
            for name, prices in any_order_prices(problem, result.multipliers, seed).items():
                found[f"bound of {engine} and {name} order prices"] = bound(problem, prices).total_yuan
    if "milp" not in found:  # infeasible, at least for whole jobs: then nobody else has a plan
        assert all(name == "lp" or name.startswith("bound of lp") for name in found)
        return
    slack = TOLERANCE * max(abs(found["milp"]), 1.0)
    for name, yuan in found.items():
        if name.startswith("bound of"):
            assert yuan <= found["lp"] + slack, name
        elif name != "lp":
            assert yuan >= found["milp"] - slack, name
    assert found["lp"] <= found["milp"] + slack


def any_order_prices(problem: Problem, multipliers: Multipliers, seed: int) -> dict[str, Multipliers]:
    """The same prices with others, and with none, on the order of jobs."""
    if not multipliers.vertical.size:
        return {}
    random = np.random.default_rng(seed)
    drawn = naive.random_order_prices(problem, random)
    return {
        "drawn": replace(multipliers, after=drawn),
        "more": replace(multipliers, after=multipliers.after + 0.1 * drawn),
        "no": replace(multipliers, after=np.zeros_like(drawn)),
    }


@pytest.mark.parametrize("seed", range(10))
def test_bound_relaxation_whole_numbers_and_rules_stand_in_order(seed: int) -> None:
    check_the_order(seed)


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(1_000, 1_315))
def test_the_order_holds_on_hundreds_of_problems(seed: int) -> None:
    check_the_order(seed)
