"""Equations as MathML: browsers draw it themselves, so that a page opened from disk needs no script and no network."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from docutils.nodes import SkipNode
from docutils.utils.math.latex2mathml import tex2mathml
from sphinx.locale import _

if TYPE_CHECKING:
    from docutils import nodes
    from sphinx.application import Sphinx
    from sphinx.writers.html5 import HTML5Translator


def inline(self: HTML5Translator, node: nodes.math) -> None:
    """Write an equation inside a line."""
    self.body.append(tex2mathml(node.astext()))
    raise SkipNode


def block(self: HTML5Translator, node: nodes.math_block) -> None:
    """Write an equation on lines of its own, with its number where it has one; a wide one scrolls by itself."""
    self.body.append(
        self.starttag(node, "div", CLASS="math", tabindex="0", role="group", **{"aria-label": _("equation")})
    )
    if node["number"]:
        self.body.append(f'<span class="eqno">({node["number"]})</span>')
    self.body.append(tex2mathml(node.astext(), as_block=True))
    self.body.append("</div>\n")
    raise SkipNode


def setup(app: Sphinx) -> dict[str, Any]:
    """Register the renderer; conf.py chooses it."""
    app.add_html_math_renderer("mathml", inline_renderers=(inline, None), block_renderers=(block, None))
    return {"version": "1", "parallel_read_safe": True}
