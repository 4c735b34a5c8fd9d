"""Why work is where it is, and what fills a cluster: `plan.explain`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from provgrid_models.arguments import check_is
from provgrid_models.compile import compile_scenario
from provgrid_models.eligibility import exclusions_of_job, exclusions_of_service
from provgrid_models.errors import OptionError
from provgrid_models.findings import as_clause, did_you_mean
from provgrid_optimizer.answers.binding import Binding, full_carbon_budget, full_links, full_pools, full_supply
from provgrid_optimizer.answers.candidates import closed_candidates, job_candidates, service_candidates
from provgrid_optimizer.answers.explain_cluster import explain_cluster
from provgrid_optimizer.answers.hours import hours_text, periods_text
from provgrid_optimizer.answers.job_prices import job_yuan
from provgrid_optimizer.answers.remedies import remedies
from provgrid_optimizer.options import SolveOptions

if TYPE_CHECKING:
    from collections.abc import Sequence

    from provgrid_models.problem import Bools
    from provgrid_optimizer.answers.candidates import Candidate
    from provgrid_optimizer.answers.explain_cluster import ClusterExplanation
    from provgrid_optimizer.answers.fixed import Remaining
    from provgrid_optimizer.answers.remedies import Remedy
    from provgrid_optimizer.multipliers import Multipliers
    from provgrid_optimizer.plan import Plan

AS_TEXT = "give its name as a text"
LEFT = 1e-6  # a smaller share of work counts as served


@dataclass(frozen=True, kw_only=True)
class WorkExplanation:
    """Why a job or a service is where it is.

    `basis` says which prices `extra_yuan` of the candidates and the prices of `binding` come from: "lp", "fixed-lp"
    (marginal at this plan) or "dual" (of the bound). `verified` names the program that was solved for every open pool,
    None where none was. `remedies` are there where a part of the work is left, and only if verified.
    """

    kind: str
    id: str
    text: str
    unserved_share: float
    basis: str
    verified: str | None
    candidates: tuple[Candidate, ...]
    binding: tuple[Binding, ...]
    remedies: tuple[Remedy, ...]

    @property
    def pools(self) -> pd.DataFrame:
        """One row for each pool: pool, share, extra_yuan, verified_yuan, reason, found, limit, unit, text."""
        rows = []
        for one in self.candidates:
            shut = one.exclusion
            figures = (None, None, "") if shut is None else (shut.found, shut.limit, shut.unit)
            reason = "" if shut is None else shut.reason.name.lower()
            rows.append((one.pool, one.share, one.extra_yuan, one.verified_yuan, reason, *figures, one.text))
        columns = ["pool", "share", "extra_yuan", "verified_yuan", "reason", "found", "limit", "unit", "text"]
        return pd.DataFrame(rows, columns=columns)

    @property
    def limits(self) -> pd.DataFrame:
        """Binding limits: kind, id, periods (how many), price, unit, text."""
        rows = [(one.kind, one.id, len(one.periods), one.price, one.unit, one.text) for one in self.binding]
        return pd.DataFrame(rows, columns=["kind", "id", "periods", "price", "unit", "text"])

    def to_dict(self) -> dict[str, Any]:
        """Plain values, ready for JSON."""
        return {
            "kind": self.kind,
            "id": self.id,
            "text": self.text,
            "unserved_share": self.unserved_share,
            "basis": self.basis,
            "verified": self.verified,
            "candidates": [one.to_dict() for one in self.candidates],
            "binding": [one.to_dict() for one in self.binding],
            "remedies": [one.to_dict() for one in self.remedies],
        }


class Explanations:
    """What `plan.explain` offers. With `verify` every figure at prices is also solved for."""

    def __init__(self, plan: Plan) -> None:
        self._plan = plan

    def job(self, name: str, *, verify: bool = False) -> WorkExplanation:
        """Explain where a job is.

        Raises
        ------
        OptionError : the plan has no such job, or it takes no part (done already, or after the horizon).
        NoPlanError, SolverError : what remains of the plan could not be solved.
        """
        plan, problem = self._plan, self._plan.problem
        j = self._find("job", name)
        prices, against = self._prices(verify)
        if j < 0:
            return self._never("job", name, prices, against)
        options = _options(plan)
        share = float(plan.allocation.served_share(problem)[j])
        left = 1.0 - share if share < 1.0 - LEFT else 0.0
        return WorkExplanation(
            kind="job",
            id=name,
            text=_job_text(plan, j, left),
            unserved_share=left,
            basis=prices.basis,
            verified=None if against is None else against.kind,
            candidates=job_candidates(plan, j, prices, against, options),
            binding=tuple(_job_limits(plan, prices, j)),
            remedies=self._remedies("job", name, left, against),
        )

    def service(self, name: str, *, verify: bool = False) -> WorkExplanation:
        """Explain where a service is served. Raises as `job` does."""
        plan, problem = self._plan, self._plan.problem
        s = self._find("service", name)
        prices, against = self._prices(verify)
        if s < 0:
            return self._never("service", name, prices, against)
        asked = float(problem.demand[s] @ problem.hours)
        lost = float(plan.allocation.unserved_units(problem)[s] @ problem.hours) / max(asked, 1e-300)
        left = lost if lost > LEFT else 0.0
        return WorkExplanation(
            kind="service",
            id=name,
            text=_service_text(plan, s, left),
            unserved_share=left,
            basis=prices.basis,
            verified=None if against is None else against.kind,
            candidates=service_candidates(plan, s, prices, against, _options(plan)),
            binding=tuple(_service_limits(plan, prices, s)),
            remedies=self._remedies("service", name, left, against),
        )

    def cluster(self, name: str, *, verify: bool = False) -> ClusterExplanation:
        """Explain what fills a cluster. Raises as `job` does."""
        check_is("the cluster to explain", name, str, AS_TEXT)
        clusters = [str(one) for one in self._plan.problem.labels.clusters or range(self._plan.problem.n_clusters)]
        if name not in clusters:
            raise _unknown("cluster", name, clusters)
        prices, against = self._prices(verify)
        return explain_cluster(self._plan, clusters.index(name), prices, against, _options(self._plan))

    # Parts -----------------------------------------------------------------------------------------------------

    def _prices(self, verify: bool) -> tuple[Multipliers, Remaining | None]:
        """Return the prices saved with the plan, or those of what remains of it, which are solved for."""
        if not verify:
            return self._plan.multipliers, None
        return self._plan.remaining.multipliers, self._plan.remaining

    def _find(self, kind: str, name: str) -> int:
        """Place of a job or service in the problem, -1 where no pool could ever serve it."""
        check_is(f"the {kind} to explain", name, str, AS_TEXT)
        plan, problem = self._plan, self._plan.problem
        labels, count = (
            (problem.labels.jobs, problem.n_jobs) if kind == "job" else (problem.labels.services, problem.n_services)
        )
        names = [str(one) for one in (range(count) if labels is None else labels)]
        if name in names:
            return names.index(name)
        table = None if plan.scenario is None else plan.scenario.jobs if kind == "job" else plan.scenario.services
        known = [] if table is None else [str(one) for one in table["id"]]
        if name not in known:
            raise _unknown(kind, name, known or names)
        if name not in {workload for workload, _, _ in problem.never_served}:
            raise OptionError(
                f"{kind} {name} takes no part in the plan, for it is done already or after the horizon; ask for another"
            )
        return -1

    def _never(self, kind: str, name: str, prices: Multipliers, against: Remaining | None) -> WorkExplanation:
        """Explain work that no pool could ever serve."""
        plan = self._plan
        assert plan.scenario is not None  # arrays have nothing that was never served
        shut = (exclusions_of_job if kind == "job" else exclusions_of_service)(plan.scenario, name)
        why = next(reason for workload, reason, _ in plan.problem.never_served if workload == name)
        return WorkExplanation(
            kind=kind,
            id=name,
            text=f"{kind} {name}: no pool can ever serve it: {why}",
            unserved_share=1.0,
            basis=prices.basis,
            verified=None if against is None else against.kind,
            candidates=closed_candidates(shut),
            binding=(),
            remedies=self._remedies(kind, name, 1.0, against),
        )

    def _remedies(self, kind: str, name: str, left: float, against: Remaining | None) -> tuple[Remedy, ...]:
        plan = self._plan
        if not left or against is None or plan.scenario is None:
            return ()
        paid = against.objective_yuan + compile_scenario(plan.scenario).constants_yuan
        return remedies(plan, plan.scenario, kind, name, paid, _options(plan))


def _options(plan: Plan) -> SolveOptions:
    """Options of what is solved for an answer: the threads and the seed of the plan."""
    return SolveOptions(threads=plan.options.threads, seed=plan.options.seed)


def _unknown(kind: str, name: str, known: Sequence[str]) -> OptionError:
    some = f"it has {len(known):,}, such as {', '.join(known[:3])}" if known else "it has none"
    return OptionError(f"the plan has no {kind} {name!r}; {as_clause(did_you_mean(name, list(known))) or some}")


def _job_text(plan: Plan, j: int, left: float) -> str:
    """Say where a job is, and when it runs."""
    problem, allocation = plan.problem, plan.allocation
    name = str(j) if problem.labels.jobs is None else problem.labels.jobs[j]
    parts = []
    for i in np.flatnonzero(allocation.job == j).tolist():
        pool = str(allocation.pool[i]) if problem.labels.pools is None else problem.labels.pools[allocation.pool[i]]
        periods = allocation.run_period[allocation.run_start[i] : allocation.run_start[i + 1]]
        share = "" if allocation.share[i] > 1.0 - LEFT else f"{allocation.share[i]:.1%} of it "
        parts.append(f"{share}in {pool}, {hours_text(problem, periods.tolist())}")
    window = hours_text(problem, range(int(problem.release[j]), int(problem.deadline[j])))
    if left:
        parts.append(f"{left:.1%} of it unserved" if left < 1.0 - LEFT else "unserved")
    return f"job {name} (window {window}): {'; '.join(parts)}"


def _service_text(plan: Plan, s: int, left: float) -> str:
    """Say where a service is served."""
    problem, allocation = plan.problem, plan.allocation
    name = str(s) if problem.labels.services is None else problem.labels.services[s]
    rows = allocation.serve_service == s
    units = np.bincount(
        allocation.serve_pool[rows],
        weights=allocation.serve_units[rows] * problem.hours[allocation.serve_period[rows]],
        minlength=problem.n_pools,
    )
    asked = max(float(problem.demand[s] @ problem.hours), 1e-300)
    names = problem.labels.pools or [str(p) for p in range(problem.n_pools)]
    parts = [
        f"{units[p] / asked:.1%} in {names[p]}" for p in np.argsort(-units, kind="stable").tolist() if units[p] > 0
    ]
    if left:
        parts.append(f"{left:.2%} unserved")
    return f"service {name}, of its demand: {', '.join(parts)}"


def _job_limits(plan: Plan, prices: Multipliers, j: int) -> list[Binding]:
    """Limits that hold a job: where it is, and in the pools it might be in if it is left."""
    problem, allocation = plan.problem, plan.allocation
    window = np.zeros(problem.n_periods, dtype=np.bool_)
    window[int(problem.release[j]) : int(problem.deadline[j])] = True
    pools = np.flatnonzero(problem.reasons(np.array([j]))[0] == 0).tolist()
    found = full_carbon_budget(plan, prices) + full_pools(plan, prices, pools, window)
    found += full_supply(plan, prices, np.unique(problem.pool_cluster[pools]).tolist(), window)
    moving = np.zeros(problem.n_periods, dtype=np.bool_)
    moving[int(problem.release[j]) : int(problem.release[j] + problem.move_periods[j])] = True
    routes = [problem.route(int(problem.job_origin[j]), p) for p in pools]
    found += full_links(plan, prices, np.unique(np.concatenate([*routes, []])).astype(int).tolist(), moving)
    for p in allocation.pool[allocation.job == j].tolist():
        found += _deadline(plan, prices, j, p) + _width(plan, j, p)
    return found


def _deadline(plan: Plan, prices: Multipliers, j: int, pool: int) -> list[Binding]:
    """Say what one period more would save at these prices, where it would."""
    problem = plan.problem
    end = int(problem.deadline[j])
    if end >= problem.n_periods:
        return []
    saved = job_yuan(problem, prices, j, pool) - job_yuan(problem, prices, j, pool, deadline=end + 1)
    if not saved > 1e-9 * max(1.0, abs(job_yuan(problem, prices, j, pool))):
        return []
    name = str(pool) if problem.labels.pools is None else problem.labels.pools[pool]
    text = f"its deadline: one period more in {name} would save {saved:,.2f} yuan at these prices"
    return [Binding(kind="deadline", id=name, periods=(end - 1,), price=saved, unit="yuan for one period", text=text)]


def _width(plan: Plan, j: int, pool: int) -> list[Binding]:
    """Say in how many periods an elastic job runs at its own limit."""
    problem, allocation = plan.problem, plan.allocation
    i = int(np.flatnonzero((allocation.job == j) & (allocation.pool == pool))[0])
    rows = slice(int(allocation.run_start[i]), int(allocation.run_start[i + 1]))
    most = float(problem.max_accelerators[j])
    at: Bools = allocation.run_accelerators[rows] >= most * allocation.share[i] * (1.0 - 1e-6)
    if problem.rigid[j] or not at.any():
        return []
    periods = tuple(allocation.run_period[rows][at].tolist())
    text = f"its own limit of {most:,.6g} accelerators in {periods_text(problem, periods)}"
    name = str(j) if problem.labels.jobs is None else problem.labels.jobs[j]
    return [Binding(kind="width", id=name, periods=periods, price=0.0, unit="no price", text=text)]


def _service_limits(plan: Plan, prices: Multipliers, s: int) -> list[Binding]:
    """Limits that hold a service in the pools that are open to it, when it asks for something."""
    problem = plan.problem
    asks = problem.demand[s] > 0
    pools = np.flatnonzero((problem.service_rate[s] > 0) & np.isfinite(problem.service_yuan[s])).tolist()
    routes = [problem.route(int(problem.service_origin[s]), p) for p in pools]
    links = np.unique(np.concatenate([*routes, []])).astype(int).tolist()
    found = full_carbon_budget(plan, prices) + full_pools(plan, prices, pools, asks)
    found += full_supply(plan, prices, np.unique(problem.pool_cluster[pools]).tolist(), asks)
    return found + full_links(plan, prices, links, asks)
