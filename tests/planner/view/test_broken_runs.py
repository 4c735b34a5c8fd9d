"""Runs with broken, missing or foreign files: every address says so in a sentence, and none is a fault of provgrid."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pandas as pd
import pytest

from view_page import Served, served

RUN, BROKEN = "tiny-cheapest-1", "broken"


def _text(name: str, text: str) -> Callable[[Path], None]:
    return lambda run: (run / name).write_text(text, encoding="utf-8") and None


def _gone(name: str) -> Callable[[Path], None]:
    def breaks(run: Path) -> None:
        path = run / name
        shutil.rmtree(path) if path.is_dir() else path.unlink()

    return breaks


def _folder(name: str) -> Callable[[Path], None]:
    """Put a folder where a file is expected."""

    def breaks(run: Path) -> None:
        (run / name).unlink()
        (run / name).mkdir()

    return breaks


def _file(name: str) -> Callable[[Path], None]:
    """Put a file where a folder is expected."""

    def breaks(run: Path) -> None:
        shutil.rmtree(run / name)
        (run / name).write_text("no folder", encoding="utf-8")

    return breaks


def _without(key: str) -> Callable[[Path], None]:
    def breaks(run: Path) -> None:
        manifest = json.loads((run / "manifest.json").read_text(encoding="utf-8"))
        del manifest[key]
        (run / "manifest.json").write_text(json.dumps(manifest), encoding="utf-8")

    return breaks


def _with(key: str, value: object) -> Callable[[Path], None]:
    def breaks(run: Path) -> None:
        manifest = json.loads((run / "manifest.json").read_text(encoding="utf-8"))
        (run / "manifest.json").write_text(json.dumps({**manifest, key: value}), encoding="utf-8")

    return breaks


def _empty(name: str) -> Callable[[Path], None]:
    """Keep a table's columns and none of its rows."""

    def breaks(run: Path) -> None:
        pd.read_parquet(run / f"{name}.parquet").iloc[:0].to_parquet(run / f"{name}.parquet", index=False)

    return breaks


def _foreign(name: str) -> Callable[[Path], None]:
    def breaks(run: Path) -> None:
        pd.DataFrame({"a": ["b"]}).to_parquet(run / f"{name}.parquet", index=False)

    return breaks


TABLES = ("training", "jobs", "inference", "energy", "peaks", "traffic", "prices")
KEYS = ("format", "scenario", "engine", "status", "certificate", "unserved_share", "cost_details", "options", "source")
MANIFESTS: dict[str, Callable[[Path], None]] = {
    **{f"manifest {text}": _text("manifest.json", text) for text in ("{", "[]", "{}", "", "null", "3", '"a"')},
    **{f"no {key}": _without(key) for key in KEYS if key not in ("format", "cost_details")},
    "options in a list": _with("options", []),
    "foreign option": _with("options", {"speed": 9}),
    "gap of text": _with("options", {"gap": "much"}),
    "no seconds": _with("options", {"threads": 0}),
    "huge share": _with("unserved_share", 10**400),
    "certificate": _with("certificate", {}),
}
FILES: dict[str, Callable[[Path], None]] = {
    **{f"no {name}": _gone(f"{name}.parquet") for name in TABLES},
    **{f"empty {name}": _empty(name) for name in TABLES},
    **{f"foreign {name}": _foreign(name) for name in TABLES},
    "text for a table": _text("jobs.parquet", "no table"),
    "folder for a table": _folder("jobs.parquet"),
    "no format": _without("format"),
    "no cost_details": _without("cost_details"),
    "no source_sha256": _without("source_sha256"),
    "no timings": _without("timings"),
    "no history": _without("history"),
    "no provenance": _without("provenance"),
    "history of text": _with("history", "long"),
    "timings of text": _with("timings", "long"),
    "format of text": _with("format", "one"),
    "no costs": _gone("costs.csv"),
    "folder for costs": _folder("costs.csv"),
    "costs of text": _text("costs.csv", "a,b\n1,2\n"),
    "empty costs": _text("costs.csv", ""),
    "no log": _gone("solver.log"),
    "no scenario folder": _gone("scenario"),
    "file for the scenario": _file("scenario"),
    "no settings": _gone("scenario/scenario.toml"),
    "folder for settings": _folder("scenario/scenario.toml"),
    "settings of text": _text("scenario/scenario.toml", "{"),
    "empty settings": _text("scenario/scenario.toml", ""),
    "foreign settings": _text("scenario/scenario.toml", 'name = 3\nprices = "high"\n'),
}


@pytest.fixture(scope="module")
def shop(tiny_run: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    folder = tmp_path_factory.mktemp("broken") / "runs"
    shutil.copytree(tiny_run, folder / RUN)
    with served(folder) as site:
        yield site


def _broken(shop: Served, tiny_run: Path, breaks: Callable[[Path], None]) -> None:
    shutil.rmtree(shop.folder / BROKEN, ignore_errors=True)
    shutil.copytree(tiny_run, shop.folder / BROKEN)
    breaks(shop.folder / BROKEN)


def _statuses(shop: Served) -> dict[str, int]:
    """Ask every address that reads the broken run, in both languages where people read it."""
    pages = ("/", f"/runs/{BROKEN}", f"/runs/{BROKEN}/report", f"/compare/{BROKEN}/{RUN}", f"/compare/{RUN}/{BROKEN}")
    found = {page: shop.ask(page).status for page in (*pages, "/api/runs", f"/api/runs/{BROKEN}/levers")}
    found[f"/runs/{BROKEN}?lang=zh"] = shop.ask(f"/runs/{BROKEN}?lang=zh").status
    command = f"/api/runs/{BROKEN}/command"
    return {**found, command: shop.post(command, {}).status}


@pytest.mark.slow
@pytest.mark.parametrize("breaks", MANIFESTS.values(), ids=MANIFESTS)
def test_a_broken_manifest_is_answered_with_what_to_do(
    shop: Served, tiny_run: Path, breaks: Callable[[Path], None]
) -> None:
    _broken(shop, tiny_run, breaks)
    found = _statuses(shop)
    assert all(status < 500 for status in found.values()), found
    page = shop.ask(f"/runs/{BROKEN}")
    assert page.status == found[f"/compare/{BROKEN}/{RUN}"] == found[f"/api/runs/{BROKEN}/command"] == 422
    assert "manifest cannot be read; solve it again" in page.text
    assert found["/"] == found["/api/runs"] == 200


FAST = ("empty jobs", "foreign prices", "no timings", "folder for costs", "file for the scenario", "empty settings")


@pytest.mark.parametrize(
    "breaks",
    [pytest.param(breaks, id=name, marks=() if name in FAST else pytest.mark.slow) for name, breaks in FILES.items()],
)
def test_broken_missing_and_foreign_files_are_no_fault_of_the_page(
    shop: Served, tiny_run: Path, breaks: Callable[[Path], None]
) -> None:
    _broken(shop, tiny_run, breaks)
    found = _statuses(shop)
    assert all(status < 500 for status in found.values()), found
    assert found["/"] == found[f"/runs/{BROKEN}"] == 200


def test_what_stands_where_reports_are_kept_is_named(runs: Path) -> None:
    (runs / ".view").write_text("no folder", encoding="utf-8")
    with served(runs) as site:
        answer = site.ask(f"/runs/{RUN}/report")
    assert (answer.status, ".view is not what the page keeps" in answer.text) == (409, True)
