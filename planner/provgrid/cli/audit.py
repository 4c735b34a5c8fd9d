"""`provgrid audit`: plan and bound of a run, checked again from its files alone."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from provgrid import exits
from provgrid.cli import completion
from provgrid.cli.console import Reporter, note, print_json


def audit(
    run: Annotated[
        Path,
        typer.Argument(help="Run folder that solve or demo has written.", autocompletion=completion.runs),
    ],
    as_json: Annotated[bool, typer.Option("--json", help="Print the result as JSON.")] = False,
) -> int:
    """Recompute every limit, the cost and the bound of a plan from its run folder."""
    from provgrid_optimizer.runs import audit_run

    with Reporter() as reporter:
        reporter.stage(f"auditing {run}")
        report = audit_run(run)
    bound = report.bound_yuan if report.bound_yuan == report.bound_yuan else None
    if as_json:
        print_json(
            {
                "run": str(run),
                "passed": not report.violations,
                "violations": [
                    {"rule": str(v.rule), "where": v.where, "text": str(v), "amount": _number(v.amount)}
                    for v in report.violations
                ],
                "counts": {str(rule): number for rule, number in report.counts.items()},
                "checks": [str(rule) for rule in report.checks],
                "objective_yuan": _number(report.objective_yuan),
                "bound_yuan": bound,
                "costs": report.costs,
                "audit_s": report.seconds,
            }
        )
    else:
        for rule in report.checks:
            broken = report.counts.get(rule, 0)
            print(f"{'ok  ' if not broken else 'FAIL'}  {rule}{f'  ({broken} times)' if broken else ''}")
        print(f"objective recomputed: {report.objective_yuan:,.2f} yuan")
        print(f"bound proven by the saved prices: {'none saved' if bound is None else f'{bound:,.2f} yuan'}")
    if report.violations:
        for violation in report.violations:
            note(f"violation: {violation}")
        note(f"provgrid: {run} fails its audit; do not use its plan, solve again")
    elif not as_json:
        print("audit passed")
    return exits.AUDIT_FAILED if report.violations else exits.SOLVED


def _number(value: float) -> float | None:
    return value if abs(value) < float("inf") else None
