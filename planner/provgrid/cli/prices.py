"""`provgrid prices`: what one more of each limit is worth at a plan, summed over the horizon or hour by hour."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from provgrid.cli import completion
from provgrid.cli.console import Reporter, cannot_write, output, print_json, print_table
from provgrid_models.errors import OptionError

if TYPE_CHECKING:
    import pandas as pd

    from provgrid_optimizer.plan import Plan


def prices(
    run: Annotated[
        Path,
        typer.Argument(help="Run folder that solve or demo has written.", autocompletion=completion.runs),
    ],
    basis: Annotated[
        str | None,
        typer.Option(help="lp or fixed-lp: at this plan; dual: those of its bound. Default: at this plan."),
    ] = None,
    kind: Annotated[
        list[str] | None, typer.Option(help="Only this kind, e.g. capacity; may be given several times.")
    ] = None,
    ranges: Annotated[
        bool, typer.Option("--ranges", help="Find the exact range of every degenerate price (slow; name a kind).")
    ] = False,
    table: Annotated[
        Path | None, typer.Option("-o", "--output", help="Write every hour's price to this .parquet or .csv file.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print every hour's price as JSON.")] = False,
) -> None:
    """List the marginal prices at a plan: pool-hours, energy, power limits, links, demand charge, carbon, order."""
    from provgrid import api

    if table is not None and table.suffix not in (".parquet", ".csv"):
        raise OptionError(f"{table} is no table that can be written; give a name that ends in .parquet or .csv")
    with Reporter() as reporter:
        reporter.stage(f"reading {run}")
        plan = api.open(run)
        reporter.stage("prices")
        found = _asked(plan, basis, kind or [], ranges)
    if table is not None:
        _write(found, table)
    if as_json:
        print_json({"run": str(run), "prices": _records(found)})
        return
    _print(plan, found)


def _asked(plan: Plan, basis: str | None, kinds: list[str], ranges: bool) -> pd.DataFrame:
    """Prices on the basis that was asked, of the kinds that were."""
    at_plan = "lp" if plan.allocation.divisible else "fixed-lp"
    found = plan.prices_at(basis or at_plan, ranges=(kinds or True) if ranges else False)  # type: ignore[arg-type]
    known = list(dict.fromkeys(found["kind"]))
    for kind in kinds:
        if kind not in known:
            raise OptionError(f"this plan has no prices of kind {kind!r}; choose among {', '.join(known)}")
    return found[found["kind"].isin(kinds)].reset_index(drop=True) if kinds else found


def _print(plan: Plan, found: pd.DataFrame) -> None:
    """Print one line for each thing that has a price: summed over the horizon, and at its dearest hour."""
    hours = plan.problem.hours
    weighted = found["period"].isin(range(hours.size)) & (found["kind"] != "after")
    weights = [float(hours[t]) if counts else 1.0 for t, counts in zip(found["period"], weighted, strict=True)]
    priced = found.assign(total=found["price"] * weights, some=found["price"] != 0)
    marked = "degenerate" in priced
    rows = []
    for (kind, name), part in priced.groupby(["kind", "id"], sort=False):
        if part["some"].any():
            degenerate = [f"{part['degenerate'].fillna(value=False).sum():,}"] if marked else []
            numbers = (part["price"].max(), part["total"].sum())
            rows.append(
                [
                    *(str(kind), str(name), part["unit"].iloc[0].removeprefix("yuan per ")),
                    *(f"{part['some'].sum():,}", *(f"{n:,.3f}" for n in numbers), *degenerate),
                ]
            )
    if not rows:
        kinds = ", ".join(dict.fromkeys(found["kind"]))
        output().print(f"nothing of kind {kinds} has a price: every price is 0, so one more is worth nothing here")
        return
    print_table(["kind", "of", "yuan per"], ["periods priced", "dearest", "sum", *["tied"] * marked], rows)
    if marked:
        output().print("tied: periods whose price is degenerate, one more is worth less there than one less costs")
    output().print(f"basis {found['basis'].iloc[0]}; sum: yuan over the horizon for one more in every period")


def _write(found: pd.DataFrame, path: Path) -> None:
    try:
        found.to_parquet(path, index=False) if path.suffix == ".parquet" else found.to_csv(path, index=False)
    except OSError as error:
        raise cannot_write(path, error, "another file with -o") from error


def _records(found: pd.DataFrame) -> list[dict[str, Any]]:
    """Rows as plain values; what is missing or infinite is null."""
    import numpy as np

    plain = found.copy()
    if "time" in plain:
        plain["time"] = plain["time"].astype(str).where(plain["time"].notna())
    plain = plain.astype(object).where(plain.notna() & ~plain.isin([np.inf, -np.inf]), None)
    rows: list[dict[str, Any]] = plain.to_dict("records")  # type: ignore[assignment]
    return rows
