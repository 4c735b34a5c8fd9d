"""Plan computing power the way a grid operator plans electricity.

>>> import provgrid as pg
>>> plan = pg.solve(pg.scenarios.toy(), engine="lp")
>>> plan.certificate.status
'optimal'

Every name below is loaded when it is first used, so that `import provgrid` stays light.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from provgrid_optimizer.attached import attach

if TYPE_CHECKING:
    from provgrid import scenarios, studies
    from provgrid.api import (
        check,
        claims,
        compile,  # noqa: A004
        explain_infeasible,
        load,
        open,  # noqa: A004
        pareto,
        provenance,
        solve,
        sweep,
        uncertain,
    )
    from provgrid.spread import Uncertainty
    from provgrid.sweeps.results import Front, Sweep
    from provgrid_models.errors import (
        ArrayError,
        AuditError,
        InfeasibleError,
        MissingSolverError,
        NoPlanError,
        OptionError,
        ProvgridError,
        ScenarioError,
        SolverError,
        WorkerLostError,
    )
    from provgrid_models.findings import Finding
    from provgrid_models.problem import Labels, Problem
    from provgrid_models.provenance import Provenance
    from provgrid_models.scenario import Scenario
    from provgrid_optimizer.answers.value_result import Value
    from provgrid_optimizer.assign import Assignment, assign
    from provgrid_optimizer.certificate import Certificate
    from provgrid_optimizer.engines.pulp_engines import export_lp, export_mps
    from provgrid_optimizer.options import Progress
    from provgrid_optimizer.plan import Plan

__all__ = [
    "ArrayError",
    "Assignment",
    "AuditError",
    "Certificate",
    "Finding",
    "Front",
    "InfeasibleError",
    "Labels",
    "MissingSolverError",
    "NoPlanError",
    "OptionError",
    "Plan",
    "Problem",
    "Progress",
    "Provenance",
    "ProvgridError",
    "Scenario",
    "ScenarioError",
    "SolverError",
    "Sweep",
    "Uncertainty",
    "Value",
    "WorkerLostError",
    "assign",
    "check",
    "claims",
    "compile",
    "explain_infeasible",
    "export_lp",
    "export_mps",
    "load",
    "open",
    "pareto",
    "provenance",
    "scenarios",
    "solve",
    "studies",
    "sweep",
    "uncertain",
]

_HOME = {
    **dict.fromkeys(
        (
            "check",
            "claims",
            "compile",
            "explain_infeasible",
            "load",
            "open",
            "pareto",
            "provenance",
            "solve",
            "sweep",
            "uncertain",
        ),
        "provgrid.api",
    ),
    **dict.fromkeys(("Front", "Sweep"), "provgrid.sweeps.results"),
    **dict.fromkeys((name for name in __all__ if name.endswith("Error")), "provgrid_models.errors"),
    **dict.fromkeys(("Labels", "Problem"), "provgrid_models.problem"),
    **dict.fromkeys(("Assignment", "assign"), "provgrid_optimizer.assign"),
    **dict.fromkeys(("export_lp", "export_mps"), "provgrid_optimizer.engines.pulp_engines"),
    "Certificate": "provgrid_optimizer.certificate",
    "Finding": "provgrid_models.findings",
    "Plan": "provgrid_optimizer.plan",
    "Progress": "provgrid_optimizer.options",
    "Provenance": "provgrid_models.provenance",
    "Scenario": "provgrid_models.scenario",
    "Uncertainty": "provgrid.spread",
    "Value": "provgrid_optimizer.answers.value_result",
}

attach("plot", "provgrid.plot:Pictures")
attach("report", "provgrid.report.page:reporting")


def __getattr__(name: str) -> Any:
    if name in ("scenarios", "studies"):
        return import_module(f"provgrid.{name}")
    if name not in _HOME:
        raise AttributeError(f"module 'provgrid' has no attribute {name!r}")
    value = getattr(import_module(_HOME[name]), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*__all__, *(name for name in globals() if name.startswith("__"))})
