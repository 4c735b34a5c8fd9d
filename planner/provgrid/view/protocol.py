"""uvicorn's HTTP protocol with an end to patience: a client that never finishes its request is told so, and let go."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from h11 import IDLE
from uvicorn.protocols.http.h11_impl import H11Protocol
from uvicorn.server import ServerState

if TYPE_CHECKING:
    import asyncio

HEADER_PATIENCE_S = 10.0
TOO_SLOW = b"the request took too long; send it at once"
ANSWER = (
    b"HTTP/1.1 408 Request Timeout\r\ncontent-type: text/plain; charset=utf-8\r\nconnection: close\r\n"
    b"content-length: %d\r\n\r\n%s" % (len(TOO_SLOW), TOO_SLOW)
)


class EndingState(ServerState):
    """What connections know of their server, with whether it has begun to end."""

    is_ending = False


class PatientProtocol(H11Protocol):
    """Gives up a connection on which no whole head of a request has come for some time.

    uvicorn ends idle connections between requests, but waits for ever for a request that comes byte by byte.
    """

    patience_s = HEADER_PATIENCE_S
    _timer: asyncio.TimerHandle | None = None

    def connection_made(self, transport: Any) -> None:
        """Begin to wait; let go at once who was still on the way in when the server had told all others to leave."""
        super().connection_made(transport)
        self._wait()
        if isinstance(self.server_state, EndingState) and self.server_state.is_ending:
            self.shutdown()

    def connection_lost(self, exc: Exception | None) -> None:
        """Stop waiting."""
        self._stop()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Take in what came: it may end one head, and begin the next."""
        super().data_received(data)
        if self.conn.their_state is not IDLE:
            self._stop()
        elif self._timer is None:
            self._wait()

    def on_response_complete(self) -> None:
        """Turn to the next request, of which a part may be here already."""
        super().on_response_complete()
        if not self.transport.is_closing() and self.conn.their_state is IDLE and self.conn.trailing_data[0]:
            self._wait()

    def _wait(self) -> None:
        self._stop()
        self._timer = self.loop.call_later(self.patience_s, self._give_up)

    def _stop(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _give_up(self) -> None:
        self._timer = None
        if not self.transport.is_closing():
            self.transport.write(ANSWER)
            self.transport.close()
