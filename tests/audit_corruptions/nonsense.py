"""Corruptions that make no sense in any plan: strange ids, no numbers, negative amounts."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.random import Generator

from audit_corruptions.making import Corruption, registry, too_much, with_value
from provgrid_optimizer.audit import AuditCase, AuditedPlan, Rule

CORRUPTIONS: list[tuple[Rule, Corruption]] = []
breaks = registry(CORRUPTIONS)


@breaks(Rule.UNKNOWN_ID)
def unknown_id(case: AuditCase, plan: AuditedPlan, random: Generator) -> AuditedPlan | None:
    columns = {"run_job": case.n_jobs, "run_pool": case.n_pools, "run_period": case.n_periods}
    columns |= {"serve_service": case.demand.shape[0], "serve_pool": case.n_pools, "serve_period": case.n_periods}
    columns |= {"placement_job": case.n_jobs, "supply_block": case.block_cluster.size}
    name = str(random.choice([name for name in columns if getattr(plan, name).size] or ["supply_block"]))
    rows = getattr(plan, name)
    stranger = random.choice([-1, columns[name] + random.integers(5)])
    return replace(plan, **{name: with_value(rows, random.integers(rows.size), stranger)})


@breaks(Rule.NOT_FINITE)
def not_a_number(case: AuditCase, plan: AuditedPlan, random: Generator) -> AuditedPlan | None:
    columns = ["placement_share", "run_accelerators", "serve_units", "supply_kw", "peak_kw", "traffic_gbps"]
    name = str(random.choice([name for name in columns if getattr(plan, name).size]))
    rows = getattr(plan, name)
    value = random.choice([np.nan, np.inf, -np.inf])
    return replace(plan, **{name: with_value(rows, random.integers(rows.size), value)})


@breaks(Rule.NEGATIVE)
def negative_amount(case: AuditCase, plan: AuditedPlan, random: Generator) -> AuditedPlan | None:
    columns = ["placement_share", "run_accelerators", "serve_units", "supply_kw", "peak_kw", "traffic_gbps"]
    name = str(random.choice([name for name in columns if getattr(plan, name).size]))
    rows = getattr(plan, name)
    return replace(plan, **{name: with_value(rows, random.integers(rows.size), -too_much(random, 1.0))})
