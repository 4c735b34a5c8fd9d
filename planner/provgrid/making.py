"""Makes what is not in a store yet, side by side; what is made is in the store at once.

Only the process that asks writes to the store: those that work may be on other machines. What another process has
claimed is left to it and taken from the store when it is there.
"""

from __future__ import annotations

import time
from collections import deque
from concurrent.futures import FIRST_COMPLETED, wait
from typing import TYPE_CHECKING, Any

from provgrid.store import Asked, Made
from provgrid_models.errors import OptionError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence
    from concurrent.futures import Future

    from provgrid.store import Store
    from provgrid.workers import Crew

MOST_JOBS = 256
LOOK_AGAIN_S = 0.2  # for what another process is making
LOOK_AFTER_S = 2.0  # whether there are still workers


def check_jobs(jobs: int) -> None:
    """Raise `OptionError` where there would be no process, or a host of them."""
    if not 1 <= jobs <= MOST_JOBS:
        raise OptionError(f"jobs is {jobs}; give a whole number of at least 1, and at most {MOST_JOBS}")


def missing(asked: Iterable[Asked], store: Store[Asked, Made]) -> list[Asked]:
    """Return what is not in the store, each once, in the order given."""
    return [one for one in dict.fromkeys(asked) if store.get(one) is None]


def make_here(
    todo: Iterable[Asked],
    make_one: Callable[[Asked], Made],
    store: Store[Asked, Made],
    on_made: Callable[[Asked], None],
) -> None:
    """Make everything in this process, one after the other; `on_made` hears of what was made here."""
    left = deque(todo)
    while left:
        one = left.popleft()
        if store.get(one) is not None:
            continue
        if store.claim(one):
            try:
                if store.get(one) is None:  # made between the two looks
                    store.put(one, make_one(one))
                    on_made(one)
            finally:
                store.release(one)
        else:
            left.append(one)
            time.sleep(LOOK_AGAIN_S / len(left))


def make_side_by_side(
    todo: Sequence[Asked],
    make_one: Callable[[Asked], Made],
    store: Store[Asked, Made],
    crew: Crew,
    on_made: Callable[[Asked], None],
) -> None:
    """Make everything in the processes of a crew, as many at a time as there are hands; `on_made` hears of each.

    Raises
    ------
    ProvgridError : as `make_one` does; what was made by then is kept.
    WorkerLostError : a worker was lost and nobody took over.
    """
    left = deque(todo)
    at_work: dict[Future[Made], Asked] = {}
    try:
        while left or at_work:
            _hand_out(left, at_work, make_one, store, crew)
            if not at_work:
                time.sleep(LOOK_AGAIN_S if left else 0.0)
                continue
            done, _ = wait(at_work, timeout=LOOK_AFTER_S, return_when=FIRST_COMPLETED)
            if not done:
                crew.check()
            for future in sorted(done, key=_failed):  # what was finished is kept before an error is raised
                one = at_work[future]
                store.put(one, crew.result(future))
                store.release(one)
                del at_work[future]
                on_made(one)
    finally:
        for future, one in at_work.items():
            future.cancel()
            store.release(one)


def _failed(future: Future[Any]) -> bool:
    return future.cancelled() or future.exception() is not None


def _hand_out(
    left: deque[Asked],
    at_work: dict[Future[Made], Asked],
    make_one: Callable[[Asked], Made],
    store: Store[Asked, Made],
    crew: Crew,
) -> None:
    """Give every free hand something to make; what is there by now counts as made, what is claimed goes to the end."""
    for _ in range(len(left)):
        if len(at_work) >= crew.hands:
            return
        one = left.popleft()
        if store.get(one) is not None:
            continue
        if not store.claim(one):
            left.append(one)
        elif store.get(one) is not None:  # made between the two looks
            store.release(one)
        else:
            at_work[crew.executor.submit(make_one, one)] = one


def compile_once() -> None:
    """Fill Numba's cache before there are processes that would each do so."""
    from provgrid_optimizer.warm import compile_kernels

    compile_kernels(with_policies=False)
