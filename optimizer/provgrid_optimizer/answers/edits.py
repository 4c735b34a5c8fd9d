"""A single change to a scenario, in the planner's words: one cell, or one setting, before and after."""

from __future__ import annotations

from dataclasses import asdict, dataclass, replace
from typing import TYPE_CHECKING, Any

from provgrid_models.scenario import SHORT_TABLES

if TYPE_CHECKING:
    from provgrid_models.scenario import Scenario

# What each column is called: whose it is, and what it says
_COLUMNS = {
    ("pools", "accelerators"): ("of pool {id}", "accelerators"),
    ("clusters", "grid_limit_mw"): ("of cluster {id}", "grid power"),
    ("contracts", "capacity_mw"): ("of contract {id}", "power"),
    ("links", "bandwidth_gbps"): ("of link {id}", "bandwidth"),
    ("limits", "carbon_budget_t"): ("of all clusters", "carbon budget"),
    ("jobs", "deadline_h"): ("of job {id}", "deadline"),
    ("jobs", "release_h"): ("of job {id}", "release"),
    ("jobs", "max_accelerators"): ("of job {id}", "accelerators"),
    ("jobs", "work_pflop_h"): ("of job {id}", "work"),
    ("jobs", "residency"): ("of job {id}", "lift the residency rule"),
    ("jobs", "after"): ("of job {id}", "lift the wait for its base"),
    ("services", "slo_ms"): ("of service {id}", "SLO"),
    ("services", "residency"): ("of service {id}", "lift the residency rule"),
    ("ports", "ports"): ("{id}", "pay for the port"),
    ("demand", "tokens_per_s"): ("service {id} asks for", "demand"),
}


@dataclass(frozen=True, kw_only=True)
class Edit:
    """`column` of row `id` of `table` from `before` to `after`, in `unit`.

    The tables "limits" and "ports" are settings. Of "demand" all rows of a service are multiplied, from 1 to `after`.
    `size` is what the step is compared with (a job's window, what a limit was), 0 for a rule that is no number.
    """

    table: str
    id: str
    column: str
    before: float | str
    after: float | str
    unit: str
    size: float

    @property
    def share(self) -> float | None:
        """Size of the step over what it is compared with; None for a rule."""
        if isinstance(self.before, str) or isinstance(self.after, str):
            return None
        return abs(self.after - self.before) / self.size if self.size else float("inf")

    @property
    def text(self) -> str:
        """Say the change in words."""
        named, column = _COLUMNS[self.table, self.column]
        where = named.format(id=self.id)
        if isinstance(self.before, str) or isinstance(self.after, str):
            return f"{column} {where}"
        if self.table == "demand":
            return f"{where} {1.0 - self.after:.3g} of its demand less"
        more = self.after - self.before
        sign = "+" if more > 0 else "-"
        step = f"{sign}{abs(more):,.6g} {self.unit} ({self.before:,.6g} to {self.after:,.6g})"
        return f"{column} {where}: {step}"

    @property
    def override(self) -> str:
        """The change as `--set` takes it."""
        if self.table == "limits":
            return f"limits.{self.column}={self.after!r}"
        if self.table == "ports":
            return f"ports={self.after}"
        sign = "*=" if self.table == "demand" else "="
        value = repr(self.after) if isinstance(self.after, float) else self.after or '""'
        return f"{self.table}.{self.id}.{self.column}{sign}{value}"

    def to(self, after: float) -> Edit:
        """Return the same change with another end."""
        return replace(self, after=after)

    def applied(self, scenario: Scenario) -> Scenario:
        """Return the scenario with the change made."""
        if self.table == "limits":
            limits = scenario.settings.limits.model_copy(update={self.column: self.after})
            return replace(scenario, settings=scenario.settings.model_copy(update={"limits": limits}))
        if self.table == "ports":
            ports = (*scenario.settings.ports, self.id)
            return replace(scenario, settings=scenario.settings.model_copy(update={"ports": ports}))
        if self.table in SHORT_TABLES:
            rows = [
                row.model_copy(update={self.column: self.after}) if row.id == self.id else row
                for row in getattr(scenario, self.table)
            ]
            changed: dict[str, Any] = {self.table: tuple(rows)}
            return replace(scenario, **changed)
        frame = getattr(scenario, self.table).copy()
        if self.table == "demand":
            frame.loc[frame["service"] == self.id, self.column] *= self.after
        else:
            frame.loc[frame["id"] == self.id, self.column] = self.after
        return replace(scenario, **{self.table: frame})

    def to_dict(self) -> dict[str, Any]:
        """Plain values, ready for JSON."""
        return asdict(self) | {"share": self.share, "text": self.text, "set": self.override}


def row_of(scenario: Scenario, table: str, name: str) -> Any:
    """Row of a short table by its id."""
    return next(row for row in getattr(scenario, table) if row.id == name)


def cell_of(scenario: Scenario, table: str, name: str, column: str) -> Any:
    """Cell of a long table by its row's id."""
    frame = getattr(scenario, table)
    return frame.loc[frame["id"] == name, column].iloc[0]
