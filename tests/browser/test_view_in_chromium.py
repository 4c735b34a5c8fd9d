"""The local page in real Chromium: a lever is moved, the toy is solved again, and what changed is shown."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import pytest

import provgrid as pg
from view_page import Served, served

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

WAIT_MS = 180_000.0


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    runs = tmp_path_factory.mktemp("view") / "runs"
    pg.solve(pg.scenarios.toy(), engine="cheapest", policies=False).save(runs / "toy-cheapest-1")
    with served(runs) as page:
        yield page


@pytest.fixture
def visit(chromium: Browser, site: Served) -> Callable[..., Any]:
    """Open a page of the site; requests to anywhere else, and errors on the console, are noted."""

    @contextmanager
    def open_page(path: str, *, width_px: int = 1280, dark: bool = False) -> Iterator[tuple[Page, list[str]]]:
        context = chromium.new_context(
            viewport={"width": width_px, "height": 900},
            color_scheme="dark" if dark else "light",
            reduced_motion="reduce",
            base_url=site.page.address,
        )
        page, wrong = context.new_page(), list[str]()
        page.set_default_timeout(WAIT_MS)
        context.on(
            "request",
            lambda request: (
                None if request.url.startswith((site.page.address, "data:", "blob:")) else wrong.append(request.url)
            ),
        )
        page.on("console", lambda message: wrong.append(message.text) if message.type == "error" else None)
        page.on("pageerror", lambda error: wrong.append(str(error)))
        page.goto(path)
        yield page, wrong
        context.close()

    return open_page


def test_a_lever_is_moved_solved_and_compared(
    visit: Callable[..., Any], site: Served, grave_faults: Callable[[Page], list[str]]
) -> None:
    with visit("/") as (page, wrong):
        page.get_by_role("link", name="toy-cheapest-1").click()
        page.get_by_label("Carbon price").fill("200")
        page.locator("#command", has_text="--set prices.carbon_price_yuan_per_t=200").wait_for()
        assert page.locator(".lever.changed").count() == 1
        assert grave_faults(page) == []
        page.get_by_role("button", name="Solve again").click()
        page.wait_for_url("**/solves/*")
        page.get_by_role("link", name="See what changed").wait_for()
        assert page.locator("[data-show=headline]").inner_text() == "Solved"
        assert page.locator("[data-show=cost]").inner_text().endswith("yuan")
        assert grave_faults(page) == []
        page.get_by_role("link", name="See what changed").click()
        page.get_by_role("heading", name="Before and after").wait_for()
        assert page.get_by_text("prices.carbon_price_yuan_per_t").is_visible()
        carbon = page.locator("tr", has=page.get_by_role("rowheader", name="carbon", exact=True))
        assert carbon.locator("td").nth(0).inner_text() == "0"
        assert carbon.locator("rect.more").count() == 1
        assert grave_faults(page) == []
        assert wrong == []
    new = next(path for path in site.folder.iterdir() if path.name.startswith("toy-cheapest-2"))
    scenario = pg.open(new).scenario
    assert scenario is not None
    assert scenario.settings.prices.carbon_price_yuan_per_t == 200.0


def test_a_wrong_value_is_said_beside_the_levers(visit: Callable[..., Any]) -> None:
    with visit("/runs/toy-cheapest-1") as (page, _):
        page.get_by_label("Xinjiang").check()
        page.get_by_role("alert").get_by_text("takes two zones or more").wait_for()
        page.get_by_label("Zhejiang").check()
        page.locator("#command", has_text="switches.open_zones").wait_for()
        assert not page.get_by_role("alert").is_visible()


@pytest.mark.parametrize("path", ["/", "/runs/toy-cheapest-1", "/runs/toy-cheapest-1?lang=zh", "/nothing"])
def test_pages_fit_a_narrow_screen_in_the_dark_without_grave_faults(
    visit: Callable[..., Any], grave_faults: Callable[[Page], list[str]], path: str
) -> None:
    with visit(path, width_px=390, dark=True) as (page, _):
        assert page.evaluate("document.documentElement.scrollWidth") <= 390
        assert grave_faults(page) == []


def test_the_report_opens_in_its_sandbox_with_every_picture_drawn(visit: Callable[..., Any]) -> None:
    with visit("/runs/toy-cheapest-1/report") as (page, wrong):
        page.wait_for_selector("html[data-pictures=drawn]")
        assert page.locator(".card").count() == 5
        assert page.evaluate("window.origin") == "null"
        assert wrong == []
