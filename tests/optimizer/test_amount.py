"""How far limits have to move: the least amount by one program."""

from __future__ import annotations

import numpy as np
import pytest

from provgrid_models.problem import Problem
from provgrid_optimizer.highs import minimise
from provgrid_optimizer.matrix import assemble
from provgrid_optimizer.matrix.amount import least_amount
from provgrid_optimizer.options import SolveOptions, ignore_progress


def hard_job(**changes: object) -> Problem:
    """One hard job of 12 accelerator-hours in two hours, on a pool of 4 at 1 kW each."""
    arrays: dict[str, object] = {
        "capacity": np.full((1, 2), 4.0),
        "kw_per_accelerator": np.ones((1, 2)),
        "block_cluster": [0],
        "block_yuan_per_kwh": np.ones((1, 2)),
        "job_class": [0],
        "class_rate_pflops": [[1.0]],
        "work_pflop_h": [12.0],
        "release": [0],
        "deadline": [2],
        "max_accelerators": [9.0],
        "unserved_yuan": [np.inf],
    }
    return Problem(**(arrays | changes))  # type: ignore[arg-type]


def amount(problem: Problem, kind: str, by: float, *, divisible: bool = True) -> float:
    program = assemble(problem, divisible=divisible)
    column_room = np.zeros(program.n_columns)
    column_room[program.columns[kind].slice] = by
    widened = least_amount(program, column_room, np.zeros(program.n_rows))
    answer = minimise(widened, SolveOptions(threads=1), ignore_progress, stage="amount")
    assert answer.x is not None
    return float(answer.x[-1])


def test_columns_move_by_their_own_room() -> None:
    # 12 accelerator-hours in 2 hours need 6 of 4 accelerators: 2 more, or 4 steps of a half.
    assert amount(hard_job(), "used", 1.0) == pytest.approx(2.0)
    assert amount(hard_job(), "used", 0.5) == pytest.approx(4.0)
    # 5 kW for 6 accelerators that draw 1 kW each
    assert amount(hard_job(capacity=np.full((1, 2), 8.0), block_limit_kw=np.full((1, 2), 5.0)), "g", 1.0) == (
        pytest.approx(1.0)
    )


def test_what_fits_needs_nothing() -> None:
    assert amount(hard_job(capacity=np.full((1, 2), 8.0)), "used", 1.0) == pytest.approx(0.0)


def test_whole_gangs_need_what_whole_gangs_need() -> None:
    # Two gangs of 3 for an hour each, in one hour, on a pool of 5: divided or not, 6 are held.
    gangs = hard_job(
        capacity=np.full((1, 1), 5.0),
        kw_per_accelerator=np.ones((1, 1)),
        block_yuan_per_kwh=np.ones((1, 1)),
        job_class=[0, 0],
        work_pflop_h=[3.0, 3.0],
        release=[0, 0],
        deadline=[1, 1],
        max_accelerators=[3.0, 3.0],
        rigid=[True, True],
        unserved_yuan=[np.inf, np.inf],
    )
    assert amount(gangs, "used", 1.0, divisible=False) == pytest.approx(1.0)


def test_rows_move_too() -> None:
    problem = hard_job(capacity=np.full((1, 2), 8.0), block_kg_per_kwh=np.ones((1, 2)), carbon_budget_kg=9.0)
    program = assemble(problem, divisible=True)
    row_room = np.zeros(program.n_rows)
    row_room[program.rows["carbon"].slice] = 1.0
    widened = least_amount(program, np.zeros(program.n_columns), row_room)
    answer = minimise(widened, SolveOptions(threads=1), ignore_progress, stage="amount")
    # 12 kWh at 1 kg/kWh against 9
    assert answer.x is not None
    assert float(answer.x[-1]) == pytest.approx(3.0)
