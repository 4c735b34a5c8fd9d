"""ServeGen clients: request rates per 10 minutes (chunk-N-trace.csv), token laws per 6 hours (chunk-N-dataset.json)."""

from __future__ import annotations

import ast
import json
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from provgrid_models.errors import OptionError, ScenarioError
from provgrid_models.importers.core import (
    BadRows,
    Cells,
    Imported,
    NoGoodRowError,
    common_assumptions,
    expand,
    long_table,
    read_cells,
    start_second,
    summary,
    tenants_of,
    until_placed,
)
from provgrid_models.importers.work import demand_table, service_words, services_table
from provgrid_models.scenario import Family

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from provgrid_models.importers.options import ServegenOptions

Floats = NDArray[np.float64]
COLUMNS = ("window_start", "rate", "variation", "law", "first", "second")
TRACE_NAME = re.compile(r"chunk-(\d+)-trace\.csv")
TOKEN_WINDOW_S = 21600.0
LATEST_S = 1e8  # about three years; a slip of the pen must not ask for a grid of a million years


@dataclass(frozen=True)
class Client:
    """One client: `rate` requests/s per window, NaN where the log has nothing; `tokens` (windows, 2) in and out."""

    model: str
    number: int
    cells: Cells
    window_s: float
    rate: Floats
    tokens: Floats | None  # NaN rows = no token data in that window
    fine: int  # good rows

    @property
    def name(self) -> str:
        """Identifier of the client's service."""
        return f"{self.model}-{self.number}"


def read(files: Sequence[str | Path] | str | Path, options: ServegenOptions) -> Imported:
    """Read ServeGen folders or trace files; token data is the file beside each trace."""
    bad = BadRows()
    clients = [_read_client(path, bad) for path in expand(files, "chunk-*-trace.csv") if _is_trace(path)]
    if not clients:
        raise OptionError("no file is named chunk-N-trace.csv; give ServeGen's trace files or their folder")
    models = {c.model: [m for m in clients if m.model == c.model] for c in clients}
    start_s = start_second(options)
    span_s = min(max(c.rate.size * c.window_s for c in clients) - start_s, (options.hours or np.inf) * 3600.0)
    if span_s <= 0:
        raise OptionError(f"start is {start_s:g} s, after the end of the trace; give an earlier second")
    periods = max(1, int(np.floor(span_s / (3600.0 * options.period_h) + 1e-9)))
    edges_s = start_s + np.arange(periods + 1, dtype=np.float64) * (options.period_h * 3600.0)
    words: list[str] = []
    names: list[str] = []
    curves: list[Floats] = []
    shares: list[float] = []
    for model, members in models.items():
        rates, said = _fill_outages(model, members)
        words += said
        tokens, said = _token_means(model, members, options)
        words += said
        flows = [_flows(c.window_s, r, t, edges_s) for c, r, t in zip(members, rates, tokens, strict=True)]
        covered_s = max(c.rate.size * c.window_s for c in members)
        if covered_s < edges_s[-1]:
            words.append(f"{model}: its {covered_s / 3600.0:g} h are repeated up to hour {edges_s[-1] / 3600.0:g}.")
        if options.services == "model":
            flows = [np.sum(flows, axis=0)]
        names += [model] if options.services == "model" else [c.name for c in members]
        curves += [(options.prompt_weight * f[0] + f[1]) * options.scale for f in flows]
        shares += [float(f[0].sum() / f.sum()) if f.sum() > 0 else 0.5 for f in flows]
    services = services_table(names, shares, options, "servegen")
    cells = [c.cells for c in clients]
    return Imported(
        kind="servegen",
        jobs=long_table("jobs", {}, 0),
        services=services,
        demand=demand_table(names, np.vstack(curves)),
        families=(Family(id=options.family, name="model of the ServeGen trace"),),
        tenants=tenants_of(services),
        assumptions=(
            f"Hour 0 is second {start_s:g} of the trace; its clock offset is not stated and was taken as midnight, "
            "Beijing time.",
            "The publisher does not say whether the rates were scaled: they are relative until they are fitted to a "
            "grid.",
            *words,
            *service_words(options),
            *common_assumptions(options, cells, bad),
        ),
        bad_rows=bad.frame(),
        until_placed=until_placed(options),
        counts=summary(cells, sum(c.fine for c in clients), {"clients": len(clients)}, bad),
        period_h=options.period_h,
        periods=periods,
    )


def _is_trace(path: Path) -> bool:
    """Pass over token files given by name (they are found beside their trace); refuse every other name."""
    if TRACE_NAME.fullmatch(path.name):
        return True
    if re.fullmatch(r"chunk-\d+-dataset\.json", path.name):
        return False
    raise OptionError(f"{path.name}: not a ServeGen file name; give chunk-N-trace.csv files or their folder")


def _read_client(path: Path, bad: BadRows) -> Client:
    folder = path.resolve().parent.name
    # Files of different folders have the same names, so findings name the folder too.
    cells = read_cells(path, COLUMNS, bad, header=False, label=f"{folder}/{path.name}")
    model = re.sub(r"[^A-Za-z0-9_.\-]+", "-", folder).strip("-.") or "model"
    start_s = cells.number("window_start")
    rate = cells.number("rate")
    cells.drop_duplicates(drop=True)
    cells.reject(start_s > LATEST_S, "window_start", f"after {LATEST_S:g} s; traces span days")
    repeated = pd.Series(start_s).where(cells.good).duplicated().to_numpy() & cells.good
    cells.reject(repeated, "window_start", "an earlier row has this window")
    kept = start_s[cells.good]
    if kept.size < 2:
        raise NoGoodRowError(f"{path.name}: {kept.size} good rows give no request rate", bad.frame())
    window_s = float(np.median(np.diff(np.sort(kept))))
    cells.reject(
        np.abs(start_s / window_s - np.round(start_s / window_s)) > 1e-6,
        "window_start",
        f"no multiple of the window of {window_s:g} s",
    )
    if not cells.good.any():
        raise NoGoodRowError(f"{path.name}: no two rows are a whole number of windows apart", bad.frame())
    index = np.round(start_s[cells.good] / window_s).astype(np.int64)
    grid = np.full(int(index.max()) + 1, np.nan)
    grid[index] = rate[cells.good]
    grid[grid == 0] = np.nan  # t,0,0,,0,0 = nothing in the log
    match = TRACE_NAME.fullmatch(path.name)
    number = int(match[1]) if match else 0
    tokens = _read_tokens(path.with_name(f"chunk-{number}-dataset.json"), folder, bad)
    return Client(model, number, cells, window_s, grid, tokens, int(cells.good.sum()))


def _read_tokens(path: Path, folder: str, bad: BadRows) -> Floats | None:
    """Mean input and output tokens of each 6-hour window, shape (windows, 2); None where there is no such file."""
    if not path.is_file():
        return None
    file = f"{folder}/{path.name}"
    text = path.read_text(encoding="utf-8", errors="replace")
    try:
        windows = json.loads(text)
    except json.JSONDecodeError as error:
        bad.add(file, error.lineno, "", text.splitlines()[error.lineno - 1] if text else "", f"no JSON: {error.msg}")
        return None
    if not isinstance(windows, dict):
        bad.add(file, 1, "", type(windows).__name__, "not an object {window start: {field: tokens}}")
        return None
    means: dict[int, tuple[float, float]] = {}
    for key, fields in windows.items():
        line = text[: max(text.find(f'"{key}"'), 0)].count("\n") + 1
        index = _window_index(key)
        if index is None or not isinstance(fields, dict):
            bad.add(file, line, "", key, "not a window start that is a multiple of 21600 s with its fields")
            continue
        both = [
            _mean(fields.get(name, "{}"), file, line, f"{key}.{name}", bad)
            for name in ("input_tokens", "output_tokens")
        ]
        means[index] = (both[0], both[1])
    table = np.full((max(means, default=-1) + 1, 2), np.nan)
    for index, pair in means.items():
        table[index] = pair if np.isfinite(pair).all() else np.nan
    return table if np.isfinite(table).any() else None


def _window_index(key: str) -> int | None:
    try:
        index = float(key) / TOKEN_WINDOW_S
    except ValueError:
        return None
    return int(index) if 0 <= index <= LATEST_S / TOKEN_WINDOW_S and index == int(index) else None


def _mean(text: Any, file: str, line: int, column: str, bad: BadRows) -> float:
    """Mean of a law written as the text of a Python dict {tokens: probability}; NaN where empty or bad."""
    try:
        law = ast.literal_eval(text) if isinstance(text, str) else text
        values = np.array([[float(k), float(v)] for k, v in law.items()], dtype=np.float64).reshape(-1, 2)
    except (ValueError, SyntaxError, AttributeError, TypeError, RecursionError, MemoryError):
        bad.add(file, line, column, text, "not the text of a dict {tokens: probability}")
        return np.nan
    if values.size == 0:
        return np.nan  # {} = nothing measured
    if not (np.isfinite(values).all() and (values >= 0).all() and values[:, 1].sum() > 0):
        bad.add(file, line, column, text, "tokens and probabilities must be numbers from 0 up, with a sum above 0")
        return np.nan
    return float(values[:, 0] @ values[:, 1] / values[:, 1].sum())


def _fill_outages(model: str, members: list[Client]) -> tuple[list[Floats], list[str]]:
    """Fill windows that no client has (an outage of the log) along a line between neighbours; other blanks are 0."""
    size = max(c.rate.size for c in members)
    table = np.full((len(members), size), np.nan)
    for row, client in zip(table, members, strict=True):
        row[: client.rate.size] = client.rate
    if len(members) == 1 or len({c.window_s for c in members}) > 1:
        idle = int(np.isnan(table).sum())
        return [np.nan_to_num(r[: c.rate.size]) for r, c in zip(table, members, strict=True)], [
            f"{model}: {idle} windows without data count as no demand (one client cannot show an outage of the log)."
        ]
    outage = np.isnan(table).all(axis=0)
    rates = np.nan_to_num(table)
    known = np.flatnonzero(~outage)
    if known.size:
        for row in rates:
            row[outage] = np.interp(np.flatnonzero(outage), known, row[known])
    if not outage.any():
        return list(rates), []
    return list(rates), [
        f"{model}: in {int(outage.sum())} of {size} windows no client has data (an outage of the log): their rates "
        "lie on a line between the neighbours; other windows without data are no demand."
    ]


def _token_means(model: str, members: list[Client], options: ServegenOptions) -> tuple[list[Floats], list[str]]:
    """Mean tokens of each client in each 6-hour window, blanks filled: own mean, else the mean of known clients."""
    known = {c.number: np.nanmean(c.tokens, axis=0) for c in members if c.tokens is not None}
    if not known and options.tokens_per_request is None:
        raise ScenarioError(
            f"{model}: no client has token data (chunk-N-dataset.json beside chunk-N-trace.csv); "
            "add one, or give tokens_per_request"
        )
    said = []
    if known:
        default = np.mean(list(known.values()), axis=0)
        origin = f"the mean of clients {', '.join(map(str, sorted(known)))}"
    else:
        default = np.array([0.5, 0.5]) * float(options.tokens_per_request or 0.0)
        origin = "given, half in and half out"
    unknown = [c for c in members if c.number not in known]
    if unknown:
        said.append(
            f"{model}: {len(unknown)} of {len(members)} clients have no token data; each of their requests counts as "
            f"{default[0]:.6g} tokens in and {default[1]:.6g} out ({origin})."
        )
    filled, blanks = [], 0
    for client in members:
        table = client.tokens if client.tokens is not None else np.empty((0, 2))
        windows = max(int(np.ceil(client.rate.size * client.window_s / TOKEN_WINDOW_S)), 1)
        full = np.full((windows, 2), np.nan)
        full[: len(table)] = table[:windows]
        blank = np.isnan(full[:, 0])
        full[blank] = known.get(client.number, default)
        blanks += int(blank.sum()) if client.number in known else 0
        filled.append(full)
    if blanks:
        said.append(f"{model}: {blanks} six-hour windows without token data use their client's own mean.")
    return filled, said


def _flows(window_s: float, rate: Floats, tokens: Floats, edges_s: Floats) -> Floats:
    """Input and output tokens/s of each period, shape (2, periods): exact time average of rate(t) x mean tokens."""
    starts_s = np.arange(rate.size + 1) * window_s
    window = np.minimum((starts_s[:-1] // TOKEN_WINDOW_S).astype(np.int64), len(tokens) - 1)
    flow = rate[None, :] * tokens[window].T
    total = np.concatenate([np.zeros((2, 1)), np.cumsum(flow * window_s, axis=1)], axis=1)
    rounds, rest_s = np.divmod(edges_s, starts_s[-1])  # a shorter trace repeats
    at_edges = np.vstack([rounds * row[-1] + np.interp(rest_s, starts_s, row) for row in total])
    return np.diff(at_edges, axis=1) / np.diff(edges_s)
