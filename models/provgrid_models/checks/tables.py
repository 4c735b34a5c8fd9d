"""What the checks look at, and how they report rows."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from provgrid_models.findings import MOST_PER_KIND, MOST_WARNINGS_PER_KIND, Findings
from provgrid_models.grids import report_rest

if TYPE_CHECKING:
    import pandas as pd
    from numpy.typing import NDArray

    from provgrid_models.findings import Severity
    from provgrid_models.grids import Grid
    from provgrid_models.scenario import Row, Settings


@dataclass
class Tables:
    """A scenario under check.

    `settings` is None where scenario.toml is wrong; a grid is None where its file could not be read. `rows` holds the
    valid rows of the short tables with their position in the grid. `settings_file` names where settings stand.
    """

    settings: Settings | None
    grids: dict[str, Grid | None]
    rows: dict[str, list[tuple[int, Row]]]
    settings_file: str = "scenario.toml"
    findings: Findings = field(default_factory=Findings)

    def sound(self, table: str, *columns: str) -> bool:
        """Say whether a table could be read and these columns of it hold what their kind needs."""
        grid = self.grids.get(table)
        return grid is not None and grid.broken.isdisjoint(columns)

    def grid(self, table: str) -> Grid:
        """Return a table that is known to be there."""
        grid = self.grids[table]
        assert grid is not None, table
        return grid

    def values(self, table: str, column: str) -> pd.Series[Any]:
        """Values of a column of a table that is known to be there."""
        return self.grid(table).column(column)[0]

    def report(
        self,
        table: str,
        column: str,
        bad: NDArray[np.bool_],
        code: str,
        message: str,
        *,
        hint: str = "",
        severity: Severity = "error",
        show: bool = True,
    ) -> None:
        """Report rows of a table, not more than help, each with what stands in the column unless `show` is false."""
        rows = np.flatnonzero(bad)
        if not len(rows):
            return
        grid = self.grid(table)
        shown = grid.column(column)[0] if show else None
        most = MOST_PER_KIND if severity == "error" else MOST_WARNINGS_PER_KIND
        for row in rows[:most].tolist():
            text = None if shown is None else cell_text(shown.iloc[row])
            place = grid.places.at(row)
            self.findings.add(severity, code, message, column=column, found=text, hint=hint, **place)
        report_rest(self.findings, code, len(rows) - most, grid.places.at(int(rows[0])), column, severity)


def cell_text(value: Any) -> str:
    """Write a value as it would stand in a cell."""
    if isinstance(value, (bool, np.bool_)):
        return "true" if value else "false"
    if isinstance(value, (float, np.floating)):
        return f"{value:.12g}"
    return str(value)
