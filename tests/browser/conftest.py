"""Chromium without a network, for tests of pages: each test sees what a planner sees who opens a file from disk.

Marked `browser`: `make test-browser` installs what it can and runs them. Without Chromium, or without the packages of
the `browser` extra, they are skipped and say so.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page, Route

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
GRAVE = ("serious", "critical")
PATIENCE_MS = 120_000.0  # of a machine that does much else


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Every test of this folder needs a browser."""
    here = Path(__file__).parent
    for item in items:
        if here in item.path.parents:
            item.add_marker(pytest.mark.browser)


def chromium_path() -> str | None:
    """Where Chromium is: the path that CHROMIUM names, or the first of the usual names."""
    return os.environ.get("CHROMIUM") or next((found for name in NAMES if (found := shutil.which(name))), None)


@pytest.fixture(scope="session")
def chromium() -> Iterator[Browser]:
    """The system's Chromium, for the whole session."""
    api = pytest.importorskip("playwright.sync_api", reason="playwright is not installed; make test-browser does it")
    path = chromium_path()
    if path is None:
        pytest.skip("there is no Chromium here; install it (apt-get install chromium) or name one with CHROMIUM=")
    # As root, as in a container, Chromium runs without its sandbox or not at all.
    flags = ["--no-sandbox"] if os.geteuid() == 0 else []
    with api.sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=flags)
        yield browser
        browser.close()


@pytest.fixture(scope="session")
def axe_script() -> str:
    """axe-core, as the package of the `browser` extra carries it."""
    package = pytest.importorskip("axe_playwright_python", reason="axe-core is not installed; see make test-browser")
    return (Path(package.__file__).parent / "axe.min.js").read_text(encoding="utf-8")


@dataclass
class Seen:
    """What a page did: errors on its console, requests beyond the file itself, dialogs that opened."""

    page: Page
    errors: list[str] = field(default_factory=list)
    requests: list[str] = field(default_factory=list)
    dialogs: list[str] = field(default_factory=list)

    def is_quiet(self) -> bool:
        """Whether nothing went wrong, was asked for, or popped up."""
        return (self.errors, self.requests, self.dialogs) == ([], [], [])


@pytest.fixture
def opened(chromium: Browser) -> Callable[..., Any]:
    """Open a file from disk: `with opened(path, width_px=390, dark=True) as seen`; see `Seen`."""

    @contextmanager
    def open_page(path: Path, *, width_px: int = 1280, dark: bool = False) -> Iterator[Seen]:
        context = chromium.new_context(
            viewport={"width": width_px, "height": 900},
            color_scheme="dark" if dark else "light",
            offline=True,
            accept_downloads=True,
            reduced_motion="reduce",
        )
        context.set_default_timeout(PATIENCE_MS)
        page = context.new_page()
        seen = Seen(page)

        def answer(route: Route) -> None:
            if route.request.url == path.resolve().as_uri():
                route.continue_()
                return
            seen.requests.append(route.request.url)
            route.abort()

        context.route(lambda url: not url.startswith(("data:", "blob:")), answer)
        page.on("console", lambda message: seen.errors.append(message.text) if message.type == "error" else None)
        page.on("pageerror", lambda error: seen.errors.append(str(error)))
        page.on("dialog", lambda dialog: (seen.dialogs.append(dialog.message), dialog.dismiss()))
        page.goto(path.resolve().as_uri())
        if page.locator(".plot").count():
            page.wait_for_selector("html[data-pictures=drawn]", timeout=PATIENCE_MS)
        yield seen
        context.close()

    return open_page


@pytest.fixture
def grave_faults(axe_script: str) -> Callable[[Page], list[str]]:
    """What axe-core calls serious or critical on a page: rule and place of each."""

    def faults(page: Page) -> list[str]:
        page.evaluate(axe_script)
        found = page.evaluate("axe.run(document, {resultTypes: ['violations']})")["violations"]
        return [
            f"{fault['id']}: {node['target']} {node['failureSummary']}"
            for fault in found
            if fault["impact"] in GRAVE
            for node in fault["nodes"]
        ]

    return faults
