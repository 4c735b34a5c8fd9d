"""The simple policies beside a plan: solved again on its problem, in milliseconds, and counted the same way."""

from __future__ import annotations

import logging
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING

from provgrid_models.errors import ProvgridError
from provgrid_optimizer.evaluate import costs, unserved_share
from provgrid_optimizer.options import SolveOptions, ignore_progress
from provgrid_optimizer.solve import POLICIES, find_engine

if TYPE_CHECKING:
    from provgrid_models.problem import Problem
    from provgrid_optimizer.allocation import Allocation
    from provgrid_optimizer.evaluate import Costs

THREADS = 2
log = logging.getLogger("provgrid")


@dataclass(frozen=True, kw_only=True)
class Policy:
    """What a simple rule makes of a problem: a plan's decisions and costs, neither proven nor audited."""

    engine: str
    allocation: Allocation
    component_costs: Costs
    unserved_share: float

    @property
    def objective_yuan(self) -> float:
        """Cost above that of no work."""
        return self.component_costs.objective_yuan


def policies_beside(problem: Problem) -> dict[str, Policy]:
    """Solve every policy; a simple rule may fail where an optimiser does not, and is left out then."""
    with ThreadPoolExecutor(THREADS) as pool:  # their loops are compiled, and hold no lock of Python's
        found = list(pool.map(lambda name: _policy(name, problem), POLICIES))
    return {one.engine: one for one in found if one is not None}


def _policy(name: str, problem: Problem) -> Policy | None:
    """Solve one policy; None where it has no plan."""
    try:
        allocation = find_engine(name)(problem, SolveOptions(), ignore_progress).allocation
    except ProvgridError as error:
        log.info("policy %s has no plan: %s", name, error)
        return None
    return Policy(
        engine=name,
        allocation=allocation,
        component_costs=costs(problem, allocation),
        unserved_share=unserved_share(problem, allocation),
    )
