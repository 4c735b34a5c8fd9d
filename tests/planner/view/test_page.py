"""The page at work: what it lists, opens, solves and compares, over a real port."""

from __future__ import annotations

import asyncio
import json
import multiprocessing
import re
import shlex
import shutil
import signal
import socket
import sys
import webbrowser
from dataclasses import replace
from pathlib import Path

import pytest

import provgrid as pg
from command_line import in_this_process, one_line, start
from provgrid.cli.view import _open_browser
from provgrid.report.wording import Wording
from provgrid.view import rendering
from provgrid.view.desk import Solve
from provgrid.view.reading import read_comparison
from provgrid.view.server import Page
from provgrid.view.shelf import Shelf, folder_name
from provgrid.view.solving import Order, _solve
from provgrid_models.errors import InfeasibleError
from provgrid_models.files import save_scenario
from provgrid_optimizer.options import SolveOptions
from tiny import job, tiny_scenario
from view_page import Served, served, until

RUN = "tiny-cheapest-1"


def test_the_list_has_a_line_for_each_run_and_survives_a_broken_one(runs: Path) -> None:
    (runs / "broken").mkdir()
    (runs / "broken" / "manifest.json").write_text("[" * 100_000, encoding="utf-8")
    (runs / "no run").mkdir()
    with served(runs) as site:
        text = site.ask("/").text
        cost = pg.open(runs / RUN).objective_yuan
        assert f'<a href="/runs/{RUN}">{RUN}</a>' in text
        assert f"{cost:,.0f} yuan" in text
        assert "its manifest cannot be read" in text
        assert "no run<" not in text
        assert site.ask("/runs/broken").status == 422
        listed = {run["name"]: run for run in site.ask("/api/runs").json["runs"]}
        assert listed.keys() == {RUN, "broken"}
        assert listed[RUN]["objective_yuan"] == cost


def test_a_share_that_does_not_count_work_that_no_pool_can_serve_is_marked_and_told(tmp_path: Path) -> None:
    never = job("never", max_accelerators=2000.0, min_accelerators=1000.0, unserved_yuan=70.0)
    for name, jobs in (("some", [job("a"), never]), ("none", [job("a")])):
        pg.solve(tiny_scenario(jobs=jobs), engine="cheapest", policies=False).save(tmp_path / name)
    with served(tmp_path) as site:
        marks = {
            row.partition("</a>")[0].rpartition(">")[2]: "0%*</td>" in row
            for row in site.ask("/").text.split("<tr>")[2:]
        }
        assert marks == {"some": True, "none": False}
        assert "* of what some pool can serve; beside it stands work that no pool can serve" in site.ask("/").text
        assert "no pool can serve, worth 70 yuan" in site.ask("/runs/some").text
        assert "no pool can serve" not in site.ask("/runs/none").text
    shutil.rmtree(tmp_path / "some")
    with served(tmp_path) as site:
        assert "no pool can serve" not in site.ask("/").text


def test_an_empty_folder_says_how_to_make_a_run(tmp_path: Path) -> None:
    with served(tmp_path) as site:
        assert "provgrid solve toy" in site.ask("/").text


def test_a_run_shows_its_levers_with_limits_and_what_they_are_now(site: Served) -> None:
    text = site.ask(f"/runs/{RUN}").text
    capacity = re.search(r'<div class="lever" data-key="capacity\.city_a/fast".*?</div>', text, re.DOTALL)
    assert capacity is not None
    assert 'min="0.0" max="10000000.0" value="20" data-was="20"' in capacity.group()
    assert "Accelerators of type fast installed at city_a." in capacity.group()
    assert f"provgrid solve runs/{RUN}/scenario --engine cheapest --passes 5" in text


def test_the_command_names_what_is_not_the_default_so_that_it_does_the_same() -> None:
    options = SolveOptions(passes=5, threads=3, seed=7)
    order = Order(
        base="a run",
        scenario=Path("s"),
        overrides=("horizon.periods=3",),
        engine="cheapest",
        options=options,
        runs=Path("runs"),
        runs_as_typed="runs",
    )
    told = "--engine cheapest --passes 5 --threads 3 --seed 7 --set horizon.periods=3"
    assert order.command == f"provgrid solve 'runs/a run/scenario' {told}"
    order = replace(order, overrides=(), engine="lp", options=SolveOptions())
    assert order.command == "provgrid solve 'runs/a run/scenario' --engine lp"


def test_both_languages_are_whole(site: Served) -> None:
    text = site.ask(f"/runs/{RUN}?lang=zh").text
    assert '<html lang="zh-CN">' in text
    assert "碳价" in text
    assert f'href="/runs/{RUN}/report?lang=zh"' in text
    assert site.ask("/?lang=xx").text.count('<html lang="en">') == 1
    refused = site.post(f"/api/runs/{RUN}/command?lang=zh", {"levers": {"carbon": -1}})
    assert refused.json["message"] == "条件 carbon 的范围是 0 至 10000，而不是 -1。"


def test_a_report_is_made_once_and_kept_in_the_folder(site: Served) -> None:
    first = site.ask(f"/runs/{RUN}/report")
    assert first.status == 200
    assert "<h1>" in first.text
    kept = [path for path in (site.folder / ".view").iterdir() if path.suffix == ".html"]
    assert [path.read_bytes() for path in kept] == [first.body]
    stamp = kept[0].stat().st_mtime_ns
    assert site.ask(f"/runs/{RUN}/report").body == first.body
    assert kept[0].stat().st_mtime_ns == stamp
    # Its scripts run without an origin: they reach nothing of the page.
    assert first.headers["content-security-policy"].startswith("sandbox allow-scripts ")
    assert "allow-same-origin" not in first.headers["content-security-policy"]


def test_the_command_shown_does_what_the_levers_ask_for(site: Served, tmp_path: Path) -> None:
    body = {"levers": {"carbon": 80, "capacity.city_a/fast": 25, "power.east": 0.5, "residency": False}}
    command = site.post(f"/api/runs/{RUN}/command", body).json["command"]
    words = [word.replace("runs/", f"{site.folder}/") for word in shlex.split(command)]
    assert words.pop(0) == "provgrid"
    assert in_this_process(*words, "--no-policies", "-o", tmp_path / "run").returncode == 0
    scenario = pg.load(tmp_path / "run" / "scenario")
    assert scenario.settings.prices.carbon_price_yuan_per_t == 80.0
    assert not scenario.settings.switches.residency
    assert next(pool.accelerators for pool in scenario.pools if pool.id == "city_a/fast") == 25.0
    assert scenario.tariffs.query("tariff == 'east' and hour == 0")["price_yuan_per_kwh"].item() == pytest.approx(0.25)


@pytest.mark.slow
def test_a_solve_tells_how_it_goes_and_is_compared_with_the_run_before(runs: Path) -> None:
    with served(runs) as site:
        asked = site.post(f"/api/runs/{RUN}/solve", {"levers": {"carbon": 500}})
        assert asked.status == 202
        states = list(site.states(asked.json["id"]))
        assert states[-1]["state"] == "done", states[-1]
        assert {state["state"] for state in states} == {"running", "done"}
        assert len({state["stage"] for state in states}) > 1
        new = states[-1]["run"]
        plan = pg.open(runs / new)
        assert plan.scenario is not None
        assert plan.scenario.settings.prices.carbon_price_yuan_per_t == 500.0
        assert states[-1]["cost"] == f"{plan.objective_yuan:,.0f} yuan"
        text = site.ask(f"/compare/{RUN}/{new}").text
        assert "prices.carbon_price_yuan_per_t" in text
        assert f"provgrid compare runs/{RUN} runs/{new}" in text
        missing = site.ask(f"/compare/{RUN}/nothing")
        assert missing.status == 404


def test_a_comparison_speaks_the_language_of_its_page(runs: Path) -> None:
    named = {"city_a": {"name": "City", "name_zh": "甲市"}, "hub_b": {"name": "Hub", "name_zh": "乙枢纽"}}
    dearer = tiny_scenario(
        clusters=named,
        tenants={"city": {"name": "政务云"}},
        services={"chat": {"slo_class": "chat"}},
        tariffs=[{"tariff": "east", "season": "summer", "hour": h, "price_yuan_per_kwh": 2.0} for h in range(24)]
        + [{"tariff": "west", "price_yuan_per_kwh": 0.3}],
    )
    pg.solve(dearer, engine="local", policies=False, passes=5).save(runs / "dearer")
    found = read_comparison(runs / RUN, runs / "dearer")
    chinese, english = (rendering.comparison(found, Wording.of(lang)) for lang in ("zh", "en"))
    places = [row["place"] for row in chinese["inputs"]]
    assert "tariffs 24行，如 east summer 0, east summer 1, east summer 2 price_yuan_per_kwh" in places
    words = {name: {row[name] for row in chinese["flows"]} for name in ("work", "cluster", "tenant")}
    assert words["work"] == {"弹性训练", "对话", "instant"}
    assert {"甲市", "乙枢纽"} <= words["cluster"]
    assert "政务云" in words["tenant"]
    assert {"elastic training", "chat"} <= {row["work"] for row in english["flows"]}
    assert {"City", "Hub"} <= {row["cluster"] for row in english["flows"]}


def test_why_a_solve_has_no_plan_is_told_in_the_language_of_its_page() -> None:
    order = Order(
        base="a run",
        scenario=Path("s"),
        overrides=(),
        engine="lp",
        options=SolveOptions(),
        runs=Path("runs"),
        runs_as_typed="runs",
    )
    said = "job a is hard and no pool can ever serve it: latency above the SLO"
    message = f"{said}; change its window, residency or family, or let hard be false"
    solve = Solve(id="1", order=order, state="failed", message=message)
    assert rendering.state(solve, 0, Wording.of("en"))["message"] == message
    assert rendering.state(solve, 0, Wording.of("zh"))["message"].startswith(
        "任务 a 必须完成，但任何资源池都无法承担：时延超过要求。"
    )


def test_a_solve_that_is_killed_takes_nothing_down_with_it(site: Served) -> None:
    before = Shelf(site.folder).names()
    asked = site.post(f"/api/runs/{RUN}/solve", {"levers": {"carbon": 1}}).json["id"]
    until(lambda: [p for p in multiprocessing.active_children() if p.name == f"solve-{asked}"], "a process")
    for process in multiprocessing.active_children():
        if process.name == f"solve-{asked}":
            process.kill()
    last = list(site.states(asked))[-1]
    assert last["state"] == "failed"
    assert last["message"].startswith("The process that solved was lost")
    assert site.ask("/").status == 200
    assert Shelf(site.folder).names() == before


def test_hard_work_without_a_plan_ends_with_the_command_that_tells_why(tmp_path: Path) -> None:
    save_scenario(
        tiny_scenario(jobs=[job("a", hard=True, max_accelerators=2000.0, min_accelerators=1000.0)]),
        tmp_path / "scenario",
    )
    order = Order(
        base="first",
        scenario=tmp_path / "scenario",
        overrides=("jobs.a.work_pflop_h=9",),
        engine="lp",
        options=SolveOptions(),
        runs=tmp_path,
        runs_as_typed="runs",
    )
    with pytest.raises(InfeasibleError) as refused:
        _solve(order, lambda *message: None)
    said = "see why: provgrid explain runs/first/scenario --infeasible --set jobs.a.work_pflop_h=9"
    assert str(refused.value).endswith(said)


def test_who_waits_may_leave_the_queue(site: Served) -> None:
    ids = [site.post(f"/api/runs/{RUN}/solve", {"levers": {"carbon": i}}).json["id"] for i in (1, 2)]
    waiting = site.ask(f"/api/solves/{ids[1]}").json
    assert (waiting["state"], waiting["headline"]) == ("waiting", "Waiting for 1 before it")
    for solve in reversed(ids):
        assert site.post(f"/api/solves/{solve}/cancel").status == 202
    assert [list(site.states(solve))[-1]["state"] for solve in ids] == ["cancelled", "cancelled"]
    assert site.ask("/solves/0123456789abcdef").status == 404


@pytest.mark.slow
def test_stopping_keeps_the_best_plan_as_ctrl_c_does(tmp_path: Path) -> None:
    runs = tmp_path / "runs"
    pg.solve(pg.scenarios.zhejiang(), engine="cheapest", policies=False).save(runs / "before")
    with served(runs) as site:
        asked = site.post("/api/runs/before/solve", {"engine": "milp", "levers": {"carbon": 80}}).json["id"]
        for state in site.states(asked):
            if state["state"] == "running" and "yuan" in state["cost"]:
                site.post(f"/api/solves/{asked}/cancel")
        assert (state["state"], state["headline"]) == ("done", "Stopped; the best plan so far is kept")
        plan = pg.open(runs / state["run"])
        assert plan.certificate.status == "interrupted"


def test_ctrl_c_ends_the_page_and_its_processes_in_good_order(runs: Path) -> None:
    process = start("view", "--runs", runs, "--no-browser", "--json")
    assert process.stdout is not None
    said = ""
    while not said.endswith("}\n"):
        said += process.stdout.readline()
    found = json.loads(said)
    assert found["address"] == f"http://127.0.0.1:{found['port']}/"
    connection = socket.create_connection(("127.0.0.1", found["port"]))
    process.send_signal(signal.SIGINT)
    rest, errors = process.communicate(timeout=60)
    connection.close()
    assert (process.returncode, rest, errors) == (0, "", "")
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(("127.0.0.1", found["port"]))


def test_who_is_still_on_the_way_in_when_the_page_ends_does_not_hold_it_up(
    runs: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    ours, theirs = socket.socketpair()
    ours.setblocking(False)

    async def page_that_ends_as_someone_comes() -> None:
        page = Page(Shelf(runs), runs_as_typed="runs")
        server, loop = page._server, asyncio.get_running_loop()
        serving = asyncio.create_task(server.serve(sockets=[page.socket]))
        while not server.started:
            await asyncio.sleep(0.01)
        listener = server.servers[0]
        close, coming = listener.close, []

        def closed_while_someone_comes() -> None:
            close()
            coming.append(loop.create_task(loop.connect_accepted_socket(listener._protocol_factory, theirs)))

        listener.close = closed_while_someone_comes
        server.should_exit = True
        await serving
        await coming[0]

    with ours:
        asyncio.run(page_that_ends_as_someone_comes())
        assert ours.recv(1) == b""  # let go
    assert capfd.readouterr().err == ""


def test_a_port_that_is_taken_is_an_error_with_the_next_step(runs: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        said = one_line(in_this_process("view", "--runs", runs, "--no-browser", "--port", str(port)), 2)
    assert said.startswith(f"provgrid: port {port} of 127.0.0.1 cannot be used")
    assert said.endswith("; give another --port, or none")


def test_what_is_no_run_is_an_error_with_the_next_step(runs: Path, tmp_path: Path) -> None:
    assert "is no run; give a folder" in one_line(in_this_process("view", tmp_path, "--no-browser"), 2)
    said = one_line(in_this_process("view", runs / RUN, "--runs", tmp_path, "--no-browser"), 2)
    assert "name runs of one folder only" in said


def test_without_its_packages_view_says_how_to_get_them(runs: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "uvicorn", None)
    monkeypatch.delitem(sys.modules, "provgrid.view.server")
    said = one_line(in_this_process("view", "--runs", runs, "--no-browser"), 7)
    cure = "install it with: python -m pip install -e '.[view]' in a copy of the repository"
    assert said == f"provgrid: view needs uvicorn, which is not installed; {cure}"


@pytest.mark.parametrize("found", [None, webbrowser.GenericBrowser("lynx")])
def test_a_browser_that_would_take_the_terminal_is_not_opened(
    found: webbrowser.BaseBrowser | None, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def get() -> webbrowser.BaseBrowser:
        if found is None:
            raise webbrowser.Error("none")
        return found

    monkeypatch.setattr(webbrowser, "get", get)
    _open_browser("http://127.0.0.1:1/")
    assert capsys.readouterr().err == "provgrid: there is no browser to open here; open the address yourself\n"


def test_a_scenario_names_its_run_with_one_part_of_a_path() -> None:
    assert folder_name("a/../../b.c") == "a-b-c"
    assert folder_name("示范省") == "示范省"
    assert folder_name("...") == "run"
