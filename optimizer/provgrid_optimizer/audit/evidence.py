"""Reads a plan's rows against a case: ids resolved, nonsense reported and set aside, rows sorted into pairs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from provgrid_optimizer.audit.case import AuditCase, Bools, Floats, Ints
from provgrid_optimizer.audit.plan import AuditedPlan, Names
from provgrid_optimizer.audit.report import Recorder, Rule, Where, here


@dataclass(frozen=True, kw_only=True)
class Evidence:
    """What a plan says, in the case's own indices.

    A pair is a job in a pool that the plan places or runs there, sorted by (job, pool); its runs are the rows
    `run_start[i] : run_start[i + 1]`, periods ascending. `share` is 0 where a pair runs without being placed.
    """

    pair_job: Ints  # (N,)
    pair_pool: Ints  # (N,)
    share: Floats  # (N,)
    run_start: Ints  # (N + 1,)
    run_period: Ints  # (M,)
    run_accelerators: Floats  # (M,)
    serve_service: Ints  # (Y,)
    serve_pool: Ints  # (Y,)
    serve_period: Ints  # (Y,)
    serve_units: Floats  # (Y,)
    block_kw: Floats  # (B, T)
    peak_kw: Floats  # (C,)
    traffic_gbps: Floats  # (L, T), as claimed
    # Derived for each pair
    accelerator_hours: Floats  # (N,) asked, for a share of 1
    start: Ints  # (N,) first period that it may run
    reason: Ints  # (N,) why the pool is closed to the job, 0 = open
    run_pair: Ints = field(init=False)  # (M,)

    def __post_init__(self) -> None:
        pair = np.repeat(np.arange(self.pair_job.size), np.diff(self.run_start))
        object.__setattr__(self, "run_pair", pair)

    def where_pair(self, names: Names, i: int) -> str:
        """Name a pair."""
        return f"{names.of('job', int(self.pair_job[i]))} in {names.of('pool', int(self.pair_pool[i]))}"

    def where_run(self, names: Names, k: int) -> str:
        """Name a run row."""
        return f"{self.where_pair(names, int(self.run_pair[k]))}, period {int(self.run_period[k])}"

    def where_serve(self, names: Names, k: int) -> str:
        """Name a service row."""
        service = names.of("service", int(self.serve_service[k]))
        return f"{service} in {names.of('pool', int(self.serve_pool[k]))}, period {int(self.serve_period[k])}"


def read(case: AuditCase, plan: AuditedPlan, recorder: Recorder) -> Evidence:
    """Resolve and check every row of the plan; what cannot be read is a violation and takes no further part."""
    reader = _Reader(case, plan, recorder)
    jobs, pools = reader.indices("job"), reader.indices("pool")
    placed = reader.rows("placement", (jobs, pools), ("job", "pool"))
    runs = reader.rows("run", (jobs, pools, None), ("job", "pool", "period"))
    serves = reader.rows("serve", (reader.indices("service"), pools, None), ("service", "pool", "period"))
    supply = reader.rows("supply", (np.arange(case.block_cluster.size), None), ("block", "period"))
    traffic = reader.rows("traffic", (reader.indices("link"), None), ("link", "period"))
    pair_job, pair_pool, share, run_start, run_period, run_accelerators = _pairs(case.n_pools, placed, runs)
    return Evidence(
        pair_job=pair_job,
        pair_pool=pair_pool,
        share=share,
        run_start=run_start,
        run_period=run_period,
        run_accelerators=run_accelerators,
        serve_service=serves.ids[0],
        serve_pool=serves.ids[1],
        serve_period=serves.ids[2],
        serve_units=serves.amount,
        block_kw=_dense(supply, case.block_limit_kw.shape),
        peak_kw=reader.peak_kw(),
        traffic_gbps=_dense(traffic, (case.link_gbps.size, case.n_periods)),
        accelerator_hours=case.accelerator_hours(pair_job, pair_pool),
        start=case.starts(pair_job, pair_pool),
        reason=case.reasons(pair_job, pair_pool),
    )


def index_map(theirs: Sequence[str] | None, ours: Sequence[str] | None, size: int) -> Ints:
    """Our index of each of their names, -1 where we have no such name; integers stand where names are missing."""
    if theirs is None or ours is None or (len(theirs) == len(ours) and list(theirs) == list(ours)):
        return np.arange(size)
    at = {name: i for i, name in enumerate(ours)}
    return np.fromiter((at.get(name, -1) for name in theirs), dtype=np.int64, count=len(theirs))


@dataclass(frozen=True)
class _Rows:
    ids: tuple[Ints, ...]
    amount: Floats


@dataclass(frozen=True)
class _Reader:
    case: AuditCase
    plan: AuditedPlan
    recorder: Recorder

    def indices(self, kind: str) -> Ints:
        """Our index of each index that the plan uses for things of one kind."""
        sizes = {
            "job": self.case.n_jobs,
            "pool": self.case.n_pools,
            "service": self.case.demand.shape[0],
            "cluster": self.case.n_clusters,
            "link": self.case.link_gbps.size,
        }
        return index_map(getattr(self.plan.names, f"{kind}s"), getattr(self.case.names, f"{kind}s"), sizes[kind])

    def rows(self, table: str, maps: tuple[Ints | None, ...], kinds: tuple[str, ...]) -> _Rows:
        """Rows of one table with ids resolved; unknown ids, bad amounts and repeated rows are reported.

        A map of `None` stands for periods, which are numbers everywhere.
        """
        plan, recorder = self.plan, self.recorder
        amounts = {"placement": "share", "run": "accelerators", "serve": "units", "supply": "kw", "traffic": "gbps"}
        amount = np.asarray(getattr(plan, f"{table}_{amounts[table]}"), dtype=np.float64)
        given = [np.asarray(getattr(plan, f"{table}_{kind}")) for kind in kinds]
        columns = [
            _resolved(g, np.arange(self.case.n_periods) if m is None else m) for g, m in zip(given, maps, strict=True)
        ]

        def where(i: int) -> str:
            parts = [
                f"period {int(g[i])}" if k == "period" else plan.names.of(k, int(g[i]))
                for k, g in zip(kinds, given, strict=True)
            ]
            return f"{table} row of " + ", ".join(parts)

        for kind, column, ids in zip(kinds, columns, given, strict=True):
            rule = Rule.MISSING_LINK if kind == "link" else Rule.UNKNOWN_ID
            recorder.never(rule, column < 0, ids, np.nan, where, here(f"no such {kind}"))
        recorder.never(Rule.NOT_FINITE, ~np.isfinite(amount), amount, 0.0, where, here(amounts[table]))
        finite = np.where(np.isfinite(amount), amount, 0.0)
        recorder.at_most(Rule.NEGATIVE, -finite, 0.0, where, amounts[table])
        known = np.all([c >= 0 for c in columns], axis=0)
        if not known.all():
            columns, finite = [c[known] for c in columns], finite[known]
        return _in_order(columns, finite, recorder, lambda i: where(int(np.flatnonzero(known)[i])))

    def peak_kw(self) -> Floats:
        """D of each of our clusters; 0 where the plan has none."""
        theirs = np.asarray(self.plan.peak_kw, dtype=np.float64)

        def where(i: int) -> str:
            return f"peak of {self.plan.names.of('cluster', i)}"

        self.recorder.never(Rule.NOT_FINITE, ~np.isfinite(theirs), theirs, 0.0, where)
        theirs = np.where(np.isfinite(theirs), theirs, 0.0)
        self.recorder.at_most(Rule.NEGATIVE, -theirs, 0.0, where)
        at = _resolved(np.arange(theirs.size), self.indices("cluster"))
        self.recorder.never(Rule.UNKNOWN_ID, at < 0, np.arange(theirs.size), np.nan, where, here("no such cluster"))
        ours = np.zeros(self.case.n_clusters)
        ours[at[at >= 0]] = theirs[at >= 0]
        return ours


def _resolved(ids: NDArray[Any], at: Ints) -> Ints:
    """`at[ids]`, -1 where an id lies outside."""
    inside = (ids >= 0) & (ids < at.size)
    if inside.all():
        return np.asarray(at[ids], dtype=np.int64)
    return np.where(inside, at[np.where(inside, ids, 0)] if at.size else -1, -1).astype(np.int64)


def _in_order(columns: list[Ints], amount: Floats, recorder: Recorder, where: Where) -> _Rows:
    """Sort rows by their columns, the first most significant, and report rows that repeat."""
    key = np.zeros(amount.size, dtype=np.int64)
    for column in columns:
        key = key * (int(column.max(initial=0)) + 1) + column
    order: Ints | None = None
    if (np.diff(key) < 0).any():
        order = np.argsort(key, kind="stable")
        key, amount, columns = key[order], amount[order], [c[order] for c in columns]
    repeated = np.zeros(key.size, dtype=np.bool_)
    repeated[1:] = key[1:] == key[:-1]
    recorder.never(Rule.DUPLICATE, repeated, 2, 1, lambda i: where(i if order is None else int(order[i])))
    return _Rows(tuple(columns), amount)


def _pairs(n_pools: int, placed: _Rows, runs: _Rows) -> tuple[Ints, Ints, Floats, Ints, Ints, Floats]:
    """Sort placements and runs into pairs; repeated rows of one (pair, period) stay, and count twice."""
    place_key = placed.ids[0] * n_pools + placed.ids[1]
    run_key = runs.ids[0] * n_pools + runs.ids[1]
    first = np.ones(run_key.size, dtype=np.bool_)
    first[1:] = run_key[1:] != run_key[:-1]
    keys = np.sort(np.concatenate([place_key, run_key[first]]))
    keys = keys[np.append(True, keys[1:] != keys[:-1])] if keys.size else keys
    share = np.bincount(np.searchsorted(keys, place_key), weights=placed.amount, minlength=keys.size)
    bounds = np.searchsorted(run_key, np.append(keys, np.iinfo(np.int64).max))
    return keys // n_pools, keys % n_pools, share.astype(np.float64), bounds, runs.ids[2], runs.amount


def _dense(rows: _Rows, shape: tuple[int, ...]) -> Floats:
    """Rows of (row, period, amount) as an array; repeated rows add up."""
    array = np.zeros(shape)
    np.add.at(array, rows.ids, rows.amount)
    return array


def pairs_of_jobs(evidence: Evidence, n_jobs: int) -> Ints:
    """First pair of each job, shape (J + 1,): the pairs of job j are `[first[j], first[j + 1])`."""
    return np.searchsorted(evidence.pair_job, np.arange(n_jobs + 1))


def busy(evidence: Evidence) -> Bools:
    """Run rows that hold something, beyond what rounding leaves behind."""
    return evidence.run_accelerators > 1e-9
