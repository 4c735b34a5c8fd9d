"""The pictures of a report as JSON for the page: their questions as headings, their answers as captions."""

from __future__ import annotations

import json
import logging
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from markupsafe import Markup

from provgrid.report.comparison import same_problem
from provgrid.report.figures.flows import flows
from provgrid.report.figures.load import load
from provgrid.report.figures.plain import plain
from provgrid.report.figures.prices import prices
from provgrid.report.figures.sankey import sankey
from provgrid.report.figures.solver import solver
from provgrid.report.figures.theme import template
from provgrid.report.figures.timeline import timeline
from provgrid.report.figures.utilisation import utilisation
from provgrid.report.figures.waterfall import waterfall
from provgrid_models.errors import OptionError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from provgrid.report.figures.canvas import Drawing
    from provgrid.report.subject import Subject
    from provgrid.report.wording import Wording

    Draw = Callable[[], Drawing]

log = logging.getLogger("provgrid")

HEIGHT_PX = 480  # of a picture that names none
TOP_PX = 16  # room above a picture that has its title outside


@dataclass(frozen=True, kw_only=True)
class Picture:
    """One picture: what it asks and answers, in words, and plotly's figure as JSON that no tag can break out of."""

    id: str
    run: str
    title: str
    caption: str
    height_px: int
    json: Markup


def pictures(subjects: tuple[Subject, ...], wording: Wording) -> tuple[Picture, ...]:
    """Draw the pictures of every run that its plan has the figures for, in the order that planners ask."""
    made = []
    for k, subject in enumerate(subjects):
        first = subjects[0] if k else None
        drawn = _of_one(subject, wording.lang) if len(subjects) == 1 else _beside(subject, first, wording.lang)
        for name, draw in drawn:
            try:
                made.append(_picture(f"picture-{name}-{k}", subject.name, draw()))
            except OptionError as error:  # a plan of arrays has no places for a map
                log.info("no picture %s of %s: %s", name, subject.name, error)
    return tuple(made)


def templates() -> Markup:
    """Write both templates, which the page exchanges."""
    return safe_json({"light": template("light"), "dark": template("dark")})


def _of_one(subject: Subject, lang: str) -> Iterator[tuple[str, Draw]]:
    """Name the pictures of a report on one run; the policies are waited for when one is to be drawn."""
    plan = subject.plan
    yield "flows", lambda: flows(plan, lang)
    yield "sankey", lambda: sankey(plan, lang)
    yield "load", lambda: load(plan, None, lang)
    yield "utilisation", lambda: utilisation(plan, lang)
    yield "prices", lambda: prices(plan, lang)
    yield "timeline", lambda: timeline(plan, lang)
    best = subject.certificate.best_policy
    if best is not None and best[0] in subject.savings:
        yield "waterfall", lambda: waterfall(plan, subject.policies[best[0]], lang)
    yield "solver", lambda: solver(plan, lang)


def _beside(subject: Subject, first: Subject | None, lang: str) -> Iterator[tuple[str, Draw]]:
    """Name the pictures of one run among several; a waterfall holds it against the first one of the same problem."""
    if first is not None and same_problem(subject, first):
        yield "waterfall", lambda: waterfall(subject.plan, first.plan, lang)
    yield "flows", lambda: flows(subject.plan, lang)
    yield "utilisation", lambda: utilisation(subject.plan, lang)
    yield "load", lambda: load(subject.plan, None, lang)


def _picture(name: str, run: str, drawing: Drawing) -> Picture:
    """Take question and answer out of a drawing, and the room that they had, for the page writes them itself."""
    drawn = plain(drawing)
    layout = drawn["layout"]
    meta, narrow = layout["meta"], layout["meta"]["narrow"]["layout"]
    layout.pop("template")
    layout.pop("title")
    for key in [key for key in narrow if key.startswith("title.")]:
        narrow.pop(key)
    top_px = TOP_PX + meta["extra_top"]
    height_px = layout.get("height", HEIGHT_PX) - (layout["margin"]["t"] - top_px)
    narrow["height"] = narrow.get("height", layout.get("height", HEIGHT_PX)) - (narrow["margin.t"] - top_px)
    narrow["margin.t"] = layout["margin"]["t"] = top_px
    layout["height"] = height_px
    return Picture(
        id=name,
        run=run,
        title=meta.pop("title"),
        caption=meta.pop("answer"),
        height_px=height_px,
        json=safe_json(drawn),
    )


def safe_json(value: Any) -> Markup:
    """Write JSON that may stand between script tags: what could end them is escaped."""
    text = json.dumps(value, ensure_ascii=False, separators=(",", ":"))
    for sign in "<>&\u2028\u2029":
        text = text.replace(sign, f"\\u{ord(sign):04x}")
    return Markup(text)
