"""The page's server: uvicorn on one socket of this machine's own address, from the first request to Ctrl-C."""

from __future__ import annotations

import contextlib
import secrets
import socket
from typing import TYPE_CHECKING, Any

import uvicorn

from provgrid.view.app import View
from provgrid.view.protocol import EndingState, PatientProtocol
from provgrid_models.errors import OptionError

if TYPE_CHECKING:
    from collections.abc import Callable

    from provgrid.view.shelf import Shelf

ADDRESS = "127.0.0.1"
MOST_CONNECTIONS = 256
BACKLOG = 128
CLOSING_S = 3  # for answers that are under way when the page ends


class _Server(uvicorn.Server):
    """Tells when it has begun to listen, and its connections when it has begun to end."""

    def __init__(self, config: uvicorn.Config, on_start: Callable[[], None]) -> None:
        super().__init__(config)
        self._on_start = on_start
        self._state = self.server_state = EndingState()

    async def startup(self, *arguments: Any, **options: Any) -> None:
        await super().startup(*arguments, **options)
        if not self.should_exit:
            self._on_start()

    async def shutdown(self, *arguments: Any, **options: Any) -> None:
        """End in good order; who is still on the way in is let go too."""
        self._state.is_ending = True
        await super().shutdown(*arguments, **options)


class Page:
    """A page that can be opened: `address` is where; `serve` answers until `stop` or Ctrl-C."""

    def __init__(
        self,
        shelf: Shelf,
        *,
        runs_as_typed: str,
        lang: str = "en",
        port: int = 0,
        on_start: Callable[[], None] = lambda: None,
    ) -> None:
        self.token = secrets.token_urlsafe(32)
        self.socket = _listening(port)
        self.port = int(self.socket.getsockname()[1])
        self.address = f"http://{ADDRESS}:{self.port}/"
        view = View(shelf, runs_as_typed=runs_as_typed, lang=lang, token=self.token, closing=lambda: self.is_closing)
        config = uvicorn.Config(
            view.application(frozenset(f"{name}:{self.port}" for name in (ADDRESS, "localhost"))),
            http=PatientProtocol,
            ws="none",
            lifespan="on",
            access_log=False,
            log_level="warning",
            server_header=False,
            proxy_headers=False,  # nobody stands between
            limit_concurrency=MOST_CONNECTIONS,
            backlog=BACKLOG,
            timeout_graceful_shutdown=CLOSING_S,
        )
        self._server = _Server(config, on_start)

    @property
    def is_closing(self) -> bool:
        """Whether the page is about to end."""
        return bool(self._server.should_exit)

    def serve(self) -> None:
        """Answer requests until the page ends; Ctrl-C ends it in good order."""
        # uvicorn ends in good order at Ctrl-C, and then raises it again for whoever started it.
        with contextlib.suppress(KeyboardInterrupt):
            self._server.run(sockets=[self.socket])

    def stop(self) -> None:
        """End the page, from another thread."""
        self._server.should_exit = True


def _listening(port: int) -> socket.socket:
    """Take a port of this machine's own address; 0 takes a free one."""
    found = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    found.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        found.bind((ADDRESS, port))
    except (OSError, OverflowError) as error:
        found.close()
        reason = getattr(error, "strerror", None) or str(error)
        raise OptionError(
            f"port {port} of {ADDRESS} cannot be used ({reason}); give another --port, or none"
        ) from error
    found.set_inheritable(False)
    return found
