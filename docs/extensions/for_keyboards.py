"""For people with a keyboard or a screen reader: boxes that scroll get the focus, headings have a level."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from sphinx.application import Sphinx

SCROLLING = {"<pre>": '<pre tabindex="0">', '<div class="table-wrapper': '<div tabindex="0" class="table-wrapper'}
AFTER_THE_THEME = 900


def mend(app: Sphinx, page: str, template: str, context: dict[str, Any], doctree: object) -> None:
    """Mend what the theme writes, in the text of the page and in the navigation beside it."""
    for plain, focusable in SCROLLING.items():
        context["body"] = context.get("body", "").replace(plain, focusable)
    tree = context.get("furo_navigation_tree", "")
    context["furo_navigation_tree"] = tree.replace('role="heading"', 'role="heading" aria-level="2"')


def setup(app: Sphinx) -> dict[str, Any]:
    """Listen to pages being written, once the theme has had its turn."""
    app.connect("html-page-context", mend, priority=AFTER_THE_THEME)
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
