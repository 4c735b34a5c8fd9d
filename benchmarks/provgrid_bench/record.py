"""A measurement: the record of a solve, what was solved, and what it is held against."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from provgrid.records import record
from provgrid_models.errors import ProvgridError
from provgrid_optimizer.certificate import gap
from provgrid_optimizer.options import SolveOptions, ignore_progress
from provgrid_optimizer.solve import find_engine, held_against, policies, solve
from provgrid_optimizer.warm import compile_kernels

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from provgrid_models.problem import Problem
    from provgrid_models.scenario import Scenario
    from provgrid_optimizer.options import OnProgress


@dataclass(frozen=True)
class Instance:
    """What is measured: its name and how it is made.

    `seed` is that of its random draw, None where there is none; `rigid_share` is what was asked for, None: counted.
    """

    name: str
    build: Callable[[], tuple[Problem, Scenario | None]]
    seed: int | None = None
    rigid_share: float | None = None


def measure(
    instance: Instance, engine: str, options: SolveOptions, on_progress: OnProgress = ignore_progress
) -> dict[str, Any]:
    """Build an instance and solve it in this process: one record, imports outside its times.

    Peak memory is read when the plan is audited, before the policies and the further bounds of the record are made;
    neither counts in `solve_s`.
    """
    from provgrid_bench.proof import energy_bound_yuan, pass_seconds

    find_engine(engine)
    started = time.perf_counter()
    problem, scenario = instance.build()
    build_s = time.perf_counter() - started
    plan = solve(problem, engine, options, on_progress, scenario=scenario, build_s=build_s, with_policies=False)
    measured = record(plan)
    compile_kernels(with_policies=True)
    started = time.perf_counter()
    policy_yuan = policies(problem) or {}
    measured["policies_s"] = time.perf_counter() - started
    certificate = held_against(plan, policy_yuan).certificate
    energy_yuan = energy_bound_yuan(problem, plan.multipliers, options.threads)
    pass_s = pass_seconds(problem, plan.multipliers, options.threads)
    rigid_share = instance.rigid_share
    if rigid_share is None:
        rigid_share = float(problem.rigid.mean()) if problem.n_jobs else 0.0
    cheapest = policy_yuan.get("cheapest")
    return {
        **measured,
        "scenario": instance.name,
        "instance": instance.name,
        "instance_seed": instance.seed,
        "seed": options.seed,
        "threads": options.threads,
        "rigid_share": rigid_share,
        "captured": certificate.captured,
        "gap_energy_prices": gap(certificate.objective_yuan, energy_yuan),
        "gap_cheapest": None if cheapest is None or measured["gap"] is None else gap(cheapest, certificate.bound_yuan),
        "pass_s": pass_s,
        "solve_over_pass": measured["solve_s"] / pass_s,
    }


def in_own_processes(
    calls: Sequence[Sequence[str]], before: Callable[[str], None] = lambda _: None
) -> list[dict[str, Any]]:
    """Run `provgrid` commands that print a list of records, each in a process of its own: peak memory is per process.

    `before` is told each command as it begins. At Ctrl-C, the records of those that had ended are returned, if any.

    Raises
    ------
    ProvgridError : the first command that fails, in its own words and with its exit code.
    """
    records: list[dict[str, Any]] = []
    for call in calls:
        before(" ".join(call))
        try:
            finished = subprocess.run(
                [sys.executable, "-m", "provgrid", *call, "--json"], stdout=subprocess.PIPE, text=True, check=False
            )
        except KeyboardInterrupt:
            if not records:
                raise
            return records
        if finished.returncode:
            raise _failed(" ".join(call), finished.returncode)
        records += json.loads(finished.stdout)
    return records


def _failed(call: str, code: int) -> ProvgridError:
    """Turn a child's exit code back into the error that it stands for; the child has said the rest on stderr."""
    kind = next((k for k in ProvgridError.__subclasses__() if k.exit_code == code), ProvgridError)
    return kind(f"provgrid {call} ended with exit code {code}; its own message stands above")
