"""Checks of a whole scenario: every finding at once, each with its file, row and column."""

from __future__ import annotations

from typing import TYPE_CHECKING

from provgrid_models.checks.columns import check_columns
from provgrid_models.checks.horizon import check_horizon, check_profiles
from provgrid_models.checks.plausible import check_plausible
from provgrid_models.checks.references import REQUIRED_TABLES, check_references
from provgrid_models.checks.workloads import check_workloads
from provgrid_models.sources import check_row_sources

if TYPE_CHECKING:
    from provgrid_models.checks.tables import Tables

__all__ = ["REQUIRED_TABLES", "check_tables"]


def check_tables(tables: Tables) -> None:
    """Run every check; what they find is added to `tables.findings`."""
    check_columns(tables)
    _check_filled(tables)
    check_references(tables)
    check_horizon(tables)
    check_profiles(tables)
    check_workloads(tables)
    check_plausible(tables)
    check_row_sources(tables)
    _drop_doubled(tables)


def _drop_doubled(tables: Tables) -> None:
    """Drop warnings about cells that an error is about already."""
    wrong = {(finding.file, finding.row, finding.column) for finding in tables.findings.errors}
    tables.findings[:] = [
        finding
        for finding in tables.findings
        if finding.severity == "error" or (finding.file, finding.row, finding.column) not in wrong
    ]


def _check_filled(tables: Tables) -> None:
    """Report required tables without rows, and a scenario in which nothing asks for compute."""
    for name in REQUIRED_TABLES:
        grid = tables.grids.get(name)
        if grid is not None and not grid.rows and not grid.ragged:
            hint = "Add a row below the header."
            tables.findings.error("no-rows", "the table has no rows", file=grid.places.files[0], hint=hint)
    generates = tables.settings is None or bool(tables.settings.generate)
    jobs, services, routes = (tables.grids.get(name) for name in ("jobs", "services", "routes"))
    if routes is not None and not routes.rows and not routes.ragged:
        message = f"the table {'has no rows' if routes.data else 'is missing'}, so that no region reaches any cluster"
        hint = "Give a row for each region and each cluster that may serve it."
        tables.findings.warning("no-routes", message, file=routes.places.files[0], hint=hint)
    if not generates and all(grid is not None and not (grid.rows or grid.ragged) for grid in (jobs, services)):
        message = "nothing asks for compute"
        hint = "Give jobs.csv, or services.csv with demand.csv, or [generate]."
        tables.findings.error("no-work", message, file=tables.settings_file, hint=hint)
