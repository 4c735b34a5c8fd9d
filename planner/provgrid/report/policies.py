"""The simple policies beside a plan: solved again on its problem, in milliseconds, and counted the same way."""

from __future__ import annotations

import logging
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING

from provgrid_models.errors import ProvgridError
from provgrid_optimizer.evaluate import costs, unserved_share, usage
from provgrid_optimizer.options import SolveOptions, ignore_progress
from provgrid_optimizer.solve import POLICIES, find_engine

if TYPE_CHECKING:
    from collections.abc import Callable

    from provgrid_models.problem import Problem
    from provgrid_optimizer.allocation import Allocation
    from provgrid_optimizer.evaluate import Costs, Usage

THREADS = 2
log = logging.getLogger("provgrid")


@dataclass(frozen=True, kw_only=True)
class Policy:
    """What a simple rule makes of a problem: a plan's decisions and costs, neither proven nor audited."""

    engine: str
    problem: Problem
    allocation: Allocation
    usage: Usage
    component_costs: Costs
    unserved_share: float

    @property
    def objective_yuan(self) -> float:
        """Cost above that of no work."""
        return self.component_costs.objective_yuan


def policies_beside(problem: Problem) -> Callable[[], dict[str, Policy]]:
    """Begin to solve every policy, and return what waits for them.

    A simple rule may fail where an optimiser does not, and is left out then.
    """
    pool = ThreadPoolExecutor(THREADS)  # their loops are compiled, and hold no lock of Python's
    longest_first = sorted(POLICIES, key="siloed".__ne__)
    found = {name: pool.submit(_policy, name, problem) for name in longest_first}
    pool.shutdown(wait=False)

    def wait() -> dict[str, Policy]:
        return {name: one for name in POLICIES if (one := found[name].result()) is not None}

    return wait


def _policy(name: str, problem: Problem) -> Policy | None:
    """Solve one policy; None where it has no plan."""
    try:
        allocation = find_engine(name)(problem, SolveOptions(), ignore_progress).allocation
    except ProvgridError as error:
        log.info("policy %s has no plan: %s", name, error)
        return None
    used = usage(problem, allocation)
    return Policy(
        engine=name,
        problem=problem,
        allocation=allocation,
        usage=used,
        component_costs=costs(problem, allocation, used),
        unserved_share=unserved_share(problem, allocation),
    )
