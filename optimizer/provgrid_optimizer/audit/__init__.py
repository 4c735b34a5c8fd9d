"""The judge that knows no solver: any plan against a scenario or raw arrays, with its own arithmetic."""

from provgrid_optimizer.audit.audit import audit
from provgrid_optimizer.audit.case import AuditCase, case_from_arrays
from provgrid_optimizer.audit.plan import AuditedPlan, Names, PlanPrices
from provgrid_optimizer.audit.report import AuditReport, Rule, Violation
from provgrid_optimizer.audit.scenario_case import case_from_scenario

__all__ = [
    "AuditCase",
    "AuditReport",
    "AuditedPlan",
    "Names",
    "PlanPrices",
    "Rule",
    "Violation",
    "audit",
    "case_from_arrays",
    "case_from_scenario",
]
