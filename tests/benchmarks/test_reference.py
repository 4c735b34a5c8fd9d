"""The reference instance: optima that other programs found before this one was written."""

from __future__ import annotations

import numpy as np
import pytest

from provgrid_bench.reference import KNOWN_LP_OPTIMA, reference_problem
from provgrid_bench.reference_instance import generate
from provgrid_optimizer.engines.lp import lp
from provgrid_optimizer.evaluate import costs
from provgrid_optimizer.lagrangian import bound
from provgrid_optimizer.options import SolveOptions, ignore_progress


@pytest.mark.slow
@pytest.mark.parametrize("size", [(200, 12, 48, 20), (400, 12, 48, 40)])
def test_the_lp_optimum_is_the_known_one(size: tuple[int, int, int, int]) -> None:
    problem = reference_problem(*size)
    result = lp(problem, SolveOptions(), ignore_progress)
    objective = costs(problem, result.allocation).objective_yuan
    assert objective == pytest.approx(KNOWN_LP_OPTIMA[size], rel=1e-6)
    assert result.multipliers is not None
    assert bound(problem, result.multipliers).total_yuan == pytest.approx(objective, rel=1e-6)


def test_the_problem_holds_the_arrays_of_the_instance() -> None:
    raw = generate(30, 5, 24, 4, seed=3)
    problem = reference_problem(30, 5, 24, 4, seed=3)
    # Accelerator-hours: work over efficiency, pair by pair.
    np.testing.assert_allclose(problem.accelerator_hours(slice(None)), raw["work"][:, None] / raw["efficiency"])
    np.testing.assert_allclose(problem.one_off_yuan_everywhere(slice(None)), raw["move_cost"])
    np.testing.assert_array_equal(problem.start_periods(slice(None)), np.tile(raw["release"][:, None], 5))
    np.testing.assert_array_equal(problem.service_rate > 0, raw["eligible"])
    assert problem.floor_yuan == 0.0
    assert not problem.rigid.any()


def test_a_small_instance_is_proved_by_its_prices() -> None:
    problem = reference_problem(20, 4, 24, 3, seed=1)
    result = lp(problem, SolveOptions(threads=1), ignore_progress)
    objective = costs(problem, result.allocation).objective_yuan
    assert result.multipliers is not None
    assert bound(problem, result.multipliers).total_yuan == pytest.approx(objective, rel=1e-6)
