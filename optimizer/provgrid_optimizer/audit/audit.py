"""The audit: reads a plan against its case, checks every rule, and says what it found."""

from __future__ import annotations

import time

from provgrid_optimizer.audit.case import AuditCase
from provgrid_optimizer.audit.evidence import read
from provgrid_optimizer.audit.plan import AuditedPlan
from provgrid_optimizer.audit.report import AuditReport, Recorder
from provgrid_optimizer.audit.rules_claims import check_claims
from provgrid_optimizer.audit.rules_grid import check_network, check_power, check_services, measure
from provgrid_optimizer.audit.rules_jobs import check_jobs
from provgrid_optimizer.audit.rules_money import check_bound, check_costs, recomputed_costs


def audit(case: AuditCase, plan: AuditedPlan) -> AuditReport:
    """Check a plan and its claims against a case, from the figures alone.

    Linear in the plan's rows and the case's jobs. Never raises for a bad plan: whatever is wrong is a violation.
    """
    began = time.perf_counter()
    recorder = Recorder()
    evidence = read(case, plan, recorder)
    check_jobs(case, evidence, plan.divisible, recorder)
    use = measure(case, evidence)
    check_services(case, evidence, use, recorder)
    check_power(case, evidence, use, recorder)
    check_network(case, evidence, use, recorder)
    costs = recomputed_costs(case, evidence, use)
    objective_yuan = sum(costs.values())
    check_costs(case, plan, costs, recorder)
    bound_yuan = check_bound(case, plan, objective_yuan, recorder)
    if plan.claims is not None:
        check_claims(case, plan, plan.claims, evidence, use, recorder)
    return AuditReport(
        violations=tuple(recorder.violations),
        counts=dict(recorder.counts),
        costs=costs,
        objective_yuan=objective_yuan,
        bound_yuan=bound_yuan,
        constants_yuan=case.constants_yuan,
        checks=tuple(recorder.checks),
        seconds=time.perf_counter() - began,
    )
