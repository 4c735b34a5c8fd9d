"""What is read out of runs for the page, in a process of its own: levers, reports and comparisons."""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass
from multiprocessing import get_context
from typing import TYPE_CHECKING, Any

from provgrid.report.texts import LANGUAGES
from provgrid.view.refusals import RefusedError
from provgrid.workers import Pool, end_with
from provgrid_models.errors import ProvgridError

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable
    from pathlib import Path

    from provgrid.view.levers import Lever

MOST_WAITING = 8
MOST_REMEMBERED = 64
MOST_ROWS = 15  # of a comparison's differences and flows


@dataclass(frozen=True)
class Board:
    """What a run's page shows of its scenario."""

    title: str
    title_zh: str
    levers: tuple[Lever, ...]
    places: dict[str, dict[str, str]]


class Reader:
    """Asks one process for what the page needs, and remembers the last answers."""

    def __init__(self) -> None:
        self._context = get_context("spawn")
        self._answers: OrderedDict[Hashable, asyncio.Task[Any]] = OrderedDict()
        self._asked = 0
        self._pool = self._started()

    async def answer(self, key: Hashable, read: Callable[..., Any], *what: Any) -> Any:
        """Return `read(*what)` as the process found it, once for each key.

        Raises
        ------
        RefusedError : the run cannot be read, the process was lost, or too much is asked at once.
        """
        task = self._answers.get(key)
        if task is None or (task.done() and (task.cancelled() or task.exception() is not None)):
            if self._asked >= MOST_WAITING:
                raise RefusedError(503, "busy")
            task = self._answers[key] = asyncio.create_task(self._ask(read, *what))
        self._answers.move_to_end(key)
        while len(self._answers) > MOST_REMEMBERED:
            self._answers.popitem(last=False)
        # Others may wait for the same answer: one that goes away must not take it with him.
        return await asyncio.shield(task)

    async def _ask(self, read: Callable[..., Any], *what: Any) -> Any:
        self._asked += 1
        pool = self._pool
        try:
            return await asyncio.wrap_future(pool.submit(read, *what))
        except ProvgridError as error:
            raise RefusedError(422, "damaged", reason=str(error)) from error
        except OSError as error:  # a file that is gone, or that the system keeps to itself
            raise RefusedError(422, "damaged", reason=" ".join(str(error).split())) from error
        except BrokenProcessPool as error:
            if self._pool is pool:
                self._pool = self._started()
            raise RefusedError(500, "reader_lost") from error
        finally:
            self._asked -= 1

    def forget(self, key: Hashable) -> None:
        """Let an answer be asked for anew."""
        self._answers.pop(key, None)

    def close(self) -> None:
        """End the process."""
        self._alive.close()
        self._pool.shutdown(wait=False, cancel_futures=True)

    def _started(self) -> Pool:
        watched, self._alive = self._context.Pipe(duplex=False)
        pool = Pool(1, mp_context=self._context, initializer=end_with, initargs=(watched,))
        pool.submit(_load)
        return pool


def _load() -> None:
    """Load what the first answer needs, while the first page is being looked at."""
    from provgrid.report import page, subject  # noqa: F401


def read_board(scenario: Path) -> Board:
    """Read the levers of a scenario."""
    from provgrid.report.wording import Wording
    from provgrid.view.levers import levers_of
    from provgrid_models.files import load_scenario

    loaded = load_scenario(scenario)
    wordings = {lang: Wording.of(lang) for lang in LANGUAGES}
    return Board(
        title=wordings["en"].title(loaded),
        title_zh=wordings["zh"].title(loaded),
        levers=levers_of(loaded),
        places={lang: wording.places(loaded) for lang, wording in wordings.items()},
    )


def make_report(run: Path, lang: str, target: Path) -> None:
    """Write the report on a run to a file, whole or not at all."""
    from provgrid.report.page import report_html
    from provgrid.report.subject import subject_of_run
    from provgrid.view.shelf import keep

    keep(target, report_html([subject_of_run(run)], lang))


def read_comparison(before: Path, after: Path) -> dict[str, Any]:
    """Compare two runs: the record of `Plan.compare`, its longest tables cut, and names by language."""
    from provgrid.report.wording import Wording
    from provgrid_optimizer.runs import open_run

    plans = open_run(before), open_run(after)
    found = plans[0].compare(plans[1]).to_dict()
    names: dict[str, dict[str, str]] = {}
    for lang in LANGUAGES:
        wording = Wording.of(lang)
        names[lang] = {}
        for plan in plans:
            names[lang] |= wording.places(plan.scenario) | wording.tenants(plan.scenario)
    return {
        **found,
        "names": names,
        **{name: found[name][:MOST_ROWS] for name in ("inputs", "flows")},
        "more": {name: max(len(found[name]) - MOST_ROWS, 0) for name in ("inputs", "flows")},
    }
