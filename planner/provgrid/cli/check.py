"""`provgrid check`: everything that is wrong or unlikely in a scenario, all at once."""

from __future__ import annotations

import shlex
from collections import Counter
from dataclasses import asdict, replace
from typing import TYPE_CHECKING, Annotated

import typer

from provgrid import exits
from provgrid.cli import completion
from provgrid.cli.console import Reporter, print_json
from provgrid.why import with_command

if TYPE_CHECKING:
    from collections.abc import Sequence


def check(
    scenario: Annotated[
        str,
        typer.Argument(
            help="Folder of a scenario, or a built-in one: toy, zhejiang, national-lite, national.",
            autocompletion=completion.scenarios,
        ),
    ],
    overrides: Annotated[
        list[str] | None, typer.Option("--set", help="Override, e.g. prices.carbon_price_yuan_per_t=80.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print the findings as JSON.")] = False,
) -> int:
    """Report every finding: file, row, column, what was found, and what to do."""
    from provgrid import api

    with Reporter() as reporter:
        reporter.stage(f"checking {scenario}")
        found = api.check(scenario, overrides or ())
    findings = [replace(one, message=with_command(one.message, scenario, overrides or ())) for one in found]
    severities = Counter(finding.severity for finding in findings)
    if as_json:
        print_json(
            {
                "scenario": scenario,
                "errors": severities["error"],
                "warnings": severities["warning"],
                "findings": [asdict(finding) | {"text": finding.text()} for finding in findings],
            }
        )
    else:
        for finding in findings:
            print(f"{finding.severity}: {finding.text()}")
        counts = f"{_count(severities['error'], 'error')}, {_count(severities['warning'], 'warning')}"
        print(f"{scenario}: {counts}{'' if severities['error'] else _next_step(scenario, overrides or ())}")
    return exits.BAD_INPUT if severities["error"] else exits.SOLVED


def _next_step(scenario: str, overrides: Sequence[str]) -> str:
    """Name the command that comes after a scenario without errors."""
    words = ["provgrid", "solve", scenario, *(word for one in overrides for word in ("--set", one))]
    return f"; next: {shlex.join(words)}"


def _count(number: int, word: str) -> str:
    return f"{number or 'no'} {word}{'' if number == 1 else 's'}"
