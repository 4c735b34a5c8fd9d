"""A gap in words, and what stands beside a plan's cost."""

from __future__ import annotations

import math

import pytest

import provgrid as pg
from provgrid_optimizer.certificate import gap_in_words


@pytest.mark.parametrize(
    ("gap", "words"),
    [
        (0.0, "proven within 0.00% of the best"),
        (0.05, "proven within 5.00% of the best"),
        (0.0501, "the bound proves only that no plan is more than 5.01% cheaper"),
        (0.9752, "the bound proves only that no plan is more than 97.52% cheaper"),
        (1.3, "the bound proves next to nothing: its gap is 130.00%"),
        (math.inf, "no bound"),
    ],
)
def test_only_a_narrow_gap_is_put_as_a_proof(gap: float, words: str) -> None:
    assert gap_in_words(gap) == words


def test_a_summary_names_the_constants_and_the_sums_that_a_sweep_shows() -> None:
    plan = pg.solve(pg.load("toy"), engine="lp", policies=False, threads=1)
    spent, constants = plan.component_costs, plan.problem.constants_yuan
    in_all = f"in all {plan.objective_yuan + constants:,.0f} yuan, {(spent.carbon_kg + spent.floor_kg) / 1000:,.1f} t"
    (line,) = [line for line in plan.summary().splitlines() if line.startswith("beside that ")]
    assert line.startswith(f"beside that {constants:,.0f} yuan and {spent.floor_kg / 1000:,.1f} t of constants")
    assert line.endswith(in_all)
