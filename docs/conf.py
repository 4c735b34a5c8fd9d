"""How the site is built: `make docs`, into build/docs. Nothing is fetched, neither to build a page nor to read one."""

from __future__ import annotations

import sys
from pathlib import Path

HERE = Path(__file__).parent
ROOT = HERE.parent
sys.path[:0] = [str(HERE / "extensions"), *(str(ROOT / layer) for layer in ("seeds", "models", "optimizer", "planner"))]
sys.path.append(str(ROOT / "benchmarks"))

project = "provgrid"
author = "the provgrid authors"
project_copyright = author

extensions = [
    "myst_parser",
    "sphinx.ext.autodoc",
    "mathml",
    "docstrings",
    "generated_pages",
    "links_out",
    "for_keyboards",
]
source_suffix = {".md": "markdown"}
exclude_patterns = ["extensions"]
nitpicky = False
default_role = "code"

myst_enable_extensions = ["dollarmath", "colon_fence", "attrs_inline"]
myst_heading_anchors = 3
myst_dmath_double_inline = True

autodoc_member_order = "bysource"
autodoc_typehints = "signature"
autodoc_typehints_format = "short"
python_use_unqualified_type_names = True
add_module_names = False
toc_object_entries_show_parents = "hide"

html_math_renderer = "mathml"
html_theme = "furo"
html_title = "provgrid"
html_static_path = ["static"]
html_css_files = ["provgrid.css"]
html_copy_source = False
html_show_sourcelink = False
html_show_sphinx = False
html_show_search_summary = False  # a page opened from disk may not fetch the others to quote them
html_permalinks_icon = "#"
html_theme_options = {"navigation_with_keys": True}
smartquotes = False  # would make a dash of the two in --set
