"""Azure LLM inference requests (Splitwise): TIMESTAMP, ContextTokens, GeneratedTokens; one service per file."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from provgrid_models.importers.core import (
    BadRows,
    Cells,
    Imported,
    NoGoodRowError,
    common_assumptions,
    expand,
    long_table,
    names_for,
    read_cells,
    start_moment,
    summary,
    tenants_of,
    until_placed,
)
from provgrid_models.importers.work import demand_table, service_words, services_table
from provgrid_models.scenario import Family

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from provgrid_models.importers.options import AzureOptions

COLUMNS = ("TIMESTAMP", "ContextTokens", "GeneratedTokens")
DEFAULT_HOURS = 24.0


@dataclass(frozen=True)
class Requests:
    """The good rows of one file."""

    cells: Cells
    name: str
    moment: pd.Series
    prompt: NDArray[np.float64]
    output: NDArray[np.float64]


def read(files: Sequence[str | Path] | str | Path, options: AzureOptions) -> Imported:
    """Read request lists; each file is a service whose demand is the tokens of its requests.

    Raises
    ------
    NoGoodRowError
        Where a file has fewer than two good rows at different times, so that it has no rate.
    """
    bad = BadRows()
    paths = expand(files, "*.csv")
    parts = [_read_file(p, n, options, bad) for p, n in zip(paths, names_for(paths), strict=True)]
    start = start_moment(options, min(p.moment.min() for p in parts))
    periods = max(1, int(np.ceil((options.hours or DEFAULT_HOURS) / options.period_h)))
    rates, words, outside = [], [], 0
    for part in parts:
        tokens = options.prompt_weight * part.prompt + part.output
        span_s = (part.moment.max() - part.moment.min()).total_seconds()
        if options.repeat == "mean":
            rates.append(np.full(periods, tokens.sum() / span_s * options.scale))
            words.append(
                f"{part.name}: {tokens.sum():.0f} tokens of {len(tokens)} requests in {span_s:.1f} s; this mean of "
                f"{tokens.sum() / span_s:.6g} tokens/s was repeated in every period (one hour gives no daily shape)."
            )
        else:
            rate, beyond = _binned(part.moment, tokens, start, periods, options)
            rates.append(rate * options.scale)
            outside += beyond
            words.append(
                f"{part.name}: {tokens.sum():.0f} tokens of {len(tokens)} requests stand in the periods in which they "
                "came; every other period asks for 0."
            )
    names = [p.name for p in parts]
    shares = [float(p.prompt.sum() / max(p.prompt.sum() + p.output.sum(), 1.0)) for p in parts]
    services = services_table(names, shares, options, "azure-llm")
    cells = [p.cells for p in parts]
    kept = sum(len(p.prompt) for p in parts) - outside
    return Imported(
        kind="azure-llm",
        jobs=long_table("jobs", {}, 0),
        services=services,
        demand=demand_table(names, np.vstack(rates)),
        families=(Family(id=options.family, name="model of the Azure LLM trace"),),
        tenants=tenants_of(services),
        assumptions=(
            f"Hour 0 is {start} of the trace; its zone is not stated, its clock was taken as Beijing time.",
            *words,
            *service_words(options),
            *common_assumptions(options, cells, bad),
        ),
        bad_rows=bad.frame(),
        until_placed=until_placed(options),
        counts=summary(cells, kept, {"outside_window": outside}, bad),
        period_h=options.period_h,
        periods=periods,
    )


def _binned(
    moment: pd.Series, tokens: NDArray[np.float64], start: pd.Timestamp, periods: int, options: AzureOptions
) -> tuple[NDArray[np.float64], int]:
    """Tokens per second of each period, and the number of requests outside all of them."""
    hour = ((moment - start) / pd.Timedelta(hours=1)).to_numpy(dtype=np.float64)
    period = np.floor(hour / options.period_h).astype(np.int64)
    inside = (period >= 0) & (period < periods)
    total = np.bincount(period[inside], weights=tokens[inside], minlength=periods)
    return total / (3600.0 * options.period_h), int((~inside).sum())


def _read_file(path: Path, name: str, options: AzureOptions, bad: BadRows) -> Requests:
    cells = read_cells(path, COLUMNS, bad)
    moment = cells.moment("TIMESTAMP")
    prompt = cells.number("ContextTokens", whole=True)
    output = cells.number("GeneratedTokens", whole=True)
    cells.drop_duplicates(drop=options.drop_duplicates)
    kept = moment[cells.good]
    if kept.nunique() < 2:
        what = f"{path.name}: {len(kept)} good rows at {kept.nunique()} moments give no request rate"
        raise NoGoodRowError(what, bad.frame())
    return Requests(cells, name, kept, prompt[cells.good], output[cells.good])
