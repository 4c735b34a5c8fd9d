"""Conflicts of random problems: none of their members can be left out, by solves that know nothing of the search."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from provgrid_models.errors import InfeasibleError
from provgrid_models.problem import Problem
from provgrid_optimizer.answers.irreducible import divided_clash, irreducible
from provgrid_optimizer.answers.terms import KINDS, Terms, hard_work, only_work, terms_of
from provgrid_optimizer.engines.lp import lp
from provgrid_optimizer.highs import Ending, minimise
from provgrid_optimizer.highs_again import Feasibility
from provgrid_optimizer.matrix import LinearProgram, assemble
from provgrid_optimizer.options import SolveOptions, ignore_progress
from random_problems import random_problem

ONE_THREAD = SolveOptions(threads=1)


def overloaded(seed: int, **switches: bool) -> Problem:
    """A random problem with much hard work and little room."""
    problem = random_problem(seed, hard=True, jobs=6, periods=8, **switches)
    hard = np.random.default_rng(seed).random(problem.n_jobs) < 0.7
    tight = replace(
        problem, unserved_yuan=np.where(hard, np.inf, problem.unserved_yuan), capacity=problem.capacity * 0.6
    )
    return only_work(tight, *hard_work(tight))


def conflict_of(problem: Problem) -> tuple[LinearProgram, Terms, Any]:
    program = assemble(problem, divisible=True)
    terms = terms_of(problem, program)
    return program, terms, irreducible(terms, divided_clash(program, terms, ONE_THREAD))


def test_a_conflict_is_found_without_the_weights_of_a_proof_too() -> None:
    program, terms, _ = conflict_of(overloaded(45))
    oracle = Feasibility(program, ONE_THREAD)

    def ask(kept: Any) -> Any:
        return None if oracle.proof_of_none(*terms.limits(program, kept)) is None else kept

    members = irreducible(terms, ask)
    assert members is not None
    assert ask(members) is not None
    for k in np.flatnonzero(members).tolist():
        without = members.copy()
        without[k] = False
        assert ask(without) is None


def test_conflicts_are_irreducible_by_cold_solves_without_each_member() -> None:
    seen: set[str] = set()
    for seed in range(30):
        problem = overloaded(seed)
        program, terms, members = conflict_of(problem)
        if members is None:
            lp(problem, ONE_THREAD, ignore_progress)
            continue
        seen |= {KINDS[k] for k in terms.kind[members]}
        for without in [None, *np.flatnonzero(members).tolist()]:
            kept = members.copy()
            kept[[] if without is None else [without]] = False
            upper, row_lower, row_upper = terms.limits(program, kept)
            trial = replace(program, column_upper=upper, row_lower=row_lower, row_upper=row_upper)
            found = minimise(trial, ONE_THREAD, ignore_progress, stage="cold")
            assert (found.ending is Ending.INFEASIBLE) is (without is None), (seed, without)
    assert seen == {"job", "service", "capacity", "link", "after"}


@pytest.mark.parametrize("seed", [25, 45, 49, 63])
def test_a_conflict_holds_by_a_problem_that_was_changed_instead_of_its_program(seed: int) -> None:
    """Limits that are left out are lifted in the problem's own arrays, work is made soft: the engine says the same."""
    problem = overloaded(seed, rigid=False, links=False)
    _, terms, members = conflict_of(problem)
    if members is None:
        lp(problem, ONE_THREAD, ignore_progress)
        return
    for without in [None, *np.flatnonzero(members).tolist()]:
        kept = members.copy()
        kept[[] if without is None else [without]] = False
        assert feasible(lifted(problem, terms, kept)) is (without is not None), without


def lifted(problem: Problem, terms: Terms, kept: Any) -> Problem:
    """Lift the limits that are not kept, and let go of the work."""
    capacity, demand = problem.capacity.copy(), problem.demand.copy()
    block_kw, unserved, after = problem.block_limit_kw.copy(), problem.unserved_yuan.copy(), problem.after.copy()
    for k in np.flatnonzero(~kept).tolist():
        kind, item, period = KINDS[terms.kind[k]], int(terms.item[k]), int(terms.period[k])
        if kind == "capacity":
            capacity[item, period] = 1e6
        elif kind == "service":
            demand[item, period] = 0.0
        elif kind == "power":
            block_kw[problem.block_cluster == item, period] = 1e8
        elif kind == "after":
            after[item] = -1
        elif kind == "job":
            unserved[item] = 1.0
    budget = any(KINDS[k] == "carbon" for k in terms.kind[kept])
    return replace(
        problem,
        capacity=capacity,
        demand=demand,
        block_limit_kw=block_kw,
        unserved_yuan=unserved,
        after=after,
        carbon_budget_kg=problem.carbon_budget_kg if budget else np.inf,
    )


def feasible(problem: Problem) -> bool:
    try:
        lp(problem, ONE_THREAD, ignore_progress)
    except InfeasibleError:
        return False
    return True
