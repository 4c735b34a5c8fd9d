"""`provgrid ledger`: who computes for whom, by pair of provinces, and the renewable power that nobody took."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from provgrid.cli import completion
from provgrid.cli.console import Reporter, output, print_json, print_table


def ledger(
    run: Annotated[
        Path,
        typer.Argument(help="Run folder that solve or demo has written.", autocompletion=completion.runs),
    ],
    as_json: Annotated[bool, typer.Option("--json", help="Print both tables as JSON.")] = False,
) -> None:
    """List the work that goes between provinces in a plan, and its contracted energy offered, taken and curtailed."""
    from provgrid import api
    from provgrid_optimizer.plan_tables import records

    with Reporter() as reporter:
        reporter.stage(f"reading {run}")
        plan = api.open(run)
        pairs, contracts = plan.ledger, plan.curtailed
    if as_json:
        print_json({"run": str(run), "ledger": records(pairs), "curtailed": records(contracts)})
        return
    say = output().print
    headings = ("jobs", "GB", "MWh", "yuan/kWh", "t CO2", "yuan", "capital, yuan")
    print_table(("from", "to"), headings, map(_cells, records(pairs.sort_values("accelerator_h", ascending=False))))
    if len(contracts):
        offered, lost = contracts["offered_kwh"].sum(), contracts["curtailed_kwh"].sum()
        part = lost / offered if offered > 0 else 0.0
        say(f"contracts offered {offered / 1000:,.1f} MWh; {lost / 1000:,.1f} MWh, {part:.1%}, were curtailed")


def _cells(row: dict[str, Any]) -> list[str]:
    """Format one pair of provinces; yuan are all costs but the capital."""
    yuan = sum(row[name] or 0.0 for name in row if name.endswith("_yuan") and name != "capital_yuan")
    return [
        *(row["from_province"], row["to_province"], f"{row['jobs']:,.0f}", f"{row['gb']:,.0f}"),
        f"{row['energy_kwh'] / 1000:,.1f}",
        "" if row["tariff_yuan_per_kwh"] is None else f"{row['tariff_yuan_per_kwh']:.3f}",
        *(f"{row['kg'] / 1000:,.1f}", f"{yuan:,.0f}"),
        "" if row["capital_yuan"] is None else f"{row['capital_yuan']:,.0f}",
    ]
