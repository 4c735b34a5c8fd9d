"""The local page on a real port, and clients of it that say exactly what a test wants said."""

from __future__ import annotations

import contextlib
import http.client
import json
import re
import socket
import threading
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from provgrid.view.server import Page
from provgrid.view.shelf import Shelf

PATIENCE_S = 120.0


@dataclass(frozen=True)
class Answer:
    status: int
    headers: Mapping[str, str]
    body: bytes

    @property
    def text(self) -> str:
        return self.body.decode()

    @property
    def json(self) -> Any:
        return json.loads(self.body)


@dataclass(frozen=True)
class Served:
    page: Page
    folder: Path

    def ask(
        self, path: str, method: str = "GET", body: bytes | None = None, headers: Mapping[str, str] | None = None
    ) -> Answer:
        """Send a request with just these headers, and those that HTTP asks for; the path goes out as it stands."""
        connection = http.client.HTTPConnection("127.0.0.1", self.page.port, timeout=PATIENCE_S)
        own = {name.lower() for name in headers or {}}
        try:
            connection.putrequest(method, path, skip_host=True, skip_accept_encoding=True)
            if "host" not in own:
                connection.putheader("Host", f"127.0.0.1:{self.page.port}")
            if body is not None and not own & {"content-length", "transfer-encoding"}:
                connection.putheader("Content-Length", str(len(body)))
            for name, value in (headers or {}).items():
                connection.putheader(name, value)
            connection.endheaders(body)
            response = connection.getresponse()
            found = {name.lower(): value for name, value in response.getheaders()}
            return Answer(response.status, found, response.read())
        finally:
            connection.close()

    def post(self, path: str, body: Any = None, **headers: str) -> Answer:
        """Send a body as the page's own script does; bytes go out as they are."""
        text = body if isinstance(body, bytes) else json.dumps({} if body is None else body).encode()
        own = {"content-type": "application/json", "x-provgrid-token": self.page.token}
        return self.ask(path, "POST", text, {**own, **{k.replace("_", "-"): v for k, v in headers.items()}})

    def raw(self, data: bytes) -> bytes:
        """Send bytes, and return all that comes back until the other side closes."""
        with socket.create_connection(("127.0.0.1", self.page.port), timeout=PATIENCE_S) as connection:
            connection.sendall(data)
            received = b""
            with contextlib.suppress(ConnectionResetError):
                while part := connection.recv(65536):
                    received += part
            return received

    def states(self, solve: str) -> Iterator[dict[str, Any]]:
        """Yield what the stream of a solve tells, until it ends."""
        connection = http.client.HTTPConnection("127.0.0.1", self.page.port, timeout=PATIENCE_S)
        try:
            connection.request("GET", f"/api/solves/{solve}/events")
            response = connection.getresponse()
            assert response.getheader("content-type", "").startswith("text/event-stream")
            for line in response:
                if line.startswith(b"data: "):
                    yield json.loads(line.removeprefix(b"data: "))
        finally:
            connection.close()


@contextlib.contextmanager
def served(folder: Path, **options: Any) -> Iterator[Served]:
    """Serve a runs folder from a thread of this process."""
    listening = threading.Event()
    page = Page(Shelf(folder), runs_as_typed="runs", on_start=listening.set, **options)
    thread = threading.Thread(target=page.serve)
    thread.start()
    try:
        assert listening.wait(PATIENCE_S)
        yield Served(page, folder)
    finally:
        page.stop()
        thread.join(PATIENCE_S)
        assert not thread.is_alive()


def token_in(page: str) -> str:
    """Return the token that a page carries for its scripts."""
    found = re.search(r'name="provgrid-token" content="([^"]*)"', page)
    assert found is not None
    return found.group(1)


def until(condition: Any, what: str) -> None:
    """Wait until something holds."""
    deadline_s = time.monotonic() + PATIENCE_S
    while not condition():
        assert time.monotonic() < deadline_s, f"waited in vain: {what}"
        time.sleep(0.05)
