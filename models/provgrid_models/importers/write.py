"""Write what was imported as tables that a scenario folder can hold, beside a report of what was assumed."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

from provgrid_models.overlay import IMPORT_REPORT

if TYPE_CHECKING:
    from collections.abc import Sequence

    from provgrid_models.importers.core import Imported


def report(imported: Imported) -> dict[str, Any]:
    """Return counts, assumptions and bad rows as plain data for JSON."""
    return {
        "kind": imported.kind,
        "counts": imported.counts,
        "period_h": imported.period_h,
        "periods": imported.periods,
        "assumptions": list(imported.assumptions),
        "bad_rows": imported.bad_rows.to_dict(orient="records"),
    }


def write_tables(imported: Imported, folder: str | Path) -> list[Path]:
    """Write jobs.csv, services.csv and demand.csv (those with rows), families.csv, tenants.csv, import_report.json.

    Returns the paths written. Numbers are written so that they read back the same.
    """
    import pandas as pd

    target = Path(folder)
    target.mkdir(parents=True, exist_ok=True)
    frames = {"jobs": imported.jobs, "services": imported.services, "demand": imported.demand}
    for name, rows in (("families", imported.families), ("tenants", imported.tenants)):
        frames[name] = pd.DataFrame([r.model_dump(exclude_none=True, exclude_unset=True) for r in rows])
    written = []
    for name, frame in frames.items():
        if len(frame):
            path = target / f"{name}.csv"
            frame.to_csv(path, index=False, lineterminator="\n")
            written.append(path)
    return [*written, write_report(imported, target)]


def write_report(imported: Imported, folder: Path, assumptions: Sequence[str] | None = None) -> Path:
    """Write import_report.json with every bad row, and with those assumptions in place of the import's own."""
    path = folder / IMPORT_REPORT
    content = report(imported)
    if assumptions is not None:
        content["assumptions"] = list(assumptions)
    path.write_text(json.dumps(content, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
    return path
