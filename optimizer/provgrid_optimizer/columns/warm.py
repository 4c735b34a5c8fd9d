"""Compile the kernels of the pricing step once, on the smallest problem that reaches all of them."""

from __future__ import annotations

from functools import cache

from provgrid_optimizer.columns.pricing import Pricing
from provgrid_optimizer.engines.policies import place_by_rule
from provgrid_optimizer.heuristic.arrays import arrays
from provgrid_optimizer.heuristic.warm import tiny_problem
from provgrid_optimizer.heuristic.warm import warm_up as warm_up_heuristic
from provgrid_optimizer.matrix.selection import served_columns
from provgrid_optimizer.multipliers import Multipliers


@cache
def warm_up() -> None:
    """Price a tiny problem and place its work; a second call costs nothing."""
    warm_up_heuristic()
    problem = tiny_problem()
    laid_out = arrays(problem)
    place_by_rule("cheapest", problem, laid_out)
    Pricing(problem, laid_out, served_columns(problem), 1).at(Multipliers.zero(problem), 0.0)
