"""Makes the built-in scenarios from the tables. For maintainers: `python -m provgrid_seeds.build`."""

from __future__ import annotations

import logging
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pandas as pd
import tomli_w

from provgrid_seeds import (
    build_export_controls,
    build_guangdong,
    build_liangzhu,
    build_national,
    build_national_lite,
    build_people,
    build_ports,
    build_shanghai,
    build_toy,
    build_verticals,
    build_xinjiang,
    build_xinjiang_2028,
    build_zhejiang,
    loader,
)
from provgrid_seeds.build_rows import Record

if TYPE_CHECKING:
    from collections.abc import Iterable

SCENARIOS = {
    "toy": build_toy,
    "zhejiang": build_zhejiang,
    "national-lite": build_national_lite,
    "national": build_national,
    "ports": build_ports,
    "verticals": build_verticals,
    "liangzhu": build_liangzhu,
    "export-controls": build_export_controls,
    "xinjiang": build_xinjiang,
    "xinjiang-2028": build_xinjiang_2028,
    "guangdong": build_guangdong,
    "shanghai": build_shanghai,
    "people": build_people,
}


def build(folder: Path, names: Iterable[str] | None = None) -> None:
    """Write built-in scenarios, all or those named, into a folder, one subfolder each."""
    for name in (*loader.scenario_names(), *loader.system_names()) if names is None else names:
        module = SCENARIOS[name]
        target = folder / name
        target.mkdir(parents=True, exist_ok=True)
        (target / "scenario.toml").write_text(tomli_w.dumps(module.settings()), encoding="utf-8", newline="\n")
        for table, records in module.tables().items():
            (target / f"{table}.csv").write_text(as_csv(records), encoding="utf-8", newline="\n")


def as_csv(records: list[Record]) -> str:
    """Text of a table; whole numbers are written without a decimal point."""
    frame = pd.DataFrame.from_records([{name: _cell(cell) for name, cell in record.items()} for record in records])
    text: str = frame.to_csv(index=False, lineterminator="\n")
    return text


def _cell(cell: object) -> str:
    if cell is None:
        return ""
    if isinstance(cell, bool):
        return str(cell).lower()
    if isinstance(cell, float):
        return f"{cell:.10g}"
    return str(cell)


def main() -> None:
    """Write the scenarios where the package lies, or into the folder that is named."""
    folder = Path(sys.argv[1]) if len(sys.argv) > 1 else Path(__file__).parent / "scenarios"
    build(folder)
    logging.getLogger(__name__).info("scenarios written to %s", folder)


if __name__ == "__main__":
    main()
