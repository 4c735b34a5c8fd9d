"""Makes the points of sweeps and fronts, side by side, here or on a cluster; what was made before is taken as it is.

The relaxation starts hot: of every few neighbouring points the middle one is solved from nothing, and the others go on
from its basis. So a point depends on its neighbour alone, and neither on the order in which points are made, nor on
the number of processes, nor on what was there before.
"""

from __future__ import annotations

import contextlib
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from provgrid import making, workers
from provgrid.digests import scenario_digest
from provgrid.sweeps import point as points
from provgrid.sweeps.point import Point, Store
from provgrid.sweeps.results import SAME, ColdCheck, Sweep
from provgrid.sweeps.vary import check_axes, grid
from provgrid.why import of_front, with_command
from provgrid_models.errors import SolverError
from provgrid_optimizer.solve import find_engine

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from types import TracebackType

    from provgrid.sweeps.point import Row
    from provgrid.sweeps.vary import Axis
    from provgrid_optimizer.options import SolveOptions

FOLDER = Path("runs/points")
NEIGHBOURS = 8  # points that share a basis, the middle one's
COLD_SAMPLE = 10  # of so many points that started hot, one is solved again from nothing
HOT_ENGINE = "lp"  # the one that goes on from a basis


@dataclass(frozen=True, kw_only=True)
class Task:
    """What all points share, and how they are made."""

    scenario: str
    engine: str
    options: SolveOptions
    overrides: tuple[str, ...] = ()
    jobs: int = 1
    dask: str | None = None
    folder: Path = FOLDER
    hot: bool = True
    again: bool = False  # make points anew that were made before
    on_made: Callable[[int, int], None] = lambda done, total: None

    def __post_init__(self) -> None:
        making.check_jobs(self.jobs)
        find_engine(self.engine)

    def point(self) -> Point:
        """Return the scenario as it is, as a point; its folder is named so that other processes find it."""
        path = Path(self.scenario)
        return Point(
            scenario=str(path.resolve()) if path.exists() else self.scenario,
            overrides=self.overrides,
            engine=self.engine,
            options=replace(self.options, threads=1),
            scenario_sha256=scenario_digest(self.scenario),
            code_sha256=points.code_sha256(),
        )


class Maker:
    """Makes points into the store of a task; its workers stay for all that it is asked for."""

    def __init__(self, task: Task) -> None:
        self._task = task
        self._store = Store(task.folder)
        self._exits = contextlib.ExitStack()
        self._crew: workers.Crew | None = None
        self._asked: set[str] = set()
        self._done = 0
        self.made = 0

    def __enter__(self) -> Maker:
        self._exits.callback(self._store.close)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._exits.__exit__(kind, error, trace)

    def make(self, several: Sequence[Point]) -> list[Row]:
        """Return the row of each point."""
        new = list({one.key: one for one in several if one.key not in self._asked}.values())
        if self._task.again:
            self._store.forget(new)
        self._asked |= {one.key for one in new}
        todo = making.missing(new, self._store)
        self._done += len(new) - len(todo)
        self._task.on_made(self._done, len(self._asked))
        if todo:
            crew = self._workers()
            if crew is None:
                making.make_here(todo, points.make, self._store, self._note)
            else:
                making.make_side_by_side(todo, points.make, self._store, crew, self._note)
        return [self._row(one) for one in several]

    def _workers(self) -> workers.Crew | None:
        """Return the processes that work, hired when they are first needed; None where this one does."""
        task = self._task
        if self._crew is None and task.dask is not None:
            from provgrid.cluster import crew_at

            self._crew = self._exits.enter_context(crew_at(task.dask))
        elif self._crew is None and task.jobs > 1:
            making.compile_once()
            self._crew = self._exits.enter_context(workers.crew_here(task.jobs))
        return self._crew

    def _note(self, _: Point) -> None:
        self.made += 1
        self._done += 1
        self._task.on_made(self._done, len(self._asked))

    def _row(self, one: Point) -> Row:
        row = self._store.get(one)
        assert row is not None
        if one.keeps:
            return replace(row, reason=of_front(row.reason, one.engine))
        return replace(row, reason=with_command(row.reason, self._task.scenario, one.overrides))


def sweep(task: Task, axes: Sequence[Axis]) -> Sweep:
    """Make every combination of values; see `provgrid.sweep`."""
    check_axes(axes, task.scenario, task.overrides)
    base, combinations = task.point(), grid(axes)
    asked = [
        replace(base, overrides=(*base.overrides, *(axis.override(v) for axis, v in zip(axes, values, strict=True))))
        for values in combinations
    ]
    with Maker(task) as maker:
        hot = task.engine == HOT_ENGINE and task.hot
        rows = _neighbours_first(maker, asked) if hot else maker.make(asked)
        checks = _solved_cold(maker, asked, rows)
    return Sweep(
        scenario=task.scenario,
        engine=task.engine,
        keys=tuple(axis.key for axis in axes),
        values=tuple(tuple(a.shown(v) for a, v in zip(axes, one, strict=True)) for one in combinations),
        rows=tuple(rows),
        checks=checks,
        made=maker.made,
        asked_gap=task.options.gap,
    )


def _neighbours_first(maker: Maker, asked: Sequence[Point]) -> list[Row]:
    """Make the middle one of every few points, then the others from its basis."""
    middles = [asked[min(first + NEIGHBOURS // 2, len(asked) - 1)] for first in range(0, len(asked), NEIGHBOURS)]
    bases = {middle.key: row.basis for middle, row in zip(middles, maker.make(middles), strict=True)}
    started = []
    for number, one in enumerate(asked):
        middle = middles[number // NEIGHBOURS].key
        hot = one.key != middle and bases[middle]
        started.append(replace(one, hot_from=middle, basis=bases[middle]) if hot else one)
    return maker.make(started)


def _solved_cold(maker: Maker, asked: Sequence[Point], rows: Sequence[Row]) -> tuple[ColdCheck, ...]:
    """Solve a sample of what started hot again from nothing.

    Raises
    ------
    SolverError : an objective is another one; hot starts of this problem are not to be trusted.
    """
    hot = [number for number, row in enumerate(rows) if row.hot]
    sample = hot[:: max(COLD_SAMPLE, 1)]
    checks = []
    for number, cold in zip(sample, maker.make([asked[number] for number in sample]), strict=True):
        warm_yuan, cold_yuan = rows[number].objective_yuan, cold.objective_yuan
        if warm_yuan is None or cold_yuan is None:
            raise SolverError(f"point {number} has a plan when started hot or from nothing, and not both; add --cold")
        difference = abs(warm_yuan - cold_yuan) / max(abs(cold_yuan), 1.0)
        if difference > SAME:
            raise SolverError(
                f"point {number} costs {warm_yuan:.10g} yuan when started hot and {cold_yuan:.10g} from nothing; "
                "add --cold, and report it"
            )
        checks.append(ColdCheck(number, warm_yuan, cold_yuan, difference))
    return tuple(checks)
