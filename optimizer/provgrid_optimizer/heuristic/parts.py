"""What remains of a large plan, settled part by part: each is best while all the others stand.

Cut by cluster, the hours of elastic jobs, supply and the grid's peak are free; cut by time, within the peaks that were
found, those hours and the services of a few periods. Parts of one cut have no column in common and no row with slack,
so that they are solved side by side, and the sum of their gains is that of the plan.
"""

from __future__ import annotations

import math
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from provgrid_models.errors import SolverError
from provgrid_optimizer.answers.fixed import remaining_program
from provgrid_optimizer.highs import optimum
from provgrid_optimizer.matrix import point, unpack
from provgrid_optimizer.matrix.part import part
from provgrid_optimizer.matrix.selection import Served, served_columns
from provgrid_optimizer.multipliers import verticals
from provgrid_optimizer.options import Progress

if TYPE_CHECKING:
    from provgrid_models.problem import Bools, Floats, Ints, Problem
    from provgrid_optimizer.allocation import Allocation
    from provgrid_optimizer.matrix import LinearProgram
    from provgrid_optimizer.multipliers import Multipliers
    from provgrid_optimizer.options import OnProgress, SolveOptions

NEAR = 0.5  # by how much dearer than the best pool, at the bound's prices: others serve only what they do already
COLUMNS_AT_ONCE = 8_000  # of a cut by time, about; more find more, and take longer
MOST_HOURS = 200_000  # of elastic jobs in all, beyond which a cluster's part takes longer than it gains
LONGEST, SHIFTED = 24, 3  # periods of a stretch, at most; and from which on a second cut pays
# The dual simplex method from its slack basis: presolve takes longer than it saves on a few thousand columns.
METHOD = {"solver": "simplex", "presolve": "off", "simplex_dual_edge_weight_strategy": 1}
MOST_STEPS = 10  # simplex steps a row: most parts take one to three, and where hours tie one may go on for ever
STAGE = "hours and supply"


def near_columns(problem: Problem, allocation: Allocation, prices: Multipliers) -> Served:
    """Who may serve whom when: where it costs little more than the best at these prices, or is done already."""
    columns = served_columns(problem)
    pool, period = columns.pool, columns.period
    held = prices.accelerator[pool, period] * problem.accelerators_per_unit[columns.service, pool]
    price = problem.unit_yuan[columns.service, pool] + held
    least = np.full(problem.demand.shape, np.inf)
    np.minimum.at(least, (columns.service, period), price)
    used = np.zeros((problem.n_services, problem.n_pools, problem.n_periods), dtype=np.bool_)
    used[allocation.serve_service, allocation.serve_pool, allocation.serve_period] = True
    best = least[columns.service, period]
    return columns.of((price <= best + NEAR * np.abs(best)) | used[columns.service, pool, period])


def settle_parts(
    problem: Problem, allocation: Allocation, served: Served, options: SolveOptions, on_progress: OnProgress
) -> Allocation:
    """Return a plan with the choices of this one, and no dearer; `served` are the service columns that take part."""
    program, selection = remaining_program(problem, allocation, served)
    settling = _Settling(program, point(problem, program, allocation, selection), options, on_progress)
    hours = program.columns["n"]
    free = ~_in_order(problem)[hours.ids["job"]]
    if hours.size <= MOST_HOURS:
        settling.cut(_by_cluster(problem, program, free))
    for label in _by_time(problem, program, free):
        settling.cut(label)
    return unpack(problem, program, settling.x, divisible=False, selection=selection)


class _Settling:
    """A point of a program that gets better, cut by cut."""

    def __init__(self, program: LinearProgram, x: Floats, options: SolveOptions, on_progress: OnProgress) -> None:
        self.program = program
        self.x = x
        self._threads = options.threads
        self._one = replace(options, threads=1, time_limit_s=None)
        self._on_progress = on_progress
        self._started = time.perf_counter()
        self._limit_s = options.time_limit_s
        self._stop = threading.Event()
        self._shared: Bools = np.zeros(program.n_rows, dtype=np.bool_)
        self._shared[program.rows["carbon"].slice] = True

    def cut(self, label: Ints) -> None:
        """Settle the columns of each label, -1 being none, while all the others stand."""
        activity = self.program.activity(self.x)
        order = np.argsort(label, kind="stable")
        ends = np.flatnonzero(np.diff(label[order], append=label.max(initial=-1) + 1)) + 1
        parts = [columns for columns in np.split(order, ends) if columns.size and label[columns[0]] >= 0]
        with ThreadPoolExecutor(self._threads) as pool:
            try:
                for found in pool.map(lambda columns: self._settled(columns, activity), parts):
                    if found is not None:
                        self.x[found[0]] = found[1]
                    self._on_progress(Progress(time.perf_counter() - self._started, STAGE))
            except KeyboardInterrupt:
                self._stop.set()
                raise

    def _settled(self, columns: Ints, activity: Floats) -> tuple[Ints, Floats] | None:
        """Return the columns and what is best for them; None where that is no gain, or HiGHS does not end."""
        left_s = math.inf if self._limit_s is None else self._limit_s - (time.perf_counter() - self._started)
        if left_s <= 0.0 or self._stop.is_set():
            return None
        one = part(self.program, self.x, activity, columns, self._shared)
        settings = {**METHOD, "simplex_iteration_limit": MOST_STEPS * one.n_rows, "time_limit": left_s}
        try:
            best = optimum(one, self._one, settings)
        except SolverError:
            return None
        return (columns, best) if best is not None and one.cost @ best < one.cost @ self.x[columns] else None


def _in_order(problem: Problem) -> Bools:
    """Jobs that come before or after another, shape (J,): in whose place others wait."""
    tied, vertical = np.zeros(problem.n_jobs, dtype=np.bool_), verticals(problem)
    tied[vertical] = tied[problem.after[vertical]] = True
    return tied


def _by_cluster(problem: Problem, program: LinearProgram, free: Bools) -> Ints:
    """Label each column by the cluster that it is settled with, -1 for none."""
    label, columns = np.full(program.n_columns, -1), program.columns
    hours, used = columns["n"], columns["used"]
    label[hours.slice] = np.where(free, problem.pool_cluster[hours.ids["pool"]], -1)
    label[used.slice] = problem.pool_cluster[used.ids["pool"]]
    label[columns["g"].slice] = problem.block_cluster[columns["g"].ids["block"]]
    label[columns["D"].slice] = columns["D"].ids["cluster"]
    return label


def _by_time(problem: Problem, program: LinearProgram, free: Bools) -> list[Ints]:
    """Label each column by its stretch of time, -1 for none: a cut, and one with its borders within the first's."""
    period, columns = np.full(program.n_columns, -1), program.columns
    for kind in ("y", "v", "used", "g"):
        period[columns[kind].slice] = columns[kind].ids["period"]
    period[columns["n"].slice] = np.where(free, columns["n"].ids["period"], -1)
    timed = period >= 0
    width = int(np.clip(COLUMNS_AT_ONCE * problem.n_periods // max(timed.sum(), 1), 1, LONGEST))
    offsets = (0, width // 2) if width >= SHIFTED else (0,)
    return [np.where(timed, (period + offset) // width, -1) for offset in offsets]
