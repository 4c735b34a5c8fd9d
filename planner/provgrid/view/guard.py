"""What stands before every request: whose it is, how long it may be, and what every answer says of itself.

The page has no password, so it answers only who is at this machine's own address, under the names that this has, and
does what a page asks only if that page was served here: other sites that a planner's browser has open get nothing.
"""

from __future__ import annotations

import asyncio
import hmac
from typing import TYPE_CHECKING

from provgrid.view.refusals import RefusedError

if TYPE_CHECKING:
    from collections.abc import Callable

    from starlette.types import ASGIApp, Message, Receive, Scope, Send

MOST_BYTES = 65_536  # of a request's body
BODY_PATIENCE_S = 10.0  # for all of it
METHODS = ("GET", "HEAD", "POST")
TOKEN = "x-provgrid-token"

HEADERS = {
    "content-security-policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; "
        "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    ),
    "cache-control": "no-store",
    "cross-origin-resource-policy": "same-origin",
    "referrer-policy": "no-referrer",
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
}


class Guard:
    """ASGI middleware. `hosts` are the names with port that it answers to, `refuse` makes the answer of a refusal."""

    def __init__(
        self,
        app: ASGIApp,
        *,
        hosts: frozenset[str],
        token: str,
        refuse: Callable[[Scope, RefusedError], ASGIApp],
    ) -> None:
        self._app, self._hosts, self._token, self._refuse = app, hosts, token, refuse

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve a request, or say why not."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        try:
            self._check(scope)
            body = await self._body(scope, receive)
        except RefusedError as refused:
            # What is left of the body is not waited for.
            await self._refuse(scope, refused)(scope, receive, _with_headers(send, {"connection": "close"}))
            return
        await self._app(scope, _replayed(body, receive), _with_headers(send, {}))

    def _check(self, scope: Scope) -> None:
        """Raise `RefusedError` for a request that is not for this page, or not from it."""
        fields = [(name.decode("latin-1"), value.decode("latin-1")) for name, value in scope["headers"]]
        hosts = [value.strip().lower() for name, value in fields if name == "host"]
        headers = dict(fields)
        if len(hosts) != 1 or hosts[0] not in self._hosts:
            raise RefusedError(421, "host")
        if headers.get("origin", f"http://{hosts[0]}").lower() != f"http://{hosts[0]}":
            raise RefusedError(403, "origin")
        if headers.get("sec-fetch-site", "none") not in ("none", "same-origin"):
            raise RefusedError(403, "origin")
        if scope["method"] not in METHODS:
            raise RefusedError(405, "method")
        if scope["method"] != "POST":
            return
        if not hmac.compare_digest(headers.get(TOKEN, "").encode(), self._token.encode()):
            raise RefusedError(403, "token")
        if headers.get("content-type", "").partition(";")[0].strip().lower() != "application/json":
            raise RefusedError(415, "json_only")

    async def _body(self, scope: Scope, receive: Receive) -> bytes:
        """Read the body, as far as it is not too long; what it says of its length is believed only if that is short."""
        length = dict(scope["headers"]).get(b"content-length", b"0")
        if len(length) > 9 or int(length) > MOST_BYTES:
            raise RefusedError(413, "too_large", most=MOST_BYTES)
        body, more = b"", True
        try:
            async with asyncio.timeout(BODY_PATIENCE_S):
                while more:
                    message = await receive()
                    if message["type"] != "http.request":
                        break
                    body += message.get("body", b"")
                    more = message.get("more_body", False)
                    if len(body) > MOST_BYTES:
                        raise RefusedError(413, "too_large", most=MOST_BYTES)
        except TimeoutError:
            raise RefusedError(408, "too_slow") from None
        return body


def _replayed(body: bytes, receive: Receive) -> Receive:
    """Give the body that was read, once, and then what comes after it."""
    parts = [body]

    async def replay() -> Message:
        if parts:
            return {"type": "http.request", "body": parts.pop(), "more_body": False}
        return await receive()

    return replay


def _with_headers(send: Send, more: dict[str, str]) -> Send:
    """Add the headers of every answer, as far as it has none of its own."""

    async def with_headers(message: Message) -> None:
        if message["type"] == "http.response.start":
            said = {name.lower() for name, _ in message["headers"]}
            added = [(n.encode(), v.encode()) for n, v in {**HEADERS, **more}.items() if n.encode() not in said]
            message = {**message, "headers": [*message["headers"], *added]}
        await send(message)

    return with_headers
