"""Clients that mean harm, or do not know better: each is answered, with the right status and one clear sentence."""

from __future__ import annotations

import json
import socket
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from provgrid.view import guard
from provgrid.view.desk import MOST_WAITING, Desk
from provgrid.view.protocol import PatientProtocol
from provgrid.view.refusals import RefusedError
from provgrid.view.shelf import Shelf
from provgrid.view.solving import Order
from provgrid_optimizer.options import SolveOptions
from view_page import Served, served, token_in, until

RUN = "tiny-cheapest-1"
SOLVE, COMMAND = f"/api/runs/{RUN}/solve", f"/api/runs/{RUN}/command"
ODD = (
    "..|.|/|\\|%2e|%2f|%252e|%252f|%5c|%00|%c0%ae|%ff|%e2%80%ae|%0d%0a|%20|file:|C:|~|*|．．|secret.txt|etc|passwd|runs"
)
PARTS = st.sampled_from([*ODD.split("|"), RUN, "manifest.json"])


def test_it_listens_on_this_machine_alone(site: Served) -> None:
    assert site.page.socket.getsockname() == ("127.0.0.1", site.page.port)
    if Path("/proc/net/tcp").is_file():
        listening = "0A"
        rows = [line.split() for line in Path("/proc/net/tcp").read_text().splitlines()[1:]]
        rows += [line.split() for line in Path("/proc/net/tcp6").read_text().splitlines()[1:]]
        where = {row[1] for row in rows if row[3] == listening and row[1].endswith(f":{site.page.port:04X}")}
        assert where == {f"0100007F:{site.page.port:04X}"}


@settings(max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    before=st.sampled_from(["/", "/runs/", f"/runs/{RUN}/", "/compare/", f"/compare/{RUN}/", "/static/", "/api/runs/"]),
    parts=st.lists(PARTS, min_size=1, max_size=8),
    after=st.sampled_from(["", "/report", "/levers"]),
)
@example(before="/", parts=["..", "/", "secret.txt"], after="")
@example(before="/runs/", parts=["..", "%2f", "secret.txt"], after="")
@example(before="/static/", parts=["%252e", "%252e", "%252f", "app.py"], after="")
@example(before="/runs/", parts=["%00"], after="/report")
def test_no_path_reaches_what_is_not_a_run(site: Served, before: str, parts: list[str], after: str) -> None:
    path = quote(before + "".join(parts) + after, safe="/%*~:\\")
    answer = site.ask(path)
    honest = {
        "/",
        f"/runs/{RUN}",
        f"/runs/{RUN}/report",
        f"/compare/{RUN}/{RUN}",
        "/api/runs",
        f"/api/runs/{RUN}/levers",
    }
    assert answer.status == 404 or path in honest
    assert b"not for the page" not in answer.body
    assert b"root:" not in answer.body


@given(st.text(min_size=1, max_size=30))
@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_no_name_but_a_run_is_ever_found(site: Served, name: str) -> None:
    shelf = Shelf(site.folder)
    if name in shelf.names():
        return
    with pytest.raises(Exception, match="no run of that name"):
        shelf.run(name)


def test_links_out_of_the_folder_are_not_followed(runs: Path, tiny_run: Path) -> None:
    (runs / "linked").symlink_to(tiny_run)
    (runs / "inside").mkdir()
    for file in (runs / RUN).iterdir():
        if file.is_file():
            (runs / "inside" / file.name).write_bytes(file.read_bytes())
    (runs / "inside" / "solver.log").unlink()
    (runs / "inside" / "solver.log").symlink_to(runs.parent / "secret.txt")
    (runs / "borrowed").mkdir()
    (runs / "borrowed" / "manifest.json").write_bytes((runs / RUN / "manifest.json").read_bytes())
    (runs / "borrowed" / "scenario").mkdir()
    (runs / "borrowed" / "scenario" / "scenario.toml").write_text('extends = "../../../outside"\n')
    with served(runs) as site:
        assert site.ask("/runs/linked").status == 404
        assert site.ask("/runs/inside/report").status == 403
        assert "leads out of the runs folder" in site.ask("/runs/inside").text
        refused = site.ask("/api/runs/borrowed/levers")
        assert (refused.status, refused.json["error"]) == (403, "leads_out")
        # One broken run must not hide the others.
        assert f'href="/runs/{RUN}"' in site.ask("/").text


def test_a_cache_that_leads_out_of_the_folder_is_not_written_to(runs: Path) -> None:
    (runs.parent / "outside").mkdir()
    (runs / ".view").symlink_to(runs.parent / "outside")
    with served(runs) as site:
        assert site.ask(f"/runs/{RUN}/report").status == 403
    assert list((runs.parent / "outside").iterdir()) == []


@pytest.mark.parametrize(
    "host", ["evil.example", "evil.example:{port}", "127.0.0.1", "127.0.0.1:1", "0.0.0.0:{port}", ""]
)
def test_other_names_of_this_machine_are_not_answered(site: Served, host: str) -> None:
    # A name of another site that points here is how a page there would come past the rule of same origin.
    answer = site.ask("/", headers={"Host": host.format(port=site.page.port)})
    assert answer.status == 421
    assert "open the address that provgrid view printed" in answer.text
    assert token_in(answer.text) == ""


def test_two_hosts_are_one_too_many(site: Served) -> None:
    own = f"127.0.0.1:{site.page.port}"
    answer = site.raw(f"GET / HTTP/1.1\r\nHost: {own}\r\nHost: {own}\r\nConnection: close\r\n\r\n".encode())
    assert answer.split(b" ")[1] in (b"400", b"421")


def test_localhost_is_this_machine_too(site: Served) -> None:
    assert site.ask("/", headers={"Host": f"localhost:{site.page.port}"}).status == 200


@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": "http://evil.example"},
        {"Origin": "null"},
        {"Origin": "https://127.0.0.1:{port}"},
        {"Origin": "http://127.0.0.1:1"},
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
    ],
)
@pytest.mark.parametrize("method", ["GET", "POST"])
def test_other_origins_get_nothing(site: Served, headers: dict[str, str], method: str) -> None:
    sent = {name: value.format(port=site.page.port) for name, value in headers.items()}
    own = {"content-type": "application/json", "x-provgrid-token": site.page.token}
    answer = site.ask(COMMAND if method == "POST" else "/api/runs", method, b"{}", {**own, **sent})
    assert (answer.status, answer.json["error"]) == (403, "origin")
    assert "access-control-allow-origin" not in answer.headers


def test_nobody_is_told_that_another_origin_may_ask(site: Served) -> None:
    asked = {"Origin": "http://evil.example", "Access-Control-Request-Method": "POST"}
    answer = site.ask(SOLVE, "OPTIONS", headers=asked)
    assert answer.status == 403
    assert not [name for name in answer.headers if name.startswith("access-control")]


@pytest.mark.parametrize("token", ["", "x", "é"])
def test_a_post_needs_the_token_of_this_page(site: Served, token: str) -> None:
    answer = site.post(COMMAND, {}, x_provgrid_token=token)
    assert (answer.status, answer.json["error"]) == (403, "token")


def test_each_page_has_a_token_of_its_own(runs: Path) -> None:
    with served(runs) as one, served(runs) as other:
        assert one.page.token != other.page.token
        assert token_in(one.ask("/").text) == one.page.token
        assert other.post(COMMAND, {}, x_provgrid_token=one.page.token).status == 403


def test_forms_of_html_are_not_taken(site: Served) -> None:
    answer = site.post(COMMAND, b"levers=1", content_type="application/x-www-form-urlencoded")
    assert (answer.status, answer.json["error"]) == (415, "json_only")


@pytest.mark.parametrize(
    ("body", "status", "error"),
    [
        (b"", 400, "bad_json"),
        (b"{", 400, "bad_json"),
        (b"\xff\xfe", 400, "bad_json"),
        (b"[]", 400, "no_object"),
        (b"null", 400, "no_object"),
        (b'"text"', 400, "no_object"),
        (b"{} {}", 400, "bad_json"),
        (b'{"levers": {"carbon": NaN}}', 400, "bad_json"),
        (b'{"levers": {"carbon": Infinity}}', 400, "bad_json"),
        (b'{"levers": {"carbon": 1e999}}', 422, "lever_range"),
        (b'{"levers": {"carbon": ' + b"9" * 5000 + b"}}", 400, "bad_json"),
        (b'{"levers": {"carbon": ' + b"9" * 400 + b"}}", 422, "lever_range"),
        (b'{"levers": {"carbon": "80"}}', 400, "lever_number"),
        (b'{"levers": {"carbon": {"a": 1}}}', 400, "lever_number"),
        (b'{"levers": {"carbon": 1, "carbon": 2}}', 400, "bad_json"),
        (b'{"levers": [1]}', 400, "levers_object"),
        (b'{"levers": {"prices.basis": "full"}}', 422, "lever_unknown"),
        (b'{"levers": {"../../etc": 1}}', 422, "lever_unknown"),
        (b'{"output": "/tmp/x"}', 422, "unknown_field"),
        (b'{"engine": "rm"}', 422, "engine"),
        (b'{"engine": ["lp"]}', 422, "engine"),
        (b'{"time_limit_s": "1"}', 400, "stop_number"),
        (b'{"time_limit_s": -1}', 422, "stop_range"),
        (b'{"gap_percent": 100}', 422, "stop_range"),
        (b"[" * 30_000, 400, "too_deep"),
        (b'{"a":' * 10_000, 400, "too_deep"),
    ],
)
def test_a_body_that_makes_no_sense_is_refused_in_a_sentence(
    site: Served, body: bytes, status: int, error: str
) -> None:
    answer = site.post(COMMAND, body)
    assert (answer.status, answer.json["error"]) == (status, error), answer.text
    assert len(answer.json["message"].split()) > 4
    assert answer.json["message"].isprintable()


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
        lambda inner: (
            st.lists(inner, max_size=3)
            | st.dictionaries(
                st.sampled_from(
                    ["levers", "carbon", "zones", "engine", "gap_percent", "time_limit_s", "residency", "x"]
                ),
                inner,
            )
        ),
        max_leaves=8,
    )
)
def test_any_body_is_answered_and_never_with_a_fault(site: Served, body: Any) -> None:
    assert site.post(COMMAND, json.dumps(body).encode()).status in (200, 400, 422)


def test_a_body_that_says_that_it_is_long_is_not_read(site: Served) -> None:
    answer = site.post(COMMAND, b"{}", content_length=str(10**15))
    assert (answer.status, answer.json["error"]) == (413, "too_large")


def test_a_body_in_chunks_is_read_no_further_than_the_limit(site: Served) -> None:
    head = (
        f"POST {COMMAND} HTTP/1.1\r\nHost: 127.0.0.1:{site.page.port}\r\nContent-Type: application/json\r\n"
        f"X-Provgrid-Token: {site.page.token}\r\nTransfer-Encoding: chunked\r\n\r\n"
    ).encode()
    chunk = b"1000\r\n" + b" " * 0x1000 + b"\r\n"
    # Just above the limit, and never ended: what waits for the end would wait for ever.
    answer = site.raw(head + chunk * (guard.MOST_BYTES // 0x1000 + 1))
    assert answer.startswith(b"HTTP/1.1 413 ")
    assert b"65536 bytes are the most" in answer


def test_headers_without_end_are_refused(site: Served) -> None:
    assert site.raw(b"GET / HTTP/1.1\r\n" + b"X: " + b"a" * 100_000).startswith(b"HTTP/1.1 400 ")


def test_what_is_no_http_is_refused(site: Served) -> None:
    assert site.raw(b"\x16\x03\x01\x02\x00 hello\r\n\r\n").startswith(b"HTTP/1.1 400 ")


def test_a_body_that_never_ends_is_given_up(site: Served, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(guard, "BODY_PATIENCE_S", 0.2)
    head = (
        f"POST {COMMAND} HTTP/1.1\r\nHost: 127.0.0.1:{site.page.port}\r\nContent-Type: application/json\r\n"
        f"X-Provgrid-Token: {site.page.token}\r\nContent-Length: 100\r\n\r\n{{"
    ).encode()
    assert site.raw(head).startswith(b"HTTP/1.1 408 ")


@pytest.mark.parametrize("part", [b"", b"GET / HT", b"GET / HTTP/1.1\r\nHost: 127.0.0.1\r\nX-Slow: a"])
def test_a_request_that_never_comes_is_given_up(site: Served, monkeypatch: pytest.MonkeyPatch, part: bytes) -> None:
    monkeypatch.setattr(PatientProtocol, "patience_s", 0.2)
    assert site.raw(part).startswith(b"HTTP/1.1 408 ")


def test_a_second_request_that_never_comes_is_given_up_too(site: Served, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(PatientProtocol, "patience_s", 0.2)
    head = f"GET /api/runs HTTP/1.1\r\nHost: 127.0.0.1:{site.page.port}\r\n".encode()
    answer = site.raw(head + b"\r\n" + head)
    assert answer.startswith(b"HTTP/1.1 200 ")
    assert b"HTTP/1.1 408 " in answer


def test_slow_clients_keep_nobody_else_waiting(site: Served) -> None:
    slow = [socket.create_connection(("127.0.0.1", site.page.port)) for _ in range(50)]
    try:
        for connection in slow:
            connection.sendall(b"GET / HTTP/1.1\r\nX: ")
        assert site.ask("/api/runs").status == 200
    finally:
        for connection in slow:
            connection.close()


def test_methods_that_no_address_takes_are_refused(site: Served) -> None:
    for method in ("PUT", "DELETE", "PATCH", "TRACE", "CONNECT", "PROPFIND"):
        answer = site.ask("/api/runs", method)
        assert (answer.status, answer.headers["allow"]) == (405, "GET, HEAD, POST")
    assert site.ask(SOLVE).status == 405
    assert site.post("/api/runs").status == 405


def test_every_answer_says_what_a_browser_may_do_with_it(site: Served) -> None:
    for path in ("/", f"/runs/{RUN}", "/static/view.js", "/api/runs", "/nothing", "/static/", "/runs/"):
        answer = site.ask(path)
        policy = answer.headers["content-security-policy"]
        assert policy.startswith("default-src 'none';")
        assert "unsafe" not in policy
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert answer.headers["x-frame-options"] == "DENY"
        assert answer.headers["cache-control"] == "no-store"


@pytest.fixture
def quiet_site(site: Served) -> Iterator[Served]:
    """The page, with an empty queue before and after."""

    def under_way() -> list[str]:
        return [line.split('"')[0] for line in site.ask("/").text.split('href="/solves/')[1:]]

    assert under_way() == []
    yield site
    for _ in range(2):  # what is dropped makes room for the next, which has to be dropped too
        for solve in under_way():
            site.post(f"/api/solves/{solve}/cancel")
    until(lambda: not under_way(), "the queue is empty")


def test_of_a_hundred_solves_at_once_a_few_wait_and_the_others_are_told_so(quiet_site: Served) -> None:
    before = time.monotonic()
    with ThreadPoolExecutor(100) as crowd:
        answers = list(crowd.map(lambda i: quiet_site.post(SOLVE, {"levers": {"carbon": i + 1}}), range(100)))
    statuses = [answer.status for answer in answers]
    assert set(statuses) == {202, 429}
    # One runs; a first one may have ended while the others were still asking.
    assert MOST_WAITING + 1 <= statuses.count(202) <= MOST_WAITING + 2 + (time.monotonic() - before) // 2
    refused = next(answer for answer in answers if answer.status == 429)
    assert refused.json["message"].startswith("4 solves are waiting already; wait until one has ended")
    assert refused.headers["retry-after"] == "30"
    assert quiet_site.ask("/").status == 200


def test_a_solve_that_is_about_to_run_does_not_count_as_waiting(tmp_path: Path) -> None:
    order = Order(
        base=RUN,
        scenario=tmp_path,
        overrides=(),
        engine="heuristic",
        options=SolveOptions(),
        runs=tmp_path,
        runs_as_typed="runs",
    )
    desk = Desk()  # nobody works at it yet
    for _ in range(MOST_WAITING + 1):
        desk.take(order)
    with pytest.raises(RefusedError, match=f"^{MOST_WAITING} solves are waiting already"):
        desk.take(order)


def test_files_of_the_page_stay_within_the_runs_folder(site: Served) -> None:
    assert sorted(path.name for path in site.folder.parent.iterdir()) == ["runs", "secret.txt"]
    names = [path.name for path in site.folder.iterdir()]
    assert all(name in (RUN, ".view") or name.startswith(("tiny-", ".tiny-")) for name in names)
