"""The pictures of a plan: each module works out a table (`..._table`) and draws it; the title is the question.

Every picture is one plotly figure for light and dark: what is ink comes from the template (`theme.template`) alone, so
that a page can exchange it; colours are told apart without colour vision, and shape, dash or hatch says the same.
`layout.meta` holds `title`, `answer` (one sentence of figures) and `narrow`, the changes for a narrow screen by dotted
path, of the layout and by number of the traces; `theme.ADAPT_JS` applies them before plotly draws.
"""
