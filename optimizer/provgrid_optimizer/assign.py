"""`assign`: plain generalised assignment, with a bound that its own prices prove and an audit of both."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from provgrid_models.errors import AuditError
from provgrid_optimizer.assignment.audit import Multipliers, audit
from provgrid_optimizer.assignment.instance import check, lay_out
from provgrid_optimizer.certificate import gap as relative_gap
from provgrid_optimizer.options import SolveOptions

if TYPE_CHECKING:
    from numpy.typing import ArrayLike

    from provgrid_models.problem import Ints


@dataclass(frozen=True, kw_only=True, eq=False)
class Assignment:
    """An audited assignment and the evidence for it.

    Attributes
    ----------
    assignment : agent of each task, shape (n,).
    objective, bound, gap : its cost (or profit), the best proven bound on any assignment's, and the gap between them.
    bound_method : "prices" (the audit proves it from the multipliers) or "search" (all that the beams ever dropped).
    bound_prices : what the multipliers prove; with whole costs, rounded to the next whole number.
    multipliers : the prices, of costs to be minimised.
    audit_violations : broken rules, in words; an assignment with any is never returned.
    status : how the solve ended: optimal, gap_reached, passes_reached, time_limit or interrupted.
    solve_s, compile_s : seconds of the solve, and of the kernels' compilation before it.
    """

    assignment: Ints
    sense: Literal["min", "max"]
    objective: float
    bound: float
    gap: float
    bound_method: Literal["prices", "search"]
    bound_prices: float
    multipliers: Multipliers
    audit_violations: tuple[str, ...]
    status: str
    passes: int
    solve_s: float
    compile_s: float

    def to_dict(self) -> dict[str, Any]:
        """Plain values, ready for JSON."""
        return {
            "assignment": self.assignment.tolist(),
            "sense": self.sense,
            "objective": self.objective,
            "bound": self.bound,
            "gap": self.gap,
            "bound_method": self.bound_method,
            "bound_prices": self.bound_prices,
            "multipliers": {
                "capacity_price": self.multipliers.capacity_price.tolist(),
                "task_price": self.multipliers.task_price.tolist(),
            },
            "audit_violations": list(self.audit_violations),
            "status": self.status,
            "passes": self.passes,
            "solve_s": self.solve_s,
            "compile_s": self.compile_s,
        }


def assign(
    cost: ArrayLike,
    usage: ArrayLike,
    capacity: ArrayLike,
    *,
    sense: Literal["min", "max"] = "min",
    gap: float | None = None,
    time_limit: float | None = None,
    passes: int | None = None,
    seed: int = 0,
    threads: int = 2,
) -> Assignment:
    """Give each of n tasks to one of m agents, at the least cost (or the most profit) that fits their capacities.

    min sum_ij cost_ij x_ij  s.t.  sum_j usage_ij x_ij <= capacity_i,  sum_i x_ij = 1,  x binary

    Capacities are hard (up to 1e-9 relative, for sums of floats). Beams give away the tasks in ever new orders; what is
    still to come is bounded by each agent's exact knapsack at the task prices of a Lagrangian relaxation (Fisher,
    Management Science 27 (1981) 1-18). The bound is the best of two relaxations, of the capacities and of the
    assignment rows, and of what the beams dropped.

    Parameters
    ----------
    cost, usage : shape (m, n), usage >= 0. An infinite cost (sense="max": a profit of -inf) forbids a pair.
    capacity : shape (m,), >= 0.
    gap : stop when |objective - bound| / max(|objective|, 1) is at most this.
    time_limit : stop after this many seconds; 10 if there is no other stop.
    passes : stop after this many passes, of two beams each.
    seed, threads : stopped by gap or passes, the result depends on the seed and not on the threads.

    Raises
    ------
    ArrayError : an array has a wrong shape, type or value.
    InfeasibleError : a task fits no agent, or no assignment fits (proven).
    NoPlanError : stopped before an assignment was found.
    OptionError : an option is out of range.
    """
    costs, uses, room = check(cost, usage, capacity, sense)
    if time_limit is None and gap is None and passes is None:
        time_limit = 10.0
    options = SolveOptions(gap=gap, time_limit_s=time_limit, passes=passes, seed=seed, threads=threads)
    instance = lay_out(costs, uses, room)
    from provgrid_optimizer.assignment.search import compile_kernels, solve

    compile_s = compile_kernels()
    started = time.perf_counter()
    run, multipliers = solve(instance, options)
    solve_s = time.perf_counter() - started
    sign = 1.0 if sense == "min" else -1.0
    assert run.assignment is not None
    findings = audit(sign * costs, uses, room, sense, run.assignment, multipliers)
    if findings.violations:
        raise AuditError(f"the assignment breaks a rule: {findings.violations[0]}; report this with the arrays")
    by_search = run.search_bound > sign * findings.bound
    bound = sign * run.search_bound if by_search else findings.bound
    return Assignment(
        assignment=run.assignment.astype(np.int64),
        sense=sense,
        objective=findings.objective,
        bound=bound,
        gap=relative_gap(sign * findings.objective, sign * bound),
        bound_method="search" if by_search else "prices",
        bound_prices=findings.bound,
        multipliers=multipliers,
        audit_violations=findings.violations,
        status=str(run.status),
        passes=run.passes,
        solve_s=solve_s,
        compile_s=compile_s,
    )
