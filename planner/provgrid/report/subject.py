"""What a report is about: a plan, the policies beside it, and the manifest of its run."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

from provgrid.report.policies import policies_beside
from provgrid.report.scarcity import Scarcity, scarcity
from provgrid_optimizer.runs import open_run, versions
from provgrid_optimizer.savings import saving_of
from provgrid_optimizer.solve import held_against

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from provgrid.report.policies import Policy
    from provgrid_optimizer.certificate import Certificate
    from provgrid_optimizer.plan import Plan


@dataclass(frozen=True, kw_only=True)
class Subject:
    """One plan of a report. `name` is what it is called beside others; `folder` is the run it was read from, if any.

    `solving` waits for the policies: they are solved while the page is drawn.
    """

    name: str
    plan: Plan
    solving: Callable[[], dict[str, Policy]]
    manifest: dict[str, Any]
    folder: Path | None = None

    @cached_property
    def policies(self) -> dict[str, Policy]:
        """The simple policies that have a plan."""
        return self.solving()

    @cached_property
    def certificate(self) -> Certificate:
        """The plan's certificate, held against the policies of this report."""
        return held_against(self.plan, {name: one.objective_yuan for name, one in self.policies.items()}).certificate

    @cached_property
    def savings(self) -> dict[str, float | None]:
        """Share saved against each policy, on the work that both serve; none for a relaxation, or against itself."""
        if self.certificate.divisible:
            return {}
        return {
            name: saving_of(self.plan, one).share for name, one in self.policies.items() if name != self.plan.engine
        }

    @cached_property
    def scarcity(self) -> Scarcity:
        """What one more accelerator, or kilowatt-hour, is worth in each period at the prices of the bound."""
        return scarcity(self.plan.problem, self.plan.multipliers)


def subject_of_run(folder: Path) -> Subject:
    """Read a run folder, and solve the policies again beside it.

    Raises
    ------
    ScenarioError : a file of the run is missing or damaged.
    AuditError : the run no longer passes its audit.
    """
    return subject_of_saved(open_run(folder), folder)


def subject_of_saved(plan: Plan, folder: Path) -> Subject:
    """Take a plan that has just been saved in, or read from, a run folder."""
    manifest = json.loads((folder / "manifest.json").read_text(encoding="utf-8"))
    name = folder.resolve().name
    return Subject(name=name, plan=plan, solving=policies_beside(plan.problem), manifest=manifest, folder=folder)


def subject_of_plan(plan: Plan, name: str = "") -> Subject:
    """Take a plan of this session, with a manifest of what is known of it, and solve the policies beside it."""
    scenario = "" if plan.scenario is None else plan.scenario.name
    manifest = {
        "scenario": scenario or None,
        "engine": plan.engine,
        "status": plan.certificate.status,
        "certificate": plan.certificate.to_dict(),
        "unserved_share": plan.unserved_share,
        "options": asdict(plan.options),
        "timings": asdict(plan.timings),
        "versions": versions(),
    }
    name = name or f"{scenario or 'problem'}-{plan.engine}"
    return Subject(name=name, plan=plan, solving=policies_beside(plan.problem), manifest=manifest)
