"""Workers of a Dask cluster, behind the same face as the processes of this machine."""

from __future__ import annotations

import contextlib
import time
from concurrent.futures import CancelledError
from typing import TYPE_CHECKING, Any

from provgrid.workers import Crew, Made
from provgrid_models.errors import MissingSolverError, OptionError, WorkerLostError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from concurrent.futures import Future

PATIENCE_S = 30.0  # without any worker, before nobody is expected to come back
CONNECT_S = 10.0
TURNS = 2  # things handed out for each thread, so that none waits for this process
CURE = "what was finished is kept: start a worker with 'dask worker ADDRESS', and the sweep again"


class DaskCrew(Crew):
    """Dask hands what a lost worker had to another one; what is lost again and again, it gives up."""

    def __init__(self, client: Any, address: str) -> None:
        super().__init__(client.get_executor(), max(TURNS * sum(client.nthreads().values()), TURNS))
        self._client, self._address = client, address
        self._seen = time.monotonic()

    def result(self, future: Future[Made]) -> Made:
        """Return what was made; see `Crew.result`."""
        from distributed.scheduler import KilledWorker

        try:
            return future.result()
        except (KilledWorker, CancelledError, OSError) as error:
            raise self._lost(f"a point was given up ({type(error).__name__})") from error

    def check(self) -> None:
        """Raise `WorkerLostError` where the scheduler is gone, or has had no worker for a while."""
        try:
            hands = sum(self._client.nthreads().values())
        except (OSError, TimeoutError, CancelledError) as error:
            raise self._lost("the scheduler does not answer any more") from error
        if hands:
            self._seen = time.monotonic()
        elif time.monotonic() - self._seen > PATIENCE_S:
            raise self._lost(f"there has been no worker for {PATIENCE_S:g} s")

    def _lost(self, what: str) -> WorkerLostError:
        return WorkerLostError(f"the Dask cluster at {self._address} lost its workers: {what}; {CURE}")


@contextlib.contextmanager
def crew_at(address: str) -> Iterator[Crew]:
    """Yield the workers of a Dask cluster. They need the same provgrid, and to read the scenario under the same path.

    Raises
    ------
    MissingSolverError : distributed is not installed.
    OptionError : no scheduler answers at the address.
    WorkerLostError : nobody is left to work.
    """
    try:
        from distributed import Client
    except ModuleNotFoundError as error:
        cure = "install it with: python -m pip install -e '.[cluster]' in a copy of the repository"
        raise MissingSolverError(f"--dask needs distributed, which is not installed; {cure}") from error
    try:
        client = Client(address, timeout=CONNECT_S, set_as_default=False)
    except (OSError, TimeoutError, ValueError) as error:
        reason = " ".join(str(error).split()) or type(error).__name__
        cure = "give the address that 'dask scheduler' prints, such as tcp://10.0.0.1:8786"
        raise OptionError(f"no Dask scheduler answers at {address} ({reason}); {cure}") from error
    try:
        yield DaskCrew(client, address)
    finally:
        client.close(timeout=CONNECT_S)
