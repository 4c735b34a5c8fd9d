"""A program in units of its own size: the same program, and its answers read back."""

from __future__ import annotations

import numpy as np
import pytest

from provgrid_bench.reference import reference_problem
from provgrid_optimizer.highs import minimise
from provgrid_optimizer.matrix import assemble
from provgrid_optimizer.matrix.scaling import scaled
from provgrid_optimizer.options import SolveOptions, ignore_progress
from random_problems import random_problem

ONE_THREAD = SolveOptions(threads=1)


@pytest.mark.parametrize("seed", range(4))
def test_points_costs_and_duals_mean_the_same_in_both_units(seed: int) -> None:
    program = assemble(random_problem(seed, jobs=6, pools=3), divisible=True)
    units = scaled(program)
    random = np.random.default_rng(seed)
    inner = random.uniform(0.0, 1.0, program.n_columns)
    x = inner * units.column
    assert units.program.objective(inner) == pytest.approx(program.objective(x))
    assert units.program.activity(inner) == pytest.approx(program.activity(x) * units.row)
    y = random.normal(size=program.n_rows)
    assert units.program.transposed(y) == pytest.approx(program.transposed(units.row_duals(y)) * units.column)


def test_no_figure_is_rounded() -> None:
    units = scaled(assemble(random_problem(3, jobs=6, pools=3), divisible=True))
    for factors in (units.column, units.row):
        assert (np.frexp(factors)[0] == 0.5).all()  # a power of 2


def test_rows_are_of_the_size_of_one() -> None:
    # Jobs of up to thousands of accelerator-hours: entries over three orders of magnitude before, one after.
    program = assemble(reference_problem(20, 4, 24, 4), divisible=True)
    units = scaled(program)
    terms = np.abs(units.program.value)
    largest = np.zeros(program.n_rows)
    np.maximum.at(largest, units.program.index, terms)
    assert largest.max() <= 4.0
    assert largest.min() >= 0.25
    assert np.ptp(np.log10(np.abs(program.value))) > np.ptp(np.log10(terms))


def test_a_point_beyond_a_limit_by_the_solvers_tolerance_is_read_at_the_limit() -> None:
    program = assemble(random_problem(1, jobs=6, pools=3), divisible=True)
    units = scaled(program)
    x = units.point(program, np.full(program.n_columns, -1e-9))
    assert (x >= program.column_lower).all()


def test_the_interior_point_finds_the_optimum_and_duals_that_prove_it() -> None:
    program = assemble(reference_problem(20, 4, 24, 4), divisible=True)
    simplex = minimise(program, ONE_THREAD, ignore_progress, stage="lp")
    for settings in ({"solver": "ipm"}, {"solver": "ipm", "run_crossover": "off"}):
        answer = minimise(program, ONE_THREAD, ignore_progress, stage="lp", settings=settings)
        assert answer.objective_yuan == pytest.approx(simplex.objective_yuan, rel=1e-7)
        assert answer.row_duals is not None
        assert program.dual_bound(answer.row_duals) == pytest.approx(simplex.objective_yuan, rel=1e-5)
