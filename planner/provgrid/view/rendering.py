"""What pages show, put into words and figures of a language."""

from __future__ import annotations

import functools
import math
import shlex
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from jinja2 import Environment, PackageLoader, StrictUndefined

from provgrid.report.texts import LANGUAGES, texts
from provgrid_optimizer.certificate import gap

if TYPE_CHECKING:
    from collections.abc import Sequence

    from provgrid.report.wording import Wording
    from provgrid.view.desk import Solve
    from provgrid.view.levers import Lever
    from provgrid.view.reading import Board
    from provgrid.view.shelf import Line

GROUPS = ("carbon", "power", "slo", "residency", "capacity")  # the longest last
MOST_NAMES = 6  # of clusters in a line
BAR_WIDTH = 100.0  # of one side of a waterfall's bars
ROUNDING_YUAN = 1e-6


@dataclass(frozen=True, kw_only=True)
class Shown:
    """A lever as its page shows it."""

    lever: Lever
    label: str
    line: str
    unit: str
    current: str
    limits: str


@functools.cache
def _environment() -> Environment:
    return Environment(
        loader=PackageLoader("provgrid.view", "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )


def page(name: str, wording: Wording, *, path: str, default_lang: str, **values: Any) -> str:
    """Render a page."""

    def link(*parts: str, lang: str = wording.lang) -> str:
        """Write an address of this page, in its language."""
        address = "/" + "/".join(quote(part, safe="") for part in parts)
        return address if lang == default_lang else f"{address}?lang={lang}"

    return (
        _environment()
        .get_template(f"{name}.html.j2")
        .render(
            wording=wording,
            say=wording.say,
            numbers=wording.numbers,
            link=link,
            # Names of the other languages as addresses of the same page.
            languages=[(lang, f"{quote(path)}?lang={lang}") for lang in LANGUAGES if lang != wording.lang],
            zone_name=functools.partial(zone_name, wording=wording),
            figures=functools.partial(figures, wording=wording),
            when=lambda at: at.strftime("%Y-%m-%d %H:%M"),
            **values,
        )
    )


def figures(line: Line, wording: Wording) -> dict[str, str]:
    """Return the figures of a run's line as a planner reads them."""
    numbers = wording.numbers
    return {
        "engine": wording.term("engines", line.engine),
        "status": wording.term("view.status", line.status),
        "cost": numbers.yuan(line.objective_yuan),
        "gap": numbers.percent(line.gap),
        "unserved": numbers.percent(line.unserved_share) + ("*" if line.never_served_yuan else ""),
        "never": wording.say("view.never", yuan=numbers.yuan(line.never_served_yuan)) if line.never_served_yuan else "",
    }


def groups(board: Board, wording: Wording) -> list[tuple[str, list[Shown]]]:
    """Return the levers by group, in words."""
    shown = [_shown(lever, board, wording) for lever in board.levers]
    found = [(group, [one for one in shown if one.lever.group == group]) for group in GROUPS]
    return [(group, levers) for group, levers in found if levers]


def _shown(lever: Lever, board: Board, wording: Wording) -> Shown:
    say, numbers, places = wording.say, wording.numbers, board.places[wording.lang]
    details = dict(lever.details)
    if "clusters" in details:
        names = [places.get(cluster, cluster) for cluster in details["clusters"]]
        more = say("view.and_more", count=len(names) - MOST_NAMES) if len(names) > MOST_NAMES else ""
        details["clusters"] = say.joined(names[:MOST_NAMES]) + more
        ends = [numbers.number(details[end]) for end in ("low_yuan_per_kwh", "high_yuan_per_kwh")]
        details["price"] = ends[0] if ends[0] == ends[1] else "–".join(ends)
    if "cluster" in details:
        details["cluster"] = places.get(details["cluster"], details["cluster"])
    if "metric" in details:
        details["metric"] = wording.term("metrics", details["metric"])
        unnamed = details["services"] - len(details["ids"])
        details["names"] = say.joined(details["ids"]) + (say("view.and_more", count=unnamed) if unnamed else "")
    if "bound" in details:
        details["bound"] = say.joined(zone_name(zone, wording) for zone in details["bound"])
    kind = {"carbon": "carbon", "power": f"power_{lever.name}", "capacity": "capacity", "slo": "slo"}.get(
        lever.group, lever.key
    )
    return Shown(
        lever=lever,
        label=_slo_label(lever, board, wording) if kind == "slo" else say(f"view.levers.{kind}", name=lever.name),
        line=say(f"view.lines.{kind}", **details),
        unit=say.entries.get(f"view.units.{lever.group}", ""),
        current=_current(lever, wording),
        limits="" if lever.kind in ("switch", "zones") else "–".join(map(numbers.number, (lever.low, lever.high))),
    )


def _slo_label(lever: Lever, board: Board, wording: Wording) -> str:
    """Name a lever of services by their class, and by what is asked where a class has several levers."""
    say = wording.say
    name = wording.term("classes", lever.name) or say("view.levers.no_class")
    if sum(one.group == "slo" and one.name == lever.name for one in board.levers) == 1:
        return say("view.levers.slo", name=name)
    metric = wording.term("metrics", lever.details["metric"])
    return say("view.levers.slo_of_several", name=name, metric=metric, slo_ms=_current(lever, wording))


def zone_name(zone: str, wording: Wording) -> str:
    """Name of a data zone: that of a province, which zones are mostly called after, or the zone itself."""
    for name in (zone, zone.replace("_", " ").title()):
        key = f"provinces.{name}"
        if any(key in texts(lang).entries for lang in LANGUAGES):
            return wording.say.entries.get(key, name)
    return zone


def _current(lever: Lever, wording: Wording) -> str:
    if isinstance(lever.current, bool):
        return wording.say("view.on" if lever.current else "view.off")
    if isinstance(lever.current, tuple):
        return wording.say.joined(zone_name(zone, wording) for zone in lever.current) or wording.say("view.none")
    return wording.numbers.number(lever.current)


def state(solve: Solve, place: int, wording: Wording) -> dict[str, Any]:
    """Return how a solve is getting on: words to show, and the names that links need."""
    say, numbers, progress = wording.say, wording.numbers, solve.progress
    objective = math.nan if progress is None else progress.objective_yuan
    bound = math.nan if progress is None else progress.bound_yuan
    both = math.isfinite(objective) and math.isfinite(bound)
    return {
        "id": solve.id,
        "state": solve.state,
        "headline": say(f"view.states.{_headline(solve)}", place=place),
        "stage": say.entries.get(f"view.stages.{solve.stage}", solve.stage),
        "cost": numbers.yuan(objective if math.isfinite(objective) else None),
        "bound": numbers.yuan(bound if math.isfinite(bound) else None),
        "gap": numbers.percent(gap(objective, bound) if both else None),
        "elapsed": say("view.seconds", seconds=f"{solve.elapsed_s:.0f}"),
        "message": say("view.lost") if solve.message == "lost" else wording.phrase(solve.message),
        "base": solve.order.base,
        "run": solve.run,
        "command": solve.order.command,
    }


def _headline(solve: Solve) -> str:
    """Key of the sentence that a solve's page begins with."""
    if solve.state == "done" and solve.status == "interrupted":
        return "kept"
    return solve.state


def comparison(found: dict[str, Any], wording: Wording) -> dict[str, Any]:
    """Put a comparison into words: sentences, and rows of its tables."""
    say, numbers, names = wording.say, wording.numbers, found["names"][wording.lang]
    common = found["common_work"]
    if common is None:
        sentence = say("view.compare.ideal")
    elif common["saving_share"] is None:
        sentence = say("view.compare.nothing_common")
    else:
        share = common["saving_share"]
        sentence = say(
            "view.compare.saves" if share >= 0 else "view.compare.costs",
            before=numbers.yuan(common["before_yuan"]),
            after=numbers.yuan(common["after_yuan"]),
            share=numbers.percent(abs(share)),
        )
    return {
        "sentence": sentence,
        "gaps": _gaps(found, wording),
        "difference": _signed(found["difference_yuan"], wording, "yuan"),
        "waterfall": _waterfall(found["waterfall"], wording),
        "inputs": [
            {
                "kind": say(f"view.kinds.{row['kind']}"),
                "place": " ".join(part for part in (row["where"], wording.rows(row["row"]), row["column"]) if part),
                "before": _plain_text(row["before"]),
                "after": _plain_text(row["after"]),
            }
            for row in found["inputs"]
        ],
        "flows": [
            {
                "work": wording.term("flow_work", row["work"]),
                **{part: names.get(row[part], row[part]) for part in ("tenant", "region", "cluster")},
                "before": numbers.number(row["accelerator_h_before"]),
                "after": numbers.number(row["accelerator_h_after"]),
                "change": _signed(row["accelerator_h_change"], wording),
            }
            for row in found["flows"]
        ],
        "more": found["more"],
    }


def _gaps(found: dict[str, Any], wording: Wording) -> str:
    """Say how much of a difference may be the search's own: each plan is proven to within its gap only."""
    sides = [found["before"], found["after"]]
    if any(side["bound_yuan"] is None or side["divisible"] for side in sides):
        return ""
    before, after = (wording.numbers.percent(gap(side["objective_yuan"], side["bound_yuan"])) for side in sides)
    return wording.say("view.compare.gaps", before=before, after=after)


def _waterfall(rows: Sequence[dict[str, Any]], wording: Wording) -> list[dict[str, Any]]:
    """Rows of the cost by component that are not nothing on both sides, with bars for their differences."""
    largest = max((abs(row["difference_yuan"]) for row in rows), default=0.0) or 1.0
    return [
        {
            "component": wording.term("components", row["component"]),
            "before": wording.numbers.number(row["before_yuan"]),
            "after": wording.numbers.number(row["after_yuan"]),
            "difference": _signed(row["difference_yuan"], wording),
            "width": round(BAR_WIDTH * abs(row["difference_yuan"]) / largest, 2),
            "is_more": row["difference_yuan"] > 0,
        }
        for row in rows
        if abs(row["before_yuan"]) + abs(row["after_yuan"]) > ROUNDING_YUAN
    ]


def _signed(value: float, wording: Wording, unit: str = "") -> str:
    """Write a difference with its sign; what rounds to nothing has none."""
    text = wording.numbers.yuan(value) if unit else wording.numbers.number(value)
    return f"+{text}" if value > 0 and text not in ("0", "0 yuan", "0元") else text


def _plain_text(value: Any) -> str:
    return "–" if value is None else f"{value:g}" if isinstance(value, float) else str(value)


def compare_command(runs_as_typed: str, names: Sequence[str]) -> str:
    """Write the command that compares two runs."""
    return shlex.join(["provgrid", "compare", *(f"{runs_as_typed}/{name}" for name in names)])


def plain(record: Line | Lever) -> dict[str, Any]:
    """Plain values of a record, ready for JSON."""
    return {name: _jsonable(value) for name, value in asdict(record).items()}


def _jsonable(value: Any) -> Any:
    if isinstance(value, datetime):
        return value.isoformat(timespec="seconds")
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return value
