"""From the tables of a run back to arrays: an `Allocation` and `Multipliers` for the plan, rows for the audit."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from provgrid_models.errors import ScenarioError
from provgrid_optimizer.allocation import Allocation
from provgrid_optimizer.audit.plan import AuditedPlan, Names, PlanPrices, block_names
from provgrid_optimizer.multipliers import Multipliers, verticals

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from provgrid_models.problem import Floats, Ints, Problem

Tables = dict[str, pd.DataFrame]
COLUMNS = {
    "training": ("job", "pool", "period", "accelerators"),
    "jobs": ("job", "pool", "served", "share", "accelerator_h"),
    "inference": ("service", "pool", "period", "tokens_per_s", "accelerators"),
    "energy": ("cluster", "block", "energy", "period", "power_kw"),
    "peaks": ("cluster", "peak_kw"),
    "traffic": ("link", "period", "traffic_gbps"),
    "prices": ("kind", "id", "period", "price", "basis"),
}
PARQUET = tuple(COLUMNS)


def to_allocation(problem: Problem, tables: Tables, divisible: bool) -> Allocation:
    """Rebuild a plan's decisions; an id that the problem does not know is a `ScenarioError`."""
    labels = problem.labels
    placed = tables["jobs"][tables["jobs"]["served"]]
    job, pool = _ids(labels.jobs, placed["job"], "jobs"), _ids(labels.pools, placed["pool"], "jobs")
    training = tables["training"]
    key = job * problem.n_pools + pool
    run_key = _ids(labels.jobs, training["job"], "training") * problem.n_pools
    run_key += _ids(labels.pools, training["pool"], "training")
    placement = np.searchsorted(key, run_key)
    in_range = placement < key.size
    if (np.diff(key) <= 0).any() or not (in_range.all() and (key[placement] == run_key).all()):
        raise ScenarioError("training.parquet and jobs.parquet do not belong together; solve again")
    if (np.diff(placement) < 0).any():
        raise ScenarioError("training.parquet is not sorted by job and pool; solve again")
    inference, energy = tables["inference"], tables["energy"]
    block_kw = np.zeros((problem.n_blocks, problem.n_periods))
    block_kw[energy["block"].to_numpy(np.int64), _period(problem, energy)] = energy["power_kw"].to_numpy(np.float64)
    peak_kw = np.zeros(problem.n_clusters)
    peak_kw[_ids(labels.clusters, tables["peaks"]["cluster"], "peaks")] = tables["peaks"]["peak_kw"]
    return Allocation(
        divisible=divisible,
        job=job,
        pool=pool,
        share=placed["share"].to_numpy(np.float64),
        run_start=np.concatenate([[0], np.cumsum(np.bincount(placement, minlength=key.size))]).astype(np.int64),
        run_period=_period(problem, training).astype(np.int32),
        run_accelerators=training["accelerators"].to_numpy(np.float64),
        serve_service=_ids(labels.services, inference["service"], "inference"),
        serve_pool=_ids(labels.pools, inference["pool"], "inference"),
        serve_period=_period(problem, inference),
        serve_units=inference["tokens_per_s"].to_numpy(np.float64),
        block_kw=block_kw,
        peak_kw=peak_kw,
    )


def to_multipliers(problem: Problem, prices: pd.DataFrame) -> Multipliers:
    """Rebuild the prices that prove the bound."""
    labels, periods, vertical = problem.labels, problem.n_periods, verticals(problem)

    def array(kind: str, names: Sequence[str] | None, rows: int) -> Floats:
        part = prices[prices["kind"] == kind]
        values = np.zeros((rows, periods))
        values[_ids(names, part["id"], "prices"), _period(problem, part)] = part["price"].to_numpy(np.float64)
        return values

    return Multipliers(
        accelerator=array("accelerator", labels.pools, problem.n_pools),
        peak=array("peak", labels.clusters, problem.n_clusters),
        link=array("link", labels.links, problem.n_links),
        carbon=_carbon(prices),
        after=_after(problem, prices[prices["kind"] == "after"], vertical),
        vertical=vertical,
        basis=prices["basis"].iloc[0],
    )


def _after(problem: Problem, prices: pd.DataFrame, vertical: Ints) -> Floats:
    """Prices of the order of jobs, shape (V, T)."""
    values = np.zeros((vertical.size, problem.n_periods))
    job = _ids(problem.labels.jobs, prices["id"], "prices")
    if not np.isin(job, vertical).all():
        raise ScenarioError("prices.parquet has an after price of a job that comes after none; solve again")
    values[np.searchsorted(vertical, job), _period(problem, prices)] = prices["price"].to_numpy(np.float64)
    return values


def _carbon(prices: pd.DataFrame) -> float:
    return float(prices.loc[prices["kind"] == "carbon_budget", "price"].iloc[0])


def _period(problem: Problem, table: pd.DataFrame) -> Ints:
    """Check the periods of a table against the horizon."""
    period: Ints = np.asarray(table["period"], dtype=np.int64)
    if period.size and not 0 <= period.min() <= period.max() < problem.n_periods:
        raise ScenarioError(f"a table of the run names a period outside 0 .. {problem.n_periods - 1}; solve again")
    return period


def _ids(labels: Sequence[str] | None, names: pd.Series[Any], table: str) -> Ints:
    """Integer ids of names; the names are the ids where the problem came without labels."""
    if labels is None:
        return np.asarray(names.astype(np.int64), dtype=np.int64)
    ids = pd.Index(list(labels), dtype=object).get_indexer(pd.Index(names.astype(object)))
    if (ids < 0).any():
        stranger = names.iloc[int(np.argmax(ids < 0))]
        raise ScenarioError(f'{table}.parquet names "{stranger}", which the scenario does not have; solve again')
    return np.asarray(ids, dtype=np.int64)


def to_audited_plan(tables: Tables, claims: Mapping[str, Any], divisible: bool) -> AuditedPlan:
    """Rows of the tables as they stand, under their own names: nothing here knows the scenario.

    `claims` are what the run says of its plan (fields of `AuditedPlan`).
    """
    prices = tables["prices"]
    by_kind = {kind: prices[prices["kind"] == kind] for kind in ("accelerator", "peak", "link", "after")}
    jobs = _Register(tables["jobs"]["job"], tables["training"]["job"], by_kind["after"]["id"])
    ordered = _Register(by_kind["after"]["id"])
    placed = tables["jobs"][tables["jobs"]["served"]]
    training, inference, energy, traffic = (tables[name] for name in ("training", "inference", "energy", "traffic"))
    pools = _Register(by_kind["accelerator"]["id"], placed["pool"], training["pool"], inference["pool"])
    clusters = _Register(by_kind["peak"]["id"], tables["peaks"]["cluster"])
    links = _Register(by_kind["link"]["id"], traffic["link"])
    services = _Register(inference["service"])
    periods = int(prices["period"].max()) + 1
    peak_kw = np.zeros(len(clusters.names))
    peak_kw[clusters.ids(tables["peaks"]["cluster"])] = tables["peaks"]["peak_kw"]

    def price(kind: str, register: _Register) -> Floats:
        values = np.zeros((len(register.names), periods))
        part = by_kind[kind]
        values[register.ids(part["id"]), part["period"].to_numpy(np.int64)] = part["price"].to_numpy(np.float64)
        return values

    return AuditedPlan(
        divisible=divisible,
        names=Names(
            jobs=jobs.names,
            services=services.names,
            pools=pools.names,
            clusters=clusters.names,
            blocks=_block_names(energy),
            links=links.names,
        ),
        placement_job=jobs.ids(placed["job"]),
        placement_pool=pools.ids(placed["pool"]),
        placement_share=placed["share"].to_numpy(np.float64),
        run_job=jobs.ids(training["job"]),
        run_pool=pools.ids(training["pool"]),
        run_period=training["period"].to_numpy(np.int64),
        run_accelerators=training["accelerators"].to_numpy(np.float64),
        serve_service=services.ids(inference["service"]),
        serve_pool=pools.ids(inference["pool"]),
        serve_period=inference["period"].to_numpy(np.int64),
        serve_units=inference["tokens_per_s"].to_numpy(np.float64),
        supply_block=energy["block"].to_numpy(np.int64),
        supply_period=energy["period"].to_numpy(np.int64),
        supply_kw=energy["power_kw"].to_numpy(np.float64),
        peak_kw=peak_kw,
        traffic_link=links.ids(traffic["link"]),
        traffic_period=traffic["period"].to_numpy(np.int64),
        traffic_gbps=traffic["traffic_gbps"].to_numpy(np.float64),
        prices=PlanPrices(
            accelerator=price("accelerator", pools),
            peak=price("peak", clusters),
            link=price("link", links),
            carbon=_carbon(prices),
            after=price("after", ordered),
            vertical=jobs.ids(pd.Series(ordered.names, dtype=object)),
        ),
        **claims,
    )


class _Register:
    """Names in the order in which columns first mention them, as integers."""

    def __init__(self, *columns: pd.Series[Any]) -> None:
        mentioned = pd.concat([column.astype(object) for column in columns], ignore_index=True)
        self._index = pd.Index(mentioned.drop_duplicates(), dtype=object)
        self.names: list[str] = [str(name) for name in self._index]

    def ids(self, column: pd.Series[Any]) -> Ints:
        """Integer of each name of a column."""
        return np.asarray(self._index.get_indexer(pd.Index(column.astype(object))), dtype=np.int64)


def _block_names(energy: pd.DataFrame) -> list[str]:
    """`cluster/energy` of each supply block in the order of its number, repeats told apart."""
    blocks = energy.drop_duplicates("block").sort_values("block")
    clusters = blocks["cluster"].drop_duplicates().astype(str).tolist()
    position = pd.Index(clusters).get_indexer(pd.Index(blocks["cluster"].astype(str)))
    return block_names(clusters, blocks["energy"].astype(str).tolist(), position)
