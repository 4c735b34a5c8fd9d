"""A plan in the formats that others read: one folder, whole or absent."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

from provgrid_models.errors import OptionError
from provgrid_models.findings import as_clause, did_you_mean
from provgrid_optimizer.exports.dispatch_schema import dispatch_schema
from provgrid_optimizer.exports.formats import DISPATCH, FORMATS, TABLES
from provgrid_optimizer.exports.workbook import check_available, write_workbook
from provgrid_optimizer.run_folder import whole_or_absent

if TYPE_CHECKING:
    from collections.abc import Sequence

    from provgrid_optimizer.plan import Plan


def export(plan: Plan, folder: str | Path, *, to: str, only: Sequence[str] = ()) -> Path:
    """Write a plan into a new folder.

    Parameters
    ----------
    to : "csv" or "parquet", a file for each table, "xlsx", a workbook with a sheet for each, all with `dispatch.json`
        and its schema beside them; or "mps", the mathematical program, for another solver.
    only : tables to write, and "dispatch"; all where none is named.

    Raises
    ------
    OptionError : no such format or table, xlsx without openpyxl, or the folder exists.
    """
    check_asked(to, only)
    final = Path(folder)
    with whole_or_absent(final) as partial:
        if to == "mps":
            from provgrid_optimizer.engines.pulp_engines import export_mps

            export_mps(plan.problem, partial / "problem.mps", divisible=plan.allocation.divisible)
            return final
        _write_tables(plan, [name for name in TABLES if not only or name in only], partial, to)
        if not only or DISPATCH in only:
            _write_json(plan.dispatch().to_dict(), partial / "dispatch.json")
            _write_json(dispatch_schema(), partial / "dispatch.schema.json")
    return final


def check_asked(to: str, only: Sequence[str] = ()) -> None:
    """Raise `OptionError` where an export as asked is impossible, before anything long is done for it."""
    if to not in FORMATS:
        raise OptionError(f"there is no format {to!r}; choose one of {', '.join(FORMATS)}")
    if to == "mps" and only:
        raise OptionError("an MPS file holds the program and no table; leave out what names tables")
    for name in only:
        if name not in (*TABLES, DISPATCH):
            hint = did_you_mean(name, [*TABLES, DISPATCH]) or f"choose among {', '.join((*TABLES, DISPATCH))}"
            raise OptionError(f"there is no table {name!r} to export; {as_clause(hint)}")
    if to == "xlsx":
        check_available()


def _write_tables(plan: Plan, names: Sequence[str], folder: Path, to: str) -> None:
    if not names:
        return
    tables = {name: getattr(plan, name) for name in names}
    if to == "xlsx":
        write_workbook(tables, folder / "plan.xlsx")
        return
    for name, table in tables.items():
        if to == "csv":
            table.to_csv(folder / f"{name}.csv", index=False, lineterminator="\n")
        else:
            table.to_parquet(folder / f"{name}.parquet", index=False)


def _write_json(value: object, path: Path) -> None:
    path.write_text(json.dumps(value, ensure_ascii=False, allow_nan=False) + "\n", encoding="utf-8")
