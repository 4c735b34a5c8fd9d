"""The plan: where and when all work runs, what is left, what it costs, and the evidence of how good it is."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from provgrid_models.arguments import writing
from provgrid_models.errors import OptionError
from provgrid_models.words import counted
from provgrid_optimizer import plan_tables
from provgrid_optimizer.certificate import FAR, gap_in_words
from provgrid_optimizer.engine import status_text
from provgrid_optimizer.evaluate import unserved_share
from provgrid_optimizer.options import ignore_progress

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    import pandas as pd

    from provgrid_models.problem import Problem
    from provgrid_models.scenario import Scenario
    from provgrid_optimizer.allocation import Allocation
    from provgrid_optimizer.answers.against import Against
    from provgrid_optimizer.answers.compare import Comparison
    from provgrid_optimizer.answers.explain import Explanations
    from provgrid_optimizer.answers.fixed import Remaining, Remains
    from provgrid_optimizer.answers.value_result import Value
    from provgrid_optimizer.audit import AuditReport
    from provgrid_optimizer.certificate import Certificate
    from provgrid_optimizer.evaluate import Costs, Usage
    from provgrid_optimizer.exports.dispatch import Dispatch
    from provgrid_optimizer.multipliers import Basis, Multipliers
    from provgrid_optimizer.options import OnProgress, SolveOptions

QUALITY_LINES = {
    "by_price": "cost by how sure its prices are",
    "by_weakest": "cost by how sure its prices and amounts are, whichever is less sure",
}


@dataclass(frozen=True, kw_only=True)
class Timings:
    """Seconds: folder to problem, Numba compilation, solve and proof, policies beside it, reading and audit."""

    build_s: float = 0.0
    compile_s: float = 0.0
    solve_s: float = 0.0
    policies_s: float = 0.0
    audit_s: float = 0.0


@dataclass(frozen=True, kw_only=True, eq=False)
class Plan:
    """An audited plan with its certificate. `solve` makes it; `provgrid.open` reads it back from a run folder.

    `training`, `jobs`, `inference`, `energy`, `peaks`, `traffic`, `costs` and `prices` are long tables, a unit in every
    column; `to_dict` is what `provgrid solve --json` prints.
    """

    problem: Problem
    allocation: Allocation
    multipliers: Multipliers
    certificate: Certificate
    component_costs: Costs
    usage: Usage
    audit: AuditReport
    options: SolveOptions
    timings: Timings
    scenario: Scenario | None = None
    log: str = ""
    history: tuple[tuple[float, float, float], ...] = field(default=())

    @property
    def engine(self) -> str:
        """The engine that made the plan."""
        return self.certificate.engine

    @property
    def objective_yuan(self) -> float:
        """Cost of the plan above that of no work."""
        return self.certificate.objective_yuan

    @cached_property
    def unserved_share(self) -> float:
        """Share of the asked accelerator-hours that is left unserved, what no pool could ever serve not counted."""
        return unserved_share(self.problem, self.allocation)

    @cached_property
    def unserved(self) -> pd.DataFrame:
        """Work that is left, the dearest first: kind, id, unserved_share, unserved_yuan, never_served."""
        from provgrid_optimizer.answers.unserved import unserved

        return unserved(self)

    @cached_property
    def training(self) -> pd.DataFrame:
        """Accelerators that each job holds: job, pool, period, time, accelerators."""
        return plan_tables.training(self.problem, self.allocation)

    @cached_property
    def jobs(self) -> pd.DataFrame:
        """One row for each job and pool it lives in, and one for each job that is left."""
        return plan_tables.jobs(self.problem, self.allocation)

    @cached_property
    def inference(self) -> pd.DataFrame:
        """Tokens/s that each pool serves: service, pool, period, time, tokens_per_s, accelerators."""
        return plan_tables.inference(self.problem, self.allocation)

    @cached_property
    def energy(self) -> pd.DataFrame:
        """Power that each cluster draws from each supply block: cluster, block, energy, period, time, power_kw."""
        return plan_tables.energy(self.problem, self.allocation)

    @cached_property
    def peaks(self) -> pd.DataFrame:
        """Grid peak that each cluster's demand charge bills: cluster, peak_kw, demand_charge_yuan_per_kw."""
        return plan_tables.peaks(self.problem, self.allocation)

    @cached_property
    def traffic(self) -> pd.DataFrame:
        """Traffic on each link: link, period, time, traffic_gbps."""
        return plan_tables.traffic(self.problem, self.usage)

    @cached_property
    def prices(self) -> pd.DataFrame:
        """The prices that prove the bound: kind, id, period, time, price, unit, basis; saved and audited."""
        return plan_tables.prices(self.problem, self.multipliers)

    @cached_property
    def remaining(self) -> Remaining:
        """The linear program that remains once the plan's indivisible choices are fixed, solved; see `answers.fixed`.

        Raises `NoPlanError` where it cannot be solved in time.
        """
        from provgrid_optimizer.answers.fixed import remaining

        return remaining(self.problem, self.allocation)

    @cached_property
    def marginal_prices(self) -> pd.DataFrame:
        """Prices at this plan: kind, id, period, time, price, unit, basis, degenerate, low, high.

        The basis is "lp" for a relaxation and "fixed-lp" for a plan whose indivisible choices were fixed. Beside
        `prices`, which prove the bound, these say what one more of each limit is worth here; see `answers.prices`.
        """
        from provgrid_optimizer.answers.prices import marginal_prices

        return marginal_prices(self.remaining)

    def value(
        self,
        of: str | None = None,
        *,
        deadline: str | None = None,
        slo: str | None = None,
        more: Sequence[float] | None = None,
        engine: str | None = None,
        options: SolveOptions | None = None,
        on_progress: OnProgress = ignore_progress,
    ) -> Value:
        """Say what more of something is worth over the horizon: price, the exact range it holds in, planned points.

        Parameters
        ----------
        of : a pool (per accelerator), link (per Gbit/s) or cluster (per MW of grid), by its name; "pool:name" where
            several things share a name.
        deadline : instead, later deadlines for the jobs of a class: an id or pattern, or "family=llm*,tenant=hz".
        slo : instead, looser SLOs for the services of a class, chosen in the same way.
        more : amounts to plan again, beyond what is there; by default some parts of it, 1 hour, or 5 ms.
        engine : what plans them: by default "lp", exact, where the relaxation is one program, else "heuristic", whose
            points are intervals.
        options : stops, threads and seed of that engine; by default those of this plan, without its time limit.

        Raises
        ------
        OptionError : nothing has that name, or it has no limit.
        NoPlanError, SolverError : as `solve`.
        """
        from provgrid_optimizer.answers.value import value

        return value(
            self, of, deadline=deadline, slo=slo, more=more, engine=engine, options=options, on_progress=on_progress
        )

    def prices_at(self, basis: Remains | Basis, *, ranges: bool | Collection[str] = False) -> pd.DataFrame:
        """Prices on one basis: "lp" or "fixed-lp" as `marginal_prices`, "dual" those of the heuristic's bound.

        With `ranges`, every marginal price that may be degenerate (of the kinds named, or of all with True) has its
        exact `low` and `high`, at the cost of two small programs each. Raises `OptionError` at a basis that this plan
        does not have.
        """
        from provgrid_optimizer.answers.prices import marginal_prices

        at_plan = "lp" if self.allocation.divisible else "fixed-lp"
        if basis == at_plan:
            return marginal_prices(self.remaining, ranges=ranges) if ranges else self.marginal_prices
        if basis == self.multipliers.basis:
            return self.prices
        known = dict.fromkeys((at_plan, self.multipliers.basis))
        raise OptionError(f"this plan has no prices on the basis {basis!r}; choose among {', '.join(known)}")

    @cached_property
    def costs(self) -> pd.DataFrame:
        """Cost by component, which sums to the objective, and beside it the constants: component, cost_yuan."""
        return plan_tables.costs(self.problem, self.component_costs)

    @cached_property
    def provenance(self) -> pd.DataFrame:
        """Cost by the quality of the figures it rests on: component, quality, by_price_yuan, by_weakest_yuan.

        See `cost_quality`: by the price of each yuan, and by the least sure figure behind it.
        """
        from provgrid_optimizer.cost_quality import cost_quality

        return cost_quality(self)

    @property
    def quality_shares(self) -> dict[str, dict[str, float]]:
        """Share of the objective by quality, in the views `by_price` and `by_weakest`; see `cost_quality.shares`."""
        from provgrid_optimizer.cost_quality import shares

        return shares(self.provenance)

    @cached_property
    def ledger(self) -> pd.DataFrame:
        """Who computes for whom, by pair of provinces: jobs, GB, energy, tariff, carbon and money, capital included."""
        from provgrid_optimizer.answers.ledger import ledger

        return ledger(self)

    @cached_property
    def curtailed(self) -> pd.DataFrame:
        """Energy that each contract offered, that the plan took, and that was curtailed."""
        from provgrid_optimizer.answers.ledger import curtailed

        return curtailed(self)

    @property
    def plot(self) -> Any:
        """Pictures of the plan, `plan.plot.flows()` and so on: plotly figures, see `provgrid.plot.Pictures`."""
        from provgrid_optimizer.attached import attached

        return attached("plot", self)

    @property
    def explain(self) -> Explanations:
        """Why work is where it is: `explain.job(id)`, `.service(id)`, `.cluster(id)`, each with `verify=True`."""
        from provgrid_optimizer.answers.explain import Explanations

        return Explanations(self)

    def compare(self, other: Plan) -> Comparison:
        """Say what changes from this plan to another: inputs, cost by component, flows; amounts are other - this."""
        from provgrid_optimizer.answers.compare import Comparison

        return Comparison(before=self, after=other)

    def against(self, policy: str) -> Against:
        """Hold the plan against a policy, and against the same work held in its own province; see `Against`.

        Raises
        ------
        OptionError : there is no such policy, or the plan came without a scenario.
        ProvgridError : the policy has no plan.
        """
        from provgrid_optimizer.answers.against import against

        return against(self, policy)

    @cached_property
    def capacity_curves(self) -> pd.DataFrame:
        """Accelerators of each pool hour by hour, held by training, by inference, and free, with power and price."""
        from provgrid_optimizer.exports.capacity_curves import capacity_curves

        return capacity_curves(self)

    def dispatch(self) -> Dispatch:
        """Say for every job where and when it runs, and rank the pools it could be in instead by extra cost."""
        from provgrid_optimizer.exports.dispatch import dispatch

        return dispatch(self)

    def export(self, folder: str | Path, *, to: str, only: Sequence[str] = ()) -> Path:
        """Write the plan for others to read: `to` is "csv", "parquet", "xlsx" or "mps"; see `exports.write`.

        `only` names the tables to write, and "dispatch". An existing folder is refused (`OptionError`).
        """
        from provgrid_optimizer.exports.write import export

        with writing(folder) as final:
            return export(self, final, to=to, only=only)

    def save(self, folder: str | Path | None = None, *, marginal_prices: bool = False) -> Path:
        """Write the plan as a run folder, whole or not at all, and return where; one that exists is an `OptionError`.

        Without a folder it is the first `runs/<scenario>-<engine>-<n>` that is free, as on the command line. Beside it
        goes the table of `marginal_prices`, for others: nothing proves a bound by them, nor does the audit read them.
        """
        from provgrid_optimizer.run_folder import next_run_folder
        from provgrid_optimizer.runs import save_plan

        name = "problem" if self.scenario is None else self.scenario.name
        with writing(next_run_folder(Path("runs"), name, self.engine) if folder is None else folder) as final:
            return save_plan(self, final, marginal_prices=marginal_prices)

    def report(self, path: str | Path, *, lang: str = "en") -> Path:
        """Write the plan's report as one HTML file that needs no network; `lang` is "en" or "zh" (else `OptionError`).

        A file that is there is replaced.
        """
        from provgrid_optimizer.attached import attached

        written: Path = attached("report", self)(path, lang)
        return written

    def to_dict(self) -> dict[str, Any]:
        """Return the plan's record: plain values, ready for JSON."""
        certificate, problem = self.certificate, self.problem
        return {
            "scenario": self.scenario.name if self.scenario is not None else None,
            "basis": self.scenario.settings.prices.basis if self.scenario is not None else None,
            "engine": certificate.engine,
            "status": certificate.status,
            "divisible": certificate.divisible,
            "objective_yuan": certificate.objective_yuan,
            "bound_yuan": _finite(certificate.bound_yuan),
            "bound_method": certificate.bound_method,
            "gap": _finite(certificate.gap),
            "gap_jobs": _finite(certificate.gap_jobs),
            "captured": certificate.captured,
            "constants_yuan": certificate.constants_yuan,
            "unserved_share": self.unserved_share,
            "audit_violations": certificate.audit_violations,
            "costs": self.component_costs.by_component(),
            "quality_shares": self.quality_shares,
            "carbon_t": self.component_costs.carbon_kg / 1000.0,
            "jobs": problem.n_jobs,
            "services": problem.n_services,
            "pools": problem.n_pools,
            "periods": problem.n_periods,
            "passes": certificate.passes,
            "build_s": self.timings.build_s,
            "compile_s": self.timings.compile_s,
            "solve_s": self.timings.solve_s,
            "policies_s": self.timings.policies_s,
            "audit_s": self.timings.audit_s,
        }

    def summary(self) -> str:
        """Say in a few lines what the plan is worth."""
        from provgrid_optimizer.answers.unserved import never_in_words

        c = self.certificate
        never = never_in_words(self)
        beside = f" of what some pool can serve; {never} that none can serve" if never else ""
        lines = [
            f"{c.engine}: {status_text(c.status)}, {c.objective_yuan:,.0f} yuan, {self._gap_in_words()}",
            f"unserved {self.unserved_share:.2%}{beside} · carbon {self.component_costs.carbon_kg / 1000:,.1f} t"
            f" · audit {'passed' if c.audit_violations == 0 else counted(c.audit_violations, 'violation')}",
        ]
        lines += [f"  {name:<14}{yuan:>16,.0f} yuan" for name, yuan in self.component_costs.by_component().items()]
        if c.constants_yuan or self.component_costs.floor_kg:
            floor_t = self.component_costs.floor_kg / 1000
            never_yuan = self.problem.never_served_yuan
            value = f" and {never_yuan:,.0f} yuan for work that no pool can serve" if never else ""
            lines.append(
                f"beside that {c.constants_yuan - never_yuan:,.0f} yuan and {floor_t:,.1f} t of constants "
                f"(idle floor and such){value}; "
                f"in all {c.objective_yuan + c.constants_yuan:,.0f} yuan, "
                f"{self.component_costs.carbon_kg / 1000 + floor_t:,.1f} t"
            )
        for view, title in QUALITY_LINES.items():
            if parts := [f"{quality} {part:.1%}" for quality, part in self.quality_shares.get(view, {}).items()]:
                lines.append(f"{title}: {', '.join(parts)}")
        if c.divisible:
            lines.append("divisible: a relaxation, the ideal that a plan is held against, not a plan")
        return "\n".join(lines)

    def _gap_in_words(self) -> str:
        from provgrid_optimizer.cost_quality import cancels

        c = self.certificate
        if FAR < c.gap < np.inf and cancels(self.component_costs.by_component().values()):
            return f"a cost whose parts cancel: the bound is {c.objective_yuan - c.bound_yuan:,.0f} yuan lower"
        return gap_in_words(c.gap)

    def __repr__(self) -> str:
        return f"<Plan {self.engine}: {status_text(self.certificate.status)}, {self.objective_yuan:,.0f} yuan>"


def _finite(value: float) -> float | None:
    """JSON knows no infinity: what is not there is null."""
    return value if np.isfinite(value) else None
