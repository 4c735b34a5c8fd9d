"""What all pictures have in common: question and answer on top, the template, and what changes on a narrow screen."""

from __future__ import annotations

import unicodedata
from typing import TYPE_CHECKING, Any

from provgrid.report.figures.theme import template

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

WIDE_COLUMNS, NARROW_COLUMNS = 150, 52  # of half-width characters, that an answer has on 1,100 and on 390 px
LEGEND_BELOW = {"orientation": "h", "yref": "container", "y": 0.012, "yanchor": "bottom", "x": 0}
Trace = dict[str, Any]
Drawing = dict[str, Any]  # data and layout as plotly takes them; `plan.plot` makes figures of it, the report JSON
Changes = dict[str, Any]  # by dotted path


def drawing(
    traces: Sequence[Trace],
    *,
    title: str,
    answer: str,
    theme: str,
    layout: Mapping[str, Any],
    narrow: Mapping[str, Any] | None = None,
    narrow_traces: Mapping[int, Changes] | None = None,
    extra_top: int = 0,
) -> Drawing:
    """Put plain traces and their layout together.

    `narrow` and `narrow_traces` (by number) hold changes by dotted path for a screen of 390 px.
    `extra_top` is room [px] between the answer and the plot.
    """
    below = wrapped(answer, NARROW_COLUMNS)
    head = wrapped(title, NARROW_COLUMNS - 12)
    small = {
        "title.text": head,
        "title.font.size": 15,
        "title.pad.t": 16 + 9 * head.count("<br>"),
        "title.subtitle.text": below,
        "title.subtitle.font.size": 11,
        "margin.t": 40 + 19 * (head.count("<br>") + 1) + 14 * (below.count("<br>") + 1) + extra_top,
        "margin.l": 48,
        "margin.r": 12,
        **(narrow or {}),
    }
    changes = {"layout": small, "traces": dict(narrow_traces or {})}
    wide = wrapped(answer, WIDE_COLUMNS)
    top = 62 + 16 * (wide.count("<br>") + 1) + extra_top
    return {
        "data": list(traces),
        "layout": {
            "template": template(theme),
            "title": {"text": title, "subtitle": {"text": wide}},
            "meta": {"title": title, "answer": answer, "narrow": changes, "extra_top": extra_top},
            **layout,
            "margin": {"t": top, **layout.get("margin", {})},
        },
    }


def wrapped(text: str, columns: int) -> str:
    """Break a text into lines of at most so many half-width characters; plotly breaks none by itself.

    >>> wrapped("one two three", 7)
    'one two<br>three'
    """
    lines, line, width = [], "", 0
    for piece in _pieces(text):
        size = text_columns(piece)
        if line and width + size > columns:
            lines.append(line.rstrip())
            line, width = "", 0
            piece = piece.lstrip()
            size = text_columns(piece)
        line, width = line + piece, width + size
    return "<br>".join([*lines, line.rstrip()])


def _pieces(text: str) -> list[str]:
    """Cut where a line may break: before a space, and around every wide character but not before punctuation."""
    pieces: list[str] = []
    for character in text:
        wide = unicodedata.east_asian_width(character) in "WF"
        starts = character == " " or (wide and unicodedata.category(character)[0] != "P")
        after_wide = pieces and unicodedata.east_asian_width(pieces[-1][-1]) in "WF" and not wide and character != " "
        if not pieces or starts or after_wide:
            pieces.append(character)
        else:
            pieces[-1] += character
    return pieces


def text_columns(text: str) -> int:
    """Count half-width columns of a text."""
    return sum(2 if unicodedata.east_asian_width(character) in "WF" else 1 for character in text)
