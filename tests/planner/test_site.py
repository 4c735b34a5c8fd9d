"""The site of docs/ builds without a warning, leads nowhere wrong, asks nothing of a network and names everything."""

from __future__ import annotations

import re
import subprocess
import sys
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urldefrag

import pytest
import typer.main

import provgrid as pg
from provgrid.cli import app
from provgrid_models.schema import json_schema

DOCS = Path(__file__).parents[2] / "docs"
HERE = re.compile(r"(^|[\s`'\"(])/(tmp|home|root|work|opt|Users)/")

pytestmark = pytest.mark.slow


class Links(HTMLParser):
    """What a page refers to, and the places in it that can be referred to."""

    def __init__(self, page: Path) -> None:
        super().__init__()
        self.leads_to: list[str] = []
        self.loads: list[str] = []
        self.places: set[str] = set()
        self.feed(page.read_text(encoding="utf-8"))

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        said = {name: value for name, value in attrs if value is not None}
        self.places |= {said[name] for name in ("id", "name") if name in said}
        if tag == "a" and "href" in said:
            self.leads_to.append(said["href"])
        elif tag in ("link", "script", "img", "source", "iframe"):
            self.loads += [said[name] for name in ("href", "src") if name in said]


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    pytest.importorskip("sphinx", reason="the docs extra is not installed; make docs does it")
    made = tmp_path_factory.mktemp("site")
    words = [sys.executable, "-m", "sphinx", "-W", "--keep-going", "-q", "-b", "html", "-d", made / "trees"]
    built = subprocess.run(
        [*map(str, words), str(DOCS), str(made / "html")], capture_output=True, text=True, check=False
    )
    assert built.returncode == 0, built.stderr
    return made / "html"


@pytest.fixture(scope="module")
def pages(site: Path) -> dict[Path, Links]:
    return {page.resolve(): Links(page) for page in site.rglob("*.html")}


def test_every_page_of_the_folder_is_a_page_of_the_site(site: Path) -> None:
    for page in DOCS.rglob("*.md"):
        assert (site / page.relative_to(DOCS)).with_suffix(".html").is_file()


def test_every_link_inside_the_site_leads_to_a_place_that_there_is(pages: dict[Path, Links]) -> None:
    broken = []
    for page, links in pages.items():
        for link in links.leads_to + links.loads:
            if re.match(r"[a-z]+:", link):
                continue
            path, place = urldefrag(link)
            target = (page.parent / unquote(path.split("?")[0])).resolve() if path else page
            if not target.exists() or (place and target in pages and unquote(place) not in pages[target].places):
                broken.append((page.name, link))
    assert broken == []


def test_no_page_loads_anything_from_elsewhere(site: Path, pages: dict[Path, Links]) -> None:
    assert [link for links in pages.values() for link in links.loads if re.match(r"(https?:)?//", link)] == []
    styles = "".join(sheet.read_text(encoding="utf-8") for sheet in site.rglob("*.css"))
    assert re.findall(r"url\(\s*[\"']?(?:https?:)?//|@import", styles) == []


def test_no_page_shows_where_it_was_made(site: Path) -> None:
    for page in site.rglob("*.html"):
        assert not HERE.search(re.sub(r"<[^>]+>", "", page.read_text(encoding="utf-8"))), page.name


def test_equations_are_mathml(site: Path) -> None:
    text = (site / "model.html").read_text(encoding="utf-8")
    assert text.count('<math xmlns="http://www.w3.org/1998/Math/MathML" display="block"') >= 12
    assert "<merror" not in text
    assert "$$" not in text


def test_the_reference_names_the_whole_public_api(pages: dict[Path, Links], site: Path) -> None:
    places = pages[(site / "reference" / "python.html").resolve()].places
    homes = {name: f"provgrid.{name}" for name in pg.__all__}
    missing = {name for name, place in homes.items() if place not in places and f"module-{place}" not in places}
    assert missing == set()
    plan = {name for name in vars(pg.Plan) if not name.startswith("_") and not name.endswith("_")}
    fields = set(pg.Plan.__dataclass_fields__)
    assert {name for name in plan - fields if f"provgrid.Plan.{name}" not in places} == set()


def test_the_reference_names_every_key_and_column(site: Path) -> None:
    text = re.sub(r"<[^>]+>", "", (site / "reference" / "scenario.html").read_text(encoding="utf-8"))
    schema = json_schema()["properties"]
    tables = schema["tables"]["properties"]
    names = {*schema["scenario.toml"]["properties"], *tables}
    names |= {column for table in tables.values() for column in table["items"]["properties"]}
    assert {name for name in names if not re.search(rf"\b{name}\b", text)} == set()


def test_the_reference_names_every_command_and_option(site: Path) -> None:
    text = re.sub(r"<[^>]+>", "", (site / "reference" / "command-line.html").read_text(encoding="utf-8"))
    commands = dict(typer.main.get_command(app).commands)  # type: ignore[attr-defined]
    assert {name for name in commands if f"provgrid {name}" not in text} == set()
    options = {spelling for command in commands.values() for option in command.params for spelling in option.opts}
    assert {spelling for spelling in options if spelling not in text} == set()
