"""The compiler and the audit read a scenario each with its own arithmetic; they must read the same problem."""

import numpy as np
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from provgrid_models.compile import compile_scenario
from provgrid_models.errors import InfeasibleError
from provgrid_optimizer.audit.scenario_case import case_from_scenario
from random_scenarios import random_scenario
from tiny import tiny_scenario


def assert_same_problem(scenario) -> None:
    problem, case = compile_scenario(scenario), case_from_scenario(scenario)
    shared = set(problem.array_fields()) & set(case.__dataclass_fields__)
    assert len(shared) > 30
    for name in sorted(shared):
        np.testing.assert_allclose(getattr(case, name), getattr(problem, name), rtol=1e-12, err_msg=name)
    pairs = np.indices((problem.n_jobs, problem.n_pools)).reshape(2, -1)
    np.testing.assert_array_equal(case.reasons(*pairs), problem.reasons(slice(None)).ravel())
    np.testing.assert_allclose(case.accelerator_hours(*pairs), problem.accelerator_hours(slice(None)).ravel())
    assert [entry[0] for entry in case.never_served] == [entry[0] for entry in problem.never_served]
    np.testing.assert_allclose([e[2] for e in case.never_served], [e[2] for e in problem.never_served])
    assert np.isclose(case.take_or_pay_yuan, problem.take_or_pay_yuan)
    assert np.isclose(case.floor_yuan, problem.floor_yuan)


def test_both_read_tiny_alike():
    assert_same_problem(tiny_scenario())


@given(seed=st.integers(0, 2**32 - 1))
@settings(max_examples=40)
def test_both_read_random_scenarios_alike(seed):
    scenario = random_scenario(seed)
    try:
        compile_scenario(scenario)
    except InfeasibleError:
        assume(False)
    assert_same_problem(scenario)
