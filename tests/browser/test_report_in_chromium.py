"""The report in real Chromium, from disk, offline: English and Chinese, wide and narrow, light, dark and on paper."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

import provgrid as pg
from provgrid.report.figures.theme import template
from provgrid.report.page import write_report
from provgrid.report.subject import Subject, subject_of_plan
from tiny import job, tiny_scenario

if TYPE_CHECKING:
    from playwright.sync_api import Locator, Page

PICTURES = ("flows", "sankey", "load", "utilisation", "prices", "timeline", "waterfall", "solver")
LANGUAGES, WIDTHS_PX = ("en", "zh"), (1280, 390)
HOSTILE = "</script><script>alert('a')</script>\"'&, <img src=x onerror=alert(1)>"


@pytest.fixture(scope="session")
def subject() -> Subject:
    return subject_of_plan(pg.solve(pg.scenarios.zhejiang(), engine="heuristic", policies=False))


@pytest.fixture(scope="session")
def reports(subject: Subject, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    folder = tmp_path_factory.mktemp("reports")
    return {lang: write_report([subject], folder / f"{lang}.html", lang) for lang in LANGUAGES}


@pytest.fixture(scope="session")
def comparison(subject: Subject, tmp_path_factory: pytest.TempPathFactory) -> Path:
    other = subject_of_plan(pg.solve(subject.plan.problem, engine="cheapest", policies=False), name="cheapest")
    return write_report([subject, other], tmp_path_factory.mktemp("comparison") / "two.html", "en")


def table(page: Page, key: str) -> Locator:
    return page.locator(f"article[data-table={key}]")


def column(article: Locator, heading: int) -> list[str]:
    cells = article.locator(f"tbody tr td:nth-child({heading + 1})").all()
    return [cell.get_attribute("data-v") or cell.inner_text() for cell in cells]


@pytest.mark.parametrize("lang", LANGUAGES)
@pytest.mark.parametrize("width_px", WIDTHS_PX)
def test_the_report_opens_from_disk_without_an_error_or_a_request(
    opened: Callable[..., Any], reports: dict[str, Path], lang: str, width_px: int
) -> None:
    with opened(reports[lang], width_px=width_px) as seen:
        assert seen.page.locator("h1").is_visible()
        assert seen.page.locator(".card").count() == 5
        assert seen.is_quiet(), seen


@pytest.mark.parametrize("lang", LANGUAGES)
@pytest.mark.parametrize("width_px", WIDTHS_PX)
def test_the_page_is_never_wider_than_the_screen(
    opened: Callable[..., Any], reports: dict[str, Path], lang: str, width_px: int
) -> None:
    with opened(reports[lang], width_px=width_px) as seen:
        assert seen.page.evaluate("document.documentElement.scrollWidth") <= width_px


@pytest.mark.parametrize("lang", LANGUAGES)
@pytest.mark.parametrize("dark", [False, True])
def test_axe_finds_nothing_grave(
    opened: Callable[..., Any],
    grave_faults: Callable[[Page], list[str]],
    reports: dict[str, Path],
    lang: str,
    dark: bool,
) -> None:
    with opened(reports[lang], dark=dark) as seen:
        assert grave_faults(seen.page) == []


def test_the_check_finds_a_planted_fault(
    opened: Callable[..., Any], grave_faults: Callable[[Page], list[str]], tmp_path: Path
) -> None:
    page = tmp_path / "faulty.html"
    page.write_text("<!doctype html><html lang=en><title>x</title><main><h1>x</h1><img src='data:,'></main>")
    with opened(page) as seen:
        assert [fault.split(":")[0] for fault in grave_faults(seen.page)] == ["image-alt"]


def test_axe_finds_nothing_grave_on_a_narrow_screen_and_in_a_comparison(
    opened: Callable[..., Any],
    grave_faults: Callable[[Page], list[str]],
    reports: dict[str, Path],
    comparison: Path,
) -> None:
    with opened(reports["zh"], width_px=390, dark=True) as seen:
        assert grave_faults(seen.page) == []
    with opened(comparison) as seen:
        assert grave_faults(seen.page) == []
        assert seen.is_quiet(), seen


@pytest.mark.parametrize("lang", LANGUAGES)
@pytest.mark.parametrize("width_px", WIDTHS_PX)
def test_every_picture_is_drawn_within_its_frame(
    opened: Callable[..., Any], reports: dict[str, Path], lang: str, width_px: int
) -> None:
    with opened(reports[lang], width_px=width_px, dark=True) as seen:
        pictures = seen.page.locator("figure.picture")
        ids = [picture.get_attribute("id") for picture in pictures.locator(".plot").all()]
        assert [name.split("-")[1] for name in ids if name] == [*PICTURES]
        for picture in pictures.all():
            layer = picture.locator("svg.main-svg").first
            frame, drawn = picture.bounding_box(), layer.bounding_box()
            assert frame is not None
            assert drawn is not None
            assert drawn["width"] > 0.8 * frame["width"]
            assert frame["x"] <= drawn["x"]
            assert drawn["x"] + drawn["width"] <= frame["x"] + frame["width"]
            # Marks, not only axes: every kind of trace puts its own into a layer of this class.
            assert picture.locator(".plot .trace, .plot .hm, .plot .sankey, .plot .heatmaplayer image").count() > 0


def test_pictures_follow_the_switch_and_the_width(opened: Callable[..., Any], reports: dict[str, Path]) -> None:
    paper = "[...document.querySelectorAll('.plot')].map(plot => plot._fullLayout.paper_bgcolor)"
    with opened(reports["en"]) as seen:
        assert set(seen.page.evaluate(paper)) == {template("light")["layout"]["paper_bgcolor"]}
        seen.page.locator("#theme").click()
        assert set(seen.page.evaluate(paper)) == {template("dark")["layout"]["paper_bgcolor"]}
        seen.page.set_viewport_size({"width": 390, "height": 900})
        seen.page.wait_for_selector(".plot[data-width^='3']")
        assert seen.page.evaluate("document.documentElement.scrollWidth") <= 390
        assert seen.is_quiet(), seen


def test_a_heading_sorts_its_table_and_says_which_way(opened: Callable[..., Any], reports: dict[str, Path]) -> None:
    with opened(reports["en"]) as seen:
        article = table(seen.page, "clusters")
        heading = article.locator("th[data-name=energy_mwh]")
        at = heading.evaluate("cell => cell.cellIndex")
        heading.get_by_role("button").click()
        assert heading.get_attribute("aria-sort") == "descending"
        energy = [float(value) for value in column(article, at)]
        assert len(energy) == 8
        assert energy == sorted(energy, reverse=True)
        heading.get_by_role("button").press("Enter")
        assert heading.get_attribute("aria-sort") == "ascending"
        assert [float(value) for value in column(article, at)] == sorted(energy)
        names = article.locator("th[data-name=cluster]")
        names.get_by_role("button").click()
        assert heading.get_attribute("aria-sort") is None
        assert names.get_attribute("aria-sort") == "ascending"
        shown = article.locator("tbody td:first-child").all_inner_texts()
        assert shown == sorted(shown, key=str.casefold)


def test_what_is_not_there_stands_last_whichever_way_a_table_is_sorted(
    opened: Callable[..., Any], reports: dict[str, Path]
) -> None:
    with opened(reports["en"]) as seen:
        article = table(seen.page, "policies")
        heading = article.locator("th[data-name=plan_saving]")
        at = heading.evaluate("cell => cell.cellIndex")
        for _ in range(2):
            heading.get_by_role("button").click()
            savings = column(article, at)
            # This plan and the bound have no saving against themselves.
            assert savings[-2:] == ["", ""]
            assert "" not in savings[:-2]


def test_search_finds_rows_and_counts_them(opened: Callable[..., Any], reports: dict[str, Path]) -> None:
    with opened(reports["zh"]) as seen:
        article = table(seen.page, "jobs")
        total = 45
        assert article.locator("tbody tr").count() == 15
        article.locator("input").fill("Zhongwei/H800")
        found = article.locator("tbody tr").count()
        assert 0 < found < total
        assert all("zhongwei/h800" in text for text in article.locator("tbody tr").all_inner_texts())
        assert f"共{total}行" in article.locator(".count").inner_text()
        article.locator("input").fill("no such job anywhere")
        assert article.locator("tbody tr").count() == 0
        article.locator("input").fill("")
        article.locator("button.all").click()
        assert article.locator("tbody tr").count() == total


def downloaded(page: Page, key: str) -> list[dict[str, str]]:
    with page.expect_download() as waiting:
        table(page, key).locator("button.download").click()
    assert waiting.value.suggested_filename == f"{key}.csv"
    text = Path(waiting.value.path()).read_bytes().decode("utf-8-sig")
    return list(csv.DictReader(io.StringIO(text, newline="")))


@pytest.mark.parametrize("lang", LANGUAGES)
def test_a_download_holds_every_row_with_all_digits(
    opened: Callable[..., Any], reports: dict[str, Path], subject: Subject, lang: str
) -> None:
    with opened(reports[lang]) as seen:
        rows = {row["job"]: row for row in downloaded(seen.page, "jobs")}
        placed = subject.plan.jobs[subject.plan.jobs["served"]]
        assert set(rows) == set(subject.plan.jobs["job"])
        for name, pool, hours in zip(placed["job"], placed["pool"], placed["accelerator_h"], strict=True):
            assert rows[name]["pool"] == pool
            assert float(rows[name]["accelerator_h"]) == hours
        costs = {row["component"]: float(row["cost_yuan"]) for row in downloaded(seen.page, "costs")}
        expected = subject.plan.costs.set_index("component")["cost_yuan"].to_dict()
        assert costs == expected


def test_a_download_holds_the_rows_that_were_searched_for(opened: Callable[..., Any], reports: dict[str, Path]) -> None:
    with opened(reports["en"]) as seen:
        table(seen.page, "pools").locator("input").fill("hangzhou_city")
        assert {row["pool"] for row in downloaded(seen.page, "pools")} == {
            "hangzhou_city/h20",
            "hangzhou_city/ascend_910c",
        }


def test_the_switch_changes_light_and_dark(opened: Callable[..., Any], reports: dict[str, Path]) -> None:
    ground = "getComputedStyle(document.body).backgroundColor"
    with opened(reports["en"], dark=True) as seen:
        before = seen.page.evaluate(ground)
        seen.page.locator("#theme").click()
        assert seen.page.evaluate(ground) == "rgb(255, 255, 255)" != before
        seen.page.locator("#theme").click()
        assert seen.page.evaluate(ground) == before
        assert seen.is_quiet(), seen


def test_paper_is_white_and_has_no_buttons_whatever_the_screen_is(
    opened: Callable[..., Any], reports: dict[str, Path]
) -> None:
    with opened(reports["en"], dark=True) as seen:
        seen.page.emulate_media(media="print")
        assert seen.page.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(255, 255, 255)"
        assert not seen.page.locator("#theme").is_visible()
        assert not seen.page.locator("button.download").first.is_visible()
        assert len(seen.page.pdf()) > 10_000


def test_every_picture_is_whole_on_paper_at_once(opened: Callable[..., Any], reports: dict[str, Path]) -> None:
    with opened(reports["en"], dark=True) as seen:
        bands = seen.page.locator(".sankey-link").count()
        paper = seen.page.evaluate(ON_PAPER)
        assert paper["bands"] == bands > 0
        for name, picture in paper["pictures"].items():
            assert picture["ground"] == "rgb(255, 255, 255)", name
            assert picture["right"] <= picture["frame_right"] + 1, name
        # The last column of the Sankey diagram, not yet moved where the picture is laid out again, would be cut off.
        assert paper["last_node"] <= paper["pictures"]["sankey"]["right"]
        assert seen.is_quiet(), seen


ON_PAPER = """() => {
  window.dispatchEvent(new Event("beforeprint"));
  const right = (one) => one.getBoundingClientRect().right;
  const pictures = {};
  for (const plot of document.querySelectorAll(".plot"))
    pictures[plot.id.split("-")[1]] = {
      ground: getComputedStyle(plot.querySelector(".main-svg")).backgroundColor,
      right: right(plot.querySelector(".main-svg")),
      frame_right: right(plot.closest(".picture")),
    };
  const links = [...document.querySelectorAll(".sankey-link")];
  return {
    pictures,
    bands: links.filter((link) => link.getBoundingClientRect().width > 100).length,
    last_node: Math.max(...[...document.querySelectorAll(".sankey .node-rect")].map(right)),
  };
}"""


def test_hostile_names_stay_text(opened: Callable[..., Any], tmp_path: Path) -> None:
    scenario = tiny_scenario(
        settings={"title": HOSTILE, "assumptions": [HOSTILE]}, jobs=[job(HOSTILE), job("=1+1"), job("plain")]
    )
    subject = subject_of_plan(pg.solve(scenario, engine="cheapest", policies=False, passes=5), name=HOSTILE)
    with opened(write_report([subject], tmp_path / "hostile.html", "en")) as seen:
        assert seen.page.locator("h1").inner_text() == HOSTILE
        ids = [row["job"] for row in downloaded(seen.page, "jobs")]
        # A spreadsheet would take the second one for a formula.
        assert sorted(ids) == sorted([HOSTILE, "'=1+1", "plain"])
        assert seen.is_quiet(), seen
