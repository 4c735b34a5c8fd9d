"""Names the hard work that cannot be served, and the limits that it clashes with.

The program is solved again with every hard workload made soft at a price of 1, and all else free. What stays unserved
there is more than the limits can carry, and the limits with a dual are those in the way (together they are a Farkas
certificate). An IIS would name one minimal set of rows; this names the shortage too, and works for whole numbers.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from provgrid_models.errors import ASK_WHY, InfeasibleError
from provgrid_models.reasons import REASON_TEXT, Reason
from provgrid_optimizer.highs import Ending, settled
from provgrid_optimizer.matrix import assemble

if TYPE_CHECKING:
    from collections.abc import Sequence

    from provgrid_models.problem import Floats, Problem
    from provgrid_optimizer.matrix import LinearProgram
    from provgrid_optimizer.options import SolveOptions

_LEAST_SHORTAGE = 1e-7
_LIMITS_NAMED = 3


def infeasible(problem: Problem, options: SolveOptions, *, divisible: bool) -> InfeasibleError:
    """Build the error for a problem that has no plan. Ctrl-C meanwhile is a `KeyboardInterrupt`."""
    closed = _closed(problem)
    if closed:
        return InfeasibleError(closed + ASK_WHY)
    softened, hard_jobs, hard_services = _softened(problem)
    program = _shortage_only(assemble(softened, divisible=divisible), problem, hard_jobs, hard_services)
    answer = settled(program, options, stage="shortage", time_limit_s=options.time_limit_s)
    if answer.ending is Ending.INFEASIBLE:
        return InfeasibleError(
            f"the carbon budget of {problem.carbon_budget_kg:,.6g} kg is below the least that the idle floor emits; "
            "raise carbon_budget_kg"
        )
    if answer.x is None:
        return InfeasibleError(f"the hard jobs and services cannot all be served; make some of them soft{ASK_WHY}")
    left = _unserved(problem, program, answer.x, hard_jobs, hard_services)
    if not divisible:
        program = _shortage_only(assemble(softened, divisible=True), problem, hard_jobs, hard_services)
        answer = settled(program, options, stage="shortage", time_limit_s=options.time_limit_s)
    clash = "" if answer.row_duals is None else _limits(problem, program, answer.row_duals)
    if not clash and not divisible:
        clash = ": parts would fit, the whole does not"
    return InfeasibleError(f"{left} cannot be served{clash}; raise a limit or make it soft{ASK_WHY}")


def _closed(problem: Problem) -> str:
    """Hard work that has no open pool at all, in one line; "" if there is none."""
    hard = np.flatnonzero(np.isinf(problem.unserved_yuan))
    reasons = problem.reasons(hard)
    shut = np.flatnonzero((reasons != 0).all(axis=1))
    if shut.size:
        return f"hard job {_job(problem, int(hard[shut[0]]))} has no open pool: {_reason_texts(reasons[shut[0]])}"
    is_open = (problem.service_rate > 0) & np.isfinite(problem.service_yuan)
    asks = (problem.demand > 0).any(axis=1) & np.isinf(problem.service_unserved_yuan) & ~is_open.any(axis=1)
    if asks.any():
        s = int(np.argmax(asks))
        reason = _reason_texts(problem.service_reason[s])
        return f"hard service {_name(problem.labels.services, s)} has no open pool" + (f": {reason}" if reason else "")
    return ""


def _reason_texts(reasons: Any) -> str:
    return ", ".join(REASON_TEXT[Reason(int(code))] for code in np.unique(reasons[reasons != 0]))


def _softened(problem: Problem) -> tuple[Problem, Any, Any]:
    """Return the problem with every hard workload soft, and which those are."""
    hard_jobs, hard_services = np.isinf(problem.unserved_yuan), np.isinf(problem.service_unserved_yuan)
    softened = replace(
        problem,
        unserved_yuan=np.where(hard_jobs, 1.0, problem.unserved_yuan),
        service_unserved_yuan=np.where(hard_services, 1.0, problem.service_unserved_yuan),
    )
    return softened, hard_jobs, hard_services


def _shortage_only(program: LinearProgram, problem: Problem, hard_jobs: Any, hard_services: Any) -> LinearProgram:
    """Charge 1 for a hard job left, and 1 for a hard service's whole demand of a period; all else is free."""
    cost = np.zeros(program.n_columns)
    jobs, services = program.columns["u"], program.columns["v"]
    cost[jobs.slice] = hard_jobs[jobs.ids["job"]]
    service, period = services.ids["service"], services.ids["period"]
    cost[services.slice] = hard_services[service] / problem.demand[service, period]
    return replace(program, cost=cost, offset=0.0)


def _unserved(problem: Problem, program: LinearProgram, x: Floats, hard_jobs: Any, hard_services: Any) -> str:
    """Say what hard work is left, the most first."""
    jobs, services = program.columns["u"], program.columns["v"]
    service, period = services.ids["service"], services.ids["period"]
    short_jobs = x[jobs.slice] * hard_jobs[jobs.ids["job"]]
    short_units = x[services.slice] * hard_services[service]
    share = short_units / problem.demand[service, period]
    short = int((short_jobs > _LEAST_SHORTAGE).sum() + (share > _LEAST_SHORTAGE).sum())
    if short_jobs.max(initial=0.0) >= share.max(initial=0.0):
        worst = int(short_jobs.argmax())
        job = _job(problem, int(jobs.ids["job"][worst]))
        text = f"hard job {job} (at least {short_jobs[worst]:.0%} of it)"
    else:
        worst = int(share.argmax())
        name = _name(problem.labels.services, int(service[worst]))
        when = _period(problem, int(period[worst]))
        asked = float(problem.demand[service[worst], period[worst]])
        text = f"hard service {name} in period {when} ({short_units[worst]:,.6g} of {asked:,.6g} units)"
    return text + (f" and {short - 1} more" if short > 1 else "")


def _limits(problem: Problem, program: LinearProgram, duals: Floats) -> str:
    """Name the limits that are in the way, those that weigh most first."""
    found: list[tuple[float, str]] = []
    labels = problem.labels
    gains = program.transposed(duals) - program.cost  # what one more of a column's upper limit is worth
    used, supply = program.columns["used"], program.columns["g"]
    found += _named(
        problem, gains[used.slice], used.ids["pool"], used.ids["period"], "the accelerators of pool", labels.pools
    )
    cluster = problem.block_cluster[supply.ids["block"]]
    found += _named(
        problem, gains[supply.slice], cluster, supply.ids["period"], "the supply limits of cluster", labels.clusters
    )
    rows = program.rows["link"]
    found += _named(
        problem, -duals[rows.slice], rows.ids["link"], rows.ids["period"], "the bandwidth of link", labels.links
    )
    rows = program.rows["after"]
    base = problem.after[rows.ids["job"]]
    found += _named(problem, -duals[rows.slice], base, rows.ids["period"], "the wait for base job", labels.jobs)
    carbon = -duals[program.rows["carbon"].slice].sum()
    found += [(float(carbon * problem.carbon_budget_kg), "the carbon budget")] if carbon > _LEAST_SHORTAGE else []
    found.sort(key=lambda item: -item[0])
    named = [text for _, text in found[:_LIMITS_NAMED]]
    more = f" and {len(found) - _LIMITS_NAMED} more limits" if len(found) > _LIMITS_NAMED else ""
    return f": it clashes with {', '.join(named)}{more}" if named else ""


def _named(
    problem: Problem, price: Floats, item: Any, period: Any, text: str, names: Sequence[str] | None
) -> list[tuple[float, str]]:
    """One entry for each item with a price: how much it weighs, and where it is in the way."""
    entries = []
    for i in np.unique(item[price > _LEAST_SHORTAGE]).tolist():
        at = np.flatnonzero((item == i) & (price > _LEAST_SHORTAGE))
        first = _period(problem, int(period[at[0]]))
        when = f"period {first}" if at.size == 1 else f"{at.size} periods from {first}"
        entries.append((float(price[at].sum()), f"{text} {_name(names, i)} in {when}"))
    return entries


def _name(names: Sequence[str] | None, i: int) -> str:
    return str(i) if names is None else str(names[i])


def _job(problem: Problem, j: int) -> str:
    return _name(problem.labels.jobs, j)


def _period(problem: Problem, t: int) -> str:
    return str(t) if problem.labels.periods is None else f"{t} ({problem.labels.periods[t]:%Y-%m-%d %H:%M})"
