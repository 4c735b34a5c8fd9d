"""Every pool that a job or a service could be in: closed, and why, or what it would cost more there."""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from provgrid_models.eligibility import exclusions_of_arrays, exclusions_of_job, exclusions_of_service
from provgrid_optimizer.answers.alone import too_small
from provgrid_optimizer.answers.job_prices import job_yuan_in, left_yuan, service_yuan
from provgrid_optimizer.answers.moved import with_job_in, with_service_in
from provgrid_optimizer.highs import EXACT, settled
from provgrid_optimizer.options import SolveOptions

if TYPE_CHECKING:
    from provgrid_models.eligibility import Exclusion
    from provgrid_models.problem import Ints, Problem
    from provgrid_optimizer.answers.fixed import Remaining
    from provgrid_optimizer.matrix import LinearProgram
    from provgrid_optimizer.multipliers import Multipliers
    from provgrid_optimizer.plan import Plan


@dataclass(frozen=True, kw_only=True)
class Candidate:
    """A pool for all of a workload, beside where the plan has it; pool "" stands for leaving it.

    `share` of the work is there in the plan. `extra_yuan` is what moving all of it there costs more at the prices
    shown, `verified_yuan` the same by a solve of its own (None: not asked for, closed, or it does not fit, which
    `fits` tells). `exclusion` says why a pool is closed, `too_small` why an open one could not do all of it even empty.
    """

    pool: str
    share: float
    exclusion: Exclusion | None = None
    extra_yuan: float | None = None
    verified_yuan: float | None = None
    fits: bool | None = None
    too_small: str = ""

    @property
    def text(self) -> str:
        """Say in a few words what speaks against the pool."""
        if self.exclusion is not None:
            return self.exclusion.text
        if not self.pool:
            return "left unserved"
        if self.too_small:
            return f"too small for all of it, even empty: {self.too_small}"
        if self.fits is False:
            return "open, and no room for all of it"
        return "where it is" if self.share > 1.0 - 1e-9 else "open"

    def to_dict(self) -> dict[str, Any]:
        """Plain values, ready for JSON."""
        shut = None if self.exclusion is None else self.exclusion.to_dict()
        return asdict(self) | {"exclusion": shut, "text": self.text}


def job_candidates(
    plan: Plan, j: int, prices: Multipliers, against: Remaining | None, options: SolveOptions
) -> tuple[Candidate, ...]:
    """List all pools for a job, open ones first; with `against` each open one is solved."""
    reasons = plan.problem.reasons(np.array([j]))[0]
    return _sorted(_open_to_job(plan, j, prices, reasons, against, options), _shut(plan, "job", j, reasons))


def ranked_for_job(plan: Plan, j: int, prices: Multipliers, reasons: Ints) -> tuple[Candidate, ...]:
    """List all pools for a job as `job_candidates` does, at prices alone, closed ones by their reasons (P,) alone."""
    shut = closed_candidates(exclusions_of_arrays(plan.problem, reasons))
    return _sorted(_open_to_job(plan, j, prices, reasons, None, SolveOptions()), shut)


def _open_to_job(
    plan: Plan, j: int, prices: Multipliers, reasons: Ints, against: Remaining | None, options: SolveOptions
) -> list[Candidate]:
    """Pools that are open to a job, and leaving it where that is allowed."""
    problem, allocation = plan.problem, plan.allocation
    mine = slice(*np.searchsorted(allocation.job, [j, j + 1]).tolist())
    share = np.zeros(problem.n_pools)
    share[allocation.pool[mine]] = allocation.share[mine]
    left = max(0.0, 1.0 - float(share.sum()))
    pools = np.flatnonzero(reasons == 0)
    yuan = np.full(problem.n_pools, np.inf)
    yuan[pools] = job_yuan_in(problem, prices, j, pools)
    leaving = left_yuan(problem, j)
    now = float(share[share > 0] @ yuan[share > 0]) + (left * leaving if left > 1e-9 else 0.0)
    found = []

    def solved(*pools: int) -> float | None:
        if against is None:
            return None
        return _extra(with_job_in(problem, allocation, j, np.array(pools, dtype=np.int64)), against, options)

    for p in pools.tolist():
        name, extra, part = pool_name(problem, p), _finite(float(yuan[p]) - now), float(share[p])
        if why := too_small(problem, j, p):
            found.append(Candidate(pool=name, share=part, extra_yuan=extra, fits=False, too_small=why))
            continue
        verified = solved(p)
        fits = None if against is None else verified is not None
        found.append(Candidate(pool=name, share=part, extra_yuan=extra, verified_yuan=verified, fits=fits))
    if math.isfinite(leaving):
        part = left if left > 1e-9 else 0.0
        found.append(Candidate(pool="", share=part, extra_yuan=leaving - now, verified_yuan=solved()))
    return found


def service_candidates(
    plan: Plan, s: int, prices: Multipliers, against: Remaining | None, options: SolveOptions
) -> tuple[Candidate, ...]:
    """List all pools for what is served of a service, open ones first; with `against` each open one is solved."""
    problem, allocation = plan.problem, plan.allocation
    rows = allocation.serve_service == s
    served = np.zeros((problem.n_pools, problem.n_periods))
    np.add.at(served, (allocation.serve_pool[rows], allocation.serve_period[rows]), allocation.serve_units[rows])
    units = served.sum(axis=0) * problem.hours
    opened = (problem.service_rate[s] > 0) & np.isfinite(problem.service_yuan[s])
    by_hour = {p: service_yuan(problem, prices, s, p) for p in np.flatnonzero(opened).tolist()}
    now = sum(float(served[p] * problem.hours @ by_hour[p]) for p in by_hour)
    total = max(float(units.sum()), 1e-300)
    found = []
    for p, unit_yuan in by_hour.items():
        fits, verified = None, None
        if against is not None:
            verified = _extra(with_service_in(problem, allocation, against.program, s, p), against, options)
            fits = verified is not None
        part, extra = float(served[p] @ problem.hours) / total, float(units @ unit_yuan) - now
        name = pool_name(problem, p)
        found.append(Candidate(pool=name, share=part, extra_yuan=extra, verified_yuan=verified, fits=fits))
    return _sorted(found, _shut(plan, "service", s, np.where(opened, 0, np.maximum(problem.service_reason[s], 1))))


def pool_name(problem: Problem, p: int) -> str:
    """Id of a pool."""
    return str(p) if problem.labels.pools is None else str(problem.labels.pools[p])


def closed_candidates(exclusions: dict[str, Exclusion]) -> tuple[Candidate, ...]:
    """Pools that are closed, and nothing else."""
    return tuple(Candidate(pool=one.pool, share=0.0, exclusion=one) for one in exclusions.values())


def _extra(program: LinearProgram, against: Remaining, options: SolveOptions) -> float | None:
    """Cost of a program over that of what remains of the plan; None where it has no point."""
    same = program.n_columns == against.program.n_columns and program.n_rows == against.program.n_rows
    basis = against.vertex if same and not program.integer.any() else None
    answer = settled(program, options, stage="verify", settings=EXACT, basis=basis)
    return None if answer.x is None else answer.objective_yuan - against.objective_yuan


def _shut(plan: Plan, kind: str, item: int, reasons: Any) -> tuple[Candidate, ...]:
    if plan.scenario is None:
        return closed_candidates(exclusions_of_arrays(plan.problem, reasons))
    names = plan.problem.labels.jobs if kind == "job" else plan.problem.labels.services
    name = str((names or [])[item])
    described = exclusions_of_job if kind == "job" else exclusions_of_service
    return closed_candidates(described(plan.scenario, name))


def _sorted(found: list[Candidate], shut: tuple[Candidate, ...]) -> tuple[Candidate, ...]:
    """Where it is first, then the cheapest, then pools that are too small, closed ones last."""
    dearest = [math.inf if one.extra_yuan is None else one.extra_yuan for one in found]
    order = sorted(range(len(found)), key=lambda i: (-found[i].share, bool(found[i].too_small), dearest[i]))
    return (*(found[i] for i in order), *shut)


def _finite(value: float) -> float | None:
    return value if math.isfinite(value) else None
