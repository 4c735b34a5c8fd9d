"""The site of docs/ in real Chromium, from disk, offline: nothing is missing, and equations are drawn."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

DOCS = Path(__file__).parents[2] / "docs"
PAGES = ("index", "quick-start", "model", "questions/worth", "reference/python", "reference/scenario")
WIDTHS_PX = (1280, 390)


@pytest.fixture(scope="session")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    pytest.importorskip("sphinx", reason="the docs extra is not installed; make docs does it")
    made = tmp_path_factory.mktemp("site")
    words = [sys.executable, "-m", "sphinx", "-W", "-q", "-b", "html", "-d", str(made / "trees"), str(DOCS)]
    built = subprocess.run([*words, str(made / "html")], capture_output=True, text=True, check=False)
    assert built.returncode == 0, built.stderr
    return made / "html"


def looked_at(chromium: Browser, file: Path, *, width_px: int, dark: bool, look: Callable[[Page], None]) -> list[str]:
    """Open a page of the site, look at it, and return what went wrong: errors, and requests that failed or left."""
    context = chromium.new_context(
        viewport={"width": width_px, "height": 900}, color_scheme="dark" if dark else "light", offline=True
    )
    page = context.new_page()
    wrong: list[str] = []
    page.on("console", lambda message: wrong.append(message.text) if message.type == "error" else None)
    page.on("pageerror", lambda error: wrong.append(str(error)))
    page.on("requestfailed", lambda request: wrong.append(request.url))
    page.on(
        "request", lambda request: None if request.url.startswith(("file:", "data:")) else wrong.append(request.url)
    )
    page.goto(file.as_uri())
    look(page)
    context.close()
    return wrong


@pytest.mark.parametrize("name", PAGES)
@pytest.mark.parametrize("width_px", WIDTHS_PX)
@pytest.mark.parametrize("dark", [False, True])
def test_a_page_opens_without_an_error_and_is_no_wider_than_the_screen(
    chromium: Browser, site: Path, name: str, width_px: int, dark: bool
) -> None:
    def look(page: Page) -> None:
        assert page.locator("h1").first.is_visible()
        assert page.evaluate("document.documentElement.scrollWidth") <= width_px

    assert looked_at(chromium, site / f"{name}.html", width_px=width_px, dark=dark, look=look) == []


@pytest.mark.parametrize("name", PAGES)
@pytest.mark.parametrize("dark", [False, True])
def test_axe_finds_nothing_grave(
    chromium: Browser, grave_faults: Callable[[Page], list[str]], site: Path, name: str, dark: bool
) -> None:
    def look(page: Page) -> None:
        assert grave_faults(page) == []

    looked_at(chromium, site / f"{name}.html", width_px=1280, dark=dark, look=look)


def test_equations_are_drawn_and_not_spelled_out(chromium: Browser, site: Path) -> None:
    def look(page: Page) -> None:
        # A fraction that is drawn is higher than a line of text; a browser without MathML puts it on one line.
        fraction = page.locator("div.math mfrac").first
        line = page.locator("div.math mi").first
        box, letter = fraction.bounding_box(), line.bounding_box()
        assert box is not None
        assert letter is not None
        assert box["height"] > 1.5 * letter["height"]
        assert page.locator("merror").count() == 0

    assert looked_at(chromium, site / "model.html", width_px=1280, dark=False, look=look) == []


def test_the_search_finds_a_page(chromium: Browser, site: Path) -> None:
    def look(page: Page) -> None:
        page.fill("input[name=q]", "degenerate")
        page.press("input[name=q]", "Enter")
        page.wait_for_selector("#search-results li a")

    assert looked_at(chromium, site / "index.html", width_px=1280, dark=False, look=look) == []
