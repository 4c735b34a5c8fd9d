"""The assumed figures that have a range, and one draw of all of them at once.

Each draw is triangular between low and high with its peak at the figure. Figures of one source move together: the
tariff of a province as a whole, its sun and its wind each as a whole, every hour within its own range. Whole things
(jobs, accelerators) stay whole. Shares of one whole that come out above it are scaled back to it, and the two ends of
a range that come out the wrong way round are swapped.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from provgrid_seeds import loader
from provgrid_seeds.figures import Figure, figure_of, is_choice

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

Cell = tuple[str, str, str]  # table, row, column
HOURLY = ("tariffs", "renewables")
WHOLE = ("jobs", "accelerators", "periods", "rows", "number")  # units that are counted
SHARES = ("chip_mix_", "zj_mix_", "tenant_share_")  # how names of shares of one whole begin


@dataclass(frozen=True)
class UncertainFigure:
    """An assumed figure with a range; an hourly profile counts as one, its level as a ratio around 1."""

    id: str
    value: float
    low: float
    high: float
    whole: bool
    cells: tuple[Figure, ...]

    def drawn(self, number: float) -> dict[Cell, float]:
        """Return what its cells hold when it is `number`: that number, or every hour as far along its own range."""
        if self.cells[0].table not in HOURLY:
            return {_cell(one): number for one in self.cells}
        end = self.low if number < self.value else self.high
        part = (number - self.value) / (end - self.value) if end != self.value else 0.0
        return {_cell(one): _along(one, part, below=number < self.value) for one in self.cells}


def uncertain_figures(names: Iterable[str]) -> tuple[tuple[UncertainFigure, ...], tuple[str, ...]]:
    """Return the assumed figures to draw among the cells named `table/row.column`, and the ids of those to hold.

    Held are figures without a range, and choices of the scenario. Both in the order of their ids.
    """
    together: dict[str, list[Figure]] = {}
    for name in sorted(set(names)):
        token, _, column = name.partition(".")
        table, _, row = token.partition("/")
        figure = figure_of(table, loader.table_row(table, row), column) if table in loader.table_names() else None
        if figure is not None and figure.quality == "assumed" and figure.value is not None:
            together.setdefault(_id(figure), []).append(figure)
    made = {name: _figure(name, cells) for name, cells in sorted(together.items())}
    held = tuple(name for name, one in made.items() if one is None)
    return tuple(one for one in made.values() if one is not None), held


def consistent(numbers: Mapping[str, float]) -> dict[str, float]:
    """Put drawn numbers right among each other: shares of a whole sum to at most 1, low ends lie below high ends."""
    fixed = dict(numbers)
    for name in numbers:
        high = f"{name.removesuffix('_low')}_high"
        if name.endswith("_low") and high in fixed and fixed[name] > fixed[high]:
            fixed[name], fixed[high] = fixed[high], fixed[name]
    wholes: dict[str, list[str]] = {}
    for name in numbers:
        if whole := _whole_of(name):
            wholes.setdefault(whole, []).append(name)
    for names in wholes.values():
        total = sum(fixed[name] for name in names)
        if total > 1.0:
            fixed |= {name: fixed[name] / total for name in names}
    return fixed


def _whole_of(name: str) -> str:
    """Name of the whole that a figure is a share of; "" where it is none."""
    assumption = name.removeprefix("assumptions/")
    beginning = next((start for start in SHARES if assumption.startswith(start)), "")
    chip = next((str(row["id"]) for row in loader.table("chips") if assumption.endswith(f"_{row['id']}")), "")
    return assumption.removesuffix(f"_{chip}") if "_mix_" in beginning else beginning


def _id(figure: Figure) -> str:
    if figure.table in HOURLY:
        place = loader.table_row(figure.table, figure.row)["province"]
        return f"{figure.table}/{place}*.{figure.column}"
    return figure.token if figure.table == "assumptions" else figure.name


def _figure(name: str, cells: list[Figure]) -> UncertainFigure | None:
    """Make the figure of its cells; None where it is held."""
    values = [(one.value, one.low, one.high) for one in cells]
    if any(value is None or low is None or high is None for value, low, high in values):
        return None
    value, low, high = (float(sum(column)) for column in zip(*values, strict=True))
    if cells[0].table in HOURLY:
        value, low, high = (1.0, low / value, high / value) if value > 0 else (1.0, 1.0, 1.0)
    low, high = min(low, value), max(high, value)  # a range that was rounded may end short of its figure
    if low == high or is_choice(name):
        return None
    unit = loader.table_row(cells[0].table, cells[0].row).get("unit")
    return UncertainFigure(name, value, low, high, cells[0].table == "assumptions" and unit in WHOLE, tuple(cells))


def _along(figure: Figure, part: float, *, below: bool) -> float:
    """Value of an hour that is a part of the way from its figure to the end of its range."""
    value = figure.value or 0.0
    end = figure.low if below else figure.high
    return value + part * ((value if end is None else end) - value)


def _cell(figure: Figure) -> Cell:
    return (figure.table, figure.row, figure.column)
