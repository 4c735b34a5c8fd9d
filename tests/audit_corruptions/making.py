"""What corruptions share: how they are registered, how much they change, and changes of a plan's tables."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.random import Generator

from provgrid_optimizer.audit import AuditCase, AuditedPlan, Rule

Corruption = Callable[[AuditCase, AuditedPlan, Generator], AuditedPlan | None]
TEN_TOLERANCES = 1.2e-5


def registry(
    corruptions: list[tuple[Rule, Corruption]],
) -> Callable[[Rule], Callable[[Corruption], Corruption]]:
    """Return a decorator that registers a corruption in the list, under the rule that it breaks."""

    def breaks(rule: Rule) -> Callable[[Corruption], Corruption]:
        def register(corruption: Corruption) -> Corruption:
            corruptions.append((rule, corruption))
            return corruption

        return register

    return breaks


def too_much(random: Generator, limit: float) -> float:
    """Draw an amount of more than ten tolerances at a limit, up to half of it."""
    return float(max(abs(limit), 1.0) * np.exp(random.uniform(np.log(TEN_TOLERANCES), np.log(0.5))))


def pick(random: Generator, mask: Any) -> int | None:
    at = np.flatnonzero(mask)
    return int(random.choice(at)) if at.size else None


def with_value(array: Any, at: int, value: float) -> Any:
    changed = np.array(array)
    changed[at] = value
    return changed


def add(plan: AuditedPlan, table: str, **row: float) -> AuditedPlan:
    changes = {}
    for column, value in row.items():
        name = f"{table}_{column}"
        changes[name] = np.append(getattr(plan, name), value)
    for name in changes:  # ids stay integers
        changes[name] = changes[name].astype(getattr(plan, name).dtype)
    return replace(plan, **changes)


def drop(plan: AuditedPlan, table: str, gone: Any) -> AuditedPlan:
    names = [name for name in plan.__dataclass_fields__ if name.startswith(f"{table}_")]
    return replace(plan, **{name: getattr(plan, name)[~gone] for name in names})


def runs_of(plan: AuditedPlan, placement: int) -> Any:
    job, pool = plan.placement_job[placement], plan.placement_pool[placement]
    return (plan.run_job == job) & (plan.run_pool == pool)
