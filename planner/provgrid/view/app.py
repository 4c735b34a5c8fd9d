"""The pages and what they ask for: lists, reports, levers, solves and comparisons, as a Starlette application."""

from __future__ import annotations

import asyncio
import contextlib
import json
import logging
from importlib.resources import files
from typing import TYPE_CHECKING, Any

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.responses import FileResponse, HTMLResponse, JSONResponse, Response, StreamingResponse
from starlette.routing import Route

from provgrid.report.texts import LANGUAGES
from provgrid.report.wording import Wording
from provgrid.view import reading, rendering
from provgrid.view.bodies import ENGINES, how_asked, levers_asked, parsed
from provgrid.view.desk import ENDED, Desk
from provgrid.view.guard import Guard
from provgrid.view.levers import overrides_of
from provgrid.view.refusals import RefusedError
from provgrid.view.solving import Order
from provgrid_models.errors import ProvgridError

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable

    from starlette.requests import Request
    from starlette.types import ASGIApp, Scope

    from provgrid.view.desk import Solve
    from provgrid.view.reading import Board
    from provgrid.view.shelf import Shelf

log = logging.getLogger(__name__)

MOST_STREAMS = 32  # of progress, over all pages
TICK_S = 1.0
STATIC = {"view.css": "text/css", "view.js": "text/javascript", "theme.js": "text/javascript"}
# A report is a file of its own with scripts inside: it runs without an origin, so it reaches nothing of this page.
REPORT_POLICY = (
    "sandbox allow-scripts allow-downloads allow-modals; default-src 'none'; script-src 'unsafe-inline'; "
    "style-src 'unsafe-inline'; img-src data: blob:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)


class View:
    """Everything that the pages share. `runs_as_typed` is the runs folder as one would name it on the command line."""

    def __init__(self, shelf: Shelf, *, runs_as_typed: str, lang: str, token: str, closing: Callable[[], bool]) -> None:
        self._shelf, self._runs_as_typed, self._lang = shelf, runs_as_typed, lang
        self._token, self._closing = token, closing
        self._desk = Desk()
        self._streams = 0
        self._static = {name: files(__package__).joinpath("static", name).read_bytes() for name in STATIC}
        style = files("provgrid.report").joinpath("templates", "style.css").read_bytes()
        self._static["view.css"] = style + self._static["view.css"]

    def application(self, hosts: frozenset[str]) -> ASGIApp:
        """Return the application, guarded; it answers to these names with their port."""
        routes = [
            Route("/", self.index),
            Route("/static/{name}", self.static),
            Route("/runs/{name}", self.run),
            Route("/runs/{name}/report", self.report),
            Route("/solves/{id}", self.solve),
            Route("/compare/{before}/{after}", self.compare),
            Route("/api/runs", self.api_runs),
            Route("/api/runs/{name}/levers", self.api_levers),
            Route("/api/runs/{name}/command", self.api_command, methods=["POST"]),
            Route("/api/runs/{name}/solve", self.api_solve, methods=["POST"]),
            Route("/api/solves/{id}", self.api_state),
            Route("/api/solves/{id}/events", self.api_events),
            Route("/api/solves/{id}/cancel", self.api_cancel, methods=["POST"]),
        ]
        handlers: Any = {ProvgridError: self._on_error, HTTPException: self._on_error, Exception: self._on_error}
        app = Starlette(routes=routes, exception_handlers=handlers, lifespan=self._lifespan)
        app.router.redirect_slashes = False  # an address is there or it is not
        return Guard(app, hosts=hosts, token=self._token, refuse=self._refusal)

    @contextlib.asynccontextmanager
    async def _lifespan(self, _app: Starlette) -> AsyncIterator[None]:
        self._reader = reading.Reader()
        self._desk.open()
        yield
        self._reader.close()
        await self._desk.close()

    # Pages ----------------------------------------------------------------------------------------------------

    async def index(self, request: Request) -> Response:
        """List the runs, and the solves that are under way."""
        lines = await asyncio.to_thread(self._shelf.lines)
        under_way = [solve for solve in self._desk.solves.values() if solve.state not in ENDED]
        return self._page(
            request, "index", lines=lines, solves=[self._state(solve, self._wording(request)) for solve in under_way]
        )

    async def run(self, request: Request) -> Response:
        """Show a run: its verdict, its report, its levers."""
        name = request.path_params["name"]
        line = await asyncio.to_thread(self._shelf.sound_line, name)
        board, why = None, ""
        wording = self._wording(request)
        try:
            board = await self._board(name)
        except RefusedError as refused:
            why = refused.text(wording.lang)
        others = [other for other in await asyncio.to_thread(self._shelf.lines) if other.name != name]
        return self._page(
            request,
            "run",
            line=line,
            board=board,
            why=why,
            others=[other for other in others if not other.fault],
            groups=rendering.groups(board, wording) if board else [],
            engines=ENGINES if line.engine in ENGINES else (line.engine, *ENGINES),
            command="" if board is None else self._order(name, board, {}).command,
        )

    async def report(self, request: Request) -> Response:
        """Show the report on a run, which is made when it is first asked for."""
        name, lang = request.path_params["name"], self._wording(request).lang
        folder = await asyncio.to_thread(self._shelf.run, name)
        target = await asyncio.to_thread(self._shelf.report, name, lang)
        if target.is_symlink():
            raise RefusedError(403, "leads_out")
        if target.is_dir():
            raise RefusedError(409, "in_the_way", path=f"{target.parent.name}/{target.name}")
        if not target.is_file():
            key = ("report", target)
            await self._reader.answer(key, reading.make_report, folder, lang, target)
            self._reader.forget(key)
        return FileResponse(
            target,
            media_type="text/html; charset=utf-8",
            headers={"content-security-policy": REPORT_POLICY},
        )

    async def solve(self, request: Request) -> Response:
        """Show a solve while it works."""
        solve = self._desk.find(request.path_params["id"])
        return self._page(request, "solve", solve=solve, state=self._state(solve, self._wording(request)))

    async def compare(self, request: Request) -> Response:
        """Show two runs side by side."""
        names = request.path_params["before"], request.path_params["after"]
        folders = [await asyncio.to_thread(self._shelf.run, name) for name in names]
        lines = [await asyncio.to_thread(self._shelf.sound_line, name) for name in names]
        marks = [await asyncio.to_thread(self._shelf.fingerprint, name) for name in names]
        found = await self._reader.answer(("compare", *marks), reading.read_comparison, *folders)
        return self._page(
            request,
            "compare",
            lines=lines,
            shown=rendering.comparison(found, self._wording(request)),
            command=rendering.compare_command(self._runs_as_typed, names),
        )

    async def static(self, request: Request) -> Response:
        """Send a style or a script."""
        name = request.path_params["name"]
        if name not in self._static:
            raise RefusedError(404, "no_page")
        return Response(self._static[name], media_type=STATIC[name])

    # What pages ask for ---------------------------------------------------------------------------------------

    async def api_runs(self, _request: Request) -> Response:
        """List the runs."""
        lines = await asyncio.to_thread(self._shelf.lines)
        return JSONResponse({"runs": [rendering.plain(line) for line in lines]})

    async def api_levers(self, request: Request) -> Response:
        """List the levers of a run."""
        board = await self._board(request.path_params["name"])
        return JSONResponse({"levers": [rendering.plain(lever) for lever in board.levers]})

    async def api_command(self, request: Request) -> Response:
        """Say which command would do what the levers ask for."""
        return JSONResponse({"command": (await self._asked(request)).command})

    async def api_solve(self, request: Request) -> Response:
        """Solve a run's scenario again with other figures."""
        self._desk.check_room()
        order = await self._asked(request)
        solve = self._desk.take(order)
        return JSONResponse({"id": solve.id, "command": order.command, "page": f"/solves/{solve.id}"}, 202)

    async def api_state(self, request: Request) -> Response:
        """Say how a solve is getting on."""
        solve = self._desk.find(request.path_params["id"])
        return JSONResponse(self._state(solve, self._wording(request)))

    async def api_cancel(self, request: Request) -> Response:
        """Stop a solve, which keeps the best plan that it has."""
        solve = self._desk.find(request.path_params["id"])
        self._desk.cancel(solve)
        return JSONResponse(self._state(solve, self._wording(request)), 202)

    async def api_events(self, request: Request) -> Response:
        """Tell how a solve is getting on, until it has ended, as server-sent events."""
        solve = self._desk.find(request.path_params["id"])
        if self._streams >= MOST_STREAMS:
            raise RefusedError(503, "too_many_streams")
        return StreamingResponse(self._events(solve, self._wording(request)), media_type="text/event-stream")

    async def _events(self, solve: Solve, wording: Wording) -> AsyncIterator[str]:
        """Yield the state now, and after every change or second. A slow listener misses states, and none pile up."""
        self._streams += 1
        try:
            while True:
                changed, ended = solve.changed, solve.state in ENDED
                yield f"data: {json.dumps(self._state(solve, wording), ensure_ascii=False)}\n\n"
                if ended or self._closing():
                    return
                with contextlib.suppress(TimeoutError):
                    await asyncio.wait_for(changed.wait(), TICK_S)
        finally:
            self._streams -= 1

    # Shared ---------------------------------------------------------------------------------------------------

    async def _board(self, name: str) -> Board:
        scenario = await asyncio.to_thread(self._shelf.scenario, name)
        mark = await asyncio.to_thread(self._shelf.fingerprint, name)
        board: Board = await self._reader.answer(("board", name, mark), reading.read_board, scenario)
        return board

    async def _asked(self, request: Request) -> Order:
        """Read what a page asks to be solved."""
        body = parsed(await request.body())
        return self._order(
            request.path_params["name"], await self._board(request.path_params["name"]), levers_asked(body), body
        )

    def _order(self, name: str, board: Board, levers: Any, body: dict[str, Any] | None = None) -> Order:
        engine, options = how_asked(body or {}, self._shelf.sound_line(name))
        return Order(
            base=name,
            scenario=self._shelf.folder / name / "scenario",
            overrides=overrides_of(board.levers, levers),
            engine=engine,
            options=options,
            runs=self._shelf.folder,
            runs_as_typed=self._runs_as_typed,
        )

    def _state(self, solve: Solve, wording: Wording) -> dict[str, Any]:
        return rendering.state(solve, self._desk.place(solve), wording)

    def _wording(self, request: Request) -> Wording:
        asked = request.query_params.get("lang", self._lang)
        return Wording.of(asked if asked in LANGUAGES else self._lang)

    def _page(self, request: Request, name: str, status: int = 200, **values: Any) -> Response:
        wording = self._wording(request)
        text = rendering.page(
            name, wording, path=request.url.path, default_lang=self._lang, token=self._token, **values
        )
        return HTMLResponse(text, status)

    async def _on_error(self, request: Request, error: Exception) -> Response:
        """Answer an error: as JSON to a script, as a page to a person."""
        if isinstance(error, RefusedError):
            refused = error
        elif isinstance(error, ProvgridError):
            refused = RefusedError(422, "unreadable", reason=str(error))
        elif isinstance(error, HTTPException):
            refused = RefusedError(error.status_code, "method" if error.status_code == 405 else "no_page")
        else:
            log.error("a request failed", exc_info=error)
            refused = RefusedError(500, "fault", reason=type(error).__name__)
        return self._answer(request, refused)

    def _refusal(self, scope: Scope, refused: RefusedError) -> ASGIApp:
        from starlette.requests import Request

        return self._answer(Request(scope), refused)

    def _answer(self, request: Request, refused: RefusedError) -> Response:
        lang = self._wording(request).lang
        headers = {405: {"allow": "GET, HEAD, POST"}, 429: {"retry-after": "30"}, 503: {"retry-after": "5"}}
        more = headers.get(refused.status, {})
        if request.scope["path"].startswith("/api/"):
            record = {"error": refused.key, "message": refused.text(lang)}
            return JSONResponse(record, refused.status, headers=more)
        # Who is not let in gets no token either.
        text = rendering.page("refused", Wording.of(lang), path="/", default_lang=self._lang, token="", refused=refused)
        return HTMLResponse(text, refused.status, headers=more)
