"""The same matrix through PuLP: the same optimum, files that read back, and a status that is earned."""

from __future__ import annotations

from importlib.resources import as_file
from pathlib import Path
from typing import Any

import highspy
import numpy as np
import pulp
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from provgrid_bench.reference import reference_problem
from provgrid_models.compile import compile_scenario
from provgrid_models.errors import InfeasibleError, MissingSolverError, NoPlanError, SolverError
from provgrid_models.files import load_scenario
from provgrid_models.problem import Problem
from provgrid_optimizer.engine import EngineResult, Status
from provgrid_optimizer.engines import pulp_engines
from provgrid_optimizer.engines.lp import lp
from provgrid_optimizer.engines.pulp_engines import export_lp, export_mps, pulp_cbc, pulp_highs
from provgrid_optimizer.evaluate import costs
from provgrid_optimizer.highs import minimise
from provgrid_optimizer.matrix import assemble
from provgrid_optimizer.options import SolveOptions, ignore_progress
from provgrid_seeds.loader import scenario_folder
from random_problems import problems, random_problem


def endings(problem: Problem) -> list[EngineResult | None]:
    """What each engine hands back, None where it says that hard work has no place."""
    found: list[EngineResult | None] = []
    for engine in (lp, pulp_cbc, pulp_highs):
        try:
            found.append(engine(problem, SolveOptions(threads=1), ignore_progress))
        except InfeasibleError:
            found.append(None)
    return found


@settings(max_examples=50)
@given(st.booleans().flatmap(lambda hard: problems(hard=hard)))
def test_arrays_and_pulp_agree(problem: Problem) -> None:
    found = endings(problem)
    results = [result for result in found if result is not None]
    assert len(results) in (0, len(found))
    if not results:
        return
    arrays, cbc, highs = (costs(problem, result.allocation).objective_yuan for result in results)
    # CBC writes eight digits of every block's power, and the idle floor draws from the same blocks.
    size = max(1.0, abs(arrays) + abs(problem.floor_yuan))
    assert cbc == pytest.approx(arrays, abs=1e-6 * size)
    assert highs == pytest.approx(arrays, abs=1e-6 * size)
    assert all(result.status is Status.OPTIMAL for result in results)
    assert all(result.multipliers is not None for result in results)
    assert [result.bound_yuan for result in results] == pytest.approx([arrays] * 3, abs=1e-5 * size)


def test_arrays_and_pulp_agree_on_a_built_in_scenario() -> None:
    with as_file(scenario_folder("toy")) as folder:
        problem = compile_scenario(load_scenario(folder))
    yuan = []
    for engine in (lp, pulp_cbc, pulp_highs):
        result = engine(problem, SolveOptions(threads=1), ignore_progress)
        assert result.status is Status.OPTIMAL
        yuan.append(costs(problem, result.allocation).objective_yuan)
    assert yuan == pytest.approx([yuan[0]] * 3, rel=1e-6)


@pytest.mark.parametrize("divisible", [True, False])
@pytest.mark.parametrize(("export", "name"), [(export_lp, "model.lp"), (export_mps, "model.mps")])
def test_an_exported_file_reads_back_with_the_same_optimum(
    tmp_path: Path, export: Any, name: str, divisible: bool
) -> None:
    for seed in range(3):
        problem = random_problem(seed)
        export(problem, tmp_path / name, divisible=divisible)
        highs = highspy.Highs()
        for option, value in (("output_flag", False), ("mip_rel_gap", 0.0)):
            assert highs.setOptionValue(option, value) == highspy.HighsStatus.kOk
        assert highs.readModel(str(tmp_path / name)) == highspy.HighsStatus.kOk
        highs.run()
        found = highs.getInfo().objective_function_value
        program = assemble(problem, divisible=divisible)
        direct = minimise(program, SolveOptions(), ignore_progress, stage="direct", settings={"mip_rel_gap": 0.0})
        # The files carry no constant: PuLP's writers leave it out.
        assert found + program.offset == pytest.approx(
            direct.objective_yuan, abs=1e-6 * max(1.0, abs(direct.objective_yuan))
        )


@pytest.mark.parametrize("engine", [pulp_cbc, pulp_highs])
def test_a_time_limit_is_not_called_optimal(engine: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    # The solver gets 0.05 s of the half or more that it needs; PuLP says "Optimal" of such a stop.
    monkeypatch.setattr(pulp_engines.Clock, "left_s", lambda self: 0.05)
    problem = reference_problem(80, 8, 48, 8)
    with pytest.raises(NoPlanError, match="no feasible plan within the time limit of 9 s"):
        engine(problem, SolveOptions(time_limit_s=9, threads=1), ignore_progress)


def test_a_point_that_its_duals_do_not_prove_is_refused() -> None:
    problem = random_problem(3)
    program = assemble(problem, divisible=True)
    # Nothing served is feasible, and nowhere near the optimum.
    nothing = np.zeros(program.n_columns)
    nothing[program.columns["u"].slice] = 1.0
    left = program.columns["v"]
    nothing[left.slice] = problem.demand[left.ids["service"], left.ids["period"]]
    supply = problem.floor_supply
    nothing[program.columns["g"].slice] = supply.block_kw.ravel()
    peak = program.columns["D"]
    nothing[peak.slice] = supply.peak_kw[peak.ids["cluster"]]
    duals = np.zeros(program.n_rows)
    with pytest.raises(SolverError, match="its duals prove only"):
        pulp_engines._result(problem, SolveOptions(), program, "CBC", nothing, duals, "")
    stopped = pulp_engines._result(problem, SolveOptions(), program, "CBC", nothing, duals, "Stopped on time")
    assert stopped.status is Status.TIME_LIMIT
    assert stopped.multipliers is None
    with pytest.raises(SolverError, match="breaks a limit"):
        pulp_engines._result(problem, SolveOptions(), program, "CBC", nothing + 1.0, duals, "")


def test_a_missing_solver_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pulp.PULP_CBC_CMD, "available", lambda self: False)
    with pytest.raises(MissingSolverError, match="CBC is not installed"):
        pulp_cbc(random_problem(1), SolveOptions(), ignore_progress)


def test_rows_without_columns_do_no_harm() -> None:
    # No supply blocks at all and no power: the balance rows are empty.
    problem = Problem(capacity=np.ones((1, 2)))
    for engine in (lp, pulp_cbc, pulp_highs):
        result = engine(problem, SolveOptions(), ignore_progress)
        assert costs(problem, result.allocation).objective_yuan == 0.0


def test_pulp_runs_with_other_numbers_of_threads_one_after_the_other() -> None:
    problem = random_problem(2)
    found = [
        costs(problem, pulp_highs(problem, SolveOptions(threads=threads), ignore_progress).allocation).objective_yuan
        for threads in (1, 2, 1)
    ]
    assert found == pytest.approx([found[0]] * 3)
